"""A split on disk, and validate against leaks: the commands as people use them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from gazecode.alignment import align, align_batch, load_tokenizer
from gazecode.demo import demo_study
from gazecode.errors import ParameterError, SchemaError
from gazecode.export import read_examples, read_metadata, to_jsonl, to_parquet
from gazecode.heldout import check_files, weights_files, write_parts
from gazecode.model import TokenBatch, TokenWeights
from gazecode.model.groups import source_groups
from gazecode.priors import Priors
from gazecode.source import parse, parse_batch
from gazecode.study import run_study
from tests.test_main import gazecode

HALF = {"train": 0.5, "test": 0.5}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    run_study(demo_study(), out)
    return out / "weights.parquet"


@pytest.fixture
def parts(weights, tmp_path):
    write_parts([weights], tmp_path / "split", fractions=HALF)
    return tmp_path / "split"


def test_parts_hold_every_row_and_say_what_they_are(weights, parts):
    rows = [e for name in HALF for e in read_examples(parts / f"{name}.parquet")]
    assert sorted(e.example_id for e in rows) == sorted(
        e.example_id for e in read_examples(weights)
    )
    reports, leaks = check_files([parts])
    assert all(r.ok for r in reports)
    assert leaks == []


def test_a_run_s_folder_is_split_once_though_it_has_two_containers(weights, tmp_path):
    assert (weights.parent / "weights.h5").is_file()
    counts = write_parts([weights.parent], tmp_path, fractions=HALF)
    assert sum(counts.values()) == len(read_examples(weights))


def test_the_command_splits_and_validates(weights, tmp_path):
    done = gazecode("split", weights, "--out", tmp_path / "s", "--fractions", "train=.5,test=.5")
    assert done.returncode == 0, done.stderr
    assert "train 6, test 6 examples" in done.stdout
    assert gazecode("validate", tmp_path / "s").returncode == 0


def test_people_cross_a_split_by_source_and_validate_says_so_when_asked(parts):
    done = gazecode("validate", parts, "--by", "both")
    assert done.returncode == 1
    assert "participant" in done.stdout


@pytest.mark.parametrize("write", [to_parquet, to_jsonl])
def test_a_planted_leak_fails_validate(parts, tmp_path, write):
    stolen = read_examples(parts / "test.parquet")[0]
    copy = replace(stolen, example_id="new", source_group="other", source_sha256="0" * 64)
    mine = tmp_path / f"train{'.parquet' if write is to_parquet else '.jsonl'}"
    write([*read_examples(parts / "train.parquet"), copy], mine)
    done = gazecode("validate", mine, parts / "test.parquet", "--by", "source", "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["problems"] == []
    assert [leak["kind"] for leak in said["leaks"]] == ["near duplicate"]


def test_a_prior_fitted_on_a_test_source_fails_validate(parts, tmp_path):
    tested = read_examples(parts / "test.parquet")[0].source_sha256
    rows = [replace(e, prior_sources=(tested,)) for e in read_examples(parts / "train.parquet")]
    to_parquet(rows, tmp_path / "train.parquet")
    _, leaks = check_files([tmp_path / "train.parquet", parts / "test.parquet"], by="source")
    assert [leak.kind for leak in leaks] == ["prior source"]


def test_one_file_alone_is_no_split(weights):
    assert gazecode("validate", weights).stdout == "weights.parquet: valid\n"


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(SchemaError, match="holds no weights"):
        weights_files([tmp_path])


def test_files_of_two_tokenizers_are_not_mixed(weights, tmp_path):
    to_parquet(read_examples(weights), tmp_path / "w.parquet", provenance={"tokenizer_sha256": "x"})
    with pytest.raises(ParameterError, match="differ in tokenizer_sha256"):
        write_parts([weights, tmp_path / "w.parquet"], tmp_path / "out", fractions=HALF)


def test_parts_of_one_name_in_two_folders_are_not_mixed(weights, tmp_path):
    """They are told apart by what they say, not by their names."""
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / weights.name
    to_parquet(read_examples(weights), other, provenance={"tokenizer_sha256": "x"})
    with pytest.raises(ParameterError, match="differ in tokenizer_sha256"):
        write_parts([weights, other], tmp_path / "out", fractions=HALF)


def test_shares_are_read(weights, tmp_path):
    done = gazecode("split", weights, "--out", tmp_path, "--fractions", "train")
    assert done.returncode == 1
    assert "expected NAME=SHARE" in done.stderr


def test_a_test_file_alone_that_holds_its_prior_s_source_fails(parts, tmp_path):
    rows = read_examples(parts / "test.parquet")
    known = [replace(e, prior_sources=(rows[0].source_sha256,)) for e in rows]
    to_parquet(known, tmp_path / "test.parquet")
    to_parquet(known, tmp_path / "mine.parquet")
    done = gazecode("validate", tmp_path / "test.parquet")
    assert done.returncode == 1
    assert "prior source" in done.stdout
    assert gazecode("validate", tmp_path / "mine.parquet").returncode == 0


def test_plural_names_go_into_the_metadata_as_singular(weights, tmp_path):
    write_parts([weights], tmp_path, by="sources", fractions=HALF)
    assert read_metadata(tmp_path / "test.parquet")["split"]["by"] == "source"


def test_the_same_file_has_one_group_wherever_it_is_met(weights, tmp_path):
    """In a run, from align, in a batch, and in priors fitted on the run's tables."""
    example = read_examples(weights)[0]
    tokens = parse(example.text, example.language, source_id="elsewhere")
    gaze = TokenWeights(
        value=np.ones(len(tokens)), on_path=np.ones(len(tokens), bool), scheme="s", unit="1"
    )
    tokenizer = load_tokenizer(demo_study().parent / "tokenizer.json")
    alone = align(gaze, tokens, tokenizer)
    batch = TokenBatch.of([tokens])
    said = {"source_id": ["a"], "language": example.language}
    many, _ = align_batch(gaze, batch, tokenizer, **said)
    parsed = parse_batch([tokens.code], example.language)
    corpus = source_groups(parsed, example.language)
    groups = {example.source_group, alone.source_group, *many.source_group, *corpus}
    assert len(groups) == 1
    fitted = Priors.fit_runs(weights.parent)
    assert groups <= set(fitted.source_groups)
    assert {e.source_group for e in read_examples(weights)} == set(fitted.source_groups)
    assert {e.source_sha256 for e in read_examples(weights)} == set(fitted.sources)
    assert set(fitted.prior_sources) == {*fitted.sources, *fitted.source_groups}

import dataclasses
import io
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gazecode as gc
from gazecode.corpus import work
from gazecode.corpus.blocks import BlockRule, cut
from gazecode.corpus.checking import checked_settings
from gazecode.corpus.records import Record
from gazecode.corpus.settings import AlignRule
from gazecode.corpus.work import weigh_block
from gazecode.errors import GazecodeError, ParameterError, TokenizerError
from gazecode.priors import pseudo_scan_path

from .conftest import method


@pytest.fixture(scope="module")
def make_settings(priors, tokenizer):
    def make(**given):
        base = {
            "priors": priors,
            "tokenizer": tokenizer,
            "scheme": "eyemulator",
            "scheme_params": {},
            "path_params": {},
            "align": AlignRule(),
            "seed": 0,
            "max_error_share": 0.25,
        }
        return checked_settings(**base | given)

    return make


@pytest.fixture(scope="module")
def settings(make_settings):
    return make_settings()


def table_of(sources) -> pa.RecordBatch:
    records = [
        Record(id=name, where=name, language=language, code=code.encode())
        for name, language, code in sources
    ]
    (block,) = cut(records, BlockRule())
    return block.table()


def rows_of(worked) -> list[dict]:
    return pq.read_table(io.BytesIO(worked.shard)).to_pylist()


MIXED = [
    ("a", "java", method(1)),
    ("b", "python", "def f(x):\n    return x + 1  # one more\n"),
    ("c", "java", "This is prose, and nobody can parse it."),
    ("d", "java", method(2)),
    ("e", "python", "x = 1\n"),
]


def test_rows_come_in_order_whatever_their_language(settings):
    worked = weigh_block(table_of(MIXED), settings)
    rows = rows_of(worked)
    assert [(r["example_id"] != "", r["source_id"], r["language"]) for r in rows] == [
        (True, "a", "java"),
        (True, "b", "python"),
        (True, "d", "java"),
        (True, "e", "python"),
    ]
    assert worked.n_rows == 4
    assert list(worked.refused) == [2]
    assert worked.refused[2][0] == "parse"
    assert worked.counts.languages == {"java": 2, "python": 2}
    assert worked.counts.numbers["tokens"] == sum(len(r["token_value"]) for r in rows)
    assert worked.counts.numbers["subwords"] == sum(len(r["input_ids"]) for r in rows)
    silent = worked.counts.numbers["sources_without_signal"]
    reach = {
        "mean": 1.0,
        "min": 1.0,
        "examples": len(rows) - silent,
        "by_tenths": {"1": len(rows) - silent},
    }
    assert worked.counts.weight_reach == reach


def test_every_row_is_what_the_stages_give_one_by_one(settings, priors, tokenizer):
    tok = gc.load_tokenizer(tokenizer)
    for row, (name, language, code) in zip(
        rows_of(weigh_block(table_of(MIXED), settings)), [*MIXED[:2], *MIXED[3:]], strict=True
    ):
        tokens = gc.parse(code, language=language, source_id=name)
        path = pseudo_scan_path(tokens, priors, seed=0)
        weights = gc.weigh(path, tokens, scheme="eyemulator", priors=priors)
        example = gc.align(weights, tokens, tok)
        assert row["example_id"] == example.example_id
        assert row["text"] == example.text == code
        assert row["input_ids"] == example.input_ids.tolist()
        assert row["token_label"] == example.token_label.tolist()
        np.testing.assert_allclose(row["weight"], example.weight, rtol=1e-6)
        np.testing.assert_allclose(row["attention"], example.attention, rtol=1e-5, atol=1e-9)
        assert row["prior_sources"] == list(priors.sources)
        assert row["n_people"] == priors.n_people
        assert row["participant_group"] == ""


def test_a_batch_does_not_change_its_sources(settings, monkeypatch):
    whole = rows_of(weigh_block(table_of(MIXED), settings))
    monkeypatch.setattr(work, "BATCH_ROWS", 1)
    assert rows_of(weigh_block(table_of(MIXED), settings)) == whole


def test_copies_that_were_reformatted_share_a_group(settings):
    copy = method(1).replace("    ", "\t").replace("// sum number 1", "/* other words */")
    sources = [("a", "java", method(1)), ("b", "java", copy), ("c", "java", method(2))]
    groups = [row["source_group"] for row in rows_of(weigh_block(table_of(sources), settings))]
    assert groups[0] == groups[1] != groups[2]
    assert all(groups)


def test_sources_behind_the_priors_are_counted(make_settings, priors):
    import hashlib

    digest = hashlib.sha256(method(1).encode()).hexdigest()
    known = dataclasses.replace(priors, sources=(digest,))
    worked = weigh_block(table_of(MIXED), make_settings(priors=known))
    assert worked.counts.numbers["sources_in_priors"] == 1


def test_one_source_that_breaks_a_stage_does_not_take_the_others(settings, monkeypatch):
    make = work.make_examples

    def fragile(ids, codes, *rest, **more):
        if b"number 13" in b"".join(codes):
            raise RuntimeError("boom\nin two lines")
        return make(ids, codes, *rest, **more)

    monkeypatch.setattr(work, "make_examples", fragile)
    monkeypatch.delenv("GAZECODE_DEBUG", raising=False)
    sources = [(f"m{i}", "java", method(i)) for i in range(20)]
    worked = weigh_block(table_of(sources), settings)
    assert [row["source_id"] for row in rows_of(worked)] == [f"m{i}" for i in range(20) if i != 13]
    assert worked.refused == {
        13: ("internal", "unexpected RuntimeError: boom in two lines; please report it")
    }


def test_nothing_in_nothing_out(settings):
    worked = weigh_block(table_of(MIXED[2:3]), settings)
    assert (worked.shard, worked.n_rows) == (b"", 0)
    assert list(worked.refused) == [0]
    assert weigh_block(table_of(MIXED).slice(0, 0), settings).shard == b""


def test_the_environment_is_left_as_it_was(settings, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    weigh_block(table_of(MIXED), settings)
    assert os.environ["TOKENIZERS_PARALLELISM"] == "true"
    monkeypatch.delenv("TOKENIZERS_PARALLELISM")
    weigh_block(table_of(MIXED), settings)
    assert "TOKENIZERS_PARALLELISM" not in os.environ


def test_a_worker_of_another_version_refuses(settings):
    other = dataclasses.replace(settings, package_version="0.0.0")
    with pytest.raises(GazecodeError, match=r"the job 0\.0\.0; install the same version"):
        weigh_block(table_of(MIXED), other)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"scheme": "nonsense"}, ParameterError, "no 'nonsense' in weighting schemes"),
        ({"scheme_params": {"base": 3}}, ParameterError, "no parameter base"),
        ({"path_params": {"budget": "x"}}, ParameterError, "budget is 'x'; choose from: posterior"),
        (
            {"path_params": {"max_line_span": "a"}},
            ParameterError,
            "pseudo_scan_path: max_line_span is 'a'; expected a whole number",
        ),
        (
            {"scheme_params": {"w_base": "abc"}},
            ParameterError,
            "eyemulator: w_base is 'abc'; expected a number",
        ),
        (
            {"scheme_params": {"smoothing": "maybe"}},
            ParameterError,
            "eyemulator: smoothing is 'maybe'; expected true or false",
        ),
        (
            {"scheme": "control_permuted", "scheme_params": {"of": [1]}},
            ParameterError,
            r"control_permuted: of is \[1\]; expected a text",
        ),
        ({"seed": "x"}, ParameterError, "seed is 'x'; expected a whole number"),
        ({"align": "mean_one"}, ParameterError, r"align is str; expected AlignRule\(...\)"),
        (
            {"max_error_share": "x"},
            ParameterError,
            "weigh_corpus: max_error_share is 'x'; expected a number",
        ),
        ({"path_params": {"seed": 1}}, ParameterError, "no parameter seed"),
        ({"align": AlignRule(policy="x")}, ParameterError, "no 'x' in policies"),
        ({"max_error_share": 2}, ParameterError, "max_error_share is 2"),
        ({"tokenizer": "nowhere.json"}, TokenizerError, "no such file"),
    ],
)
def test_what_is_wrong_for_every_source_is_said_at_once(make_settings, given, error, message):
    with pytest.raises(error, match=message):
        make_settings(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strength": "abc"}, "align: strength is 'abc'; expected a number"),
        ({"strength": True}, "align: strength is True; expected a number"),
        ({"mean_one": "abc"}, "align: mean_one is 'abc'; expected true or false"),
        ({"max_ratio": None}, "align: max_ratio is None; expected a number"),
        ({"policy": 3}, "align: policy is 3; expected a text"),
        ({"template": 3}, "align: template is 3; expected a text"),
    ],
)
def test_rules_of_alignment_hold_values_of_their_kind(given, message):
    with pytest.raises(ParameterError) as error:
        AlignRule(**given)
    assert str(error.value) == message


def test_settings_name_every_parameter_and_no_path(settings, tokenizer):
    said = settings.described()
    assert said["path_params"]["max_line_span"] == 4
    assert said["scheme_params"]["preset"] == "docs"
    assert said["seed"] == 0
    assert str(tokenizer.parent) not in str(said)


def test_controls_take_the_seed_of_the_job(make_settings):
    made = make_settings(scheme="control_permuted", scheme_params={"of": "eyemulator"}, seed=5)
    assert made.described()["scheme_params"]["seed"] == 5
    weigh_block(table_of(MIXED), made)

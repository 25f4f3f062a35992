"""What may be given away: pooled over enough people, and nothing that is one person's."""

import gzip
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.demo import demo_study
from gazecode.errors import DataError, StudyError
from gazecode.export import iter_examples, read_metadata, validate
from gazecode.measures import transitions
from gazecode.model import TokenWeights
from gazecode.study import run_study
from gazecode.study.parts import load_part
from gazecode.study.process import process
from gazecode.study.settings import load_study
from gazecode.study.sharing import (
    SHARED,
    Reader,
    _checked,
    _limited,
    rounded,
    shareable,
)
from tests.study.everything import texts_of


def edit(study, *changes):
    text = study.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    study.write_text(text, encoding="utf-8")


def make_pooled(folder):
    """The bundled study, pooled; its people have names that occur nowhere by chance."""
    shutil.copytree(demo_study().parent, folder)
    study = folder / "study.toml"
    edit(study, ('per = "trial"', 'per = "source"'), ("P1 to P3", "person-number-1 to 3"))
    edit(study, *((f'participant = "P{i}"', f'participant = "person-number-{i}"') for i in PEOPLE))
    return study


@pytest.fixture
def pooled(tmp_path):
    return make_pooled(tmp_path / "pooled")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """What such a study leaves to be shared, and what its run says."""
    folder = tmp_path_factory.mktemp("shared")
    return run_study(make_pooled(folder / "study"), folder / "out", share=True)


PEOPLE = range(1, 7)


def forget(study, person, trial):
    """The person's recording shows another stimulus instead of this."""
    path = study.parent / "recordings" / f"{person}.asc.gz"
    raw = gzip.decompress(path.read_bytes()).replace(trial.encode(), b"somewhat")
    path.write_bytes(gzip.compress(raw, mtime=0))


def test_only_pooled_rows_and_summaries_are_left(shared, demo_out):
    out = shared.out
    assert {p.name for p in out.iterdir()} == set(SHARED) == set(shared.files)
    assert any("left out to be shared" in note for note in shared.notes)
    examples = list(iter_examples(out / "weights.parquet"))
    assert [e.n_people for e in examples] == [6, 6]
    assert {(e.participant, e.participant_group, e.trial) for e in examples} == {("", "", "")}
    assert validate(out / "weights.h5").ok
    said = read_metadata(out / "weights.parquet")
    assert said["inputs_sha256"] == ""
    assert said["shared"] == {
        "min_people": 5,
        "sources": 2,
        "sources_withheld": 0,
        "tokens_withheld": 0,
        "value_steps": 100,
    }
    quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    assert "recordings" not in quality
    assert quality["over_people"]["people"] == 6
    # Three people have two eyes: too few for quartiles; as many have each format.
    assert "disparity_lines" not in quality["over_people"]["figures"]
    assert quality["over_people"]["figures"]["loss"]["people"] == 6
    assert quality["over_people"]["formats"] == ["others"]
    full = [e.participant for e in iter_examples(demo_out / "weights.parquet")]
    assert len(set(full)) == 6
    for file, content in texts_of(out).items():
        folded = content.decode("utf-8", "replace")
        assert "person-number" not in folded, file
        assert not any(f"P{i}.{end}" in folded for i in PEOPLE for end in ("asc", "tsv")), file
    card = (out / "card.md").read_text(encoding="utf-8")
    assert "Made to be shared" in card
    assert "are withheld: 0 of 2" in card
    assert "people: 6 recorded; pooled, 6 behind a row" in card
    assert "names: left out" in card
    assert "Token values are in steps of 1/100 of the largest of their source" in card


def test_shared_weights_are_those_of_a_run_that_is_not_shared(pooled, tmp_path):
    run_study(pooled, tmp_path / "out")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    whole = list(iter_examples(tmp_path / "out" / "weights.parquet"))
    assert "hits.parquet" in names
    # The files of the other run go: a folder never holds those of two.
    run_study(pooled, tmp_path / "out", share=True)
    assert {p.name for p in (tmp_path / "out").iterdir()} == set(SHARED)
    for a, b in zip(whole, iter_examples(tmp_path / "out" / "weights.parquet"), strict=True):
        assert (a.source_id, a.n_people) == (b.source_id, b.n_people)
        most = a.token_value.max()
        assert b.token_value.max() == most
        assert np.abs(b.token_value - a.token_value).max() <= most / 200 * (1 + 1e-6)
        steps = b.token_value / most * 100
        assert steps == pytest.approx(steps.round(), abs=1e-4)
        # What follows from values follows from the rounded ones.
        nobody = (b.token_index >= 0) & (b.token_value[b.token_index] == 0)
        assert not b.on_path[nobody].any()
        assert b.attention == pytest.approx(a.attention, abs=0.02)
        assert b.weight == pytest.approx(a.weight, abs=0.2)
        assert (b.attention != a.attention).any()


def same_person(values, owner, ratio_is_small):
    """Of the pairs of tokens that `ratio_is_small` links, and of all: the share of one person's."""
    pairs = list(combinations(owner, 2))
    same = np.array([owner[a] == owner[b] for a, b in pairs])
    linked = np.array([ratio_is_small(values[a], values[b]) for a, b in pairs])
    return same[linked].mean(), same.mean()


def ratio_of_samples(a, b):
    """Whether two values are whole samples by one number: 200 samples of 4 ms are long."""
    return abs(float(Fraction(a / b).limit_denominator(200)) / (a / b) - 1) < 3e-7


def equal(a, b):
    return abs(a / b - 1) < 1e-6


@pytest.mark.parametrize("attack", [ratio_of_samples, equal])
def test_tokens_that_one_person_looked_at_cannot_be_linked(shared, demo_out, attack):
    whole = list(iter_examples(demo_out / "weights.parquet"))
    for example in iter_examples(shared.out / "weights.parquet"):
        own = np.array([e.token_value for e in whole if e.source_id == example.source_id])
        alone = np.flatnonzero(((own > 0).sum(axis=0) == 1) & (example.token_value > 0))
        owner = {int(token): int(own[:, token].argmax()) for token in alone}
        assert len(owner) > 15
        exact = (own / own.sum(axis=1, keepdims=True)).mean(axis=0)
        found, _ = same_person(exact.astype(np.float32).astype(float), owner, attack)
        assert found > 0.75
        found, chance = same_person(example.token_value, owner, attack)
        assert found < chance + 0.05


values = st.lists(st.floats(0, 1e6), min_size=1, max_size=20).map(np.array)


@given(values)
def test_rounding_moves_no_value_by_more_than_half_a_step(exact):
    weights = TokenWeights(value=exact, on_path=exact > 0, scheme="duration", unit="ms")
    told = rounded(weights)
    most = exact.max()
    assert told.value.max() == most
    assert (np.abs(told.value - exact) <= most / 200 * (1 + 1e-9)).all()
    assert (told.on_path == (told.value > 0)).all()
    assert (told.exposed == weights.exposed).all()
    assert len(np.unique(told.value)) <= 101
    again = rounded(told)
    assert again.value == pytest.approx(told.value)


def test_no_scan_path_of_one_person_can_be_read_from_what_is_shared(shared):
    # Cells of pooled saccades are a person's count by that person's sum: equal ones were one path.
    for example in iter_examples(shared.out / "weights.parquet"):
        assert not len(example.transition_from)
    said = read_metadata(shared.out / "weights.parquet")
    assert said["parameters"]["align"]["transitions"] is False
    assert any("saccades between tokens" in note for note in shared.notes)
    assert "saccades between tokens" in (shared.out / "card.md").read_text(encoding="utf-8")


def test_a_rerun_writes_the_same_bytes_and_a_key_adds_nothing(shared, pooled, tmp_path):
    (tmp_path / "key").write_bytes(bytes(range(16)))
    run_study(pooled, tmp_path / "two", share=True, resume=True, key=tmp_path / "key")
    assert texts_of(tmp_path / "two") == texts_of(shared.out)


def test_sources_that_few_people_read_are_withheld_and_counted(pooled, tmp_path):
    forget(pooled, "P1", "median")
    forget(pooled, "P2", "median")
    summary = run_study(pooled, tmp_path / "out", share=True)
    (example,) = iter_examples(tmp_path / "out" / "weights.parquet")
    assert example.source_id == "Basket"
    assert any("1 of 2 sources" in note for note in summary.notes)
    assert "are withheld: 1 of 2" in (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert [e["source_id"] for e in quality["examples"]] == ["Basket"]


def test_nothing_to_share_is_one_line_and_changes_nothing(pooled, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_bytes(b"of an earlier run")
    before = texts_of(tmp_path / "out")
    edit(pooled, ("[report]", "[share]\nmin_people = 7\n\n[report]"))
    message = (
        "nothing can be shared: expected sources that at least 7 people read with any signal, "
        r"found Basket 6, median 6 \(source, people\)"
    )
    with pytest.raises(StudyError, match=message):
        run_study(pooled, tmp_path / "out", share=True)
    assert texts_of(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('per = "source"', 'per = "trial"'), r'weigh.per \(line \d+\): found "trial"; --share'),
        (
            ("[report]", "[share]\nmin_people = 4\n\n[report]"),
            r"share.min_people \(line \d+\): .*greater than or equal to 5; found 4",
        ),
        (
            ("[report]", "[share]\nmin_person = 6\n\n[report]"),
            r"share.min_person \(line \d+\): unknown key; did you mean min_people\?",
        ),
    ],
)
def test_what_cannot_be_shared_stops_before_anything_is_written(pooled, tmp_path, change, message):
    edit(pooled, change)
    with pytest.raises(StudyError, match=message):
        run_study(pooled, tmp_path / "out", share=True)
    assert not (tmp_path / "out").exists()


def readers():
    one = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=4, max_size=4)
    return st.lists(one.map(_reader), min_size=1, max_size=7)


def _reader(cells):
    shown = np.array([seen for _, seen in cells])
    return Reader(np.array([float(value) for value, _ in cells]) * shown, shown)


@given(readers(), st.integers(1, 4))
def test_behind_every_shared_token_are_enough_people_whose_signal_counts(people, least):
    enough = shareable(people, least)
    if enough is None:
        # The largest set of tokens and people that could stand is none: tried one by one.
        for bits in range(1, 16):
            tokens = np.array([bool(bits >> i & 1) for i in range(4)])
            who = [p for p in people if p.value[tokens].sum() > 0]
            shown = sum((p.shown for p in who), start=np.zeros(4, dtype=int))
            assert len(who) < least or not (shown[tokens] >= least).all()
        return
    counted = [p for p in people if p.value[enough].sum() > 0]
    assert len(counted) >= least
    shown = np.sum([p.shown for p in counted], axis=0)
    assert ((shown >= least) == enough).all()


def test_a_token_that_is_not_shared_leaves_no_trace_in_a_reading(tmp_path):
    study = load_study(demo_study())
    process(study, 0, tmp_path / "part")
    reading = load_part(tmp_path / "part").trials[0]
    enough = np.arange(len(reading.weights)) % 2 == 0
    left = _limited(reading, enough)
    assert left.weights.value[~enough].sum() == 0
    assert (left.weights.value[enough] == reading.weights.value[enough]).all()
    assert not left.weights.on_path[~enough].any()
    assert not left.hits.exposed[~enough].any()
    assert set(left.hits.token) <= set(np.flatnonzero(enough))
    seen = transitions(left.hits)
    assert enough[seen.origin].all()
    assert enough[seen.target].all()
    on_token = np.unique(left.hits.fixation)
    assert (left.hits.status[on_token] == "token").all()
    assert (left.hits.status == "token").sum() == len(on_token)
    assert _limited(reading, np.ones_like(enough)) is reading


def test_a_row_of_too_few_people_never_leaves(demo_out):
    example = next(iter(iter_examples(demo_out / "weights.parquet")))
    for one in (example, replace(example, n_people=6)):
        with pytest.raises(DataError, match="expected at least 5 and no name"):
            list(_checked([one], 5))
    anybody = replace(example, n_people=6, participant="", trial="")
    assert len(list(_checked([anybody], 5))) == 1

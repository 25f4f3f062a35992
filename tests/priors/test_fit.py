"""Counts against a plain count by hand, worked examples, and that counts add up."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import LABELS, Hits, Layout
from gazecode.priors import Priors, Reading, Rules
from gazecode.source import parse

LOOP, VARIABLE, RETURN = "loop", "variable", "return"


def best_tokens(hits):
    """Per fixation the token with the largest share, of equal ones the first."""
    best = {}
    for fixation, token, share in zip(hits.fixation, hits.token, hits.share, strict=True):
        best[int(fixation)] = min(best.get(int(fixation), (0, 0)), (-share, int(token)))
    return {fixation: token for fixation, (_, token) in best.items()}


def runs_by_hand(reading, rules):
    """Tokens looked at, and labels run by run."""
    token_of, looked, runs = best_tokens(reading.hits), set(), [[]]
    for i, status in enumerate(reading.hits.status):
        counts = reading.activity[i] in rules.activities
        if not counts or status in ("off", "lost"):
            runs.append([])
        elif status == "token" and LABELS[reading.label[token_of[i]]]:
            runs[-1].append(LABELS[reading.label[token_of[i]]])
        elif not rules.bridge:
            runs.append([])
        if counts and status == "token":
            looked.add(token_of[i])
    return looked, runs


def by_hand(readings, rules):
    """The same counts, one token and one fixation at a time."""
    shown, hit, ngrams = Counter(), Counter(), Counter()
    for reading in readings:
        looked, runs = runs_by_hand(reading, rules)
        for run in runs:
            for order in (1, 2, 3):
                ngrams.update(tuple(run[i : i + order]) for i in range(len(run) - order + 1))
        for token, code in enumerate(reading.label):
            exposure = reading.hits.exposure_ms[token]
            if code and exposure and exposure >= rules.min_exposure_ms:
                shown[LABELS[code]] += 1
                hit[LABELS[code]] += token in looked
    return shown, hit, ngrams


@given(
    data=st.data(),
    bridge=st.booleans(),
    exposure=st.sampled_from([0.0, 100.0, 200.0, 500.0]),
    activities=st.sampled_from([("reading", "unknown"), ("typing",), ("reading",)]),
)
def test_counts_are_those_made_by_hand(random_readings, data, bridge, exposure, activities):
    found = data.draw(random_readings)
    rules = Rules(min_exposure_ms=exposure, bridge=bridge, activities=activities)
    pri = Priors.fit(found, rules=rules)
    shown, hit, ngrams = by_hand(found, rules)
    for code, label in enumerate(LABELS):
        assert (pri.shown[code], pri.hit[code]) == (shown[label], hit[label])
    for order in (1, 2, 3):
        assert dict(pri.ngrams[order].counts) == {
            k: n for k, n in ngrams.items() if len(k) == order
        }
    assert pri.details["counts"]["trials"] == pri.shown.sum()


@settings(max_examples=40)
@given(data=st.data())
def test_a_fit_is_the_merge_of_its_parts_in_any_order(random_readings, data, tmp_path_factory):
    found = data.draw(random_readings)
    cut = data.draw(st.integers(0, len(found)))
    whole = Priors.fit(found)
    folder = tmp_path_factory.mktemp("fit")
    again = Priors.fit(data.draw(st.permutations(found)))
    assert whole.save(folder / "a").read_bytes() == again.save(folder / "b").read_bytes()
    parts = [Priors.fit(part) for part in (found[:cut], found[cut:]) if part]
    try:
        merged = Priors.merge(parts)
    except ParameterError:
        # Two readings drawn alike are the same gaze, as far as a merge can see.
        reject()
    assert np.array_equal(merged.cells.sums, whole.cells.sums)
    assert np.array_equal(merged.cells.ngrams, whole.cells.ngrams)
    assert merged.details["counts"] == whole.details["counts"]
    assert (merged.sources, merged.participants) == (whole.sources, whole.participants)


@settings(max_examples=40)
@given(data=st.data())
def test_leaving_one_out_of_the_sums_is_fitting_without(random_readings, data):
    found = data.draw(random_readings)
    people = sorted({r.participant for r in found})
    if len(people) < 2:
        return
    pri = Priors.fit(found)
    for name in people:
        rest = Priors.fit(found, leave_out=name)
        for less in (
            pri.without(name),
            dict(pri.leave_one_out())[
                Priors.fit([r for r in found if r.participant == name]).participants[0]
            ],
        ):
            assert np.array_equal(less.cells.sums, rest.cells.sums)
            assert np.array_equal(less.cells.ngrams, rest.cells.ngrams)
            assert less.n_people == len(people) - 1
            assert less.sources == rest.sources
            assert less.details["notes"] == rest.details["notes"]


@settings(max_examples=40)
@given(data=st.data())
def test_split_by_task_merges_back(random_readings, data):
    pri = Priors.fit(data.draw(random_readings))
    for by in ("task", "group", "participant", "source"):
        parts = pri.split(by)
        back = Priors.merge(list(parts.values()))
        assert np.array_equal(back.cells.sums, pri.cells.sums)
        assert np.array_equal(back.cells.ngrams, pri.cells.ngrams)


def test_worked_example(make):
    # while  x  (  y        labels: loop variable - variable
    gaze = [0, 1, 2, "between", 3, 3, "off", 0, 1]
    pri = Priors.fit([make.reading([LOOP, VARIABLE, "", VARIABLE], gaze)])
    assert dict(pri.ngrams[1].counts) == {(LOOP,): 2, (VARIABLE,): 4}
    assert dict(pri.ngrams[2].counts) == {(LOOP, VARIABLE): 2, (VARIABLE, VARIABLE): 2}
    assert pri.frequency((VARIABLE, LOOP)) == 0
    assert pri.ngrams[3][LOOP, VARIABLE, VARIABLE] == 1
    counts = pri.details["counts"]
    assert (counts["refixations"], counts["runs"], counts["fixations_bridged"]) == (1, 2, 2)
    assert (counts["tokens_unlabelled"], counts["fixations_unlabelled"]) == (1, 1)
    assert pri.hit[make.code(VARIABLE)] == 2  # refixations are no further success
    ended = Priors.fit(
        [make.reading([LOOP, VARIABLE, "", VARIABLE], gaze)], rules=Rules(bridge=False)
    )
    assert dict(ended.ngrams[2].counts) == {(LOOP, VARIABLE): 2, (VARIABLE, VARIABLE): 1}


def test_a_token_not_shown_is_missing_and_not_a_miss(make):
    exposure = np.array([0.0, 199.0, 200.0, np.nan])
    pri = Priors.fit([make.reading([LOOP] * 4, [1], exposure_ms=exposure)])
    assert pri.shown[make.code(LOOP)] == 1
    assert pri.hit[make.code(LOOP)] == 0
    counts = pri.details["counts"]
    assert (counts["tokens_never_exposed"], counts["tokens_too_brief"]) == (2, 1)
    assert counts["hit_but_no_trial"] == 1


def test_typing_is_apart(make):
    read = make.reading([LOOP, RETURN], [0, 1, 0], activity=["reading", "typing", "unknown"])
    pri = Priors.fit([read])
    assert (pri.hit[make.code(LOOP)], pri.hit[make.code(RETURN)]) == (1, 0)
    assert dict(pri.ngrams[2].counts) == {}  # typing ends the run
    assert any("unknown activity" in text for text in pri.details["remarks"])
    caret = Priors.fit([read], rules=Rules(activities=("typing",)))
    assert (caret.hit[make.code(LOOP)], caret.hit[make.code(RETURN)]) == (0, 1)


def test_a_soft_hit_counts_for_its_largest_share(make):
    soft = Hits(
        fixation=[0, 0, 1, 1],
        token=[0, 1, 0, 1],
        share=[0.4, 0.6, 0.5, 0.5],
        onset_ms=[0, 300],
        duration_ms=[100, 200],
        status=["token"] * 2,
        exposure_ms=[900, 900],
    )
    read = Reading(
        label=[make.code(LOOP), make.code(RETURN)], hits=soft, source="s", characters=[1, 1]
    )
    pri = Priors.fit([read])
    assert dict(pri.ngrams[2].counts) == {(RETURN, LOOP): 1}
    frame = pri.to_frame().set_index("label")
    assert frame.dwell_ms[[LOOP, RETURN]].tolist() == [140.0, 160.0]


def test_pairs_with_what_is_known_of_them():
    tokens = parse("return é;", language="java", source_id="A.java")
    hits = Hits(
        fixation=[0], token=[1], share=[1], onset_ms=[0], duration_ms=[250], status=["token"],
        exposure_ms=[900, 900, 900],
    )  # fmt: skip
    pri = Priors.fit(
        [(tokens, hits)] * 2, participants=["P1", "P2"], tasks=["reading"] * 2, study="demo"
    )
    assert (pri.n_people, len(pri.sources), len(pri.sources[0])) == (2, 1, 64)
    assert pri.cells.task.tolist() == ["reading"] * 2
    layout = Layout(
        boxes=[[0, 0, 10, 10], [10, 0, 15, 10]], token=[0, 1], line=[0, 0], n_tokens=3,
        line_height_px=20,
    )  # fmt: skip
    read = Reading.of(tokens, hits, layout=layout)
    assert read.characters.tolist() == [6, 1, 1]
    assert read.area_px2[:2].tolist() == [100, 50]
    assert np.isnan(read.area_px2[2])
    assert Priors.fit([(tokens, hits)]).n_people == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"participants": ["P1"]}, "participants has 1 entries for 2 readings; give one each"),
        ({"leave_out": "P9"}, "no 'P9' in the people of the readings; choose from: P1, P2"),
    ],
)
def test_wrong_arguments(make, arguments, message):
    found = [make.reading([LOOP], [0], participant=p) for p in ("P1", "P2")]
    with pytest.raises(ParameterError) as error:
        Priors.fit(found, **arguments)
    assert str(error.value) == message


def test_nothing_to_fit(make):
    with pytest.raises(DataError, match="there is no reading to fit on"):
        Priors.fit([])
    with pytest.raises(DataError, match="found a int to fit on; expected pairs"):
        Priors.fit([3])
    tokens = parse("x;", language="java")
    with pytest.raises(DataError, match="tokens and hits must be of the same trial"):
        Priors.fit([(tokens, make.reading([LOOP] * 5, [0]).hits)])


@pytest.mark.parametrize(
    "wrong", [{"min_exposure_ms": -1}, {"activities": ("dreaming",)}, {"activities": ()}]
)
def test_wrong_rules(wrong):
    with pytest.raises(ParameterError):
        Rules(**wrong)


def test_transitions(make):
    pri = Priors.fit([make.reading([LOOP, RETURN], [0, 1, 0, 0])])
    table = pri.transitions(smoothing=0.5)
    assert table[1:].sum(axis=1) == pytest.approx(np.ones(19))
    assert not table[0].any()
    assert not table[:, 0].any()
    loop, back = make.code(LOOP), make.code(RETURN)
    assert table[loop, back] == pytest.approx(1.5 / (2 + 19 * 0.5))
    assert table[back, loop] == pytest.approx(1.5 / (1 + 19 * 0.5))
    bare = pri.transitions(smoothing=0)
    assert bare[loop, loop] == 0.5
    assert np.isnan(bare[make.code(VARIABLE), 1:]).all()
    with pytest.raises(ParameterError, match="smoothing is -1"):
        pri.transitions(-1)

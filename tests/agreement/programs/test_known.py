"""What is learnt, and from whom."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazecode as gc
from gazecode.agreement.programs import Known, Observed, learn
from gazecode.agreement.programs.hold_out import plan, plan_for_model
from gazecode.agreement.programs.observed import merged
from gazecode.errors import DataError, ParameterError
from gazecode.model import Transitions

A = gc.parse("int f(int x) { return x; }", "java")
B = gc.parse("int g() { return 1; }", "java")


def seen(person, source, tokens, value, **more):
    return Observed(person=person, source=source, tokens=tokens, value=value, **more)


def test_theta_is_the_posterior_of_readings_times_exposed_tokens():
    value = np.zeros(len(A))
    value[[3, 4]] = 100, 300  # "int x", both parameters
    other = value.copy()
    other[3] = np.nan
    other[4] = 0
    known = learn([seen("P1", "A", A, value), seen("P2", "A", A, other)])
    # Shown: 2 and 1; looked at: 2 and 0.
    assert known.theta["parameter"] == (2 + 1) / (3 + 2)
    assert known.mean_theta == (2 + 1) / (2 * len(A) - 1 + 2)
    assert (known.n_people, known.n_files, known.n_readings) == (2, 1, 2)


def test_a_file_counts_its_texts_once_however_many_read_it():
    known = learn([seen(f"P{i}", "A", A, np.ones(len(A))) for i in range(5)])
    assert known.frequency["x"] == 2
    both = learn([seen("P1", "A", A, np.ones(len(A))), seen("P1", "B", B, np.ones(len(B)))])
    assert (both.frequency["int"], both.frequency["g"], both.n_tokens) == (3, 1, len(A) + len(B))


def test_of_nothing_nothing_is_learnt():
    known = learn([])
    assert (dict(known.theta), dict(known.frequency), known.mean_theta) == ({}, {}, 0.5)
    with pytest.raises(TypeError):
        known.theta["loop"] = 1.0


@given(
    st.lists(st.lists(st.sampled_from([0.0, 250.0, np.nan]), min_size=11, max_size=11), max_size=5)
)
def test_theta_equals_counting_one_by_one(values):
    tokens = gc.parse("int f(int x) { return x; }", "java")
    known = learn(
        seen(f"P{i}", "A", tokens, v + [0.0] * (len(tokens) - 11)) for i, v in enumerate(values)
    )
    for label in set(tokens.label) if values else ():
        shown = [
            v
            for value in values
            for v, t in zip(value + [0.0] * (len(tokens) - 11), tokens.label, strict=True)
            if t == label and not np.isnan(v)
        ]
        expected = (sum(v > 0 for v in shown) + 1) / (len(shown) + 2)
        if shown:
            assert known.theta[label] == expected
        else:
            assert label not in known.theta


def test_values_that_mean_nothing_are_refused():
    with pytest.raises(DataError, match="P1 on A: 2 values; expected one for each of"):
        seen("P1", "A", A, [1, 2])
    with pytest.raises(DataError, match="take the size of scores that have a sign"):
        seen("P1", "A", A, [-1.0] + [0.0] * (len(A) - 1))
    few = Transitions(size=2, origin=[0], target=[1], count=[1.0])
    with pytest.raises(DataError, match="transitions of 2 tokens"):
        seen("P1", "A", A, np.ones(len(A)), transitions=few)


def test_readings_of_one_person_are_added_up():
    unseen = [np.nan] * len(B)
    step = Transitions(size=len(B), origin=[0], target=[1], count=[2.0])
    more = Transitions(size=len(B), origin=[0, 1], target=[1, 0], count=[1.0, 1.0])
    parts = [
        seen("P1", "B", B, [np.nan] + [1.0] * (len(B) - 1), transitions=step),
        seen("P1", "B", B, [2.0] + [1.0] * (len(B) - 1), transitions=more),
        seen("P1", "B", B, unseen),
    ]
    (one,) = merged(parts)
    assert one.value.tolist() == [2.0] * len(B)
    assert one.transitions.count.tolist() == [3.0, 1.0]
    (none,) = merged([parts[2], parts[2]])
    assert np.isnan(none.value).all()


def test_one_name_for_two_texts_is_refused():
    with pytest.raises(DataError, match="B: two readings of it have other tokens"):
        merged([seen("P1", "B", B, np.ones(len(B))), seen("P2", "B", A, np.ones(len(A)))])


def crossed(people, sources, *, group=None):
    own = {s: gc.parse(f"int {s}(int x) {{ return x; }}", "java") for s in sources}
    return merged(
        seen(p, s, own[s], np.ones(len(own[s])), group=(group or {}).get(s, ""))
        for p in people
        for s in sources
    )


def test_who_did_not_read_a_file_teaches_it():
    readings = [r for r in crossed("abcdef", "UVW") if not (r.person in "ab" and r.source == "U")
                and not (r.person in "cd" and r.source == "V")
                and not (r.person in "ef" and r.source == "W")]  # fmt: skip
    planned = plan(readings, "both", 0)
    assert len(planned.scored) == len(readings) == 12
    assert "who did not read this one" in planned.rule
    assert {(k.n_people, k.n_files, k.n_readings) for k in planned.known.values()} == {(2, 2, 4)}


def test_where_everybody_read_everything_one_half_teaches_and_the_other_is_scored():
    readings = crossed("abcdefg", "UVW")
    planned = plan(readings, "both", 0)
    scored = {r.person for r in planned.scored}
    assert (len(scored), planned.n_teachers_only) == (4, 9)
    assert "one half of the people" in planned.rule
    assert {(k.n_people, k.n_files) for k in planned.known.values()} == {(3, 2)}
    others = {frozenset(r.person for r in plan(readings, "both", seed).scored) for seed in range(9)}
    assert len(others) > 1
    again = plan(readings[::-1], "both", 0)
    assert {r.person for r in again.scored} == scored


def test_people_alone_may_teach_the_file_itself_and_files_alone_those_who_read_it():
    readings = crossed("abcd", "UV")
    people = plan(readings, "people", 0)
    assert {(k.n_people, k.n_files) for k in people.known.values()} == {(2, 2)}
    files = plan(readings, "files", 0)
    assert len(files.scored) == 8
    assert {(k.n_people, k.n_files) for k in files.known.values()} == {(4, 1)}


def test_near_duplicates_are_held_out_together():
    readings = crossed("abcd", "UVW", group={"U": "one", "V": "one"})
    known = plan(readings, "files", 0).known
    assert (known["U"].n_files, known["W"].n_files) == (1, 2)


@pytest.mark.parametrize("hold_out", ["both", "files"])
def test_one_text_under_two_names_teaches_nothing_of_itself(hold_out):
    """Whatever white space it has, and through a chain of groups."""
    same = gc.parse("int  f(int x)\n{ return x; }", "java")
    other = gc.parse("int h() { return 2; }", "java")
    texts = {"one.java": A, "two.java": same, "three.java": B, "four.java": other}
    group = {"two.java": "pair", "three.java": "pair"}
    readings = [
        seen(person, source, tokens, np.ones(len(tokens)), group=group.get(source, ""))
        for person in "abcdef"
        for source, tokens in texts.items()
    ]
    known = plan(readings, hold_out, 0).known
    for name in ("one.java", "two.java", "three.java"):
        assert known[name].n_files == 1
        assert set(known[name].frequency) == set(other.texts)
    assert known["four.java"].n_files == 3
    model = plan_for_model(texts, readings[:1])
    assert set(model.known["one.java"].frequency) == set(B.texts) | set(other.texts)


def test_who_stands_alone_learns_nothing_and_leaks_nothing():
    for hold_out in ("both", "files"):
        planned = plan(crossed("a", "U"), hold_out, 0)
        assert planned.known["U"] == Known()
        assert len(planned.scored) == 1


def test_what_cannot_be_planned_is_told():
    with pytest.raises(ParameterError, match="no 'none' in ways to hold out"):
        plan(crossed("a", "U"), "none", 0)
    with pytest.raises(DataError, match="no readings"):
        plan([], "both", 0)

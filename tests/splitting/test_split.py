"""Splits keep together what belongs together, and a planted leak is found."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.splitting import find_leaks, split

BOTH = {"train": 0.6, "test": 0.4}


@pytest.mark.parametrize("by", ["source", "participant", "both"])
@pytest.mark.parametrize("seed", range(3))
def test_a_split_has_no_leak(many, by, seed):
    parts = split(many, by, fractions=BOTH, seed=seed)
    assert find_leaks(parts, by) == []
    assert all(parts.values())
    kept = sum(map(len, parts.values()))
    assert kept == len(many) if by != "both" else 0 < kept < len(many)


def test_shares_are_met(many):
    parts = split(many)
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 72, "valid": 9, "test": 9}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.randoms())
def test_the_order_does_not_matter(many, random):
    shuffled = list(many)
    random.shuffle(shuffled)

    def ids(parts):
        return {name: {e.example_id for e in rows} for name, rows in parts.items()}

    assert ids(split(many, seed=4)) == ids(split(shuffled, seed=4))


def test_seeds_differ(many):
    tests = [{e.example_id for e in split(many, seed=s)["test"]} for s in range(4)]
    assert any(a != tests[0] for a in tests[1:])


def test_a_prior_s_source_is_never_tested_on(many):
    known = many[0].source_sha256
    fitted = [replace(e, prior_sources=(known,)) for e in many]
    for seed in range(5):
        parts = split(fitted, seed=seed)
        assert known in {e.source_sha256 for e in parts["train"]}
        assert find_leaks(parts, "source") == []


def plant_a_copy(parts, make_example):
    stolen = parts["test"][0]
    code = stolen.text.replace("{", "{ // nothing new\n")
    return make_example(code, participant="P9")


def plant_the_same(parts, make_example):
    return parts["test"][0]


def plant_a_group(parts, make_example):
    parts["test"][0] = replace(parts["test"][0], source_group="g")
    return make_example("class Unlike { void any() { other(); } }", group="g")


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (plant_a_copy, "near duplicate"),
        (plant_the_same, "source"),
        (plant_a_group, "source"),
    ],
)
def test_a_planted_leak_is_found(many, make_example, plant, kind):
    parts = split(many, fractions=BOTH)
    parts["train"].append(plant(parts, make_example))
    leaks = find_leaks(parts, "source")
    assert kind in {leak.kind for leak in leaks}
    assert all(leak.parts == ("train", "test") for leak in leaks)


def test_a_planted_prior_is_found(many):
    parts = split(many, fractions=BOTH)
    tested = parts["test"][0].source_sha256
    parts["train"][0] = replace(parts["train"][0], prior_sources=(tested,))
    (leak,) = find_leaks(parts, "source")
    assert (leak.kind, leak.name, leak.parts) == ("prior source", tested, ("test",))
    assert find_leaks(parts, "source", test=()) == []


def test_a_person_in_two_parts_is_found(many):
    parts = split(many, fractions=BOTH)
    assert {leak.kind for leak in find_leaks(parts)} == {"participant"}
    assert str(find_leaks(parts)[0]).startswith("participant P1 is in train and test (")


def test_pooled_examples_cannot_hold_people_out(many, make_example):
    with pytest.raises(DataError, match="belong to no single participant"):
        split([*many, make_example("int x;")], "participant")


@pytest.mark.parametrize("fractions", [{}, {"a": 0.5}, {"a": 1.5, "b": -0.5}])
def test_shares_must_sum_to_one(many, fractions):
    with pytest.raises(ParameterError, match="expected positive shares"):
        split(many, fractions=fractions)


def test_too_few_groups(many):
    with pytest.raises(DataError, match="1 independent groups for 3 parts"):
        split(many[:3])


def test_unknown_by(many):
    with pytest.raises(ParameterError, match="choose from: both, participant, source"):
        split(many, "file")
    with pytest.raises(ParameterError):
        find_leaks({}, "file")


def test_nothing_to_split():
    assert split([]) == {"train": [], "valid": [], "test": []}


def test_the_text_decides_whatever_the_columns_say(many, make_example):
    """Two rows that claim to be strangers and are copies stay together."""
    a = many[0]
    twin = replace(
        make_example(a.text + "\n", participant="P5"),
        source_group="stranger",
        source_sha256=hashlib.sha256(b"lie").hexdigest(),
    )
    for seed in range(5):
        parts = split([*many, twin], seed=seed)
        where = [n for n, rows in parts.items() for e in rows if e is twin or e is a]
        assert where[0] == where[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda code: code.replace("{", "{\r\n"),
        lambda code: code.replace(" ", "   "),
        lambda code: code + " // as it was",
    ],
)
def test_a_prior_s_source_with_other_blanks_is_found_and_trained_on(many, make_example, change):
    """The prior knows the tokens of its source, whatever its bytes were."""
    known = make_example(change(many[0].text))
    assert known.source_sha256 != many[0].source_sha256
    fitted = [replace(e, prior_sources=(known.source_sha256, known.source_group)) for e in many]
    for seed in range(3):
        parts = split(fitted, seed=seed)
        assert many[0].source_group in {e.source_group for e in parts["train"]}
        assert find_leaks(parts, "source") == []
    (leak,) = find_leaks({"train": [], "test": fitted}, "source")
    assert (leak.kind, leak.name, leak.n_examples) == ("prior source", known.source_group, 3)


@pytest.mark.parametrize("share", [float("nan"), float("inf"), "half", None, True])
def test_shares_are_numbers(many, share):
    with pytest.raises(ParameterError, match="expected positive shares"):
        split(many, fractions={"train": share, "test": 0.5})


@pytest.mark.parametrize(("plural", "by"), [("sources", "source"), ("participants", "participant")])
def test_plurals_say_the_same(many, plural, by):
    parts = split(many, plural, fractions=BOTH)
    assert parts == split(many, by, fractions=BOTH)
    assert find_leaks(parts, plural) == []


def test_what_is_no_example_is_one_line():
    for wrong in ([1], 1):
        with pytest.raises(DataError, match="found 1"):
            split(wrong)
        with pytest.raises(DataError, match="found 1"):
            find_leaks({"train": wrong})

"""Laws of merging, what a table says, and what a file must not say."""

import re

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, GazecodeWarning, ParameterError
from gazecode.model import LABELS, N_LABELS, LabelPriors, NgramTable
from gazecode.priors import Priors, participant_id

LOOP, VARIABLE, RETURN = "loop", "variable", "return"


def same(a, b):
    assert np.array_equal(a.cells.sums, b.cells.sums)
    assert np.array_equal(a.cells.ngrams, b.cells.ngrams)
    assert np.array_equal(a.cells.tally, b.cells.tally)
    assert np.array_equal(a.theta_null, b.theta_null, equal_nan=True)
    assert (a.sources, a.n_people, a.participants) == (b.sources, b.n_people, b.participants)
    assert (a.vocabulary, a.name) == (b.vocabulary, b.name)
    assert a.details["counts"] == b.details["counts"]
    assert a.details["parts"] == b.details["parts"]


@settings(max_examples=30)
@given(data=st.data())
def test_merging_is_commutative_and_associative(random_readings, data):
    a, b, c = (Priors.fit(data.draw(random_readings), name=name) for name in "abc")
    try:
        Priors.merge([a, b, c])
        Priors.merge([Priors.merge([b, c]), a]), Priors.merge([Priors.merge([a, b]), c])
    except ParameterError:
        # Cells drawn alike are the same gaze, as far as a merge can see.
        reject()
    same(Priors.merge([a, b]), Priors.merge([b, a]))
    ab_c, a_bc = Priors.merge([Priors.merge([a, b]), c]), Priors.merge([a, Priors.merge([b, c])])
    same(ab_c, a_bc)
    same(ab_c, Priors.merge([c, a, b]))


def test_merging_sorts_what_meets_sorted_tables_and_says_so(make, tmp_path):
    pri = Priors.fit([make.reading([LOOP, VARIABLE], [1, 0, 1])], name="mine")
    with pytest.warns(GazecodeWarning, match="2 sequences repeat a label|1 sequences repeat"):
        pri.save(tmp_path / "published", layout="published")
    release = Priors.load(tmp_path / "published")
    assert (release.is_sorted, pri.is_sorted) == (True, False)
    with pytest.warns(GazecodeWarning, match="sequences of mine were sorted"):
        both = Priors.merge([pri, release])
    assert both.frequency((VARIABLE, LOOP)) == both.frequency((LOOP, VARIABLE)) == 4
    assert any("sorted" in note for note in both.details["notes"])
    with pytest.warns(GazecodeWarning, match="repeats a label"):
        assert both.frequency((LOOP, LOOP)) == 0
    with pytest.raises(DataError, match="pairs were sorted"):
        both.transitions()


def test_merging_nothing_and_the_same_twice(make):
    with pytest.raises(ParameterError, match="no priors to merge"):
        Priors.merge([])
    pri = Priors.fit([make.reading([LOOP], [0], participant="P1")])
    with pytest.raises(
        ParameterError, match=r"fitted \(part 1\) and fitted \(part 2\) hold the same"
    ):
        Priors.merge([pri, pri])
    again = Priors.fit([make.reading([LOOP], [0, 0], participant="P1")])
    both = Priors.merge([pri, again])
    assert any("in more than one part" in n for n in both.details["notes"])
    more = Priors.merge([pri, Priors.fit([make.reading([LOOP], [0], participant="P2")])])
    with pytest.raises(ParameterError, match="would count twice; give it once"):
        Priors.merge([again, more, pri])


def test_merging_what_nobody_s_name_is_known_of_twice(make):
    unknown = Priors.fit([make.reading([LOOP], [0])])
    with pytest.raises(ParameterError, match="would count twice"):
        Priors.merge([unknown, unknown])
    nothing = Priors.fit([make.reading([LOOP], [], participant="P1")])
    assert Priors.merge([nothing, nothing]).hit.sum() == 0


@pytest.mark.parametrize("wrong", [[1], ["a.json"], [None]])
def test_merging_what_is_no_priors(wrong):
    with pytest.raises(ParameterError, match="to merge; expected a list of Priors") as error:
        Priors.merge(wrong)
    assert "\n" not in str(error.value)


def test_merging_priors_that_are_not_in_a_list(make):
    with pytest.raises(ParameterError, match="expected a list of Priors") as error:
        Priors.merge(Priors.fit([make.reading([LOOP], [0])]))
    assert "\n" not in str(error.value)


def test_a_pooled_file_and_what_it_was_made_of_are_the_same_gaze(make, tmp_path):
    found = [make.reading([LOOP], [0], participant=f"P{i}", source=f"s{i % 2}") for i in range(6)]
    pri = Priors.fit(found)
    pooled = Priors.load(pri.save(tmp_path / "share.json", share=True))
    for pair in ([pooled, pri], [pri, pooled], [pooled, pooled]):
        with pytest.raises(ParameterError, match="would count twice"):
            Priors.merge(pair)
    with pytest.warns(GazecodeWarning, match="pooled priors fitted share 2 sources with another"):
        both = Priors.merge([pooled, Priors.fit(found[:3])])
    assert any("pooled priors" in remark for remark in both.details["remarks"])
    elsewhere = Priors.fit([make.reading([LOOP], [0], participant="Q", source="s9")])
    assert "pooled" not in str(Priors.merge([pooled, elsewhere]).details)


def test_sources_are_known_by_their_tokens_too(make):
    from gazecode.model.groups import source_group
    from gazecode.source import parse

    read = make.reading(["", "", ""], [0])
    one, two = parse("int x;", "java"), parse("int\r\nx; // y", "java")
    a = Priors.fit([(one, read.hits)], participants=["P1"])
    b = Priors.fit([(two, make.reading([""] * 4, [0]).hits)], participants=["P2"])
    both = Priors.merge([a, b])
    assert a.source_groups == b.source_groups == both.source_groups == (source_group(one),)
    assert both.prior_sources == tuple(sorted({*both.sources, source_group(one)}))
    assert both.without("P1").group_of == b.group_of
    assert "known by their bytes alone" not in str(both.details["remarks"])
    by_hand = Priors.fit([read])
    assert "1 sources are known by their bytes alone" in str(by_hand.details["remarks"])


def test_the_vocabulary_of_a_merge_allows_what_its_parts_allowed(make):
    from dataclasses import replace

    a = Priors.fit([make.reading([LOOP, VARIABLE], [0, 1])])
    other = Priors.fit([make.reading([LOOP, VARIABLE], [0, 1, 1])])
    b = replace(other, vocabulary=frozenset({(RETURN, RETURN)}))
    merged = Priors.merge([a, b])
    assert merged.vocabulary == {(LOOP, VARIABLE), (RETURN, RETURN)}


def test_chance_that_equals_theta_gives_no_enrichment(make):
    n = 40
    chance = np.full(n, (10 + 1) / (n + 2))
    pri = Priors.fit([make.reading([LOOP] * n, list(range(10)), chance=chance)])
    code = make.code(LOOP)
    assert pri.theta_null[code] == pytest.approx(pri.theta[code], abs=1e-8)
    assert pri.enrichment[code] == pytest.approx(0, abs=1e-6)
    assert LabelPriors.enrichment.fget(pri)[code] == pytest.approx(pri.enrichment[code])


def test_enrichment_compares_the_trials_whose_chance_is_known(make):
    with_null = make.reading([LOOP] * 4, [0], chance=np.full(4, 0.25))
    without = make.reading([LOOP] * 6, [0, 1, 2, 3, 4, 5])
    alone, both = Priors.fit([with_null]), Priors.fit([with_null, without])
    code = make.code(LOOP)
    assert both.enrichment[code] == alone.enrichment[code]
    assert "chance is known for 4 of 10 trials" in both.details["remarks"]
    assert np.isnan(Priors.fit([without]).enrichment[code])


def test_a_table_never_shows_theta_without_chance(make):
    chance = np.array([0.5] * 30 + [np.nan] * 3)
    labels = [LOOP] * 30 + [RETURN] * 3
    read = [
        make.reading(labels, [0, 31], chance=chance, participant=p, area_px2=np.full(33, 90.0))
        for p in ("P1", "P2")
    ]
    pri = Priors.fit(read)
    frame = pri.to_frame().set_index("label")
    assert list(frame.index) == list(LABELS[1:])
    wanted = {"n", "hit", "theta", "sd_beta", "low", "high", "theta_shrunk", "theta_null"}
    wanted |= {"enrichment", "enrichment_low", "enrichment_high", "characters", "area_px2"}
    assert wanted <= set(frame.columns)
    assert frame.flag[[LOOP, RETURN, "comment"]].tolist() == [
        "",
        "n < 30; chance unknown",
        "no trial",
    ]
    assert frame.loc[LOOP, ["n", "hit", "characters", "area_px2"]].tolist() == [60, 2, 3, 90]
    assert frame.theta[LOOP] == pytest.approx(3 / 62)
    assert frame.theta_null[LOOP] == pytest.approx(0.5)
    assert np.isnan(frame.theta["comment"])
    line = next(line for line in pri.to_text().splitlines() if line.startswith(RETURN))
    assert "unknown" in line
    assert pri.salience(LOOP) == pytest.approx(3 / 62)


def test_no_name_gets_into_a_file(make, tmp_path):
    people = [f"Grace Hopper {i}" for i in range(6)]
    found = [make.reading([LOOP] * 3, [0], participant=p, study="x") for p in people]
    pri = Priors.fit(found, leave_out=people[0])
    pri.save(tmp_path / "priors.json")
    text = (tmp_path / "priors.json").read_text()
    assert "Hopper" not in text
    assert participant_id(people[1], "x") in text
    pri.save(tmp_path / "share.json", share=True)
    shared = (tmp_path / "share.json").read_text()
    assert not re.search("|".join(participant_id(p, "x") for p in people), shared)
    pooled = Priors.load(tmp_path / "share.json")
    assert (pooled.n_people, pooled.participants, pooled.sources) == (5, (), pri.sources)
    low = pri.to_frame().low
    assert pooled.to_frame().low.equals(low)
    assert np.array_equal(pooled.hit, pri.hit)
    with pytest.raises(ParameterError, match="share needs at least 5 people"):
        pri.without(people[1]).save(tmp_path / "few.json", share=True)


def test_people_of_pooled_files_still_count(make, tmp_path):
    found = [make.reading([LOOP], [0], participant=f"P{i}", source=f"s{i % 2}") for i in range(6)]
    pri = Priors.fit(found)
    pri.save(tmp_path / "share.json", share=True)
    pooled = Priors.load(tmp_path / "share.json")
    other = Priors.fit([make.reading([LOOP], [0], participant="Q", source="s1")])
    with pytest.warns(GazecodeWarning, match="share 1 sources with another part"):
        both = Priors.merge([pooled, other])
    assert (both.n_people, both.sources) == (7, ("s0", "s1"))
    only = both.split("participant")
    assert [(p.n_people, p.sources) for p in only.values()] == [(6, ("s0", "s1")), (1, ("s1",))]
    assert np.isnan(both.intervals().low).all()


def test_people_to_leave_out_must_be_there(make):
    pri = Priors.fit([make.reading([LOOP], [0], participant="P1", study="x")])
    with pytest.raises(ParameterError, match="'P2' is not among the 1 people of fitted priors"):
        pri.without("P2")
    with pytest.raises(ParameterError, match="no 'age' in what priors are split by"):
        pri.split("age")


def test_hit_and_shown_cannot_differ_from_the_cells(make):
    from dataclasses import replace

    pri = Priors.fit([make.reading([LOOP], [0])])
    with pytest.raises(DataError, match="not the sums of the cells"):
        replace(pri, shown=pri.shown + 1)


def test_a_sorted_table_answers_for_every_order():
    table = NgramTable(order=3, counts={(LOOP, RETURN, VARIABLE): 5}, is_sorted=True)
    assert table[VARIABLE, LOOP, RETURN] == 5
    assert table.dense().sum() == 6 * 5
    with pytest.warns(GazecodeWarning, match="repeats a label"):
        assert table[LOOP, LOOP, RETURN] == 0
    zeros = np.zeros(N_LABELS)
    empty = LabelPriors(hit=zeros, shown=zeros, theta_null=zeros, ngrams={})
    with pytest.raises(DataError, match="there are no counts of pairs"):
        empty.transitions()

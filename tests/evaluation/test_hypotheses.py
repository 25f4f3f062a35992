"""Readings of three sets as maps, and the tables of programs over them."""

from collections import Counter

import numpy as np
import pytest

from gazecode.agreement.programs import Observed, explain, score_programs, score_transitions
from gazecode.errors import FormatError, ParameterError
from gazecode.evaluation.gaze_sets import SETS, observed_in, observed_of, readings_of
from gazecode.evaluation.hypotheses import (
    explanation,
    hypothesis_tables,
    map_rows,
    move_rows,
    null_row,
)
from gazecode.model import Transitions
from gazecode.source import parse

HANSEN, PEITEK, EMIP = SETS
FEW = {"permutations": 50, "bootstrap": 50}


def test_an_unknown_set_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"no 'busjahn' in sets; choose from: emip-bednarik"):
        observed_of(tmp_path, "busjahn")
    for name in SETS:
        with pytest.raises(FormatError, match=f"holds no {name}; name the folder"):
            observed_of(tmp_path, name)
        (tmp_path / name).mkdir()
        with pytest.raises(FormatError, match="expected the set's folders"):
            observed_of(tmp_path, name)


@pytest.mark.real
def test_eyecode_has_the_trials_and_fixations_of_the_worked_study(shared_data):
    readings, left_out = readings_of(shared_data, HANSEN)
    assert len(readings) == 26
    assert left_out == {"trials: too much gaze is lost": 4}
    assert sum(reading.hits.n_fixations for reading in readings) == 3054
    assert len({reading.person for reading in readings}) == 3
    assert len({reading.source for reading in readings}) == 20
    # Two versions of each of ten programs.
    assert set(Counter(r.group for r in {r.source: r for r in readings}.values()).values()) == {2}
    assert_one_map_each([observed_in(reading) for reading in readings], 26)


@pytest.mark.real
@pytest.mark.slow  # Gaze of 74 trials is shifted 200 times.
def test_corrected_emip_has_every_trial_and_the_raw_ones_if_asked(shared_data):
    readings, left_out = readings_of(shared_data, EMIP)
    assert (len(readings), left_out) == (78, {})
    raw = [reading for reading in readings if not reading.placed]
    assert sum(reading.hits.n_fixations for reading in raw) == 358
    assert {reading.person for reading in raw} == {"46", "134"}
    held = observed_of(shared_data, EMIP)
    assert_one_map_each(held, 74)
    assert Counter(o.source for o in held) == {
        "Rectangle.java": 34,
        "Vehicle.java": 36,
        "rectangle.py": 3,
        "vehicle.py": 1,
    }
    assert len({o.person for o in held}) == 45
    assert {o.group for o in held} == {"rectangle", "vehicle"}
    placed = [reading for reading in readings if reading.placed]
    for one, reading in zip(held, placed, strict=True):
        assert (one.person, one.source) == (reading.person, reading.source)
        np.testing.assert_array_equal(one.value, observed_in(reading).value)
        count = observed_in(reading, scheme="count").value
        np.testing.assert_array_equal(one.value > 0, count > 0)
        np.testing.assert_array_equal(count, np.round(count))
        # Every fixation on a token counts once.
        assert count.sum() == (reading.hits.status == "token").sum()


@pytest.mark.real
@pytest.mark.slow  # Ten programs are searched for on pictures.
def test_peitek_has_the_trials_of_the_worked_study_and_three_more(shared_data):
    readings, left_out = readings_of(shared_data, PEITEK)
    assert left_out == {
        "recordings: no trial passes the gates": 2,
        "trials: scrambled": 15,
        "trials: too much gaze is lost": 5,
    }
    assert len(readings) == 16
    # No measured grid fits Rectangle, and one of CheckIfLettersOnly is missing.
    more = {("24aed847", "CheckIfLettersOnly")} | {
        (p, "Rectangle") for p in ("24aed847", "1f8beed4")
    }
    assert more <= {(r.person, r.source) for r in readings}
    rest = [r for r in readings if (r.person, r.source) not in more]
    assert (len(rest), sum(r.hits.n_fixations for r in rest)) == (13, 1404)
    assert_one_map_each([observed_in(reading) for reading in readings], 16)


def assert_one_map_each(held, n):
    """Every person once per file; the same tokens for all; saccades between them."""
    assert len(held) == n == len({(o.person, o.source) for o in held})
    assert [(o.source, o.person) for o in held] == sorted((o.source, o.person) for o in held)
    code = {}
    for one in held:
        assert code.setdefault(one.source, one.tokens.code) == one.tokens.code
        assert len(one.value) == len(one.tokens)
        assert np.nansum(one.value) > 0
        assert one.transitions.count.sum() > 0


def made_up():
    """Four people on two files; everybody looks at names, twice as long at the first."""
    held = []
    for name, code in (("a", "int total = left + right;"), ("b", "while (index < size) index++;")):
        tokens = parse(code, "java", source_id=name)
        names = np.flatnonzero(tokens.kind == "identifier")
        for i, person in enumerate(("P1", "P2", "P3", "P4")):
            value = np.zeros(len(tokens))
            value[names] = 200.0 + 10 * i
            value[names[0]] *= 2
            steps = {"origin": names[:-1], "target": names[1:], "count": [1.0] * (len(names) - 1)}
            seen = Transitions(size=len(tokens), **steps)
            held.append(
                Observed(person=person, source=name, tokens=tokens, value=value, transitions=seen)
            )
    return held


def test_every_row_has_its_chance_and_ceiling_and_uniform_has_no_spearman():
    scores = score_programs(
        made_up(), metrics=("spearman", "partial_spearman", "iou"), hold_out="files", **FEW
    )
    rows = map_rows(scores)
    by_name = {row["program"]: row for row in rows}
    assert len(by_name) == len(rows) == len(scores)
    for row in rows:
        for name in ("ceiling", "iou ceiling", "iou chance", "iou 95 %", "people", "files"):
            assert row[name] is not None
        assert np.isnan(row["spearman"]) == np.isnan(row["chance"]) == (row["files"] == 0)
        assert (row["rank"] is None) == (row["undefined"] > 0)
    uniform = by_name["uniform"]
    assert np.isnan(uniform["spearman"])
    assert (uniform["undefined"], uniform["people"], uniform["rank"]) == (8, 0, None)
    assert uniform["iou"] == pytest.approx(uniform["iou chance"])
    ranks = [row["rank"] for row in rows if row["rank"]]
    assert ranks == list(range(1, len(ranks) + 1))
    figures = [row["spearman"] for row in rows if row["rank"]]
    assert figures == sorted(figures, reverse=True)
    assert by_name["identifiers_only"]["rank"] <= 3
    assert rows[0]["ceiling"] == pytest.approx(1.0)


def test_saccades_are_ranked_beside_chance_and_ceiling():
    rows = move_rows(score_transitions(made_up(), hold_out="files", **FEW))
    best = rows[0]
    assert (best["rank"], best["program"], best["ceiling"]) == (1, "next_identifier", 1.0)
    for row in rows:
        assert row["chance"] >= 0
        assert row["chance 95 %"]
        assert (row["people"], row["files"], row["undefined"]) == (4, 2, 0)


def test_a_model_stands_beside_people():
    held = made_up()
    people = score_programs(held, metrics=["spearman"], hold_out="files", **FEW)
    tokens = {reading.source: reading.tokens for reading in held}
    maps = {name: np.arange(len(file), 0, -1.0) for name, file in tokens.items()}
    model = explain(maps, tokens, metrics=["spearman"], **FEW)
    table = explanation({"people": people, "early": model})
    rows = {row["program"]: row for row in table.rows}
    assert rows["earlier"]["early"] == pytest.approx(1.0)
    assert rows["earlier"]["rank, early"] == 1
    assert np.isnan(rows["earlier"]["ceiling, early"])
    assert rows["identifiers_only"]["people"] > rows["earlier"]["people"]
    assert "ceiling" not in rows


def test_a_folder_without_the_sets_is_refused(tmp_path):
    with pytest.raises(FormatError, match=f"holds none of {HANSEN}"):
        next(hypothesis_tables(tmp_path))


@pytest.mark.real
def test_gaze_shifted_at_random_is_beside_every_reading(shared_data):
    readings = [reading for reading in readings_of(shared_data, HANSEN)[0] if reading.placed]
    row = null_row(readings)
    assert (row["files"], row["readings"]) == (20, 26)
    # Gaze that saw no token explains these maps about as well as the length of tokens does.
    assert row["people, shifted"] == pytest.approx(row["people, token_length"], abs=0.06)
    assert row["token_length, shifted"] > 0.6
    assert null_row(readings) == row


@pytest.mark.real
@pytest.mark.slow
def test_the_tables_of_the_docs(shared_data):
    """Half a minute: every program on every set, as `gazecode evaluate` prints it."""
    tables = {table.title: table for table in hypothesis_tables(shared_data, **FEW)}
    assert len(tables) == 9
    for name, n_files, n_people in ((HANSEN, 20, 3), (PEITEK, 10, 3), (EMIP, 4, 45)):
        maps = {r["program"]: r for r in tables[f"Programs on {name}: time on each token"].rows}
        moves = {
            r["program"]: r
            for r in tables[f"Programs on {name}: saccades from token to token"].rows
        }
        assert len(maps) > 40
        assert len(moves) > 20
        length = maps["token_length"]
        assert (length["files"], length["people"], length["undefined"]) == (n_files, n_people, 0)
        assert length["rank"] <= 5
        assert length["above chance"] > 0.3
        assert maps["uniform"]["files"] == 0
        assert maps["uniform"]["iou above chance"] == pytest.approx(0.0, abs=1e-9)
        assert moves["nearby"]["above chance"] > 0.02
        assert abs(moves["first_token"]["above chance"]) < 0.01
    whole = {r["program"]: r for r in tables["What explains whom: Spearman by set"].rows}
    assert {whole["token_length"][f"rank, {name}"] for name in SETS} <= {1, 2, 3, 4, 5}

from dataclasses import replace

import numpy as np
import pytest

from gazecode.model import Hits
from gazecode.report.reading import read_out, top_tokens


def test_dwell_and_the_rest_are_the_time_fixated(trial):
    reading = read_out(trial)
    hits = trial.hits
    on_none = hits.duration_ms[hits.status != "token"].sum()
    assert reading.dwell_ms.sum() + on_none == pytest.approx(reading.total_ms)


def test_shares_divide_a_fixation(make):
    trial = make.trial("ab cd ef", n=2)
    hits = Hits(
        fixation=[0, 0, 1],
        token=[0, 1, 1],
        share=[0.25, 0.5, 1.0],
        onset_ms=trial.hits.onset_ms,
        duration_ms=[200.0, 100.0],
        status=["token", "token"],
        exposure_ms=trial.hits.exposure_ms,
    )
    trial = replace(trial, hits=hits)
    reading = read_out(trial)
    assert reading.dwell_ms.tolist() == [50, 200, 0]
    assert reading.n_fixations.tolist() == [1, 2, 0]
    assert reading.fixation_titles[0].startswith("1 · on cd, ab · 200 ms")


def test_top_tokens_are_sorted_and_none_is_empty(trial):
    reading = read_out(trial)
    rows = top_tokens(trial, reading, n=1000)
    weights = [float(r.weight) for r in rows]
    assert weights == sorted(weights, reverse=True)
    assert len(rows) == int(np.sum(trial.weights.value > 0))
    assert len(top_tokens(trial, reading)) == 10
    shares = sum(float(r.share.removesuffix(" %")) for r in rows)
    on = trial.hits.duration_ms[trial.hits.status == "token"].sum() / reading.total_ms
    assert shares == pytest.approx(100 * on, abs=0.05 * len(rows) + 0.1)


def test_never_shown_is_said(trial):
    exposed = np.ones(len(trial.tokens), bool)
    exposed[3] = False
    hidden = replace(trial, weights=replace(trial.weights, exposed=exposed))
    titles = read_out(hidden).titles
    assert "never on the screen" in titles[3]
    assert "never on the screen" not in titles[4]


def test_weight_other_than_dwell_is_named(trial):
    weights = replace(trial.weights, value=trial.weights.value * 0.01, unit="fixations")
    titles = read_out(replace(trial, weights=weights)).titles
    i = int(np.argmax(weights.value))
    assert f"weight {weights.value[i]:.2f} fixations" in titles[i]


def test_label_that_repeats_the_text_is_left_out(make):
    trial = make.trial("ab ;", n=2)
    kind = np.array(["identifier", ";"], dtype=object)
    trial = replace(trial, tokens=replace(trial.tokens, kind=kind, label=["", ""]))
    titles = read_out(trial).titles
    assert titles[0].startswith("ab · identifier · line 1")
    assert titles[1].startswith("; · line 1")

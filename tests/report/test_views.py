from dataclasses import replace

import numpy as np
import pytest

from gazecode.errors import DataError
from gazecode.report import Histogram, RecordingView, SaccadeView, SubwordView


def error_of(build) -> str:
    with pytest.raises(DataError) as caught:
        build()
    return str(caught.value)


def test_fixations_are_counted_once():
    def build():
        RecordingView(participant="P", file="a.csv", n_fixations=2, n_status={"token": 3})

    assert error_of(build) == (
        "a.csv: 3 fixations have a status and there are 2; "
        "expected at most as many, count each fixation once"
    )


def test_status_is_known():
    def build():
        RecordingView(participant="P", file="a.csv", n_fixations=2, n_status={"on": 1})

    assert error_of(build) == (
        "a.csv: unknown status ['on']; expected some of ('token', 'between', 'off', 'lost')"
    )


def test_parts_of_a_trial_belong_together(trial, make):
    other = make.trial("x", n=60)
    assert error_of(lambda: replace(trial, weights=other.weights)) == (
        "trial 'Vehicle': the weights know 1 tokens and the source has 84; "
        "make them from the same tokens"
    )
    assert error_of(lambda: replace(trial, fixations=trial.fixations[:5])) == (
        "trial 'Vehicle': 60 fixations were mapped and 5 are given; "
        "pass the events that were mapped"
    )


def test_histogram_has_edges_around_its_counts():
    assert error_of(lambda: Histogram(edges=[1.0, 2.0], counts=[1, 2])) == (
        "a histogram has 2 edges and 2 counts; expected one edge more than counts"
    )


def test_saccades_need_a_measure():
    assert error_of(lambda: SaccadeView(amplitude_deg=[1.0])) == (
        "saccades have neither duration nor peak velocity; give one of them"
    )


@pytest.mark.parametrize("span", [[[0, 2], [1, 3]], [[2, 3], [0, 1]], [[0, 9]]])
def test_subwords_own_disjoint_bytes(span):
    n = len(span)

    def build():
        SubwordView(text=b"abc", span=span, weight=np.ones(n), loss_mask=np.ones(n, bool))

    assert error_of(build).startswith("subword spans overlap, run backward or leave the text")

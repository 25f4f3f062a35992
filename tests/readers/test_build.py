"""From a reader's columns to samples that keep every rule."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.readers.tools.build import samples_of_eyes

STAMPS = st.lists(
    st.one_of(st.integers(-50, 50).map(float), st.just(np.nan), st.just(np.inf)), max_size=40
)


@given(STAMPS)
def test_every_row_is_kept_or_counted(stamps):
    counts = Counter()
    xy = np.arange(2.0 * len(stamps)).reshape(-1, 2)
    got = samples_of_eyes(stamps, {"left": xy}, {"left": xy[:, 0]}, counts=counts)["left"]
    # The first row with each finite stamp, in order of time: an independent route.
    first = {t: i for i, t in reversed(list(enumerate(stamps))) if np.isfinite(t)}
    rows = [first[t] for t in sorted(first)]
    assert got.t_ms.tolist() == sorted(first)
    assert got.xy_px[:, 0].tolist() == xy[rows, 0].tolist()
    assert got.pupil.tolist() == xy[rows, 0].tolist()
    assert len(got) + counts["no_time"] + counts["duplicate_time"] == len(stamps)


def test_eyes_share_one_clock():
    eyes = samples_of_eyes(
        [1, 0, 0], {"left": [[1, 1]] * 3, "right": [[2, 2]] * 3}, counts=Counter()
    )
    assert eyes["left"].t_ms.tolist() == eyes["right"].t_ms.tolist() == [0.0, 1.0]


def test_half_lost_and_infinite_are_lost():
    counts = Counter()
    xy = [[1, 2], [np.nan, 2], [3, np.inf], [np.nan, np.nan]]
    got = samples_of_eyes([0, 1, 2, 3], {"left": xy}, counts=counts)["left"]
    assert got.lost.tolist() == [False, True, True, True]
    assert counts == {"half_lost": 2}


def test_clean_columns_count_nothing():
    counts = Counter()
    samples_of_eyes([0, 1], {"both": [[1, 2], [3, 4]]}, counts=counts)
    assert counts == {}

"""How blocks and messages become trials: one test per rule."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.readers.eyelink.asc_trials import Stretch, cut_trials

ONE = [Stretch(0.0, 100.0)]
TWO = [Stretch(0.0, 100.0), Stretch(500.0, 600.0)]


def rows(stretches, messages):
    return [(t.name, t.onset_ms, t.offset_ms) for t in cut_trials(stretches, messages)]


def test_without_messages_blocks_are_numbered():
    assert rows(TWO, []) == [("block 1", 0.0, 100.0), ("block 2", 500.0, 600.0)]


def test_the_last_message_before_a_block_names_it():
    found = rows(TWO, [(-9.0, "TRIALID a"), (-5.0, "TRIALID b"), (300.0, "TRIALID c")])
    assert found == [("b", 0.0, 100.0), ("c", 500.0, 600.0)]


def test_a_single_message_inside_names_the_whole_block():
    assert rows(TWO, [(3.0, "start_trial 0"), (504.0, "start_trial 1")]) == [
        ("0", 0.0, 100.0),
        ("1", 500.0, 600.0),
    ]


def test_trialid_wins_over_start_trial():
    assert rows(ONE, [(3.0, "start_trial 0"), (3.0, "TRIALID I902C_low")])[0][0] == "I902C_low"


def test_several_messages_inside_cut_the_block():
    messages = [(10.0, "TRIALID a"), (40.0, "TRIAL_RESULT 0"), (50.0, "TRIALID b")]
    assert rows(ONE, messages) == [("a", 10.0, 40.0), ("b", 50.0, 100.0)]


def test_a_message_before_and_one_inside_share_the_block():
    assert rows(ONE, [(-1.0, "TRIALID a"), (60.0, "TRIALID b")]) == [
        ("a", 0.0, 60.0),
        ("b", 60.0, 100.0),
    ]


def test_a_block_without_message_continues_the_last_trial():
    assert rows(TWO, [(-1.0, "TRIALID a")]) == [("a", 0.0, 100.0), ("a (2)", 500.0, 600.0)]


def test_words_that_only_begin_alike_are_no_trials():
    assert rows(ONE, [(-1.0, "TRIALIDX 5"), (-1.0, "start_trials 4")]) == [("block 1", 0.0, 100.0)]


def test_the_image_is_the_stimulus():
    messages = [
        (-5.0, "TRIALID a"),
        (-3.0, "!V IMGLOAD FILL Images/old.png"),
        (2.0, "-16 !V IMGLOAD CENTER images\\Vehicle one.png 960 540"),
        (490.0, "TRIALID b"),
    ]
    assert [t.stimulus for t in cut_trials(TWO, messages)] == ["Vehicle one.png", None]


NAMES = st.sampled_from(["TRIALID 1", "TRIALID 2", "TRIAL_RESULT 0", "SYNCTIME", "start_trial 3"])


@given(
    st.lists(st.tuples(st.integers(-50, 700).map(float), NAMES), max_size=12),
    st.lists(st.integers(1, 60), min_size=2, max_size=8),
)
def test_trials_are_disjoint_named_once_and_inside_blocks(messages, steps):
    edges = np.cumsum(steps).astype(float)
    blocks = [Stretch(a, b) for a, b in zip(edges[:-1:2], edges[1::2], strict=False)]
    trials = cut_trials(blocks, messages)
    assert len({t.name for t in trials}) == len(trials)
    assert all(a.offset_ms <= b.onset_ms for a, b in pairwise(trials))
    assert all(any(b[0] <= t.onset_ms < t.offset_ms <= b[1] for b in blocks) for t in trials)
    # No block vanishes.
    assert all(any(b[0] <= t.onset_ms < b[1] for t in trials) for b in blocks)

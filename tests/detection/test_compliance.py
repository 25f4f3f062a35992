"""Every detector in the table keeps the rules of `check_detector`, and the check can fail."""

from dataclasses import replace

import numpy as np
import pytest

from gazecode.detection import DETECTORS, detect_ivt
from gazecode.model import Events
from gazecode.testing import check_detector

RATES_HZ = {"blink_loss": (), "blink_pupil": ()}
"""Where the scene is asked for, if not at the rates of the check; blinks are no fixations."""


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_detector(name):
    counts = check_detector(DETECTORS[name], rates_hz=RATES_HZ.get(name, (120, 250, 500, 1000)))
    print(name, counts)


def broken(change):
    def detect(samples, *, screen=None, px_per_deg=40.0, breaks_ms=()):
        events = detect_ivt(samples, screen=screen, px_per_deg=px_per_deg, breaks_ms=breaks_ms)
        return change(events, samples) if len(events) else events

    return detect


def closed(events, samples):
    return replace(
        events, offset_ms=np.maximum(samples.t_ms[events.last - 1], events.onset_ms + 0.1)
    )


def late(events, samples):
    return replace(events, first=np.minimum(events.first + 1, events.last - 1))


def overlapping(events, samples):
    last = np.minimum(events.last + 1, len(samples))
    return replace(events, last=last)


def without_samples(events, samples):
    return replace(events, first=None, last=None)


def by_time(events, samples):
    return events[events.onset_ms < 60000]


def by_place(events, samples):
    return events[events.xy_px[:, 0] > 960]


def elsewhere(events, samples):
    return replace(events, xy_px=events.xy_px + 1)


def half(events, samples):
    return events[::3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (closed, "an offset is not when its last sample stops holding"),
        (late, "an onset is not its first sample's time"),
        (overlapping, "events overlap or are not in order"),
        (without_samples, "events do not say their samples"),
        (by_time, "the same gaze later gives other events"),
        (by_place, "the same gaze away gives other events"),
        (elsewhere, "a fixation's place is not the mean of its samples"),
        (half, "fixations were found in a scene of 100"),
    ],
)
def test_the_check_finds(change, message):
    with pytest.raises(AssertionError, match=message):
        check_detector(broken(change), rates_hz=[250])


def test_the_check_finds_chance():
    rng = np.random.default_rng(1)
    change = broken(lambda events, _: events[rng.random(len(events)) < 0.9])
    with pytest.raises(AssertionError, match="twice is not the same"):
        check_detector(change, rates_hz=[])


@pytest.mark.parametrize(
    ("forget", "message"),
    [("breaks", "an event crosses a break|an offset"), ("gaps", "an event crosses a gap")],
)
def test_the_check_finds_what_crosses(forget, message):
    def detect(samples, *, screen=None, px_per_deg=40.0, breaks_ms=()):
        if forget == "breaks":
            return detect_ivt(replace(samples, breaks_ms=[]), screen=screen)
        return detect_ivt(samples, screen=screen, breaks_ms=breaks_ms, min_gap_ms=1e9)

    with pytest.raises(AssertionError, match=message):
        check_detector(detect, rates_hz=[])


def test_the_check_finds_a_fixation_made_of_nothing():
    def detect(samples, *, screen=None, px_per_deg=40.0, breaks_ms=()):
        n = len(samples)
        if not n:
            return Events.empty()
        return Events(
            kind=["fixation"], onset_ms=[0.0], offset_ms=[9.0], xy_px=[[0, 0]], first=[0], last=[n]
        )

    with pytest.raises(AssertionError, match="all samples lost: 1 events were found"):
        check_detector(detect)


def test_options_reach_the_detector():
    with pytest.raises(AssertionError, match="fixations were found in a scene of 100"):
        check_detector(detect_ivt, options={"min_duration_ms": 300.0}, rates_hz=[250])

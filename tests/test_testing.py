"""The public reader check can fail, and the strategies make what they promise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gazecode import readers
from gazecode.model import Events, Message, Recording, Samples, Trial
from gazecode.readers import READERS, Reader
from gazecode.registry import Registry
from gazecode.testing import check_reader, events, recordings, samples, screens

MARK = b"GAZE1"


def made(source, **changes):
    # A reader of a small real format: a mark, then one stamp per line.
    raw = source.read_bytes()
    if not raw.startswith(MARK):
        raise ValueError("no mark")
    t = [float(line) for line in raw.split(b"\n")[1:] if line]
    values = {"t_ms": t, "xy_px": np.ones((len(t), 2)), "eye": "left"}
    return Recording(samples={"left": Samples(**values | changes.pop("samples", {}))}, **changes)


def reader_of(read=made, sniff=lambda source: source.head.startswith(MARK)):
    return Reader(name="gaze1", title="a test format", sniff=sniff, read=read)


@pytest.fixture
def check(monkeypatch, tmp_path):
    file = tmp_path / "P01.gz1"
    file.write_bytes(MARK + b"\n0\n4\n8\n")

    def check(reader):
        table = Registry("readers", {"gaze1": reader, "table": READERS["table"]})
        monkeypatch.setattr(readers, "READERS", table)
        return check_reader(reader, file)

    return check


def test_a_good_reader_passes(check):
    assert len(check(reader_of())) == 3


def never(_source):
    return False


def always(_source):
    return True


def drifting():
    calls = []

    def read(source):
        calls.append(source)
        return made(source, messages=[Message(t_ms=float(len(calls)), text="x")])

    return read


@pytest.mark.parametrize(
    ("reader", "broken"),
    [
        (reader_of(sniff=never), "does not recognise P01.gz1"),
        (reader_of(sniff=always), "claims to recognise"),
        (reader_of(sniff=lambda source: source.head[0] == MARK[0]), "sniff of gaze1 raises on b''"),
        (reader_of(drifting()), "messages differ when read twice"),
        (reader_of(lambda s: made(s, samples={"eye": "right"})), "call themselves right"),
        (
            reader_of(lambda s: made(s, samples={"t_ms": [-5, 6, 7]})),
            "before the recording's start",
        ),
        (
            reader_of(
                lambda s: made(
                    s, trials=[Trial(name="a", onset_ms=i, offset_ms=i + 1.0) for i in (0, 2)]
                )
            ),
            "two trials share a name",
        ),
        (
            reader_of(lambda s: made(s, trials=[Trial(name="a", onset_ms=90, offset_ms=99)])),
            "trial a lies outside the recording",
        ),
        (
            reader_of(lambda s: made(s, provenance={"source": str(s.path.resolve())})),
            "provenance names a folder",
        ),
    ],
)
def test_a_broken_reader_is_caught(check, reader, broken):
    with pytest.raises(AssertionError, match=broken):
        check(reader)


def test_provenance_that_is_no_json_is_caught(check):
    with pytest.raises(TypeError, match="not JSON serializable"):
        check(reader_of(lambda s: made(s, provenance={"when": {"a", "b"}})))


@given(st.data())
@settings(max_examples=50)
def test_samples_keep_rate_and_size(data):
    got = data.draw(samples(min_size=1, max_size=9, eye="right", rate_hz=500.0))
    assert 1 <= len(got) <= 9
    assert got.eye == "right"
    assert got.t_ms[0] == 0.0
    assert np.all(np.diff(got.t_ms) > 0)


@given(events(kinds=("fixation", "saccade")))
def test_events_are_disjoint_and_of_the_kinds_asked_for(got):
    assert isinstance(got, Events)
    assert np.all(got.offset_ms[:-1] <= got.onset_ms[1:])
    assert set(got.kind) <= {"fixation", "saccade"}


@given(recordings(), screens())
def test_recordings_have_one_clock_and_trials_inside(got, screen):
    assert len({len(s) for s in got.samples.values()}) == 1
    assert 1 <= len(got.trials) <= 3
    assert sum(len(got.window(t)) for t in got.trials) == len(got)
    assert replace(got, screen=screen).screen is screen


@pytest.mark.parametrize(
    ("strategy", "seen"),
    [
        (samples(min_size=5), lambda s: s.lost.any() and not s.lost.all()),
        (samples(min_size=5), lambda s: np.diff(s.t_ms).max() > 10 * np.diff(s.t_ms).min()),
        (events(overlap=True), lambda e: bool((e.offset_ms[:-1] > e.onset_ms[1:]).any())),
        (screens(), lambda s: s.has_geometry),
        (screens(), lambda s: not s.has_geometry),
        (recordings(), lambda r: set(r.samples) == {"left", "right"}),
    ],
)
def test_the_traps_are_among_the_examples(strategy, seen):
    found = []

    @settings(max_examples=80, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategy)
    def draw(value):
        found.append(bool(seen(value)))

    draw()
    assert any(found)
    assert not all(found)

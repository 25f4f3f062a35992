"""pymovements' detectors by name: nothing crosses a gap, ends are half-open, misses are said."""

import inspect

import numpy as np
import pytest

from gazecode.detection.foreign import foreign_detector, foreign_names
from gazecode.errors import ParameterError
from gazecode.model import Events, Samples
from gazecode.registry import check_parameters

NAMES = ("blink", "fill", "idt", "ihmm", "ivt", "microsaccades", "out_of_screen")


@pytest.fixture(scope="module")
def pm():
    return pytest.importorskip(
        "pymovements", reason="pymovements is not installed; pip install 'gazecode[bench]'"
    )


def two_places(n=400, *, step_ms=2.0, gap_ms=0.0, noise_px=2.0):
    rng = np.random.default_rng(0)
    x = np.repeat([300.0, 700.0], n // 2)
    t = np.arange(n) * step_ms
    t[n // 2 :] += gap_ms
    xy = np.stack([x, x], axis=1) + rng.normal(0, noise_px, (n, 2))
    return Samples(t_ms=t, xy_px=xy, pupil=3 + rng.normal(0, 0.01, n))


def test_all_names_are_there(pm):
    assert foreign_names() == tuple(f"pymovements:{name}" for name in NAMES)


@pytest.mark.parametrize("name", ["idt", "ihmm", "ivt"])
def test_no_event_crosses_a_gap_a_loss_or_a_break(pm, name):
    """pymovements itself joins what lies before and after a gap of five seconds."""
    samples = two_places(gap_ms=4900.0, noise_px=1.0)
    xy = np.full_like(samples.xy_px, 500.0) + samples.xy_px - samples.xy_px.round(-2)
    xy[60:70] = np.nan
    still = Samples(t_ms=samples.t_ms, xy_px=xy)
    events = foreign_detector(name)(still, breaks_ms=[300.0], minimum_duration=40)
    assert len(events) >= 4
    for at in (130.0, 300.0, 1000.0):
        assert not ((events.onset_ms < at) & (events.offset_ms > at)).any()


def test_the_last_sample_counts(pm):
    samples = two_places(noise_px=0.0)
    events = foreign_detector("pymovements:ivt")(samples, velocity_threshold=20.0)
    assert events.kind.tolist() == ["fixation", "fixation"]
    assert events.offset_ms[-1] == 798.0 + 3.0
    assert events.last[-1] == 400
    assert events.duration_ms[-1] == events.offset_ms[-1] - samples.t_ms[events.first[-1]]


@pytest.mark.parametrize("rate_hz", [120.0, 300.0, 500.0, 1200.0])
def test_idt_finds_places_at_any_rate(pm, rate_hz):
    samples = two_places(n=int(rate_hz), step_ms=1000 / rate_hz)
    events = foreign_detector("idt")(samples)
    assert len(events) == 2
    assert np.abs(events.onset_ms - [0, 500]).max() <= 2000 / rate_hz


def test_idt_takes_irregular_time_resampled(pm):
    samples = two_places(n=500)
    rng = np.random.default_rng(1)
    kept = np.sort(rng.choice(500, 420, replace=False))
    events = foreign_detector("idt")(Samples(t_ms=samples.t_ms[kept], xy_px=samples.xy_px[kept]))
    assert len(events) == 2
    assert np.abs(events.onset_ms - [samples.t_ms[kept[0]], 500]).max() <= 15
    assert (events.first >= 0).all()
    assert (events.last <= 420).all()


def test_microsaccades_take_their_threshold_from_all_runs(pm):
    samples = two_places()
    detect = foreign_detector("microsaccades")
    saccades = detect(samples)
    assert saccades.kind.tolist() == ["saccade"] * len(saccades)
    assert any(abs(at - 400) <= 12 for at in saccades.onset_ms)
    # A break elsewhere leaves it alone.
    parted = detect(samples, breaks_ms=[100.0])
    assert parted.onset_ms.tolist() == saccades.onset_ms.tolist()


def test_blinks_from_the_pupil_cross_losses(pm):
    samples = two_places()
    pupil, xy = samples.pupil.copy(), samples.xy_px.copy()
    pupil[100:150] = np.nan
    xy[100:150] = np.nan
    events = foreign_detector("blink")(Samples(t_ms=samples.t_ms, xy_px=xy, pupil=pupil))
    assert events.kind.tolist() == ["blink"]
    assert (events.first[0], events.last[0]) == (100, 150)
    with pytest.raises(ParameterError, match="^pymovements:blink needs pupil sizes"):
        foreign_detector("blink")(Samples(t_ms=samples.t_ms, xy_px=xy))


def test_out_of_screen_takes_the_screen(pm, screen):
    samples = two_places(noise_px=0.0)
    xy = samples.xy_px.copy()
    xy[50:60] = [2500.0, 100.0]
    gaze = Samples(t_ms=samples.t_ms, xy_px=xy)
    events = foreign_detector("out_of_screen")(gaze, screen=screen)
    assert events.kind.tolist() == ["undefined"]
    assert (events.first[0], events.last[0]) == (50, 60)
    with pytest.raises(ParameterError) as error:
        foreign_detector("out_of_screen")(gaze, x_max=1920.0)
    assert str(error.value) == "pymovements:out_of_screen needs the screen or y_max"


def test_fill_gives_what_events_leave(pm):
    samples = two_places()
    given = Events(kind=["fixation"], onset_ms=[100.0], offset_ms=[300.0], xy_px=[[1.0, 2.0]])
    events = foreign_detector("fill")(samples, events=given)
    assert events.kind.tolist() == ["undefined", "undefined"]
    assert events.onset_ms.tolist() == [0.0, 300.0]
    assert events.offset_ms.tolist() == [100.0, 801.0]


@pytest.mark.parametrize("name", NAMES)
def test_hardly_any_samples_are_no_event_and_no_error(pm, name, screen):
    for n in (0, 1, 4):
        few = Samples(t_ms=np.arange(n) * 2.0, xy_px=np.full((n, 2), 5.0), pupil=np.ones(n))
        assert len(foreign_detector(name)(few, screen=screen)) == 0


@pytest.mark.parametrize("clock", ["regular", "rounded", "jittered", "gapped", "bursts"])
@pytest.mark.parametrize("name", ["idt", "ihmm", "ivt", "microsaccades", "out_of_screen"])
def test_any_clock(pm, clip, screen, name, clock):
    detect = foreign_detector(name)
    for seed in range(12):
        samples = clip(seed, clock, "some")
        events = detect(samples, screen=screen)
        assert (events.onset_ms[1:] >= events.offset_ms[:-1] - 1e-9).all()
        for at in samples.breaks_ms:
            assert not ((events.onset_ms < at) & (events.offset_ms > at)).any()


def test_parameters_are_pymovements_own_and_checked(pm):
    detect = foreign_detector("pymovements:idt")
    assert detect.__name__ == "pymovements:idt"
    theirs = {"minimum_duration", "dispersion_threshold", "include_nan"}
    assert theirs < set(inspect.signature(detect).parameters)
    check_parameters(detect, {"dispersion_threshold": 1, "minimum_duration": 80.0}, name="idt")
    with pytest.raises(ParameterError, match="expected true or false"):
        check_parameters(detect, {"include_nan": 3}, name="idt")
    with pytest.raises(
        ParameterError, match="^pymovements:idt has no parameter dispersion; it has: "
    ):
        detect(two_places(), dispersion=2)
    with pytest.raises(ParameterError, match="^pymovements refuses \\(idt\\): "):
        detect(two_places(), dispersion_threshold=-1.0)


def test_an_unknown_name_lists_the_names(pm):
    with pytest.raises(
        ParameterError, match="^no 'pymovements:idd' in pymovements' detectors; choose"
    ):
        foreign_detector("pymovements:idd")


def test_without_pymovements_it_says_how_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymovements", None)
    with pytest.raises(ParameterError, match="pip install pymovements"):
        foreign_detector("pymovements:idt")

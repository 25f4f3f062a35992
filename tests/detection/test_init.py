"""The table of detectors and its one entry."""

import numpy as np
import pytest

from gazecode.detection import DETECTORS, detect, detect_idt, detect_ivt
from gazecode.errors import GeometryError, ParameterError
from gazecode.model import Recording, Samples

NOTHING = Samples(t_ms=[], xy_px=np.empty((0, 2)))
ONE = Samples(t_ms=[5.0], xy_px=[[10.0, 20.0]])
LOST = Samples(t_ms=np.arange(50) * 4.0, xy_px=np.full((50, 2), np.nan))


def test_the_table_names_its_detectors():
    assert DETECTORS["ivt"] is detect_ivt
    assert DETECTORS["idt"] is detect_idt
    assert {"idt", "ivt"} <= set(DETECTORS)


@pytest.mark.parametrize("method", ["ivt", "idt"])
@pytest.mark.parametrize("samples", [NOTHING, ONE, LOST], ids=["nothing", "one", "lost"])
def test_nothing_comes_of_nothing(method, samples):
    events = detect(samples, method)
    assert len(events) == 0
    assert len(events.of("fixation").to_frame()) == 0


def test_one_sample_is_a_fixation_only_if_no_duration_is_asked():
    assert len(detect(ONE, "idt", min_duration_ms=0.0)) == 1
    # Alone it has no speed.
    assert len(detect(ONE, "ivt", min_duration_ms=0.0)) == 0


@pytest.mark.parametrize("method", ["ivt", "idt"])
def test_parameters_reach_the_method(method, screen):
    samples = Samples(t_ms=np.arange(30) * 5.0, xy_px=np.full((30, 2), 500.0))
    events = detect(samples, method, screen=screen, breaks_ms=[75.0], min_duration_ms=70.0)
    assert events.offset_ms.tolist() == [75.0, 152.5]
    direct = DETECTORS[method](samples, screen=screen, breaks_ms=[75.0], min_duration_ms=70.0)
    assert direct.to_frame().equals(events.to_frame())


def test_unknown_method_unknown_parameter_and_bad_breaks_are_refused():
    with pytest.raises(ParameterError) as error:
        detect(ONE, "itv")
    names = ", ".join(sorted({*DETECTORS, "pymovements:NAME"}))
    assert str(error.value) == f"no 'itv' in detectors; choose from: {names}"
    with pytest.raises(ParameterError) as error:
        detect(ONE, "idt", max_speed_deg_s=30)
    assert str(error.value) == (
        "idt has no parameter max_speed_deg_s; it has: screen, px_per_deg, breaks_ms, "
        "max_dispersion_deg, min_duration_ms, min_gap_ms"
    )
    with pytest.raises(ParameterError) as error:
        detect(ONE, breaks_ms=[float("nan")])
    assert str(error.value) == (
        "breaks_ms is [nan]; expected a list of times in ms on the samples' clock"
    )


@pytest.mark.parametrize("plane", ["screen_fraction", "scene_px", "scene_fraction", "href"])
def test_gaze_that_is_not_px_of_a_screen_is_refused(plane):
    samples = Samples(t_ms=np.arange(50) * 8.0, xy_px=np.full((50, 2), 0.5), eye="left")
    recording = Recording(samples={"left": samples}, plane=plane)
    for gaze in (recording.gaze, recording.eye("left"), recording.window((0, 200)).gaze):
        with pytest.raises(GeometryError, match=f"plane {plane}, events need screen_px"):
            detect(gaze)

"""Can a layout resolve lines and tokens? Against the closed form, and against simulated reading."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import Layout, Recording, Samples, Screen, Trial, Validation
from gazecode.pipeline import assess
from gazecode.quality import Gates, line_share, simulated_shares
from gazecode.quality.resolvability import GazeError, verdict
from gazecode.resolver import layout_resolver

SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=577.0)
"""38 px per degree."""
PITCH = 28.8


def lines(n=400, *, width=4000.0, pitch=PITCH, gap=0.0):
    top = np.arange(n) * pitch
    boxes = np.stack([0 * top, top, 0 * top + width, top + pitch - gap], axis=1)
    return Layout(
        boxes=boxes, token=np.arange(n), line=np.arange(n), n_tokens=n, line_height_px=pitch
    )


def words(n_lines=20, per_line=8, *, size=(90.0, 20.0), pitch=PITCH):
    x = np.tile(np.arange(per_line) * (size[0] + 10), n_lines) + 100
    y = np.repeat(np.arange(n_lines) * pitch, per_line) + 100
    n = len(x)
    return Layout(
        boxes=np.stack([x, y, x + size[0], y + size[1]], axis=1),
        token=np.arange(n),
        line=np.repeat(np.arange(n_lines), per_line),
        n_tokens=n,
        line_height_px=pitch,
    )


@pytest.mark.parametrize(("deg", "share"), [(0.3, 0.79), (0.5, 0.55), (0.8, 0.36)])
def test_the_published_figures(deg, share):
    sd = deg * 38
    assert line_share(sd, PITCH) == pytest.approx(share, abs=0.005)
    found, _ = simulated_shares(layout_resolver(lines()), (sd, sd), seed=3, draws=20_000)
    print(f"{deg} deg: closed form {line_share(sd, PITCH):.4f}, simulated {found:.4f}")
    # Standard error of a share of 20,000 draws: .35 %.
    assert found == pytest.approx(line_share(sd, PITCH), abs=0.011)


@given(st.floats(1, 60), st.floats(0.5, 40))
def test_the_closed_form_is_the_normal_distribution(pitch, sd):
    from statistics import NormalDist

    wanted = 2 * NormalDist(0, sd).cdf(pitch / 2) - 1
    assert line_share(sd, pitch) == pytest.approx(wanted, abs=1e-12)
    assert line_share(0.0, pitch) == 1


def test_gaze_without_error_resolves_everything_and_more_error_never_helps():
    resolver = layout_resolver(words())
    found = [simulated_shares(resolver, (sd, sd), seed=1) for sd in (0, 5, 12, 30, 80)]
    assert found[0] == (1.0, 1.0)
    assert found == sorted(found, reverse=True)
    assert all(token <= line for line, token in found)


def test_the_same_seed_gives_the_same_shares():
    resolver = layout_resolver(words())
    assert simulated_shares(resolver, (9, 9), seed=5) == simulated_shares(resolver, (9, 9), seed=5)
    assert simulated_shares(resolver, (9, 9), seed=5) != simulated_shares(resolver, (9, 9), seed=6)


def test_tokens_by_brute_force():
    layout = words(6, 5)
    rng = np.random.default_rng(0)
    points = rng.uniform((60, 60), (640, 330), (500, 2))
    line, token = layout_resolver(layout).resolve(points)
    for xy, found_line, found in zip(points, line, token, strict=True):
        dx = np.maximum(np.maximum(layout.boxes[:, 0] - xy[0], xy[0] - layout.boxes[:, 2]), 0)
        dy = np.maximum(np.maximum(layout.boxes[:, 1] - xy[1], xy[1] - layout.boxes[:, 3]), 0)
        away = np.hypot(dx, dy)
        if away.min() > PITCH:
            assert (found_line, found) == (-1, -1)
        else:
            assert away[found] == away.min()
            assert found_line == layout.line[found]


def test_an_empty_layout_resolves_nothing():
    nothing = Layout(boxes=np.empty((0, 4)), token=[], line=[], n_tokens=0, line_height_px=20.0)
    assert all(math.isnan(v) for v in simulated_shares(layout_resolver(nothing), (3, 3)))


def reading(
    *, accuracy_deg=None, noise_px=2.0, n=2000, trials=(), screen=SCREEN, offset=(12.0, 9.0)
):
    rng = np.random.default_rng(0)
    xy = np.repeat(rng.uniform(200, 600, (n // 50, 2)), 50, axis=0) + rng.normal(
        0, noise_px, (n, 2)
    )
    said = []
    if accuracy_deg is not None:
        said = [
            Validation(
                t_ms=-5.0,
                eye="left",
                target_xy_px=[[500, 500], [900, 200]],
                offset_xy_px=[offset, np.multiply(offset, -1)],
                offset_deg=[accuracy_deg] * 2,
                mean_deg=accuracy_deg,
            )
        ]
    samples = Samples(t_ms=np.arange(n) * 4.0, xy_px=xy, eye="left")
    return Recording(samples={"left": samples}, screen=screen, validations=said, trials=trials)


def test_accuracy_and_precision_make_the_error():
    error = GazeError(accuracy_px=(3.0, 4.0), precision_px=(4.0, 3.0), px_per_deg=40.0)
    assert error.sd_px() == (5.0, 5.0)
    assert error.sd_px(0.1) == pytest.approx((math.hypot(4, 4), math.hypot(4, 3)))


def test_a_known_accuracy_gives_shares_and_verdicts():
    report = assess(reading(accuracy_deg=0.4), layouts=lines())
    found = report.recording["resolvability"]
    assert found["sd_y_px"] == pytest.approx(math.hypot(9, 2), abs=0.2)
    assert found["line_share"] == pytest.approx(line_share(found["sd_y_px"], PITCH), abs=0.02)
    assert (found["lines"], report.recording["lines"]) == ("yes", "yes")
    assert found["words"].startswith("lines: yes (8")
    assert [row["accuracy_deg"] for row in found["table"]] == [0, 0.3, 0.5, 0.8]
    assert not report.warnings


def test_an_unknown_accuracy_gives_the_table_and_no_verdict():
    report = assess(reading(), layouts=words())
    found = report.recording["resolvability"]
    assert (found["lines"], found["tokens"], found["line_share"]) == ("unknown", "unknown", None)
    shares = [row["line_share"] for row in found["table"]]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.99
    assert "accuracy is unknown: 100/100 % at 0 deg" in found["words"]
    assert "output per token is flagged" in report.warnings[0]


def test_noise_alone_can_say_no():
    noisy = reading(noise_px=40.0)
    found = assess(noisy, layouts=lines(), gates=Gates(max_std_deg=None)).recording["resolvability"]
    assert (found["lines"], found["line_share"]) == ("no", None)


def test_a_line_height_alone_gives_lines_in_closed_form():
    found = assess(reading(accuracy_deg=0.4), line_height_px=PITCH).recording["resolvability"]
    assert found["line_share"] == pytest.approx(line_share(found["sd_y_px"], PITCH), abs=1e-5)
    assert (found["token_share"], found["tokens"]) == (None, "unknown")


def test_layouts_by_trial_and_a_gate():
    trials = [
        Trial(name="fine", onset_ms=0, offset_ms=4000, stimulus="A"),
        Trial(name="coarse", onset_ms=4000, offset_ms=8000, stimulus="B"),
    ]
    rec = reading(accuracy_deg=0.4, trials=trials)
    layouts = {"fine": lines(pitch=9.0), "coarse": lines(pitch=60.0)}
    report = assess(rec, layouts=layouts, gates=Gates(min_line_share=0.8))
    assert [t.figures["lines"] for t in report.trials] == ["no", "yes"]
    assert "expected on the right line:" in report.trial_reasons("fine")[0]
    assert report.trials[1].passed
    both = [t.figures["line_share"] for t in report.trials]
    assert report.recording["line_share"] == pytest.approx(np.mean(both), abs=1e-6)


def test_assumed_px_per_degree_are_said():
    flat = Screen(width_px=1920, height_px=1080)
    report = assess(reading(screen=flat), layouts=lines())
    assert "lines and tokens are judged at an assumed 40 px per degree" in report.warnings
    assert report.recording["resolvability"]["px_per_deg_assumed"] is True


@pytest.mark.parametrize(
    ("share", "best", "word"),
    [
        (0.8, math.nan, "yes"),
        (0.799, math.nan, "doubtful"),
        (0.5, 1.0, "doubtful"),
        (0.499, 1.0, "no"),
        (math.nan, 0.5, "unknown"),
        (math.nan, 0.49, "no"),
    ],
)
def test_verdicts(share, best, word):
    assert verdict(share, at_best=best) == word

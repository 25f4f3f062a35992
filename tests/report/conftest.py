"""A small study made by hand from the types, with seeded gaze: no other stage is needed."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gazecode.model import Events, Hits, Layout, Samples, Screen, SourceTokens, TokenWeights
from gazecode.report import (
    FailureView,
    RecordingView,
    SaccadeView,
    StudyView,
    SubwordView,
    TrialView,
    loss_timeline,
    step_histogram,
)

CODE = """\
/** A vehicle that can be driven.
 *  Speed is in km/h. */
public class Vehicle {
    private final String name;
    private int speed = 0;

    public Vehicle(String name) {
        this.name = name;
    }

    public void accelerate(int amount) {
        for (int i = 0; i < amount; i++) {
            if (speed < 130) {
                speed += 1; // never faster
            }
        }
        System.out.println("Now at " + speed + " km/h");
    }
}
"""
CELL, LINE, ORIGIN = 13.467, 28.79, (575.2, 93.7)
SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"[^"\n]*"|\w+|[^\w\s]', re.DOTALL)


def make_tokens(code: str, *, language: str = "java", source_id: str = "Vehicle") -> SourceTokens:
    found = list(_TOKEN.finditer(code))
    starts = [m.start() for m in found]
    line_start = [code.rfind("\n", 0, a) + 1 for a in starts]
    return SourceTokens(
        language=language,
        source_id=source_id,
        code=code.encode("utf-8", "surrogatepass"),
        span=[[_size(code[: m.start()]), _size(code[: m.end()])] for m in found],
        row=[code.count("\n", 0, a) for a in starts],
        column=[a - b for a, b in zip(starts, line_start, strict=True)],
        kind=[_kind(m.group()) for m in found],
        path=tuple(("program",) for _ in found),
        label=["" if len(m.group()) == 1 else _kind(m.group()) for m in found],
    )


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _kind(text: str) -> str:
    if text.startswith(("/", "//")) and len(text) > 1:
        return "comment"
    if text.startswith('"'):
        return "string"
    return "identifier" if text[0].isalpha() else "punctuation"


def make_layout(tokens: SourceTokens) -> Layout:
    boxes, owner, line = [], [], []
    for i, text in enumerate(tokens.texts):
        for j, part in enumerate(text.split("\n")):
            row = int(tokens.row[i]) + j
            indent = len(part) - len(part.lstrip()) if j else 0
            column = int(tokens.column[i]) if j == 0 else indent
            width = max(len(part.strip()), 1)
            x, y = ORIGIN[0] + column * CELL, ORIGIN[1] + row * LINE
            boxes.append([x, y, x + width * CELL, y + LINE])
            owner.append(i)
            line.append(row)
    return Layout(boxes=boxes, token=owner, line=line, n_tokens=len(tokens), line_height_px=LINE)


def make_trial(code: str = CODE, *, seed: int = 7, n: int = 60, name: str = "Vehicle") -> TrialView:
    rng = np.random.default_rng(seed)
    tokens = make_tokens(code)
    layout = make_layout(tokens)
    order = np.sort(rng.choice(len(layout), n)) if len(layout) else np.zeros(n, int)
    order = np.clip(order + rng.integers(-6, 7, n), 0, max(len(layout) - 1, 0))
    centre = (
        (layout.boxes[order, :2] + layout.boxes[order, 2:]) / 2
        if len(layout)
        else np.full((n, 2), 300.0)
    )
    xy = centre + rng.normal(0, 7, (n, 2))
    status = np.full(n, "token", dtype=object)
    for i, kind in ((4, "between"), (11, "between"), (17, "off"), (23, "lost"), (40, "off")):
        if i < n:
            status[i] = kind
    if not len(layout):
        status[:] = "off"
    xy[status == "off"] = [1700.0, 900.0]
    xy[status == "lost"] = np.nan
    duration = np.clip(rng.gamma(4, 60, n), 60, 900).round(1)
    onset = np.cumsum(duration + 32.0) - duration + 1000.0
    fixations = Events(kind=["fixation"] * n, onset_ms=onset, offset_ms=onset + duration, xy_px=xy)
    on = np.flatnonzero(status == "token")
    hits = Hits(
        fixation=on,
        token=layout.token[order[on]],
        share=np.ones(len(on)),
        onset_ms=onset,
        duration_ms=duration,
        status=status,
        exposure_ms=np.full(len(tokens), 20_000.0),
    )
    dwell = np.bincount(hits.token, weights=duration[on], minlength=len(tokens))
    weights = TokenWeights(value=dwell, on_path=dwell > 0, scheme="duration", unit="ms")
    return TrialView(
        participant="P01",
        trial=name,
        stimulus=name,
        tokens=tokens,
        layout=layout,
        fixations=fixations,
        hits=hits,
        weights=weights,
        gaze=make_gaze(fixations, rng),
        screen=SCREEN,
        subwords=make_subwords(tokens, dwell),
    )


def make_gaze(fixations: Events, rng: np.random.Generator) -> Samples:
    t = np.arange(0.0, float(fixations.offset_ms[-1]) if len(fixations) else 100.0, 8.0)
    xy = np.full((len(t), 2), np.nan)
    for a, b, p in zip(fixations.onset_ms, fixations.offset_ms, fixations.xy_px, strict=True):
        inside = (t >= a) & (t < b)
        xy[inside] = p + rng.normal(0, 5, (int(inside.sum()), 2))
    return Samples(t_ms=t, xy_px=xy)


def make_subwords(tokens: SourceTokens, dwell: np.ndarray) -> SubwordView:
    span, weight = [[0, 0]], [1.0]
    mean = max(float(dwell.mean()), 1e-9) if len(dwell) else 1.0
    for (a, b), value in zip(tokens.span.tolist(), dwell, strict=True):
        for start in range(a, b, 4):
            span.append([start, min(start + 4, b)])
            weight.append(0.5 + 0.5 * min(value / mean, 5.0))
    mask = np.ones(len(span), bool)
    mask[0] = False
    mask[1:5] = False
    return SubwordView(text=tokens.code, span=span, weight=weight, loss_mask=mask)


def make_recording(participant: str, seed: int, **change: object) -> RecordingView:
    rng = np.random.default_rng(seed)
    step = np.where(rng.random(9000) < 0.01, 16.6, 8.3) + rng.normal(0, 0.15, 9000)
    t = np.cumsum(step)
    lost = (rng.random(9000) < 0.03) | (np.abs(t - t[5000]) < 2500 * (seed % 3))
    xy = np.where(lost[:, None], np.nan, np.full((9000, 2), 500.0))
    samples = Samples(t_ms=t, xy_px=xy)
    view = RecordingView(
        participant=participant,
        file=f"raw/GazeData_{participant}.csv",
        format="eyex_csv",
        eye="both",
        rate_hz=120.4,
        duration_ms=float(t[-1] - t[0]),
        lost_share=float(lost.mean()),
        rms_s2s=0.21,
        std=0.34,
        usable=True,
        n_trials=3,
        n_fixations=431,
        n_status={"token": 331, "between": 52, "off": 29, "lost": 7},
        steps_ms=step_histogram(samples),
        loss=loss_timeline(samples),
    )
    return replace(view, **change)


def make_saccades(n: int = 400) -> SaccadeView:
    rng = np.random.default_rng(3)
    amplitude = np.exp(rng.normal(0.9, 0.8, n))
    duration = 21 + 2.2 * amplitude + rng.normal(0, 3.0, n)
    return SaccadeView(amplitude_deg=amplitude, duration_ms=duration)


def make_study() -> StudyView:
    reasons = (
        "41 % of samples are lost; at most 40 % are allowed",
        "accuracy is unknown: no validation in the file",
    )
    poor = make_recording("P03", 2, usable=False, reasons=reasons, accuracy_deg=0.8)
    return StudyView(
        title="Linearity of reading code",
        intro="A synthetic study: gaze was simulated, no person was recorded.",
        figures={"examples": 3},
        recordings=[make_recording("P01", 0), make_recording("P02", 1), poor],
        trials=[
            make_trial(),
            make_trial(seed=9, n=25, name="Retry"),
        ],
        n_trials=9,
        failures=[
            FailureView(
                file="raw/broken.csv", error="no column gaze_x", participant="P04", stage="read"
            )
        ],
        saccades=make_saccades(),
        parameters={"detect": {"method": "ivt", "max_speed_deg_s": 30.0}},
        provenance={"version": "0.1.0", "seed": 7},
    )


@pytest.fixture(scope="session")
def study() -> StudyView:
    return make_study()


@pytest.fixture(scope="session")
def trial() -> TrialView:
    return make_trial()


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders of this file, for tests that need their own data."""
    return SimpleNamespace(
        trial=make_trial,
        study=make_study,
        recording=make_recording,
        saccades=make_saccades,
        tokens=make_tokens,
        layout=make_layout,
    )

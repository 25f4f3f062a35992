"""Readings made by hand and by chance."""

import numpy as np
import pytest
from hypothesis import strategies as st

from gazecode.model import LABELS, Hits, label_codes
from gazecode.priors import Reading

STATUSES = ("between", "off", "lost")


def reading(labels, gaze, *, exposure_ms=None, activity=None, chance=None, **about):
    """`gaze`: per fixation a token number, or a status other than "token"."""
    on = [i for i, where in enumerate(gaze) if isinstance(where, int)]
    n = len(gaze)
    return Reading(
        label=label_codes(labels),
        source=about.pop("source", "s1"),
        hits=Hits(
            fixation=on,
            token=[gaze[i] for i in on],
            share=[1.0] * len(on),
            onset_ms=np.arange(n) * 300.0,
            duration_ms=np.full(n, 250.0),
            status=["token" if isinstance(w, int) else w for w in gaze],
            exposure_ms=np.full(len(labels), 1000.0) if exposure_ms is None else exposure_ms,
            chance=chance,
        ),
        activity=np.array(activity if activity is not None else ["reading"] * n, dtype=object),
        characters=about.pop("characters", np.full(len(labels), 3.0)),
        **about,
    )


@st.composite
def readings(draw, people=("P1", "P2", "P3"), sources=("s1", "s2"), tasks=("reading", "writing")):
    labels = draw(
        st.lists(st.sampled_from(["", "loop", "variable", "return"]), min_size=1, max_size=8)
    )
    m = len(labels)
    gaze = draw(st.lists(st.one_of(st.integers(0, m - 1), st.sampled_from(STATUSES)), max_size=12))
    shares = st.lists(st.floats(0, 1), min_size=m, max_size=m)
    return reading(
        labels,
        gaze,
        exposure_ms=draw(
            st.lists(st.sampled_from([0.0, 100.0, 200.0, 900.0]), min_size=m, max_size=m)
        ),
        activity=draw(
            st.lists(
                st.sampled_from(["reading", "unknown", "typing", "scrolling"]),
                min_size=len(gaze),
                max_size=len(gaze),
            )
        ),
        chance=draw(st.none() | shares),
        area_px2=np.array(draw(shares)) + 1.0,
        participant=draw(st.sampled_from(people)),
        source=draw(st.sampled_from(sources)),
        task=draw(st.sampled_from(tasks)),
        group=draw(st.sampled_from(["", "novices"])),
        study="study",
    )


def simulated(rng, *, people, sources, tokens, label="loop", mean=0.4, spread=0.0):
    """People × sources whose rates vary by person, by source and by reading."""
    logit = np.log(mean / (1 - mean))
    person, source = rng.normal(0, spread, people), rng.normal(0, spread, sources)
    rate = 1 / (1 + np.exp(-(logit + person[:, None] + source[None, :])))
    hit = rng.random((people, sources, tokens)) < rate[..., None]
    return [
        reading(
            [label] * tokens,
            np.flatnonzero(hit[i, j]).tolist(),
            participant=f"P{i}",
            source=f"s{j}",
        )
        for i in range(people)
        for j in range(sources)
    ]


@pytest.fixture(scope="session")
def make():
    class Make:
        code = LABELS.index

    Make.reading, Make.readings = staticmethod(reading), staticmethod(readings)
    Make.simulated = staticmethod(simulated)
    return Make


@pytest.fixture(scope="session")
def random_readings():
    return st.lists(readings(), min_size=1, max_size=6)

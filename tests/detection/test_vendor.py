"""I-VT with its defaults against the vendor's own fixations (Tobii TX300, Tobii Studio)."""

import gzip

import numpy as np
import pytest
from defusedxml import ElementTree

from gazecode.detection import detect
from gazecode.model import Samples

pytestmark = pytest.mark.real


def columns(trial, tag, *names):
    rows = [[float(e.get(name)) for name in names] for e in trial.iter(tag)]
    return np.array(rows).reshape(-1, len(names))


def trials(path):
    """Samples and vendor fixations ``(k, 4)`` start, end, x, y of each trial."""
    with gzip.open(path) as file:
        root = ElementTree.parse(file).getroot()
    for trial in root.iter("trial"):
        gaze = columns(trial, "gaze", "start", "x", "y")
        theirs = columns(trial, "fixation", "start", "end", "x", "y")
        yield Samples(t_ms=gaze[:, 0], xy_px=gaze[:, 1:]), theirs


def match(theirs, ours):
    """Index pairs with an intersection over union above one half; such pairs are one-to-one."""
    pairs = []
    for i, (start, end) in enumerate(theirs[:, :2]):
        shared = np.minimum(end, ours.offset_ms) - np.maximum(start, ours.onset_ms)
        joined = np.maximum(end, ours.offset_ms) - np.minimum(start, ours.onset_ms)
        pairs += [(i, int(j)) for j in np.flatnonzero(shared / joined > 0.5)]
    # The vendor's own fixations overlap in places: each of ours is used once.
    return list({j: (i, j) for i, j in reversed(pairs)}.values())


def test_ivt_agrees_with_the_vendors_filter(shared_data, screen):
    total = np.zeros(3, dtype=int)
    edges, places = [], []
    files = sorted((shared_data / "eyecode-hansen2012" / "xml").glob("*.xml.gz"))
    for path in files:
        person = np.zeros(3, dtype=int)
        for samples, theirs in trials(path):
            ours = detect(samples, screen=screen).of("fixation")
            pairs = match(theirs, ours)
            person += len(pairs), len(theirs), len(ours)
            i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
            edges.append(np.stack([ours.onset_ms[j], ours.offset_ms[j]], axis=1) - theirs[i, :2])
            places.append(np.hypot(*(ours.xy_px[j] - theirs[i, 2:]).T))
        show(path.name.removesuffix(".xml.gz"), person)
        total += person
    show("pooled", total)
    off = np.abs(np.concatenate(edges))
    print(f"median |edge| {np.median(off):.1f} ms, mean {off.mean():.1f} ms")
    print(f"median distance {np.median(np.concatenate(places)):.2f} px")
    same, theirs_n, ours_n = total
    assert 2 * same / (theirs_n + ours_n) >= 0.92
    assert abs(ours_n / theirs_n - 1) <= 0.03
    assert np.median(off) == 0.0


def with_lost_rows(samples):
    """The same gaze on a grid of 300 Hz, with a row of NaN for every sample that is absent."""
    t = samples.t_ms
    place = np.round((t - t[0]) * 0.3).astype(int)
    stamps = t[0] + np.arange(place[-1] + 1) / 0.3
    xy = np.full((len(stamps), 2), np.nan)
    stamps[place], xy[place] = t, samples.xy_px
    order = np.argsort(stamps, kind="stable")
    kept = np.diff(stamps[order], prepend=-np.inf) > 0
    return Samples(t_ms=stamps[order][kept], xy_px=xy[order][kept])


def test_lost_rows_instead_of_absent_ones_agree_less_in_number(shared_data, screen):
    """A lost row ends a run, an absent one is bridged: the count says what that costs."""
    total = np.zeros(3, dtype=int)
    for path in sorted((shared_data / "eyecode-hansen2012" / "xml").glob("*.xml.gz")):
        for samples, theirs in trials(path):
            ours = detect(with_lost_rows(samples), screen=screen).of("fixation")
            total += len(match(theirs, ours)), len(theirs), len(ours)
    show("lost rows as NaN", total)
    same, theirs_n, ours_n = total
    assert 2 * same / (theirs_n + ours_n) >= 0.92
    assert ours_n < theirs_n


def show(name, counts):
    same, theirs, ours = counts
    f1 = 2 * same / (theirs + ours)
    print(f"{name}: F1 {f1:.4f}, {ours} fixations against {theirs} (ratio {ours / theirs:.4f})")

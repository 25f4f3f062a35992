"""Passing over brief losses: a step of its own before speeds are taken.

A tracker often loses the eye for a sample or two. Polynomials that are fitted on the real stamps
(`gazecode.detection.smoothing`) need no value there: rows of brief losses are left out, as if they
had never been recorded, and the windows around them hold the others. Nothing is filled in, nothing
extrapolated, and no gap or break is crossed. Events are found on what is left and told in the rows
of the whole; they begin and end with a valid sample, at the times that the whole says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gazecode.detection.assembly import assemble
from gazecode.detection.limits import TOLERANCE_MS
from gazecode.detection.segments import Runs, Stretches, covered, find_runs
from gazecode.model import Events, Samples
from gazecode.model.checks import IntArray

__all__ = ["BRIEF_LOSS_MS", "Passed", "assemble_passed", "pass_over_losses"]

BRIEF_LOSS_MS = 20.0
"""The longest loss that is neither a blink nor beside one (Dar et al. 2021)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Samples without those of brief losses.

    Attributes
    ----------
    samples, runs
        What is left. Samples hold as long as they do in the whole.
    rows
        ``(n,)`` the index of each in the whole.
    whole, whole_runs
        All samples.
    """

    samples: Samples
    runs: Runs
    rows: IntArray
    whole: Samples
    whole_runs: Runs


def pass_over_losses(
    samples: Samples, *, breaks_ms: Sequence[float] = (), min_gap_ms: float, max_loss_ms: float
) -> Passed:
    """Leave out the rows of losses of at most `max_loss_ms`; one at an end of the recording stays.

    Examples
    --------
    >>> x = np.array([1.0, np.nan, 1.0, np.nan, np.nan])
    >>> samples = Samples(t_ms=np.arange(5) * 2.0, xy_px=np.stack([x, x], axis=1))
    >>> passed = pass_over_losses(samples, min_gap_ms=75, max_loss_ms=20)
    >>> passed.rows.tolist(), passed.runs.stop.tolist()
    ([0, 2, 3, 4], [2, 2, 2, 3])
    """
    find = partial(find_runs, breaks_ms=breaks_ms, min_gap_ms=min_gap_ms)
    runs = find(samples)
    t, n = samples.t_ms, len(samples)
    edges = np.flatnonzero(np.diff(samples.lost, prepend=False, append=False)).reshape(-1, 2)
    first, last = edges[(edges[:, 0] > 0) & (edges[:, 1] < n)].T
    brief = t[last] - t[first] <= max_loss_ms + TOLERANCE_MS
    rows = np.flatnonzero(~covered(n, first[brief], last[brief]))
    if len(rows) == n:
        return Passed(samples=samples, runs=runs, rows=rows, whole=samples, whole_runs=runs)
    pupil = None if samples.pupil is None else samples.pupil[rows]
    left = replace(samples, t_ms=t[rows], xy_px=samples.xy_px[rows], pupil=pupil)
    left_runs = replace(find(left), end_ms=runs.end_ms[rows])
    return Passed(samples=left, runs=left_runs, rows=rows, whole=samples, whole_runs=runs)


def assemble_passed(passed: Passed, found: Mapping[str, Stretches]) -> Events:
    """Events of stretches of what is left, in rows of the whole."""
    rows = passed.rows
    in_whole = {kind: (rows[first], rows[last - 1] + 1) for kind, (first, last) in found.items()}
    return assemble(passed.whole, passed.whole_runs, in_whole)

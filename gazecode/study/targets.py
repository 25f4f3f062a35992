"""Targets of a study on the clock of a recording: where people were asked to look, and when."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath

from gazecode.model import Recording
from gazecode.quality import Target
from gazecode.study.sections import RecordingTable, TargetTable

__all__ = ["targets_in", "without_trial"]


def targets_in(
    tables: Sequence[TargetTable], entry: RecordingTable, recording: Recording
) -> tuple[list[Target], int]:
    """The targets that hold for a recording, in order of time; and how many were too short.

    A trial that ends before its `skip_ms` are over holds no gaze on its target: it is counted.

    Examples
    --------
    >>> from gazecode.model import Samples, Trial
    >>> trials = [
    ...     Trial(name=f"cross_{i}", onset_ms=i * 2000, offset_ms=i * 2000 + ms)
    ...     for i, ms in enumerate([1000, 400])
    ... ]
    >>> recording = Recording(samples={"left": Samples(t_ms=[0], xy_px=[[1, 1]])}, trials=trials)
    >>> entry = RecordingTable(file="P1.asc", participant="P1")
    >>> found, short = targets_in(
    ...     [TargetTable(x_px=960, y_px=540, trial="cross_*")], entry, recording
    ... )
    >>> [(t.name, t.onset_ms, t.offset_ms) for t in found], short
    ([('cross_0', 500.0, 1000.0)], 1)
    """
    found: list[Target] = []
    n_short = 0
    for table in tables:
        if table.file is not None and not PurePath(entry.file).match(table.file):
            continue
        for name, onset, offset in _windows(table, recording):
            if offset <= onset:
                n_short += 1
                continue
            found.append(
                Target(
                    x_px=table.x_px,
                    y_px=table.y_px,
                    onset_ms=onset,
                    offset_ms=offset,
                    name=table.name or name,
                )
            )
    return sorted(found, key=lambda target: target.onset_ms), n_short


def _windows(table: TargetTable, recording: Recording) -> list[tuple[str, float, float]]:
    if table.onset_ms is not None and table.offset_ms is not None:
        return [("", table.onset_ms, table.offset_ms)]
    return [
        (trial.name, trial.onset_ms + table.skip_ms, float(trial.offset_ms))
        for trial in recording.trials
        if _names(table, trial.name)
    ]


def _names(table: TargetTable, trial: str) -> bool:
    """By name first: a name may hold the signs of a pattern."""
    return table.trial == trial or fnmatchcase(trial, table.trial or "")


def without_trial(tables: Sequence[TargetTable], trials: set[str]) -> list[str]:
    """Names and patterns of targets that no trial has."""
    wanted = [table for table in tables if table.trial is not None]
    return [
        str(table.trial) for table in wanted if not any(_names(table, trial) for trial in trials)
    ]

"""OGAMA fixation export: TAB, ms from the trial's start, px from the top left.

``ID SubjectName TrialID TrialSequence CountInTrial StartTime Length PosX PosY``.
Busjahn, Schulte & Busjahn 2011 and the eyeCode sets hold such files; some end each line in a TAB
(an unnamed last column) and CR LF. A file may hold several people: ``provenance`` says whose each
trial is, and one can be asked for by name. Voßkühler et al. 2008, doi:10.3758/BRM.40.4.1150.
"""

from collections import Counter

from gazecode.model import Recording
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.delimited import read_delimited
from gazecode.readers.tools.fixations import (
    FixationTable,
    of_one_person,
    point_columns,
    recording_of_fixations,
    trial_codes,
)

__all__ = ["READER", "read", "sniff"]

_COLUMNS: dict[str, type] = {
    "SubjectName": str,
    "TrialID": str,
    "StartTime": float,
    "Length": float,
    "PosX": float,
    "PosY": float,
}
_OPTIONAL: dict[str, type] = {"TrialSequence": str, "TrialName": str}


def sniff(source: Source) -> bool:
    """Whether the first line names OGAMA's columns of fixations."""
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip()
    return set(_COLUMNS) <= set(line.split("\t"))


def read(source: Source, *, participant: str | None = None) -> Recording:
    """Read all trials, or those of one person.

    Parameters
    ----------
    source
        OGAMA's text export of the table of fixations.
    participant
        Only this ``SubjectName``; upper and lower case count.

    Returns
    -------
    Recording
        No samples; `device_events` are the fixations. One trial per person and TrialSequence,
        named after its TrialID.
    """
    counts: Counter[str] = Counter()
    frame = read_delimited(
        source.blocks(),
        name=source.name,
        columns=_COLUMNS,
        optional=_OPTIONAL,
        counts=counts,
    )
    frame = of_one_person(frame, "SubjectName", participant, name=source.name, counts=counts)
    keys = [c for c in ("SubjectName", "TrialSequence", "TrialID") if c in frame]
    code, first = trial_codes(frame, keys)
    label = "TrialName" if "TrialName" in frame else "TrialID"
    names = [str(frame[label].iloc[i]) for i in first]
    people = [str(frame["SubjectName"].iloc[i]) for i in first]
    onset = frame.pop("StartTime").to_numpy()
    table = FixationTable(
        trial=code,
        names=names,
        stimuli=names,
        people=people,
        onset_ms=onset,
        offset_ms=onset + frame.pop("Length").to_numpy(),
        xy_px=point_columns(frame, "PosX", "PosY"),
    )
    del frame, onset
    return recording_of_fixations(table, clock="StartTime, ms", counts=counts)


READER = Reader(
    name="ogama",
    title="OGAMA fixation export (ID SubjectName TrialID ... StartTime Length PosX PosY)",
    sniff=sniff,
    read=read,
    suffixes=(".txt",),
    priority=10,
)

r"""Reports of EyeLink Data Viewer (SR Research): fixations, saccades or samples, one row each.

TAB-separated text (sometimes called ``.xls``) whose columns the user chose, so they are read by
name: ``RECORDING_SESSION_LABEL``, ``TRIAL_INDEX``, ``CURRENT_FIX_X`` ... px from the top left, ms,
``.`` = missing. Some exports add a nameless first column.

**Clock.** ``CURRENT_FIX_START`` and ``CURRENT_SAC_START_TIME`` count from the trial's start, whose
tracker time is ``TRIAL_START_TIME``. The ``END`` is that of the last sample, so an event ends at
start + duration here. A report without start times is laid end to end within each trial, and says
so; trials that have no time of their own follow one another with a second between.

**Interest areas** (``.ias``) become the boxes of `Recording.stimuli`; `interest_areas` gives the
area of each event as Data Viewer counted it.

SR Research, EyeLink Data Viewer User's Manual, "Output reports"; which columns occur in practice
was read from reports of public studies.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording
from gazecode.readers.eyelink.dataviewer_areas import areas_of, is_area_file, refuse_area_file
from gazecode.readers.eyelink.dataviewer_events import AREA, read_events
from gazecode.readers.eyelink.dataviewer_rows import PERSON, SIDES, TRIAL, TRIAL_LABEL, Request
from gazecode.readers.eyelink.dataviewer_samples import read_samples
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import no_samples
from gazecode.readers.tools.delimited import find_separator, split_line

__all__ = ["READER", "interest_areas", "read", "sniff"]

IntArray = npt.NDArray[np.int64]

_STIMULI = (
    *("code_snippet_id", "stimulus", "stimulus_id", "stimulus_name", "image", "image_name"),
    *("image_file", "picture", "page", "text_id", "item"),
)
"""Names that studies give the variable with what was shown; the first one present is taken."""


def sniff(source: Source) -> bool:
    """Whether the first line names Data Viewer's columns, or the file holds interest areas."""
    return is_area_file(source.head) or _is_report(_columns(source))


def read(
    source: Source,
    *,
    areas: str | Path | Mapping[str, str | Path] | None = None,
    stimulus: str | None = None,
    participant: str | None = None,
) -> Recording:
    """Read a fixation, saccade or sample report of one participant.

    Parameters
    ----------
    source
        The report.
    areas
        Interest areas: a folder of ``.ias`` files, one file, or stimulus → file. By default
        ``IA-<stimulus>.ias`` beside the report and in a folder ``IAs`` there or one folder up.
    stimulus
        Column with what was shown in a trial; by default the first of some usual names.
    participant
        Which ``RECORDING_SESSION_LABEL``, where a report holds several.

    Returns
    -------
    Recording
        Events without samples, or samples of each eye; px as Data Viewer has them. The file does
        not say how large the screen is.
    """
    if is_area_file(source.head):
        raise refuse_area_file(source)
    counts: Counter[str] = Counter()
    columns = _columns(source)
    shown = _stimulus_column(source, columns, stimulus)
    asked = Request(source=source, columns=columns, shown=shown, participant=participant)
    if _of_samples(columns):
        recording = read_samples(asked, counts)
    else:
        report = read_events(asked, counts)
        recording = Recording(
            samples=no_samples(),
            trials=report.trials,
            device_events=report.events,
            provenance=report.said,
        )
    names = list(dict.fromkeys(t.stimulus for t in recording.trials if t.stimulus is not None))
    stimuli = areas_of(names, source, areas, counts)
    said = dict(recording.provenance)
    without = [name for name in names if name not in stimuli]
    if stimuli and without:
        said["notes"] = [*said["notes"], f"no interest areas found for {', '.join(without)}"]
    said |= {
        "stimulus_column": shown,
        "interest_areas": {name: len(of.boxes["area"]) for name, of in stimuli.items()},
        "left_out": dict(+counts),
    }
    return replace(recording, stimuli=stimuli, provenance=said)


def interest_areas(path: str | Path, *, participant: str | None = None) -> IntArray:
    r"""Interest area of each event of a fixation report, as Data Viewer counted it.

    Parameters
    ----------
    path, participant
        As for `read`.

    Returns
    -------
    ndarray
        ``(n,)`` numbers of areas (`area` among the boxes of `Recording.stimuli`), in the order of
        `Recording.device_events`; -1 for an event in none.

    Examples
    --------
    >>> import tempfile
    >>> head = f"{PERSON}\t{TRIAL}\tCURRENT_FIX_X\tCURRENT_FIX_Y\tCURRENT_FIX_DURATION\t{AREA}\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "fix_report_P1.txt"
    ...     _ = file.write_text(head + "P1\t1\t10.5\t20\t200\t3\nP1\t1\t.\t.\t90\t.\n")
    ...     interest_areas(file)
    array([ 3, -1])
    """
    source = Source(Path(path))
    columns = _columns(source)
    if AREA not in columns:
        raise FormatError.missing_columns(source.path.name, [AREA], columns, "Export it with them")
    shown = _stimulus_column(source, columns, None)
    asked = Request(source=source, columns=columns, shown=shown, participant=participant)
    return read_events(asked, Counter()).area.astype(np.int64)


def _columns(source: Source) -> list[str]:
    line = source.head.partition(b"\n")[0].decode("utf-8", "replace").strip("\r\n")
    return [cell.strip('"') for cell in split_line(line, find_separator(line))]


def _is_report(columns: list[str]) -> bool:
    events = any(name.startswith(("CURRENT_FIX_", "CURRENT_SAC_")) for name in columns)
    trials = {TRIAL, TRIAL_LABEL} & set(columns)
    return PERSON in columns or (bool(trials) and (events or _of_samples(columns)))


def _of_samples(columns: list[str]) -> bool:
    gaze = {f"{side}_GAZE_X" for side in (*SIDES.values(), "AVERAGE")}
    return "TIMESTAMP" in columns and bool(gaze & set(columns))


def _stimulus_column(source: Source, columns: list[str], asked: str | None) -> str | None:
    if asked is not None and asked not in columns:
        raise FormatError.missing_columns(source.path.name, [asked], columns, "Check stimulus=")
    lowered = {name.lower(): name for name in reversed(columns)}
    return asked or next((lowered[name] for name in _STIMULI if name in lowered), None)


READER = Reader(
    name="dataviewer",
    title="EyeLink Data Viewer reports (fixations, saccades, samples) with .ias interest areas",
    sniff=sniff,
    read=read,
    suffixes=(".txt", ".tsv", ".csv", ".xls", ".ias"),
    priority=10,
)

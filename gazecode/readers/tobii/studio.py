"""Tobii Studio exports of three generations (1.x, 2.x, 3.x), tab-separated text.

One row per sample, and rows of events between them, which carry no gaze: those are messages. Each
eye has a validity from 0 (certain) to 4 (not found); Tobii's manual advises against 2 (which eye
is unknown) and more, and so are they lost here. Lost gaze is written as an empty cell, as -1, or
as minus the size of the screen; never is it a place.

Gaze is px of the screen (ADCS); fixations are px of the media (MCS) and are brought to the screen
by the place of the media, or by gaze that the file gives in both. Stamps are whole ms; where the
tracker's own µs stand beside them, those are taken, laid on the recording's clock.

Tobii Technology AB, Tobii Studio User Manual, versions 1.x, 2.x and 3.4.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, ParameterError
from gazecode.model import Events, Recording, Samples, Screen, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tobii.prolab_runs import (
    Runs,
    events_of_spans,
    rows_of_samples,
    trials_of_spans,
)
from gazecode.readers.tobii.rows import (
    fine_clock,
    spread_repeats,
)
from gazecode.readers.tobii.studio_layout import (
    Layout,
    find_layout,
    screen_size,
)
from gazecode.readers.tobii.studio_reports import (
    gaze_file_of,
    layout_of,
    read_fixations,
    refuse_units,
)
from gazecode.readers.tobii.studio_rows import StudioRows
from gazecode.readers.tools.arrow import read_table
from gazecode.readers.tools.build import samples_of_eyes

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MAX_VALIDITY = 1
KINDS = {"Fixation": "fixation", "Saccade": "saccade", "Unclassified": "undefined"}
NO_MEDIA = "No media"
_LEAST_SCREEN_PX = 320


def sniff(source: Source) -> bool:
    """Whether a header line of Studio's stands at the start or after Studio's preamble."""
    return find_layout(source.head.replace(b"\r\n", b"\n")) is not None


def read(
    source: Source, *, recording: str | None = None, max_validity: int = MAX_VALIDITY
) -> Recording:
    """Read one recording.

    Parameters
    ----------
    source
        An All-Data file, a Fixation-Data file, or the Event-Data file beside either.
    recording
        Its name (or its participant's), in an export that holds several in one file.
    max_validity
        The highest code, 0 to 4, with which an eye's gaze is taken.

    Returns
    -------
    Recording
        ``left`` and ``right``, or ``both`` where the file has one point alone; px of the screen;
        pupil in mm; ms from the first sample (from the start of the recording in a file of
        fixations). Trials are the stretches in which one media was shown.

    Raises
    ------
    FormatError
        Several recordings and none is named; events without the file they belong to.
    ParameterError
        `max_validity` is no validity code.
    """
    if not 0 <= max_validity <= 4:
        raise ParameterError(f"max_validity is {max_validity!r}; expected a code from 0 to 4")
    layout, blocks = layout_of(source)
    if layout.kind == "fixations":
        return read_fixations(source)
    if layout.kind == "events":
        return _read_companion(source, layout, recording, max_validity)
    refuse_units(layout, source.name)
    visit = StudioRows(layout, source, recording, max_validity)
    wanted = visit.wanted()
    for block in read_table(blocks, name=source.name, columns=wanted, counts=visit.counts):
        visit.take(block)
    return _recording(visit)


def _read_companion(
    source: Source, layout: Layout, recording: str | None, max_validity: int
) -> Recording:
    """The recording to which a file of events belongs."""
    path = gaze_file_of(source, layout)
    found = read(Source(path), recording=recording, max_validity=max_validity)
    note = f"read from {path.name}, to which the events in {source.name} belong"
    said: dict[str, Any] = dict(found.provenance)
    said["notes"] = [note, *said.get("notes", ())]
    return replace(found, provenance=said)


def _recording(visit: StudioRows) -> Recording:
    c = visit.columns
    if not visit.n:
        raise FormatError(
            f"{visit.name} holds no row of gaze; expected samples. Export the gaze data as well"
        )
    if not c.gaze:
        raise FormatError.missing_columns(
            visit.name,
            ["GazePointLeftX (ADCSpx)"],
            visit.layout.names,
            "Tick the gaze points in px of the screen in the export",
        )
    notes: list[str] = []
    t_ms, zero, clock = _clock(visit, notes)
    xy = {eye: visit.gathered.array(f"xy {eye}") for eye in c.gaze}
    pupil = {
        eye: visit.gathered.array(f"pupil {eye}")
        for eye in c.gaze
        if eye in c.pupil or eye == "both"
    }
    pupil = {eye: values for eye, values in pupil.items() if len(values) == len(t_ms)}
    samples = samples_of_eyes(t_ms, xy, pupil, counts=visit.counts)
    del xy, pupil
    rows = rows_of_samples(t_ms, next(iter(samples.values())).t_ms)
    if not c.validity:
        notes.append("no validity columns: gaze is taken as it stands, but for -1 and empty cells")
    screen = _screen(visit, notes)
    return Recording(
        samples=samples,
        trials=_trials(visit, rows, samples),
        messages=visit.log.messages(zero, 1.0, visit.counts),
        device_events=_events(visit, rows, samples),
        screen=screen,
        provenance={
            "clock": clock,
            **_who(visit),
            "left_out": dict(+visit.counts),
            "notes": notes,
        },
    )


def _clock(visit: StudioRows, notes: list[str]) -> tuple[FloatArray, float, str]:
    """Stamps in ms from the first sample, the file's own stamp there, and what was taken."""
    c = visit.columns
    rough = visit.gathered.array("t")
    found = fine_clock(rough, visit.gathered.array("tracker"))
    if found is not None:
        t_ms, zero, residual = found
        clock = (
            f"column {c.tracker_us}, µs, laid on {c.time} (at most {residual:.2f} ms apart); "
            "0 at the first sample"
        )
        return t_ms, zero, clock
    timed = rough[np.isfinite(rough)]
    if not len(timed):
        raise FormatError(f"{visit.name} holds no time stamp in {c.time}; export it again")
    rough, n = spread_repeats(rough)
    if n:
        notes.append(f"{n} samples share a whole ms with another: laid out evenly inside it")
    if c.tracker_us:
        notes.append(f"{c.tracker_us} does not follow {c.time}: its whole ms are taken")
    zero = float(timed.min())
    return rough - zero, zero, f"column {c.time}, ms; 0 at the first sample"


def _who(visit: StudioRows) -> dict[str, str]:
    c, layout = visit.columns, visit.layout
    return {
        "participant": visit.people.name(c.participant, layout.first_of("Participant", "Subject")),
        "recording": visit.people.name(c.recording, layout.first_of("Recording name", "Recording")),
        "filter": visit.said.get(c.filter or "", layout.first_of("Fixation filter")),
    }


def _screen(visit: StudioRows, notes: list[str]) -> Screen | None:
    """What the file states; else what it writes for lost gaze, or the size of no media at all."""
    stated = visit.said.get(visit.columns.resolution or "", "")
    stated = stated or visit.layout.first_of("Recording resolution", "Screen resolution")
    size = screen_size(stated)
    if size is None and visit.lost_codes:
        code, _ = visit.lost_codes.most_common(1)[0]
        if min(code) >= _LEAST_SCREEN_PX and all(side.is_integer() for side in code):
            size = code
            notes.append(f"screen {size[0]:g} x {size[1]:g} px: lost gaze is minus its size")
    if size is None:
        size = _empty_screen(visit)
        if size is not None:
            notes.append(f"screen {size[0]:g} x {size[1]:g} px: the size of {NO_MEDIA!r}")
    return None if size is None else visit.millimetres.screen(*size, notes)


def _empty_screen(visit: StudioRows) -> tuple[float, float] | None:
    """Where nothing is shown Studio states the whole screen as the media."""
    c = visit.columns
    if visit.media is None or c.media is None or c.media_size is None:
        return None
    names = visit.media.texts(c.media)
    empty = np.array([i for i, name in enumerate(names) if name == NO_MEDIA], dtype=np.int64)
    if not len(empty):
        return None
    sizes = visit.media.values(c.media_size, empty)
    sizes = sizes[(sizes > 0).all(axis=1)]
    return (float(sizes[0, 0]), float(sizes[0, 1])) if len(sizes) else None


def _trials(visit: StudioRows, rows: IntArray | None, samples: dict[str, Samples]) -> list[Trial]:
    media = visit.columns.media
    if visit.media is None or media is None:
        return []
    spans = visit.media.spans(next(iter(samples.values())).t_ms, rows)
    labels = visit.media.texts(media, spans.row)
    return trials_of_spans(
        spans, ["" if label == NO_MEDIA else label for label in labels], no_stimulus=()
    )


def _events(visit: StudioRows, rows: IntArray | None, samples: dict[str, Samples]) -> Events:
    if visit.events is None:
        return Events.empty()
    spans = visit.events.spans(next(iter(samples.values())).t_ms, rows)
    if not len(spans.row):
        return Events.empty()
    kinds, places = _kinds(visit, visit.events, spans.row), _places(visit, visit.events, spans.row)
    return events_of_spans(spans, kinds, places, samples)


def _kinds(visit: StudioRows, said: Runs, row: IntArray) -> list[str]:
    """Kind of each run; where only fixations are numbered, one with a duration is one.

    The first fixation of a file may have the number 0; elsewhere 0 stands for none.
    """
    c = visit.columns
    if c.kind:
        return [KINDS.get(name, "") for name in said.texts(c.kind, row)]
    number = said.values([c.fixation_index or ""], row)[:, 0]
    long = said.values([c.duration], row)[:, 0] if c.duration else number
    is_fixation = (number >= 0) & (long > 0)
    return ["fixation" if one else "" for one in is_fixation.tolist()]


def _places(visit: StudioRows, said: Runs, row: IntArray) -> FloatArray:
    """Fixations on the screen: px of the media, moved as gaze that is given in both is."""
    c = visit.columns
    nowhere = np.full((len(row), 2), np.nan)

    def of(pair: tuple[str, str] | None) -> FloatArray:
        return nowhere if pair is None else said.values(pair, row)

    place = of(c.fixation).copy()
    place[(place == -1).all(axis=1)] = np.nan
    moved = of(c.point) - of(c.media_point)
    return place + np.where(np.isfinite(moved), moved, of(c.media_at))


READER = Reader(
    name="tobii_studio",
    title="Tobii Studio 1.x to 3.x exports (All-Data, Fixation-Data, Event-Data), TSV",
    sniff=sniff,
    read=read,
    suffixes=(".tsv", ".txt", ".csv"),
    priority=10,
)

"""PsychoPy ioHub: the HDF5 file of an experiment, all sessions in one table.

Tables under ``data_collection/events``; `time` is s and starts again in every session, so sessions
are told apart by ``session_id`` and laid out one after another. Positions are in the window's
units: px from the centre, y growing upward, in most files; an experiment that follows ioHub's
examples writes size and units of its display into a message. Codes of `status`: the left eye's
digit times ten plus the right eye's; 0 is fine, 2 and more is not (ioHub's documentation; old Tobii
trackers put their validity of 0 to 4 there). Trackers that write 0, 0 for lost gaze have it
converted like any other point, to the top left corner.

Peirce et al. 2019, doi:10.3758/s13428-018-01193-y; psychopy.iohub.devices.eyetracker.
"""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Recording, Screen
from gazecode.readers.psychopy.iohub_sessions import Ends, Gaze, Said, lay_out
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.hdf5_tables import Table, Tables, is_hdf5, open_tables

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_EVENTS = "/data_collection/events"
_MAPPING = "/class_table_mapping"
_EYES = {21: "left", 22: "right"}
_POINTS: dict[str, tuple[str, str]] = {
    "fixation": ("average_gaze", ""),
    "saccade": ("start_gaze", "end_gaze"),
    "blink": ("", ""),
}
_LOST_CODE = 2
_MOST_MESSAGE_BYTES = 4096


def sniff(source: Source) -> bool:
    """Whether it is HDF5 and names ioHub's group of tables near its beginning."""
    return is_hdf5(source.head) and b"data_collection" in source.head


def read(
    source: Source,
    *,
    session: int | None = None,
    units: str | None = None,
    screen: Screen | None = None,
) -> Recording:
    """Read the gaze of all sessions, or of one.

    Parameters
    ----------
    source
        ``events.hdf5``.
    session
        Number of the session to read. By default all follow one another, 1 s apart, each a trial
        ``session N``.
    units
        Units of the window (pix, norm, height, deg), where no message states them.
    screen
        The display, where neither a message states its size nor lost gaze betrays it.

    Returns
    -------
    Recording
        ``samples["left"]`` and ``["right"]``, or the one eye tracked; px from the top left of the
        session's display; ms from the first sample.
    """
    counts: Counter[str] = Counter()
    # Any bytes are some float: those that are none here become lost or are left out below.
    with np.errstate(over="ignore", invalid="ignore"):
        with open_tables(source) as tables:
            places = _places(tables)
            gaze = _gaze(tables, places, session, source.name, counts)
            said = _said(tables, places, session)
            people = _people(tables)
            ends = {kind: _ends(tables, places, kind, session) for kind in _POINTS}
        return lay_out(
            gaze, said, ends, people, counts=counts, given=screen, units=units, name=source.name
        )


def _places(tables: Tables) -> dict[str, str]:
    """Class of events → its table, as the file's own list has it."""
    places = {
        name: f"{_EVENTS}/{folder}/{name}"
        for folder, names in (
            ("eyetracker", ("BinocularEyeSampleEvent", "MonocularEyeSampleEvent")),
            ("eyetracker", ("FixationEndEvent", "SaccadeEndEvent", "BlinkEndEvent")),
            ("experiment", ("MessageEvent",)),
        )
        for name in names
    }
    mapping = tables.table(_MAPPING)
    if mapping is None:
        return places
    listed = mapping.columns(["class_name", "table_path"])
    if len(listed) < 2:
        return places
    for name, path in zip(listed["class_name"], listed["table_path"], strict=True):
        if (key := _text(name)) in places and _text(path).startswith(_EVENTS):
            places[key] = _text(path)
    return places


def _gaze(
    tables: Tables, places: dict[str, str], session: int | None, name: str, counts: Counter[str]
) -> Gaze:
    """Samples of both eyes, or of one; of the table that holds more of the sessions asked for."""
    found: dict[str, tuple[Table, BoolArray]] = {}
    known: set[int] = set()
    for kind in ("Binocular", "Monocular"):
        table = tables.table(places[f"{kind}EyeSampleEvent"])
        if table is None or not {"session_id", "time"} <= table.names:
            continue
        numbers = table.columns(["session_id"])["session_id"]
        known |= {int(n) for n in np.unique(numbers)}
        wanted = np.ones(len(numbers), bool) if session is None else numbers == session
        if wanted.any():
            found[kind] = (table, np.asarray(wanted))
    if not found:
        asked = "" if session is None else f" of session {session}"
        has = f"sessions with gaze: {sorted(known)[:20]}" if known else "no session has any"
        raise FormatError(
            f"{name} holds no gaze{asked}; {has}. Expected rows in the table "
            f"{places['BinocularEyeSampleEvent']}"
        )
    kind = max(found, key=lambda k: int(found[k][1].sum()))
    counts["samples_of_other_table"] += sum(
        int(wanted.sum()) for k, (_, wanted) in found.items() if k != kind
    )
    table, wanted = found[kind]
    rows = slice(None) if wanted.all() else np.flatnonzero(wanted)
    if kind == "Binocular":
        return _binocular(table, rows)
    return _monocular(table, rows, counts)


def _binocular(table: Table, rows: Any) -> Gaze:
    status = _column(table, "status", rows, kind=np.uint8)
    gaze = _clock(table, rows, status)
    for eye, digit in (("left", status // 10), ("right", status % 10)):
        _add_eye(gaze, eye, table, rows, prefix=f"{eye}_", lost=digit >= _LOST_CODE)
    return gaze


def _monocular(table: Table, rows: Any, counts: Counter[str]) -> Gaze:
    codes = _column(table, "eye", rows, kind=np.uint8)
    tracked, seen = np.unique(codes, return_counts=True)
    code = int(tracked[seen.argmax()])
    if len(tracked) > 1:
        counts["other_eye"] += int((codes != code).sum())
        every = np.arange(len(table))[rows]
        rows = every[codes == code]
    status = _column(table, "status", rows, kind=np.uint8)
    gaze = _clock(table, rows, status)
    # Some trackers put an eye's digit where a binocular sample has it.
    lost = (status % 10 >= _LOST_CODE) | (status // 10 >= _LOST_CODE)
    _add_eye(gaze, _EYES.get(code, "both"), table, rows, prefix="", lost=lost)
    return gaze


def _clock(table: Table, rows: Any, status: npt.NDArray[Any]) -> Gaze:
    return Gaze(
        session=_column(table, "session_id", rows, kind=np.int64),
        t_ms=_column(table, "time", rows) * 1000.0,
        status=status,
    )


def _add_eye(
    gaze: Gaze, eye: str, table: Table, rows: Any, *, prefix: str, lost: BoolArray
) -> None:
    xy = np.empty((len(gaze.t_ms), 2))
    for i, axis in enumerate("xy"):
        xy[:, i] = _column(table, f"{prefix}gaze_{axis}", rows)
    pupil = _column(table, f"{prefix}pupil_measure1", rows)
    # What has no status may still be marked as trackers mark it: -1 everywhere.
    lost = lost | ((xy == -1).all(axis=1) & (pupil == -1))
    xy[lost] = np.nan
    pupil[lost] = np.nan
    gaze.xy[eye], gaze.pupil[eye], gaze.lost[eye] = xy, pupil, int(lost.sum())


def _column(table: Table, name: str, rows: Any, *, kind: Any = np.float64) -> npt.NDArray[Any]:
    """A column of some rows, 0 or NaN throughout where the table has none."""
    found = table.columns([name])
    if name in found and found[name].dtype.kind in "iufb":
        return np.asarray(found.pop(name)[rows]).astype(kind, copy=False)
    n = len(np.empty(len(table), bool)[rows])
    return np.full(n, np.nan if kind is np.float64 else 0, dtype=kind)


def _said(tables: Tables, places: dict[str, str], session: int | None) -> Said:
    table = tables.table(places["MessageEvent"])
    if table is None or not {"session_id", "time", "text"} <= table.names:
        return Said()
    held = table.columns(["session_id", "time", "text"])
    if held["text"].dtype.itemsize > _MOST_MESSAGE_BYTES:
        raise FormatError(f"messages of {held['text'].dtype.itemsize} bytes each are not ioHub's")
    rows = slice(None) if session is None else np.flatnonzero(held["session_id"] == session)
    return Said(
        session=held["session_id"][rows].astype(np.int64),
        t_ms=held["time"][rows].astype(np.float64) * 1000.0,
        text=[_text(raw) for raw in held["text"][rows]],
    )


def _ends(tables: Tables, places: dict[str, str], kind: str, session: int | None) -> Ends:
    """The events' ends, which hold their durations; the table of starts says nothing more."""
    table = tables.table(places[f"{kind.title()}EndEvent"])
    if table is None or not {"session_id", "time", "duration"} <= table.names:
        return Ends()
    numbers = _column(table, "session_id", slice(None), kind=np.int64)
    rows = slice(None) if session is None else np.flatnonzero(numbers == session)
    begin, end = _POINTS[kind]
    codes = _column(table, "eye", rows, kind=np.uint8)
    return Ends(
        session=numbers[rows],
        end_ms=_column(table, "time", rows) * 1000.0,
        duration_ms=_column(table, "duration", rows) * 1000.0,
        eye=np.array([_EYES.get(int(code), "both") for code in codes], dtype=object),
        xy=np.stack([_column(table, f"{begin}_{axis}", rows) for axis in "xy"], axis=1),
        end_xy=np.stack([_column(table, f"{end}_{axis}", rows) for axis in "xy"], axis=1),
    )


def _people(tables: Tables) -> dict[int, str]:
    """Session → the code of its participant."""
    table = tables.table("/data_collection/session_meta_data")
    held = {} if table is None else table.columns(["session_id", "code"])
    if len(held) < 2:
        return {}
    return {
        int(number): _text(code)
        for number, code in zip(held["session_id"], held["code"], strict=True)
    }


def _text(raw: Any) -> str:
    return raw.decode("utf-8", "replace").strip() if isinstance(raw, bytes) else str(raw)


READER = Reader(
    name="psychopy_iohub",
    title="PsychoPy ioHub HDF5 (data_collection/events/eyetracker)",
    sniff=sniff,
    read=read,
    suffixes=(".hdf5", ".h5"),
    priority=10,
)

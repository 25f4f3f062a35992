"""Titta's HDF5: the streams of one session, as pandas' fixed format lays out a table.

``gaze`` holds the SDK's columns under TittaPy's names, ``msg`` system time and text,
``calibration_history`` the outcome of each calibration. In the fixed format a table is a group of
blocks, one for each kind of number: ``block0_items`` names the columns of ``block0_values``; they
are read as they lie, without PyTables. The texts of ``msg`` lie there as a pickle: it is never run;
its texts are taken from its opcodes, and nothing else in it is looked at.

Titta: Niehorster, Andersson & Nyström 2020, doi:10.3758/s13428-020-01358-8 (layout: `save_data` of
github.com/marcus-nystrom/Titta; pandas, "fixed" format of `HDFStore`).
"""

import math
import pickletools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, TooLarge
from gazecode.model import Recording, Validation
from gazecode.readers.reader import Reader
from gazecode.readers.source import MAX_RATIO, Source
from gazecode.readers.tobii.sdk_columns import EYES, find_columns, recording

if TYPE_CHECKING:
    import h5py

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MAGIC = b"\x89HDF\r\n\x1a\n"
_FREE_BYTES = 64 << 20
_MAX_COLUMNS = 10_000
_MAX_PICKLE = 16 << 20
_FREE_CHUNK_BYTES = 16 << 20
_TEXT_OPS = {"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"}
_GET_OPS = {"BINGET", "LONG_BINGET", "GET"}
_PUT_OPS = {"BINPUT", "LONG_BINPUT", "PUT"}


def sniff(source: Source) -> bool:
    """Whether it is HDF5 with a table ``gaze`` of the SDK's columns."""
    if not source.head.startswith(_MAGIC):
        return False
    import h5py

    try:
        with h5py.File(source.path, "r") as file:
            group = file.get("gaze")
            return isinstance(group, h5py.Group) and find_columns(_places(group)).is_gaze
    except (OSError, ValueError, KeyError):
        return False


def read(source: Source) -> Recording:
    """Read the session's gaze and messages.

    Returns
    -------
    Recording
        ``left`` and ``right``, plane ``screen_fraction``, pupil diameter in mm; ms from the first
        stamp; a trial from each ``onset_<stimulus>`` message to its ``offset_<stimulus>``.
    """
    import h5py

    counts: Counter[str] = Counter()
    notes: list[str] = []
    with h5py.File(source.path, "r") as file:
        gaze = file["gaze"]
        places = _places(gaze)
        limit = _FREE_BYTES + source.path.stat().st_size * MAX_RATIO
        _check_sizes(gaze, limit, source.name)

        calibrations = _calibrations(file.get("calibration_history"), limit)
        if calibrations:
            notes.append("the calibrations' times are not in the file: validations stand at 0 ms")

        def column(name: str) -> FloatArray:
            values, k = places[name]
            return np.asarray(values[:, k], dtype=np.float64)

        def flag(name: str) -> BoolArray:
            values, k = places[name]
            return np.asarray(values[:, k] == 1)

        made, _ = recording(
            find_columns(places),
            column,
            flag,
            counts=counts,
            messages=_messages(file.get("msg"), limit, notes, source.name),
            notes=notes,
            more={"calibrations": calibrations},
        )
    return replace(made, validations=_validations(calibrations))


def _places(group: "h5py.Group") -> "dict[str, tuple[h5py.Dataset, int]]":
    """Column → the block that holds it and its place in it."""
    found: dict[str, tuple[h5py.Dataset, int]] = {}
    for name in group:
        items, values = group.get(name), group.get(name.replace("_items", "_values"))
        if not name.startswith("block") or not name.endswith("_items") or values is None:
            continue
        if items.ndim != 1 or items.dtype.kind != "S" or len(items) > _MAX_COLUMNS:
            continue
        if values.ndim == 2 and values.shape[1] == len(items) and values.dtype.kind in "fiub":
            names = [item.decode("utf-8", "replace") for item in items[:]]
            found |= {column: (values, k) for k, column in enumerate(names)}
    return found


def _check_sizes(group: "h5py.Group", limit: int, name: str) -> None:
    """Refuse tables that say they are far larger than the file, and columns of several lengths."""
    import h5py

    # A link leads to any file of this machine, and so do external storage and virtual data.
    if not all(isinstance(group.get(n, getlink=True), h5py.HardLink) for n in group):
        raise FormatError(f"{name}: {group.name} holds links; expected the data in this file")
    sets = [node for node in group.values() if isinstance(node, h5py.Dataset)]
    if any(node.external or node.is_virtual for node in sets):
        raise FormatError(f"{name}: data of {group.name} lie in another file; expected them here")
    if any(_is_bomb(node) for node in sets):
        raise TooLarge(f"{name}: a chunk of {group.name} is a decompression bomb; refused")
    size = sum(node.size * node.dtype.itemsize for node in sets if node.size is not None)
    if size > limit:
        raise TooLarge(
            f"{name} declares {size} bytes in {group.name}; at most {limit} are read from a file "
            "of its size. Write it again if you trust it"
        )
    lengths = {values.shape[0] for values, _ in _places(group).values()}
    if len(lengths) > 1:
        raise FormatError(
            f"{name} holds columns of {len(lengths)} lengths in {group.name}; expected one. "
            "Save the session again"
        )


def _is_bomb(node: "h5py.Dataset") -> bool:
    """Whether a chunk is too large, or holds far more packed bytes than it has room for.

    Unpacking stops at the end of the stream, not at the size of a chunk.
    """
    if node.chunks is None:
        return False
    room = math.prod(node.chunks) * node.dtype.itemsize
    chunks = range(node.id.get_num_chunks())
    largest = max((int(node.id.get_chunk_info(i).size) for i in chunks), default=0)
    return bool(room > _FREE_CHUNK_BYTES or largest > 2 * room + 4096)


def _messages(
    group: "h5py.Group | None", limit: int, notes: list[str], name: str
) -> list[tuple[float, str]]:
    """System time in µs and text of each message."""
    if group is None:
        return []
    _check_sizes(group, limit, name)
    stamps = _places(group).get("system_time_stamp")
    texts = _texts(group)
    if stamps is None or texts is None or len(texts) != len(stamps[0]):
        notes.append("the table msg cannot be read: messages and trials are left out")
        return []
    system_us = np.asarray(stamps[0][:, stamps[1]], dtype=np.float64)
    return [(float(ts), text) for ts, text in zip(system_us, texts, strict=True)]


def _texts(group: "h5py.Group") -> list[str] | None:
    """The one column of text in a table."""
    for name in group:
        if name.startswith("block") and name.endswith("_values") and group[name].dtype.kind == "O":
            pieces = group[name][:]
            if not len(pieces):
                return []
            raw = bytes(pieces[0])
            return pickled_texts(raw) if len(raw) <= _MAX_PICKLE else None
    return None


def pickled_texts(raw: bytes) -> list[str] | None:
    """Texts of the last list in a pickle, from its opcodes; nothing in it is run.

    Returns None if an element of the list is no text.

    >>> import pickle
    >>> pickled_texts(pickle.dumps(["fix on", "onset_a.png", "fix on"]))
    ['fix on', 'onset_a.png', 'fix on']
    """
    memo: dict[int, str | None] = {}
    found: list[str | None] = []
    latest: str | None = None
    inside = False
    try:
        for op, argument, _ in pickletools.genops(raw):
            if op.name in _TEXT_OPS or op.name in _GET_OPS:
                latest = argument if op.name in _TEXT_OPS else memo.get(int(str(argument)))
                if inside:
                    found.append(latest)
            elif op.name == "MEMOIZE":
                memo[len(memo)] = latest
            elif op.name in _PUT_OPS:
                memo[int(str(argument))] = latest
            elif op.name == "EMPTY_LIST":
                found, inside, latest = [], True, None
            elif op.name in ("APPENDS", "APPEND"):
                # Long lists come in several pieces.
                inside = op.name == "APPENDS"
                latest = None
            else:
                latest = None
    except (ValueError, IndexError, UnicodeDecodeError):
        return None
    texts = [text for text in found if text is not None]
    return texts if len(texts) == len(found) else None


def _calibrations(group: "h5py.Group | None", limit: int) -> list[dict[str, float]]:
    """Offsets and precision of each calibration, as Titta states them."""
    if group is None:
        return []
    _check_sizes(group, limit, "calibration_history")
    places = _places(group)
    columns: dict[str, Any] = {n: np.asarray(v[:, k], dtype=float) for n, (v, k) in places.items()}
    rows = len(next(iter(columns.values()), []))
    return [
        {n: round(float(c[i]), 6) for n, c in columns.items() if np.isfinite(c[i])}
        for i in range(rows)
    ]


def _validations(calibrations: list[dict[str, float]]) -> list[Validation]:
    """Mean offset of each eye in the calibration that was used; else in the last one."""
    used = [c for c in calibrations if c.get("Calibration used") == 1] or calibrations
    if not used:
        return []
    offsets = {eye: used[-1].get(f"offset_{eye}_eye (deg)") for eye in EYES}
    return [
        Validation(
            t_ms=0.0,
            eye=eye,
            target_xy_px=np.empty((0, 2)),
            offset_xy_px=np.empty((0, 2)),
            offset_deg=np.empty(0),
            mean_deg=offset,
        )
        for eye, offset in offsets.items()
        if offset is not None
    ]


READER = Reader(
    name="titta",
    title="Titta HDF5 of a session (tables gaze, msg, calibration_history)",
    sniff=sniff,
    read=read,
    suffixes=(".h5", ".hdf5"),
    priority=10,
)

"""CodeGRITS (JetBrains IDEs with Tobii Pro or the mouse): the gaze of a session and its IDE's log.

A session is a folder with ``eye_tracking.xml`` and ``ide_tracking.xml``. Gaze is in fractions of
the primary screen; the IDE's log holds that screen's logical size and its scaling, from which px
come. Each eye keeps its own validity: one bad eye makes the plug-in drop the *place in the text*,
not the gaze. Lines and columns are 0-based; `ide_positions` gives them, with the syntax tree
forward-filled where the file says ``Same (Last Successful AST)``. All stamps are Unix ms in order
of arrival, so a step back is a jump of the clock: it is undone and reported.

Tang et al. 2024, doi:10.1145/3639478.3640037.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Message, Recording
from gazecode.model.checks import repeated
from gazecode.readers.codegrits.log import Log, ide_log
from gazecode.readers.itrace.ide import Positions
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.xml import Columns, Group, Kind, number, read_xml, root_name

__all__ = ["READER", "ide_positions", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_EYE: dict[str, Kind] = {
    "gaze": "in:gaze",
    "xy": ("gaze_point_x", "gaze_point_y"),
    "gaze_validity": "flag",
    "pupil_diameter": "float",
    "pupil_validity": "flag",
}
_GAZE_ROWS: dict[str, dict[str, Kind]] = {
    "gaze": {"timestamp": "int", "remark": "text"},
    "left_eye": _EYE,
    "right_eye": _EYE,
    "location": {"gaze": "in:gaze"},
    "ast_structure": {"remark": "text"},
}
_PLACE_ROWS: dict[str, dict[str, Kind]] = {
    "gaze": {"timestamp": "int"},
    "location": {
        "gaze": "in:gaze",
        "xy": ("x", "y"),
        "line": "float",
        "column": "float",
        "path": "text",
    },
    "ast_structure": {"gaze": "in:gaze", "token": "text", "type": "text", "remark": "text"},
    "level": {"ast": "in:ast_structure", "tag": "text", "start": "text", "end": "text"},
}
_FRAMES = b"timestamp,frame_number,clip_number"
_MAX_MS = 30 * 86_400_000
_MANY_JUMPS = 0.01
"""Steps back in more than this share of the rows are no jumps of a clock: rows out of order."""


def sniff(source: Source) -> bool:
    """Whether this is a session's folder, one of its two XML files, or its list of frames."""
    if source.path.is_dir():
        inside = source.path / "eye_tracking.xml"
        return inside.is_file() and root_name(Source(inside).head) == "eye_tracking"
    root = root_name(source.head)
    if root == "eye_tracking":
        return b"<gazes" in source.head or b"<setting" in source.head
    if root == "ide_tracking":
        return b"<environment" in source.head or b"<archives" in source.head
    return source.head.startswith(_FRAMES)


def read(source: Source) -> Recording:
    """Read a session.

    Parameters
    ----------
    source
        The session's folder, or a file in it.

    Returns
    -------
    Recording
        ``left`` and ``right``; px of the primary screen where the IDE's log lies beside, else
        fractions of it; ms from the first gaze. What happened in the IDE is in `messages`.
    """
    eyes = _eye_file(source)
    document = read_xml(eyes.chunks(), name=eyes.name, rows=_GAZE_ROWS, heads=("setting",))[0]
    tables = document.tables
    counts: Counter[str] = Counter()
    stamps = _stamps(tables["gaze"], eyes.name)
    said = _remarks(tables)
    first, t_ms, jumps = _clock(stamps, eyes.name)
    del stamps
    xy, pupil = _eyes(tables, len(t_ms), counts)
    log = _log(eyes)
    size = None if log.screen is None else np.array([log.screen.width_px, log.screen.height_px])
    if size is not None:
        for eye in xy:
            xy[eye] *= size
    samples = samples_of_eyes(t_ms, xy, pupil, counts=counts)
    return Recording(
        samples=samples,
        screen=log.screen,
        plane="screen_fraction" if size is None else "screen_px",
        messages=[Message(t_ms=float(t - first), text=text) for t, text in log.messages],
        provenance={
            "clock": "timestamp, Unix ms; 0 at the first gaze",
            **_setting(document),
            "remarks": said,
            "clock_jumps": jumps,
            "ide": dict(log.said),
            "left_out": dict(+counts),
            "notes": [*log.notes, *_jump_notes(jumps)],
        },
        start_ns=first * 1_000_000,
    )


def _setting(document: Group) -> dict[str, Any]:
    setting = document.heads.get("setting", {})
    # The documentation calls it sampling_rate, the code writes sample_frequency.
    rate = number(setting.get("sample_frequency", setting.get("sampling_rate")), "sample_frequency")
    said: dict[str, Any] = {"tracker": setting.get("eye_tracker", "")}
    return said | ({"vendor_rate_hz": rate} if np.isfinite(rate) else {})


def _eye_file(source: Source) -> Source:
    """The file with the gaze, from the folder or from what lies beside it."""
    folder = source.path if source.path.is_dir() else source.path.parent
    if not source.path.is_dir() and root_name(source.head) == "eye_tracking":
        return source
    # frames.csv lies in a folder of its own, screen_recording.
    for place in (folder, folder.parent):
        for name in ("eye_tracking.xml", "eye_tracking.xml.gz"):
            if (place / name).is_file() and root_name(Source(place / name).head) == "eye_tracking":
                return Source(place / name)
    raise FormatError(
        f"{source.name} belongs to a CodeGRITS session and holds no gaze; expected "
        "eye_tracking.xml beside it. Open that file"
    )


def _log(eyes: Source) -> Log:
    folder = eyes.path.parent
    for name in ("ide_tracking.xml", "ide_tracking.xml.gz"):
        if (folder / name).is_file():
            return ide_log(Source(folder / name))
    return Log(
        notes=("no ide_tracking.xml beside the gaze: without the screen's size it stays fractions",)
    )


def _stamps(gaze: Columns, name: str) -> IntArray:
    stamps: IntArray = gaze.pop("timestamp")
    if not len(stamps):
        raise FormatError(f"{name}: no <gaze> in the document; expected some. Record again")
    return stamps


def _remarks(tables: dict[str, Columns]) -> dict[str, int]:
    """Why gaze has no place in the text, as the plug-in says; how often a tree is repeated."""
    said = Counter(tables["gaze"].pop("remark").tolist())
    said += Counter(tables["ast_structure"].pop("remark").tolist())
    places = len(tables["location"].pop("gaze"))
    said.pop("", None)
    return {"with a place in the text": places, **{str(k): n for k, n in said.most_common(20)}}


def _clock(stamps: IntArray, name: str) -> tuple[int, FloatArray, list[dict[str, float]]]:
    """Stamp of the first gaze, ms since it with jumps of the clock undone, and the jumps."""
    low, high = int(stamps.min()), int(stamps.max())
    if not (low > 0 and high < 2**53):
        raise FormatError(
            f"{name}: timestamps run from {low} to {high}; expected Unix ms. The file is damaged"
        )
    step = np.diff(stamps)
    at, usual = _jumps(step)
    by = np.zeros(len(stamps))
    by[at + 1] = step[at] - usual
    t: FloatArray = np.asarray(stamps - np.cumsum(by), dtype=np.float64)
    jumps = [{"at_ms": float(t[i] - t[0]), "by_ms": float(by[i + 1])} for i in at]
    first = int(stamps[0]) if jumps else low
    if (t.max() - first) > _MAX_MS:
        raise FormatError(
            f"{name}: timestamps run over {(high - low) / 86_400_000:.0f} days; expected one "
            "session. The file is damaged: copy or export it again"
        )
    t -= t.min()
    return first, t, jumps


def _jumps(step: IntArray) -> tuple[IntArray, float]:
    """After which rows the clock jumped, and the step that rows usually take.

    Back, or forward by more than a session, or forward by what a later step back takes away.
    """
    back = np.flatnonzero(step < 0)
    if len(back) > max(1, _MANY_JUMPS * len(step)):
        return np.empty(0, dtype=np.int64), 0.0
    usual = float(np.median(step[step > 0])) if (step > 0).any() else 0.0
    found = {*back.tolist(), *np.flatnonzero(step > _MAX_MS).tolist()}
    previous = 0
    for at in back.tolist():
        ahead = previous + np.flatnonzero(step[previous:at] > 10 * usual)
        near = ahead[np.abs(step[ahead] + step[at] - 2 * usual) <= 5 * usual]
        found.update(near[-1:].tolist())
        previous = at + 1
    return np.array(sorted(found), dtype=np.int64), usual


def _jump_notes(jumps: list[dict[str, float]]) -> list[str]:
    if not jumps:
        return []
    largest = max((abs(jump["by_ms"]) for jump in jumps), default=0.0)
    return [f"{len(jumps)} jumps of the clock undone, the largest {largest:g} ms"]


def _eyes(
    tables: dict[str, Columns], n: int, counts: Counter[str]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    xy, pupil = {}, {}
    for eye in ("left", "right"):
        table = tables[f"{eye}_eye"]
        gaze = table.pop("gaze")
        points, size = table.pop("xy"), table.pop("pupil_diameter")
        valid = table.pop("gaze_validity")
        counts[f"invalid_{eye}"] += int((~valid).sum())
        points[~valid] = np.nan
        # The mouse has a pupil of 0, which is not valid either.
        size[~(table.pop("pupil_validity") & (size > 0))] = np.nan
        if len(gaze) != n or (gaze != np.arange(n)).any():
            points, size = _spread(points, gaze, n), _spread(size, gaze, n)
        xy[eye], pupil[eye] = points, size
    return xy, pupil


def _spread(values: FloatArray, gaze: IntArray, n: int) -> FloatArray:
    """One row per gaze, NaN for those without this eye."""
    spread = np.full((n, *values.shape[1:]), np.nan)
    inside = gaze >= 0
    spread[gaze[inside]] = values[inside]
    return spread


def ide_positions(path: str | Path | Source) -> Positions:
    """Where in the text each gaze fell, as the IDE's plug-in saw it.

    Parameters
    ----------
    path
        The session's folder, or a file in it.

    Returns
    -------
    dict of arrays, one row per gaze with a place, in time order
        ``t_ms`` (the recording's clock), ``line`` and ``column`` (0-based; a column is IntelliJ's
        logical one), ``unit``, ``target`` (name of the file), ``type`` (its suffix), ``path`` (one
        that begins with a slash is relative to the project), ``editor``, ``xy_px`` ``(k, 2)``
        (logical px of the screen, before its scaling), ``token`` and ``token_type``, ``syntax``
        (names of the tree's nodes, innermost first, joined by ``->``), ``node_start`` and
        ``node_end`` (``line:column`` of the innermost). Past the end of a line the token is the
        *next* one.
    """
    source = path if isinstance(path, Source) else Source(Path(path))
    eyes = _eye_file(source)
    tables = read_xml(eyes.chunks(), name=eyes.name, rows=_PLACE_ROWS)[0].tables
    _, t_ms, _ = _clock(_stamps(tables["gaze"], eyes.name), eyes.name)
    place, tree = tables["location"], _trees(tables["ast_structure"], tables["level"], len(t_ms))
    gaze = place["gaze"]
    order = np.flatnonzero(gaze >= 0)
    order = order[np.argsort(t_ms[gaze[order]], kind="stable")]
    gaze = gaze[order]
    line, column = place["line"][order], place["column"][order]
    on_text = (line >= 0) & (column >= 0) & (np.maximum(line, column) < 2**31)
    paths = place["path"][order]
    n = len(order)
    return {
        "t_ms": t_ms[gaze],
        "line": np.where(on_text, line, -1).astype(np.int64),
        "column": np.where(on_text, column, -1).astype(np.int64),
        "unit": repeated("logical", n),
        "target": _texts(re.split(r"[/\\]", p)[-1] for p in paths),
        "type": _texts(p.rpartition(".")[2] if "." in p else "" for p in paths),
        "path": paths,
        "editor": repeated("codegrits", n),
        "xy_px": place["xy"][order],
        **{name: values[gaze] for name, values in tree.items()},
    }


def _texts(values: Any) -> npt.NDArray[np.object_]:
    return np.array(list(values), dtype=object)


def _trees(ast: Columns, level: Columns, n: int) -> dict[str, npt.NDArray[np.object_]]:
    """Token and syntax of each gaze; a tree said to be the last one is the last full one."""
    k = len(ast["gaze"])
    syntax, start, end = ([""] * k for _ in range(3))
    for at, tag, begin, stop in zip(
        level["ast"], level["tag"], level["start"], level["end"], strict=True
    ):
        # A tag is a kind and, after a colon, its text, which may be a whole method.
        kind = tag.partition(":")[0]
        if not syntax[at]:
            syntax[at], start[at], end[at] = kind, begin, stop
        else:
            syntax[at] += "->" + kind
    full = np.array([bool(text) for text in syntax], dtype=bool)
    same = np.array([text.startswith("Same") for text in ast["remark"]], dtype=bool)
    last = np.maximum.accumulate(np.where(full, np.arange(k), -1)) if k else np.empty(0, np.int64)
    source = np.where(same & ~full, last, np.arange(k))
    columns = {
        "token": ast["token"],
        "token_type": ast["type"],
        "syntax": _filled(syntax, source),
        "node_start": _filled(start, source),
        "node_end": _filled(end, source),
    }
    found = {}
    inside = ast["gaze"] >= 0
    for name, values in columns.items():
        found[name] = repeated("", n)
        found[name][ast["gaze"][inside]] = values[inside]
    return found


def _filled(values: list[str], source: IntArray) -> npt.NDArray[np.object_]:
    # Index -1, "none before", takes the empty text at the end.
    return np.array([*values, ""], dtype=object)[source]


READER = Reader(
    name="codegrits",
    title="CodeGRITS session: eye_tracking.xml with ide_tracking.xml, or their folder",
    sniff=sniff,
    read=read,
    suffixes=(".xml",),
    priority=10,
)

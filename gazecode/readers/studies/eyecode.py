"""eyeCode XML: one participant, one trial per program, with the text, boxes and screenshot in it.

Hansen, Lumsdaine & Goldstone 2013, arXiv:1304.5257 (Tobii TX300, 300 Hz). Times are integer ms
from the start of each trial; trials are laid out on one clock by their `started` (ms of the
recording). Lost samples are absent rows. The `end` of a gaze sample is not its end and is ignored.

The vendor's fixation ends where the next sample begins, so it is half-open as it stands: 0.300
samples per ms lie in ``[start, end)``, and 0.305 in ``[start, end]``. A saccade's `end` is the
stamp of its last sample (x2, y2 are that sample's position), so half-open it ends one sample later.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Recording, Screen, Stimulus, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.trials import unique_names
from gazecode.readers.tools.xml import Columns, Group, Kind, number, read_xml, root_name
from gazecode.units import sample_end_ms

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_ROWS: dict[str, dict[str, Kind]] = {
    "gaze": {"start": "float", "xy": ("x", "y")},
    "fixation": {"start": "float", "end": "float", "xy": ("x", "y")},
    "saccade": {"start": "float", "end": "float", "xy": ("x1", "y1"), "end_xy": ("x2", "y2")},
    "aoi": {"kind": "text", "name": "text", "box": ("x", "y", "width", "height")},
    "offset": {"kind": "text", "x": "float", "y": "float"},
}
_GAP_MS = 1000.0
"""Between trials whose own starts would overlap."""
_MAX_MS = 1e10
"""About four months: a stamp beyond it is no time of a session."""


def sniff(source: Source) -> bool:
    """Whether the document is an experiment with trials or questions."""
    head = source.head
    return root_name(head) == "experiment" and (b"<trial" in head or b"<questions" in head)


def read(source: Source) -> Recording:
    """Read one participant.

    Returns
    -------
    Recording
        ``samples["both"]``, px; one trial per program, named ``<base>_<version>``, its text and
        boxes in `stimuli`; the vendor's fixations and saccades in `device_events`.
    """
    document, *groups = read_xml(
        source.chunks(),
        name=source.name,
        rows=_ROWS,
        texts=("code", "screenshot"),
        group="trial",
    )
    if not groups:
        raise FormatError(f"{source.name}: no <trial> in the experiment; expected one or more")
    counts: Counter[str] = Counter()
    _refuse_absurd_times(groups, source.name)
    extent_ms = [_extent_ms(group, source.name) for group in groups]
    shift_ms, laid_out = _shifts(groups, extent_ms, source.name)
    gaze = _shifted(groups, "gaze", shift_ms)
    samples = samples_of_eyes(gaze["start"], {"both": gaze["xy"]}, counts=counts)
    t_ms = samples["both"].t_ms
    trials = _trials(groups, shift_ms, extent_ms)
    return Recording(
        samples=samples,
        trials=trials,
        device_events=_device_events(groups, shift_ms, t_ms, counts),
        screen=_screen(groups[0], source.name),
        stimuli=_stimuli(groups, trials, source.name),
        provenance={
            "clock": laid_out,
            "participant": document.attrib.get("id", ""),
            **_offsets(groups, trials),
            "left_out": dict(+counts),
            "notes": ["lost samples are absent rows; they show as gaps only"],
        },
    )


def _attribute(group: Group, key: str, name: str) -> float:
    return number(group.attrib.get(key), f"{name}: <trial> {key}")


def _refuse_absurd_times(groups: Sequence[Group], name: str) -> None:
    """One damaged stamp would stretch the clock until no two samples are apart on it."""
    for place, group in enumerate(groups, start=1):
        for tag, columns in (
            ("gaze", ("start",)),
            ("fixation", ("start", "end")),
            ("saccade", ("start", "end")),
        ):
            for column in columns:
                _refuse_absurd(group.tables[tag][column], f"{name}: <{tag}> {column}", place)
        stated = [_attribute(group, key, name) for key in ("started", "ended")]
        _refuse_absurd(np.array(stated), f"{name}: <trial> started or ended", place)


def _refuse_absurd(t_ms: FloatArray, where: str, place: int) -> None:
    with np.errstate(invalid="ignore"):
        absurd = np.flatnonzero(np.abs(t_ms) > _MAX_MS)
    if absurd.size:
        raise FormatError(
            f"{where} is {t_ms[absurd[0]]:g} ms in trial {place}; expected times of one session, "
            f"below {_MAX_MS:g} ms. The file is damaged: copy or export it again"
        )


def _extent_ms(group: Group, name: str) -> float:
    """How long a trial holds: as stated, and at least as long as it has samples."""
    stated = _attribute(group, "ended", name) - _attribute(group, "started", name)
    stamps = group.tables["gaze"]["start"]
    seen = float(np.nanmax(stamps)) + 1.0 if np.isfinite(stamps).any() else 1.0
    # A comparison with NaN is false, so that a trial without a stated end is what was seen.
    return stated if stated > seen else seen


def _shifts(
    groups: Sequence[Group], extent_ms: Sequence[float], name: str
) -> tuple[FloatArray, str]:
    """Start of each trial on the recording's clock, and how it was found."""
    started = np.array([_attribute(g, "started", name) for g in groups])
    extent = np.array(extent_ms)
    if np.isfinite(started).all() and (np.diff(started) >= extent[:-1]).all():
        return started, "<trial> started + <gaze> start, ms of the recording"
    sequential = np.concatenate(([0.0], np.cumsum(extent + _GAP_MS)[:-1]))
    return sequential, (
        "<gaze> start, ms of the trial; the trials' own starts overlap or are missing, so trials "
        f"follow one another with {_GAP_MS:g} ms between"
    )


def _shifted(groups: Sequence[Group], tag: str, shift_ms: FloatArray) -> Columns:
    """One table of all trials, its times brought to the recording's clock.

    Each trial's columns are let go as they are joined.
    """
    tables = [g.tables[tag] for g in groups]
    shift = np.repeat(shift_ms, [len(t["start"]) for t in tables])
    joined = {column: np.concatenate([t.pop(column) for t in tables]) for column in _ROWS[tag]}
    for column in ("start", "end"):
        if column in joined:
            joined[column] += shift
    return joined


def _trials(
    groups: Sequence[Group], shift_ms: FloatArray, extent_ms: Sequence[float]
) -> list[Trial]:
    stems = [
        "_".join(filter(None, (g.attrib.get("base"), g.attrib.get("version")))) or "trial"
        for g in groups
    ]
    return [
        Trial(name=n, onset_ms=float(t), offset_ms=float(t) + extent, stimulus=n)
        for n, t, extent in zip(unique_names(stems), shift_ms, extent_ms, strict=True)
    ]


def _device_events(
    groups: Sequence[Group], shift_ms: FloatArray, t_ms: FloatArray, counts: Counter[str]
) -> Events:
    fixation = _shifted(groups, "fixation", shift_ms)
    saccade = _shifted(groups, "saccade", shift_ms)
    n_fixation, n_saccade = len(fixation["start"]), len(saccade["start"])
    onset = np.concatenate([fixation["start"], saccade["start"]])
    offset = np.concatenate([fixation["end"], _after_last_sample(saccade["end"], t_ms)])
    order = np.argsort(onset, kind="stable")
    # A comparison with NaN is false: an event without a time is not whole either.
    whole = (offset > onset)[order]
    if not whole.all():
        counts["empty_device_events"] += int((~whole).sum())
    order = order[whole]
    none = np.full((n_fixation, 2), np.nan)
    xy = np.concatenate([fixation["xy"], saccade["xy"]])
    return Events(
        kind=np.repeat(np.array(["fixation", "saccade"], object), [n_fixation, n_saccade])[order],
        onset_ms=onset[order],
        offset_ms=offset[order],
        xy_px=xy[order],
        end_xy_px=np.concatenate([none, saccade["end_xy"]])[order],
        first=np.searchsorted(t_ms, onset[order]),
        last=np.searchsorted(t_ms, offset[order]),
    )


def _after_last_sample(end_ms: FloatArray, t_ms: FloatArray) -> FloatArray:
    """When the sample that an inclusive end names stops holding."""
    if not len(t_ms):
        return end_ms
    at = np.clip(np.searchsorted(t_ms, end_ms, side="right") - 1, 0, len(t_ms) - 1)
    after: FloatArray = np.where(t_ms[at] == end_ms, sample_end_ms(t_ms)[at], end_ms)
    return after


def _screen(group: Group, name: str) -> Screen | None:
    width, height = (_attribute(group, f"screen-{side}", name) for side in ("width", "height"))
    return Screen(width_px=width, height_px=height) if width > 0 and height > 0 else None


def _stimuli(groups: Sequence[Group], trials: Sequence[Trial], name: str) -> dict[str, Stimulus]:
    return {
        trial.name: Stimulus(
            name=trial.name,
            code=group.texts.get("code", ""),
            language=group.attrib.get("language", ""),
            boxes=_boxes(group.tables["aoi"], group.texts.get("code", ""), _font_px(group, name)),
            image=_image(group.texts.pop("screenshot", ""), f"{name}: {trial.name}"),
        )
        for group, trial in zip(groups, trials, strict=True)
    }


def _font_px(group: Group, name: str) -> float:
    """Width of a character, which turns a place on the screen into a column of the text."""
    width = _attribute(group, "font-width", name) if "font-width" in group.attrib else 0.0
    return width if width > 0 else float("nan")


def _boxes(aoi: Columns, code: str, font_px: float) -> Columns:
    """Boxes by kind and name; those of tokens with the text that stood in them.

    The file names the category of a token's box alone ("keyword"). Its text is cut out of the
    source: the box of the line says the row and where the row begins, the font the columns.
    """
    x, y, width, height = aoi["box"].T
    rows = {
        float(top): (int(name.removeprefix("line ")) - 1, float(left))
        for kind, name, left, top in zip(aoi["kind"], aoi["name"], x, y, strict=True)
        if kind == "line" and name.removeprefix("line ").isdecimal()
    }
    lines = code.splitlines()
    text = [
        _cut(lines, rows.get(float(top)), float(left), float(wide), font_px)
        if kind == "syntax"
        else ""
        for kind, left, top, wide in zip(aoi["kind"], x, y, width, strict=True)
    ]
    return {
        "kind": aoi["kind"],
        "name": aoi["name"],
        "text": np.array(text, dtype=object),
        "x0": x.copy(),
        "y0": y.copy(),
        "x1": x + width,
        "y1": y + height,
    }


def _cut(
    lines: Sequence[str],
    row: tuple[int, float] | None,
    x: float,
    width: float,
    font_px: float,
) -> str:
    if row is None or not 0 <= row[0] < len(lines):
        return ""
    begin, wide = (x - row[1]) / font_px, width / font_px
    if not (np.isfinite(begin) and np.isfinite(wide)):
        return ""
    start = round(begin)
    return lines[row[0]].expandtabs()[max(start, 0) : start + round(wide)]


def _image(text: str, where: str) -> bytes | None:
    if not text.strip():
        return None
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise FormatError(
            f"{where}: the screenshot is no base64 ({error}); expected a PNG. Remove the "
            "<screenshot> element to read the rest"
        ) from error


def _offsets(groups: Sequence[Group], trials: Sequence[Trial]) -> dict[str, object]:
    """Return the hand-set correction, which is stated and not applied: corrected = recorded + it.

    None where trials differ; then each trial's own is listed.
    """
    each = [_offset(g.tables["offset"]) for g in groups]
    if all(o == each[0] for o in each):
        return {"manual_offset_px": each[0]}
    by_trial = {t.name: o for t, o in zip(trials, each, strict=True)}
    return {"manual_offset_px": None, "manual_offset_px_by_trial": by_trial}


def _offset(table: Columns) -> list[float]:
    manual = np.array([kind.startswith("manual") for kind in table["kind"]], dtype=bool)
    return [float(np.nansum(table[axis][manual])) for axis in ("x", "y")]


READER = Reader(
    name="eyecode",
    title="eyeCode XML (Hansen et al.): samples, vendor events, source text and boxes",
    sniff=sniff,
    read=read,
    suffixes=(".xml", ".xml.gz"),
    priority=10,
)

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
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.trials import unique_names
from gazecode.readers.xml import Columns, Group, number, read_xml, root_name
from gazecode.units import sample_end_ms

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_ROWS = {
    "gaze": dict.fromkeys(("start", "x", "y"), "float"),
    "fixation": dict.fromkeys(("start", "end", "x", "y"), "float"),
    "saccade": dict.fromkeys(("start", "end", "x1", "y1", "x2", "y2"), "float"),
    "aoi": dict.fromkeys(("kind", "name"), "text")
    | dict.fromkeys(("x", "y", "width", "height"), "float"),
    "offset": {"kind": "text", "x": "float", "y": "float"},
}
_GAP_MS = 1000.0
"""Between trials whose own starts would overlap."""


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
        source.read_bytes(),
        name=source.name,
        rows=_ROWS,
        texts=("code", "screenshot"),
        group="trial",
    )
    if not groups:
        raise FormatError(f"{source.name}: no <trial> in the experiment; expected one or more")
    counts: Counter[str] = Counter()
    shift_ms, laid_out = _shifts(groups, source.name)
    gaze = _shifted(groups, "gaze", ("start",), shift_ms)
    xy = np.stack([gaze["x"], gaze["y"]], axis=1)
    samples = samples_of_eyes(gaze["start"], {"both": xy}, counts=counts)
    t_ms = samples["both"].t_ms
    trials = _trials(groups, shift_ms, source.name)
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


def _extent_ms(group: Group, name: str) -> float:
    """How long a trial holds: as stated, and at least as long as it has samples."""
    stated = _attribute(group, "ended", name) - _attribute(group, "started", name)
    stamps = group.tables["gaze"]["start"]
    seen = float(np.nanmax(stamps)) + 1.0 if np.isfinite(stamps).any() else 1.0
    # A comparison with NaN is false, so that a trial without a stated end is what was seen.
    return stated if stated > seen else seen


def _shifts(groups: Sequence[Group], name: str) -> tuple[FloatArray, str]:
    """Start of each trial on the recording's clock, and how it was found."""
    started = np.array([_attribute(g, "started", name) for g in groups])
    extent = np.array([_extent_ms(g, name) for g in groups])
    if np.isfinite(started).all() and (np.diff(started) >= extent[:-1]).all():
        return started, "<trial> started + <gaze> start, ms of the recording"
    sequential = np.concatenate(([0.0], np.cumsum(extent + _GAP_MS)[:-1]))
    return sequential, (
        "<gaze> start, ms of the trial; the trials' own starts overlap or are missing, so trials "
        f"follow one another with {_GAP_MS:g} ms between"
    )


def _shifted(
    groups: Sequence[Group], tag: str, times: Sequence[str], shift_ms: FloatArray
) -> Columns:
    """One table of all trials, its times brought to the recording's clock."""
    tables = [g.tables[tag] for g in groups]
    joined = {column: np.concatenate([t[column] for t in tables]) for column in _ROWS[tag]}
    shift = np.repeat(shift_ms, [len(t["start"]) for t in tables])
    return joined | {column: joined[column] + shift for column in times}


def _trials(groups: Sequence[Group], shift_ms: FloatArray, name: str) -> list[Trial]:
    stems = [
        "_".join(filter(None, (g.attrib.get("base"), g.attrib.get("version")))) or "trial"
        for g in groups
    ]
    return [
        Trial(name=n, onset_ms=float(t), offset_ms=float(t) + _extent_ms(g, name), stimulus=n)
        for n, t, g in zip(unique_names(stems), shift_ms, groups, strict=True)
    ]


def _device_events(
    groups: Sequence[Group], shift_ms: FloatArray, t_ms: FloatArray, counts: Counter[str]
) -> Events:
    fixation = _shifted(groups, "fixation", ("start", "end"), shift_ms)
    saccade = _shifted(groups, "saccade", ("start", "end"), shift_ms)
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
    xy = np.concatenate([_points(fixation, "x", "y"), _points(saccade, "x1", "y1")])
    return Events(
        kind=np.repeat(np.array(["fixation", "saccade"], object), [n_fixation, n_saccade])[order],
        onset_ms=onset[order],
        offset_ms=offset[order],
        xy_px=xy[order],
        end_xy_px=np.concatenate([none, _points(saccade, "x2", "y2")])[order],
        first=np.searchsorted(t_ms, onset[order]),
        last=np.searchsorted(t_ms, offset[order]),
    )


def _points(table: Columns, x: str, y: str) -> FloatArray:
    return np.stack([table[x], table[y]], axis=1)


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
            image=_image(group.texts.get("screenshot", ""), f"{name}: {trial.name}"),
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
    rows = {
        float(y): (int(name.removeprefix("line ")) - 1, float(x))
        for kind, name, x, y in zip(aoi["kind"], aoi["name"], aoi["x"], aoi["y"], strict=True)
        if kind == "line" and name.removeprefix("line ").isdigit()
    }
    lines = code.splitlines()
    text = [
        _cut(lines, rows.get(float(y)), float(x), float(width), font_px) if kind == "syntax" else ""
        for kind, x, y, width in zip(aoi["kind"], aoi["x"], aoi["y"], aoi["width"], strict=True)
    ]
    return {
        "kind": aoi["kind"],
        "name": aoi["name"],
        "text": np.array(text, dtype=object),
        "x0": aoi["x"],
        "y0": aoi["y"],
        "x1": aoi["x"] + aoi["width"],
        "y1": aoi["y"] + aoi["height"],
    }


def _cut(
    lines: Sequence[str],
    row: tuple[int, float] | None,
    x: float,
    width: float,
    font_px: float,
) -> str:
    if row is None or np.isnan(font_px) or not 0 <= row[0] < len(lines):
        return ""
    start = round((x - row[1]) / font_px)
    return lines[row[0]].expandtabs()[max(start, 0) : start + round(width / font_px)]


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

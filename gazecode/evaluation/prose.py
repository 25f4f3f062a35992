"""Fixations on prose whose lines were set by hand (Carr et al. 2022), and who finds them.

J. W. Carr, V. N. Pescuma, M. Furlan, M. Ktori & D. Crepaldi 2022, doi:10.3758/s13428-021-01554-0:
Italian adults and children read passages of 10 to 13 lines, in Eyekit's files. Two people put every
fixation on a line or discarded it. The files are theirs and are read where they lie.

Algorithms see all the fixations, as in the paper; scored are those that were not discarded.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.evaluation.line_trials import LineTrial
from gazecode.mapping.lines import LINE_METHODS, assign_lines
from gazecode.model import Events, Layout
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["expected_lines", "line_accuracy_table", "trials"]

SET = "carr2022-drift"
_ADVANCE_EM, _X_HEIGHT_EM = 0.6, 0.423
"""Courier New: width of every character and height of an x, in font sizes."""
_INSET_CHARS = 0.25
"""Taken off either end of a word, so that a blank is seen between lines that stand far apart."""


def trials(folder: Path) -> Iterator[LineTrial]:
    """All trials with their gold lines, in the order of the file.

    Parameters
    ----------
    folder
        The data set, or the folder of all data sets.

    Yields
    ------
    LineTrial
        `set` says ``adult`` or ``child``; `kept` is false for discarded fixations.

    Raises
    ------
    FormatError
        Files that are missing or do not belong together.
    """
    folder = folder / SET if (folder / SET).is_dir() else folder
    layouts = {name: _layout(block) for name, block in _read(folder / "passages.json").items()}
    gold = _read(folder / "fixations" / "gold.json")
    for name, trial in _read(folder / "fixations" / "sample.json").items():
        layout = layouts[trial["passage_id"]]
        kept = np.array([not row.get("discarded") for row in _rows(gold[name])])
        yield LineTrial(
            name=name,
            set=f"{SET} {trial['age_group']}",
            fixations=_fixations(_rows(trial)),
            layout=layout,
            gold_line=np.where(kept, _lines_at(_rows(gold[name]), layout, name), -1),
            kept=kept,
            group=f"P{trial['participant_id']}",
        )


def expected_lines(folder: Path, name: str) -> dict[str, IntArray]:
    """Lines as the data set's own file ``fixations/NAME.json`` has them, by trial.

    ``attach`` and ``warp`` are what the authors' implementations gave.
    """
    folder = folder / SET if (folder / SET).is_dir() else folder
    layouts = {name: _layout(block) for name, block in _read(folder / "passages.json").items()}
    found = _read(folder / "fixations" / f"{name}.json")
    return {
        key: _lines_at(_rows(trial), layouts[trial["passage_id"]], key)
        for key, trial in found.items()
    }


def line_accuracy_table(folder: Path, methods: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Share of fixations on the gold line, by method, for adults and children apart.

    Parameters
    ----------
    folder
        The data set, or the folder of all data sets.
    methods
        Names in `LINE_METHODS`; all of them by default, each with its defaults.

    Returns
    -------
    list of dict
        ``method``; ``all``, ``adult``, ``child``: fixations on the gold line over fixations
        scored, pooled over trials; ``trial mean`` and ``worst``: over trials; ``abstained``: share
        of those scored without a line, which count as wrong; ``n`` scored and ``discarded``.
    """
    held = list(trials(folder))
    rows = []
    for method in LINE_METHODS if methods is None else methods:
        found = [
            assign_lines(one.fixations, one.layout, method, min_share=0.0).line for one in held
        ]
        rows.append({"method": method, **_scored(held, found)})
    return rows


def _scored(held: Sequence[LineTrial], found: Sequence[IntArray | None]) -> dict[str, Any]:
    hits, sizes, none = np.array(
        [
            ((line == one.gold_line)[one.kept].sum(), one.kept.sum(), (line == -1)[one.kept].sum())
            for one, line in zip(held, found, strict=True)
            if line is not None
        ]
    ).T
    adult = np.array([one.set.endswith("adult") for one in held])
    return {
        "all": float(hits.sum() / sizes.sum()),
        "adult": float(hits[adult].sum() / sizes[adult].sum()),
        "child": float(hits[~adult].sum() / sizes[~adult].sum()),
        "trial mean": float((hits / sizes).mean()),
        "worst": float((hits / sizes).min()),
        "abstained": float(none.sum() / sizes.sum()),
        "n": int(sizes.sum()),
        "discarded": sum(one.n_left_out for one in held),
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(
            f"{path} cannot be read ({type(error).__name__}); expected JSON of Eyekit, as in {SET}"
        ) from error
    return dict(held)


def _rows(trial: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = trial["fixations"]["__FixationSequence__"]
    return rows


def _fixations(rows: list[dict[str, Any]]) -> Events:
    t = np.array([(row["start"], row["end"]) for row in rows], dtype=float)
    return Events(
        kind=np.full(len(rows), "fixation", dtype=object),
        onset_ms=t[:, 0],
        offset_ms=t[:, 1],
        xy_px=_places(rows),
    )


def _places(rows: list[dict[str, Any]]) -> FloatArray:
    return np.array([(row["x"], row["y"]) for row in rows], dtype=float)


def _layout(passage: dict[str, Any]) -> Layout:
    """Boxes of words; a line's centre is the middle of its small letters, to the whole pixel.

    A word is what holds letters only, as the authors have it: an apostrophe parts two.
    """
    block = passage["__TextBlock__"]
    left, baseline = block["position"]
    size, pitch = block["font_size"], block["line_height"]
    char = size * _ADVANCE_EM
    words = [
        (row, *found.span())
        for row, text in enumerate(block["text"])
        for found in re.finditer(r"\w+", text)
    ]
    line, first, end = np.array(words).T
    centre = np.round(baseline - size * _X_HEIGHT_EM / 2) + line * pitch
    boxes = [
        left + (first + _INSET_CHARS) * char,
        centre - pitch / 2,
        left + (end - _INSET_CHARS) * char,
        centre + pitch / 2,
    ]
    return Layout(
        boxes=np.stack(boxes, axis=1),
        token=np.arange(len(words)),
        line=line,
        n_tokens=len(words),
        line_height_px=pitch,
    )


def _lines_at(rows: list[dict[str, Any]], layout: Layout, name: str) -> IntArray:
    """The line each corrected fixation stands on; -1 for discarded ones."""
    y = _places(rows)[:, 1]
    first = layout.boxes[0, [1, 3]].mean()
    line = np.round((y - first) / layout.line_height_px).astype(np.int64)
    off = np.abs(y - first - line * layout.line_height_px)
    kept = np.array([not row.get("discarded") for row in rows])
    if (off[kept] > 1).any() or (line[kept] > layout.line.max()).any() or (line[kept] < 0).any():
        raise FormatError(
            f"{name} has fixations between the lines of its passage; expected corrected heights"
        )
    return np.where(kept, line, -1)

"""What one recording gave, kept on disk until the study is whole: a run can be taken up again.

A part is a folder of two files: ``result.json`` (names, texts, numbers) and ``arrays.npz`` (plain
arrays, loaded without pickles). It is written beside and renamed, so that a part is there whole
or not at all. Raw gaze is thinned to what the page can show; everything else comes back exactly.
"""

import base64
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.model import Events, Hits, Layout, Samples, Screen, TokenWeights, Trial
from gazecode.pipeline import Failure, RecordingResult, Shown, TrialResult
from gazecode.report import Histogram
from gazecode.source import parse
from gazecode.study.scrubbing import Scrubber, without_clock
from gazecode.study.settings import RecordingTable, Study

__all__ = ["Parts", "load_part", "save_part", "thinned"]

MAX_DRAWN_SAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all recordings of a study gave, as it may leave this machine; read anew each time.

    One part is held at a time, in the order of the study.

    Attributes
    ----------
    scrub
        Takes the names of people out; None leaves them.
    """

    study: Study
    folders: Sequence[Path]
    scrub: Scrubber | None = None

    def __iter__(self) -> Iterator[tuple[RecordingTable, RecordingResult]]:
        for entry, folder in zip(self.study.recordings, self.folders, strict=True):
            result = without_clock(load_part(folder))
            yield entry, result if self.scrub is None else self.scrub.result(entry, result)

    def __len__(self) -> int:
        return len(self.folders)


def save_part(result: RecordingResult, folder: Path) -> None:
    """Write a part under its final name, whole or not at all."""
    arrays: dict[str, Any] = {}
    if result.steps_ms is not None and result.loss is not None:
        _put(result.steps_ms, "steps/", arrays)
        arrays["loss"] = result.loss
    document = {
        "quality": result.quality,
        "provenance": result.provenance,
        "screen": asdict(result.screen) if result.screen else None,
        "steps_beyond": result.steps_ms and [result.steps_ms.below, result.steps_ms.above],
        "failures": [asdict(f) for f in result.failures],
        "without_stimulus": list(result.without_stimulus),
        "trials": [_put_trial(t, f"{i}/", arrays) for i, t in enumerate(result.trials)],
    }
    beside = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    (beside / "result.json").write_text(json.dumps(document), encoding="utf-8")
    np.savez(beside / "arrays.npz", **arrays)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def load_part(folder: Path) -> RecordingResult:
    """Read a part back."""
    document = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        trials = tuple(_take_trial(t, f"{i}/", arrays) for i, t in enumerate(document["trials"]))
        loss = arrays.get("loss")
        steps = _take("steps/", arrays)
    below, above = document["steps_beyond"] or (0, 0)
    return RecordingResult(
        quality=document["quality"],
        provenance=document["provenance"],
        screen=Screen(**document["screen"]) if document["screen"] else None,
        steps_ms=Histogram(**steps, below=below, above=above) if steps else None,
        loss=loss,
        failures=tuple(Failure(**f) for f in document["failures"]),
        without_stimulus=tuple(document["without_stimulus"]),
        trials=trials,
    )


def thinned(gaze: Samples, limit: int = MAX_DRAWN_SAMPLES) -> Samples:
    """Every k-th sample, at most `limit`: enough to draw."""
    step = -(-len(gaze) // limit) if len(gaze) else 1
    if step <= 1:
        return gaze
    pupil = None if gaze.pupil is None else gaze.pupil[::step]
    return replace(gaze, t_ms=gaze.t_ms[::step], xy_px=gaze.xy_px[::step], pupil=pupil)


def _put_trial(result: TrialResult, at: str, arrays: dict[str, Any]) -> dict[str, Any]:
    for name, value in (
        ("gaze", thinned(result.gaze)),
        ("events", result.events),
        ("fixations", result.fixations),
        ("hits", result.hits),
        ("weights", result.weights),
        ("layout", result.shown.layout),
    ):
        _put(value, f"{at}{name}/", arrays)
    shown, layout = result.shown, result.shown.layout
    return {
        "trial": asdict(result.trial),
        "stimulus": shown.stimulus,
        "language": shown.tokens.language,
        "source_id": shown.tokens.source_id,
        "code": base64.b64encode(shown.tokens.code).decode("ascii"),
        "image": base64.b64encode(shown.image).decode("ascii") if shown.image else None,
        "eye": result.gaze.eye,
        "activities": list(result.activities),
        "drift": dict(result.drift),
        "gaze_counts": result.gaze_counts,
        "scheme": result.weights.scheme,
        "unit": result.weights.unit,
        "layout": {
            "n_tokens": layout.n_tokens,
            "line_height_px": layout.line_height_px,
            "onset_ms": layout.onset_ms,
            "offset_ms": layout.offset_ms,
            "viewport_px": layout.viewport_px,
            "unmatched": layout.unmatched,
        },
    }


def _take_trial(entry: dict[str, Any], at: str, arrays: Mapping[str, Any]) -> TrialResult:
    code = base64.b64decode(entry["code"])
    viewport = entry["layout"].pop("viewport_px")
    shown = Shown(
        stimulus=entry["stimulus"],
        tokens=parse(code, entry["language"], source_id=entry["source_id"]),
        layout=Layout(
            **_take(f"{at}layout/", arrays),
            **entry["layout"],
            viewport_px=tuple(viewport) if viewport else None,
        ),
        image=base64.b64decode(entry["image"]) if entry["image"] else None,
    )
    weights = _take(f"{at}weights/", arrays)
    return TrialResult(
        trial=Trial(**entry["trial"]),
        shown=shown,
        gaze=Samples(**_take(f"{at}gaze/", arrays), eye=entry["eye"]),
        gaze_counts=tuple(entry["gaze_counts"]),
        activities=tuple(entry["activities"]),
        drift=entry["drift"],
        events=Events(**_take(f"{at}events/", arrays)),
        fixations=Events(**_take(f"{at}fixations/", arrays)),
        hits=Hits(**_take(f"{at}hits/", arrays)),
        weights=TokenWeights(**weights, scheme=entry["scheme"], unit=entry["unit"]),
    )


def _put(value: Any, at: str, arrays: dict[str, Any]) -> None:
    """Every array of a type; words become fixed-width text, which needs no pickle."""
    for name in value.__dataclass_fields__:
        column = getattr(value, name)
        if isinstance(column, np.ndarray):
            arrays[at + name] = column.astype(str) if column.dtype == object else column


def _take(at: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(at): arrays[name] for name in arrays if name.startswith(at)}

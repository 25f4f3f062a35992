"""Where people looked in three published sets: one map per person and file.

* ``eyecode-hansen2012`` (M. Hansen, R. Goldstone and A. Lumsdaine 2013, arXiv:1304.5257): Python,
  the boxes of each trial, and the vertical offset that the authors set by hand for each person.
* ``linearity-peitek2020`` (N. Peitek, J. Siegmund and S. Apel 2020, doi:10.1145/3387904.3389279):
  Java, laid out by the pictures that were shown. Scrambled variants are left out: their pictures
  were not at hand.
* ``emip-bednarik2020`` (R. Bednarik et al. 2020, doi:10.1016/j.scico.2020.102520): Java and Python.
  Fixations that others moved to the lines by hand. Its two recordings as the tracker wrote them
  count only if asked for: gaze lies half a line above the text in them, so that which line was read
  is not known, and the correctors judged them too poor.

Detection, mapping and the gates of quality are those of the worked studies. What fails a gate or
shows no known text is left out and counted (`readings_of`). The files are other people's and are
read where they lie.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePath

import numpy as np

from gazecode.agreement.programs import Observed
from gazecode.errors import FormatError, ParameterError
from gazecode.mapping import box_layout, chance_hits, image_layout, map_to_tokens, read_boxes
from gazecode.measures import transitions
from gazecode.model import Events, Hits, Recording, SourceTokens, Trial
from gazecode.model.checks import repeated
from gazecode.pipeline import Shown, Steps, analyse
from gazecode.placing import Placing
from gazecode.quality import Gates
from gazecode.readers import read
from gazecode.source import parse
from gazecode.weighting import weigh

__all__ = ["SETS", "GazeOnFile", "observed_in", "observed_of", "readings_of"]

HANSEN_MM = {"width_mm": 509.0, "height_mm": 286.0, "distance_mm": 650.0}
"""Screen and seat: the recordings do not say them, the study does."""
HANSEN_DISC_PX = 20.0
EMIP_FILES = {
    "vehicle_java": "Vehicle.java",
    "rectangle_java": "Rectangle.java",
    "vehicle_python": "vehicle.py",
    "rectangle_python": "rectangle.py",
}
"""Source of each stimulus; ``java2`` shows the same text as ``java``, elsewhere on the screen."""
BETWEEN_TRIALS = re.compile("FixationCross|instruction|mupliple_choice")
"""Screens without code, spelled as in the data."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GazeOnFile:
    """One person's reading of one file: its tokens and the hits on them.

    Attributes
    ----------
    source
        Name of the file: two people with the same one read the same tokens.
    group
        Files that are versions of one program have the same: they are held out together.
    placed
        False where gaze is known to lie beside the lines and nobody corrected it.
    """

    person: str
    source: str
    group: str
    tokens: SourceTokens
    hits: Hits
    placed: bool = True


def observed_of(
    folder: Path, set_name: str, *, scheme: str = "duration", misplaced: bool = False
) -> list[Observed]:
    """Every reading of a set as the map of a person over a file, with the saccades between tokens.

    Parameters
    ----------
    folder
        The folder of all data sets.
    set_name
        One of `SETS`.
    scheme
        What is a token's value: "duration" (total fixation time, ms), "count" (fixations), or
        another scheme of `gazecode.weigh` for gaze.
    misplaced
        Whether to take readings whose gaze is known to lie beside the lines.

    Returns
    -------
    list of Observed
        By file, then person. Every leaf of the syntax tree has a value, punctuation included: 0
        where it was shown and not looked at, NaN where it was not shown.

    Raises
    ------
    ParameterError
        A set nobody knows.
    FormatError
        The folder does not hold the set.
    """
    readings, _ = readings_of(folder, set_name)
    return [
        observed_in(reading, scheme=scheme) for reading in readings if reading.placed or misplaced
    ]


def readings_of(folder: Path, set_name: str) -> tuple[list[GazeOnFile], dict[str, int]]:
    """The readings of a set by file and person; and how many are left out, by reason."""
    if set_name not in SETS:
        raise ParameterError.unknown("sets", set_name, SETS)
    home = folder / set_name
    if not home.is_dir():
        raise FormatError(f"{folder} holds no {set_name}; name the folder of the data sets")
    readings, left_out = SETS[set_name](home)
    if not readings:
        raise FormatError(f"{home} holds no reading that can be used; left out: {dict(left_out)}")
    return sorted(readings, key=lambda r: (r.source, r.person)), dict(sorted(left_out.items()))


def observed_in(reading: GazeOnFile, *, scheme: str = "duration") -> Observed:
    """The map of one reading, as `observed_of` makes it."""
    value = weigh(reading.hits, reading.tokens, scheme=scheme).value
    return Observed(
        person=reading.person,
        source=reading.source,
        group=reading.group,
        tokens=reading.tokens,
        value=np.where(reading.hits.exposed, value, np.nan),
        transitions=transitions(reading.hits),
    )


_Found = tuple[list[GazeOnFile], Counter[str]]
_Show = Callable[[Recording, Trial], Shown | None]


def _analysed(recording: Recording, person: str, shown: _Show, steps: Steps) -> _Found:
    """The trials of one recording that pass the gates."""
    result = analyse(recording, shown, replace(steps, recording=person))
    readings = [
        GazeOnFile(
            person=person,
            source=trial.shown.stimulus,
            group=_program(trial.shown.stimulus),
            tokens=trial.shown.tokens,
            hits=trial.hits,
        )
        for trial in result.trials
    ]
    left_out = Counter(f"trials: {_reason(f.reason)}" for f in result.failures if f.trial)
    if any(not f.trial for f in result.failures):
        left_out["recordings: no trial passes the gates"] += 1
    for name in result.without_stimulus:
        if not BETWEEN_TRIALS.match(name):
            left_out[f"trials: {'scrambled' if 'scrambled' in name else 'no picture'}"] += 1
    return readings, left_out


def _program(source: str) -> str:
    """What versions of a program have in common: ``funcall_vars``, ``Vehicle.java``.

    >>> _program("funcall_vars"), _program("Vehicle.java")
    ('funcall', 'vehicle')
    """
    return re.split(r"[_.]", source, maxsplit=1)[0].lower()


def _reason(said: str) -> str:
    """A failure without its figures, so that equal ones are counted together."""
    return "too much gaze is lost" if said.startswith("loss is") else said.split(";", maxsplit=1)[0]


def _joined(parts: list[_Found]) -> _Found:
    return (
        [reading for readings, _ in parts for reading in readings],
        sum((left_out for _, left_out in parts), start=Counter()),
    )


# ---- eyeCode


def _hansen(home: Path) -> _Found:
    """Three people; programs as the recordings hold them, with the boxes of each trial."""
    parts = []
    for path in _files(home, "xml/*.xml.gz"):
        recording = read(path)
        offset = recording.provenance.get("manual_offset_px")
        if recording.screen is None or offset is None:
            raise FormatError(f"{path.name} says no screen or no manual offset; expected both")
        steps = Steps(
            map="disc",
            map_params={"radius_px": HANSEN_DISC_PX},
            gates=Gates(max_loss=0.7),
            placing=Placing(offset_px=(offset[0], offset[1])),
        )
        recording = replace(recording, screen=replace(recording.screen, **HANSEN_MM))
        parts.append(_analysed(recording, path.name.split(".")[0], _with_own_boxes, steps))
    return _joined(parts)


def _with_own_boxes(recording: Recording, trial: Trial) -> Shown | None:
    """A program and its boxes, one a token; those around blanks hold none."""
    import pandas as pd

    name = trial.stimulus or trial.name
    own = recording.stimuli[name]
    boxes = pd.DataFrame(dict(own.boxes))
    boxes = boxes[(boxes["kind"] == "syntax") & (boxes["text"].str.strip() != "")]
    tokens = parse(own.code, "python", source_id=name)
    return Shown(stimulus=name, tokens=tokens, layout=box_layout(tokens, boxes))


# ---- Peitek


def _peitek(home: Path) -> _Found:
    """Every recording; each program is found once on each picture."""

    @cache
    def laid_out(height: int, name: str) -> Shown | None:
        picture = home / "images" / str(height) / f"{name}.png"
        if not picture.is_file():
            return None
        snippets = home / "1_stimuli" / "Snippets"
        source = snippets / f"{name}.java"
        source = source if source.is_file() else snippets / f"{name}_edited.java"
        tokens = parse(source.read_bytes(), "java", source_id=name)
        layout = image_layout(tokens, picture.read_bytes())
        return Shown(stimulus=name, tokens=tokens, layout=layout)

    def shown(recording: Recording, trial: Trial) -> Shown | None:
        # Without the table of screens the factor of the coordinates is unknown, and the gates of
        # loss fail: whatever height then finds the trials.
        height = recording.screen.height_px if recording.screen else 1080
        return laid_out(round(height), trial.stimulus or trial.name)

    steps = Steps(gates=Gates(max_loss=0.4))
    return _joined(
        [
            _analysed(read(path), path.stem.removeprefix("GazeData_")[:8], shown, steps)
            for path in _files(home, "raw_data/*/*/GazeData_*.csv")
        ]
    )


# ---- EMIP


def _emip(home: Path) -> _Found:
    """Recordings as they are, which are not placed; then the trials corrected by hand."""

    @cache
    def laid_out(name: str) -> Shown | None:
        return _words(home, name)

    def shown(_: Recording, trial: Trial) -> Shown | None:
        return laid_out(PurePath(trial.stimulus or trial.name).stem)

    # At 60 Hz a saccade of a degree is one sample long: dispersion sees it, a velocity does not.
    steps = Steps(detect="idt")
    readings, left_out = _joined(
        [
            _analysed(read(path), path.name.split("_", maxsplit=1)[0], shown, steps)
            for path in _files(home, "rawdata/*_rawdata.tsv")
        ]
    )
    paths = _files(home, "fix8/*/*/trial_*.json")
    raw = ([replace(reading, placed=False) for reading in readings], left_out)
    return _joined([raw, *(_corrected(path, laid_out) for path in paths)])


def _words(home: Path, name: str) -> Shown | None:
    """A stimulus by the set's boxes of words, in the order of the words of its source."""
    known = re.sub(r"\d$", "", name)
    if known not in EMIP_FILES:
        return None
    source = home / "emip_stimulus_programs" / EMIP_FILES[known]
    code = source.read_bytes()
    boxes = read_boxes(home / "stimuli" / f"{name}.csv", where={"level": "element"})
    words = code.decode().split()
    if len(words) != len(boxes):
        raise FormatError(
            f"{name}.csv has {len(boxes)} boxes and {source.name} {len(words)} words; expected one "
            "box a word"
        )
    language = "java" if source.suffix == ".java" else "python"
    tokens = parse(code, language, source_id=source.name)
    return Shown(
        stimulus=source.name, tokens=tokens, layout=box_layout(tokens, boxes.assign(text=words))
    )


def _corrected(path: Path, laid_out: Callable[[str], Shown | None]) -> _Found:
    """A corrected trial: places and durations in order; pauses between them are not told."""
    found = re.fullmatch(r"trial_\d+_participant_(\d+)_(\w+)", path.stem)
    what = laid_out(found[2]) if found else None
    if found is None or what is None:
        return [], Counter({"corrected trials: of no known text": 1})
    rows = np.asarray(json.loads(path.read_text(encoding="utf-8"))["fixations"], dtype=np.float64)
    offset = np.cumsum(rows[:, 2])
    fixations = Events(
        kind=repeated("fixation", len(rows)),
        onset_ms=offset - rows[:, 2],
        offset_ms=offset,
        xy_px=rows[:, :2],
    )
    hits = map_to_tokens(fixations, what.layout)
    seed = int.from_bytes(hashlib.sha256(path.stem.encode()).digest()[:8], "big")
    chance = chance_hits(fixations, what.layout, n_shifts=Steps().null_shifts, seed=seed)
    reading = GazeOnFile(
        person=found[1],
        source=what.stimulus,
        group=_program(what.stimulus),
        tokens=what.tokens,
        hits=replace(hits, chance=chance),
    )
    return [reading], Counter()


def _files(home: Path, pattern: str) -> list[Path]:
    paths = sorted(home.glob(pattern))
    if not paths:
        raise FormatError(f"{home} holds no {pattern}; expected the set's folders")
    return paths


SETS: Mapping[str, Callable[[Path], _Found]] = {
    "eyecode-hansen2012": _hansen,
    "linearity-peitek2020": _peitek,
    "emip-bednarik2020": _emip,
}

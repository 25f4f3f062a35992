"""A study file: which recordings, which stimuli, which steps with which parameters.

`load_study` reads TOML, checks every key, and names the key and the line of whatever is wrong.
Paths are relative to the study file.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from gazecode.errors import StudyError
from gazecode.model.priors import MIN_SHIFTS
from gazecode.study.lines import dotted, line_of

__all__ = ["Study", "digest_of", "load_study", "located"]

Px = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
Task = Literal["reading", "writing"]


class Settings(BaseModel):
    """Base of all tables: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StudyTable(Settings):
    """``[study]``; `task` is what people did: gaze while writing is not gaze while reading."""

    name: str
    description: str = ""
    task: Task = "reading"


class ScreenTable(Settings):
    """``[screen]``: what the recordings do not say."""

    width_px: Positive | None = None
    height_px: Positive | None = None
    width_mm: Positive | None = None
    height_mm: Positive | None = None
    distance_mm: Positive | None = None


class GridTable(Settings):
    """A monospaced grid; `origin_px` is the top left of the first cell."""

    kind: Literal["grid"]
    origin_px: tuple[Px, Px]
    char_width_px: Positive
    line_height_px: Positive
    tab_width: Annotated[int, Field(ge=1)] = 4


class BoxesTable(Settings):
    """A table of boxes; `where` picks rows, `texts` names the file that holds their texts.

    `without` leaves rows out (a box drawn twice), `columns` names the sides where they are not
    found by name, `scale_px` is the screen's size for sides that are fractions of it.
    """

    kind: Literal["boxes"]
    file: Path
    where: Mapping[str, str | int | float] = Field(default_factory=dict)
    without: Mapping[str, str | int | float] = Field(default_factory=dict)
    texts: Path | None = None
    text_column: str | None = None
    columns: Mapping[str, str] | None = None
    scale_px: tuple[Positive, Positive] = (1.0, 1.0)
    shrink_px: tuple[Px, Px] = (0.0, 0.0)


class OwnBoxesTable(Settings):
    """The boxes a recording itself holds, of one kind."""

    kind: Literal["recording"]
    boxes: str = "syntax"


LayoutTable = Annotated[GridTable | BoxesTable | OwnBoxesTable, Field(discriminator="kind")]


class StimulusTable(Settings):
    """``[stimuli.NAME]``; ``[stimuli."*"]`` stands for every stimulus the recordings hold.

    `layouts` chooses by the recording's screen, e.g. ``layouts."1920x1080" = {...}``. Where `code`
    is a CSV table of sources, `code_column` holds the texts and `code_where` picks the row.
    """

    code: Path | None = None
    code_column: str | None = None
    code_where: Mapping[str, str | int] = Field(default_factory=dict)
    language: str | None = None
    image: Path | None = None
    layout: LayoutTable | None = None
    layouts: Mapping[str, LayoutTable] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_layout(self) -> "StimulusTable":
        if (self.layout is None) == (not self.layouts):
            raise ValueError("expected either layout or layouts (one per screen size)")
        return self

    @model_validator(mode="after")
    def _a_table_has_no_language(self) -> "StimulusTable":
        if self.code_column is not None and self.language is None:
            raise ValueError("expected language: a table of sources does not say it")
        return self


class RecordingTable(Settings):
    """``[[recordings]]``; `offset_px` is added to every fixation, `options` go to the reader.

    `name` is what outputs call the recording: its file's name, with folders if that is not unique.
    `task` is the study's unless it is said here.
    """

    file: Path
    participant: Text
    name: str = ""
    group: str = ""
    task: Task | None = None
    format: str | None = None
    offset_px: tuple[Px, Px] = (0.0, 0.0)
    options: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _no_keys_of_their_own(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        taken = {"path", "format", "screen"} & options.keys()
        if taken:
            raise ValueError(f"{', '.join(sorted(taken))} has a key or table of its own")
        return options


class StepTable(BaseModel):
    """A step: the method by name; every other key is a parameter of that method."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters, as the method takes them."""
        return dict(self.model_extra or {})


class DetectTable(StepTable):
    """``[detect]``; ``method = "device"`` takes the tracker's own fixations."""

    method: str = "ivt"


class MapTable(StepTable):
    """``[map]``."""

    method: str = "nearest"


class NullTable(Settings):
    """``[null]``: circular shifts of each trial's gaze, which say what chance hits; 0 for none."""

    shifts: Annotated[int, Field(ge=0)] = MIN_SHIFTS
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("shifts")
    @classmethod
    def _none_or_enough(cls, shifts: int) -> int:
        if 0 < shifts < MIN_SHIFTS:
            raise ValueError(f"expected 0 (chance is not computed) or at least {MIN_SHIFTS}")
        return shifts


class WeighTable(StepTable):
    """``[weigh]``; one example per trial, per participant × source, or per source."""

    scheme: str = "duration"
    per: Literal["trial", "participant", "source"] = "trial"


class AlignTable(Settings):
    """``[align]``; `strength` λ makes a loss weight with mean 1 out of the value."""

    tokenizer: Path
    strength: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    policy: Literal["inherit", "share", "max", "mean"] = "inherit"
    template: str | None = None
    per: Literal["character", "token"] = "character"
    max_ratio: Annotated[float, Field(gt=1)] = 5.0

    @field_validator("template")
    @classmethod
    def _holds_the_code_once(cls, template: str | None) -> str | None:
        if template is not None and template.count("{code}") != 1:
            raise ValueError("expected {code} once in the template")
        return template


class ReportTable(Settings):
    """``[report]``; how many trials the page draws."""

    max_trials: Annotated[int, Field(ge=0)] = 12


class Study(Settings):
    """A whole study file, checked."""

    study: StudyTable
    recordings: tuple[RecordingTable, ...] = Field(min_length=1)
    stimuli: Mapping[str, StimulusTable] = Field(min_length=1)
    align: AlignTable
    screen: ScreenTable = ScreenTable()
    trials: Mapping[str, str] = Field(default_factory=dict)
    quality: Mapping[str, float | Literal[False]] = Field(default_factory=dict)
    detect: DetectTable = DetectTable()
    map: MapTable = MapTable()
    null: NullTable = NullTable()
    weigh: WeighTable = WeighTable()
    report: ReportTable = ReportTable()

    def parameters(self) -> dict[str, Any]:
        """Every setting that shapes the result, as JSON; the tokenizer by its file name."""
        said = self.model_dump(mode="json", exclude={"recordings", "stimuli"}, exclude_none=True)
        # Files are told by their digests: where they lay on this machine is nobody's business.
        said["align"]["tokenizer"] = self.align.tokenizer.name
        return said


def digest_of(value: object) -> str:
    """SHA-256 of a JSON value, keys sorted.

    >>> digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load_study(path: Path | str) -> Study:
    """Read a study file and resolve its paths.

    Raises
    ------
    StudyError
        For a missing file, broken TOML, an unknown or missing key, a wrong value, a file that
        is named and not there; the message names the key and the line.
    """
    path = Path(path)
    if path.is_dir():
        raise StudyError(f"{path} is a folder; name the study file in it, e.g. {path}/study.toml")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StudyError(f"{path}: no such study file; check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path.name}: not valid TOML: {error}") from error
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        raise StudyError(_explain(path.name, text, error)) from error
    return _with_paths(study, path, text)


def _explain(name: str, text: str, error: ValidationError) -> str:
    """The first problem with its key and line, and how many more there are."""
    # A misspelt key shows up twice, as unknown and as missing: the unknown one says where.
    problems = sorted(error.errors(), key=lambda p: p["type"] != "extra_forbidden")
    first = problems[0]
    loc = _toml_keys(first["loc"])
    message = {
        "extra_forbidden": "unknown key; " + _suggest(first["loc"]),
        "missing": "this key is missing",
    }.get(first["type"], f"{first['msg']}; found {first['input']!r}")
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    line = line_of(text, loc)
    where = f"line {line}" if line else "not in the file"
    return f"{name}: {dotted(loc) or 'the file'} ({where}): {message}{more}"


def _toml_keys(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """A location without what pydantic adds for a tagged union."""
    kinds = {"grid", "boxes", "recording"}
    return tuple(
        part
        for i, part in enumerate(loc)
        if not (part in kinds and i and ("layout" in loc[:i] or "layouts" in loc[:i]))
    )


def _suggest(loc: Sequence[str | int]) -> str:
    """Which keys the table of an unknown key has, the likeliest first."""
    tables: dict[str, type[BaseModel]] = {
        "study": StudyTable,
        "screen": ScreenTable,
        "stimuli": StimulusTable,
        "recordings": RecordingTable,
        "align": AlignTable,
        "null": NullTable,
        "report": ReportTable,
        "grid": GridTable,
        "boxes": BoxesTable,
        "recording": OwnBoxesTable,
    }
    owner: type[BaseModel] = Study
    for part in loc[:-1]:
        owner = tables.get(str(part), owner)
    close = get_close_matches(str(loc[-1]), owner.model_fields, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"{meant}Keys here: {', '.join(owner.model_fields)}"


def located(error: StudyError, path: Path | str) -> StudyError:
    """The error with the file, the key and the line that its `loc` points to."""
    if not error.loc:
        return error
    path = Path(path)
    line = line_of(path.read_text(encoding="utf-8-sig"), error.loc)
    where = f"line {line}" if line else "not in the file"
    return StudyError(f"{path.name}: {dotted(error.loc)} ({where}): {error}")


def _names(study: Study, path: Path, text: str) -> list[str]:
    """How outputs call the recordings: by file name, with folders where that is not unique.

    A recording that is not there fails alone, in failures.csv; one that is there twice would
    count twice.
    """
    files = [r.file for r in study.recordings]
    for i, file in enumerate(files):
        if file in files[:i]:
            loc = ("recordings", i, "file")
            raise StudyError(
                f"{path.name}: {dotted(loc)} (line {line_of(text, loc)}): {file.name} is listed "
                "twice and would count twice; take one out"
            )
    short = [file.name for file in files]
    return [
        file.as_posix() if short.count(file.name) > 1 and not file.is_absolute() else file.name
        for file in files
    ]


def _with_paths(study: Study, path: Path, text: str) -> Study:
    """Make every path absolute and check that it is there."""
    here = path.parent

    def resolved(value: Path, *loc: str | int) -> Path:
        full = here / value
        if not full.exists():
            line = line_of(text, loc)
            raise StudyError(f"{path.name}: {dotted(loc)} (line {line}): no such file: {value}")
        return full

    def layout(table: Any, *loc: str | int) -> Any:
        if not isinstance(table, BoxesTable):
            return table
        texts = table.texts and resolved(table.texts, *loc, "texts")
        return table.model_copy(update={"file": resolved(table.file, *loc, "file"), "texts": texts})

    stimuli = {}
    for name, entry in study.stimuli.items():
        at = ("stimuli", name)
        update: dict[str, Any] = {
            key: resolved(value, *at, key)
            for key in ("code", "image")
            if (value := getattr(entry, key)) is not None
        }
        update["layout"] = layout(entry.layout, *at, "layout")
        update["layouts"] = {k: layout(v, *at, "layouts", k) for k, v in entry.layouts.items()}
        stimuli[name] = entry.model_copy(update=update)
    task = study.study.task
    recordings = tuple(
        r.model_copy(update={"file": here / r.file, "name": r.name or name, "task": r.task or task})
        for r, name in zip(study.recordings, _names(study, path, text), strict=True)
    )
    align = study.align.model_copy(
        update={"tokenizer": resolved(study.align.tokenizer, "align", "tokenizer")}
    )
    return study.model_copy(update={"stimuli": stimuli, "recordings": recordings, "align": align})

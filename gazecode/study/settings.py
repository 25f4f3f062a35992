"""A study file: which recordings, which stimuli, which steps with which parameters.

`load_study` reads TOML, checks every key, and names the key and the line of whatever is wrong.
Paths are relative to the study file.
"""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gazecode.disk import check_plain, read_limited
from gazecode.errors import FormatError, GazecodeError, StudyError
from gazecode.study.lines import dotted, line_of
from gazecode.study.sections import (
    AlignTable,
    CardTable,
    DriftTable,
    NullTable,
    RecordingTable,
    ReportTable,
    ScreenTable,
    ShareTable,
    Study,
    StudyTable,
    TargetTable,
)
from gazecode.study.stimulus_tables import (
    BoxesTable,
    GridTable,
    ImageTable,
    LayoutTable,
    OwnBoxesTable,
    StimulusTable,
)

MAX_STUDY_BYTES = 16 << 20

__all__ = [
    "BoxesTable",
    "GridTable",
    "ImageTable",
    "LayoutTable",
    "OwnBoxesTable",
    "RecordingTable",
    "ScreenTable",
    "StimulusTable",
    "Study",
    "digest_of",
    "load_study",
    "located",
]


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
        text = read_limited(path, MAX_STUDY_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
    except FormatError as error:
        raise StudyError(f"no study file: {error}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path.name}: not valid TOML: {error}") from error
    except RecursionError:
        raise StudyError(f"{path.name}: not valid TOML: brackets are nested too deep") from None
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
    kinds = {"grid", "boxes", "recording", "image"}
    return tuple(
        part
        for i, part in enumerate(loc)
        if not (part in kinds and ("layout" in loc[i - 1 : i] or "layouts" in loc[i - 2 : i - 1]))
    )


def _suggest(loc: Sequence[str | int]) -> str:
    """Which keys the table of an unknown key has, the likeliest first."""
    tables: dict[str, type[BaseModel]] = {
        "study": StudyTable,
        "screen": ScreenTable,
        "stimuli": StimulusTable,
        "recordings": RecordingTable,
        "targets": TargetTable,
        "align": AlignTable,
        "null": NullTable,
        "report": ReportTable,
        "share": ShareTable,
        "card": CardTable,
        "grid": GridTable,
        "boxes": BoxesTable,
        "recording": OwnBoxesTable,
        "image": ImageTable,
        "drift": DriftTable,
    }
    owner: type[BaseModel] = Study
    for part in loc[:-1]:
        owner = tables.get(str(part), owner)
    close = get_close_matches(str(loc[-1]) if loc else "", owner.model_fields, n=1)
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
        try:
            check_plain(full, name=value)
        except GazecodeError as error:
            where = f"{path.name}: {dotted(loc)} (line {line_of(text, loc)})"
            raise StudyError(f"{where}: {error}") from error
        return full

    def layout(table: Any, *loc: str | int) -> Any:
        if isinstance(table, ImageTable):
            named = {key: getattr(table, key) for key in ("image", "displayed")}
            found = {k: resolved(v, *loc, k) for k, v in named.items() if v is not None}
            return table.model_copy(update=found)
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
        r.model_copy(
            update={
                "file": here / r.file,
                "changelog": r.changelog and resolved(r.changelog, "recordings", i, "changelog"),
                "name": r.name or name,
                "task": r.task or task,
            }
        )
        for i, (r, name) in enumerate(zip(study.recordings, _names(study, path, text), strict=True))
    )
    align = study.align.model_copy(
        update={"tokenizer": resolved(study.align.tokenizer, "align", "tokenizer")}
    )
    return study.model_copy(update={"stimuli": stimuli, "recordings": recordings, "align": align})

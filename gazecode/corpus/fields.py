"""Which column of a corpus holds the code, the id and the language.

Told by the columns a row has, row by row:

==============  =========================================================================
EyeMulator      ``code_content_hash`` beside ``code``; Java (github CoderDoge1108/EyeMulator)
CodeSearchNet   ``language`` and ``url`` or ``func_name`` (Husain et al. 2019, arXiv:1909.09436),
                in its own files, in CodeXGLUE's code-to-text, and as ``func_code_string``
CodeXGLUE       ``func`` with ``target`` (defects, C), ``func`` with ``idx`` (clones, Java),
                ``code`` with ``index`` and ``label`` (POJ-104, C++) (Lu et al. 2021,
                arXiv:2102.04664)
The Stack       ``content`` with ``lang`` (Kocetkov et al. 2022, arXiv:2211.15533)
plain           ``code``, and ``id``, ``language`` where they are there
==============  =========================================================================
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gazecode.corpus.records import ReadOptions, Record, problem, usable
from gazecode.errors import ParameterError
from gazecode.source import known_language, language_of

__all__ = ["RowFormat", "known_language", "record_of", "row_format"]

IDS = ("id", "code_content_hash", "url", "func_code_url", "idx", "hexsha", "index")
LANGUAGE_FIELDS = ("language", "lang", "programming_language")
PATHS = ("path", "file_path", "filename", "max_stars_repo_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFormat:
    """Where a row keeps what is needed.

    Attributes
    ----------
    needs
        Columns that tell the format.
    code
        Column of the code.
    ids
        Columns that name the source; the first that says something does.
    language
        Language of every row where no column says it.
    """

    name: str
    needs: frozenset[str]
    code: str
    ids: tuple[str, ...] = IDS
    language: str = ""


def _format(name: str, needs: str, code: str, ids: str = "", language: str = "") -> RowFormat:
    names = (*ids.split(), *IDS)
    return RowFormat(
        name=name, needs=frozenset(needs.split()), code=code, ids=names, language=language
    )


ROW_FORMATS: tuple[RowFormat, ...] = (
    _format("eyemulator", "code code_content_hash", "code", "code_content_hash", "java"),
    _format("codesearchnet", "code language url", "code", "url"),
    _format("codesearchnet", "code language func_name", "code"),
    _format("codesearchnet", "original_string language", "original_string", "url"),
    _format("codesearchnet", "func_code_string", "func_code_string", "func_code_url"),
    _format("codexglue-defect", "func target", "func", "idx", "c"),
    _format("codexglue-clone", "func idx", "func", "idx", "java"),
    _format("codexglue-poj104", "code index label", "code", "index", "cpp"),
    _format("the-stack", "content lang", "content", "hexsha"),
    _format("plain", "code", "code"),
)


@lru_cache(maxsize=256)
def row_format(columns: Sequence[str], field: str | None = None) -> RowFormat | None:
    """Tell a format by its columns; None if none of them is known to hold code.

    Parameters
    ----------
    columns
        A tuple of names.
    field
        The column of the code, where the caller knows better.

    Examples
    --------
    >>> row_format(("repo", "url", "code", "language", "docstring")).name
    'codesearchnet'
    """
    names = frozenset(columns)
    if field is not None:
        return _format("named", field, field) if field in names else None
    return next((form for form in ROW_FORMATS if form.needs <= names), None)


def record_of(row: Mapping[str, Any], where: str, options: ReadOptions) -> Record:
    """Turn a row into a source, or say why it is none."""
    form = row_format(tuple(row), options.field)
    name = _name(row, form, options)
    if form is None:
        wanted = options.field or "code"
        return problem(
            name,
            where,
            f"no column {wanted!r}; name the column of the code with field=... (--field); "
            f"found {', '.join(map(str, row)) or 'none'}"[:300],
        )
    code = row[form.code]
    if not isinstance(code, str | bytes):
        return problem(name, where, f"{form.code} is no text but {type(code).__name__}")
    raw = _encoded(code)
    if raw is None:
        return problem(name, where, f"{form.code} holds half a character; expected Unicode text")
    try:
        language = _language(row, form, options)
    except ParameterError as error:
        return problem(name, where, str(error), stage="language")
    answer, fault = _answer(row, options)
    if fault:
        return problem(name, where, fault)
    return usable(name, where, language, raw, options, answer=answer)


def _answer(row: Mapping[str, Any], options: ReadOptions) -> tuple[bytes | None, str]:
    """What the model should answer, or why there is nothing; neither where nobody asks."""
    if options.answer is None:
        return None, ""
    value = row.get(options.answer)
    if isinstance(value, str | bytes):
        raw = _encoded(value)
        return raw, "" if raw is not None else f"{options.answer} holds half a character"
    if options.answer in row:
        return None, f"{options.answer} is no text but {type(value).__name__}"
    listed = ", ".join(map(str, row)) or "none"
    return None, f"no column {options.answer!r} with an answer (--answer); found {listed}"[:300]


def _encoded(code: str | bytes) -> bytes | None:
    if isinstance(code, bytes):
        return code
    try:
        return code.encode("utf-8")
    except UnicodeEncodeError:
        return None


def _name(row: Mapping[str, Any], form: RowFormat | None, options: ReadOptions) -> str:
    wanted = (options.id_field,) if options.id_field else (form.ids if form else IDS)
    for column in wanted:
        value = row.get(column)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "backslashreplace")
        if isinstance(value, float) and math.isfinite(value):
            # A table with gaps keeps whole numbers as floats.
            value = int(value) if value.is_integer() and abs(value) < 2**53 else str(value)
        if isinstance(value, str | int) and str(value).strip():
            return str(value)
    return ""


def _language(row: Mapping[str, Any], form: RowFormat, options: ReadOptions) -> str:
    if options.language is not None:
        return known_language(options.language)
    for column in LANGUAGE_FIELDS:
        if isinstance(row.get(column), str) and row[column]:
            return known_language(row[column])
    if form.language:
        return known_language(form.language)
    for column in PATHS:
        if isinstance(row.get(column), str) and row[column]:
            return language_of(row[column])
    raise ParameterError(
        "the row names no language; name one for all rows with language=... (--language)"
    )

"""What the readers of a corpus give: one source after another, or why it cannot be used."""

import re
from dataclasses import dataclass

from gazecode.errors import ParameterError

__all__ = ["ReadOptions", "Record", "problem", "usable"]

MAX_ID = 500
"""Characters of an id that are kept: it stands in every file the job writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a corpus is read; what is None follows from the format.

    Attributes
    ----------
    field
        Column that holds the code.
    language
        Language of all sources, whatever the corpus says.
    id_field
        Column that names a source.
    answer
        Column that holds what a model should answer; None for code alone.
    max_bytes
        A longer source is reported, not weighed.
    max_line_bytes
        A source with a longer line is reported: machine-made, and no reader ever saw it so.
    max_row_bytes
        A longer line of a JSONL file is passed over unread and reported.
    """

    field: str | None = None
    language: str | None = None
    id_field: str | None = None
    answer: str | None = None
    max_bytes: int = 1_000_000
    max_line_bytes: int = 100_000
    max_row_bytes: int = 32_000_000

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_line_bytes", "max_row_bytes"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One source of a corpus.

    Attributes
    ----------
    id
        What the corpus calls it; its place where it has no name.
    where
        File of the corpus, with the line (from 1) or row (from 0) in it.
    code, answer
        UTF-8 bytes; empty for a source that cannot be used, and where no answer is asked for.
    stage, reason
        Why it cannot be used; empty for one that can.
    """

    id: str
    where: str
    language: str = ""
    code: bytes = b""
    answer: bytes = b""
    stage: str = ""
    reason: str = ""


def problem(name: str, where: str, reason: str, *, stage: str = "read") -> Record:
    """A source that cannot be used, and why."""
    return Record(id=clean(name) or where, where=where, stage=stage, reason=one_line(reason))


def usable(
    name: str,
    where: str,
    language: str,
    code: bytes,
    options: ReadOptions,
    *,
    answer: bytes | None = None,
) -> Record:
    r"""A source if nothing speaks against it, else the reason.

    >>> usable("a", "x.jsonl:1", "java", b" \n", ReadOptions()).reason
    'the source is empty or blank'
    """
    reason = _fault(code, options)
    if not reason and options.answer is not None:
        reason = _fault(answer or b"", options, what="answer")
    if reason:
        return problem(name, where, reason)
    return Record(
        id=clean(name) or where, where=where, language=language, code=code, answer=answer or b""
    )


def _fault(code: bytes, options: ReadOptions, *, what: str = "source") -> str:
    if len(code) > options.max_bytes:
        return f"the {what} has {len(code)} bytes; at most {options.max_bytes} are weighed"
    if not code or code.isspace():
        return f"the {what} is empty or blank"
    if b"\0" in code:
        return f"the {what} holds NUL bytes; expected text"
    if len(code) > options.max_line_bytes:
        longest = max(map(len, code.splitlines()))
        if longest > options.max_line_bytes:
            return f"a line has {longest} bytes; at most {options.max_line_bytes} are weighed"
    try:
        text = code.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"the {what} is not UTF-8 (byte {error.start}); decode it first"
    return "" if text.strip() else f"the {what} is empty or blank"


def clean(name: str) -> str:
    """An id that every file can hold."""
    kept = name[:MAX_ID].replace("\0", r"\x00")
    return kept.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    """A reason on one line, not longer than a line may be."""
    return re.sub(r"\s+", " ", clean(text)).strip()

"""XML as recordings hold it: long lists of small elements. Streamed, bounded, never trusted.

Entities are refused (defusedxml; a few hundred bytes of them can unpack to gigabytes), external
references too. A file that breaks off is an error that says where and after how much: half a
recording must not pass for a whole one.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError

__all__ = ["Columns", "Group", "number", "read_xml", "root_name"]

Columns = dict[str, npt.NDArray[Any]]

_BATCH = 1 << 15
"""Elements held as Python objects before they become columns: bounds the memory."""
_CHUNK = 1 << 20
_START_TAG = re.compile(rb"<([A-Za-z_][\w.-]*)")


def root_name(head: bytes) -> str:
    """Name of a document's root element, from its first bytes; empty for what is no XML.

    >>> root_name(b"<?xml version='1.0'?><!-- made here --><itrace_core session_id='7'>")
    'itrace_core'
    >>> root_name(b"the root is <itrace_core>")
    ''
    """
    if not head.lstrip().startswith(b"<"):
        return ""
    found = _START_TAG.search(head)
    return found[1].decode() if found else ""


@dataclass
class Group:
    """What one repeated part of a document holds; the first one is the document itself.

    Attributes
    ----------
    attrib
        Attributes of the element that opens the group.
    heads
        Element name → attributes of its first occurrence.
    texts
        Element name → text of its first occurrence.
    tables
        Element name → column → array, one row per element.
    """

    attrib: dict[str, str]
    heads: dict[str, dict[str, str]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Columns] = field(default_factory=dict)


def read_xml(
    raw: bytes,
    *,
    name: str,
    rows: Mapping[str, Mapping[str, str]],
    heads: Collection[str] = (),
    texts: Collection[str] = (),
    group: str | None = None,
) -> list[Group]:
    """Read the named elements of a document into columns.

    Parameters
    ----------
    raw
        The whole document.
    name
        Of the file, for messages.
    rows
        Element → attribute → ``"float"`` (missing or empty is NaN), ``"int"`` (must be there; 64
        bits, so that 18-digit stamps stay exact) or ``"text"`` (missing is empty).
    heads, texts
        Elements of which the first one's attributes or text are kept.
    group
        Element that opens a new group (a trial).

    Returns
    -------
    list of Group
        The document first (its `attrib` are the root's), then one per `group` element.

    Raises
    ------
    FormatError
        For XML that breaks off or is malformed, entities, and numbers that are none.

    Examples
    --------
    >>> raw = b"<r id='7'><t><g x='1'/><g x='2,5'/></t><t><g/></t></r>"
    >>> document, *trials = read_xml(raw, name="a.xml", rows={"g": {"x": "float"}}, group="t")
    >>> document.attrib, [t.tables["g"]["x"].tolist() for t in trials]
    ({'id': '7'}, [[1.0, 2.5], [nan]])
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    collector = _Collector(name=name, rows=rows, heads=heads, texts=texts, group=group)
    parser = DefusedXMLParser(target=collector)
    try:
        for start in range(0, len(raw), _CHUNK):
            parser.feed(raw[start : start + _CHUNK])
        parser.close()
    except DefusedXmlException as error:
        raise FormatError(
            f"{name}: the XML declares entities or external references "
            f"({type(error).__name__}), which are refused because they can unpack without bound; "
            "expected plain elements. Remove the DOCTYPE if you trust the file"
        ) from error
    except (ParseError, LookupError, ValueError) as error:
        raise _broken(name, error, collector.count) from error
    return collector.groups


def _broken(name: str, error: Exception, count: Counter[str]) -> FormatError:
    read = ", ".join(f"{n} <{tag}>" for tag, n in count.items()) or "no element of interest"
    return FormatError(
        f"{name}: the XML breaks off or is malformed ({error}) after {read}; expected a complete "
        "document. Copy or export the file again"
    )


class _Collector:
    """Target of the parser: keeps what was asked for, as columns, and forgets the rest."""

    def __init__(
        self,
        *,
        name: str,
        rows: Mapping[str, Mapping[str, str]],
        heads: Collection[str],
        texts: Collection[str],
        group: str | None,
    ) -> None:
        self.name, self.rows, self.heads, self.texts = name, rows, heads, texts
        self.group_tag = group
        self.groups: list[Group] = []
        self.current = Group({})
        self.count: Counter[str] = Counter()
        self.parts: dict[str, list[Columns]] = {}
        self.buffers: dict[str, list[dict[str, str]]] = {tag: [] for tag in rows}
        self.open_text: list[str] | None = None

    def start(self, tag: str, attrib: dict[str, str]) -> None:
        buffer = self.buffers.get(tag)
        if buffer is not None:
            buffer.append(attrib)
            self.count[tag] += 1
            if len(buffer) >= _BATCH:
                self._flush(tag)
            return
        if not self.groups:
            self._open(attrib)
        elif tag == self.group_tag:
            self._close()
            self._open(attrib)
        if tag in self.heads:
            self.current.heads.setdefault(tag, attrib)
        if tag in self.texts and tag not in self.current.texts:
            self.open_text = []

    def data(self, text: str) -> None:
        if self.open_text is not None:
            self.open_text.append(text)

    def end(self, tag: str) -> None:
        if self.open_text is not None and tag in self.texts:
            self.current.texts[tag] = "".join(self.open_text)
            self.open_text = None
        elif tag == self.group_tag:
            self._close()
            self.current = self.groups[0]

    def close(self) -> None:
        self._close()

    def _open(self, attrib: dict[str, str]) -> None:
        self.current = Group(attrib)
        self.groups.append(self.current)

    def _close(self) -> None:
        for tag in self.rows:
            self._flush(tag)
            parts = self.parts.pop(tag, [])
            known = self.current.tables.get(tag)
            parts = parts if known is None else [known, *parts]
            self.current.tables[tag] = _join(parts, self.rows[tag])

    def _flush(self, tag: str) -> None:
        buffer = self.buffers[tag]
        if not buffer:
            return
        where = f"{self.name}: <{tag}>"
        part = {
            column: _convert([row.get(column) for row in buffer], kind, f"{where} {column}")
            for column, kind in self.rows[tag].items()
        }
        self.parts.setdefault(tag, []).append(part)
        buffer.clear()


_DTYPES: dict[str, npt.DTypeLike] = {"float": np.float64, "int": np.int64, "text": object}


def _join(parts: list[Columns], columns: Mapping[str, str]) -> Columns:
    return {
        column: np.concatenate([part[column] for part in parts] or [np.empty(0, _DTYPES[kind])])
        for column, kind in columns.items()
    }


def _convert(values: list[str | None], kind: str, where: str) -> npt.NDArray[Any]:
    if kind == "text":
        return np.array(["" if v is None else v for v in values], dtype=object)
    if kind == "int":
        return _integers(values, where)
    try:
        return np.array([float(v) for v in values], dtype=np.float64)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return np.array([number(v, where) for v in values], dtype=np.float64)


def _integers(values: list[str | None], where: str) -> npt.NDArray[np.int64]:
    try:
        return np.array([int(v) for v in values], dtype=np.int64)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(
            f"{where} is missing or no 64-bit integer ({error}); expected one in every element"
        ) from error


def number(text: str | None, where: str) -> float:
    """Float of an attribute written with a decimal point or comma; NaN where there is none.

    >>> number("1,5", "x"), number("", "x")
    (1.5, nan)
    """
    if text is None or not text.strip():
        return float("nan")
    try:
        return float(text.replace(",", ".", 1))
    except ValueError as error:
        raise FormatError(f"{where} is {text[:40]!r}; expected a number") from error

"""XML as recordings hold it: long lists of small elements. Streamed, bounded, never trusted.

Entities are refused (defusedxml; a few hundred bytes of them can unpack to gigabytes), external
references too, and so is what no tracker writes: elements nested by the thousand, tags of
megabytes, texts without end. A file that breaks off is an error that says where and after how
much: half a recording must not pass for a whole one.

Attributes come from expat as flat lists, are held for a few thousand elements, and become columns
at once; nothing else of a document is kept.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy.typing as npt

from gazecode.errors import FormatError, TooLarge
from gazecode.readers.tools.growing import Growing
from gazecode.readers.tools.xml_columns import Column, Kind, convert, empty, number

__all__ = ["Columns", "Group", "Kind", "number", "read_xml", "root_name"]

Columns = dict[str, npt.NDArray[Any]]

_BATCH = 1 << 9
"""Elements held as Python objects before they become columns: bounds the memory."""
_FEED = 1 << 20
MAX_DEPTH = 64
"""Elements inside one another; recordings have five or six."""
MAX_TAG_BYTES = 4 << 20
"""Of one tag, comment or instruction: expat holds it whole."""
MAX_TEXT_BYTES = 256 << 20
"""Of the texts that are kept of a document (sources, screenshots)."""
MAX_GROUPS = 10_000
MAX_NAMES = 10_000
"""Distinct names of elements and attributes, which expat never forgets."""
_START_TAG = re.compile(rb"<([A-Za-z_][\w.-]*)")
_SAYS_UTF16 = re.compile(rb"\s*<\?xml[^>]*encoding\s*=\s*['\"]utf-?16", re.IGNORECASE)


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
    chunks: Iterable[bytes],
    *,
    name: str,
    rows: Mapping[str, Mapping[str, Kind]],
    heads: Collection[str] = (),
    texts: Collection[str] = (),
    group: str | None = None,
    aliases: Mapping[str, str] | None = None,
) -> list[Group]:
    """Read the named elements of a document into columns.

    Parameters
    ----------
    chunks
        The document in pieces of any size, as `Source.chunks` gives them.
    name
        Of the file, for messages.
    rows
        Element → column → what it holds. The attribute of the column's name as ``"float"``
        (missing or empty is NaN; a decimal comma is understood), ``"int"`` (must be there; 64
        bits, so that 18-digit stamps stay exact), ``"ticks"`` (int64 where all are whole numbers,
        else float), ``"flag"`` (whether it is 1) or ``"text"`` (missing is empty). Or a tuple of
        attributes, which gives one ``(n, k)`` column of floats. Or ``"in:<element>"``: the number
        of the last such row element that was opened in the group before this one, -1 for none.
    heads, texts
        Elements of which the first one's attributes or text are kept.
    group
        Element that opens a new group (a trial).
    aliases
        Attribute as some writers call it → its name in `rows`.

    Returns
    -------
    list of Group
        The document first (its `attrib` are the root's), then one per `group` element.

    Raises
    ------
    FormatError
        For XML that breaks off or is malformed, entities, and numbers that are none.
    TooLarge
        For tags, texts and nesting beyond what recordings hold.

    Examples
    --------
    >>> raw = b"<r id='7'><t><g x='1'/><g x='2,5'/></t><t><g/></t></r>"
    >>> document, *trials = read_xml([raw], name="a.xml", rows={"g": {"x": "float"}}, group="t")
    >>> document.attrib, [t.tables["g"]["x"].tolist() for t in trials]
    ({'id': '7'}, [[1.0, 2.5], [nan]])
    """
    from xml.parsers.expat import ExpatError

    from defusedxml.common import DefusedXmlException

    collector = _Collector(
        name=name, rows=rows, heads=heads, texts=texts, group=group, aliases=aliases or {}
    )
    try:
        _parse(chunks, collector)
    except DefusedXmlException as error:
        raise FormatError(
            f"{name}: the XML declares entities or external references "
            f"({type(error).__name__}), which are refused because they can unpack without bound; "
            "expected plain elements. Remove the DOCTYPE if you trust the file"
        ) from error
    except (ExpatError, LookupError, ValueError) as error:
        raise _broken(name, error, collector.seen()) from error
    return collector.finish()


def _parse(chunks: Iterable[bytes], collector: "_Collector") -> None:
    from defusedxml.common import ExternalReferenceForbidden
    from defusedxml.ElementTree import DefusedXMLParser

    def doctype(_: str, system: str | None, public: str | None, __: bool) -> None:  # noqa: FBT001
        if system is not None or public is not None:
            raise ExternalReferenceForbidden("DOCTYPE", None, system, public)

    pieces = _pieces(chunks)
    first = next(pieces, b"")
    # A source gives UTF-8 whatever the file was; its declaration still says UTF-16.
    encoding = "utf-8" if _SAYS_UTF16.match(first) else None
    hardened = DefusedXMLParser(encoding=encoding)
    expat = hardened.parser
    # Straight to the collector: the tree builder's own callbacks would cost half the time.
    expat.ordered_attributes = expat.specified_attributes = True
    expat.buffer_text = True
    expat.StartDoctypeDeclHandler = doctype
    expat.DefaultHandlerExpand = expat.CommentHandler = None
    expat.ProcessingInstructionHandler = expat.CharacterDataHandler = None
    expat.StartElementHandler = collector.start
    expat.EndElementHandler = collector.end
    collector.expat = expat
    fed = 0
    while first:
        expat.Parse(first)
        fed += len(first)
        if fed - expat.CurrentByteIndex > MAX_TAG_BYTES:
            collector.too_large(f"a tag or comment of over {MAX_TAG_BYTES} bytes")
        if len(expat.intern) > MAX_NAMES:
            collector.too_large(f"over {MAX_NAMES} names of elements and attributes")
        # A few elements may be large ones, so bytes bound what is held, too.
        collector.flush()
        first = next(pieces, b"")
    expat.Parse(b"", True)  # noqa: FBT003


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """No piece empty, and none so large that a check after it comes too late."""
    for chunk in chunks:
        for start in range(0, len(chunk), _FEED):
            yield chunk[start : start + _FEED]


def _broken(name: str, error: Exception, count: Mapping[str, int]) -> FormatError:
    read = ", ".join(f"{n} <{tag}>" for tag, n in count.items()) or "no element of interest"
    return FormatError(
        f"{name}: the XML breaks off or is malformed ({error}) after {read}; expected a complete "
        "document. Copy or export the file again"
    )


class _Table:
    """Elements of one name in one group, on their way to columns."""

    def __init__(self, kinds: Mapping[str, Kind], where: str, aliases: Mapping[str, str]) -> None:
        self.columns = [Column(column, kind) for column, kind in kinds.items()]
        self.where, self.aliases = where, aliases
        self.growing = {column: Growing(empty(kind)) for column, kind in kinds.items()}

    def take(self, batch: list[list[str]], memo: dict[str, str]) -> None:
        for column, part in convert(batch, self.columns, self.where, self.aliases, memo):
            self.growing[column].add(part)

    def finish(self) -> Columns:
        return {column: self.growing.pop(column).whole() for column in tuple(self.growing)}


class _Collector:
    """What expat calls: keeps what was asked for, as columns, and forgets the rest."""

    def __init__(
        self,
        *,
        name: str,
        rows: Mapping[str, Mapping[str, Kind]],
        heads: Collection[str],
        texts: Collection[str],
        group: str | None,
        aliases: Mapping[str, str],
    ) -> None:
        self.name, self.rows, self.heads, self.texts = name, rows, heads, texts
        self.group_tag, self.aliases = group, aliases
        self.expat: Any = None
        self.groups: list[Group] = []
        self.tables: list[dict[str, _Table]] = []
        self.current = 0
        self.counts: Counter[str] = Counter()
        self.taken: list[Counter[str]] = []
        self.buffers: dict[str, list[list[str]]] = {tag: [] for tag in rows}
        self.nested = {
            tag: [k[3:] for k in kinds.values() if isinstance(k, str) and k.startswith("in:")]
            for tag, kinds in rows.items()
        }
        self.depth = self.text_bytes = 0
        self.open_text: list[str] | None = None
        # Labels repeat: one string each, however many rows name it.
        self.memo: dict[str, str] = {}

    def start(self, tag: str, attrib: list[str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.too_large(f"over {MAX_DEPTH} elements inside one another")
        buffer = self.buffers.get(tag)
        if buffer is not None and self.groups:
            for outer in self.nested[tag]:
                number = self.taken[self.current][outer] + len(self.buffers[outer]) - 1
                attrib += ["in:" + outer, str(number)]
            if not buffer:
                self.counts[tag] += 0  # the order in which they are met
            buffer.append(attrib)
            if len(buffer) >= _BATCH:
                self._flush(tag)
            return
        self._other(tag, attrib)

    def _other(self, tag: str, attrib: list[str]) -> None:
        if not self.groups or tag == self.group_tag:
            self._open(attrib)
        group = self.groups[self.current]
        if tag in self.heads:
            group.heads.setdefault(tag, _named(attrib))
        if tag in self.texts and tag not in group.texts:
            self.open_text = []
            self.expat.CharacterDataHandler = self._data

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self.open_text is not None and tag in self.texts:
            self.groups[self.current].texts[tag] = "".join(self.open_text)
            self.open_text = self.expat.CharacterDataHandler = None
        elif tag == self.group_tag:
            self.flush()
            self.current = 0

    def _data(self, text: str) -> None:
        if self.open_text is not None:
            self.open_text.append(text)
            self.text_bytes += len(text)
            if self.text_bytes > MAX_TEXT_BYTES:
                self.too_large(f"texts of over {MAX_TEXT_BYTES} bytes")

    def _open(self, attrib: list[str]) -> None:
        if len(self.groups) > MAX_GROUPS:
            self.too_large(f"over {MAX_GROUPS} <{self.group_tag}>")
        self.flush()
        self.current = len(self.groups)
        self.taken.append(Counter())
        self.groups.append(Group(_named(attrib)))
        self.tables.append(
            {
                tag: _Table(kinds, f"{self.name}: <{tag}>", self.aliases)
                for tag, kinds in self.rows.items()
            }
        )

    def flush(self) -> None:
        """Make columns of all elements that are held."""
        for tag in self.rows:
            self._flush(tag)

    def _flush(self, tag: str) -> None:
        batch = self.buffers[tag]
        if batch:
            self.counts[tag] += len(batch)
            self.taken[self.current][tag] += len(batch)
            self.tables[self.current][tag].take(batch, self.memo)
            batch.clear()

    def seen(self) -> Counter[str]:
        """How many elements were met, those that are not yet columns included."""
        held = {tag: len(buffer) for tag, buffer in self.buffers.items() if buffer}
        return self.counts + Counter(held)

    def too_large(self, what: str) -> NoReturn:
        raise TooLarge(
            f"{self.name} holds {what} after {sum(self.seen().values())} rows; no recording does, "
            "so it is refused. Is this the right file?"
        )

    def finish(self) -> list[Group]:
        self.flush()
        for group, tables in zip(self.groups, self.tables, strict=True):
            group.tables = {tag: tables.pop(tag).finish() for tag in list(tables)}
        return self.groups


def _named(attrib: list[str]) -> dict[str, str]:
    return dict(zip(attrib[::2], attrib[1::2], strict=True))

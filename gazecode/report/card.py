"""A dataset card: Markdown beside the data, in the form people know from dataset hubs.

Front matter, headings, tables, sentences. Whatever comes from a study or a file is text here:
nothing in it becomes markup, a table's border, a link or HTML.

Shape of the front matter: https://huggingface.co/docs/hub/datasets-cards
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gazecode.report.words import printable

__all__ = ["Section", "card_text", "front_matter", "plain"]

_MARKUP = re.compile(r"([\\`*_\[\]|~$#])")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_TYPED = re.compile(r"[0-9a-f]{16,128}|[a-z]\w*(?:\.\w+)*[_.]\w+", re.ASCII)
"""Digests and names of parameters, which stand in a type of their own."""

Row = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it; texts are escaped as they are written.

    Attributes
    ----------
    facts
        ``(name, value)``: a line each.
    sentences
        A point each.
    columns, rows
        A table; none if there are no rows.
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()
    sentences: Sequence[str] = ()
    columns: Row = ()
    rows: Sequence[Row] = ()


def clean(text: str) -> str:
    """One line without control characters."""
    return " ".join(printable(text).split())


def plain(text: str) -> str:
    r"""Text as Markdown that shows exactly this text, inside a line or a cell.

    >>> print(plain("<script> | a_b | [x](y)"))
    &lt;script&gt; \| a\_b \| \[x\](y)
    """
    return _MARKUP.sub(r"\\\1", clean(text).translate(_HTML))


def _line(text: str) -> str:
    """The same at the start of a line, where more signs mean something: lists, rules, headings."""
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", plain(text))


def front_matter(fields: Mapping[str, object]) -> str:
    """YAML between rules; what is empty is left out.

    >>> print(front_matter({"license": "cc-by-4.0", "tags": ["gaze"], "pretty_name": ""}))
    ---
    license: "cc-by-4.0"
    tags:
    - "gaze"
    ---
    """
    lines = ["---"]
    for name, value in fields.items():
        if isinstance(value, str) and value:
            lines.append(f"{name}: {_quoted(value)}")
        elif isinstance(value, Sequence) and value:
            lines += [f"{name}:", *(f"- {_quoted(str(item))}" for item in value)]
    return "\n".join([*lines, "---"])


def _quoted(text: str) -> str:
    # A JSON string is a YAML string; unescaped, for YAML knows no pairs of surrogates. Hubs show
    # it as HTML, some of them with care.
    said = json.dumps(clean(text), ensure_ascii=False)
    return said.replace("<", r"\u003c").replace(">", r"\u003e")


def card_text(title: str, intro: Sequence[str], sections: Sequence[Section], front: str) -> str:
    """The whole card.

    >>> card = card_text("Gaze", ["On code."], [Section(title="What", facts=[("rows", "2")])], "")
    >>> print(card)
    # Gaze
    <BLANKLINE>
    On code.
    <BLANKLINE>
    ## What
    <BLANKLINE>
    - rows: 2
    <BLANKLINE>
    """
    blocks = [*([front] if front else []), f"# {plain(title)}", *(_line(text) for text in intro)]
    for section in sections:
        blocks += [f"## {section.title}", *_blocks(section)]
    return "\n\n".join(blocks) + "\n"


def _blocks(section: Section) -> list[str]:
    facts = "\n".join(f"- {_line(name)}: {_value(value)}" for name, value in section.facts)
    points = "\n".join(f"- {_line(text)}" for text in section.sentences)
    return [block for block in (facts, _table(section), points) if block]


def _table(section: Section) -> str:
    if not section.rows:
        return ""
    rule = ["---"] * len(section.columns)
    rows = [[_value(cell) for cell in row] for row in section.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [section.columns, rule, *rows])


def _value(text: str) -> str:
    return f"`{text}`" if _TYPED.fullmatch(text) else plain(text)

"""Fill-in-the-middle layouts: the code cut in three, its middle predicted last.

The transformation is that of Bavarian et al. 2022, arXiv:2207.14255: two cuts at characters, drawn
uniformly; order prefix, suffix, middle (PSM), or suffix, prefix, middle (SPM, in the variant that
keeps the marks of PSM, with prefix and middle adjoining). How each family of models spells it is in
`FIM_LAYOUTS`. Spellings were checked against the tokenizers of StarCoder 2, Code Llama and DeepSeek
Coder; the others are as their authors publish them. Where a tokenizer has a mark in pieces, the
text is refused. Code Llama's marks are words of its vocabulary like any other: what follows one may
merge with it (``<SUF>;``), and another seed or another cut is then needed.
"""

import hashlib
import random
from dataclasses import dataclass
from typing import Literal

from gazecode.alignment.templates.filling import code_text
from gazecode.alignment.templates.template import FIM_PARTS, Mark, Pieces, Template, parsed
from gazecode.errors import ParameterError
from gazecode.model import SourceTokens
from gazecode.registry import Registry

__all__ = ["FIM_LAYOUTS", "FimLayout", "fim_template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FimLayout:
    """How a family of models spells a fill-in-the-middle text.

    Attributes
    ----------
    psm, spm
        Text with ``{prefix}``, ``{middle}`` and ``{suffix}``; empty where nobody published one.
    marks
        What must come out as one token each. The last one ends the middle.
    """

    psm: str
    spm: str = ""
    marks: tuple[str, ...]

    def pieces(self, order: str) -> Pieces:
        """Parts and marks in order."""
        found: list[object] = []
        for piece in parsed(self.psm if order == "psm" else self.spm, names=FIM_PARTS):
            found += _marked(piece, self.marks) if isinstance(piece, str) else [piece]
        return tuple(found)  # type: ignore[arg-type]


def _bars(prefix: str, suffix: str, middle: str, end: str, *, spm: bool = False) -> FimLayout:
    """Marks directly before each part."""
    return FimLayout(
        psm=f"{prefix}{{prefix}}{suffix}{{suffix}}{middle}{{middle}}{end}",
        spm=f"{prefix}{suffix}{{suffix}}{middle}{{prefix}}{{middle}}{end}" if spm else "",
        marks=(prefix, suffix, middle, end),
    )


FIM_LAYOUTS: Registry[FimLayout] = Registry(
    "fill-in-the-middle layouts",
    {
        "starcoder": _bars(
            "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>", spm=True
        ),
        "santacoder": _bars(
            "<fim-prefix>", "<fim-suffix>", "<fim-middle>", "<|endoftext|>", spm=True
        ),
        "deepseek-coder": _bars(
            "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<｜end▁of▁sentence｜>"
        ),
        "qwen2.5-coder": _bars(
            "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>"
        ),
        "codegemma": _bars(
            "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_separator|>"
        ),
        # Blanks are SentencePiece's: its model has each mark as a word with one before it.
        "codellama": FimLayout(
            psm="<PRE> {prefix} <SUF>{suffix} <MID>{middle} <EOT>",
            spm="<PRE> <SUF>{suffix} <MID> {prefix}{middle} <EOT>",
            marks=("<PRE>", " <SUF>", " <MID>", " <EOT>"),
        ),
    },
)


def fim_template(
    tokens: SourceTokens | bytes,
    *,
    layout: str | FimLayout,
    order: Literal["psm", "spm"] = "psm",
    middle: tuple[int, int] | None = None,
    seed: int = 0,
    loss: Literal["middle", "all"] = "middle",
    learn_end: bool = True,
) -> Template:
    """Cut the code of one source in three and lay it out for filling the middle.

    Parameters
    ----------
    tokens
        The source, or its bytes in UTF-8; the template serves no other.
    layout
        A name in `FIM_LAYOUTS`, or a layout.
    order
        ``"psm"`` (prefix, suffix, middle) or ``"spm"`` (suffix, prefix, middle).
    middle
        Bytes of the code that are the middle, at borders of characters. By default drawn: two
        different borders of characters, all pairs equally likely.
    seed
        With the content of the source it decides the draw.
    loss
        ``"middle"``, or ``"all"`` three parts.
    learn_end
        Whether the end of the middle counts in the loss, with weight 1.0.

    Returns
    -------
    Template
        A token across a cut lies in the text once for each part of it: attention and shared mass
        are divided by bytes, an inherited weight is that of the whole token.

    Raises
    ------
    ParameterError
        An unknown layout, an order that it has not, or a middle that is empty or splits a
        character.
    AlignmentError
        The code is empty or not UTF-8.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> tokens = parse("x = foo(y)", "python")
    >>> template = fim_template(tokens, layout="starcoder", middle=(4, 7))
    >>> template.fill({"prefix": "x = ", "middle": "foo", "suffix": "(y)"})[0]
    '<fim_prefix>x = <fim_suffix>(y)<fim_middle>foo<|endoftext|>'
    """
    found = FIM_LAYOUTS[layout] if isinstance(layout, str) else layout
    if order not in ("psm", "spm"):
        raise ParameterError.unknown("orders", order, ("psm", "spm"))
    if loss not in ("middle", "all"):
        raise ParameterError.unknown("parts for the loss", loss, ("middle", "all"))
    if order == "spm" and not found.spm:
        having = sorted(name for name, one in FIM_LAYOUTS.items() if one.spm)
        raise ParameterError(
            f"the layout has no order 'spm' that its authors published; use order='psm' "
            f"(with 'spm': {', '.join(having)})"
        )
    code = tokens if isinstance(tokens, bytes) else tokens.code
    name = "" if isinstance(tokens, bytes) else tokens.source_id
    text = code_text(code, name or "the source")
    first, last = _drawn(code, text, seed) if middle is None else _checked(code, middle)
    return Template(
        pieces=found.pieces(order),
        loss=("middle",) if loss == "middle" else FIM_PARTS,
        learn_end=learn_end,
        middle=(first, last),
        code_sha256=hashlib.sha256(code).hexdigest(),
    )


def _marked(text: str, marks: tuple[str, ...]) -> list[str | Mark]:
    """Literal text with the marks in it, which are found from left to right."""
    found: list[str | Mark] = []
    while text:
        places = [(text.index(mark), mark) for mark in marks if mark in text]
        if not places:
            return [*found, text]
        at, mark = min(places)
        found += [text[:at], Mark(mark)] if at else [Mark(mark)]
        text = text[at + len(mark) :]
    return found


def _drawn(code: bytes, text: str, seed: int) -> tuple[int, int]:
    """Two borders of characters, decided by the seed and the content alone."""
    digest = hashlib.sha256(f"{seed}:".encode() + code).digest()
    first, last = sorted(random.Random(digest).sample(range(len(text) + 1), 2))  # noqa: S311
    return len(text[:first].encode()), len(text[:last].encode())


def _checked(code: bytes, middle: tuple[int, int]) -> tuple[int, int]:
    first, last = (int(cut) for cut in middle)
    n = len(code)
    if not 0 <= first < last <= n:
        raise ParameterError(
            f"middle is bytes {first} to {last}; expected some of the {n} bytes of the code"
        )
    for cut in (first, last):
        if cut < n and code[cut] & 0xC0 == 0x80:
            raise ParameterError(
                f"middle cuts at byte {cut}, inside a character; cut before or after it"
            )
    return first, last

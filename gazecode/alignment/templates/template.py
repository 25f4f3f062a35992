"""Texts with named gaps: what stands around the code, and where its place is once filled.

A gap that is filled becomes a segment of the text. Where it lies is known from the filling, never
from tokenizing a part alone: a merge may cross any border.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gazecode.errors import AlignmentError, ParameterError

__all__ = ["ANSWER", "CODE", "FIM_PARTS", "PLAIN", "Gap", "Mark", "Slot", "Template", "as_template"]

CODE, ANSWER = "code", "answer"
FIM_PARTS = ("prefix", "middle", "suffix")
RESERVED = (CODE, ANSWER, *FIM_PARTS)
"""Gaps that are not free fields."""
_KNOWN = (CODE, ANSWER, "instruction")
_SPELLED = re.compile(r"\{\{|\}\}|\{([^\W\d]\w*)\}")
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Slot:
    """A gap with a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Text that the tokenizer must have as one token, such as ``<fim_middle>``."""

    text: str


@dataclass(frozen=True, slots=True)
class Trim:
    """The joined text of pieces ``first:last`` loses its blanks on one side or both."""

    first: int
    last: int
    left: bool
    right: bool


class Gap(NamedTuple):
    """A slot (or, without a name, a mark) of a filled text.

    `start` and `end` count characters of the text; `skipped` are characters of the value that were
    trimmed before it.
    """

    name: str
    start: int
    end: int
    skipped: int


Pieces = tuple[str | Slot | Mark, ...]
Render = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    r"""Text around the code; made by `Template.of`, `chat_template` or `fim_template`.

    Attributes
    ----------
    pieces
        Literal text, gaps and marks, in order.
    loss
        Names of the gaps whose text counts in the loss; empty: the answer if there is one, else
        the code.
    learn_end
        Whether the first special token after the text that counts (end of turn, end of text) counts
        too, with weight 1.0, and blanks before it: a model that never sees them as a target never
        stops.
    special_tokens
        Whether the tokenizer puts its own special tokens around the text; false where the template
        spells them.
    middle
        Bytes of the code that are the middle of a fill-in-the-middle layout.
    code_sha256
        Of the code that was cut so.
    trims
        Where blanks are taken off.
    render
        What the filled text must be equal to.
    names
        Names of the gaps, in order.

    Examples
    --------
    >>> template = Template.of("Summarize:\n{code}\nSummary: {answer}")
    >>> template.names, template.loss_names
    (('code', 'answer'), ('answer',))
    """

    pieces: Pieces
    loss: tuple[str, ...] = ()
    learn_end: bool = False
    special_tokens: bool = True
    middle: tuple[int, int] | None = None
    code_sha256: str = ""
    trims: tuple[Trim, ...] = ()
    render: Render | None = field(default=None, compare=False, repr=False)
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = tuple(piece.name for piece in self.pieces if isinstance(piece, Slot))
        object.__setattr__(self, "names", names)
        found = self.names.count(CODE)
        if self.middle is None and found != 1:
            raise ParameterError(
                f"the template holds {{code}} {found} times; expected it exactly once"
            )
        if self.names.count(ANSWER) > 1:
            raise ParameterError(
                f"the template holds {{answer}} {self.names.count(ANSWER)} times; "
                "expected it at most once"
            )
        parts = [name for name in self.names if name in (CODE, *FIM_PARTS)]
        if self.middle is not None and sorted(parts) != sorted(FIM_PARTS):
            raise ParameterError(
                f"the template holds {', '.join(parts) or 'no part of the code'}; "
                "expected prefix, middle and suffix, each once"
            )
        check_loss(self.loss, self)

    @classmethod
    def of(
        cls,
        text: str,
        *,
        loss: Sequence[str] = (),
        learn_end: bool = False,
        special_tokens: bool = True,
    ) -> "Template":
        """Read a template: every ``{name}`` is a gap, ``{{`` and ``}}`` stand for braces.

        Parameters
        ----------
        text
            Holds ``{code}`` once, ``{answer}`` at most once, other names at will.
        loss, learn_end, special_tokens
            As the attributes.

        Raises
        ------
        ParameterError
            ``{code}`` is not there once, or a name in `loss` is no gap.

        Examples
        --------
        >>> Template.of('{{"ask": "{instruction}"}} {code}').pieces
        ('{"ask": "', Slot(name='instruction'), '"} ', Slot(name='code'))
        """
        return cls(
            pieces=parsed(text),
            loss=tuple(loss),
            learn_end=learn_end,
            special_tokens=special_tokens,
        )

    @property
    def names_of_code(self) -> tuple[str, ...]:
        """Names of the gaps that hold code that was read."""
        parts = (CODE,) if self.middle is None else FIM_PARTS
        return tuple(name for name in self.names if name in parts)

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Names of the gaps whose text counts in the loss."""
        if self.loss:
            return self.loss
        return (ANSWER,) if ANSWER in self.names else self.names_of_code

    def fill(self, values: Mapping[str, str]) -> tuple[str, list[Gap]]:
        """Text with every gap filled, and where they lie.

        Raises
        ------
        AlignmentError
            A chat template renders these contents in another way than it did the gaps.

        Examples
        --------
        >>> Template.of("é: {code}!").fill({"code": "x = 1"})
        ('é: x = 1!', [Gap(name='code', start=3, end=8, skipped=0)])
        """
        parts = [
            piece
            if isinstance(piece, str)
            else values[piece.name]
            if isinstance(piece, Slot)
            else piece.text
            for piece in self.pieces
        ]
        skipped = [0] * len(parts)
        for trim in self.trims:
            _trim(parts, skipped, trim)
        gaps, at = [], 0
        for piece, part, skip in zip(self.pieces, parts, skipped, strict=True):
            if not isinstance(piece, str):
                name = piece.name if isinstance(piece, Slot) else ""
                gaps.append(Gap(name, at, at + len(part), skip))
            at += len(part)
        text = "".join(parts)
        if self.render is not None:
            _compare(text, self.render(values))
        return text, gaps


def parsed(text: str, names: Collection[str] | None = None) -> Pieces:
    """Literal text and gaps.

    With `names`, only these are gaps and all other braces are text.

    >>> parsed("{{x}} {a} {b}", names={"a"})
    ('{{x}} ', Slot(name='a'), ' {b}')
    >>> parsed("{{x}} {a} {b}")
    ('{x} ', Slot(name='a'), ' ', Slot(name='b'))
    """
    found: list[str | Slot | Mark] = []
    literal, at = "", 0
    spelled = _SPELLED
    if names is not None:
        spelled = re.compile(rf"\{{({'|'.join(map(re.escape, sorted(names)))})\}}")
    for match in spelled.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        if match[1] is None:
            literal += match[0][0]
            continue
        found += [literal, Slot(match[1])] if literal else [Slot(match[1])]
        literal = ""
    literal += text[at:]
    return tuple([*found, literal] if literal else found)


def as_template(given: "str | Template | None", fields: Collection[str] = ()) -> Template:
    """Template of what a caller gave.

    In a plain text only ``{code}``, ``{answer}``, ``{instruction}`` and the fields given are gaps;
    all other braces are text, doubled ones too.
    """
    if given is None:
        return PLAIN
    if isinstance(given, Template):
        return given
    if not isinstance(given, str):
        raise ParameterError(
            f"template is {given!r}; expected a text with {{code}}, or Template.of(...)"
        )
    return Template(pieces=parsed(given, {*_KNOWN, *fields}))


def check_loss(loss: Sequence[str], template: Template) -> None:
    """Refuse a name that is no gap of the template."""
    for name in loss:
        if name not in template.names:
            raise ParameterError(
                f"loss names {name!r}, which is no segment of the template; "
                f"it has: {', '.join(template.names)}"
            )


def _trim(parts: list[str], skipped: list[int], trim: Trim) -> None:
    """Strip the joined text of some pieces, as `str.strip` would."""
    pieces = range(trim.first, trim.last)
    if trim.left:
        for i in pieces:
            rest = parts[i].lstrip()
            skipped[i] += len(parts[i]) - len(rest)
            parts[i] = rest
            if rest:
                break
    if trim.right:
        for i in reversed(pieces):
            parts[i] = parts[i].rstrip()
            if parts[i]:
                break


def _compare(text: str, rendered: str) -> None:
    if text == rendered:
        return
    at = next(
        (i for i, (a, b) in enumerate(zip(text, rendered, strict=False)) if a != b),
        min(len(text), len(rendered)),
    )
    raise AlignmentError(
        f"the chat template renders {rendered[at : at + _SHOWN]!r} at character {at}, where its "
        f"contents say {text[at : at + _SHOWN]!r}; it changes contents by more than taking blanks "
        "off: use a template without such changes"
    )


PLAIN = Template(pieces=(Slot(CODE),))
"""The code alone."""

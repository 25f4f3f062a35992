"""Templates of many sources, filled: one text each, and what every part of it is made of."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gazecode.alignment.templates.template import (
    ANSWER,
    CODE,
    PLAIN,
    RESERVED,
    Template,
    check_loss,
)
from gazecode.errors import AlignmentError, GazecodeError, ParameterError
from gazecode.model import TokenBatch

__all__ = [
    "FROM_ANSWER",
    "FROM_CODE",
    "TEXT",
    "Filled",
    "Material",
    "Part",
    "Refused",
    "code_text",
    "fill_all",
]

Refused = dict[int, GazecodeError]
"""Why a source was left out, by its number."""

TEXT, FROM_CODE, FROM_ANSWER = 0, 1, 2
"""What a part is made of: free text, the code that was read, the answer."""


class Part(NamedTuple):
    """A named part of a text.

    `start` and `end` count characters of the text, `begin` bytes of the code or the answer at
    which the part begins; after a part that `ends`, the end of turn is learned.
    """

    name: str
    start: int
    end: int
    made_of: int
    begin: int
    in_loss: bool
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One text.

    `marks` are the characters of what must come out as one token each.
    """

    text: str
    parts: Sequence[Part]
    marks: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What fills the templates of ``d`` sources.

    Attributes
    ----------
    templates
        ``(d,)``, or one for all.
    answers
        ``(d,)`` texts, None for a source without one; None if nobody gave any.
    fields
        By name, ``(d,)`` texts or one for all.
    loss
        Names of the parts that count in the loss; None: what the templates say.
    """

    templates: tuple[Template, ...] = (PLAIN,)
    answers: tuple[str | None, ...] | None = None
    fields: Mapping[str, Sequence[str] | str] | None = None
    loss: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        # By identity: to compare templates costs more than to check one twice.
        for template in {id(template): template for template in self.templates}.values():
            self._check(template)
        if len({template.special_tokens for template in self.templates}) > 1:
            raise ParameterError(
                "some templates spell their special tokens and some do not; align them apart"
            )

    def _check(self, template: Template) -> None:
        given = {CODE, *(self.fields or ())} | ({ANSWER} if self.answers is not None else set())
        free = [name for name in self.fields or () if name in RESERVED]
        if free:
            raise ParameterError(
                f"fields names {free[0]!r}; the code and the answer have their own parameters"
            )
        asked = {CODE if name in template.names_of_code else name for name in template.names}
        for name in sorted(asked - given):
            how = "answer=..." if name == ANSWER else f"fields={{{name!r}: ...}}"
            raise ParameterError(f"the template asks for {{{name}}}; give it with {how}")
        for name in sorted(given - asked - {CODE}):
            raise ParameterError(
                f"the template has no {{{name}}} for what was given; it has: "
                f"{', '.join(template.names)}"
            )
        check_loss(self.loss or (), template)

    def template_of(self, source: int) -> Template:
        """The template of one source."""
        return self.templates[source if len(self.templates) > 1 else 0]

    def loss_of(self, template: Template) -> tuple[str, ...]:
        """Names of the parts that count in the loss."""
        return self.loss or template.loss_names


def fill_all(
    batch: TokenBatch, source_id: Sequence[str], material: Material
) -> tuple[dict[int, Filled], Refused]:
    """Fill the template of every source; the reason for those that cannot be."""
    filled: dict[int, Filled] = {}
    refused: Refused = {}
    recipes = {id(t): _Recipe.of(t, material.loss_of(t)) for t in material.templates}
    for i, name in enumerate(source_id):
        recipe = recipes[id(material.template_of(i))]
        try:
            filled[i] = _fill(batch.code_of(i), name or "the source", i, recipe, material)
        except AlignmentError as error:
            refused[i] = error
    return filled, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """A template, and by name of a gap: what it is made of, whether it counts, whether it ends."""

    template: Template
    gaps: dict[str, tuple[int, bool, bool]]

    @classmethod
    def of(cls, template: Template, loss: Sequence[str]) -> "_Recipe":
        of_code = template.names_of_code
        gaps = {}
        for name in template.names:
            made_of = FROM_CODE if name in of_code else FROM_ANSWER if name == ANSWER else TEXT
            # In a fill-in-the-middle layout, prefix and suffix end where the layout says.
            inner = made_of == FROM_CODE and name in ("prefix", "suffix")
            counts = name in loss
            gaps[name] = (made_of, counts, counts and template.learn_end and not inner)
        return cls(template=template, gaps=gaps)


def _fill(code: bytes, name: str, source: int, recipe: _Recipe, material: Material) -> Filled:
    text = code_text(code, name)
    template = recipe.template
    if template is PLAIN:
        return Filled(text=text, parts=(Part(CODE, 0, len(text), FROM_CODE, 0, in_loss=True),))
    values, begin = {CODE: text}, {CODE: 0}
    if template.middle is not None:
        values, begin = _cut(code, template, name)
    if material.answers is not None or material.fields:
        values |= _given(source, name, material)
    whole, gaps = template.fill(values)
    parts, marks = [], []
    for gap, start, end, skipped in gaps:
        if not gap:
            marks.append((start, end))
            continue
        made_of, counts, ends = recipe.gaps[gap]
        before = len(values[gap][:skipped].encode()) if skipped else 0
        parts.append(Part(gap, start, end, made_of, begin.get(gap, 0) + before, counts, ends))
    return Filled(text=whole, parts=parts, marks=marks)


def code_text(code: bytes, name: str) -> str:
    """Decode code that there has to be, in UTF-8."""
    if not code:
        raise AlignmentError(f"{name} is empty; expected code to align weights with")
    try:
        return code.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlignmentError(
            f"{name} is not UTF-8 at byte {error.start}; decode it with its own encoding first"
        ) from error


def _cut(code: bytes, template: Template, name: str) -> tuple[dict[str, str], dict[str, int]]:
    """Texts of prefix, middle and suffix, and the bytes of the code where they begin."""
    assert template.middle is not None  # noqa: S101 - for the type checker: the caller asked
    if template.code_sha256 != hashlib.sha256(code).hexdigest():
        raise AlignmentError(
            f"the template was cut for other code than {name}; "
            "make one for each source with fim_template"
        )
    first, last = template.middle
    spans = {"prefix": (0, first), "middle": (first, last), "suffix": (last, len(code))}
    return (
        {part: code[a:b].decode() for part, (a, b) in spans.items()},
        {part: a for part, (a, _) in spans.items()},
    )


def _given(source: int, name: str, material: Material) -> dict[str, str]:
    """Answer and fields of one source."""
    found: dict[str, str] = {}
    if material.answers is not None:
        answer = material.answers[source]
        if answer is None:
            raise AlignmentError(f"{name} has no answer and its template asks for one; give it")
        found[ANSWER] = answer
    for field, values in (material.fields or {}).items():
        found[field] = values if isinstance(values, str) else values[source]
    for field, value in found.items():
        if not isinstance(value, str):
            raise AlignmentError(
                f"the {field} of {name} is a {type(value).__name__}; expected a text"
            )
        if not value.isascii():
            _check_unicode(value, field, name)
    return found


def _check_unicode(value: str, field: str, name: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise AlignmentError(
            f"the {field} of {name} has half a surrogate pair at character {error.start}; "
            "decode it anew from its bytes"
        ) from error

"""All that one alignment is given, checked once, and what is left of it when sources drop out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.alignment.carried import check_within
from gazecode.alignment.identity import Names
from gazecode.alignment.routes.named import Reading, exposed_of, route_of, words
from gazecode.alignment.rule import Rule
from gazecode.alignment.subwords.offsets import first_of, ranges
from gazecode.alignment.templates.filling import Material
from gazecode.alignment.templates.template import CODE, Template, as_template
from gazecode.errors import AlignmentError, DataError, ParameterError
from gazecode.model import TokenBatch, TokenWeights, Transitions
from gazecode.model.checks import IntArray

__all__ = ["Task", "material_of"]

Templates = str | Template | Sequence[str | Template] | None
Answers = Sequence[str | None] | TokenBatch | None
Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Values of the tokens of ``d`` sources, and how they are brought to subwords."""

    weights: TokenWeights
    batch: TokenBatch
    names: Names
    rule: Rule
    material: Material = field(default_factory=Material)
    answer: TokenBatch | None = None
    answer_weights: TokenWeights | None = None
    route: str | None = None
    allow_inert: bool = False
    transitions: Transitions | None = None
    special_tokens: bool = True

    def __post_init__(self) -> None:
        d = self.batch.n_sources
        if len(self.weights) != len(self.batch):
            raise AlignmentError(
                f"there are {len(self.weights)} values and {len(self.batch)} tokens; "
                "pass the tokens that the values were made for"
            )
        for name in ("source_id", "language", "source_group"):
            _one_each(name, len(getattr(self.names, name)), d)
        if self.material.answers is not None:
            _one_each("answers", len(self.material.answers), d, "texts")
        for name, values in (self.material.fields or {}).items():
            if not isinstance(values, str):
                _one_each(f"fields[{name!r}]", len(values), d, "texts")
        if len(self.material.templates) > 1:
            _one_each("template", len(self.material.templates), d, "templates")
        if self.transitions is not None:
            if self.transitions.size != len(self.batch):
                raise AlignmentError(
                    f"the transitions join {self.transitions.size} tokens and there are "
                    f"{len(self.batch)}; pass those of the tokens that are aligned"
                )
            check_within(self.transitions, self.batch)
        object.__setattr__(self, "route", route_of(self.route, self.answer_weights))

    @property
    def adds_special(self) -> bool:
        """Whether the tokenizer puts special tokens around the texts."""
        return self.special_tokens and self.material.templates[0].special_tokens

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but code in a template, with its loss on it."""
        return (
            all(t.names == (CODE,) and not t.learn_end for t in self.material.templates)
            and self.adds_special
            and self.route == "source_lm"
            and self.transitions is None
        )

    @property
    def reading(self) -> Reading:
        """What a route works with; words of prose are tokens for one that looks for them."""
        answer, prose = self.answer, False
        if answer is None and self.material.answers is not None and self.route == "copy":
            answer, prose = words([text or "" for text in self.material.answers]), True
        return Reading(
            source=self.batch,
            weights=self.weights,
            answer=answer,
            answer_weights=self.answer_weights,
            prose=prose,
        )

    def of(self, kept: IntArray) -> "Task":
        """The same for some of the sources."""
        numbers = kept.tolist()
        weights, batch, token = _taken(self.weights, self.batch, kept)
        answer, answer_weights = self.answer, self.answer_weights
        if answer is not None:
            given = answer_weights
            answer, of_answer = _tokens_of(answer, kept)
            answer_weights = None if given is None else _values_of(given, of_answer)
        transitions = self.transitions
        if transitions is not None:
            transitions = _transitions_of(transitions, token)
        return replace(
            self,
            weights=weights,
            batch=batch,
            names=self.names.of(numbers),
            material=_material_of(self.material, numbers),
            answer=answer,
            answer_weights=answer_weights,
            transitions=transitions,
        )


def material_of(
    template: Templates, answers: Answers, fields: Fields, loss: Sequence[str] | None
) -> Material:
    """What fills the templates, from what a caller gave."""
    given: list[Any]
    given = list(template) if isinstance(template, list | tuple) else [template]
    texts: tuple[str | None, ...] | None = None
    if isinstance(answers, TokenBatch):
        texts = tuple(_text_of(answers, i) for i in range(answers.n_sources))
    elif answers is not None:
        texts = tuple(answers)
    if isinstance(loss, str):
        raise ParameterError(f"loss is {loss!r}; expected names in a list, such as [{loss!r}]")
    for name, values in fields.items():
        if not isinstance(values, str | list | tuple):
            raise ParameterError(
                f"fields[{name!r}] is a {type(values).__name__}; expected a text, or one for each "
                "source"
            )
    known: dict[int, Template] = {}
    templates = [known.setdefault(id(one), as_template(one, fields)) for one in given]
    return Material(
        templates=tuple(templates),
        answers=texts,
        fields=dict(fields) or None,
        loss=tuple(loss) if loss else None,
    )


def _text_of(answers: TokenBatch, source: int) -> str:
    try:
        return answers.code_of(source).decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlignmentError(
            f"answer {source} is not UTF-8 at byte {error.start}; "
            "decode it with its own encoding first"
        ) from error


def _one_each(name: str, found: int, d: int, what: str = "names") -> None:
    if found != d:
        raise DataError(f"{name} has {found} {what}; expected one for each of {d} sources")


def _material_of(material: Material, kept: Sequence[int]) -> Material:
    """What fills the templates of some of the sources."""
    several = len(material.templates) > 1
    fields = {
        name: values if isinstance(values, str) else [values[i] for i in kept]
        for name, values in (material.fields or {}).items()
    }
    answers = material.answers
    templates = tuple(material.templates[i] for i in kept) if several else material.templates
    return replace(
        material,
        templates=templates or material.templates[:1],
        answers=None if answers is None else tuple(answers[i] for i in kept),
        fields=fields or None,
    )


def _taken(
    weights: TokenWeights, batch: TokenBatch, kept: IntArray
) -> tuple[TokenWeights, TokenBatch, IntArray]:
    """Weights and tokens of some of the sources, and which tokens these are."""
    taken, token = _tokens_of(batch, kept)
    return _values_of(weights, token), taken, token


def _tokens_of(batch: TokenBatch, kept: IntArray) -> tuple[TokenBatch, IntArray]:
    count, length = np.diff(batch.token_start)[kept], np.diff(batch.code_start)[kept]
    token, code_start = ranges(batch.token_start[kept], count), first_of(length)
    moved = np.repeat(code_start[:-1] - batch.code_start[kept], count)
    taken = TokenBatch(
        code=b"".join(batch.code_of(i) for i in kept.tolist()),
        code_start=code_start,
        token_start=first_of(count),
        span=batch.span[token] + moved[:, None],
        row=batch.row[token],
        label=batch.label[token],
    )
    return taken, token


def _values_of(weights: TokenWeights, token: IntArray) -> TokenWeights:
    return replace(
        weights,
        value=weights.value[token],
        on_path=weights.on_path[token],
        exposed=exposed_of(weights)[token],
    )


def _transitions_of(seen: Transitions, token: IntArray) -> Transitions:
    """Transitions between some of the tokens, under their new numbers."""
    number = np.full(seen.size, -1, dtype=np.int64)
    number[token] = np.arange(len(token))
    origin, target = number[seen.origin], number[seen.target]
    kept = np.flatnonzero((origin >= 0) & (target >= 0))
    return Transitions(
        size=len(token),
        origin=origin[kept],
        target=target[kept],
        count=seen.count[kept],
        share=np.asarray(seen.share)[kept],
    )

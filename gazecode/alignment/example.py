"""Token weights to one example: every subword its loss weight, its attention and its token."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

import numpy as np

from gazecode.alignment.identity import Names
from gazecode.alignment.laying import Laid, lay
from gazecode.alignment.rule import Rule
from gazecode.alignment.task import Task, material_of
from gazecode.alignment.templates.template import Template
from gazecode.errors import ParameterError
from gazecode.model import (
    N_LABELS,
    Example,
    SourceTokens,
    TokenBatch,
    TokenWeights,
    Transitions,
)
from gazecode.model.groups import source_group

__all__ = ["Options", "Shared", "align", "align_windows", "known_options"]


class Shared(TypedDict, total=False):
    """Parameters of `align` that do not tell one answer from another."""

    fields: Mapping[str, str] | None
    route: str | None
    allow_inert: bool
    transitions: Transitions | None
    special_tokens: bool
    policy: str
    strength: float | None
    participant: str
    trial: str
    per: str
    max_ratio: float
    mean_one: bool


class Options(Shared, total=False):
    """Parameters of `align` that others hand on."""

    template: str | Template | None
    answer: str | SourceTokens | None
    answer_weights: TokenWeights | None
    loss: Sequence[str] | None


def align(  # noqa: PLR0913 - the public contract
    weights: TokenWeights,
    tokens: SourceTokens,
    tokenizer: Any,
    *,
    template: str | Template | None = None,
    answer: str | SourceTokens | None = None,
    answer_weights: TokenWeights | None = None,
    fields: Mapping[str, str] | None = None,
    loss: Sequence[str] | None = None,
    route: str | None = None,
    allow_inert: bool = False,
    transitions: Transitions | None = None,
    special_tokens: bool = True,
    policy: str = "inherit",
    strength: float | None = None,
    example_id: str | None = None,
    participant: str = "",
    trial: str = "",
    per: str = "character",
    max_ratio: float = 5.0,
    mean_one: bool = False,
) -> Example:
    """Bring the values of AST tokens to the subwords of a tokenizer.

    Parameters
    ----------
    weights, tokens
        ``(m,)`` values, and the tokens they belong to.
    tokenizer
        A `tokenizers.Tokenizer`, a fast tokenizer of transformers, or a path for `load_tokenizer`.
        It is never changed; padding and truncation that it carries do not apply.
    template
        Text around the code, with ``{code}`` once; None for the code alone. In a plain text
        ``{answer}``, ``{instruction}`` and the names in `fields` are gaps, too, and all other
        braces are text; `Template.of`, `chat_template` and `fim_template` make others.
    answer
        What is to be predicted, for ``{answer}``: prose, or code with its tokens.
    answer_weights
        Values of the answer's tokens, for the route ``answer_prior``.
    fields
        Texts for the other gaps, by name. Every filled gap is a segment of the example.
    loss
        Names of the segments whose text counts in the loss. By default what the template says: the
        answer if there is one, else the code (of a fill-in-the-middle layout, the middle).
    route
        How the weight comes to the loss, a name in `ROUTES`. By default ``answer_prior`` where
        there are `answer_weights`, else ``source_lm``: then an answer has no weight of its own.
    allow_inert
        Accept weights that all lie where no loss counts. Training with them is plain training.
    transitions
        Saccades between the ``m`` tokens.
    special_tokens
        Whether the tokenizer puts its special tokens around the text. Never where the template
        spells them itself (`chat_template`).
    policy
        A name in `POLICIES` for `weight`: ``inherit``, ``share``, ``max`` or ``mean``.
        `attention` is always the mass-conserving share. Without a strength, ``share`` gives the
        mass of a token that was on the screen to all its subwords, also to those of which a token
        never shown has the larger part.
    strength
        None takes the value as the weight as it stands. A number from 0 (plain training) to 1
        makes a loss weight with mean 1 (`gazecode.alignment.strength`): the value `per`
        ``"character"`` or ``"token"`` is spread by `policy`, put beside its mean, and clipped at
        `max_ratio`.
    mean_one
        Bring weights that are taken as they stand to mean 1 over the positions that they reach, so
        that presets can be compared: unchecked, a gain from gaze is confounded with a larger step
        size. With a strength the mean is 1 in any case.
    example_id
        By default a digest of the content and the parameters.

    Returns
    -------
    Example
        ``(n,)`` per subword. Weight 1.0 for positions without a loss, special ones and those on no
        token, and for tokens never on the screen; what the rule would have put on positions without
        a loss is summed in `inert_weight`. A subword across a border belongs to one segment (to
        which: `gazecode.alignment.subwords.segments`). A special token that the code spells out
        (``</s>`` in a string) is one position for the model: it keeps its token and its attention,
        has no loss, and `report` counts it as `special_in_code`. Values whose unit is
        ``"loss weight"`` (scheme ``eyemulator``) tell of attention on the path alone: off it, 1.0
        says that nothing is known, and `attention` is 0. `attention` lies on the code; where it has
        none, ``answer_prior`` puts that of the answer's tokens there. The tokens of the answer, and
        words of prose for ``copy``, are tokens of the example like those of the code, in text
        order.

    Raises
    ------
    AlignmentError
        Empty code, values of another source, or no position whose loss counts.
    InertError
        All weight lies where no loss counts.
    ParameterError
        Unknown policy or route, a template without ``{code}``, a gap without a text, a strength
        outside 0..1.
    TokenizerError
        The tokenizer cannot be loaded or gives no offsets.

    Examples
    --------
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordLevel({"x": 0, "=": 1, "12": 2}, unk_token="x"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> tokens = SourceTokens(
    ...     language="python",
    ...     source_id="a.py",
    ...     code=b"x = 12",
    ...     span=[[0, 1], [2, 3], [4, 6]],
    ...     row=[0, 0, 0],
    ...     column=[0, 2, 4],
    ...     kind=["identifier", "=", "integer"],
    ...     path=[()] * 3,
    ...     label=["variable", "", "literal"],
    ... )
    >>> gaze = TokenWeights(
    ...     value=[300, 0, 100], on_path=[True, False, True], scheme="duration", unit="ms"
    ... )
    >>> example = align(gaze, tokens, tokenizer, strength=0.5)
    >>> example.attention, example.weight
    (array([0.75, 0.  , 0.25]), array([1.78571429, 0.5       , 0.71428571]))

    Gaze lies on the code and the loss on the answer: such weights would do nothing.

    >>> ask = {"template": "{code} {answer}", "answer": "12"}
    >>> align(gaze, tokens, tokenizer, **ask)
    Traceback (most recent call last):
    gazecode.errors.InertError: a.py: all weight lies where no loss counts (weight_reach 0): ...
    >>> example = align(gaze, tokens, tokenizer, **ask, route="attention")
    >>> example.loss_mask, example.attention
    (array([False, False, False,  True]), array([0.75, 0.  , 0.25, 0.  ]))
    >>> example.segment_name.tolist(), example.segment_start, example.segment_end
    (['code', 'answer'], array([0, 3]), array([3, 4]))
    """
    options: Options = {
        "template": template,
        "answer": answer,
        "answer_weights": answer_weights,
        "fields": fields or {},
        "loss": loss,
        "route": route,
        "allow_inert": allow_inert,
        "transitions": transitions,
        "special_tokens": special_tokens,
        "policy": policy,
        "strength": strength,
        "participant": participant,
        "trial": trial,
        "per": per,
        "max_ratio": max_ratio,
        "mean_one": mean_one,
    }
    laid = _laid(weights, tokens, tokenizer, options)
    example = laid.examples.example(0)
    labels = np.concatenate(
        [tokens.label, answer.label if isinstance(answer, SourceTokens) else []]
    )
    # Words of prose have no label, nor a number in the answer's labels.
    labels = np.append(labels, "")[np.minimum(laid.token, len(labels))]
    return replace(example, example_id=example_id or example.example_id, token_label=labels)


def align_windows(
    weights: TokenWeights,
    tokens: SourceTokens,
    tokenizer: Any,
    *,
    max_length: int,
    overlap: int | None = None,
    **options: Unpack[Options],
) -> list[Example]:
    """Bring the values of AST tokens to subwords, a long text cut into windows.

    Parameters
    ----------
    weights, tokens, tokenizer, options
        As for `align`.
    max_length
        Most positions of a window.
    overlap
        Positions at the start of a window that the one before it has counted: they are context,
        without loss and attention (`gazecode.alignment.windows.cut` states it all). By default an
        eighth of the window. With 0, nothing predicts the first position of a window.

    Returns
    -------
    list of Example
        In order; one, as `align` gives it, for a text that fits. Windows without any position under
        the loss are left out and counted in `report` as ``windows_dropped``.

    Raises
    ------
    ParameterError
        No room beside the overlap and what the tokenizer adds; more than 20 different labels.
    AlignmentError, InertError, TokenizerError
        As for `align`, judged over the whole text.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordLevel({"x": 0, "=": 1, "12": 2}, unk_token="x"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> gaze = TokenWeights(value=[3, 0, 1], on_path=[True, False, True], scheme="count", unit="1")
    >>> windows = align_windows(gaze, parse("x = 12", "python"), tokenizer, max_length=2)
    >>> [window.text for window in windows], [window.attention_share for window in windows]
    (['x =', ' 12'], [0.75, 0.25])
    """
    laid = _laid(weights, tokens, tokenizer, options)
    answer = options.get("answer")
    sources = [tokens, answer] if isinstance(answer, SourceTokens) else [tokens]
    labels = _distinct(sources)
    number = np.array([labels.index(label) for s in sources for label in s.label], dtype=np.int8)
    number = np.append(number, np.int8(0))[np.minimum(laid.token, len(number))]
    # The batch knows the vocabulary alone; a caller's own labels travel as numbers.
    examples = replace(laid.examples, token_label=number)
    cut = replace(laid, examples=examples).windows(max_length=max_length, overlap=overlap)
    names = np.array(labels, dtype=object)
    bounds = cut.first_token.tolist()
    return [
        replace(example, token_label=names[cut.token_label[a:b]])
        for example, a, b in zip(cut, bounds, bounds[1:], strict=False)
    ]


def _distinct(sources: Sequence[SourceTokens]) -> list[str]:
    """Labels, that of no label first."""
    labels = list(dict.fromkeys(["", *(str(label) for s in sources for label in s.label)]))
    if len(labels) > N_LABELS:
        raise ParameterError(
            f"the tokens have {len(labels)} different labels; windows carry at most {N_LABELS}, "
            "the vocabulary of gazecode.model.LABELS"
        )
    return labels


def _laid(weights: TokenWeights, tokens: SourceTokens, tokenizer: Any, options: Options) -> Laid:
    """One source through the batch; a refusal is raised."""
    given: dict[str, Any] = dict(options)
    known_options(given, Options)
    answer = given.get("answer")
    names = Names(
        source_id=(tokens.source_id,),
        language=(tokens.language,),
        source_group=(source_group(tokens),),
        participant=given.get("participant", ""),
        trial=given.get("trial", ""),
    )
    task = Task(
        weights=weights,
        batch=_batch_of_one(tokens),
        names=names,
        rule=Rule(**{name: given[name] for name in _RULE if name in given}),
        material=material_of(
            given.get("template"), _answers(answer), given.get("fields") or {}, given.get("loss")
        ),
        answer=_batch_of_one(answer) if isinstance(answer, SourceTokens) else None,
        **{name: given[name] for name in _AS_THEY_ARE if name in given},
    )
    laid = lay(task, tokenizer)
    if laid.refused:
        raise laid.refused[0]
    return laid


def known_options(given: Mapping[str, Any], kind: type) -> None:
    """Refuse a parameter that is none; a type checker would have said so."""
    known = kind.__annotations__
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise ParameterError(
            f"align has no parameter {', '.join(unknown)} here; it has: {', '.join(known)}"
        )


_RULE = ("policy", "strength", "per", "max_ratio", "mean_one")
_AS_THEY_ARE = ("answer_weights", "route", "allow_inert", "transitions", "special_tokens")


def _answers(answer: str | SourceTokens | None) -> list[str | None] | TokenBatch | None:
    if answer is None:
        return None
    if isinstance(answer, SourceTokens):
        return _batch_of_one(answer)
    if not isinstance(answer, str):
        raise ParameterError(
            f"answer is a {type(answer).__name__}; expected a text, or its tokens (parse(...))"
        )
    return [answer]


def _batch_of_one(tokens: SourceTokens) -> TokenBatch:
    # Without labels: alignment asks for none, and a caller's own need not be in the vocabulary.
    return TokenBatch(
        code=tokens.code,
        code_start=np.array([0, len(tokens.code)]),
        token_start=np.array([0, len(tokens)]),
        span=tokens.span,
        row=tokens.row,
        label=np.zeros(len(tokens), dtype=np.int8),
    )

"""Two answers to one prompt, the better and the worse, as preference training takes them."""

import hashlib
from dataclasses import replace
from typing import Any, Unpack

from gazecode.alignment.example import Shared, align, known_options
from gazecode.alignment.templates.template import ANSWER, Template, as_template
from gazecode.errors import InertError, ParameterError
from gazecode.model import Example, SourceTokens, TokenWeights

__all__ = ["align_pair"]


def align_pair(
    weights: TokenWeights,
    tokens: SourceTokens,
    tokenizer: Any,
    *,
    template: str | Template,
    chosen: str | SourceTokens,
    rejected: str | SourceTokens,
    chosen_weights: TokenWeights | None = None,
    rejected_weights: TokenWeights | None = None,
    **options: Unpack[Shared],
) -> tuple[Example, Example]:
    """Bring weights to the subwords of two answers to the same prompt.

    Parameters
    ----------
    weights, tokens, tokenizer
        As for `align`.
    template
        With ``{answer}``; what stands before it is the prompt.
    chosen, rejected
        The better and the worse answer.
    chosen_weights, rejected_weights
        Values of their tokens, for the route ``answer_prior``.
    options
        Other parameters of `align`. The loss lies on the answer alone.

    Returns
    -------
    chosen, rejected : Example
        With one `pair_id`, a digest of prompt and answers, and their `pair_side`. Up to the first
        byte of the answer both have the same subwords, but for one that crosses the border.

    Raises
    ------
    ParameterError
        A template without ``{answer}``, or only one answer has weights.
    InertError
        Neither answer has any weight, while the code has. One of the two is enough: a worse answer
        that shares nothing with the code is what one expects.
    AlignmentError, TokenizerError
        As for `align`.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordLevel({"?": 0, "total": 1, "sum": 2}, unk_token="?"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> gaze = TokenWeights(value=[9, 0, 1], on_path=[True] * 3, scheme="count", unit="1")
    >>> better, worse = align_pair(
    ...     gaze,
    ...     parse("total = y", "python"),
    ...     tokenizer,
    ...     template="{code}: {answer}",
    ...     chosen="a total",
    ...     rejected="a sum",
    ...     route="copy",
    ... )
    >>> better.weight[better.loss_mask], worse.weight[worse.loss_mask]
    (array([1., 9.]), array([1., 1.]))
    >>> (better.pair_id == worse.pair_id, better.pair_side, worse.pair_side)
    (True, 'chosen', 'rejected')
    """
    known_options(options, Shared)
    made = as_template(template, options.get("fields") or ())
    if ANSWER not in made.names:
        raise ParameterError("the template has no {answer}; expected one for each side of the pair")
    if (chosen_weights is None) != (rejected_weights is None):
        raise ParameterError("one answer has weights and one has not; give both or none")
    judged: Shared = {**options, "allow_inert": True}
    sides = [
        align(
            weights,
            tokens,
            tokenizer,
            template=made,
            answer=answer,
            answer_weights=of_answer,
            loss=(ANSWER,),
            **judged,
        )
        for answer, of_answer in ((chosen, chosen_weights), (rejected, rejected_weights))
    ]
    if not options.get("allow_inert", False) and all(side.weight_reach == 0 for side in sides):
        raise InertError(
            f"{tokens.source_id or 'the source'}: all weight lies where no loss counts "
            "(weight_reach 0 for both answers); choose route='copy', 'answer_prior' or "
            "'attention', or pass allow_inert=True"
        )
    pair_id = _pair_id(sides)
    better, worse = (
        replace(side, pair_id=pair_id, pair_side=name)
        for side, name in zip(sides, ("chosen", "rejected"), strict=True)
    )
    return better, worse


def _pair_id(sides: list[Example]) -> str:
    """Sixteen hex digits that stand for the prompt and both answers."""
    digest = hashlib.sha256()
    for text in (sides[0].source_id, *(side.text for side in sides)):
        raw = text.encode()
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.hexdigest()[:16]

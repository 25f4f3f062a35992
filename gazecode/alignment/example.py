"""Token weights to one example: every subword its loss weight, its attention and its token."""

from dataclasses import replace
from typing import Any

import numpy as np

from gazecode.alignment.batch import Names, align_all
from gazecode.alignment.rule import Rule
from gazecode.model import Example, SourceTokens, TokenBatch, TokenWeights
from gazecode.model.groups import source_group

__all__ = ["align"]


def align(  # noqa: PLR0913 - the public contract
    weights: TokenWeights,
    tokens: SourceTokens,
    tokenizer: Any,
    *,
    template: str | None = None,
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
        Text around the code, with ``{code}`` once; None for the code alone.
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
        ``(n,)`` per subword. Weight 1.0 for positions that are special, prompt or on no token, and
        for tokens never on the screen. `loss_mask` is true for text of the code; a subword across
        the border of the template belongs to the code. A special token that the code spells out
        (``</s>`` in a string) is one position for the model: it keeps its token and its attention,
        has no loss, and `report` counts it as `special_in_code`. Values whose unit is
        ``"loss weight"`` (scheme ``eyemulator``) tell of attention on the path alone: off it, 1.0
        says that nothing is known, and `attention` is 0.

    Raises
    ------
    AlignmentError
        Empty code, values of another source, or no position whose loss counts.
    ParameterError
        Unknown policy, a template without ``{code}``, a strength outside 0..1.
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
    """
    rule = Rule(policy=policy, strength=strength, per=per, max_ratio=max_ratio, mean_one=mean_one)
    names = Names(
        source_id=(tokens.source_id,),
        language=(tokens.language,),
        source_group=(source_group(tokens),),
        participant=participant,
        trial=trial,
    )
    batch = _batch_of_one(tokens)
    made, refused = align_all(weights, batch, names, tokenizer, template=template, rule=rule)
    if refused:
        raise refused[0]
    example = made.example(0)
    return replace(example, example_id=example_id or example.example_id, token_label=tokens.label)


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

"""Token weights to one example: every subword its loss weight, its attention and its token."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gazecode.alignment.encode import Encoded, encode
from gazecode.alignment.spread import POLICIES, Spread
from gazecode.alignment.strength import LossWeights, check_strength, loss_weights
from gazecode.alignment.tokenizer import prepare
from gazecode.errors import AlignmentError, ParameterError
from gazecode.model import Example, SourceTokens, TokenWeights
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["align"]

BACKGROUND = 1.0
"""Weight where nothing is known: plain training."""
PER = ("character", "token")


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
        `attention` is always the mass-conserving share.
    strength
        None takes the value as the weight as it stands. A number from 0 (plain training) to 1
        makes a loss weight with mean 1 (`gazecode.alignment.strength`): the value `per`
        ``"character"`` or ``"token"`` is spread by `policy`, put beside its mean, and clipped at
        `max_ratio`.
    example_id
        By default a digest of the content and the parameters.

    Returns
    -------
    Example
        ``(n,)`` per subword. Weight 1.0 for positions that are special, prompt or on no token, and
        for tokens never on the screen. `loss_mask` is true for text of the code; a subword across
        the border of the template belongs to the code. A special token that the code spells out
        (``</s>`` in a string) is one position for the model: it keeps its token and its attention,
        has no loss, and `report` counts it as `special_in_code`.

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
    rule = Rule(policy=policy, strength=strength, per=per, max_ratio=max_ratio)
    if len(weights) != len(tokens):
        raise AlignmentError(
            f"there are {len(weights)} values and {len(tokens)} tokens; "
            "pass the tokens that the values were made for"
        )
    prepared = prepare(tokenizer)
    encoded = encode(tokens, prepared, template=template)
    loss_mask = _loss_mask(encoded, tokens)
    span = tokens.span + encoded.code_start
    spread = Spread(encoded.ownership, span)
    # Beside the largest value, so that values near the smallest float do not vanish.
    peak = float(weights.value.max(initial=0.0))
    mass = spread.share(weights.value / peak if peak else weights.value, background=0.0)
    total = float(mass.sum())
    weighable = loss_mask & _per_subword(_exposed(weights), spread)
    made = _weight(weights, tokens, spread, weighable, rule)
    report: dict[str, object] = {
        "scheme": weights.scheme,
        "unit": weights.unit,
        **asdict(rule),
        "no_signal": made.no_signal or total == 0,
        "clipped_share": made.clipped_share,
        **_accounts(weights, spread, encoded),
        "tokenizer_sha256": prepared.sha256,
    }
    names = {"participant": participant, "trial": trial, "source_id": tokens.source_id}
    return Example(
        example_id=example_id or _digest(encoded, weights, {**asdict(rule), **names}),
        **names,
        language=tokens.language,
        text=encoded.text,
        input_ids=encoded.ids,
        loss_mask=loss_mask,
        weight=made.weight,
        attention=mass / total if total else mass,
        on_path=_per_subword(weights.on_path, spread),
        token_index=spread.token_index,
        token_start=span[:, 0],
        token_end=span[:, 1],
        token_label=tokens.label,
        token_value=weights.value,
        prior_sources=weights.prior_sources,
        n_people=weights.n_people,
        source_sha256=hashlib.sha256(tokens.code).hexdigest(),
        report=report,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a value becomes a weight; checked when created."""

    policy: str
    strength: float | None
    per: str
    max_ratio: float

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ParameterError.unknown("policies", self.policy, POLICIES)
        if self.per not in PER:
            raise ParameterError.unknown("per", self.per, PER)
        check_strength(self.strength, self.max_ratio)


def _loss_mask(encoded: Encoded, tokens: SourceTokens) -> BoolArray:
    mask = encoded.in_code & ~encoded.special
    if not mask.any():
        raise AlignmentError(
            f"no position of {tokens.source_id or 'the source'} counts in the loss: none of its "
            f"{len(encoded.ids)} subwords stands for text of the code; "
            "use another tokenizer or leave this source out"
        )
    return mask


def _weight(
    weights: TokenWeights, tokens: SourceTokens, spread: Spread, weighable: BoolArray, rule: Rule
) -> LossWeights:
    """Loss weight per subword, and what there is to say about it."""
    policy = POLICIES[rule.policy]
    if rule.strength is None:
        weight = np.where(
            weighable, policy(spread, weights.value, background=BACKGROUND), BACKGROUND
        )
        return LossWeights(weight=weight, clipped_share=0.0, no_signal=False)
    size = _characters(tokens) if rule.per == "character" else 1.0
    value = policy(spread, weights.value / size, background=0.0)
    return loss_weights(value, weighable, strength=rule.strength, max_ratio=rule.max_ratio)


def _accounts(weights: TokenWeights, spread: Spread, encoded: Encoded) -> dict[str, object]:
    """What did not reach a subword: nothing is lost in silence."""
    lost = (spread.owned == 0) & (weights.value > 0)
    return {
        "tokens_lost": int(lost.sum()),
        "mass_lost": float(weights.value[lost].sum()),
        "unowned_bytes": encoded.unowned_bytes,
        "special_in_code": encoded.special_in_code,
    }


def _characters(tokens: SourceTokens) -> FloatArray:
    """``(m,)`` characters of each token, white space inside it included."""
    byte = np.frombuffer(tokens.code, dtype=np.uint8)
    before = np.concatenate([[0], np.cumsum((byte & 0xC0) != 0x80)])
    count: FloatArray = before[tokens.span[:, 1]] - before[tokens.span[:, 0]]
    return np.maximum(count, 1).astype(np.float64)


def _exposed(weights: TokenWeights) -> BoolArray:
    return np.ones(len(weights), dtype=bool) if weights.exposed is None else weights.exposed


def _per_subword(flag: BoolArray, spread: Spread) -> BoolArray:
    """Flags of tokens on their subwords; false on no token."""
    flags: BoolArray = np.append(flag, np.False_)[spread.token_index]
    return flags


def _digest(encoded: Encoded, weights: TokenWeights, settings: Mapping[str, object]) -> str:
    """Sixteen hex digits that stand for all that went into an example."""
    digest = hashlib.sha256()
    head = {"scheme": weights.scheme, "unit": weights.unit, **settings, "text": encoded.text}
    for part in (
        json.dumps(head, sort_keys=True).encode(),
        encoded.ids.astype("<i8").tobytes(),
        weights.value.astype("<f8").tobytes(),
        weights.on_path.tobytes(),
        _exposed(weights).tobytes(),
    ):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:16]

"""Token weights to one example: tokenize the whole text once, then spread by bytes.

Where the code begins in a template is known from the template, never guessed from tokenizing the
prompt alone: a merge may cross the border.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from gazecode.alignment.offsets import Ownership, byte_positions, offset_array, own
from gazecode.alignment.spread import POLICIES, Spread
from gazecode.alignment.strength import check_strength, loss_weights
from gazecode.alignment.tokenizer import Prepared, prepare
from gazecode.errors import AlignmentError, ParameterError
from gazecode.model import Example, SourceTokens, TokenWeights
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["align"]

BACKGROUND = 1.0
"""Weight where nothing is known: plain training."""
PLACEHOLDER = "{code}"
PER = ("character", "token")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """A text as subwords.

    `text_byte` and `code_end` bound the code in bytes of `text`; `special` positions carry an id
    with a meaning beyond text, added by the tokenizer or spelled out in the text.
    """

    text: str
    text_byte: int
    code_end: int
    ids: IntArray
    owned: Ownership
    special: BoolArray
    in_code: BoolArray


def align(
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
    r"""Bring the values of AST tokens to the subwords of a tokenizer.

    Parameters
    ----------
    weights, tokens
        ``(m,)`` values, and the tokens they belong to.
    tokenizer
        A `tokenizers.Tokenizer`, a fast tokenizer of transformers, or a path for `load_tokenizer`.
        It is never changed; its padding and truncation do not apply.
    template
        Text around the code, with ``{code}`` once; None for the code alone.
    policy
        A name in `POLICIES` for `weight`: ``inherit``, ``share``, ``max`` or ``mean``.
        `attention` is always the mass-conserving share.
    strength
        None takes the value as the weight as it stands. A number from 0 (plain training) to 1
        makes a loss weight with mean 1 out of the value `per` character or token: the share of
        gaze in it, clipped at `max_ratio` times the mean.
    example_id
        By default a digest of text, ids, values and parameters.

    Returns
    -------
    Example
        ``(n,)`` per subword. Positions that are special, prompt, or on no token have weight 1.0;
        so have tokens that were never on the screen. `loss_mask` is false for special positions
        and for those that own no byte of the code; a subword across the border counts as code.
        A special token spelled out in the code (``</s>`` in a string) is one position for the
        model: it keeps its gaze in `attention`, but has no loss, and `report` counts it.

    Raises
    ------
    AlignmentError
        Empty code, values for another source, or no position whose loss counts.
    ParameterError
        Unknown policy, a template without ``{code}``, a strength outside 0..1.
    TokenizerError
        The tokenizer cannot be used.

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
    >>> example.attention, example.weight.round(3)
    (array([0.75, 0.  , 0.25]), array([1.786, 0.5  , 0.714]))
    """
    spread_by = POLICIES[policy]
    _check(weights, tokens, strength=strength, per=per, max_ratio=max_ratio)
    prepared = prepare(tokenizer)
    encoded = _encode(tokens, prepared, template)
    span = tokens.span + encoded.text_byte
    spread = Spread(encoded.owned, span)
    loss_mask = encoded.in_code & ~encoded.special
    if not loss_mask.any():
        raise AlignmentError(
            f"no position of {tokens.source_id or 'the source'} counts in the loss: "
            f"{len(encoded.ids)} subwords, none of them text of the code; "
            "expected at least one, use another tokenizer or leave this source out"
        )
    exposed = np.append(_exposed(weights), False)[spread.token_index]
    weighable = loss_mask & exposed
    mass = spread.share(weights.value, background=0.0)
    total = float(mass.sum())
    report: dict[str, object] = {
        "scheme": weights.scheme,
        "unit": weights.unit,
        "policy": policy,
        "strength": strength,
        "no_signal": total == 0,
    }
    if strength is None:
        weight = np.where(
            weighable, spread_by(spread, weights.value, background=BACKGROUND), BACKGROUND
        )
    else:
        v = spread_by(spread, weights.value / _size(tokens, per), background=0.0)
        made = loss_weights(v, weighable, strength=strength, max_ratio=max_ratio)
        weight = made.weight
        report |= {"per": per, "max_ratio": max_ratio, "clipped_share": made.clipped_share}
        report["no_signal"] = made.no_signal
    report |= _losses(weights, spread, encoded, prepared)
    settings = (policy, strength, per, max_ratio, participant, trial, tokens.source_id)
    return Example(
        example_id=example_id or _digest(encoded, weights, settings),
        source_id=tokens.source_id,
        participant=participant,
        trial=trial,
        language=tokens.language,
        text=encoded.text,
        input_ids=encoded.ids,
        loss_mask=loss_mask,
        weight=weight,
        attention=mass / total if total else mass,
        on_path=np.append(weights.on_path, False)[spread.token_index],
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

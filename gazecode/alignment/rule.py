"""How values become weights: the settings, and the two steps that apply them to a batch.

A token never on the screen is missing, not a miss: a subword whose own token (the largest overlap)
was never shown stays neutral. Only where ``share`` hands out mass as it stands must none vanish
because a token never shown has the larger part of a subword: there every subword that owns a byte
of a token shown gets that token's part, and tokens never shown give none.
"""

from dataclasses import asdict, dataclass

import numpy as np

from gazecode.alignment.encode import Encoded
from gazecode.alignment.offsets import summed
from gazecode.alignment.spread import POLICIES, Spread
from gazecode.alignment.strength import LossWeights, check_strength, loss_weights, mean_one
from gazecode.errors import ParameterError
from gazecode.model import TokenBatch, TokenWeights
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.registry import check_values

__all__ = ["LOSS_WEIGHT", "Rule", "attention", "exposed_of", "gaze_of", "weights_of"]

BACKGROUND = 1.0
"""Weight where nothing is known: plain training."""
LOSS_WEIGHT = "loss weight"
"""Unit of values that are weights already: off the path they are neutral, not gaze."""
PER = ("character", "token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a value becomes a weight; checked when created."""

    policy: str
    strength: float | None
    per: str
    max_ratio: float
    mean_one: bool = False

    def __post_init__(self) -> None:
        check_values(Rule, asdict(self), name="align")
        if self.policy not in POLICIES:
            raise ParameterError.unknown("policies", self.policy, POLICIES)
        if self.per not in PER:
            raise ParameterError.unknown("per", self.per, PER)
        check_strength(self.strength, self.max_ratio)

    @property
    def hands_out_mass(self) -> bool:
        """Whether the weights of a token's subwords sum to its value."""
        return self.policy == "share" and self.strength is None


def gaze_of(weights: TokenWeights) -> FloatArray:
    """``(m,)`` what there was of attention: of loss weights only those on the path tell of any."""
    if weights.unit != LOSS_WEIGHT:
        return weights.value
    return np.where(weights.on_path, weights.value, 0.0)


def attention(
    gaze: FloatArray, first_token: IntArray, spread: Spread, encoded: Encoded
) -> FloatArray:
    """``(n,)`` gaze shared by bytes; sums to 1 over each text, or is all 0."""
    # Beside the largest of its text, so that values near the smallest float do not vanish.
    peak = _largest(gaze, first_token)
    peak[peak == 0] = 1.0
    mass = spread.share(gaze / np.repeat(peak, np.diff(first_token)), background=0.0)
    total = summed(encoded.position_text, mass, len(encoded.text))
    total[total == 0] = 1.0
    return np.asarray(mass / total[encoded.position_text])


def weights_of(
    weights: TokenWeights, batch: TokenBatch, spread: Spread, encoded: Encoded, rule: Rule
) -> LossWeights:
    """Loss weight per subword, and what there is to say about it."""
    exposed, value = exposed_of(weights), weights.value
    weighable = spread.flagged(exposed)
    if rule.hands_out_mass:
        value, weighable = np.where(exposed, value, 0.0), spread.owns(exposed)
    if rule.strength is not None and rule.per == "character":
        value = value / _characters(batch)
    weighable &= encoded.loss_mask
    spread_value = POLICIES[rule.policy](spread, value, background=BACKGROUND)
    text, d = encoded.position_text, len(encoded.text)
    if rule.strength is not None:
        return loss_weights(
            spread_value,
            weighable,
            strength=rule.strength,
            max_ratio=rule.max_ratio,
            example=text,
            n_examples=d,
        )
    if rule.mean_one:
        return mean_one(spread_value, weighable, example=text, n_examples=d)
    return LossWeights(
        weight=np.where(weighable, spread_value, BACKGROUND),
        clipped_share=np.zeros(d),
        no_signal=np.zeros(d, dtype=bool),
    )


def exposed_of(weights: TokenWeights) -> BoolArray:
    """``(m,)`` tokens that were on the screen."""
    return np.ones(len(weights), dtype=bool) if weights.exposed is None else weights.exposed


def _largest(value: FloatArray, first: IntArray) -> FloatArray:
    """``(d,)`` largest value of consecutive groups; 0 for an empty one."""
    largest: FloatArray = np.zeros(len(first) - 1)
    filled = np.flatnonzero(np.diff(first))
    if len(filled):
        largest[filled] = np.maximum.reduceat(value, first[filled])
    return largest


def _characters(batch: TokenBatch) -> FloatArray:
    """``(m,)`` characters of each token, white space inside it included."""
    byte = np.frombuffer(batch.code, dtype=np.uint8)
    before = np.concatenate([[0], np.cumsum((byte & 0xC0) != 0x80)])
    count: FloatArray = before[batch.span[:, 1]] - before[batch.span[:, 0]]
    return np.maximum(count, 1).astype(np.float64)

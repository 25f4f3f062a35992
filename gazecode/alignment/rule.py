"""How values become weights: the settings, and the two steps that apply them to a batch.

A token never on the screen is missing, not a miss: a subword whose own token (the largest overlap)
was never shown stays neutral. Only where ``share`` hands out mass as it stands must none vanish
because a token never shown has the larger part of a subword: there every subword that owns a byte
of a token shown gets that token's part, and tokens never shown give none.
"""

from dataclasses import asdict, dataclass

import numpy as np

from gazecode.alignment.carried import Carried
from gazecode.alignment.routes.named import LOSS_WEIGHT
from gazecode.alignment.spread import POLICIES, Spread
from gazecode.alignment.strength import LossWeights, check_strength, loss_weights, mean_one
from gazecode.alignment.subwords.encode import Encoded
from gazecode.alignment.subwords.offsets import summed
from gazecode.errors import ParameterError
from gazecode.model import TokenWeights
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.registry import check_values

__all__ = [
    "LOSS_WEIGHT",
    "ROUNDING",
    "Rule",
    "Weighed",
    "attention",
    "gaze_of",
    "reach_of",
    "weights_of",
]

BACKGROUND = 1.0
"""Weight where nothing is known: plain training."""
ROUNDING = 1e-9
"""What is nearer to 1, or to all, is."""
PER = ("character", "token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a value becomes a weight; checked when created."""

    policy: str = "inherit"
    strength: float | None = None
    per: str = "character"
    max_ratio: float = 5.0
    mean_one: bool = False

    def __post_init__(self) -> None:
        check_values(Rule, asdict(self), name="align")
        if self.policy not in POLICIES:
            raise ParameterError.unknown("policies", self.policy, POLICIES)
        if self.per not in PER:
            raise ParameterError.unknown("per", self.per, PER)
        check_strength(self.strength, self.max_ratio)

    @property
    def asks_for_characters(self) -> bool:
        """Whether values are taken per character."""
        return self.strength is not None and self.per == "character"

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighed:
    """Loss weights of ``n`` positions in ``d`` texts.

    `inert` is ``(d,)``: the sum of ``|weight - 1|`` that the rule would have put on positions whose
    loss does not count, if it counted everywhere. Special tokens are neutral in any case.
    """

    made: LossWeights
    inert: FloatArray


def weights_of(
    value: FloatArray,
    exposed: BoolArray,
    *,
    tokens: Carried,
    spread: Spread,
    encoded: Encoded,
    rule: Rule,
    characters: FloatArray | None = None,
) -> Weighed:
    """Loss weight per subword, and what there is to say about it.

    Parameters
    ----------
    value, exposed, characters
        ``(m,)`` of the tokens in the texts; those not exposed carry no weight. `characters` are
        needed only where the value is taken per character.
    """
    weighable = spread.flagged(exposed)
    if rule.policy == "share":
        value = tokens.divided(value)
    if rule.hands_out_mass:
        value, weighable = np.where(exposed, value, 0.0), spread.owns(exposed)
    if characters is not None:
        value = value / characters
    spread_value = POLICIES[rule.policy](spread, value, background=BACKGROUND)
    counts = weighable & encoded.loss_mask
    made = _weights(spread_value, counts, encoded, rule)
    inert = np.zeros(len(encoded.text))
    withheld = np.flatnonzero(weighable & ~encoded.loss_mask & ~encoded.special)
    if len(withheld):
        everywhere = _weights(spread_value, weighable & ~encoded.special, encoded, rule).weight
        moved = np.abs(everywhere[withheld] - BACKGROUND)
        # What is a rounding of 1 is no weight that somebody would miss.
        moved[moved < ROUNDING] = 0.0
        inert = summed(encoded.position_text[withheld], moved, len(encoded.text))
    return Weighed(made=made, inert=inert)


def reach_of(weighed: Weighed, encoded: Encoded) -> FloatArray:
    """``(d,)`` share of the weight that lies where the loss counts; NaN where all is neutral."""
    moved = np.abs(weighed.made.weight - BACKGROUND)
    total = summed(encoded.position_text, moved, len(encoded.text))
    # Nothing moves outside the loss: there every weight is exactly 1.
    whole = total + weighed.inert
    reach: FloatArray = np.full(len(whole), np.nan)
    np.divide(total, whole, out=reach, where=whole > 0)
    return reach


def _weights(value: FloatArray, weighable: BoolArray, encoded: Encoded, rule: Rule) -> LossWeights:
    text, d = encoded.position_text, len(encoded.text)
    if rule.strength is not None:
        return loss_weights(
            value,
            weighable,
            strength=rule.strength,
            max_ratio=rule.max_ratio,
            example=text,
            n_examples=d,
        )
    if rule.mean_one:
        return mean_one(value, weighable, example=text, n_examples=d)
    return LossWeights(
        weight=np.where(weighable, value, BACKGROUND),
        clipped_share=np.zeros(d),
        no_signal=np.zeros(d, dtype=bool),
    )


def _largest(value: FloatArray, first: IntArray) -> FloatArray:
    """``(d,)`` largest value of consecutive groups; 0 for an empty one."""
    largest: FloatArray = np.zeros(len(first) - 1)
    filled = np.flatnonzero(np.diff(first))
    if len(filled):
        largest[filled] = np.maximum.reduceat(value, first[filled])
    return largest

"""The schemes that are no controls, by name: what a control can be made from.

From gaze: `gazecode.weighting.gaze`. From a pseudo scan path: `gazecode.weighting.eyemulator`.
"""

from collections.abc import Callable, Mapping

from gazecode.errors import ParameterError
from gazecode.model import Hits, TokenWeights
from gazecode.registry import Registry
from gazecode.weighting.eyemulator import weigh_eyemulator, weigh_rarity, weigh_salience
from gazecode.weighting.gaze import weigh_binary, weigh_count, weigh_duration, weigh_first_pass

__all__ = [
    "BASE",
    "BASE_SCHEMES",
    "GAZE",
    "GROUP",
    "OF_GAZE",
    "OF_PATH",
    "PATH",
    "Scheme",
    "default_of",
]

Scheme = Callable[..., TokenWeights]

GROUP = "gazecode.schemes"
GAZE: Mapping[str, Scheme] = {
    "count": weigh_count,
    "duration": weigh_duration,
    "first_pass": weigh_first_pass,
    "binary": weigh_binary,
}
PATH: Mapping[str, Scheme] = {
    "eyemulator": weigh_eyemulator,
    "rarity": weigh_rarity,
    "salience": weigh_salience,
}
OF_PATH, OF_GAZE = "eyemulator", "duration"
"""What a control is made from unless it says else."""

BASE: Mapping[str, Scheme] = {**GAZE, **PATH}
BASE_SCHEMES: Registry[Scheme] = Registry("weighting schemes", BASE, group=GROUP)


def default_of(hits: object, of: str | None) -> str:
    """The scheme that a control is made from: as said, else the common one of the signal.

    Raises
    ------
    ParameterError
        `of` is a control itself.
    """
    if of is None:
        return OF_GAZE if isinstance(hits, Hits) else OF_PATH
    if of.startswith("control_"):
        raise ParameterError(f"of is {of!r}, itself a control; expected the scheme to be tested")
    return of

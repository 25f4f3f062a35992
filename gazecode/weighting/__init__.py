"""One value per AST token: named schemes over gaze or a pseudo scan path, controls, pooling."""

from gazecode.weighting.eyemulator import Lookups, count_lookups
from gazecode.weighting.other_priors import control_priors
from gazecode.weighting.pool import pool
from gazecode.weighting.schemes import SCHEMES, weigh, weigh_batch

__all__ = [
    "SCHEMES",
    "Lookups",
    "control_priors",
    "count_lookups",
    "pool",
    "weigh",
    "weigh_batch",
]

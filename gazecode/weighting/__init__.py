"""From hits to one value per AST token: named schemes, and pooling over trials and people."""

from gazecode.weighting.pool import pool
from gazecode.weighting.schemes import SCHEMES, weigh

__all__ = ["SCHEMES", "pool", "weigh"]

"""What a scan path says of itself: measures over tokens, lines and the saccades between them."""

from gazecode.measures.grouped import (
    GroupedTransitions,
    group_transitions,
    label_transitions,
    line_transitions,
)
from gazecode.measures.linearity import Linearity, linearity, pool_linearity
from gazecode.measures.links import LinkFollowing, link_following
from gazecode.measures.multimatch import MultiMatch, multimatch
from gazecode.measures.order import OrderScore, needleman_wunsch, order_score
from gazecode.measures.reading import ReadingMeasures, reading_measures
from gazecode.measures.scanmatch import ScanMatch, scanmatch, scanmatch_grid
from gazecode.measures.transitions import pool_transitions, transition_account, transitions

__all__ = [
    "GroupedTransitions",
    "Linearity",
    "LinkFollowing",
    "MultiMatch",
    "OrderScore",
    "ReadingMeasures",
    "ScanMatch",
    "group_transitions",
    "label_transitions",
    "line_transitions",
    "linearity",
    "link_following",
    "multimatch",
    "needleman_wunsch",
    "order_score",
    "pool_linearity",
    "pool_transitions",
    "reading_measures",
    "scanmatch",
    "scanmatch_grid",
    "transition_account",
    "transitions",
]

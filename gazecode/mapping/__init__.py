"""Where tokens stood on the screen, and which of them fixations fell on."""

from gazecode.mapping.boxes import box_layout, read_boxes
from gazecode.mapping.chance import chance_hits
from gazecode.mapping.grid import grid_layout
from gazecode.mapping.histories import hits_through, in_version, map_through
from gazecode.mapping.hits import MAPPERS, map_to_tokens
from gazecode.mapping.image import find_text, image_layout
from gazecode.mapping.lines import LINE_METHODS, assign_lines, estimate_drift, measure_drift
from gazecode.mapping.positions import hits_from_positions, map_positions
from gazecode.mapping.rows import VisualRows, folded, wrapped
from gazecode.mapping.scroll import VisibleLog, scrolled

__all__ = [
    "LINE_METHODS",
    "MAPPERS",
    "VisibleLog",
    "VisualRows",
    "assign_lines",
    "box_layout",
    "chance_hits",
    "estimate_drift",
    "find_text",
    "folded",
    "grid_layout",
    "hits_from_positions",
    "hits_through",
    "image_layout",
    "in_version",
    "map_positions",
    "map_through",
    "map_to_tokens",
    "measure_drift",
    "read_boxes",
    "scrolled",
    "wrapped",
]

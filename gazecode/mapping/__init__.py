"""Where tokens stood on the screen, and which of them fixations fell on."""

from gazecode.mapping.boxes import box_layout, read_boxes
from gazecode.mapping.chance import chance_hits
from gazecode.mapping.grid import grid_layout
from gazecode.mapping.hits import MAPPERS, map_to_tokens
from gazecode.mapping.lines import LINE_METHODS, assign_lines

__all__ = [
    "LINE_METHODS",
    "MAPPERS",
    "assign_lines",
    "box_layout",
    "chance_hits",
    "grid_layout",
    "map_to_tokens",
    "read_boxes",
]

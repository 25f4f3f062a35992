"""A layout with the mapping that says what gaze at any point would be taken for.

The simulation behind "can this layout resolve lines? tokens?" (`gazecode.quality.resolvability`)
maps points as `map_to_tokens` maps fixations. Stages do not know each other; they meet here.
"""

from collections.abc import Mapping

import numpy as np

from gazecode.mapping import MAPPERS
from gazecode.mapping.hits import Field
from gazecode.mapping.pairs import Bands
from gazecode.model import Layout
from gazecode.model.checks import FloatArray, IntArray
from gazecode.quality import Resolver

__all__ = ["layout_resolver", "resolvers_of"]


def layout_resolver(layout: Layout) -> Resolver:
    """The layout with the nearest of its tokens for any point, at scroll 0, as `assess` takes it.

    >>> boxes = [[0, 0, 40, 20], [50, 0, 90, 20], [0, 30, 40, 50]]
    >>> layout = Layout(boxes=boxes, token=[0, 1, 2], line=[0, 0, 1], n_tokens=3, line_height_px=30)
    >>> layout_resolver(layout).resolve(np.array([[60.0, 10.0], [10.0, 60.0], [900.0, 900.0]]))
    (array([ 0,  1, -1]), array([ 1,  2, -1]))
    """
    nearest = MAPPERS["nearest"]
    field = Field(
        boxes=layout.boxes,
        token=np.arange(len(layout)),
        bands=Bands(layout.boxes, layout.line),
        line_height_px=layout.line_height_px,
    )

    def resolve(points_xy_px: FloatArray) -> tuple[IntArray, IntArray]:
        shares = nearest(points_xy_px, field)
        line, token = np.full((2, len(points_xy_px)), -1)
        line[shares.point] = layout.line[shares.token]
        token[shares.point] = layout.token[shares.token]
        return line, token

    return Resolver(layout=layout, resolve=resolve)


def resolvers_of(
    layouts: Layout | Mapping[str, Layout] | None,
) -> Resolver | Mapping[str, Resolver]:
    """Those of one layout, or by trial name."""
    if isinstance(layouts, Layout):
        return layout_resolver(layouts)
    return {name: layout_resolver(layout) for name, layout in (layouts or {}).items()}

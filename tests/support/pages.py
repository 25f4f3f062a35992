"""Pages of text drawn at known places, for tests that find them again."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["CODE", "Page", "draw"]

CODE = """\
public class Wheel {
    private int spokes, rim;

    public Wheel(int spokes, int rim) {
        this.spokes = spokes; // how many
        this.rim = rim;
    }

    public double tension(double load) {
        if (load > 0 && spokes != 0) {
            return load / (spokes * 2);
        }
        return -1.5;
    }
}
"""

_FINER = 4  # drawn so much larger, then averaged: places to a quarter of a pixel
_PALETTE = ((130, 0, 90), (0, 0, 190), (40, 120, 60), (20, 20, 20))
_DARK = ((230, 140, 200), (130, 170, 255), (150, 220, 160), (230, 230, 230))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How a page is set: `size_px` is the font's size, the origin the first cell's top left."""

    origin_px: tuple[float, float]
    char_px: float
    line_px: float
    size_px: float
    dark: bool = False
    shape: tuple[int, int] = (420, 640)


def draw(
    text: str, page: Page, *, gutter: bool = False, font: str = "DejaVuSansMono"
) -> npt.NDArray[np.uint8]:
    """Draw every character at its cell, words in different colours, ``(h, w, 3)``."""
    import matplotlib as mpl
    from PIL import Image, ImageDraw, ImageFont

    file = Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    face = ImageFont.truetype(str(file), round(page.size_px * _FINER))
    ground = (30, 34, 40) if page.dark else (252, 252, 250)
    size = (page.shape[1] * _FINER, page.shape[0] * _FINER)
    canvas = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(canvas)
    ascent, descent = face.getmetrics()
    advance = face.getlength("x")
    colours = _DARK if page.dark else _PALETTE
    for row, line in enumerate(text.expandtabs(4).split("\n")):
        top = _FINER * (page.origin_px[1] + page.line_px * (row + 0.5)) - (ascent + descent) / 2
        if gutter and line.strip():
            pen.text((4 * _FINER, round(top)), f"{row + 1:>2}", font=face, fill=(140, 140, 140))
        word = 0
        for column, char in enumerate(line):
            word += char == " "
            cell = _FINER * (page.origin_px[0] + page.char_px * column)
            x = round(cell + (_FINER * page.char_px - advance) / 2)
            pen.text((x, round(top)), char, font=face, fill=colours[word % len(colours)])
    drawn = np.asarray(canvas, dtype=np.float64)
    h, w = page.shape
    small = drawn.reshape(h, _FINER, w, _FINER, 3).mean(axis=(1, 3))
    return np.rint(small).astype(np.uint8)

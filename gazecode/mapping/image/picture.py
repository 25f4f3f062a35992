"""Open a picture of a stimulus and find its ink: what differs from the background it stands on.

Screens have flat backgrounds: in a tile of 64 x 64 px the background is the commonest colour, and
a second one where a panel or a gutter ends. Ink is the distance to the nearest of them, in the
colour channel that shows it most, so dark and light themes and coloured text are one case.
Filled areas and rules are no text and are taken out by morphological opening (J. Serra 1982, Image
Analysis and Mathematical Morphology, ch. 2).
"""

import warnings
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, FormatError, TooLarge
from gazecode.model.checks import FloatArray

__all__ = ["MAX_PIXELS", "Picture", "find_ink", "open_picture"]

MAX_PIXELS = 40_000_000
"""Larger pictures are refused before they are unpacked (an 8K screen has 33 million pixels)."""

Picture = str | PathLike[str] | bytes | npt.NDArray[np.uint8]

_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_TILE = 64
_LEAST_SHARE = 0.25  # of a tile that a second background colour must cover: text never does
_FILLED_PX = 13  # strokes hold no square of this side
_RULE_PX = (121, 401)  # vertical and horizontal strokes this long are rules
_NOISE = 0.12  # of full contrast: what JPEG leaves around letters


def open_picture(image: Picture) -> npt.NDArray[np.uint8]:
    """Read a picture as ``(h, w, 3)`` RGB; what is transparent becomes white.

    Raises
    ------
    FormatError
        The file cannot be opened as a picture, or is cut short.
    TooLarge
        It has more than `MAX_PIXELS`.
    DataError
        An array is not ``(h, w)`` or ``(h, w, 3 or 4)`` of uint8.
    """
    if isinstance(image, np.ndarray):
        return _from_array(image)
    from PIL import Image

    name = "the picture" if isinstance(image, bytes) else Path(image).name
    held: Any = BytesIO(image) if isinstance(image, bytes) else Path(image)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(held, formats=_FORMATS)
        with opened:
            _check_size(name, *opened.size)
            return _to_rgb(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge(
            f"{name} would unpack to more than {MAX_PIXELS} pixels; give a screenshot, or cut it"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, FileNotFoundError):
            raise FormatError(f"there is no file {name}; give the path of a picture") from error
        raise FormatError(
            f"{name} cannot be opened as a picture ({_why(error)}); "
            f"expected a whole {', '.join(_FORMATS)} file: export it again"
        ) from error


def _why(error: Exception) -> str:
    """Pillow's reason, unless it names the bytes by their address."""
    said = str(error).splitlines()[0][:120] if str(error) else ""
    return said if said and "BytesIO" not in said else "of no known format"


def _check_size(name: str, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise TooLarge(
            f"{name} has {width} x {height} pixels; at most {MAX_PIXELS} are read: cut it to the "
            "part that shows the text"
        )
    if min(width, height) < 8:
        raise DataError(
            f"{name} has {width} x {height} pixels; expected a picture of text, at least 8 x 8"
        )


def _to_rgb(opened: Any) -> npt.NDArray[np.uint8]:
    from PIL import Image

    if opened.mode in {"I", "F"} or opened.mode.startswith("I;"):
        grey = np.asarray(opened, dtype=np.float64)
        low, high = float(grey.min()), float(grey.max())
        scaled = (grey - low) * (255 / max(high - low, 1e-9))
        return _from_array(scaled.astype(np.uint8))
    rgba = opened.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))


def _from_array(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    grey = image.ndim == 2
    if image.dtype != np.uint8 or not (grey or (image.ndim == 3 and image.shape[2] in {3, 4})):
        raise DataError(
            f"the picture is an array {image.shape} of {image.dtype}; expected (h, w) or "
            "(h, w, 3 or 4) of uint8"
        )
    _check_size("the picture", image.shape[1], image.shape[0])
    if grey:
        return np.repeat(image[:, :, None], 3, axis=2)
    if image.shape[2] == 4:
        share = image[:, :, 3:].astype(np.float32) / 255
        return np.rint(image[:, :, :3] * share + 255 * (1 - share)).astype(np.uint8)
    return image


def find_ink(rgb: npt.NDArray[np.uint8]) -> FloatArray:
    """How much of each pixel is ink: ``(h, w)`` float32, 0 (background) to 1 (strongest text).

    Examples
    --------
    >>> page = np.full((64, 64, 3), 30, dtype=np.uint8)
    >>> page[20:30, 10] = (200, 220, 90)
    >>> ink = find_ink(page)
    >>> float(ink[25, 10]), float(ink[25, 12])
    (1.0, 0.0)
    """
    from scipy import ndimage

    height, width = rgb.shape[:2]
    ink = _distance_to_background(rgb)
    for size in ((_FILLED_PX, _FILLED_PX), (_RULE_PX[0], 1), (1, _RULE_PX[1])):
        if size[0] < height and size[1] < width:
            ink -= ndimage.grey_opening(ink, size=size)
    strong = ink[ink > 25]
    full = float(np.percentile(strong, 90)) if strong.size else 255.0
    share = np.minimum(ink.astype(np.float32) / full, 1)
    share[share < _NOISE] = 0
    return np.asarray(share)


def _distance_to_background(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Distance to the nearest background colour of the pixel's tile, 0 to 255."""
    height, width = rgb.shape[:2]
    # Half a bin of shift: pure black, white and greys of themes lie inside a bin, not on its edge.
    bins = np.minimum(rgb.astype(np.uint16) + 8, 255) >> 4
    code = (bins[:, :, 0] << 8) | (bins[:, :, 1] << 4) | bins[:, :, 2]
    ink = np.empty((height, width), dtype=np.uint8)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            here = (slice(top, top + _TILE), slice(left, left + _TILE))
            ink[here] = _distance(rgb[here], code[here])
    return ink


def _distance(rgb: npt.NDArray[np.uint8], code: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    counts = np.bincount(code.ravel(), minlength=4096)
    first = int(counts.argmax())
    colours = [first]
    counts[first], rest = 0, int(counts[first])
    second = int(counts.argmax())
    # A second bin beside the first is noise of the same colour, not another background.
    if counts[second] >= _LEAST_SHARE * code.size and rest < code.size:
        colours.append(second)
    nearest = np.full(code.shape, 255, dtype=np.int16)
    for colour in colours:
        background = np.median(rgb[code == colour], axis=0).astype(np.int16)
        nearest = np.minimum(nearest, np.abs(rgb.astype(np.int16) - background).max(axis=2))
    return nearest.astype(np.uint8)

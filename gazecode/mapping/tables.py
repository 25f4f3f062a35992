"""Tables of areas of interest, as studies publish them, to the columns `box_layout` takes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import FormatError, ParameterError

if TYPE_CHECKING:
    import os

    import pandas as pd

    from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["read_boxes"]

_CORNERS = (
    ("x0", "y0", "x1", "y1"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)
_SIZES = (
    ("x", "y", "width", "height"),
    ("aoi_x", "aoi_y", "aoi_width", "aoi_height"),
)
_TEXTS = ("text", "token")


def read_boxes(
    path: "str | os.PathLike[str]",
    *,
    where: Mapping[str, object] | None = None,
    without: Mapping[str, object] | None = None,
    texts: "str | os.PathLike[str] | None" = None,
    text_column: str | None = None,
    columns: Mapping[str, str] | None = None,
    scale_px: Sequence[float] = (1.0, 1.0),
    shrink_px: Sequence[float] = (0.0, 0.0),
) -> "pd.DataFrame":
    """Read areas of interest from a CSV or TSV file (``.gz`` too).

    Parameters
    ----------
    path
        Header and one row per area. The sides are found by name: ``x0 y0 x1 y1``,
        ``x1 y1 x2 y2``, ``left top right bottom``, ``x y width height`` or
        ``aoi_x aoi_y aoi_width aoi_height``.
    where
        Column → wanted value, or list of wanted values; other rows are left out.
    without
        Column → value, likewise: rows that have all of them are left out (a box drawn twice).
    texts
        Another table with one text per kept row, in the same order; default: `path` itself.
    text_column
        Default: ``text`` or ``token``, whichever is there. Without one the boxes have no text.
    columns
        Where the sides have other names, or the table holds several sets of them: ``x0 y0 x1 y1``
        or ``x y width height`` → the table's column.
    scale_px
        ``(x, y)`` that sides are multiplied by: the screen's size for fractions of it.
    shrink_px
        Taken from the sides of every box: ``(x, y)`` or ``(left, top, right, bottom)``; for areas
        that were drawn with a margin.

    Returns
    -------
    pandas.DataFrame
        Columns text, x0, y0, x1, y1; px. Empty texts are None.

    Raises
    ------
    FormatError
        Columns are missing, a side is not a number, or the two files differ in length.
    ParameterError
        `shrink_px` leaves nothing of a box; `columns` or `scale_px` do not fit.
    """
    import pandas as pd

    table = _choose(_read(path), where or {}, without or {}, Path(path).name)
    px = _sides(table, Path(path).name, columns) * _scale(scale_px)
    spelled = table if texts is None else _read(texts)
    name = Path(path if texts is None else texts).name
    column = _text_column(spelled, text_column, name, required=texts is not None)
    if len(spelled) != len(table):
        raise FormatError(
            f"{name} has {len(spelled)} texts and {Path(path).name} {len(table)} boxes; "
            "expected one text per box in the same order: select boxes with where"
        )
    shrunk = _shrink(px, shrink_px)
    frame = pd.DataFrame(shrunk, columns=["x0", "y0", "x1", "y1"])
    words = [None] * len(px) if column is None else [v or None for v in spelled[column]]
    frame.insert(0, "text", pd.Series(words, dtype=object))
    return frame


def _read(path: "str | os.PathLike[str]") -> "pd.DataFrame":
    """Everything as text: a table reader's defaults turn the word null into a missing value."""
    import pandas as pd

    try:
        return pd.read_csv(
            path, sep=_separator(path), dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except FileNotFoundError as error:
        raise FormatError(f"{path}: no such file; check the path") from error
    except (OSError, EOFError, ValueError) as error:
        # pandas' parser and decoding errors are all ValueErrors.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no content"
        raise FormatError(
            f"{Path(path).name} is not a table of boxes ({reason}); "
            "expected CSV or TSV with one header line"
        ) from error


def _separator(path: "str | os.PathLike[str]") -> str:
    import gzip

    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rb") as file:
        header = file.readline(65536)
    return max("\t;,", key=lambda sign: header.count(sign.encode()))


def _choose(
    table: "pd.DataFrame", where: Mapping[str, object], without: Mapping[str, object], name: str
) -> "pd.DataFrame":
    kept = _fits(table, where, name)
    if without:
        unwanted = _fits(table, without, name)
        if not unwanted.any():
            raise FormatError(
                f"{name}: no box to leave out where {dict(without)}; look at the file's columns"
            )
        kept &= ~unwanted
    if not kept.any():
        raise FormatError(f"{name}: no box left where {dict(where)}; look at the file's columns")
    return table[kept]


def _fits(table: "pd.DataFrame", wanted: Mapping[str, object], name: str) -> "BoolArray":
    """Rows that have all wanted values."""
    fits: BoolArray = np.ones(len(table), dtype=bool)
    for column, value in wanted.items():
        if column not in table:
            raise FormatError.missing_columns(name, [column], map(str, table.columns))
        values = value if isinstance(value, (list, tuple, set)) else [value]
        fits &= table[column].isin([str(v) for v in values]).to_numpy(dtype=bool)
    return fits


def _scale(scale_px: Sequence[float]) -> "FloatArray":
    scale: FloatArray = np.asarray(scale_px, dtype=np.float64)
    if scale.shape != (2,) or not (np.isfinite(scale) & (scale > 0)).all():
        raise ParameterError(f"scale_px is {scale_px}; expected (x, y), both positive numbers")
    return np.tile(scale, 2)


def _sides(
    table: "pd.DataFrame", name: str, columns: Mapping[str, str] | None = None
) -> "FloatArray":
    if columns is not None:
        table = _renamed(table, name, columns)
    names = next((n for n in (*_CORNERS, *_SIZES) if set(n) <= set(table.columns)), None)
    if names is None:
        raise FormatError.missing_columns(
            name,
            _CORNERS[0],
            map(str, table.columns),
            "Also known: x1 y1 x2 y2, left top right bottom, x y width height",
        )
    try:
        px: FloatArray = table[list(names)].to_numpy().astype(np.float64)
    except ValueError as error:
        raise FormatError(f"{name}: a box has a side that is not a number ({error})") from error
    if names in _SIZES:
        px[:, 2:] += px[:, :2]
    return px


def _renamed(table: "pd.DataFrame", name: str, columns: Mapping[str, str]) -> "pd.DataFrame":
    """The four named columns alone, under the names that are known."""
    known = (_CORNERS[0], _SIZES[0])
    if set(columns) not in [set(names) for names in known]:
        raise ParameterError(
            f"columns names {', '.join(columns) or 'nothing'}; expected "
            f"{' or '.join(' '.join(names) for names in known)}"
        )
    missing = [column for column in columns.values() if column not in table]
    if missing:
        raise FormatError.missing_columns(name, missing, map(str, table.columns))
    return table[list(columns.values())].set_axis(list(columns), axis="columns")


def _text_column(
    table: "pd.DataFrame", wanted: str | None, name: str, *, required: bool
) -> str | None:
    choices = _TEXTS if wanted is None else (wanted,)
    found = next((c for c in choices if c in table), None)
    if found is None and (required or wanted is not None):
        raise FormatError.missing_columns(
            name, choices[:1], map(str, table.columns), "Name it with text_column"
        )
    return found


def _shrink(px: "FloatArray", shrink_px: Sequence[float]) -> "FloatArray":
    if len(shrink_px) not in (2, 4):
        raise ParameterError(
            f"shrink_px is {tuple(shrink_px)}; expected (x, y) or (left, top, right, bottom)"
        )
    left, top, right, bottom = (*shrink_px, *shrink_px)[:4]
    shrunk: FloatArray = px + np.array([left, top, -right, -bottom])
    thin = np.flatnonzero(~((shrunk[:, 0] < shrunk[:, 2]) & (shrunk[:, 1] < shrunk[:, 3])))
    if thin.size:
        i = int(thin[0])
        raise ParameterError(
            f"shrink_px {tuple(shrink_px)} leaves nothing of box {i}, {px[i].tolist()}; take less"
        )
    return shrunk

"""Lines and columns that an editor resolved, to tokens: no layout, no guess of pixels.

iTrace's and CodeGRITS's plug-ins say which line and column lay under each sample. What a column
counts differs by editor and is declared by its reader (``ide_positions(...)["unit"]``); line and
column come 0-based from there. A folded or wrapped text whose editor counts *screen* rows (Atom)
needs `rows`. An editor answers for every sample: for gaze that was lost with where it last was, for
gaze above or below its window with its first or last line (Atom). Make such lines -1 first.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.cells import COLUMN_UNITS, cells_of
from gazecode.mapping.rows import VisualRows
from gazecode.model import Events, Hits, SourceTokens
from gazecode.model.checks import FloatArray, IntArray, StrArray, column, repeated, same_length
from gazecode.units import sample_end_ms

__all__ = ["PLACES", "Places", "hits_from_places", "hits_from_positions", "map_positions", "places"]

PLACES = ("token", "blank", "past_line_end", "past_text", "off_text")
METHODS = ("share", "majority")
_LAST_COLUMN = 2**31
_LEAST_MS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where positions lie in a text.

    Attributes
    ----------
    token
        ``(n,)`` number of the token, or its id in a history; -1 for none.
    byte
        ``(n,)`` byte of the character; -1 for none.
    status
        ``(n,)`` one of `PLACES`: on a token; on a blank between tokens; beyond the end of its
        line; beyond the last line; off text, as the editor said.
    """

    token: IntArray
    byte: IntArray
    status: StrArray

    def __post_init__(self) -> None:
        for name in ("token", "byte"):
            column(self, name, np.int64)
        column(self, "status", object)
        same_length(self, "token", "byte", "status")

    def __len__(self) -> int:
        return len(self.token)

    def counts(self) -> dict[str, int]:
        """How many positions have each status; they sum to all."""
        return {name: int((self.status == name).sum()) for name in PLACES}


def map_positions(
    tokens: SourceTokens,
    line: npt.ArrayLike,
    column: npt.ArrayLike,
    *,
    unit: str | npt.ArrayLike,
    tab_width: int = 4,
    rows: VisualRows | None = None,
) -> Places:
    r"""Token at each line and column.

    Parameters
    ----------
    tokens
        The text the editor showed.
    line, column
        ``(n,)`` 0-based, as `ide_positions` gives them; negative is off text.
    unit
        What columns count, one of `gazecode.mapping.cells.COLUMN_UNITS`, for all or one each.
    tab_width
        Cells between tab stops, for visual and logical columns.
    rows
        Where lines are visual ones: which part of which row each shows. Columns then count from
        the visual row's own start, its indent included.

    Returns
    -------
    Places
        A column within a character (the second cell of a wide one) is that character.

    Raises
    ------
    ParameterError
        No such unit: one that the editor does not declare ("unknown") must be chosen.

    Examples
    --------
    >>> from gazecode.model import SourceTokens
    >>> tokens = SourceTokens(
    ...     language="python",
    ...     source_id="",
    ...     code=b"\tx = 1\n",
    ...     span=[[1, 2], [3, 4], [5, 6]],
    ...     row=[0, 0, 0],
    ...     column=[1, 3, 5],
    ...     kind=["identifier", "=", "integer"],
    ...     path=((), (), ()),
    ...     label=["", "", ""],
    ... )
    >>> at = map_positions(tokens, [0, 0, 0, 5], [4, 5, 90, 0], unit="visual")
    >>> at.token.tolist(), at.status.tolist()
    ([0, -1, -1, -1], ['token', 'blank', 'past_line_end', 'past_text'])
    >>> map_positions(tokens, [0], [1], unit="utf16").token
    array([0])
    """
    return places(tokens.code, tokens.span, line, column, unit=unit, tab_width=tab_width, rows=rows)


def places(
    code: bytes,
    span: IntArray,
    line: npt.ArrayLike,
    column: npt.ArrayLike,
    *,
    unit: str | npt.ArrayLike,
    tab_width: int = 4,
    rows: VisualRows | None = None,
) -> Places:
    """`map_positions` for a text and the bytes of its tokens, ``(m, 2)``."""
    at = np.asarray(line, dtype=np.int64), np.asarray(column, dtype=np.int64)
    if at[0].ndim != 1 or at[0].shape != at[1].shape:
        raise DataError(
            f"lines of shape {at[0].shape} and columns of shape {at[1].shape}; expected one of "
            "each per position"
        )
    units = np.broadcast_to(np.asarray(unit, dtype=object), at[0].shape)
    byte = np.full(len(at[0]), -1)
    status = repeated("off_text", len(byte))
    text = code.decode()
    for one in set(units.tolist()):
        if one not in COLUMN_UNITS:
            raise ParameterError(
                f"columns count {one!r}; expected one of {', '.join(COLUMN_UNITS)}: name what "
                "this editor counts"
            )
        chosen = np.flatnonzero((units == one) & (at[0] >= 0) & (at[1] >= 0))
        grid = cells_of(text, tab_width, unit=str(one))
        found = _characters(text, grid, at[0][chosen], at[1][chosen], rows)
        byte[chosen], status[chosen] = found
    token = _tokens(span, byte, status)
    return Places(token=token, byte=byte, status=status)


def _characters(
    text: str,
    cells: tuple[IntArray, IntArray],
    line: IntArray,
    column: IntArray,
    rows: VisualRows | None,
) -> tuple[IntArray, StrArray]:
    """Byte of each position (-1: none) and whether it lies past the line or the text."""
    begin, end = cells
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    newline = np.flatnonzero(points == ord("\n"))
    starts, stops = np.append(0, newline + 1), np.append(newline, len(points))
    n_lines = len(starts) if rows is None else len(rows)
    inside = line < n_lines
    at, wanted = line[inside], np.minimum(column[inside], _LAST_COLUMN)
    if rows is None:
        first, last = starts[at], stops[at]
        base = np.zeros(len(at), dtype=np.int64)
    else:
        row, limit = starts[rows.row[at]], stops[rows.row[at]]
        first = np.minimum(row + rows.first[at], limit)
        last = np.minimum(row + np.minimum(rows.last[at], len(points)), limit)
        base = np.append(begin, 0)[first] - rows.indent[at]
    # Line by line, columns grow: one search over all of them.
    number = np.searchsorted(newline, np.arange(len(points)))
    scale = int(max(end.max(initial=0), wanted.max(initial=0) + base.max(initial=0))) + 2
    own = np.searchsorted(newline, first)
    char = np.searchsorted(number * scale + begin, own * scale + wanted + base, side="right") - 1
    char = np.maximum(char, first)
    # The last character with a width: marks drawn into it begin where it ends.
    end, begin = np.append(end, 0), np.append(begin, 0)
    short = wanted + base < begin[first]
    there = (char < last) & ~short & (wanted + base < end[np.minimum(char, len(points))])
    sizes = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
    offset = np.concatenate(([0], np.cumsum(sizes)))
    byte = np.full(len(line), -1)
    byte[inside] = np.where(there, offset[np.minimum(char, len(points))], -1)
    status = repeated("past_text", len(line))
    status[inside] = np.where(there | short, "blank", "past_line_end").astype(object)
    return byte, status


def _tokens(span: IntArray, byte: IntArray, status: StrArray) -> IntArray:
    """Token of each byte, -1 for none; those on one get their status, in place."""
    found = np.searchsorted(span[:, 0], byte, side="right") - 1
    ends = np.append(span[:, 1], -1)
    token: IntArray = np.where((byte >= 0) & (byte < ends[found]), found, -1)
    status[token >= 0] = "token"
    return token


def hits_from_positions(
    fixations: Events,
    t_ms: npt.ArrayLike,
    line: npt.ArrayLike,
    column: npt.ArrayLike,
    tokens: SourceTokens,
    *,
    unit: str | npt.ArrayLike,
    method: str = "share",
    tab_width: int = 4,
    rows: VisualRows | None = None,
    exposure_ms: npt.ArrayLike | None = None,
) -> Hits:
    """Which tokens fixations fell on, by the lines and columns of their samples.

    Parameters
    ----------
    fixations
        Of one eye, or of both joined: they do not overlap.
    t_ms, line, column
        ``(n,)`` positions on the fixations' clock, as `ide_positions` gives them.
    tokens, unit, tab_width, rows
        As for `map_positions`.
    method, exposure_ms
        As for `hits_from_places`.

    Examples
    --------
    >>> from gazecode.model import SourceTokens
    >>> tokens = SourceTokens(
    ...     language="python",
    ...     source_id="",
    ...     code=b"ab cd",
    ...     span=[[0, 2], [3, 5]],
    ...     row=[0, 0],
    ...     column=[0, 3],
    ...     kind=["identifier"] * 2,
    ...     path=((), ()),
    ...     label=["", ""],
    ... )
    >>> fixations = Events(kind=["fixation"], onset_ms=[0], offset_ms=[40], xy_px=[[0, 0]])
    >>> t_ms, column = [0, 10, 20, 30], [0, 1, 2, 3]
    >>> hits_from_positions(
    ...     fixations, t_ms, [0] * 4, column, tokens, unit="character"
    ... ).to_frame().to_numpy().tolist()
    [[0.0, 0.0, 0.5], [0.0, 1.0, 0.25]]
    """
    at = map_positions(tokens, line, column, unit=unit, tab_width=tab_width, rows=rows)
    return hits_from_places(
        fixations, t_ms, at, n_tokens=len(tokens), method=method, exposure_ms=exposure_ms
    )


def hits_from_places(
    fixations: Events,
    t_ms: npt.ArrayLike,
    at: Places,
    *,
    n_tokens: int,
    method: str = "share",
    exposure_ms: npt.ArrayLike | None = None,
) -> Hits:
    """Which tokens fixations fell on, by where their samples lie.

    A sample counts with the time it holds for: until the next one, at most 1.5 median steps, and
    no longer than its fixation. Samples without a position count for nothing.

    Parameters
    ----------
    t_ms, at
        ``(n,)`` times, increasing, and places of samples.
    n_tokens
        How many tokens (or ids) there are.
    method
        ``share``: each token's part of the fixation's time with a position. ``majority``: all of
        it to the place with most time, a token before a blank and the lower token in a tie.
    exposure_ms
        ``(m,)`` how long each token was on the screen. None: positions do not say what else was
        shown; every token counts as shown from the first onset to the last offset.

    Returns
    -------
    Hits
        Status ``lost``: no sample of the fixation has a position; ``off``: most of its time lies
        off or past the text and none on a token; ``between``: the same for blanks.
    """
    t = np.asarray(t_ms, dtype=np.float64)
    if t.shape != (len(at),) or (np.diff(t) < 0).any() or not np.isfinite(t).all():
        raise DataError(
            f"{len(at)} places and times of shape {t.shape}; expected a finite time each, in order"
        )
    if method not in METHODS:
        raise ParameterError.unknown("ways to hit by positions", method, METHODS)
    fixation, held = _held_ms(fixations, t)
    inside = np.flatnonzero(fixation >= 0)
    on_line = np.isin(at.status[inside], ("blank", "past_line_end"))
    # Tokens by number, between them n, off the text n + 1: a tie goes to the lower.
    place = np.where(
        at.token[inside] >= 0, at.token[inside], np.where(on_line, n_tokens, n_tokens + 1)
    )
    pair, index = np.unique(fixation[inside] * (n_tokens + 2) + place, return_inverse=True)
    weight = np.bincount(index.reshape(-1), weights=held[inside], minlength=len(pair))
    owner, place = np.divmod(pair, n_tokens + 2)
    n = len(fixations)
    share = weight / np.bincount(owner, weights=weight, minlength=n)[owner]
    best = _best(owner, place, share)
    status = repeated("lost", n)
    status[owner[best]] = np.where(place[best] > n_tokens, "off", "between").astype(object)
    if method == "majority":
        owner, place, share = owner[best], place[best], np.ones(len(best))
    kept = np.flatnonzero(place < n_tokens)
    status[owner[kept]] = "token"
    shown = _exposure(fixations, n_tokens) if exposure_ms is None else np.asarray(exposure_ms)
    return Hits(
        fixation=owner[kept],
        token=place[kept],
        share=share[kept],
        onset_ms=fixations.onset_ms,
        duration_ms=fixations.duration_ms,
        status=status,
        exposure_ms=shown,
    )


def _held_ms(fixations: Events, t_ms: FloatArray) -> tuple[IntArray, FloatArray]:
    """Fixation of each sample (-1: none), and for how long of it the sample holds."""
    found = np.searchsorted(fixations.onset_ms, t_ms, side="right") - 1
    offset = np.append(fixations.offset_ms, -np.inf)[found]
    fixation: IntArray = np.where(t_ms < offset, found, -1)
    # Of samples with one stamp the last counts, the others next to nothing.
    held: FloatArray = np.maximum(np.minimum(sample_end_ms(t_ms), offset) - t_ms, _LEAST_MS)
    return fixation, held


def _best(owner: IntArray, place: IntArray, share: FloatArray) -> IntArray:
    """Row of the largest share of each owner; of equal ones the lowest place."""
    # Rounded, so that times summed along different paths are the tie they are.
    order = np.lexsort((place, -np.round(share, 9), owner))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = np.diff(owner[order]) != 0
    best: IntArray = order[first]
    return best


def _exposure(fixations: Events, n_tokens: int) -> FloatArray:
    if not len(fixations):
        return np.zeros(n_tokens)
    return np.full(n_tokens, float(fixations.offset_ms.max() - fixations.onset_ms[0]))

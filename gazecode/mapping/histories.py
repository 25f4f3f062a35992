"""Positions in a text that was edited meanwhile: to ids that stay, version by version.

`gazecode.source.edits.TokenHistory` is such a history. Fixations are hit on ids; `in_version` makes
of them hits on the tokens of one version, which is what weights are for.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gazecode.mapping.positions import Places, hits_from_places, places
from gazecode.mapping.rows import VisualRows
from gazecode.model import Events, Hits
from gazecode.model.checks import FloatArray, IntArray, repeated

__all__ = ["History", "hits_through", "in_version", "map_through"]


class History(Protocol):
    """Versions of a text, and ids that its tokens keep through them."""

    @property
    def n_ids(self) -> int:
        """How many ids there are."""
        ...

    def at(self, t_ms: npt.ArrayLike, /) -> IntArray:
        """Version in force at each time."""
        ...

    def code(self, version: int, /) -> bytes:
        """Text of a version."""
        ...

    def spans(self, version: int, /) -> IntArray:
        """``(m, 2)`` bytes of its tokens."""
        ...

    def ids(self, version: int, /) -> IntArray:
        """``(m,)`` their ids."""
        ...

    def present_ms(self, onset_ms: float, offset_ms: float, /) -> FloatArray:
        """``(n_ids,)`` how long each id had a token between two times."""
        ...


def map_through(
    history: History,
    t_ms: npt.ArrayLike,
    line: npt.ArrayLike,
    column: npt.ArrayLike,
    *,
    unit: str | npt.ArrayLike,
    tab_width: int = 4,
    rows: VisualRows | None = None,
) -> Places:
    """Id of the token at each line and column, in the version in force.

    Parameters
    ----------
    history
        Of the text the editor showed.
    t_ms
        ``(n,)`` when the editor resolved each position: ``ide_positions(...)["answered_ms"]``
        where there is one, else the sample's own time.
    line, column, unit, tab_width, rows
        As for `gazecode.mapping.positions.map_positions`; `rows` must hold for all versions.

    Returns
    -------
    Places
        `token` holds ids; every position has a status.
    """
    lines, columns = np.asarray(line, dtype=np.int64), np.asarray(column, dtype=np.int64)
    units = np.broadcast_to(np.asarray(unit, dtype=object), lines.shape)
    version = np.broadcast_to(history.at(t_ms), lines.shape)
    token, byte = np.full(len(lines), -1), np.full(len(lines), -1)
    status = repeated("off_text", len(lines))
    order = np.argsort(version, kind="stable")
    borders = np.flatnonzero(np.diff(version[order])) + 1
    for part in np.split(order, borders):
        if not len(part):
            continue
        number = int(version[part[0]])
        at = places(
            history.code(number),
            history.spans(number),
            lines[part],
            columns[part],
            unit=units[part],
            tab_width=tab_width,
            rows=rows,
        )
        token[part] = np.append(history.ids(number), -1)[at.token]
        byte[part], status[part] = at.byte, at.status
    return Places(token=token, byte=byte, status=status)


def hits_through(
    fixations: Events,
    t_ms: npt.ArrayLike,
    line: npt.ArrayLike,
    column: npt.ArrayLike,
    history: History,
    *,
    unit: str | npt.ArrayLike,
    answered_ms: npt.ArrayLike | None = None,
    method: str = "share",
    tab_width: int = 4,
    rows: VisualRows | None = None,
) -> Hits:
    """Which ids fixations fell on; a fixation during which the text changes counts with both texts.

    Parameters
    ----------
    fixations, t_ms, line, column, unit, method, tab_width, rows
        As for `gazecode.mapping.positions.hits_from_positions`.
    history
        Of the text the editor showed; times are the fixations'.
    answered_ms
        ``(n,)`` when the editor resolved each position; None: at `t_ms`.

    Returns
    -------
    Hits
        Its tokens are ids. `exposure_ms` is how long each id was part of the text between the
        first onset and the last offset; what of the text was on the screen is not known here.
    """
    asked = t_ms if answered_ms is None else answered_ms
    at = map_through(history, asked, line, column, unit=unit, tab_width=tab_width, rows=rows)
    exposure = np.zeros(history.n_ids)
    if len(fixations):
        begin, end = float(fixations.onset_ms[0]), float(fixations.offset_ms.max())
        exposure = history.present_ms(begin, end)
    return hits_from_places(
        fixations, t_ms, at, n_tokens=history.n_ids, method=method, exposure_ms=exposure
    )


def in_version(hits: Hits, ids: npt.ArrayLike) -> tuple[Hits, int]:
    """Hits on ids as hits on the tokens of one version, and how many hits that version has not.

    Parameters
    ----------
    hits
        As `hits_through` gives them.
    ids
        ``(m,)`` ids of the version's tokens, in text order (``history.ids(version)``).

    Returns
    -------
    hits
        A fixation on nothing but tokens that the version has not is ``off``.
    left_out
        Hits on such tokens.

    Examples
    --------
    >>> hits = Hits(
    ...     fixation=[0, 1],
    ...     token=[2, 0],
    ...     share=[1, 1],
    ...     onset_ms=[0, 9],
    ...     duration_ms=[5, 5],
    ...     status=["token", "token"],
    ...     exposure_ms=[14, 14, 6],
    ... )
    >>> final, left_out = in_version(hits, [1, 2])
    >>> final.token, final.status, left_out
    (array([1]), array(['token', 'off'], dtype=object), 1)
    """
    known = np.asarray(ids, dtype=np.int64)
    number = np.full(hits.n_tokens, -1)
    number[known] = np.arange(len(known))
    token = number[hits.token]
    kept = np.flatnonzero(token >= 0)
    # Text order is not the order of ids: hits stay sorted by fixation, then token.
    kept = kept[np.lexsort((token[kept], hits.fixation[kept]))]
    status = hits.status.copy()
    status[status == "token"] = "off"
    status[hits.fixation[kept]] = "token"
    version = replace(
        hits,
        fixation=hits.fixation[kept],
        token=token[kept],
        share=hits.share[kept],
        status=status,
        exposure_ms=hits.exposure_ms[known],
        chance=None if hits.chance is None else hits.chance[known],
    )
    return version, len(hits) - len(kept)

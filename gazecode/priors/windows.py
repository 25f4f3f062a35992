"""Runs of one to three tokens along a path: the windows whose n-gram a token weight asks for.

Zhang et al. (EyeMulator) write "greedy matching trigram > bigram > monogram under a line span L"
and leave the rest open. Their published rows fix it: one scan from left to right over the tokens
on the path; at each place the next three are a window if their labels are a known trigram within
L lines, else the next two by bigram, else the one alone; the scan goes on behind the window. With
L = 4 this gives their numbering of windows, token by token, in 267 of 270 rows; three passes over
the tokens (all trigrams, then bigrams, then the rest) give it in far fewer and are kept by name.
"""

from functools import lru_cache
from typing import Literal

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model.checks import BoolArray, IntArray
from gazecode.model.labels import CodeArray
from gazecode.model.priors import LabelPriors
from gazecode.priors.arguments import check_priors
from gazecode.registry import check_values

__all__ = ["MAX_LINE_SPAN", "Matching", "consecutive", "cut_windows"]

Matching = Literal["scan", "passes"]

MAX_LINE_SPAN = 4
"""Lines a window may reach over. No text gives it; inferred from the published rows, where the
largest span is 4 and any larger bound reproduces fewer of them."""


def cut_windows(
    label: CodeArray,
    row: IntArray,
    priors: LabelPriors,
    *,
    source: IntArray | None = None,
    max_line_span: int = MAX_LINE_SPAN,
    matching: Matching = "scan",
) -> IntArray:
    """Cut the tokens on a path into windows of one to three.

    Parameters
    ----------
    label, row
        ``(k,)`` label code and line of each token *on the path*, in text order.
    priors
        Says which label sequences are windows: `LabelPriors.window_table`.
    source
        ``(k,)`` source of each token, ascending; left out: one source. No window crosses sources.
    max_line_span
        Largest difference of lines between the first and the last token of a window.
    matching
        ``"scan"``: from left to right, at each place the longest window there is.
        ``"passes"``: all trigrams from left to right, then bigrams in what is left between them,
        then single tokens; windows are numbered in that order.

    Returns
    -------
    ndarray
        ``(k,)`` number of the window of each token, from 0 in each source. Windows are runs of
        neighbours on the path, disjoint, and cover it.

    Raises
    ------
    ParameterError
        No priors, `max_line_span` no whole number or below 0, or an unknown `matching`.
    DataError
        Columns that differ in length.

    Examples
    --------
    >>> from gazecode.model import LABELS, NgramTable, label_codes
    >>> none = np.zeros(len(LABELS))
    >>> priors = LabelPriors(
    ...     hit=none,
    ...     shown=none,
    ...     theta_null=none,
    ...     ngrams={2: NgramTable(order=2, counts={("loop", "variable"): 9})},
    ... )
    >>> label = label_codes(["loop", "loop", "variable", "loop", "variable"])
    >>> cut_windows(label, np.array([0, 0, 0, 1, 9]), priors)
    array([0, 1, 1, 2, 3])
    """
    check_priors(priors, "cut_windows")
    given = {"max_line_span": max_line_span, "matching": matching}
    check_values(cut_windows, given, name="cut_windows")
    source = np.zeros(len(label), dtype=np.int64) if source is None else source
    if not len(label) == len(row) == len(source):
        raise DataError(
            f"{len(label)} labels, {len(row)} rows, {len(source)} sources; expected equal lengths"
        )
    if max_line_span < 0:
        raise ParameterError(f"max_line_span is {max_line_span}; expected 0 or more")
    fits = {n: _fitting(n, label, row, source, priors, max_line_span) for n in (2, 3)}
    size = np.where(fits[3], 3, np.where(fits[2], 2, 1)).astype(np.int8)
    if matching == "scan":
        return _numbered(_scanned(size), source)
    return _passes(fits[3], fits[2], source)


def consecutive(
    number: IntArray, token: IntArray, labelled: IntArray, label: CodeArray, source: IntArray
) -> tuple[IntArray, CodeArray]:
    """Move windows as the release writes them: to consecutive tokens instead of those on the path.

    A window of n labels covers the n labelled tokens that follow each other from its first token
    on. Tokens on the path left bare by that get windows of their own, numbered after all others.

    Parameters
    ----------
    number, token
        ``(k,)`` what `cut_windows` gave, and the tokens it was given (numbers in the whole batch).
    labelled
        ``(l,)`` all tokens with a label, `token` among them.
    label, source
        ``(m,)`` of every token of the batch.

    Returns
    -------
    tuple of ndarray
        ``(m,)`` window of each token, -1 for none, and ``(m, 3)`` the label codes of that window.
    """
    ngram = np.full(len(label), -1, dtype=np.int64)
    window = np.zeros((len(label), 3), dtype=np.int8)
    if not len(token):
        return ngram, window
    order = np.lexsort((number, source[token]))
    number, token = number[order], token[order]
    first = _first_of_run(number, source[token])
    rank = np.arange(len(token)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    codes = np.zeros((int(first.sum()), 3), dtype=np.int8)
    which = np.cumsum(first) - 1
    codes[which, rank] = label[token]
    # Only from its start to its last label, and never into the next source.
    at = np.searchsorted(labelled, token[first])[which] + rank
    target = labelled[np.minimum(at, len(labelled) - 1)]
    inside = (at < len(labelled)) & (source[target] == source[token])
    ngram[target[inside]] = number[inside]
    window[target[inside]] = codes[which[inside]]
    bare = np.sort(token[ngram[token] < 0])
    used = np.zeros(int(source[-1]) + 1, dtype=np.int64)
    np.maximum.at(used, source[token], number + 1)
    ngram[bare] = used[source[bare]] + _rank_in(source[bare])
    window[bare, 0] = label[bare]
    return ngram, window


def _fitting(  # noqa: PLR0917 - the columns of one table
    n: int, label: CodeArray, row: IntArray, source: IntArray, priors: LabelPriors, span: int
) -> BoolArray:
    """``(k,)`` places where the next `n` tokens may be a window."""
    fits = np.zeros(len(label), dtype=bool)
    k = len(label) - n + 1
    if k <= 0:
        return fits
    near = (source[n - 1 :] == source[:k]) & (row[n - 1 :] - row[:k] <= span)
    fits[:k] = near & _table(priors, n)[tuple(label[i : i + k] for i in range(n))]
    return fits


@lru_cache(maxsize=16)
def _table(priors: LabelPriors, n: int) -> BoolArray:
    # Priors are frozen, and equal only to themselves: a corpus asks for one table again and again.
    return priors.window_table(n)


def _scanned(size: np.ndarray) -> BoolArray:
    """``(k,)`` where windows begin if each is followed by the next: a walk from 0 on."""
    begins = np.zeros(len(size), dtype=bool)
    step, at, places = size.astype(np.uint8).tobytes(), 0, []
    while at < len(step):
        places.append(at)
        at += step[at]
    begins[places] = True
    return begins


def _passes(trigram: BoolArray, bigram: BoolArray, source: IntArray) -> IntArray:
    """Windows of three first, then of two between them, then of one; numbered in that order."""
    three = _scanned(np.where(trigram, 3, 1)) & trigram
    taken = three | _moved(three, 1) | _moved(three, 2)
    free = bigram & ~taken
    free[:-1] &= ~taken[1:]
    two = _scanned(np.where(free, 2, 1)) & free
    paired = two | _moved(two, 1)
    begins = ~(taken | paired) | three | two
    which = np.cumsum(begins) - 1
    n_pass = np.where(three, 0, np.where(two, 1, 2))[begins]
    owner = source[begins]
    order = np.lexsort((np.arange(len(owner)), n_pass, owner))
    number = np.empty(len(owner), dtype=np.int64)
    number[order] = _rank_in(owner[order])
    return number[which] if len(which) else np.empty(0, dtype=np.int64)


def _moved(mask: BoolArray, by: int) -> BoolArray:
    moved = np.zeros_like(mask)
    moved[by:] = mask[:-by]
    return moved


def _numbered(begins: BoolArray, source: IntArray) -> IntArray:
    """Numbers of windows from where they begin, from 0 in each source."""
    number = np.cumsum(begins, dtype=np.int64) - 1
    if not len(number):
        return number
    fresh = np.flatnonzero(_first_of_run(source))
    base: IntArray = np.repeat(number[fresh], np.diff(np.append(fresh, len(number))))
    return number - base


def _rank_in(group: IntArray) -> IntArray:
    """Place of each row within its group; `group` is sorted."""
    if not len(group):
        return np.empty(0, dtype=np.int64)
    fresh = np.flatnonzero(_first_of_run(group))
    return np.arange(len(group)) - np.repeat(fresh, np.diff(np.append(fresh, len(group))))


def _first_of_run(*columns: IntArray) -> BoolArray:
    """Rows in which any column differs from the row before."""
    first = np.ones(len(columns[0]), dtype=bool)
    first[1:] = np.logical_or.reduce([c[1:] != c[:-1] for c in columns])
    return first

"""Transitions between tokens: where the eyes went next, as counts of saccades.

The ``n × n`` counts of saccades between areas of interest (Goldberg & Kotval 1999,
doi:10.1016/S0169-8141(98)00068-7), transitions of a token to itself included. A soft hit spreads a
fixation over several tokens; a saccade between two of them counts for every pair of their tokens
with the product of the shares, so that each saccade counts once. A row divided by its sum says
where the eyes went from there.

Two fixations are successive when no other fixation began between them. `gazecode.priors` counts
pairs of *labels* in the same order, with other rules: a soft fixation is that of one token (largest
share), and by default fixations between tokens and on punctuation are passed over, while those off
the code and lost ones end a run. Here punctuation is a token like any other; every fixation on no
token ends the chain, or, with ``bridge=True``, none does. A pause without a fixation (a blink, a
gap in the data) ends nothing, here as there: `Hits` do not tell of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.model import Hits, Transitions
from gazecode.model.checks import BoolArray, IntArray

__all__ = ["pool_transitions", "transition_account", "transitions"]


def transitions(hits: Hits, *, self_transitions: bool = True, bridge: bool = False) -> Transitions:
    """Count the saccades of one reading from token to token.

    Parameters
    ----------
    hits
        Fixations on ``m`` tokens, hard or soft; their order is that of their onsets.
    self_transitions
        Whether to keep saccades within a token (refixations). Without them rows are divided by
        what is left, so that a token that was only ever fixated again has an empty row.
    bridge
        Whether to pass over fixations on no token (between, off, lost). If not, they end the
        chain: from there the eyes did not come from a token. `transition_account` counts both.

    Returns
    -------
    Transitions
        ``(m, m)``, row to column. Each fixation's shares are brought to sum 1; the cells of a
        saccade are the products of both ends' shares. All cells sum to the number of saccades
        between fixations on tokens; `share` sums to 1 over each row that is not empty.

    Examples
    --------
    Three fixations: on token 0, then on 0 and 1 with equal shares, then on 2.

    >>> hits = Hits(
    ...     fixation=[0, 1, 1, 2],
    ...     token=[0, 0, 1, 2],
    ...     share=[1.0, 0.4, 0.4, 1.0],
    ...     onset_ms=[0, 250, 500],
    ...     duration_ms=[200, 200, 200],
    ...     status=["token"] * 3,
    ...     exposure_ms=[700, 700, 700],
    ... )
    >>> seen = transitions(hits)
    >>> print(np.column_stack([seen.origin, seen.target, seen.count]))
    [[0.  0.  0.5]
     [0.  1.  0.5]
     [0.  2.  0.5]
     [1.  2.  0.5]]
    >>> seen.to_scipy().toarray().round(2)
    array([[0.33, 0.33, 0.33],
           [0.  , 0.  , 1.  ],
           [0.  , 0.  , 0.  ]])
    """
    return _counted(hits, _Chain.of(hits, bridge=bridge), self_transitions=self_transitions)


def transition_account(
    hits: Hits | Iterable[Hits], *, bridge: bool = False
) -> dict[str, int | float | None]:
    """Say which saccades are counted, which are not, and which way they go.

    Parameters
    ----------
    hits
        One reading, or several, which are added up.
    bridge
        As for `transitions`.

    Returns
    -------
    dict
        ``fixations``, ``fixations_on_token``; ``saccades`` (steps from one fixation to the next),
        each either ``saccades_on_tokens`` (both ends on a token) or ``saccades_broken`` (an end on
        no token); ``bridged`` (steps over fixations on no token, 0 unless `bridge`) and
        ``passed_over`` (those fixations); ``transitions``, the sum of all cells: saccades on tokens
        and bridged steps. Of these ``forward`` (to a later token of the text), ``backward`` and
        ``refixation`` (to the same), fractions for soft hits, and each as a share
        (``forward_share``, ...), None where there is no transition.

    Examples
    --------
    >>> hits = Hits(
    ...     fixation=[0, 1, 3, 4],
    ...     token=[0, 2, 1, 1],
    ...     share=[1, 1, 1, 1],
    ...     onset_ms=[0, 250, 500, 750, 1000],
    ...     duration_ms=[200] * 5,
    ...     status=["token", "token", "off", "token", "token"],
    ...     exposure_ms=[1200] * 3,
    ... )
    >>> said = transition_account(hits)
    >>> said["saccades"], said["saccades_on_tokens"], said["saccades_broken"]
    (4, 2, 2)
    >>> said["forward_share"], said["backward_share"], said["refixation_share"]
    (0.5, 0.0, 0.5)
    >>> said = transition_account(hits, bridge=True)
    >>> said["bridged"], said["transitions"], said["backward"]
    (1, 3, 1.0)
    """
    readings = [hits] if isinstance(hits, Hits) else list(hits)
    each = [_account(reading, bridge=bridge) for reading in readings]
    said: dict[str, int | float | None] = {
        name: sum(account[name] for account in each) for name in _COUNTS
    }
    # A sum of products of shares carries rounding: the directions are divided by their own sum.
    total = sum(account[name] for account in each for name in _DIRECTIONS)
    for name in _DIRECTIONS:
        count = sum(account[name] for account in each)
        said[name] = float(count)
        said[f"{name}_share"] = float(count / total) if total else None
    return said


def pool_transitions(
    parts: Sequence[Transitions],
    people: Sequence[str],
    *,
    exposed: Sequence[BoolArray] | None = None,
) -> Transitions:
    """Combine readings of the same tokens so that each person counts once.

    The rule of `gazecode.weighting.pool`: a person's readings are summed and divided by the sum of
    all cells; people are averaged; the mean of their sums brings the unit back. Who made many
    saccades has no louder voice. People without any transition do not count.

    Parameters
    ----------
    parts
        One per reading, all of the same size ``m``.
    people
        Who read, one name per reading.
    exposed
        ``(m,)`` per reading: tokens that were on the screen. A cell is averaged over the people
        to whom both its tokens were shown; left out: everything was shown to everybody.

    Returns
    -------
    Transitions
        `count` is saccades of an average person: with everything shown to everybody the cells sum
        to the mean number of transitions per person. `share` is that of the pooled counts, so each
        row sums to 1; a person who left a token more often has more of its row.

    Raises
    ------
    DataError
        Nothing to pool, not one name (and exposure) per reading, or readings of different sizes.

    Examples
    --------
    >>> slow = Transitions(size=3, origin=[0, 1], target=[1, 0], count=[6.0, 2.0])
    >>> fast = Transitions(size=3, origin=[0, 0], target=[1, 2], count=[1.0, 1.0])
    >>> both = pool_transitions([slow, fast], ["P1", "P2"])
    >>> both.target, both.count
    (array([1, 2, 0]), array([3.125, 1.25 , 0.625]))
    """
    size = _checked(parts, people, exposed)
    names, person = np.unique(np.asarray(people, dtype=str), return_inverse=True)
    who = np.repeat(person, [len(part) for part in parts])
    origin, target, count = (
        np.concatenate([getattr(part, name) for part in parts]) for name in _CELLS
    )
    total = np.bincount(who, weights=count, minlength=len(names))
    signal = total > 0
    shown = _shown(person, len(names), size, exposed)
    used = (count > 0) & shown[who, origin] & shown[who, target]
    cell, inverse = np.unique((origin * size + target)[used], return_inverse=True)
    share = np.bincount(inverse, weights=(count / total[who])[used], minlength=len(cell))
    origin, target = np.divmod(cell, max(size, 1))
    shown_to = sum(
        (mine[origin] & mine[target] for mine in shown[signal]), start=np.zeros(len(cell))
    )
    scale = float(total[signal].mean()) if signal.any() else 0.0
    return Transitions(size=size, origin=origin, target=target, count=share / shown_to * scale)


_COUNTS = (
    *("fixations", "fixations_on_token", "saccades", "saccades_on_tokens", "saccades_broken"),
    *("bridged", "passed_over", "transitions"),
)
_CELLS = ("origin", "target", "count")
_DIRECTIONS = ("forward", "backward", "refixation")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chain:
    """The fixations on tokens in the order of time, and which follow each other.

    `fixation` ``(k,)`` are their numbers; `skipped` ``(k - 1,)`` the fixations on no token between
    each and the next; `linked` ``(k - 1,)`` whether the step between them counts.
    """

    fixation: IntArray
    skipped: IntArray
    linked: BoolArray

    @classmethod
    def of(cls, hits: Hits, *, bridge: bool) -> "_Chain":
        order = np.argsort(hits.onset_ms, kind="stable")
        on_token = np.zeros(hits.n_fixations, dtype=bool)
        on_token[hits.fixation] = True
        on_token &= hits.status == "token"
        place = np.flatnonzero(on_token[order])
        skipped = np.diff(place) - 1
        return cls(
            fixation=order[place],
            skipped=skipped,
            linked=(skipped == 0) | bridge,
        )


def _counted(hits: Hits, chain: _Chain, *, self_transitions: bool) -> Transitions:
    """Fixation × token shares of where saccades start, transposed, times those of where they end.

    That product of sparse matrices is the sum of the outer products, without listing them.
    """
    from scipy.sparse import csr_array

    k = len(chain.fixation)
    row = np.full(hits.n_fixations, -1)
    row[chain.fixation] = np.arange(k)
    used = np.flatnonzero(row[hits.fixation] >= 0)
    at = row[hits.fixation[used]]
    share = hits.share[used] / np.bincount(at, weights=hits.share[used], minlength=k)[at]
    on = csr_array((share, (at, hits.token[used])), shape=(k, hits.n_tokens))
    start = np.flatnonzero(chain.linked)
    table = (on[start].T @ on[start + 1]).tocsr()
    table.sort_indices()
    table.eliminate_zeros()
    origin = np.repeat(np.arange(hits.n_tokens), np.diff(table.indptr))
    columns = [origin, table.indices.astype(np.int64), table.data]
    if not self_transitions:
        columns = [values[origin != table.indices] for values in columns]
    for values in columns:
        values.flags.writeable = False  # Nobody else has them: the type need not copy.
    return Transitions(size=hits.n_tokens, **dict(zip(_CELLS, columns, strict=True)))


def _account(hits: Hits, *, bridge: bool) -> dict[str, int | float]:
    chain = _Chain.of(hits, bridge=bridge)
    seen = _counted(hits, chain, self_transitions=True)
    n, saccades = int((chain.skipped == 0).sum()), max(hits.n_fixations - 1, 0)
    bridged = chain.linked & (chain.skipped > 0)
    step = np.sign(seen.target - seen.origin)
    way = np.bincount(step + 1, weights=seen.count, minlength=3).tolist()
    return {
        "fixations": hits.n_fixations,
        "fixations_on_token": len(chain.fixation),
        "saccades": saccades,
        "saccades_on_tokens": n,
        "saccades_broken": saccades - n,
        "bridged": int(bridged.sum()),
        "passed_over": int(chain.skipped[bridged].sum()),
        "transitions": n + int(bridged.sum()),
        "backward": way[0],
        "refixation": way[1],
        "forward": way[2],
    }


def _shown(
    person: IntArray, n_people: int, size: int, exposed: Sequence[BoolArray] | None
) -> BoolArray:
    """``(people, m)`` tokens that each person was shown in any reading."""
    shown: BoolArray = np.full((n_people, size), exposed is None)
    for who, seen in zip(person, exposed or (), strict=False):
        shown[who] |= seen
    return shown


def _checked(
    parts: Sequence[Transitions], people: Sequence[str], exposed: Sequence[BoolArray] | None
) -> int:
    """The size that all readings have."""
    if not len(parts):
        raise DataError("no readings to pool; expected at least one")
    for what, given in (("names of people", people), ("lists of exposed tokens", exposed)):
        if given is not None and len(given) != len(parts):
            raise DataError(f"{len(parts)} readings and {len(given)} {what}; expected one each")
    size = parts[0].size
    sizes = [part.size for part in parts] + [len(e) for e in exposed or ()]
    for i, found in enumerate(sizes):
        if found != size:
            raise DataError(
                f"reading {i % len(parts)} has {found} tokens, the first has {size}; "
                "pool readings of one source only"
            )
    return size

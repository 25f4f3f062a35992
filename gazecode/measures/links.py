"""Do the eyes follow the code's own links, from a name to where it is defined and back.

A link joins the token that defines an identifier with one that uses it (`SourceTokens.links`). A
saccade follows it towards the use or towards the definition; from one use to another of the same
name it follows none, and is counted apart. What share is much depends on how many pairs of tokens
are linked at all: the result has three answers to that.

* `chance_pairs`: linked pairs among all ordered pairs of exposed tokens; the eyes go anywhere.
* `expected`: every token keeps how often it was left and reached, and where to is independent.
* `chance_shuffled`: the tokens as they were fixated, in random order (seeded), mean and 95 % range.

None of them knows that saccades are short and that a definition often stands near its use: a share
above chance is not yet a reader who follows names.
"""

from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.measures.transitions import transitions
from gazecode.model import Hits, SourceTokens
from gazecode.model.checks import BoolArray, FloatArray, IntArray
from gazecode.model.fixated import largest_shares

__all__ = ["LinkFollowing", "link_following"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFollowing:
    """Saccades of one reading along the links of its source.

    Attributes
    ----------
    steps, moves
        Saccades between fixations on tokens; those of them that change the token. Sums of
        products of shares where hits are soft.
    to_use, to_definition, use_to_use
        Of the moves: from a definition to its use, from a use to its definition, between two uses
        of one definition (which is no link).
    links, pairs
        Linked ordered pairs of exposed tokens, both directions, and all ordered pairs of them.
    expected
        Moves along links if they kept their ends and were otherwise independent.
    shuffled_mean, shuffled_low, shuffled_high
        Share of moves along links when the fixated tokens are put in random order, each fixation
        on its token of the largest share: mean, 2.5 % and 97.5 %; NaN without a move.
    shuffles, seed
        How often, and from which seed.
    """

    steps: float
    moves: float
    to_use: float
    to_definition: float
    use_to_use: float
    links: int
    pairs: int
    expected: float
    shuffled_mean: float
    shuffled_low: float
    shuffled_high: float
    shuffles: int
    seed: int

    @property
    def followed(self) -> float:
        """Saccades along a link, in either direction."""
        return self.to_use + self.to_definition

    @property
    def share_of_steps(self) -> float:
        """`followed` among all saccades between fixations on tokens, refixations included."""
        return self.followed / self.steps if self.steps else float("nan")

    @property
    def share_of_moves(self) -> float:
        """`followed` among saccades from one token to another."""
        return self.followed / self.moves if self.moves else float("nan")

    @property
    def chance_pairs(self) -> float:
        """Share of moves that would follow a link if every pair were as likely."""
        return self.links / self.pairs if self.pairs else float("nan")

    @property
    def chance_expected(self) -> float:
        """Share of moves that would follow a link if ends were kept and independent."""
        return self.expected / self.moves if self.moves else float("nan")


def link_following(
    hits: Hits, tokens: SourceTokens, *, bridge: bool = False, shuffles: int = 200, seed: int = 0
) -> LinkFollowing:
    """Count the saccades along the links between definitions and uses.

    Parameters
    ----------
    hits
        Fixations of one reading, hard or soft.
    tokens
        The source, with `definition`.
    bridge
        As for `transitions`: whether to pass over fixations on no token.
    shuffles, seed
        Random orders behind `chance_shuffled`; 0 for none.

    Raises
    ------
    DataError
        Hits on another source.
    ParameterError
        A negative number of shuffles.

    Examples
    --------
    ``a`` is defined by token 0 and used by token 2.

    >>> tokens = SourceTokens(
    ...     language="java",
    ...     source_id="A",
    ...     code=b"a b a",
    ...     span=[[0, 1], [2, 3], [4, 5]],
    ...     row=[0, 0, 0],
    ...     column=[0, 2, 4],
    ...     kind=["identifier"] * 3,
    ...     path=((),) * 3,
    ...     label=[""] * 3,
    ...     definition=[0, 1, 0],
    ... )
    >>> hits = Hits(
    ...     fixation=[0, 1, 2, 3],
    ...     token=[0, 2, 0, 1],
    ...     share=[1, 1, 1, 1],
    ...     onset_ms=[0, 250, 500, 750],
    ...     duration_ms=[200] * 4,
    ...     status=["token"] * 4,
    ...     exposure_ms=[1000] * 3,
    ... )
    >>> said = link_following(hits, tokens)
    >>> said.to_use, said.to_definition, round(said.share_of_moves, 3)
    (1.0, 1.0, 0.667)
    >>> said.links, said.pairs, round(said.chance_pairs, 3)
    (2, 6, 0.333)
    """
    if hits.n_tokens != len(tokens):
        raise DataError(
            f"the hits are on {hits.n_tokens} tokens, the source has {len(tokens)}; "
            "pass the source they were mapped to"
        )
    if shuffles < 0:
        raise ParameterError(f"shuffles is {shuffles}; expected 0 or more")
    seen = transitions(hits, bridge=bridge)
    a, b, count = seen.origin, seen.target, seen.count
    use, back, same = _kinds(tokens.definition, a, b)
    moves = float(count[a != b].sum())
    mean, low, high = _shuffled(
        hits, tokens.definition, bridge=bridge, shuffles=shuffles, seed=seed
    )
    exposed = hits.exposed
    links = tokens.links
    shown = exposed[links].all(axis=1) if len(links) else np.zeros(0, dtype=bool)
    n = int(exposed.sum())
    return LinkFollowing(
        steps=float(count.sum()),
        moves=moves,
        to_use=float(count[use].sum()),
        to_definition=float(count[back].sum()),
        use_to_use=float(count[same].sum()),
        links=2 * int(shown.sum()),
        pairs=n * (n - 1),
        expected=_expected(links, a, b, count, size=len(tokens)),
        shuffled_mean=mean,
        shuffled_low=low,
        shuffled_high=high,
        shuffles=shuffles,
        seed=seed,
    )


def _kinds(
    definition: IntArray, a: IntArray, b: IntArray
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Steps to a use, to a definition, and between uses of one definition."""
    moved = a != b
    use = moved & (definition[b] == a)
    back = moved & (definition[a] == b)
    return use, back, moved & (definition[a] >= 0) & (definition[a] == definition[b]) & ~use & ~back


def _expected(links: IntArray, a: IntArray, b: IntArray, count: FloatArray, *, size: int) -> float:
    """Sum over linked pairs of moves out of the one times moves into the other, over all moves.

    Moves from a token to itself are none, so that what independence would put there is spread over
    the rest in proportion.
    """
    moved = a != b
    out = np.bincount(a[moved], weights=count[moved], minlength=size)
    into = np.bincount(b[moved], weights=count[moved], minlength=size)
    total = float(out.sum())
    free = total * total - float(out @ into)
    if not len(links) or free <= 0:
        return 0.0
    d, u = links.T
    return total * float((out[d] * into[u] + out[u] * into[d]).sum()) / free


def _shuffled(
    hits: Hits, definition: IntArray, *, bridge: bool, shuffles: int, seed: int
) -> tuple[float, float, float]:
    """Share of moves along links over random orders of the fixated tokens: mean and 95 % range."""
    rows = largest_shares(hits.fixation, hits.token, hits.share)
    rows = rows[hits.status[hits.fixation[rows]] == "token"]
    on = np.full(hits.n_fixations, -1)
    on[hits.fixation[rows]] = hits.token[rows]
    on = on[np.argsort(hits.onset_ms, kind="stable")]
    at = np.flatnonzero(on >= 0)
    linked = (np.diff(at) == 1) | bridge
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(shuffles):
        path = rng.permutation(on[at])
        a, b = path[:-1][linked], path[1:][linked]
        use, back, _ = _kinds(definition, a, b)
        moves = int((a != b).sum())
        if moves:
            shares.append(float((use | back).sum()) / moves)
    if not shares:
        return float("nan"), float("nan"), float("nan")
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(np.mean(shares)), float(low), float(high)

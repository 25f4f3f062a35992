"""What is known of where people look, by semantic label: the numbers paths and weights ask for.

Making, merging, loading and saving priors is the business of ``gazecode.priors``, whose `Priors`
is this type with those verbs.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gazecode.errors import DataError, GazecodeWarning, ParameterError
from gazecode.model.checks import BoolArray, FloatArray, IntArray, column
from gazecode.model.labels import LABELS, N_LABELS, label_codes

__all__ = ["MIN_SHIFTS", "LabelPriors", "NgramTable"]

MIN_SHIFTS = 200
"""Circular shifts that chance is computed from, at least: with fewer it is itself up to chance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NgramTable:
    """Counts of label sequences of one length.

    Attributes
    ----------
    order
        Labels in a key: 1, 2 or 3.
    counts
        Key to count; every key is a tuple of `order` labels.
    is_sorted
        Whether keys were sorted before counting: the direction is lost then, and a lookup sorts.
        Such tables (the published ones) never hold a label twice in a row: a lookup of a sequence
        that repeats a label gives 0 and warns (`gazecode.errors.GazecodeWarning`).

    Examples
    --------
    >>> table = NgramTable(order=2, counts={("loop", "variable"): 7}, is_sorted=True)
    >>> table["variable", "loop"], int(table.dense()[18, 13])
    (7, 7)
    """

    order: int
    counts: Mapping[tuple[str, ...], int]
    is_sorted: bool = False

    def __post_init__(self) -> None:
        for key, count in self.counts.items():
            if len(key) != self.order:
                raise DataError(f"{key} has {len(key)} labels; expected {self.order}")
            label_codes(key)
            if self.is_sorted and list(key) != sorted(key):
                raise DataError(f"{key} is not sorted, the table says that its keys are")
            if count < 0:
                raise DataError(f"{key} is counted {count} times; expected 0 or more")

    def __getitem__(self, key: tuple[str, ...]) -> int:
        """Count of a sequence; 0 for one never seen."""
        if not self.is_sorted:
            return self.counts.get(key, 0)
        if len(set(key)) < len(key):
            warnings.warn(
                f"{key} repeats a label, which the sorted table was never counted for; taken as 0",
                GazecodeWarning,
                stacklevel=2,
            )
        return self.counts.get(tuple(sorted(key)), 0)

    def dense(self) -> IntArray:
        """Counts as an array of shape ``(N_LABELS,) * order``, indexed by label codes.

        A sorted table gives every order of a key the key's count.
        """
        array: IntArray = np.zeros((N_LABELS,) * self.order, dtype=np.int64)
        for key, count in self.counts.items():
            array[tuple(label_codes(key))] = count
        if not self.is_sorted:
            return array
        # LABELS is in alphabetical order, so sorting labels is sorting their codes.
        every = np.indices(array.shape).reshape(self.order, -1)
        turned: IntArray = array[tuple(np.sort(every, axis=0))].reshape(array.shape)
        return turned


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelPriors:
    """Beta posteriors per label, and how often labels follow each other.

    Every array has one entry per label code of `gazecode.model.LABELS`; entry 0 (no label) is
    never used. One trial of a Beta is one participant × reading × token that was on the screen for
    at least `min_exposure_ms`; a success is at least one fixation on it.

    Attributes
    ----------
    hit, shown
        ``(N_LABELS,)`` successes and trials. ``alpha = hit + 1``, ``beta = shown - hit + 1``.
    theta_null
        ``(N_LABELS,)`` what gaze at chance gives: the mean share of circular shifts of a trial's
        gaze over its code area in which a token was hit. NaN where nobody computed it.
    ngrams
        Tables of order 1, 2 and 3.
    vocabulary
        Label sequences of two and three that a window of a path may have; empty: those counted.
    sources
        Sources (their SHA-256) whose gaze is in the counts: never to be tested on.
    source_groups
        Digests of the tokens of these sources (`gazecode.model.groups`), as far as they are known:
        a copy that was laid out anew has the same.
    n_people
        How many people were counted; 0 where the file does not say.
    name
        What the priors are called in outputs.
    """

    hit: FloatArray
    shown: FloatArray
    theta_null: FloatArray
    ngrams: Mapping[int, NgramTable]
    vocabulary: frozenset[tuple[str, ...]] = frozenset()
    sources: tuple[str, ...] = ()
    source_groups: tuple[str, ...] = ()
    n_people: int = 0
    name: str = ""
    details: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("hit", "shown", "theta_null"):
            values = column(self, name, np.float64)
            if len(values) != N_LABELS:
                raise DataError(f"{name} has {len(values)} entries; expected {N_LABELS}")
        bad = np.flatnonzero(~((self.hit >= 0) & (self.hit <= self.shown)))
        if bad.size:
            i = int(bad[0])
            raise DataError(
                f"{LABELS[i]!r}: hit {self.hit[i]} of {self.shown[i]}; expected 0 <= hit <= shown"
            )

    @property
    def prior_sources(self) -> tuple[str, ...]:
        """What an example must not be: SHA-256 of every source, and digests of their tokens."""
        return tuple(sorted({*self.sources, *self.source_groups}))

    @property
    def known(self) -> BoolArray:
        """``(N_LABELS,)`` labels with at least one trial."""
        return np.asarray(self.shown > 0)

    @property
    def alpha(self) -> FloatArray:
        """``(N_LABELS,)`` first parameter of the Beta posterior."""
        return np.asarray(self.hit + 1.0)

    @property
    def beta(self) -> FloatArray:
        """``(N_LABELS,)`` second parameter of the Beta posterior."""
        return np.asarray(self.shown - self.hit + 1.0)

    @property
    def theta(self) -> FloatArray:
        """``(N_LABELS,)`` posterior means; 0 for a label without a trial."""
        return np.where(self.known, self.alpha / (self.alpha + self.beta), 0.0)

    @property
    def theta_sd(self) -> FloatArray:
        """``(N_LABELS,)`` posterior standard deviations of the plain Beta; NaN without a trial."""
        a, b = self.alpha, self.beta
        return np.where(self.known, np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))), np.nan)

    @property
    def aggregate(self) -> tuple[float, float]:
        """Alpha and beta summed over the labels with a trial: the density of a whole path."""
        return float(self.alpha[self.known].sum()), float(self.beta[self.known].sum())

    @property
    def enrichment(self) -> FloatArray:
        """``(N_LABELS,)`` logit theta - logit theta_null: above 0, people look more than chance."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return _logit(np.where(self.known, self.theta, np.nan)) - _logit(self.theta_null)

    def salience(self, label: str) -> float:
        """Posterior mean of one label; 0.0 for a label without a trial.

        Raises
        ------
        ParameterError
            Not a label.
        """
        if label not in LABELS[1:]:
            raise ParameterError.unknown("labels", label, LABELS[1:])
        return float(self.theta[LABELS.index(label)])

    def frequency(self, labels: tuple[str, ...]) -> int:
        """How often a sequence of one to three labels was counted; 0 for one never seen."""
        if len(labels) not in self.ngrams:
            return 0
        return self.ngrams[len(labels)][labels]

    def transitions(self, smoothing: float = 1.0) -> FloatArray:
        """Probability that gaze goes from one label to another, ``P(column | row)``.

        Parameters
        ----------
        smoothing
            Added to the count of each of the 19 x 19 transitions. With 0, the row of a label that
            nobody ever left is NaN.

        Returns
        -------
        FloatArray
            ``(N_LABELS, N_LABELS)`` by label codes; rows 1 to 19 sum to 1, row and column 0 (no
            label) are 0.

        Raises
        ------
        DataError
            The table is sorted, or there is none: the direction is not known.
        ParameterError
            A negative smoothing.

        Examples
        --------
        >>> pairs = NgramTable(order=2, counts={("loop", "variable"): 3})
        >>> zeros = np.zeros(N_LABELS)
        >>> pri = LabelPriors(hit=zeros, shown=zeros, theta_null=zeros, ngrams={2: pairs})
        >>> float(pri.transitions()[13, 18].round(4)), float(pri.transitions().sum().round(9))
        (0.1818, 19.0)
        """
        if not 0 <= smoothing < np.inf:
            raise ParameterError(f"smoothing is {smoothing}; expected a finite number >= 0")
        pairs = self.ngrams.get(2)
        if pairs is None or pairs.is_sorted:
            found = "there are no counts of pairs" if pairs is None else "pairs were sorted"
            raise DataError(
                f"{found}: which label followed which is not known; fit priors on recordings"
            )
        table = np.zeros((N_LABELS, N_LABELS))
        table[1:, 1:] = pairs.dense()[1:, 1:] + smoothing
        total = table.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            table[1:, 1:] = table[1:, 1:] / total[1:]
        return table

    def window_table(self, order: int) -> BoolArray:
        """Which sequences a window may have, ``(N_LABELS,) * order``, indexed by label codes."""
        wanted = [key for key in self.vocabulary if len(key) == order]
        if self.vocabulary:
            table: BoolArray = np.zeros((N_LABELS,) * order, dtype=bool)
            for key in wanted:
                table[tuple(label_codes(key))] = True
            return table
        counted = self.ngrams.get(order)
        if counted is None:
            return np.zeros((N_LABELS,) * order, dtype=bool)
        return np.asarray(counted.dense() > 0)


def _logit(p: FloatArray) -> FloatArray:
    return np.asarray(np.log(p) - np.log1p(-p))

"""What a program may know of people and of code: learnt from others, never from whom it predicts.

``E[theta]`` of a semantic label is the posterior mean of a Beta(1, 1) over readings × exposed
tokens, a success being that a token was looked at at all (Zhang et al., doi:10.1145/3643732;
validity 6). It is not a claim that a label draws the eye: labels differ in length and place.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from gazecode.agreement.programs.observed import Observed
from gazecode.model.checks import FloatArray, IntArray

__all__ = ["Known", "Tally", "learn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What readings of other files by other people say.

    Attributes
    ----------
    theta
        Label to the share of exposed tokens that were looked at: (looked + 1) / (shown + 2).
    mean_theta
        The same over all tokens: for labels that nobody met. 0.5 where nothing was learnt.
    frequency
        Text of a token to how often it occurs in the files learnt from; each file counts once.
    n_people, n_files, n_readings
        Learnt from; people who were shown nothing do not count.

    Examples
    --------
    >>> Known().mean_theta, Known(theta={"loop": 0.7}).theta["loop"]
    (0.5, 0.7)
    """

    theta: Mapping[str, float] = field(default_factory=dict)
    mean_theta: float = 0.5
    frequency: Mapping[str, int] = field(default_factory=dict)
    n_people: int = 0
    n_files: int = 0
    n_readings: int = 0

    def __post_init__(self) -> None:
        for name in ("theta", "frequency"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def n_tokens(self) -> int:
        """Tokens in the files learnt from."""
        return sum(self.frequency.values())


def learn(observed: Iterable[Observed]) -> Known:
    """What readings say of labels and of the texts of tokens.

    Parameters
    ----------
    observed
        Readings; of several on one file by one person each is a trial of its own.

    Returns
    -------
    Known

    Examples
    --------
    >>> from gazecode.source import parse
    >>> tokens = parse("int x;", "java")
    >>> known = learn([Observed(person="P1", source="a", tokens=tokens, value=[0, 210, 0])])
    >>> known.frequency["x"], known.n_people, known.mean_theta
    (1, 1, 0.4)
    """
    tally = Tally.of(list(observed))
    return tally.known(np.ones(len(tally.readings), dtype=bool))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Readings counted once, so that what any part of them says is one sum.

    Attributes
    ----------
    readings
        ``r`` of them.
    labels, texts
        All there are; the numbers below stand for them.
    looked, shown
        ``(r, labels)`` tokens looked at, and tokens exposed.
    files
        Number of the file of each reading, ``(r,)``.
    text, count
        Per file, the numbers of its texts and how often each occurs.
    """

    readings: Sequence[Observed]
    labels: tuple[str, ...]
    texts: tuple[str, ...]
    looked: IntArray
    shown: IntArray
    files: IntArray
    text: tuple[IntArray, ...]
    count: tuple[IntArray, ...]

    @classmethod
    def of(cls, readings: Sequence[Observed]) -> "Tally":
        """Count."""
        sources = {reading.source: reading.tokens for reading in readings}
        place = {name: i for i, name in enumerate(sources)}
        labels = tuple(sorted({label for t in sources.values() for label in t.label}))
        words = [Counter(tokens.texts) for tokens in sources.values()]
        texts = tuple(sorted(set().union(*words)))
        text_code = {text: i for i, text in enumerate(texts)}
        code = {label: i for i, label in enumerate(labels)}
        label_of = {
            name: np.array([code[label] for label in tokens.label], dtype=np.int64)
            for name, tokens in sources.items()
        }
        looked = np.zeros((len(readings), len(labels)), dtype=np.int64)
        shown = np.zeros_like(looked)
        for row, reading in enumerate(readings):
            label, seen = label_of[reading.source], ~np.isnan(reading.value)
            shown[row] = np.bincount(label[seen], minlength=len(labels))
            looked[row] = np.bincount(label[reading.value > 0], minlength=len(labels))
        return cls(
            readings=readings,
            labels=labels,
            texts=texts,
            looked=looked,
            shown=shown,
            files=np.array([place[reading.source] for reading in readings], dtype=np.int64),
            text=tuple(np.array([text_code[t] for t in c], dtype=np.int64) for c in words),
            count=tuple(np.array(list(c.values()), dtype=np.int64) for c in words),
        )

    def known(self, used: Sequence[bool] | np.ndarray) -> Known:
        """What some of the readings say; ``used`` is ``(r,)``."""
        rows = np.flatnonzero(used)
        if not rows.size:
            return Known()
        looked, shown = self.looked[rows].sum(axis=0), self.shown[rows].sum(axis=0)
        met = np.flatnonzero(shown)
        theta = _posterior(looked[met], shown[met]).tolist()
        files = np.unique(self.files[rows]).tolist()
        total = np.zeros(len(self.texts), dtype=np.int64)
        for file in files:
            total[self.text[file]] += self.count[file]
        there = np.flatnonzero(total)
        return Known(
            theta=dict(zip([self.labels[i] for i in met], theta, strict=True)),
            mean_theta=float(_posterior(looked.sum(), shown.sum())),
            frequency=dict(zip([self.texts[i] for i in there], total[there].tolist(), strict=True)),
            n_people=len({self.readings[i].person for i in rows.tolist() if self.shown[i].any()}),
            n_files=len(files),
            n_readings=len(rows),
        )


def _posterior(looked: IntArray, shown: IntArray) -> FloatArray:
    return np.asarray((looked + 1.0) / (shown + 2.0))

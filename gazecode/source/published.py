"""Published rows of labelled tokens: read them, align ours with theirs, measure, fit a name table.

The rows are those of EyeMulator (Zhang et al.; ``dataset_sample/*.jsonl`` of its repository,
CC-BY-4.0: whoever passes on a table fitted to them names them). They keep no offsets and another
order (arguments before the callee), so that ours are aligned with theirs by text.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import IntArray
from gazecode.model.released import SEMANTIC_IDS
from gazecode.source.compat import NameTable
from gazecode.source.parsing import parse
from gazecode.source.roles import EXTERNAL
from gazecode.source.stream import TokenStream, published_stream

__all__ = [
    "LabelAgreement",
    "PublishedRow",
    "align_texts",
    "fit_name_table",
    "label_agreement",
    "read_rows",
]

_CALL = "function call"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One published source: its code, its tokens and their labels."""

    code: str
    tokens: tuple[str, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.labels):
            raise DataError(f"a row has {len(self.tokens)} tokens and {len(self.labels)} labels")


def read_rows(paths: Iterable[str | os.PathLike[str]]) -> list[PublishedRow]:
    """Read published rows (JSON lines with code, code_tokens and semantic_token_sequence).

    Raises
    ------
    DataError
        A line is not such a row, or has an id that no label belongs to.
    """
    return [
        _row(line, f"{Path(path).name}, line {number}")
        for path in paths
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1)
        if line.strip()
    ]


def _row(line: str, where: str) -> PublishedRow:
    try:
        row = json.loads(line)
        labels = tuple(SEMANTIC_IDS[number] for number in row["semantic_token_sequence"])
        return PublishedRow(code=row["code"], tokens=tuple(row["code_tokens"]), labels=labels)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where}: not a published row ({error!r}); expected code, code_tokens and "
            "semantic_token_sequence with ids of 0 to 20"
        ) from error


def align_texts(ours: Sequence[str], theirs: Sequence[str]) -> IntArray:
    """Pair equal texts: the longest common subsequence, then what is left over, in order.

    Returns
    -------
    ``(p, 2)`` places in `ours` and `theirs`, in the order of `ours`.

    Examples
    --------
    >>> align_texts(["f", "(", "a", "b"], ["a", "f", "b"]).tolist()
    [[0, 1], [2, 0], [3, 2]]
    """
    numbers = {text: number for number, text in enumerate({*ours, *theirs})}
    a = np.array([numbers[text] for text in ours], dtype=np.int64)
    b = np.array([numbers[text] for text in theirs], dtype=np.int64)
    pairs = _common_subsequence(a, b)
    free_a = np.setdiff1d(np.arange(len(a)), [i for i, _ in pairs])
    free_b = np.setdiff1d(np.arange(len(b)), [j for _, j in pairs])
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    for j in free_b[::-1].tolist():
        waiting[int(b[j])].append(j)
    pairs += [(i, waiting[int(a[i])].pop()) for i in free_a.tolist() if waiting[int(a[i])]]
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _common_subsequence(a: IntArray, b: IntArray) -> list[tuple[int, int]]:
    # length[i, j]: of the rests a[i:] and b[j:]; a row at a time, the running maximum being the
    # only thing that goes along it.
    length = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    for i in range(len(a) - 1, -1, -1):
        row = np.maximum(length[i + 1, :-1], length[i + 1, 1:] + (b == a[i]))
        length[i, :-1] = np.maximum.accumulate(row[::-1])[::-1]
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif length[i + 1, j] >= length[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """Labels of aligned tokens, published against ours.

    Attributes
    ----------
    mode
        "strict", or "compat" where a name table was used.
    pairs
        How often a published label met one of ours.
    n_rows, n_published, n_ours
        Sources, tokens of the published rows, tokens of our streams.
    n_same_tokens
        Tokens that both have, wherever they stand.
    """

    mode: str
    pairs: Counter[tuple[str, str]]
    n_rows: int
    n_published: int
    n_ours: int
    n_same_tokens: int

    @property
    def n_aligned(self) -> int:
        """How many tokens have a partner."""
        return self.pairs.total()

    @property
    def agreement(self) -> float:
        """Share of aligned tokens with the same label."""
        return self._share(lambda label: label)

    @property
    def merged(self) -> float:
        """The same, with function call and externally defined counted as one label."""
        return self._share(lambda label: _CALL if label == EXTERNAL else label)

    def _share(self, merge: Callable[[str], str]) -> float:
        same = sum(n for (a, b), n in self.pairs.items() if merge(a) == merge(b))
        return same / self.n_aligned if self.n_aligned else float("nan")

    def per_label(self) -> list[tuple[str, int, float, float]]:
        """Published label, how many, recall and precision of ours; the most frequent first."""
        published, ours = Counter[str](), Counter[str]()
        for (theirs, own), n in self.pairs.items():
            published[theirs] += n
            ours[own] += n
        hits = {label: self.pairs[label, label] for label in {*published, *ours}}
        return [
            (
                label,
                published[label],
                hits[label] / published[label] if published[label] else float("nan"),
                hits[label] / ours[label] if ours[label] else float("nan"),
            )
            for label in sorted(hits, key=lambda name: (-published[name], name))
        ]

    def to_markdown(self) -> str:
        """The table of `per_label` as Markdown."""
        lines = ["| label | n | recall | precision |", "|---|---|---|---|"]
        lines += [
            f"| {label or '(none)'} | {n} | {recall:.3f} | {precision:.3f} |"
            for label, n, recall, precision in self.per_label()
        ]
        return "\n".join(lines)


def label_agreement(
    rows: Sequence[PublishedRow], *, compat: NameTable | None = None, language: str = "java"
) -> LabelAgreement:
    """Compare our labels with those of published rows."""
    pairs: Counter[tuple[str, str]] = Counter()
    n_ours = n_same = 0
    for row in rows:
        stream = _stream(row, language, compat)
        ours, theirs = _comparable(stream.text), _comparable(row.tokens)
        aligned = align_texts(ours, theirs)
        pairs.update((row.labels[j], str(stream.label[i])) for i, j in aligned.tolist())
        n_ours += len(stream)
        n_same += (Counter(ours) & Counter(theirs)).total()
    return LabelAgreement(
        mode="strict" if compat is None else "compat",
        pairs=pairs,
        n_rows=len(rows),
        n_published=sum(len(row.tokens) for row in rows),
        n_ours=n_ours,
        n_same_tokens=n_same,
    )


def fit_name_table(rows: Sequence[PublishedRow], *, language: str = "java") -> dict[str, str]:
    """Fit a table of names to published rows: what each name is mostly labelled.

    Only names that the strict rules leave to such a table count: callees, and names declared
    elsewhere, where the rows label them *function call* or *externally defined variable or
    function*. The rows of EyeMulator are CC-BY-4.0 (Zhang et al.,
    github.com/CoderDoge1108/EyeMulator): name them wherever the table goes.

    Returns
    -------
    Label by name, sorted by name; of two labels equally often given to a name, the strict one of a
    callee.
    """
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        stream = _stream(row, language, None)
        aligned = align_texts(_comparable(stream.text), _comparable(row.tokens))
        for i, j in aligned.tolist():
            if {str(stream.label[i]), row.labels[j]} <= {_CALL, EXTERNAL}:
                votes[str(stream.text[i])][row.labels[j]] += 1
    return {
        name: _CALL if count[_CALL] >= count[EXTERNAL] else EXTERNAL
        for name, count in sorted(votes.items())
    }


def _stream(row: PublishedRow, language: str, compat: NameTable | None) -> TokenStream:
    return published_stream(parse(row.code, language, compat=compat), null="nan")


def _comparable(texts: Iterable[str]) -> list[str]:
    """Without blanks: the rows have run them together."""
    return ["".join(text.split()) for text in texts]

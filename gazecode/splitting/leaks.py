"""What crosses from one part of a split into another."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gazecode.model import Example
from gazecode.splitting.duplicates import SIMILARITY, checked, near_duplicates
from gazecode.splitting.split import held_out

__all__ = ["Leak", "find_leaks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One thing that more than one part knows.

    Attributes
    ----------
    kind
        ``participant``, ``source`` (group or bytes), ``near duplicate`` or ``prior source``.
    name
        The participant, the source, or an example of the cluster.
    parts
        The parts it occurs in, in the order given.
    n_examples
        How many examples it touches.
    """

    kind: str
    name: str
    parts: tuple[str, ...]
    n_examples: int

    def __str__(self) -> str:
        return f"{self.kind} {self.name} is in {' and '.join(self.parts)} ({self.n_examples} rows)"


@dataclass
class _Seen:
    """Parts that hold a thing, and how many examples do."""

    parts: dict[str, None] = field(default_factory=dict)
    n_examples: int = 0

    def add(self, part: str) -> None:
        self.parts[part] = None
        self.n_examples += 1


def find_leaks(
    parts: Mapping[str, Iterable[Example]],
    by: str = "both",
    *,
    test: Iterable[str] | None = None,
    similarity: float = SIMILARITY,
) -> list[Leak]:
    """Find what crosses between the parts of a split.

    Parameters
    ----------
    parts
        Name to examples, each run through once.
    by
        What the split holds out: ``"source"``, ``"participant"`` or ``"both"``; people may cross a
        split by source.
    test
        Parts that no prior's source may be in; by default every part but the first.

    Returns
    -------
    list of Leak
        Participants first, then sources, near duplicates and prior's sources; empty for an honest
        split. Copies are found in the text itself, whatever the group columns say.
    """
    by = held_out(by)
    things: dict[tuple[str, str], _Seen] = {}
    rows: list[tuple[str, str]] = []
    prior_sources: set[str] = set()
    of_source: dict[tuple[str, str], _Seen] = {}

    def noted() -> Iterator[Example]:
        for part, examples in parts.items():
            for example in checked(examples):
                for key in _keys(example, by):
                    things.setdefault(key, _Seen()).add(part)
                prior_sources.update(example.prior_sources)
                source = (example.source_sha256, example.source_group)
                of_source.setdefault(source, _Seen()).add(part)
                rows.append((part, example.example_id))
                yield example

    clusters = near_duplicates(noted(), similarity)
    leaks = [
        Leak(kind=kind, name=name, parts=tuple(seen.parts), n_examples=seen.n_examples)
        for (kind, name), seen in things.items()
        if len(seen.parts) > 1
    ]
    if by != "participant":
        leaks += _copies(clusters.tolist(), rows)
    leaks += _of_priors(of_source, prior_sources, set(list(parts)[1:] if test is None else test))
    return sorted(leaks, key=lambda leak: (_ORDER.index(leak.kind), leak.name))


_ORDER = ("participant", "source", "near duplicate", "prior source")


def _keys(example: Example, by: str) -> Iterator[tuple[str, str]]:
    person = example.participant_group or example.participant
    if person and by != "source":
        yield "participant", person
    if by != "participant" and (example.source_group or example.source_sha256):
        yield "source", example.source_group or example.source_sha256


def _of_priors(
    of_source: Mapping[tuple[str, str], _Seen], prior_sources: set[str], tested: set[str]
) -> list[Leak]:
    """Sources of a prior in a part that is tested on: the same bytes, or the same tokens."""
    found: dict[str, _Seen] = {}
    for digests, seen in of_source.items():
        name = next((d for d in digests if d and d in prior_sources), "")
        if name and tested & seen.parts.keys():
            mine = found.setdefault(name, _Seen())
            mine.parts |= {part: None for part in seen.parts if part in tested}
            mine.n_examples += seen.n_examples
    return [
        Leak(kind="prior source", name=name, parts=tuple(seen.parts), n_examples=seen.n_examples)
        for name, seen in found.items()
    ]


def _copies(clusters: list[int], rows: list[tuple[str, str]]) -> list[Leak]:
    seen: dict[int, _Seen] = {}
    name: dict[int, str] = {}
    for number, (part, example_id) in zip(clusters, rows, strict=True):
        seen.setdefault(number, _Seen()).add(part)
        name.setdefault(number, example_id)
    return [
        Leak(
            kind="near duplicate",
            name=f"of {name[c]}",
            parts=tuple(s.parts),
            n_examples=s.n_examples,
        )
        for c, s in seen.items()
        if len(s.parts) > 1
    ]

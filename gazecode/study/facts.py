"""What weights files hold, counted in one pass: memory does not grow with their rows."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.disk import sha256_of
from gazecode.errors import DataError, SchemaError
from gazecode.export import inputs_digest, open_stored
from gazecode.export.lists import flat_values
from gazecode.export.metadata import load
from gazecode.export.rows import refuse_uneven
from gazecode.model.checks import FloatArray, IntArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Distinct", "Spread", "WeightsFacts", "count_weights"]

UintArray = npt.NDArray[np.uint64]

MOST_DISTINCT = 2_000_000
"""Different names that are told apart; beyond it a count is "at least"."""
WITHHELD = ("min_people", "sources", "sources_withheld", "tokens_withheld")
"""What a shared file says was taken out of it."""
MERGE_AT = 2**17
BINS = 1000


@dataclass(slots=True)
class Distinct:
    """How many different texts there are, in bounded memory: 8 bytes of a digest for each.

    >>> names = Distinct()
    >>> names.add(["a", "b", "a", ""])
    >>> str(names)
    '2'
    """

    most: int = MOST_DISTINCT
    _marks: UintArray = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    _waiting: list[UintArray] = field(default_factory=list)
    _more: bool = False

    def add(self, texts: Iterable[str]) -> None:
        """Count these; the empty text is nobody's."""
        raw = b"".join(_mark(text) for text in set(texts) - {""})
        self._waiting.append(np.frombuffer(raw, dtype="<u8").astype(np.uint64))
        # Not at every call: a merge goes over all that is known.
        if sum(map(len, self._waiting)) > MERGE_AT:
            self._merge()

    def _merge(self) -> None:
        known = np.unique(np.concatenate([self._marks, *self._waiting]))
        self._waiting.clear()
        self._more |= len(known) > self.most
        self._marks = known[: self.most]

    def __len__(self) -> int:
        self._merge()
        return len(self._marks)

    def __str__(self) -> str:
        n = len(self)
        return f"{'at least ' if self._more else ''}{n}"


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


@dataclass(slots=True)
class Spread:
    """Quantiles of shares in 0..1, to a thousandth, in bounded memory."""

    counts: IntArray = field(default_factory=lambda: np.zeros(BINS + 1, dtype=np.int64))

    def add(self, shares: FloatArray) -> None:
        """Count these."""
        bins = np.clip(np.round(shares * BINS), 0, BINS).astype(np.int64)
        # What is not 0 or 1 must never read so.
        bins[(bins == 0) & (shares > 0)] = 1
        bins[(bins == BINS) & (shares < 1)] = BINS - 1
        self.counts += np.bincount(bins, minlength=BINS + 1)

    def __len__(self) -> int:
        return int(self.counts.sum())

    def quantile(self, q: float) -> float:
        """The least share that a part `q` of them does not exceed."""
        rank = max(1, int(np.ceil(q * len(self))))
        return float(np.searchsorted(np.cumsum(self.counts), rank)) / BINS


@dataclass(slots=True, kw_only=True)
class WeightsFacts:
    """Counts over the rows of some weights files, and what the files say of themselves.

    Attributes
    ----------
    said
        Metadata of the first file; `inputs_sha256` over all of them.
    files
        ``(name, container, SHA-256)`` of each.
    """

    said: dict[str, Any] = field(default_factory=dict)
    files: list[tuple[str, str, str]] = field(default_factory=list)
    n: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    sources: Distinct = field(default_factory=Distinct)
    people: Distinct = field(default_factory=Distinct)
    groups: Distinct = field(default_factory=Distinct)
    prior_sources: Distinct = field(default_factory=Distinct)
    reach: Spread = field(default_factory=Spread)
    people_per_row: tuple[int, int] = (0, 0)
    saccades: float = 0.0


def count_weights(files: Sequence[Path]) -> WeightsFacts:
    """Read weights files of any container once, batch by batch.

    Files of one name in one folder are the same rows in several containers; the first counts.

    Raises
    ------
    SchemaError
        No file, one that breaks the schema, or files that another tokenizer made.
    """
    if not files:
        raise SchemaError("no weights file; name one, or a folder of them")
    facts = WeightsFacts()
    inputs: dict[str, str] = {}
    seen: set[Path] = set()
    for path in files:
        stored = open_stored(path)
        stored.check()
        said = load(stored.metadata, name=path.name)
        _check_said(said, path.name)
        facts.said = facts.said or said
        if said.get("tokenizer_sha256") != facts.said.get("tokenizer_sha256"):
            raise SchemaError(
                f"{path.name} and {files[0].name} were made with different tokenizers; "
                "make a card for each"
            )
        inputs[path.name] = str(said.get("inputs_sha256", ""))
        facts.files.append((path.name, stored.container, sha256_of(path)))
        if path.with_suffix("") in seen:
            continue
        seen.add(path.with_suffix(""))
        for batch in stored.batches():
            _check(batch, path.name)
            _add(facts, batch)
    facts.files.sort()
    if len(set(inputs.values())) > 1:
        facts.said = facts.said | {"inputs_sha256": inputs_digest(inputs)}
    return facts


def _check_said(said: Mapping[str, Any], name: str) -> None:
    """Refuse metadata that a card cannot read; other programs write files, too."""
    parameters = said.get("parameters", {})
    objects = {key: said.get(key, {}) for key in ("units", "parameters", "shared", "split")}
    if isinstance(parameters, dict):
        inner = {key: parameters.get(key) or {} for key in ("study", "priors")}
        objects |= {f"parameters.{key}": value for key, value in inner.items()}
    for key, value in objects.items():
        if not isinstance(value, dict):
            raise SchemaError(
                f"{name}: {key} of the metadata is {value!a:.60}; expected a JSON object, export "
                "the file again"
            )
    missing = [key for key in WITHHELD if "shared" in said and key not in said["shared"]]
    if missing:
        raise SchemaError(
            f"{name}: shared of the metadata has no {', '.join(missing)}; export the file again"
        )


def _check(batch: "pa.RecordBatch", name: str) -> None:
    """Refuse rows that cannot be counted; all that is wrong with a file `validate` says."""
    try:
        refuse_uneven(batch)
    except DataError as error:
        raise SchemaError(f"{name}: {error}") from error
    for column in ("weight", "attention", "inert_weight", "transition_count"):
        values = batch.column(column)
        flat = _flat(values) if column != "inert_weight" else values.to_numpy()
        bad = np.flatnonzero(~np.isfinite(flat))
        if bad.size:
            raise SchemaError(
                f"{name}: {column} holds {flat[bad[0]]}; expected finite numbers, run gazecode "
                "validate on it"
            )


def _add(facts: WeightsFacts, batch: "pa.RecordBatch") -> None:
    rows = batch.num_rows
    if not rows:
        return
    column = {name: batch.column(name) for name in batch.schema.names}
    ids = column["source_sha256"].to_pylist()
    names = column["source_id"].to_pylist()
    facts.sources.add(sha or name for sha, name in zip(ids, names, strict=True))
    groups = column["participant_group"].to_pylist()
    people = column["participant"].to_pylist()
    facts.people.add(group or who for group, who in zip(groups, people, strict=True))
    facts.groups.add(column["source_group"].to_pylist())
    facts.prior_sources.add(flat_values(column["prior_sources"])[0].to_pylist())
    facts.languages.update(column["language"].to_pylist())
    facts.routes.update(name for name in column["route"].to_pylist() if name)
    behind = column["n_people"].to_numpy()
    low, high = facts.people_per_row if facts.n["rows"] else (int(behind.min()), 0)
    facts.people_per_row = (min(low, int(behind.min())), max(high, int(behind.max())))
    window = column["window"].to_numpy()
    facts.n.update(
        rows=rows,
        texts=int((window == 0).sum()),
        cut=int(((window == 0) & (column["n_windows"].to_numpy() > 1)).sum()),
        paired=sum(side != "" for side in column["pair_side"].to_pylist()),
        tokens=len(flat_values(column["token_start"])[0]),
        by_prior=int((_lengths(column["prior_sources"]) > 0).sum()),
        transitions=int((_lengths(column["transition_from"]) > 0).sum()),
    )
    facts.saccades += float(_flat(column["transition_count"]).sum())
    _add_positions(facts, column)


def _add_positions(facts: WeightsFacts, column: "dict[str, Any]") -> None:
    """Count subwords, and how much of each row's weight reaches the loss."""
    first = flat_values(column["weight"])[1]
    mask = _flat(column["loss_mask"]).astype(bool)
    moved = np.abs(_flat(column["weight"]) - 1.0)
    arrived = _sums(np.where(mask, moved, 0.0), first)
    total = _sums(moved, first) + column["inert_weight"].to_numpy().astype(np.float64)
    neutral = total == 0
    facts.reach.add(np.clip(arrived[~neutral] / total[~neutral], 0.0, 1.0))
    facts.n.update(
        positions=len(mask),
        in_loss=int(mask.sum()),
        neutral=int(neutral.sum()),
        inert=int((arrived[~neutral] == 0).sum()),
        no_signal=int((_sums(_flat(column["attention"]), first) == 0).sum()),
    )


def _flat(values: Any) -> Any:
    return flat_values(values)[0].to_numpy(zero_copy_only=False)


def _lengths(values: Any) -> Any:
    return np.diff(flat_values(values)[1])


def _sums(values: Any, first: IntArray) -> FloatArray:
    """``(d,)`` sum of each row's values; exact where all of them are 0."""
    row = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return np.bincount(row, weights=values, minlength=len(first) - 1).astype(np.float64)

"""The work on one block: sources in, a finished shard out. Pure, and the same on any machine.

parse → pseudo scan path → weigh → align → Parquet, over some hundred sources at a time, so that
memory depends on neither the block nor the corpus. A source that a stage refuses, or that makes
it fail, is named with the reason and left out; the others come out as they would alone.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from gazecode.corpus.counts import Counts
from gazecode.corpus.records import one_line
from gazecode.corpus.settings import WeighSettings, check_version
from gazecode.corpus.steps import Made, Refused, make_examples
from gazecode.errors import GazecodeError
from gazecode.export import flat_batch, inputs_digest, parquet_bytes
from gazecode.model import ExampleBatch

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Tokenizer

__all__ = ["Worked", "weigh_block"]

BATCH_ROWS = 256
BATCH_BYTES = 256_000
"""Sources worked on at once, and a row group of the shard: enough for the cost of calls to vanish,
few enough for the arrays to stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """What became of a block.

    Attributes
    ----------
    shard
        A Parquet file of the schema; empty if no source could be weighed.
    refused
        Stage and reason by number of the source in the block.
    """

    shard: bytes
    n_rows: int
    refused: Refused = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)

    def with_rows(self, rows: Sequence[int], more: Refused) -> "Worked":
        """The same for a block of which only `rows` were worked on."""
        moved = {rows[i]: reason for i, reason in self.refused.items()}
        return replace(self, refused=dict(sorted((moved | more).items())))


def weigh_block(table: "pa.RecordBatch", settings: WeighSettings) -> Worked:
    """Weigh the sources of a block.

    Parameters
    ----------
    table
        Columns ``id``, ``language`` (a name in `LANGUAGES`), ``code`` and ``answer`` (UTF-8;
        empty where the settings know of no answers).
    settings
        What is done to them.

    Returns
    -------
    Worked
        Depends on nothing but the two.

    Raises
    ------
    GazecodeError
        The job was started by another version of the package.
    """
    check_version(settings)
    refused: Refused = {}
    counts = Counts()
    with _one_thread():
        tokenizer = _tokenizer(settings.tokenizer_json)
        batches = _record_batches(table, settings, tokenizer, refused, counts)
        shard, n_rows = _shard(batches, settings, table)
    return Worked(shard=shard, n_rows=n_rows, refused=dict(sorted(refused.items())), counts=counts)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Some sources of a block as Python's own values; `first` is the number of the first."""

    first: int
    ids: list[str]
    languages: list[str]
    codes: list[bytes]
    answers: list[bytes]

    @classmethod
    def of(cls, table: "pa.RecordBatch", first: int, last: int) -> "_Sources":
        part = table.slice(first, last - first)
        columns = ("id", "language", "code", "answer")
        return cls(first, *(part.column(name).to_pylist() for name in columns))


def _batches(table: "pa.RecordBatch") -> Iterator[_Sources]:
    """Sources to work on at once, in order; only theirs leave Arrow's memory."""
    import pyarrow.compute as pc

    first, n_bytes = 0, 0
    lengths = (pc.binary_length(table.column(name)) for name in ("code", "answer"))
    for row, length in enumerate(pc.add(*lengths).to_pylist()):
        if row > first and (row - first >= BATCH_ROWS or n_bytes + length > BATCH_BYTES):
            yield _Sources.of(table, first, row)
            first, n_bytes = row, 0
        n_bytes += length
    if first < table.num_rows:
        yield _Sources.of(table, first, table.num_rows)


def _record_batches(
    table: "pa.RecordBatch",
    settings: WeighSettings,
    tokenizer: "Tokenizer",
    refused: Refused,
    counts: Counts,
) -> "Iterator[tuple[pa.RecordBatch, str]]":
    """Row groups of the shard, and the unit of their values; what is refused is noted."""
    for sources in _batches(table):
        parts = []
        for language in dict.fromkeys(sources.languages):
            some = [row for row, name in enumerate(sources.languages) if name == language]
            for made in _made(some, sources, language, settings, tokenizer):
                refused.update({sources.first + i: why for i, why in made.refused.items()})
                counts.add(made.counts)
                if made.examples is not None and len(made.examples):
                    parts.append(made.examples)
        if parts:
            yield _in_order(parts), str(parts[0].settings["unit"])


def _made(
    rows: list[int],
    sources: _Sources,
    language: str,
    settings: WeighSettings,
    tokenizer: "Tokenizer",
) -> Iterator[Made]:
    """Examples of some sources; if a stage fails on all of them, of each half by itself."""
    try:
        made = make_examples(
            [sources.ids[row] for row in rows],
            [sources.codes[row] for row in rows],
            language,
            settings,
            tokenizer,
            answers=[sources.answers[row] for row in rows] if settings.answer else None,
        )
    except Exception as error:
        if os.environ.get("GAZECODE_DEBUG") and not isinstance(error, GazecodeError):
            raise
        if len(rows) == 1:
            yield Made(examples=None, refused={rows[0]: _reason(error)})
            return
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            yield from _made(half, sources, language, settings, tokenizer)
        return
    refused = {rows[i]: reason for i, reason in made.refused.items()}
    examples = made.examples
    if examples is not None:
        examples = replace(examples, source=np.array(rows)[examples.source])
    yield replace(made, examples=examples, refused=refused)


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, GazecodeError):
        return "weigh", one_line(str(error))
    return "internal", one_line(f"unexpected {type(error).__name__}: {error}; please report it")


def _in_order(parts: "list[ExampleBatch]") -> "pa.RecordBatch":
    """One record batch in the order of the corpus, whatever language came first."""
    import pyarrow as pa

    batches = [flat_batch(part) for part in parts]
    if len(batches) == 1:
        return batches[0]
    whole = pa.concat_batches(batches)
    # Stable: the windows of a source keep their order.
    order = np.argsort(np.concatenate([part.source for part in parts]), kind="stable")
    return whole.take(pa.array(order))


def _shard(
    batches: "Iterator[tuple[pa.RecordBatch, str]]",
    settings: WeighSettings,
    table: "pa.RecordBatch",
) -> tuple[bytes, int]:
    """A Parquet file with a row group for each batch; nothing if there is no batch."""
    first = next(batches, None)
    if first is None:
        return b"", 0
    n_rows = 0
    said = _provenance(settings, table) | {"units": {"token_value": first[1]}}

    def counted() -> "Iterator[pa.RecordBatch]":
        nonlocal n_rows
        for batch, _ in chain([first], batches):
            n_rows += batch.num_rows
            yield batch

    return parquet_bytes(counted(), provenance=said), n_rows


def _provenance(settings: WeighSettings, table: "pa.RecordBatch") -> dict[str, object]:
    """What a shard says of itself: the settings, and one digest over its own sources."""
    digests = {
        name: hashlib.sha256(code + answer).hexdigest()
        for sources in _batches(table)
        for name, code, answer in zip(sources.ids, sources.codes, sources.answers, strict=True)
    }
    return {
        "parameters": settings.described(),
        "tokenizer_sha256": settings.tokenizer_sha256,
        "inputs_sha256": inputs_digest(digests),
    }


@lru_cache(maxsize=4)
def _tokenizer(raw: bytes) -> "Tokenizer":
    """Load once per process: a large tokenizer takes seconds."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(raw.decode("utf-8"))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep the tokenizer from starting threads: the cores belong to the other processes."""
    name = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    os.environ[name] = "false"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before

"""The files of a job beside its shards: what failed, what was counted, all shards as one file."""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazecode.corpus.counts import Counts
from gazecode.corpus.manifest import Finished
from gazecode.export import read_metadata, replacing, write_batches
from gazecode.export.metadata import for_examples
from gazecode.version import __version__

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Ledger", "join_shards", "write_failures", "write_json"]

FAILURE_COLUMNS = ("id", "where", "stage", "reason")


@dataclass(slots=True)
class Ledger:
    """Sums over all finished blocks, in their order."""

    counts: Counts = field(default_factory=Counts)
    shards: list[str] = field(default_factory=list)
    n_blocks: int = 0
    first_reason: str = ""
    _inputs: Any = field(default_factory=hashlib.sha256)

    def add(self, finished: Finished) -> None:
        """One more block."""
        self.counts.add(Counts.from_dict(finished.counts))
        self.n_blocks += 1
        self._inputs.update(f"{finished.input_sha256}\n".encode())
        if finished.shard:
            self.shards.append(finished.shard)
        if finished.failures and not self.first_reason:
            name, _, _, reason = finished.failures[0]
            self.first_reason = f"{name}: {reason}"

    @property
    def n_failed(self) -> int:
        """Sources that could not be weighed."""
        return self.counts.failures.total()

    @property
    def inputs_sha256(self) -> str:
        """One digest over all sources, in the order of the corpus."""
        return str(self._inputs.hexdigest())

    def described(self, settings: dict[str, Any], skipped: dict[str, int]) -> dict[str, Any]:
        """What ``corpus.json`` says; nothing of it depends on the clock or the machine."""
        counts = self.counts
        return {
            "package_version": __version__,
            "parameters": settings,
            "inputs_sha256": self.inputs_sha256,
            "shards": len(self.shards),
            "counts": dict(sorted(counts.numbers.items())),
            "languages": dict(sorted(counts.languages.items())),
            "unknown_labels": dict(sorted(counts.unknown_labels.items())),
            "weight_reach": counts.weight_reach,
            "failures": dict(sorted(counts.failures.items())),
            "files_passed_over": dict(sorted(skipped.items())),
        }


def write_failures(finished: Iterator[Finished], path: Path) -> None:
    """Write ``failures.csv``; without failures it holds its header alone."""
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FAILURE_COLUMNS)
        for block in finished:
            writer.writerows(block.failures)


def write_json(document: dict[str, Any], path: Path) -> None:
    """Write a JSON document, keys sorted."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")


def join_shards(shards: list[Path], out: Path, *, inputs_sha256: str) -> None:
    """Write all shards as one file, a row group at a time."""
    said = read_metadata(shards[0])
    for name in ("schema_version", "package", "package_version"):
        said.pop(name, None)
    metadata = for_examples(said | {"inputs_sha256": inputs_sha256})
    write_batches(_row_groups(shards), out, said=metadata)


def _row_groups(shards: list[Path]) -> "Iterator[pa.RecordBatch]":
    import pyarrow.parquet as pq

    for shard in shards:
        with pq.ParquetFile(shard) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group).combine_chunks().to_batches()[0]

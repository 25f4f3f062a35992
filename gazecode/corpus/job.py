"""One run of the job: blocks through an engine, shards and their manifest, the files at the end."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from gazecode.corpus.blocks import Block, BlockRule
from gazecode.corpus.counts import Counts
from gazecode.corpus.engines import Results
from gazecode.corpus.manifest import Finished, Manifest, digest_of, read_manifest, sha256_of
from gazecode.corpus.outputs import Ledger, join_shards, write_failures, write_json
from gazecode.corpus.places import Place
from gazecode.corpus.records import ReadOptions
from gazecode.corpus.settings import WeighSettings
from gazecode.corpus.work import Worked
from gazecode.errors import DataError
from gazecode.export import replacing

__all__ = ["CorpusSummary", "Job", "Progress", "WeighProgress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighProgress:
    """How far a job is; `n_bytes` and `seconds` are those of this run alone."""

    n_sources: int
    n_failed: int
    n_blocks: int
    n_resumed: int
    n_bytes: int
    seconds: float

    @property
    def bytes_per_s(self) -> float:
        """Bytes of code weighed per second; 0 before there is any."""
        return self.n_bytes / self.seconds if self.seconds > 0 else 0.0


Progress = Callable[[WeighProgress], None]
"""Called after each block, finished now or by an earlier run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSummary:
    """What a job did: counts for the last line, and where its files are.

    Attributes
    ----------
    shards
        Files of weights, in order: the one file, where one was asked for.
    failures, corpus
        ``failures.csv`` and ``corpus.json``.
    n_sources, n_failed
        Sources weighed, and sources that could not be.
    n_resumed
        Blocks that an earlier run had finished.
    document
        What ``corpus.json`` holds: counts of everything, settings, digests.
    """

    out: Path
    shards: tuple[Path, ...]
    failures: Path
    corpus: Path
    n_sources: int
    n_failed: int
    n_resumed: int
    document: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Job:
    """One run: where it writes, what it depends on, and how far it is."""

    place: Place
    settings: WeighSettings
    reading: ReadOptions
    rule: BlockRule
    progress: Progress | None = None
    n_resumed: int = 0
    _ledger: Ledger = field(default_factory=Ledger)
    _n_bytes: int = 0
    _start: float = 0.0

    def described(self) -> dict[str, Any]:
        """All that the outputs depend on beside the corpus."""
        return {
            **self.settings.described(),
            "tokenizer_sha256": self.settings.tokenizer_sha256,
            "reading": asdict(self.reading),
            "blocks": asdict(self.rule),
        }

    def digest(self) -> str:
        """One digest for the manifest: a run with another one is another run."""
        return digest_of([self.described(), self.settings.package_version])

    def run(
        self, blocks: Iterator[Block], work: Callable[[Iterator[Block]], Results], *, resume: bool
    ) -> None:
        """Work on every block that is not finished yet; shards come in order."""
        self._start = time.monotonic()
        pending, keep_bytes = self._kept(blocks) if resume else (blocks, 0)
        if not self._ledger.shards:
            self.place = self.place.beside(keep_bytes=keep_bytes)
        self.place.forget_result()
        manifest = Manifest(self.place.work, self.digest(), keep_bytes=keep_bytes)
        results = work(pending)
        try:
            for block, worked in results:
                finished = self._store(block, worked)
                manifest.add(finished)
                self._note(finished, n_bytes=block.n_bytes)
        finally:
            manifest.close()
            # An engine must end its processes even if it was not asked for everything.
            close = getattr(results, "close", None)
            if close is not None:
                close()
        self.place.drop_shards_from(len(self._ledger.shards))

    def _kept(self, blocks: Iterator[Block]) -> tuple[Iterator[Block], int]:
        """Blocks from the first that is not finished, and the length of the manifest before it."""
        keep_bytes = 0
        for finished, end in read_manifest(self.place.work, self.digest()):
            block = next(blocks, None)
            if block is None:
                break
            if not self._is_done(block, finished):
                return chain([block], blocks), keep_bytes
            keep_bytes = end
            self.n_resumed += 1
            self._note(finished, n_bytes=0)
        return blocks, keep_bytes

    def _is_done(self, block: Block, finished: Finished) -> bool:
        if block.digest() != finished.input_sha256:
            return False
        return not finished.shard or (
            sha256_of(self.place.work / finished.shard) == finished.shard_sha256
        )

    def _store(self, block: Block, worked: Worked) -> Finished:
        """Put a shard in place, whole; say what became of every source of the block."""
        path = self.place.shard(len(self._ledger.shards))
        if worked.shard:
            with replacing(path) as part:
                part.write_bytes(worked.shard)
        failures = tuple(_failures(block, worked))
        counts = Counts()
        counts.add(worked.counts)
        counts.failures.update(stage for _, _, stage, _ in failures)
        counts.numbers["ids_made_unique"] += block.n_duplicates
        return Finished(
            input_sha256=block.digest(),
            shard=path.name if worked.shard else "",
            shard_sha256=digest_of(worked.shard) if worked.shard else "",
            n_rows=worked.n_rows,
            counts=counts.to_dict(),
            failures=failures,
        )

    def _note(self, finished: Finished, *, n_bytes: int) -> None:
        self._ledger.add(finished)
        self._n_bytes += n_bytes
        if self.progress is not None:
            self.progress(
                WeighProgress(
                    n_sources=self._ledger.counts.numbers["sources"],
                    n_failed=self._ledger.n_failed,
                    n_blocks=self._ledger.n_blocks,
                    n_resumed=self.n_resumed,
                    n_bytes=self._n_bytes,
                    seconds=time.monotonic() - self._start,
                )
            )

    def finish(self, skipped: Counter[str]) -> CorpusSummary:
        """Put everything in its place and write what there is to say.

        Raises
        ------
        DataError
            Not one source could be weighed; what an earlier run made stays as it was.
        """
        place, ledger = self.place, self._ledger
        names = ledger.shards
        if not names:
            raise self._nothing()
        if place.is_file:
            shards = [place.work / name for name in names]
            join_shards(shards, place.out, inputs_sha256=ledger.inputs_sha256)
        place.publish()
        home = place.work if place.is_file else place.out
        write_failures((done for done, _ in read_manifest(home)), place.failures)
        document = ledger.described(self.described(), skipped)
        write_json(document, place.corpus)
        place.failed_run.unlink(missing_ok=True)
        place.clear()
        return CorpusSummary(
            out=place.out,
            shards=(place.out,) if place.is_file else tuple(place.out / name for name in names),
            failures=place.failures,
            corpus=place.corpus,
            n_sources=ledger.counts.numbers["sources"],
            n_failed=ledger.n_failed,
            n_resumed=self.n_resumed,
            document=document,
        )

    def _nothing(self) -> DataError:
        """Write why nothing could be weighed, touch nothing else, and say so."""
        place, ledger = self.place, self._ledger
        path = place.failed_run if place.replaces else place.failures
        write_failures((done for done, _ in read_manifest(place.work)), path)
        place.clear()
        kept = f"; the earlier weights in {place.out} are as they were" if place.replaces else ""
        return DataError(
            f"none of {ledger.n_failed} sources could be weighed; first reason: "
            f"{ledger.first_reason or 'there is no source'}; {path} has them all{kept}"
        )


def _failures(block: Block, worked: Worked) -> Iterator[tuple[str, str, str, str]]:
    """Every source of a block that could not be weighed, in the order of the corpus."""
    number = 0
    for record in block.sources:
        stage, reason = record.stage, record.reason
        if not stage:
            stage, reason = worked.refused.get(number, ("", ""))
            number += 1
        if stage:
            yield record.id, record.where, stage, reason

"""Where a job writes: a folder of shards or one file, never a mixture of two runs.

A fresh folder gets its shards one by one under their final names. One that holds the shards of an
earlier run keeps them until the new ones are all there: they wait in a hidden folder inside. One
single file is put together from shards in a hidden folder beside it.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from gazecode.corpus.manifest import MANIFEST
from gazecode.errors import ParameterError

__all__ = ["Place", "place_for"]

STAGED = ".gazecode-new"
FAILURES = "failures.csv"
CORPUS = "corpus.json"
SHARDS = "weights-*.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Folders and names of a job.

    Attributes
    ----------
    out
        What was asked for: a folder, or one Parquet file.
    home
        Folder that is locked.
    work
        Folder the shards are written to.
    failures, corpus
        Final names of the two files beside the weights.
    """

    out: Path
    home: Path
    work: Path
    failures: Path
    corpus: Path

    @property
    def is_file(self) -> bool:
        """Whether one file is wanted."""
        return self.home != self.out

    def shard(self, number: int) -> Path:
        """Where shard `number` is written."""
        return self.work / f"weights-{number:05d}.parquet"

    def begin(self, *, resume: bool) -> None:
        """Make the working folder; without `resume` nothing of an earlier try stays in it."""
        if not resume and self.work != self.out:
            shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(exist_ok=True)
        # Half-written files of a run that was killed.
        for left in self.work.glob(f".{SHARDS}"):
            left.unlink()
        if self.work != self.out:
            return
        if not resume:
            (self.work / MANIFEST).unlink(missing_ok=True)
        for path in (self.corpus, self.failures):
            path.unlink(missing_ok=True)

    def drop_shards_from(self, number: int) -> None:
        """Remove shards of an earlier try that this run did not make."""
        for path in self.work.glob(SHARDS):
            digits = path.stem.removeprefix("weights-")
            if digits.isdigit() and int(digits) >= number:
                path.unlink()

    def clear(self) -> None:
        """Remove the folder that one file was put together in."""
        if self.is_file:
            shutil.rmtree(self.home, ignore_errors=True)

    def publish(self) -> None:
        """Put what was staged in the place of an earlier run's files."""
        if self.is_file or self.work == self.out:
            return
        for path in (self.corpus, self.failures, self.out / MANIFEST, *self.out.glob(SHARDS)):
            path.unlink(missing_ok=True)
        for path in sorted(self.work.glob(SHARDS)):
            path.replace(self.out / path.name)
        (self.work / MANIFEST).replace(self.out / MANIFEST)
        shutil.rmtree(self.work, ignore_errors=True)


def place_for(out: Path, *, resume: bool) -> Place:
    """Decide where a job writes; makes the folder that is locked.

    Raises
    ------
    ParameterError
        The name of a file where a folder is wanted or the other way round, or nothing to resume.
    """
    if out.suffix == ".parquet" and not out.is_dir():
        return _place_of_file(out)
    if out.exists() and not out.is_dir():
        raise ParameterError(f"{out} is a file; name a folder, or one file that ends in .parquet")
    out.mkdir(parents=True, exist_ok=True)
    staged = out / STAGED
    has_shards = any(out.glob(SHARDS))
    if resume:
        work = staged if (staged / MANIFEST).is_file() else out
        if work == out and has_shards and not (out / MANIFEST).is_file():
            raise ParameterError(
                f"{out} holds shards and no record of the run that made them; "
                "leave --resume out to replace them"
            )
    else:
        work = staged if has_shards else out
    return Place(out=out, home=out, work=work, failures=out / FAILURES, corpus=out / CORPUS)


def _place_of_file(out: Path) -> Place:
    if not out.parent.is_dir():
        raise ParameterError(f"{out}: no folder {out.parent} to write to; make it first")
    parts = out.with_name(f".{out.name}.gazecode-parts")
    parts.mkdir(exist_ok=True)
    return Place(
        out=out,
        home=parts,
        work=parts / "shards",
        failures=out.with_suffix(".failures.csv"),
        corpus=out.with_suffix(".corpus.json"),
    )

"""Where a job writes: a folder of shards or one file, never a mixture of two runs.

A fresh folder gets its shards one by one under their final names. One that holds the shards of an
earlier run keeps them until the new ones are all there: they wait in a hidden folder inside. One
single file is put together from shards in a hidden folder beside it.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gazecode.corpus.manifest import MANIFEST
from gazecode.corpus.names import CORPUS, FAILED_RUN, FAILURES, is_shard
from gazecode.corpus.tables import holds_weights
from gazecode.errors import ParameterError

__all__ = ["Place", "outputs_of", "place_for", "refuse_inputs"]

STAGED = ".gazecode-new"
_HALF_WRITTEN = re.compile(r"\.weights-[0-9]{5,}\.[0-9a-f]{12}\.parquet")
"""What `gazecode.disk.replacing` writes a shard to before it takes its name."""


def _shards(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if is_shard(path.name))


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
    failed_run
        Name for the failures of a run that has no weights to put in the place of earlier ones.
    """

    out: Path
    home: Path
    work: Path
    failures: Path
    corpus: Path
    failed_run: Path

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
        for left in self.work.iterdir():
            if _HALF_WRITTEN.fullmatch(left.name):
                left.unlink()
        if self.work == self.out and not resume:
            (self.work / MANIFEST).unlink(missing_ok=True)

    @property
    def replaces(self) -> bool:
        """Whether weights of an earlier run wait to be replaced."""
        if self.is_file:
            return self.out.is_file()
        return self.work != self.out and any(_shards(self.out))

    def beside(self, *, keep_bytes: int) -> "Place":
        """Work beside the shards in `out`, with the start of their manifest: none can be kept."""
        if self.work != self.out or not any(_shards(self.out)):
            return self
        staged = replace(self, work=self.out / STAGED)
        staged.begin(resume=False)
        kept = b""
        if keep_bytes:
            with (self.out / MANIFEST).open("rb") as file:
                kept = file.read(keep_bytes)
        (staged.work / MANIFEST).write_bytes(kept)
        return staged

    def forget_result(self) -> None:
        """Before shards change under their final names: what says that they are all there."""
        if self.work == self.out:
            for path in (self.corpus, self.failures):
                path.unlink(missing_ok=True)

    def drop_shards_from(self, number: int) -> None:
        """Remove shards of an earlier try that this run did not make."""
        for path in _shards(self.work):
            if int(path.stem.removeprefix("weights-")) >= number:
                path.unlink()

    def clear(self) -> None:
        """Remove the hidden folder that was worked in."""
        if self.is_file:
            shutil.rmtree(self.home, ignore_errors=True)
        elif self.work != self.out:
            shutil.rmtree(self.work, ignore_errors=True)

    def publish(self) -> None:
        """Put what was staged in the place of an earlier run's files."""
        if self.is_file or self.work == self.out:
            return
        for path in (self.corpus, self.failures, self.out / MANIFEST, *_shards(self.out)):
            path.unlink(missing_ok=True)
        for path in _shards(self.work):
            path.replace(self.out / path.name)
        (self.work / MANIFEST).replace(self.out / MANIFEST)
        shutil.rmtree(self.work, ignore_errors=True)


def place_for(out: Path, *, resume: bool) -> Place:
    """Decide where a job writes; makes the folder that is locked.

    Raises
    ------
    ParameterError
        The name of a file where a folder is wanted or the other way round, or one that holds what
        no such job wrote.
    """
    if out.suffix == ".parquet" and not out.is_dir():
        return _place_of_file(out)
    if out.exists() and not out.is_dir():
        raise ParameterError(f"{out} is a file; name a folder, or one file that ends in .parquet")
    out.mkdir(parents=True, exist_ok=True)
    _check_ours(out)
    staged = out / STAGED
    if resume:
        work = staged if (staged / MANIFEST).is_file() else out
    else:
        work = staged if any(_shards(out)) else out
    return Place(
        out=out,
        home=out,
        work=work,
        failures=out / FAILURES,
        corpus=out / CORPUS,
        failed_run=out / FAILED_RUN,
    )


def _check_ours(out: Path) -> None:
    """A folder with such files and no manifest of ours is that of another command, or of a user."""
    # While staged shards take their names, the manifest is still in the hidden folder.
    if (out / MANIFEST).is_file() or (out / STAGED / MANIFEST).is_file():
        return
    theirs = [path for path in (out / FAILURES, out / CORPUS, *_shards(out)) if path.exists()]
    if theirs:
        raise ParameterError(
            f"{out} holds {theirs[0].name} of something else than gazecode weigh; "
            "name another folder, or an empty one"
        )


def refuse_inputs(place_out: Path, inputs: Iterable[Path]) -> None:
    """Refuse to write over what is read.

    Raises
    ------
    ParameterError
        The file to write is one of the inputs, or one of them has the name of a shard to write.
    """
    for path in inputs:
        if not path.is_file():
            continue
        same = place_out.is_file() and place_out.samefile(path)
        if same or (is_shard(path.name) and path.resolve().parent == place_out.resolve()):
            raise ParameterError(
                f"{place_out}: the weights would replace {path.name}, which is one of the inputs; "
                "name another --out"
            )


def _place_of_file(out: Path) -> Place:
    if not out.parent.is_dir():
        raise ParameterError(f"{out}: no folder {out.parent} to write to; make it first")
    if out.exists() and not holds_weights(out):
        raise ParameterError(
            f"{out} is there and is no file of weights; name another file, or remove it first"
        )
    parts = out.with_name(f".{out.name}.gazecode-parts")
    parts.mkdir(exist_ok=True)
    return Place(
        out=out,
        home=parts,
        work=parts / "shards",
        failures=out.with_suffix(f".{FAILURES}"),
        corpus=out.with_suffix(f".{CORPUS}"),
        failed_run=out.with_suffix(f".{FAILED_RUN}"),
    )


def outputs_of(out: Path) -> tuple[Path, ...]:
    """What is no part of a corpus that `out` lies in: a folder, or a file and those beside it."""
    if out.suffix != ".parquet" or out.is_dir():
        return (out,)
    return (out, *(out.with_suffix(f".{name}") for name in (FAILURES, CORPUS, FAILED_RUN)))

"""A split on disk: its parts written from weights files, and files checked against each other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazecode.errors import ParameterError
from gazecode.export import (
    ValidationReport,
    iter_examples,
    open_stored,
    validate,
    write_batches,
)
from gazecode.export.places import weights_files
from gazecode.export.several import canonical, check_alike, said_by
from gazecode.model import Example
from gazecode.splitting import FRACTIONS, Leak, assign_parts, find_leaks
from gazecode.splitting.split import held_out

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_files", "weights_files", "write_parts"]

Tell = Callable[[str], None]


def write_parts(
    inputs: Sequence[Path],
    out: Path,
    *,
    by: str = "source",
    fractions: Mapping[str, float] = FRACTIONS,
    seed: int = 0,
    tell: Tell | None = None,
) -> dict[str, int]:
    """Split weights files into ``OUT/train.parquet``, ``valid.parquet``, ``test.parquet``.

    Parameters
    ----------
    inputs
        Weights files or folders of them; read in batches, twice for each part.
    by, fractions, seed
        As `gazecode.splitting.split` takes them; they go into every part's metadata.
    tell
        Told what is being done, for people who wait.

    Returns
    -------
    dict
        Rows of each part, and under "" those left out.
    """
    by = held_out(by)
    files = weights_files(inputs, once=True)
    say = tell or _silent
    say("looking for copies")
    part_of = assign_parts(_examples(files), by, fractions=fractions, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    counts = {"": part_of.count("")}
    for part in fractions:
        say(f"writing {part}")
        split = {"part": part, "by": by, "seed": seed, "fractions": dict(fractions)}
        rows = _rows(files, [name == part for name in part_of])
        counts[part] = write_batches(rows, out / f"{part}.parquet", said=_metadata(files, split))
    return counts


def _silent(_: str) -> None:
    """Nobody waits."""


def _examples(files: Iterable[Path]) -> Iterator[Example]:
    for file in files:
        yield from iter_examples(file)


def _rows(files: Iterable[Path], wanted: Sequence[bool]) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    first = 0
    for file in files:
        for batch in open_stored(file).batches():
            mask = wanted[first : first + batch.num_rows]
            first += batch.num_rows
            if any(mask):
                yield batch.filter(pa.array(mask))


def _metadata(files: Sequence[Path], split: Mapping[str, Any]) -> str:
    """The first file's words with the split; files of other making are not mixed in silence."""
    said = [said_by(file) for file in files]
    named = zip((file.name for file in files), said, strict=True)
    check_alike(named, then="split them one at a time", error=ParameterError)
    return canonical({**said[0], "split": split})


def check_files(
    paths: Sequence[Path], *, by: str | None = None
) -> tuple[list[ValidationReport], list[Leak]]:
    """Check weights files against the schema and, where they are parts of a split, for leaks.

    Parameters
    ----------
    paths
        Files or folders. Shards of one corpus are one part; any other files given together are
        the parts of one split, training first. A single file is a part if it says so, or if its
        name begins with ``test``: no prior may know its sources.
    by
        What the split holds out; None goes by the files' own words, else ``"both"``.

    Returns
    -------
    tuple
        A report for each file, and the leaks; none are looked for in files that break the schema.
    """
    files = weights_files(paths)
    reports = [validate(file) for file in files]
    if not all(report.ok for report in reports):
        return reports, []
    splits = [said_by(file).get("split", {}) for file in files]
    names = _part_names(files, splits)
    tested = [name for name in names if _is_test(name)]
    if len(names) < 2 and not any(splits) and not tested:
        return reports, []
    said = {split["by"] for split in splits if "by" in split}
    held = by or (said.pop() if len(said) == 1 else "both")
    parts = {name: _examples(its) for name, its in names.items()}
    return reports, find_leaks(parts, held, test=tested or None)


def _is_test(name: str) -> bool:
    """Whether a part is one to test on; a folder may stand before its name."""
    return name.rpartition("/")[2].startswith("test")


def _part_names(
    files: Sequence[Path], splits: Sequence[Mapping[str, Any]]
) -> dict[str, list[Path]]:
    """Name of each part → its files, training first; one stem in one folder is one part."""
    places: dict[tuple[Path, str], list[Path]] = {}
    for file, split in zip(files, splits, strict=True):
        shard = file.stem.removeprefix("weights-").isdigit()
        stem = str(split.get("part") or (file.parent.name if shard else file.stem))
        places.setdefault((file.parent, stem), []).append(file)
    stems = [stem for _, stem in places]
    parts = {
        stem if stems.count(stem) == 1 else f"{folder.name}/{stem}": its
        for (folder, stem), its in places.items()
    }
    return dict(sorted(parts.items(), key=lambda item: not item[0].startswith("train")))

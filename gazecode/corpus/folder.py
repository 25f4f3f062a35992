"""A folder as a corpus: its source files, or its data files, in the order of their names."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from gazecode.corpus.fields import known_language
from gazecode.corpus.names import is_output
from gazecode.corpus.records import ReadOptions, Record, problem, usable
from gazecode.errors import ParameterError
from gazecode.source import LANGUAGES, language_of

__all__ = ["DATA_SUFFIXES", "is_source", "read_source", "walk"]

DATA_SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".json.gz", ".parquet")


def is_source(name: str) -> bool:
    """Whether a file's name says that it holds code of a language with a grammar."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - of a name, millions of times
    return any(suffix in language.suffixes for language in LANGUAGES.values())


def walk(
    root: Path,
    wanted: Callable[[str], bool],
    skipped: Counter[str],
    avoid: frozenset[Path] = frozenset(),
) -> Iterator[Path | Record]:
    """Files below a folder in the order of their names; a folder that cannot be read is a problem.

    Parameters
    ----------
    skipped
        Told what is passed over, by reason: hidden names (``.git`` among them), links (never
        followed: they may lead out of the folder or in a circle), and files that are not wanted.
    avoid
        Folders and files that are not part of the corpus, such as the job's own outputs; of a
        folder that is the corpus itself, what a job calls its outputs. They are not counted: a
        second run has them, the first has not.
    """
    stack = [root]
    while stack:
        here = stack.pop()
        try:
            with os.scandir(here) as entries:
                ordered = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            name = relative(here, root)
            yield problem(name, name, f"the folder cannot be read: {error.strerror}", stage="file")
            continue
        folders = []
        for entry in ordered:
            if avoid and _is_avoided(Path(entry.path), avoid):
                continue
            reason = _passed_over(entry, wanted)
            if reason:
                skipped[reason] += 1
            elif entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            else:
                yield Path(entry.path)
        stack.extend(reversed(folders))


def _passed_over(entry: "os.DirEntry[str]", wanted: Callable[[str], bool]) -> str:
    if entry.name.startswith("."):
        return "hidden"
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return ""
    if not entry.is_file(follow_symlinks=False):
        return "not a file"
    return "" if wanted(entry.name) else "other suffix"


def _is_avoided(path: Path, avoid: frozenset[Path]) -> bool:
    return path in avoid or (path.parent in avoid and is_output(path.name))


def relative(path: Path, root: Path) -> str:
    """A name without the folders above the corpus; half characters are spelled out."""
    name = path.name if path == root else path.relative_to(root).as_posix()
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_source(path: Path, name: str, options: ReadOptions) -> Record:
    """One source file; a longer one than the limit is not even read."""
    try:
        language = (
            language_of(path) if options.language is None else known_language(options.language)
        )
        size = path.stat().st_size
        if size > options.max_bytes:
            return problem(
                name, name, f"the source has {size} bytes; at most {options.max_bytes} are weighed"
            )
        code = path.read_bytes()
    except ParameterError as error:
        return problem(name, name, str(error), stage="language")
    except OSError as error:
        return problem(name, name, f"the file cannot be read: {error.strerror}", stage="file")
    return usable(name, name, language, code, options)

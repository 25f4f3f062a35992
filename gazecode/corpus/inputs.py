"""A corpus as a stream of sources, whatever it is made of: told by content, then by name.

JSONL (packed with gzip or not), Parquet, source files, and folders of either. A folder that holds
any source file is a folder of sources; only one without is a folder of data files, so that a
``.jsonl`` among the tests of a program is not taken for a corpus.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from gazecode.corpus.fields import known_language
from gazecode.corpus.folder import DATA_SUFFIXES, is_source, read_source, relative, walk
from gazecode.corpus.lines import GZIP_MAGIC, opened
from gazecode.corpus.records import ReadOptions, Record, problem
from gazecode.corpus.tables import read_jsonl, read_parquet
from gazecode.errors import FormatError, ParameterError

__all__ = ["open_corpus"]

_PARQUET_MAGIC = b"PAR1"
_TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

Paths = str | Path | Iterable[str | Path]


def open_corpus(
    inputs: Paths,
    options: ReadOptions | None = None,
    *,
    skipped: Counter[str] | None = None,
    avoid: Iterable[Path] = (),
) -> Iterator[Record]:
    r"""Give the sources of a corpus one by one, those that cannot be used with the reason.

    Parameters
    ----------
    inputs
        A JSONL or Parquet file, a source file, a folder, or several of them.
    options
        Columns, language and limits, where the defaults do not fit.
    skipped
        Told how many files of folders were passed over, by reason.
    avoid
        Files and folders that are not part of the corpus.

    Yields
    ------
    Record
        In the order of the inputs, and of rows and names within each.

    Raises
    ------
    FormatError
        No such file or folder, or one that is nothing known, said before the first record.
    ParameterError
        A language without a grammar.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.java").write_text("class A {}")
    >>> _ = (folder / "b.java").write_text(" \n")
    >>> for record in open_corpus(folder):
    ...     print(record.id, record.language or "-", record.reason or record.code)
    a.java java b'class A {}'
    b.java - the source is empty or blank
    """
    options = options or ReadOptions()
    if options.language is not None:
        known_language(options.language)
    paths = [Path(p) for p in ([inputs] if isinstance(inputs, str | Path) else inputs)]
    if not paths:
        raise ParameterError("no corpus is named; name a file or a folder")
    counter: Counter[str] = Counter() if skipped is None else skipped
    avoided = frozenset(path.resolve() for path in avoid)
    for path in paths:
        if not path.is_dir():
            _kind(path, options)
    return chain.from_iterable(_read(path, options, counter, avoided) for path in paths)


def _read(
    path: Path, options: ReadOptions, skipped: Counter[str], avoid: frozenset[Path]
) -> Iterator[Record]:
    if path.is_dir():
        return _read_folder(path.resolve(), options, skipped, avoid)
    return _read_file(path, path.name, options)


def _read_folder(
    root: Path, options: ReadOptions, skipped: Counter[str], avoid: frozenset[Path]
) -> Iterator[Record]:
    """Sources if there is any, else data files; nothing of either is an error, not silence."""
    wanted = is_source
    if not any(isinstance(found, Path) for found in walk(root, is_source, Counter(), avoid)):
        wanted = _is_data
    n_files = 0
    for found in walk(root, wanted, skipped, avoid):
        n_files += 1
        if isinstance(found, Record):
            yield found
        elif wanted is is_source:
            yield read_source(found, relative(found, root), options)
        else:
            yield from _read_file(found, relative(found, root), options)
    if not n_files:
        raise FormatError(
            f"{root.name}: no source file of a known language and no JSONL or Parquet file in this "
            "folder; name the folder that holds them"
        )


def _is_data(name: str) -> bool:
    return name.lower().endswith(DATA_SUFFIXES)


def _read_file(path: Path, name: str, options: ReadOptions) -> Iterator[Record]:
    try:
        kind = _kind(path, options)
    except FormatError as error:
        yield problem(name, name, str(error), stage="file")
        return
    if kind == "source":
        yield read_source(path, name, options)
    elif kind == "parquet":
        yield from read_parquet(path, name, options)
    else:
        yield from read_jsonl(path, name, options)


def _kind(path: Path, options: ReadOptions) -> str:
    """Tell what a file is; content goes first, its name second."""
    if not path.is_file():
        raise FormatError(f"{path}: no such file or folder; check the path")
    try:
        with path.open("rb") as file:
            packed = file.read(4)
        if packed == _PARQUET_MAGIC:
            return "parquet"
        if is_source(path.name):
            return "source"
        with opened(path) as unpacked:
            head = unpacked.read(64)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{path}: cannot be read ({error}); check the file") from error
    return _kind_of_text(path, head, packed=packed[:2] == GZIP_MAGIC, options=options)


def _kind_of_text(path: Path, head: bytes, *, packed: bool, options: ReadOptions) -> str:
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first == b"[":
        raise FormatError(
            f"{path.name} holds one JSON array; expected an object per line (JSONL), "
            "for instance jq -c '.[]' of it"
        )
    if first == b"{" or path.name.lower().endswith(_TEXT_SUFFIXES):
        return "jsonl"
    if options.language is not None and not packed:
        return "source"
    raise FormatError(
        f"{path.name} is no Parquet file, no JSONL and no source file of a known language; "
        "name the language of a source file with language=... (--language)"
    )

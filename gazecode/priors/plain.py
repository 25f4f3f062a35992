"""JSON files read with suspicion and written whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from gazecode.disk import replacing
from gazecode.errors import FormatError, ParameterError

__all__ = ["one_line", "read_json", "write_folder", "write_text"]

_SHOWN = 80


def one_line(value: object) -> str:
    """Whatever was found, short enough for a message.

    >>> one_line("a" * 100)[-5:]
    "aaa…'"
    """
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 2]}…{text[-1]}"


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    FormatError
        No such file, not UTF-8, not JSON, NaN or a key twice in it; one line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise FormatError(f"{path}: {said}; expected a JSON file of priors") from None
    except RecursionError:
        raise FormatError(f"{path.name}: nested too deeply to be a file of priors") from None
    except ValueError as error:
        said = " ".join(str(error).split())
        raise FormatError(f"{path.name}: not a JSON file of priors ({said})") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; unknown numbers are null")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {one_line(twice)} is there twice")
    return found


def write_text(text: str, path: Path) -> None:
    """Write beside, then rename: a half-written file never has the final name."""
    with replacing(path) as part:
        _write(text, part)


def write_folder(files: Mapping[str, str], folder: Path) -> None:
    """Write files into a new folder; it appears whole or not at all."""
    final = Path(os.path.realpath(folder))
    if not final.parent.is_dir():
        raise ParameterError(f"{folder}: no folder {final.parent} to write to; make it first")
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise ParameterError(f"{folder} is there and not empty; give the name of a new folder")
    part = final.with_name(f".{final.name[:100]}.{secrets.token_hex(6)}")
    part.mkdir()
    try:
        for name, text in files.items():
            _write(text, part / name)
        if final.exists():
            final.rmdir()
        part.rename(final)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write(text: str, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

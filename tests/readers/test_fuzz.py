"""Damaged files: every reader gives a recording or one `GazecodeError`, soon, and nothing else.

The full count, over 20,000 files, runs with the slow tests; a share of it with every run. What was
found lies in `found/` and is read again each time.
"""

import gzip
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from makers import all_makers
from mutate import mutated

from gazecode.errors import GazecodeError
from gazecode.readers import read

MAKERS = all_makers()
FOUND = Path(__file__).parent / "found"
FEW = 25
IN_ALL = 21_000
SECONDS = 20
"""No damaged file of some kilobytes may take longer, on the slowest machine."""


class TooLong(BaseException):
    """Past every `except Exception`."""


def stop(*_: object) -> None:
    raise TooLong


def attempt(path: Path, reader: str | None) -> str:
    """Read and use; the word is what happened."""
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        recording = read(path, reader)
        assert len(recording.gaze) == len(recording)
        recording.to_frame()
        recording.device_events.to_frame()
    except GazecodeError as error:
        said = str(error)
    else:
        return "read"
    finally:
        signal.alarm(0)
    assert said.strip(), "an error says nothing"
    assert "\n" not in said, f"an error has several lines: {said}"
    return "refused"


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def fuzz(name: str, folder: Path, n: int, seed: int) -> dict[str, int]:
    maker = MAKERS[name]
    whole, damaged = folder / "whole", folder / "damaged"
    whole.mkdir()
    opened = maker.make(whole, 40).relative_to(whole)
    shutil.copytree(whole, damaged)
    parts = [path.relative_to(whole) for path in files_of(whole)]
    contents = {part: (whole / part).read_bytes() for part in parts}
    others = [*contents.values(), *small_others(folder)]
    rng = np.random.default_rng([seed, *name.encode()])
    happened = {"read": 0, "refused": 0}
    for i in range(n):
        part = parts[int(rng.integers(len(parts)))]
        raw = damaged_copy(contents[part], rng, others)
        (damaged / part).write_bytes(raw)
        try:
            happened[attempt(damaged / opened, maker.reader if i % 3 else None)] += 1
        except BaseException:
            keep = folder / f"{name}-{seed}-{i}-{part.name}"
            keep.write_bytes(raw)
            print(f"damaged file kept as {keep}")
            raise
        (damaged / part).write_bytes(contents[part])
    return happened


def damaged_copy(raw: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """Damage to the file as it lies, or, mostly, to what a gzip file holds."""
    if raw.startswith(b"\x1f\x8b") and rng.random() < 0.8:
        return gzip.compress(mutated(gzip.decompress(raw), rng, others), mtime=0)
    return mutated(raw, rng, others)


def small_others(folder: Path) -> list[bytes]:
    """Bytes of some other formats to splice in."""
    place = folder / "others"
    found = []
    for name in ("eyex", "gazepoint", "itrace_core", "smi"):
        if name in MAKERS:
            (place / name).mkdir(parents=True)
            made = MAKERS[name].make(place / name, 10)
            found += [
                path.read_bytes() for path in files_of(made if made.is_dir() else made.parent)
            ]
    return found


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_few_damaged_files(name, tmp_path):
    happened = fuzz(name, tmp_path, FEW, seed=1)
    assert sum(happened.values()) == FEW


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_many_damaged_files(name, tmp_path):
    n = -(-IN_ALL // len(MAKERS))
    happened = fuzz(name, tmp_path, n, seed=2)
    print(name, happened)
    assert sum(happened.values()) == n


@pytest.mark.parametrize(
    "path", sorted(FOUND.glob("*/*")), ids=lambda p: f"{p.parent.name}-{p.name}"
)
def test_what_was_found_once_stays_mended(path, tmp_path):
    # The folder says the reader; files beside a recording may matter, so it stands alone.
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    attempt(copy, path.parent.name)
    attempt(copy, None)

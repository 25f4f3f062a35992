"""A disk that runs full while HDF5 writes: one error, no half file, and the process lives."""

import errno
import subprocess
import sys

import pytest

from gazecode.export import hdf5, to_hdf5
from gazecode.export.sink import Sink, full_disk_is_told

FULL = OSError(errno.ENOSPC, "No space left on device")


class Full(Sink):
    """A file that takes so many bytes."""

    room = 4096

    def write(self, data, /):
        if self.failed is None and self.tell() + len(memoryview(data).cast("B")) > self.room:
            self.failed = FULL
        return super().write(data)


@pytest.mark.parametrize("room", [0, 3000, 20_000, 60_000])
def test_a_full_disk_is_one_error_and_no_file(monkeypatch, tmp_path, make_example, room):
    monkeypatch.setattr("gazecode.export.sink.Sink", Full)
    monkeypatch.setattr(Full, "room", room)
    path = tmp_path / "w.h5"
    path.write_bytes(b"as it was")
    with pytest.raises(OSError, match="No space left") as caught:
        to_hdf5((make_example(str(i)) for i in range(300)), path)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"as it was"
    assert [p.name for p in tmp_path.iterdir()] == ["w.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes there")
def test_the_process_ends_by_the_error_and_not_by_a_signal(tmp_path):
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from gazecode.export import to_hdf5\n"
        "try:\n"
        "    to_hdf5([], sys.argv[1])\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "w.h5")], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(errno.EFBIG).encode()]
    assert not list(tmp_path.iterdir())


def test_what_fails_for_another_reason_is_told_as_it_is(tmp_path):
    with pytest.raises(KeyError, match="other"), full_disk_is_told(tmp_path / "a"):
        raise KeyError("other")


def test_the_same_rows_are_the_same_bytes(tmp_path, make_example):
    for name in ("a.h5", "b.h5"):
        to_hdf5([make_example(str(i)) for i in range(70)], tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert (tmp_path / "a.h5").read_bytes().startswith(hdf5.MAGIC)

import os
from pathlib import Path

import pytest

from gazecode.disk import replacing
from gazecode.errors import ParameterError


def test_file_appears_only_when_the_block_ends(tmp_path):
    final = tmp_path / "out.json"
    with replacing(final) as part:
        part.write_text("new")
        assert not final.exists()
        assert part.parent == tmp_path
        assert part.name.startswith(".")
        assert part.suffix == ".json"
    assert final.read_text() == "new"
    assert list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_whatever_goes_wrong_the_old_file_stays_and_nothing_else(tmp_path, error):
    final = tmp_path / "out.json"
    final.write_text("old")

    def fail():
        with replacing(final) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    def forget():
        with replacing(tmp_path / "out"):
            pass

    with pytest.raises(FileNotFoundError):
        forget()
    assert list(tmp_path.iterdir()) == []


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("x")
    with replacing(tmp_path / "out") as part:
        part.write_text("x")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")
def test_a_link_is_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(target)
    with replacing(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_long_names_fit(tmp_path):
    final = tmp_path / ("n" * 240 + ".parquet")
    with replacing(final) as part:
        part.write_text("x")
    assert final.exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("no/out", "to write to; make it first or choose another path", id="no folder"),
        pytest.param(".", "is not a plain file; give the name of a file to write", id="folder"),
    ],
)
def test_a_destination_that_cannot_be_written(tmp_path: Path, name, said):
    with pytest.raises(ParameterError) as caught, replacing(tmp_path / name):
        pytest.fail("the block must not begin")
    assert str(caught.value).endswith(said)
    assert "\n" not in str(caught.value)

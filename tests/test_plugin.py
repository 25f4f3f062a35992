"""A reader from a package of its own: installed, found by its entry point, held to the rules."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1] / "docs" / "examples" / "reader_plugin"


@pytest.mark.slow
def test_the_example_is_installed_found_and_passes_its_own_test(tmp_path):
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path)]
    subprocess.run([*pip, str(PLUGIN)], check=True)
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    own = [sys.executable, "-m", "pytest", *options, str(PLUGIN / "tests")]
    listed = [sys.executable, "-m", "gazecode", "formats", "--json"]
    for command, expected in ((own, "1 passed"), (listed, '"labtracker"')):
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert expected in done.stdout


def test_without_installation_the_example_keeps_the_rules(tmp_path, monkeypatch):
    from gazecode import readers
    from gazecode.testing import check_reader

    monkeypatch.syspath_prepend(str(PLUGIN))
    import gazecode_labtracker as plugin

    monkeypatch.setitem(readers.READERS._entries, "labtracker", plugin.READER)
    path = tmp_path / "P01.txt"
    rows = "".join(f"{8000 * i},{i},{i},{int(i % 7 > 0)},Vehicle\n" for i in range(50))
    path.write_text("LABTRACKER 1\ntime,x,y,ok,page\n" + rows)
    assert check_reader(plugin.READER, path).provenance["left_out"] == {"not_seen": 8}

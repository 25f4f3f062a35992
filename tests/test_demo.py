"""The bundled study is what its script writes, and nothing else."""

import gzip
import importlib.util
from pathlib import Path

import pytest

from gazecode.demo import demo_study

DEMO = Path(__file__).resolve().parents[1] / "fixtures" / "demo"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("make_demo", DEMO / "make_demo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("demo")
    module.main(folder)
    return folder


def test_the_script_writes_the_recordings_that_are_bundled(made):
    names = sorted(p.name for p in (DEMO / "recordings").iterdir())
    assert names == sorted(p.name for p in (made / "recordings").iterdir())
    for name in names:
        # Unpacked: how well a gzip packs depends on the library.
        ours = gzip.decompress((made / "recordings" / name).read_bytes())
        assert ours == gzip.decompress((DEMO / "recordings" / name).read_bytes()), name
    assert (made / "truth.csv").read_bytes() == (DEMO / "truth.csv").read_bytes()


def test_the_demo_is_found_and_small():
    assert demo_study().parent.name in {"demo", "_demo"}
    assert sum(p.stat().st_size for p in DEMO.rglob("*") if p.is_file()) < 1_000_000

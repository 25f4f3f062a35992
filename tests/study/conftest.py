"""The bundled study, copied so that a test may break it, and what it leaves."""

import shutil
from pathlib import Path

import pytest

from gazecode.demo import demo_study
from gazecode.study import run_study


@pytest.fixture
def study(tmp_path) -> Path:
    """A copy of the bundled study's file, with everything it names beside it."""
    folder = tmp_path / "study"
    shutil.copytree(demo_study().parent, folder)
    return folder / "study.toml"


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory) -> Path:
    """What the bundled study leaves."""
    out = tmp_path_factory.mktemp("demo")
    run_study(demo_study(), out)
    return out

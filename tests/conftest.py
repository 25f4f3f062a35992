"""What many tests share: where real recordings are, and the profiles of hypothesis.

The suite tries the same cases every time; ``HYPOTHESIS_PROFILE=explore`` tries new ones.
"""

import os
from pathlib import Path

import hypothesis
import pytest
from browser import Browser, find_chromium

hypothesis.settings.register_profile("same", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; they are never part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real recordings are not beside this checkout (../shared/data)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def browser():
    """A headless browser; where GAZECODE_NEEDS_BROWSER is set its absence is an error."""
    program = find_chromium()
    if program is None:
        missing = "no Chromium on this machine (chromium, chromium-browser or google-chrome)"
        if os.environ.get("GAZECODE_NEEDS_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    with Browser(program) as opened:
        yield opened

"""What many tests share: where real recordings are, and hypothesis without a deadline."""

from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("gazecode", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gazecode")

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; they are never part of the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real recordings are not beside this checkout (../shared/data)")
    return SHARED_DATA

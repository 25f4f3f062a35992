"""The blocks of the page on agreement that need a model or the published data run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

for name in ("torch", "transformers"):
    pytest.importorskip(name, reason=f"{name} is not installed: pip install 'gazecode[adapters]'")

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "agreement.md"
BLOCKS = [
    block
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    if not block.startswith(">>>")
]


def run(block):
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_tiny_model_is_asked():
    (block,) = [block for block in BLOCKS if "attend(" in block]
    assert "of the mass was on the first position" in run(block)


@pytest.mark.real
def test_the_published_figures(shared_data):
    (block,) = [block for block in BLOCKS if "load_kou2024" in block]
    assert run(block).splitlines()[0] == "polycoder shap_perturbation 0.42 0.509"

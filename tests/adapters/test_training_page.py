"""The page on training is one program: its blocks run in order, on the weights of the demo."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

for name in ("torch", "transformers", "peft"):
    pytest.importorskip(name, reason=f"{name} is not installed: pip install 'gazecode[adapters]'")

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_blocks_of_the_page_run_as_one_program(tmp_path):
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    program = "import torch\ntorch.set_num_threads(1)\n" + "\n".join(blocks)
    (tmp_path / "page.py").write_text(program, encoding="utf-8")
    demo = [sys.executable, "-m", "gazecode", "demo", "--out", "demo"]
    subprocess.run(demo, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "source_lm" in done.stdout

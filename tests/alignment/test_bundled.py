"""The demo's tokenizer is what its script makes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_script_makes_the_same_bytes_again(tmp_path, bundled_path):
    made = tmp_path / "tokenizer.json"
    script = ROOT / "fixtures" / "tokenizer" / "make_tokenizer.py"
    subprocess.run([sys.executable, str(script), str(made)], check=True, timeout=120)
    assert made.read_bytes() == bundled_path.read_bytes()


def test_it_is_small_byte_level_and_loses_nothing(bundled):
    assert bundled.get_vocab_size() == 1024
    text = 'int café = "变量 😀";\r\n\t// x  y\n'
    encoding = bundled.encode(text)
    assert bundled.decode(encoding.ids) == text
    assert bundled.encode("public static int getCount()").tokens[:3] == [
        "public",
        "Ġstatic",
        "Ġint",
    ]

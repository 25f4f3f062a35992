"""Memory must not depend on the size of the corpus."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import TOKENIZER, write_rows

RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import TOKENIZER, make_priors
from gazecode.corpus import weigh_corpus
if __name__ == "__main__":
    weigh_corpus(sys.argv[2], priors=make_priors(), tokenizer=TOKENIZER, out=sys.argv[3])
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


def code(i: int) -> str:
    # Like published methods: a kilobyte, few names that repeat from one to the next.
    body = "".join(
        f"    int value{i}_{k} = compute(other{(i * k) % 97}, {k}) + offset;\n" for k in range(18)
    )
    return f"public int method{i}(int offset) {{\n{body}    return offset;\n}}\n"


def peak_mb(tmp_path: Path, n: int) -> float:
    rows = ({"id": f"m{i}", "language": "java", "code": code(i)} for i in range(n))
    corpus = tmp_path / f"{n}.jsonl"
    with corpus.open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    command = [sys.executable, str(script), str(Path(__file__).parent), str(corpus)]
    done = subprocess.run(
        [*command, str(tmp_path / f"out{n}")], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_corpus_a_hundred_times_as_large_takes_no_more_memory(tmp_path):
    if not TOKENIZER.is_file():
        pytest.skip("the bundled tokenizer is not there; run fixtures/demo/make_demo.py")
    small, large = peak_mb(tmp_path, 300), peak_mb(tmp_path, 30_000)
    print(f"\npeak: {small:.0f} MB for 300 sources, {large:.0f} MB for 30,000")
    assert large < 1.3 * small


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_line_of_any_length_takes_no_memory(tmp_path):
    if not TOKENIZER.is_file():
        pytest.skip("the bundled tokenizer is not there; run fixtures/demo/make_demo.py")
    small = peak_mb(tmp_path, 300)
    path = write_rows(
        tmp_path / "300.jsonl",
        [{"id": f"m{i}", "language": "java", "code": code(i)} for i in range(300)],
    )
    with path.open("ab") as file:
        for _ in range(300):
            file.write(b"x" * 1_000_000)
    script = tmp_path / "run.py"
    command = [sys.executable, str(script), str(Path(__file__).parent), str(path)]
    done = subprocess.run(
        [*command, str(tmp_path / "long")], check=True, capture_output=True, text=True
    )
    print(f"\npeak: {small:.0f} MB, with a line of 300 MB {float(done.stdout):.0f} MB")
    assert float(done.stdout) < small + 120

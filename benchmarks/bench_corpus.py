"""A whole corpus beside the tokenizer alone, and two jobs beside one.

The reach is 0.35 of the tokenizer's throughput and 1.7 times that of one job. On a shared machine
the ratios move by a tenth either way, and fast tokenizers stay below the reach (docs/evidence.md):
the reach is asserted where it holds in every run, else a floor below what was seen; printed is
the ratio with its distance from the reach.

The corpus is real code: functions of the standard library, and published Java methods where the
shared data are. Both sides of a ratio are timed in turn, in one run, in processes of one thread
(``TOKENIZERS_PARALLELISM=false``), and the best of each is taken. One thread beside one thread is
told in processor time, which others on the machine do not take; two jobs in time on the wall. They
do take its caches: below the floor it is measured again, and every ratio is printed.
"""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SHARE, SPEEDUP = 0.35, 1.7
FLOOR_SHARE = {"python": 0.35, "java": 0.32}
FLOOR_SPEEDUP = 1.6
ROUNDS = 5
ATTEMPTS = 4
"""So often at most: who shares the caches for a while slows Python more than the tokenizer."""
LEAST_BYTES = 1_500_000
"""A corpus below this is repeated: short runs measure the start."""
MANY = 12
"""So often for two processes, whose start takes a second each."""

RUN = """
import json, os, sys, tempfile, time
from pathlib import Path
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import numpy as np
import gazecode as gc
from gazecode.corpus import weigh_corpus
from gazecode.model import LABELS, LabelPriors, NgramTable

def main():
    corpus, tokenizer, rounds, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    known = np.arange(len(LABELS)) > 0
    pairs = {(a, b): 9 for a in LABELS[1:] for b in LABELS[1:]}
    priors = LabelPriors(
        hit=35.0 * known, shown=100.0 * known, theta_null=np.full(len(LABELS), np.nan),
        ngrams={1: NgramTable(order=1, counts={(a,): 9 for a in LABELS[1:]}),
                2: NgramTable(order=2, counts=pairs)},
    )
    codes = [json.loads(line)["code"] for line in Path(corpus).open(encoding="utf-8")]
    alone = gc.load_tokenizer(tokenizer)
    best = {}
    clock = time.process_time if jobs == ["1"] else time.perf_counter
    def timed(name, call):
        start = clock()
        call()
        best[name] = min(best.get(name, 1e9), clock() - start)
    def whole(n):
        with tempfile.TemporaryDirectory() as folder:
            weigh_corpus(corpus, priors=priors, tokenizer=tokenizer, out=folder, jobs=n)
    for _ in range(rounds):
        if "1" in jobs and len(jobs) == 1:
            timed("encode", lambda: alone.encode_batch(codes))
        for n in jobs:
            timed(n, lambda: whole(int(n)))
    print(json.dumps(best | {"bytes": sum(len(code.encode()) for code in codes)}))

if __name__ == "__main__":
    main()
"""


def functions() -> list[dict[str, str]]:
    """Top-level functions and classes of the standard library's modules."""
    rows = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        part: list[str] = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            if line.startswith(("def ", "class ", "async def ")) and part:
                rows.append("".join(part))
                part = []
            part.append(line)
        rows.append("".join(part))
    return [{"language": "python", "code": row} for row in rows if 100 < len(row) < 8000]


def methods(root: Path) -> list[dict[str, str]]:
    """Published Java methods, where the shared data are."""
    files = sorted((root.parent / "shared/data/eyemulator/dataset_sample").glob("*.jsonl"))
    rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    return [{"language": "java", "code": row["code"]} for row in rows]


@pytest.fixture(params=["python", "java"])
def corpus(request, tmp_path):
    rows = functions() if request.param == "python" else methods(request.config.rootpath)
    if not rows:
        pytest.skip("published Java methods are not beside this checkout (../shared/data)")

    def write(times: int = 1) -> Path:
        size = sum(len(row["code"]) for row in rows)
        path = tmp_path / f"{request.param}{times}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for _ in range(times * -(-LEAST_BYTES // size)):
                file.writelines(json.dumps(row) + "\n" for row in rows)
        return path

    write.name = request.param
    return write


@pytest.fixture
def tokenizer(request):
    path = request.config.rootpath / "fixtures" / "demo" / "tokenizer.json"
    if not path.is_file():
        pytest.skip("the bundled tokenizer is not there; run fixtures/demo/make_demo.py")
    return path


def measure(tmp_path, corpus: Path, tokenizer: Path, rounds: int, *jobs: int) -> dict[str, float]:
    script = tmp_path / "run.py"
    script.write_text(RUN, encoding="utf-8")
    command = [sys.executable, str(script), str(corpus), str(tokenizer), str(rounds)]
    done = subprocess.run([*command, *map(str, jobs)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_whole_job_beside_the_tokenizer(corpus, tokenizer, tmp_path):
    ratios: list[float] = []
    while len(ratios) < ATTEMPTS and max(ratios, default=0.0) < FLOOR_SHARE[corpus.name]:
        found = measure(tmp_path, corpus(), tokenizer, ROUNDS, 1)
        ratios.append(found["encode"] / found["1"])
        print(
            f"\n{corpus.name}: whole job {found['bytes'] / found['1'] / 1e6:.2f} MB/s, "
            f"{ratios[-1]:.2f} of encode_batch alone "
            f"(reach {SHARE}, room {ratios[-1] / SHARE - 1:+.0%})"
        )
    assert max(ratios) >= FLOOR_SHARE[corpus.name]


def test_whole_job_beside_real_tokenizers(request, tmp_path):
    """Printed without a bar: what the table in docs/evidence.md holds."""
    root = request.config.rootpath
    found = sorted((root.parent / "shared/data/tokenizers").glob("*/tokenizer.json"))
    rows = methods(root)
    usable = [path for path in found if "unloadable" not in path.parent.name]
    if not (usable and rows):
        pytest.skip("real tokenizers are not beside this checkout (../shared/data)")
    corpus = tmp_path / "java.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows * 4), encoding="utf-8")
    for path in usable:
        took = measure(tmp_path, corpus, path, 3, 1)
        ratio = took["encode"] / took["1"]
        print(f"{path.parent.name}: {ratio:.2f} of encode_batch alone (reach {SHARE})")
        assert 0 < ratio < 1


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores")
def test_two_jobs(corpus, tokenizer, tmp_path):
    if corpus.name != "python":
        pytest.skip("one language is enough")
    found = measure(tmp_path, corpus(MANY), tokenizer, 3, 1, 2)
    ratio = found["1"] / found["2"]
    print(
        f"\n2 jobs: {found['1']:.1f} s → {found['2']:.1f} s, {ratio:.2f} × "
        f"(reach {SPEEDUP}, room {ratio / SPEEDUP - 1:+.0%})"
    )
    assert ratio >= FLOOR_SPEEDUP

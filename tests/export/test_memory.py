"""Memory stays flat: a hundred times the examples need no more, written, read or checked."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

WORK = """
import dataclasses, resource, sys
from pathlib import Path
import numpy as np
from gazecode.export import convert, iter_examples, validate
from gazecode.export import to_hdf5, to_jsonl, to_parquet, to_safetensors
from gazecode.model import Example

suffix, rows, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
n, m = 60, 20
random = np.random.default_rng(0)
one = Example(
    example_id="x", source_id="s", participant="p", trial="t", language="java", text="abcd" * m,
    input_ids=random.integers(0, 50000, n), loss_mask=np.ones(n, bool), weight=random.random(n),
    attention=np.full(n, 1 / n), on_path=random.random(n) < 0.5,
    token_index=random.integers(-1, m, n), token_start=np.arange(m) * 4,
    token_end=np.arange(m) * 4 + 3, token_label=np.array(["loop", ""] * (m // 2), dtype=object),
    token_value=random.random(m), segment_name=np.array(["code"], dtype=object),
    segment_start=[1], segment_end=[n], transition_from=np.arange(n - 1),
    transition_to=np.arange(1, n), transition_share=np.ones(n - 1), transition_count=np.ones(n - 1),
)
stream = (dataclasses.replace(one, example_id=str(i)) for i in range(rows))
path = folder / f"{rows}.{suffix}"
writers = {"h5": to_hdf5, "jsonl": to_jsonl, "safetensors": to_safetensors}
writers.get(suffix, to_parquet)(stream, path)
assert sum(1 for _ in iter_examples(path)) == rows
assert validate(path).ok
convert(path, folder / f"{rows}-again.parquet")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def _peak_mib(suffix: str, rows: int, folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", WORK, suffix, str(rows), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="resource is of POSIX")
@pytest.mark.parametrize("suffix", ["parquet", "h5", "jsonl", "safetensors"])
def test_a_hundred_times_the_examples(suffix, tmp_path):
    # The small one is one full batch: what is held at a time by design.
    small, large = (_peak_mib(suffix, rows, tmp_path) for rows in (1024, 102_400))
    print(f"{suffix}: {small} MiB for 1,024 examples, {large} MiB for 102,400")
    assert large <= 1.3 * small

"""Big files stream: reading takes less than three times the memory of the arrays it returns."""

import json
import subprocess
import sys
import textwrap

import pytest
from makers import all_makers

MAKERS = all_makers()
ROWS = 400_000
LIMIT = 3.0
ROOM_BYTES = 16 << 20
"""For the blocks in flight, whatever the size of the file."""

CHILD = """
    import gc, json, sys
    from pathlib import Path
    import numpy as np
    from gazecode.readers import read

    def status(key):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith(key)))

    small, big = sys.argv[1:]
    read(small)  # imports, and whatever is made once
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    recording = read(big)
    peak = status("VmHWM") - before
    held = {}
    for samples in recording.samples.values():
        for column in (samples.t_ms, samples.xy_px, samples.pupil):
            held[column.__array_interface__["data"][0]] = column.nbytes
    events = recording.device_events
    for name in events.__dataclass_fields__:
        column = getattr(events, name)
        if column is not None:
            held[column.__array_interface__["data"][0]] = column.nbytes
    print(json.dumps({"peak": peak, "arrays": sum(held.values()), "rows": len(recording)}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_peak_memory_is_bounded_by_what_is_returned(name, tmp_path):
    paths = []
    for part, rows in (("small", 50), ("big", ROWS)):
        (tmp_path / part).mkdir()
        paths.append(str(MAKERS[name].make(tmp_path / part, rows)))
    run = [sys.executable, "-c", textwrap.dedent(CHILD), *paths]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    size = sum(p.stat().st_size for p in (tmp_path / "big").rglob("*") if p.is_file())
    print(
        f"{name}: file {size / 1e6:.0f} MB, arrays {found['arrays'] / 1e6:.0f} MB, "
        f"peak {found['peak'] / 1e6:.0f} MB, {found['peak'] / found['arrays']:.2f} x"
    )
    assert found["peak"] <= LIMIT * found["arrays"] + ROOM_BYTES

"""Raw samples to weights: 600,000 and 2,400,000 samples; reach: 5 s, linear, peak below 1 GB.

Every size runs in a process of its own, so that the peak is its own. From gaze in memory through
detection, mapping, weighing and alignment to a Parquet file; reading is measured by its own bench.
"""

import json
import subprocess
import sys

import pytest

RUN = """
import json, sys, tempfile, time
from pathlib import Path
import gazecode as gc
n, rate_hz = int(sys.argv[1]), 1000.0
code = "\\n".join(f"int value{i} = compute(value{i % 7}, {i}) + offset;" for i in range(30))
tokens = gc.parse(code, language="java")
layout = gc.grid_layout(tokens, origin_px=(100, 60), char_width_px=13, line_height_px=29)
screen = gc.Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)
gaze = gc.simulate.simulate(
    layout, seed=1, screen=screen, duration_ms=n / rate_hz * 1000,
    tracker=gc.simulate.Tracker(rate_hz=rate_hz),
).recording.gaze
tokenizer = gc.load_tokenizer(sys.argv[2])
def run():
    fixations = gc.detect(gaze, screen=screen).of("fixation")
    hits = gc.map_to_tokens(fixations, layout)
    example = gc.align(gc.weigh(hits, tokens), tokens, tokenizer, strength=0.5)
    with tempfile.TemporaryDirectory() as folder:
        gc.to_parquet([example], Path(folder) / "weights.parquet")
    return len(fixations)
run()  # the first call loads libraries
times = []
for _ in range(3):
    start = time.perf_counter()
    fixations = run()
    times.append(time.perf_counter() - start)
# Not ru_maxrss: a child takes over its parent's, so that what ran before would be measured.
status = Path("/proc/self/status").read_text(encoding="ascii")
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"s": min(times), "peak_mb": peak, "samples": len(gaze), "fixations": fixations}))
"""


def measure(n: int, tokenizer: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(n), tokenizer], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_raw_to_weights_is_linear(request):
    tokenizer = request.config.rootpath / "fixtures" / "demo" / "tokenizer.json"
    if not tokenizer.is_file():
        pytest.skip("the bundled tokenizer is not there; run fixtures/demo/make_demo.py")
    small, large = (measure(n, str(tokenizer)) for n in (600_000, 2_400_000))
    print(
        f"\nraw → weights: {small['s']:.2f} s and {small['peak_mb']:.0f} MB for 600k samples, "
        f"{large['s']:.2f} s and {large['peak_mb']:.0f} MB for 2.4M: "
        f"{large['s'] / small['s']:.2f} × (4 is linear)"
    )
    assert small["samples"] == 600_000
    assert large["samples"] == 2_400_000
    assert large["peak_mb"] < 1024

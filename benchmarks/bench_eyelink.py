"""Reading an EyeLink ``.asc`` of 600,000 samples, beside pymovements on the same file.

Run: ``pytest benchmarks/bench_eyelink.py --benchmark-enable --benchmark-only -s``. The peer runs
once in the same process; the ratio is in the benchmark's ``extra_info``. Values are compared
sample by sample.
"""

import importlib.util
import time
import warnings

import numpy as np
import pytest

from gazecode.readers import read

SAMPLES = 600_000
HEAD = (
    "** CONVERTED FROM demo.edf using edfapi 4.2\n** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED\n"
    "** VERSION: EYELINK II 1\n** SOURCE: EYELINK CL\n** EYELINK II CL v5.04 Sep 25 2014\n**\n\n"
    "MSG\t900 DISPLAY_COORDS 0 0 1919 1079\nMSG\t999 RECCFG CR 1000 2 1 R\n"
    "MSG\t999 GAZE_COORDS 0.00 0.00 1919.00 1079.00\nSTART\t1000 \tRIGHT\tSAMPLES\tEVENTS\n"
    "PRESCALER\t1\nVPRESCALER\t1\nPUPIL\tAREA\n"
    "EVENTS\tGAZE\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2\n"
    "SAMPLES\tGAZE\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2\n"
)


def asc_text(n):
    """A reading-like recording: fixations of 250 samples, a blink of 8 every third one."""
    rng = np.random.default_rng(7)
    xy = rng.uniform(0, 1080, (n, 2)).round(1)
    pupil = rng.integers(300, 900, n)
    lines = [HEAD]
    for i, (x, y) in enumerate(xy.tolist()):
        t = 1000 + i
        if i % 300 == 0:
            lines.append(f"SFIX R   {t}\n")
        if i % 900 > 892:
            lines.append(f"{t}\t   .\t   .\t    0.0\t...\n")
        else:
            lines.append(f"{t}\t{x:7.1f}\t{y:7.1f}\t{pupil[i]:7.1f}\t...\n")
        if i % 300 == 250:
            lines.append(f"EFIX R   {t - 250}\t{t}\t251\t  500.0\t  400.0\t    700\n")
    return "".join(lines) + f"END\t{1000 + n} \tSAMPLES\tEVENTS\tRES\t  35.00\t  35.00\n"


@pytest.fixture(scope="module")
def recording_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("eyelink") / "P01.asc"
    path.write_text(asc_text(SAMPLES))
    return path


def test_read_eyelink(benchmark, recording_file):
    got = benchmark.pedantic(read, args=(recording_file,), rounds=5, warmup_rounds=1)
    assert len(got) == SAMPLES
    if importlib.util.find_spec("pymovements") is None:
        pytest.skip("pymovements is not installed (pip install 'gazecode[bench]'); ours was timed")
    import pymovements as pm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses a mount configuration
        start = time.perf_counter()
        peer = pm.gaze.from_asc(recording_file)
        peer_s = time.perf_counter() - start
    right = got.samples["right"]
    np.testing.assert_array_equal(peer.samples["time"].to_numpy() - 1000.0, right.t_ms)
    pixel = np.array(peer.samples["pixel"].to_list(), dtype=float)
    np.testing.assert_array_equal(pixel, right.xy_px)
    pupil = peer.samples["pupil"].to_numpy()
    np.testing.assert_array_equal(np.where(pupil == 0, np.nan, pupil), right.pupil)
    if benchmark.stats is not None:
        ours_s = benchmark.stats.stats.median
        benchmark.extra_info |= {
            "samples": SAMPLES,
            "peer_s": round(peer_s, 3),
            "ratio": round(peer_s / ours_s, 1),
        }
        print(
            f"EyeLink, {SAMPLES} samples: {ours_s:.3f} s, pymovements {peer_s:.2f} s, "
            f"{peer_s / ours_s:.1f} times faster, values equal"
        )
        assert peer_s >= 12 * ours_s

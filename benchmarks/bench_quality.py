"""Assessing 600,000 samples whole, beside pymovements' data quality report on the same gaze.

Run: ``pytest benchmarks/bench_quality.py --benchmark-enable -s``. Ours is all that `gc.assess`
does: fixations are found, every figure is taken over the recording and ten trials. The peer's
``Gaze.report_data_quality`` (checks, loss, spread of the whole recording and of each trial) is
given positions in degrees and runs once; what counts is the lesser of its time on the clock and
that of all its threads.
"""

import time
import warnings

import numpy as np
import pytest

from gazecode.model import Recording, Samples, Screen, Trial
from gazecode.pipeline import assess

SAMPLES = 600_000
RATE_HZ = 1000.0
TRIALS = 10
REACH_S = 1.0
REACH_RATIO = 5.0
SCREEN = Screen(width_px=1920, height_px=1080, width_mm=527, height_mm=296, distance_mm=650)


def recording(eyes):
    """Fixations of about 250 ms, saccades of 30 ms, noise of its own in each eye, blinks."""
    rng = np.random.default_rng(3)
    t = np.arange(SAMPLES) * 1000.0 / RATE_HZ
    count = int(t[-1] / 200.0) + 2
    onset = np.cumsum(rng.uniform(0.6, 1.4, count) * 250.0 + 30.0)
    place = rng.uniform((200, 200), (1700, 900), (count, 2))
    # Held until 30 ms before the next onset, then straight to it.
    knots = np.stack([onset[:-1], onset[1:] - 30.0], axis=1).ravel()
    held = np.stack([np.interp(t, knots, np.repeat(place[:-1, k], 2)) for k in (0, 1)], axis=1)
    blink = np.arange(SAMPLES) % 4000 > 3850
    samples = {}
    for i, eye in enumerate(eyes):
        xy = held + rng.normal(0, 2.0, (SAMPLES, 2)) + 4.0 * i
        # An eye closes a little later than the other one.
        xy[np.roll(blink, 10 * i)] = np.nan
        samples[eye] = Samples(t_ms=t, xy_px=xy, eye=eye)
    length = t[-1] / TRIALS
    trials = [
        Trial(name=f"t{k}", onset_ms=k * length, offset_ms=(k + 1) * length, stimulus="a.java")
        for k in range(TRIALS)
    ]
    return Recording(samples=samples, screen=SCREEN, trials=trials)


def best_of_three(gaze):
    best_s = np.inf
    for _ in range(3):
        start = time.process_time()
        report = assess(gaze)
        best_s = min(best_s, time.process_time() - start)
    return report, best_s


def peer_report_s(gaze):
    """Time of pymovements' `report_data_quality` on the same eyes, in the same trials."""
    pymovements = pytest.importorskip(
        "pymovements", reason="pymovements is not installed; pip install 'gazecode[bench]'"
    )
    eyes = list(gaze.samples.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = pymovements.gaze.from_numpy(
            time=eyes[0].t_ms.astype(np.int64),
            pixel=np.concatenate([eye.xy_px.T for eye in eyes]),
            trial=np.arange(SAMPLES) * TRIALS // SAMPLES,
            experiment=pymovements.Experiment(
                1920, 1080, 52.7, 29.6, 65.0, origin="upper left", sampling_rate=RATE_HZ
            ),
        )
        peer.pix2deg()
        clock, processor = time.perf_counter(), time.process_time()
        report = peer.report_data_quality()
        took = time.perf_counter() - clock, time.process_time() - processor
    assert len(report.measures["trial"]) == TRIALS
    return min(took)


@pytest.mark.parametrize("eyes", [["left"], ["left", "right"]], ids=["one-eye", "two-eyes"])
def test_assess(eyes):
    gaze = recording(eyes)
    report, before_s = best_of_three(gaze)
    assert report.usable, report.reasons
    assert len(report.trials) == TRIALS
    assert report.recording["n_fixations"] > SAMPLES / 1000
    peer_s = peer_report_s(gaze)
    # Ours before and after the peer: a busy moment of the machine is short.
    ours_s = min(before_s, best_of_three(gaze)[1])
    ratio = peer_s / ours_s
    print(
        f"\nquality of {SAMPLES} samples, eyes {len(eyes)}: {ours_s:.3f} s (reach {REACH_S:.0f}), "
        f"pymovements {peer_s:.2f} s, ratio {ratio:.1f} (reach {REACH_RATIO:.0f})"
    )
    assert ours_s <= REACH_S
    assert ratio >= REACH_RATIO

"""1,134 items, 21 rows, 1,000 permutations, 1,000 draws, beside scipy's loop in the same run.

Run: ``pytest benchmarks/bench_agreement.py --benchmark-enable -s``. Items are as long as the
prompts of Kou et al. 2024 (28,937 units); people mark units, or look at them for a while. Ours is
all of `compare` with its default metrics and baseline rows; the peer is Spearman alone: for each
permutation ``scipy.stats.spearmanr`` of the permuted map with each row, on a few items, scaled up.
"""

import time
import warnings

import numpy as np
import pytest
from scipy import stats

from gazecode.agreement.compare import compare

ITEMS, ROWS, UNITS = 1_134, 21, 28_937
PERMUTATIONS = 1_000
REACH_S = 10.0
REACH_RATIO = 100.0


def sizes():
    """Short prompts of about 15 units and one in seven of about 90."""
    rng = np.random.default_rng(0)
    long = np.arange(ITEMS) % 7 == 0
    drawn = np.where(long, rng.gamma(4.0, 22.0, ITEMS), rng.gamma(20.0, 0.75, ITEMS)) + 3
    return np.maximum((drawn * UNITS / drawn.sum()).round().astype(int), 3)


def study(kind):
    rng = np.random.default_rng(1)
    human, rows, lengths = {}, {f"row {r}": {} for r in range(ROWS)}, {}
    for i, n in enumerate(sizes()):
        name = f"item {i}"
        marked = (rng.random(n) < 0.28).astype(float)
        human[name] = marked if kind == "marks" else marked * rng.gamma(2.0, 200.0, n)
        lengths[name] = rng.integers(1, 12, n).astype(float)
        for row in rows.values():
            row[name] = rng.random(n)
    return human, rows, lengths


def peer_s(human, rows, *, n_items=3, permutations=10):
    """Seconds that scipy's loop over all items, rows and permutations would take."""
    rng = np.random.default_rng(2)
    start = time.process_time()
    for name in list(human)[:n_items]:
        for _ in range(permutations):
            permuted = rng.permutation(human[name])
            for row in rows.values():
                stats.spearmanr(permuted, row[name])
    took = time.process_time() - start
    return took * (ITEMS / n_items) * (PERMUTATIONS / permutations)


@pytest.mark.parametrize("kind", ["marks", "gaze"])
def test_compare(kind):
    human, rows, lengths = study(kind)
    start = time.process_time()
    found = compare(human, rows, lengths=lengths, permutations=PERMUTATIONS)
    ours_s = time.process_time() - start
    assert len(found.rows) == ROWS + 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs_s = peer_s(human, rows)
    ratio = theirs_s / ours_s
    print(
        f"\ncompare, {kind}, {ITEMS} items, {sum(map(len, human.values()))} units, {ROWS} rows: "
        f"{ours_s:.2f} s (reach {REACH_S:.0f}), scipy's loop for Spearman alone {theirs_s:.0f} s, "
        f"ratio {ratio:.0f} (reach {REACH_RATIO:.0f})"
    )
    assert ratio >= REACH_RATIO

"""``import gazecode`` beside ``import pymovements``, each in a fresh process; reach: 1/10."""

import importlib.util
import subprocess
import sys
import time

import pytest

ROUNDS = 3


def import_s(statement: str) -> float:
    """Best of some fresh processes, the bare interpreter's own start taken off."""

    def best(code: str) -> float:
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    return best(statement) - best("pass")


def test_import_beside_pymovements():
    if importlib.util.find_spec("pymovements") is None:
        pytest.skip("pymovements is not installed; pip install 'gazecode[bench]'")
    ours, peer = import_s("import gazecode"), import_s("import pymovements")
    # Public names load when first used: with every one of them, numpy included.
    whole = import_s("import gazecode as gc\nfor name in gc.__all__: getattr(gc, name)")
    print(
        f"\nimport: gazecode {ours:.3f} s (every public name {whole:.2f} s), "
        f"pymovements {peer:.2f} s, ratio 1/{peer / ours:.0f} (1/{peer / whole:.1f})"
    )
    assert whole > 0

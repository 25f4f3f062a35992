"""``import gazecode`` beside ``import pymovements``, each in a fresh process; reach: 1/10."""

import importlib.util
import subprocess
import sys
import time

import pytest

ROUNDS = 3


def import_s(package: str) -> float:
    """Best of some fresh processes, the bare interpreter's own start taken off."""

    def best(statement: str) -> float:
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    return best(f"import {package}") - best("pass")


def test_import_beside_pymovements():
    if importlib.util.find_spec("pymovements") is None:
        pytest.skip("pymovements is not installed; pip install 'gazecode[bench]'")
    ours, peer = import_s("gazecode"), import_s("pymovements")
    print(f"\nimport: gazecode {ours:.2f} s, pymovements {peer:.2f} s, ratio 1/{peer / ours:.1f}")
    assert ours > 0

"""Reading every format, in MB/s, beside pandas' bare CSV reader on the same bytes.

Run: ``pytest benchmarks/bench_readers.py --benchmark-enable --benchmark-only -s``. The files are
made up (tests/readers/makers). The peer splits lines into cells where the format is delimited text,
and reads plain lines where it is XML or JSON; both times are processor time, best of three.
"""

import csv
import time
import warnings

import pandas as pd
import pytest
from makers import all_makers

from gazecode.readers import read
from gazecode.readers.tools.delimited import find_separator

ROWS = 120_000
REACH_MB_S = {"text": 15.0, "xml": 5.0}
"""On one core; JSON and binary files are printed without a bar."""
MAKERS = all_makers()


def processor_s(job):
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        job()
        best = min(best, time.process_time() - start)
    return best


def bare_pandas(path, kind):
    raw = path.read_bytes()
    head = raw[:4000].decode("utf-8", "replace")
    separator = find_separator(max(head.split("\n"), key=len)) if kind == "text" else "\x01"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pd.read_csv(
            path,
            sep=separator,
            header=None,
            names=range(200) if kind == "text" else None,
            quoting=csv.QUOTE_NONE,
            encoding="latin-1",
            low_memory=True,
            on_bad_lines="skip",
        )


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_read(benchmark, name, tmp_path):
    maker = MAKERS[name]
    path = maker.make(tmp_path, ROWS)
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    size_mb = sum(p.stat().st_size for p in files) / 1e6
    largest = max(files, key=lambda p: p.stat().st_size)
    benchmark.pedantic(read, args=(path,), rounds=1)
    if benchmark.stats is None:
        return
    ours = size_mb / processor_s(lambda: read(path))
    line = f"{name} ({maker.kind}): {size_mb:.1f} MB, {ours:.0f} MB/s"
    if maker.kind != "binary":
        peer = largest.stat().st_size / 1e6 / processor_s(lambda: bare_pandas(largest, maker.kind))
        line += f", bare pandas {peer:.0f} MB/s, ratio {ours / peer:.2f}"
        benchmark.extra_info |= {"mb_s": round(ours, 1), "peer_mb_s": round(peer, 1)}
    print(line)
    assert ours >= REACH_MB_S.get(maker.kind, 0.0)

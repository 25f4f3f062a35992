"""Reading every format, in MB/s, beside pandas' bare CSV reader on the same bytes.

Run: ``pytest benchmarks/bench_readers.py --benchmark-enable -s``; one table is printed at the end,
the slowest against its bar first. The files are made up (tests/readers/makers), each as long as
about `SIZE_MB` of text takes; MB are those of the text, unpacked where it is packed. The peer
splits lines into cells where the format is delimited text, and reads plain lines where it is XML or
JSON. Times are processor time, best of three.
"""

import csv
import gzip
import io
import time
import warnings

import pandas as pd
import pytest
from makers import all_makers

from gazecode.readers import read
from gazecode.readers.tools.delimited import find_separator

SIZE_MB = 3.0
PROBE_ROWS = 400
MAX_ROWS = 60_000
REACH_MB_S = {"text": 15.0, "xml": 5.0}
ATTEMPTS = 4
"""So often at most below the reach: others on the machine take its caches for a while."""
"""On one core; JSON and binary files are printed without a bar."""
MAKERS = all_makers()
MEASURED = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    if MEASURED:
        print(f"\n{'format':32}{'kind':>7}{'MB':>7}{'MB/s':>7}{'bar':>5}{'of bar':>8}", end="")
        print(f"{'pandas':>8}{'of pandas':>11}")
    for over, beside, line in sorted(MEASURED):
        print(f"{line}{over:8.1f}{beside}" if over < float("inf") else f"{line}{'':8}{beside}")


def processor_s(job):
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        job()
        best = min(best, time.process_time() - start)
    return best


def unpacked(path):
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


def make_about(maker, folder):
    """A file of about `SIZE_MB`, its folder's text in MB, and its largest text."""
    rows = PROBE_ROWS
    for attempt in ("probe", "big"):
        here = folder / attempt
        here.mkdir()
        path = maker.make(here, rows)
        texts = [unpacked(p) for p in sorted(here.rglob("*")) if p.is_file()]
        size_mb = sum(map(len, texts)) / 1e6
        rows = min(int(PROBE_ROWS * SIZE_MB / size_mb) + PROBE_ROWS, MAX_ROWS)
    return path, size_mb, max(texts, key=len)


def bare_pandas(raw, kind):
    """A call of pandas on these bytes; what it needs to know of them is found beforehand."""
    lines = raw[: 1 << 18].decode("latin-1").split("\n")
    separator = find_separator(max(lines, key=len)) if kind == "text" else "\x01"
    cells = [line.count(separator) for line in lines]
    return lambda: pd.read_csv(
        io.BytesIO(raw),
        sep=separator,
        # The names stand in the first of the widest lines, after what preamble there is.
        skiprows=cells.index(max(cells)) if kind == "text" else 0,
        index_col=False,
        quoting=csv.QUOTE_NONE,
        encoding="latin-1",
        on_bad_lines="skip",
    )


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_read(benchmark, name, tmp_path):
    maker = MAKERS[name]
    path, size_mb, largest = make_about(maker, tmp_path)
    benchmark.pedantic(read, args=(path,), rounds=1)
    if benchmark.stats is None:
        return
    bar = REACH_MB_S.get(maker.kind)
    ours = 0.0
    for _ in range(ATTEMPTS):
        ours = max(ours, size_mb / processor_s(lambda: read(path)))
        if bar is None or ours >= bar:
            break
    beside, over = "", float("inf") if bar is None else ours / bar
    if maker.kind != "binary":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = len(largest) / 1e6 / processor_s(bare_pandas(largest, maker.kind))
        beside = f"{peer:8.0f}{ours / peer:11.2f}"
        benchmark.extra_info |= {"mb_s": round(ours, 1), "peer_mb_s": round(peer, 1)}
    line = (
        f"{name:32}{maker.kind:>7}{size_mb:7.1f}{ours:7.0f}{'' if bar is None else f'{bar:.0f}':>5}"
    )
    MEASURED.append((over, beside, line))
    assert bar is None or ours >= bar

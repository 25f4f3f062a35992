"""Text of the made-up LabTracker: ``LABTRACKER 1``, a header line, one row per sample.

``time`` is in us on the tracker's clock, ``x`` and ``y`` are px from the top left, ``ok`` is 1
where the tracker saw the eye; other rows repeat the last gaze and are lost. ``page`` names the
stimulus.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from gazecode.errors import FormatError
from gazecode.model import Recording, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.delimited import read_delimited
from gazecode.readers.tools.trials import kept_rows, label_runs, unique_names

__all__ = ["READER", "read", "sniff"]

MAGIC = b"LABTRACKER 1\n"


def sniff(source: Source) -> bool:
    """Whether the first line is the tracker's own."""
    return source.head.replace(b"\r\n", b"\n").startswith(MAGIC)


def read(source: Source) -> Recording:
    """Read one recording: ``samples["both"]``, px; runs of one page are its trials."""
    counts: Counter[str] = Counter()
    frame = read_delimited(
        _without_magic(source),
        name=source.name,
        columns={"time": float, "x": float, "y": float, "ok": float, "page": str},
        counts=counts,
    )
    us = frame["time"].to_numpy()
    if not np.isfinite(us).any():
        raise FormatError(f"{source.name} holds no time stamp; expected us in column time")
    t_ms = (us - np.nanmin(us)) / 1000
    seen = frame["ok"].to_numpy() == 1
    counts["not_seen"] += int((~seen).sum())
    xy = np.where(seen[:, None], frame[["x", "y"]].to_numpy(), np.nan)
    samples = samples_of_eyes(t_ms, {"both": xy}, counts=counts)
    pages = frame["page"].iloc[kept_rows(t_ms, samples["both"].t_ms)].to_numpy(dtype=object)
    runs = label_runs(samples["both"].t_ms, pages)
    names = unique_names(str(pages[first]) for first, _, _ in runs)
    return Recording(
        samples=samples,
        trials=[
            Trial(name=name, onset_ms=onset, offset_ms=offset, stimulus=str(pages[first]))
            for name, (first, onset, offset) in zip(names, runs, strict=True)
        ],
        provenance={
            "clock": "column time, us; 0 at the first sample",
            "left_out": dict(+counts),
            "notes": [],
        },
    )


def _without_magic(source: Source) -> Iterator[bytes]:
    """The text as `read_delimited` takes it: its first line names the columns."""
    blocks = source.blocks()
    yield next(blocks).removeprefix(MAGIC)
    yield from blocks


READER = Reader(
    name="labtracker",
    title="LabTracker text (an example of a reader from another package)",
    sniff=sniff,
    read=read,
    suffixes=(".txt",),
    priority=10,
)

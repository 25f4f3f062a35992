"""Writes the frozen files of schema version 1. Run once, from the root of the repository:

    python tests/export/frozen/make.py tests/export/frozen

Never run it again over the same names: the point of these files is that they stay as they were
written, and that every later version of the package still reads them.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from gazecode.export import to_batch, to_hdf5, to_jsonl, to_parquet
from gazecode.model import Example

PROVENANCE = {
    "parameters": {"detect": {"method": "ivt", "min_duration_ms": 60.0}, "seed": 7},
    "tokenizer_sha256": "5f" * 32,
    "inputs_sha256": "a1" * 32,
    "units": {"token_value": "ms"},
}


def examples() -> list[Example]:
    """Three rows made up by hand: plain, beyond ASCII with a template, and empty."""
    plain = Example(
        example_id="one",
        source_id="Sum.java",
        participant="p1",
        trial="t1",
        language="java",
        text="int s = 0;",
        input_ids=[1, 40, 7, 300, 52, 9],
        loss_mask=[False, True, True, True, True, True],
        weight=[1.0, 0.5, 1.5, 1.0, 0.1, 1.9],
        attention=[0.0, 0.25, 0.5, 0.0, 0.0625, 0.1875],
        on_path=[False, True, True, False, True, True],
        token_index=[-1, 0, 1, 2, 3, 4],
        token_start=[0, 4, 6, 8, 9],
        token_end=[3, 5, 7, 9, 10],
        token_label=np.array(["type", "variable", "", "literal", ""], dtype=object),
        token_value=[120.0, 240.5, 0.0, 30.1, 90.0],
        participant_group="g1",
        source_group="c1",
        n_people=1,
        source_sha256="0c" * 32,
    )
    wide = Example(
        example_id="zwei/2",
        source_id="größe.py",
        participant="",
        trial="",
        language="python",
        text='# 例\r\nß = "\t🙂e\u0301"',
        input_ids=[0, 2147483647, 12],
        loss_mask=[True, False, True],
        weight=[1.0, 1.0, 3.4e38],
        attention=[0.0, 0.0, 0.0],
        on_path=[False, False, False],
        token_index=[0, -1, 2],
        token_start=[0, 7, 12],
        token_end=[5, 9, 22],
        token_label=np.array(["comment", 'naïve, "quoted"', "string"], dtype=object),
        token_value=[1e-30, 0.1, 2.5],
        source_group="c2",
        prior_sources=("a, b", "größe.java"),
        n_people=12,
    )
    empty = Example(
        example_id="three",
        source_id="",
        participant="p2",
        trial="t9",
        language="",
        text="",
        input_ids=[],
        loss_mask=[],
        weight=[],
        attention=[],
        on_path=[],
        token_index=[],
        token_start=[],
        token_end=[],
        token_label=np.array([], dtype=object),
        token_value=[],
        n_people=0,
    )
    return [plain, wide, empty]


def main(folder: Path) -> None:
    """Write the three containers and the expected content."""
    rows = examples()
    to_parquet(rows, folder / "version-1.parquet", provenance=PROVENANCE)
    with tempfile.TemporaryDirectory() as unpacked:
        to_hdf5(rows, Path(unpacked) / "version-1.h5", provenance=PROVENANCE)
        raw = (Path(unpacked) / "version-1.h5").read_bytes()
    (folder / "version-1.h5.gz").write_bytes(gzip.compress(raw, mtime=0))
    to_jsonl(rows, folder / "version-1.jsonl", provenance=PROVENANCE)
    expected = {"provenance": PROVENANCE, "rows": to_batch(rows).to_pylist()}
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (folder / "version-1.expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Writes the frozen files of the current schema version. Run once for each, from the root:

    python tests/export/frozen/make.py tests/export/frozen

Never run it again over the same names (it refuses to): the point of these files is that they stay
as they were written, and that every later version of the package still reads them. Those of
version 1 were written from the same rows without what version 2 brought.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from gazecode.export import (
    SCHEMA_VERSION,
    to_batch,
    to_hdf5,
    to_jsonl,
    to_parquet,
    to_safetensors,
)
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
        route="source_lm",
        attention_share=1.0,
        inert_weight=0.75,
        segment_name=np.array(["instruction", "code"], dtype=object),
        segment_start=[0, 1],
        segment_end=[1, 6],
        transition_from=[1, 1, 2, 5],
        transition_to=[1, 5, 1, 2],
        transition_share=[0.25, 0.75, 1.0, 1.0],
        transition_count=[1.0, 3.0, 0.5, 2.0],
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
        route="copy",
        pair_id="Paar-ß",
        pair_side="rejected",
        window=2,
        n_windows=5,
        attention_share=0.1,
        inert_weight=1e-30,
        segment_name=np.array(["prefix", 'naïve, "quoted"', "answer"], dtype=object),
        segment_start=[0, 1, 2],
        segment_end=[1, 1, 3],
        transition_from=[0, 2, 2, 2],
        transition_to=[2, 0, 1, 2],
        transition_share=[1.0, 0.3, 0.1, 0.6],
        transition_count=[1.0, 0.3, 0.1, 0.6],
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
    """Write all containers and the expected content."""
    rows = examples()
    name = f"version-{SCHEMA_VERSION}"
    if list(folder.glob(f"{name}.*")):
        raise SystemExit(f"{name} is frozen: its files are there and stay as they are")
    to_parquet(rows, folder / f"{name}.parquet", provenance=PROVENANCE)
    with tempfile.TemporaryDirectory() as unpacked:
        to_hdf5(rows, Path(unpacked) / f"{name}.h5", provenance=PROVENANCE)
        raw = (Path(unpacked) / f"{name}.h5").read_bytes()
    (folder / f"{name}.h5.gz").write_bytes(gzip.compress(raw, mtime=0))
    to_jsonl(rows, folder / f"{name}.jsonl", provenance=PROVENANCE)
    to_safetensors(rows, folder / f"{name}.safetensors", provenance=PROVENANCE)
    expected = {"provenance": PROVENANCE, "rows": to_batch(rows).to_pylist()}
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (folder / f"{name}.expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Other people's programs see what was written: DuckDB, pandas, xarray, h5py, h5dump, GNU Octave.

Nothing of the package reads here. What is not installed is skipped by name.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from gazecode.export import COLUMNS, to_hdf5, to_jsonl, to_parquet
from gazecode.model import Example

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "read_elsewhere.sh"
UNITS = {column.name: column.unit for column in COLUMNS} | {"token_value": "ms"}
LENGTH = {
    "position": "length",
    "token": "token_length",
    "segment": "segment_length",
    "transition": "transition_length",
}
PADDED = tuple(column for column in COLUMNS if column.along in LENGTH)
NUMBERS = tuple(column for column in COLUMNS if column.element != "string")


def needs(command: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        shutil.which(command) is None,
        reason=f"{command} is not installed: apt-get install {package}",
    )


@pytest.fixture(scope="module")
def examples(make_example: Callable[..., Example]) -> list[Example]:
    """Three of different lengths, one with saccades and parts, one with nothing looked at."""
    short = {
        name: getattr(make_example(), name)[:2]
        for name in ("input_ids", "loss_mask", "weight", "on_path", "token_index")
    }
    return [
        make_example("one, first"),
        make_example("two", **short, attention=[0.0, 0.0], prior_sources=()),
        make_example(
            "three",
            segment_name=np.array(["instruction", "code"], dtype=object),
            segment_start=[0, 1],
            segment_end=[1, 4],
            transition_from=[1, 2],
            transition_to=[2, 1],
            transition_share=[1.0, 1.0],
            transition_count=[1.0, 2.5],
        ),
    ]


@pytest.fixture(scope="module")
def folder(examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows in each container."""
    folder = tmp_path_factory.mktemp("it's here")
    for name, write in (("parquet", to_parquet), ("h5", to_hdf5), ("jsonl", to_jsonl)):
        write(examples, folder / f"weights.{name}", provenance={"units": {"token_value": "ms"}})
    return folder


def written(example: Example, name: str) -> Any:
    """What must be found: floats at the precision of the files."""
    value = getattr(example, name)
    if isinstance(value, np.ndarray):
        return (value.astype(np.float32) if value.dtype == np.float64 else value).tolist()
    return list(value) if isinstance(value, tuple) else value


def same(found: Any, example: Example, name: str) -> None:
    if name != "row_digest":
        assert found == written(example, name), (example.example_id, name)


def in_hdf5(example: Example, name: str) -> Any:
    """A list of sources is one text there."""
    value = written(example, name)
    return json.dumps(value, separators=(",", ":")) if name == "prior_sources" else value


# --- Parquet -------------------------------------------------------------------------------------


def test_duckdb(folder, examples):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: pip install duckdb")
    path = folder / "weights.parquet"
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        (said,) = database.execute(
            "SELECT decode(value) FROM parquet_kv_metadata(?) WHERE decode(key) = 'gazecode'",
            [str(path)],
        ).fetchone()
        unnested = database.execute(
            "SELECT sum(w), count(*) FROM (SELECT unnest(weight) AS w FROM read_parquet(?))",
            [str(path)],
        ).fetchone()
    assert names == [column.name for column in COLUMNS]
    for row, example in zip(rows, examples, strict=True):
        for name in names:
            same(row[name], example, name)
    assert json.loads(said)["units"] == UNITS
    weights = np.concatenate([example.weight for example in examples])
    assert unnested == (pytest.approx(weights.sum(), rel=1e-6), len(weights))


def test_pandas(folder, examples):
    frame = pd.read_parquet(folder / "weights.parquet")
    assert list(frame.columns) == [column.name for column in COLUMNS]
    for i, example in enumerate(examples):
        for column in COLUMNS:
            value = frame[column.name][i]
            same(value.tolist() if column.is_list else value, example, column.name)
    said = json.loads(pq.read_schema(folder / "weights.parquet").metadata[b"gazecode"])
    assert said["units"] == UNITS


# --- HDF5 ----------------------------------------------------------------------------------------


def test_xarray(folder, examples):
    with xr.open_dataset(folder / "weights.h5") as data:
        data.load()
        assert {column.name: data[column.name].attrs["units"] for column in COLUMNS} == UNITS
        assert json.loads(data.attrs["gazecode"])["units"] == UNITS
        for i, example in enumerate(examples):
            row = data.isel(example=i)
            for column in COLUMNS:
                values = row[column.name]
                if column in PADDED:
                    values = values[: int(row[LENGTH[column.along]])]
                if column.name != "row_digest":
                    assert values.values.tolist() == in_hdf5(example, column.name), column.name


def test_h5py(folder, examples):
    with h5py.File(folder / "weights.h5") as file:
        for column in COLUMNS:
            unit = file[column.name].attrs["units"]
            assert (unit.decode() if isinstance(unit, bytes) else unit) == UNITS[column.name]
            values = file[column.name]
            values = values.asstr() if column.element == "string" else values
            for i, example in enumerate(examples):
                row = values[i]
                if column in PADDED:
                    row = row[: file[LENGTH[column.along]][i]].tolist()
                if column.name != "row_digest":
                    assert row == in_hdf5(example, column.name), column.name


# --- programs beside Python ----------------------------------------------------------------------


def run(*command: str | Path, **settings: Any) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **settings,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def dumped(path: Path, name: str) -> tuple[str, dict[str, str]]:
    """What h5dump prints between the braces of the data, and of each attribute that is a text."""
    said = run("h5dump", "-y", "-w", "0", "-m", "%.9g", "-d", f"/{name}", path)
    data = re.search(r"\bDATA \{\n(.*?)\n\s*\}", said, re.DOTALL)
    # Each attribute says its type first, of texts the character set among it.
    texts = re.findall(
        r'ATTRIBUTE "(\w+)" \{\s*DATATYPE  H5T_STRING.*?DATA \{\s*"(.*?)"\n', said, re.DOTALL
    )
    return data[1] if data else "", dict(texts)


@needs("h5dump", "hdf5-tools")
def test_h5dump(folder, examples):
    path = folder / "weights.h5"
    lengths = {
        along: [int(n) for n in dumped(path, name)[0].split(",")] for along, name in LENGTH.items()
    }
    for column in NUMBERS:
        data, attributes = dumped(path, column.name)
        assert attributes["units"] == UNITS[column.name]
        cells = np.array([float(cell) for cell in data.split(",")]).reshape(len(examples), -1)
        for row, (cell, example) in enumerate(zip(cells, examples, strict=True)):
            n = lengths[column.along][row] if column in PADDED else 1
            expected = np.atleast_1d(written(example, column.name)).astype(np.float32)
            np.testing.assert_array_equal(cell[:n].astype(np.float32), expected, column.name)
    names, _ = dumped(path, "example_id")
    assert re.findall(r'"(.*?)"', names) == [example.example_id for example in examples]


OCTAVE_LOAD = """
data = load("-hdf5", getenv("HDF5"), {names});
for name = fieldnames(data)'
  printf("%s:%s\\n", name{{1}}, sprintf(" %.9g", data.(name{{1}})));
end
"""


def octave(script: str, **environment: str | Path) -> str:
    given = {name: str(value) for name, value in environment.items()}
    return run("octave-cli", "--quiet", "--norc", "--eval", script, env=_ENVIRONMENT | given)


_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


@needs("octave-cli", "octave")
def test_octave_loads_numbers(folder, examples):
    """By name: without names ``load`` stops at the first text. Dimensions come reversed."""
    wanted = [*(column.name for column in NUMBERS), *LENGTH.values()]
    said = octave(
        OCTAVE_LOAD.format(names=", ".join(f'"{name}"' for name in wanted)),
        HDF5=folder / "weights.h5",
    )
    found = {
        name: np.array(values.split(), dtype=float)
        for name, values in (line.split(":") for line in said.splitlines())
    }
    assert found.keys() == set(wanted)
    for column in NUMBERS:
        # Printed column by column, which is row by row as it was written.
        cells = found[column.name].reshape(len(examples), -1)
        for row, (cell, example) in enumerate(zip(cells, examples, strict=True)):
            n = int(found[LENGTH[column.along]][row]) if column in PADDED else 1
            expected = np.atleast_1d(written(example, column.name)).astype(np.float32)
            np.testing.assert_array_equal(cell[:n].astype(np.float32), expected, column.name)


OCTAVE_JSON = """
lines = fopen(getenv("JSONL"), "r");
said = jsondecode(fgetl(lines));
first = jsondecode(fgetl(lines));
printf("%s\\n", said.gazecode.units.token_value, first.example_id, first.text, first.token_label{:});
printf("%.9g ", first.weight);
"""


@needs("octave-cli", "octave")
def test_octave_reads_texts_and_units_from_json_lines(folder, examples):
    unit, *texts, weights = octave(OCTAVE_JSON, JSONL=folder / "weights.jsonl").split("\n")
    first = examples[0]
    assert unit == "ms"
    assert texts == [first.example_id, first.text, *first.token_label]
    found = np.array(weights.split(), dtype=np.float32)
    np.testing.assert_array_equal(found, first.weight.astype(np.float32))


@pytest.fixture
def lines(folder: Path) -> dict[str, dict[str, str]]:
    """What the documented script prints, by program."""
    if shutil.which("sh") is None:
        pytest.skip("there is no POSIX shell (sh) here")
    said = run(
        *("sh", SCRIPT, *(folder / f"weights.{suffix}" for suffix in ("parquet", "h5", "jsonl"))),
        env={"PATH": _ENVIRONMENT["PATH"], "PYTHON": sys.executable, "LC_ALL": "C.UTF-8"},
    )
    blocks = [block.splitlines() for block in said.split("\n== ")[1:]]
    return {
        head.split(",")[0]: dict(line.split(": ", 1) for line in rest)
        for head, *rest in (filter(None, block) for block in blocks)
    }


@pytest.mark.slow
def test_the_documented_script_prints_the_same_for_every_program(lines, examples):
    first = examples[0]
    expected = {
        "rows": "3",
        "example_id": first.example_id,
        "weight": " ".join(f"{np.float32(x):.6g}" for x in first.weight),
        "token_value": " ".join(f"{np.float32(x):.6g}" for x in first.token_value),
        "unit": "ms",
    }
    read = {program: said for program, said in lines.items() if "not installed" not in program}
    assert {"pandas", "xarray", "h5py"} <= read.keys()
    for program, said in read.items():
        assert said == expected, program


def test_the_script_says_how_it_is_called():
    if shutil.which("sh") is None:
        pytest.skip("there is no POSIX shell (sh) here")
    done = subprocess.run(["sh", SCRIPT], capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sh read_elsewhere.sh")


@pytest.mark.parametrize("missing", range(3))
def test_the_script_says_first_which_file_cannot_be_read(folder, missing):
    if shutil.which("sh") is None:
        pytest.skip("there is no POSIX shell (sh) here")
    files = [str(folder / f"weights.{suffix}") for suffix in ("parquet", "h5", "jsonl")]
    files[missing] = "no where"
    done = subprocess.run(
        ["sh", SCRIPT, *files],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: no where cannot be read; check the path\n"

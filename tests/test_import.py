"""``import gazecode`` stays light: heavy libraries load inside the function that needs them."""

import subprocess
import sys

import pytest

import gazecode

HEAVY = {
    *("pandas", "scipy", "xarray", "pyarrow", "pymovements", "polars", "matplotlib", "sklearn"),
    *("torch", "transformers", "jax", "datasets", "dask", "distributed", "tokenizers"),
    *("tree_sitter", "h5py", "h5netcdf", "pydantic", "jinja2", "rich", "typer"),
}


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_import_loads_nothing_heavy():
    assert not modules_after("import gazecode") & HEAVY


def test_every_public_name_loads_and_none_of_them_is_heavy():
    statement = "import gazecode\nfor name in gazecode.__all__: getattr(gazecode, name)"
    loaded = modules_after(statement)
    assert "numpy" in loaded
    assert not loaded & HEAVY


def test_an_unknown_name_is_said_as_usual():
    with pytest.raises(AttributeError, match="module 'gazecode' has no attribute 'reed'"):
        gazecode.reed  # noqa: B018
    assert dir(gazecode) == sorted(gazecode.__all__)


@pytest.mark.parametrize("statement", ["import pandas", "import tokenizers"])
def test_the_check_above_can_fail(statement):
    assert modules_after(statement) & HEAVY

import json

import numpy as np
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazecode.export import to_hdf5, to_xarray


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_equals_what_xarray_reads_from_the_file(data, tmp_path, some_examples):
    examples = data.draw(some_examples)
    to_hdf5(examples, tmp_path / "w.h5")
    made = to_xarray(iter(examples))
    with xr.open_dataset(tmp_path / "w.h5") as read:
        assert set(read.variables) == set(made.variables)
        assert set(read.coords) == set(made.coords)
        assert read.attrs == made.attrs
        for name, variable in made.variables.items():
            assert variable.dims == read[name].dims
            assert variable.attrs == read[name].attrs
            values = read[name].values
            if variable.dtype.kind == "O":
                values = values.astype(object)
            assert variable.dtype == values.dtype
            np.testing.assert_array_equal(variable.values, values)


def test_units_and_masks(make_example):
    data = to_xarray([make_example()])
    assert data["token_start"].attrs["units"] == "byte"
    assert data["loss_mask"].dtype == bool
    assert json.loads(data.attrs["gazecode"])["schema_version"] == 2
    assert float((data["weight"] * data["loss_mask"]).sum()) == np.float32(3.1)

"""Files for other labs: weights as Parquet, HDF5 (netCDF-4), JSON lines and safetensors.

The schema is written down in ``docs/schema.md``. Every file appears under its final name whole or
not at all, says its units and parameters, and is byte-identical on a rerun. Recordings go to BIDS
(`to_bids`) and to pymovements and back (`to_pymovements`, `from_pymovements`).
"""

from gazecode.disk import replacing
from gazecode.export.bids import to_bids
from gazecode.export.convert import convert
from gazecode.export.eyemulator import to_eyemulator
from gazecode.export.flat import flat_batch
from gazecode.export.hdf5 import to_hdf5
from gazecode.export.jsonl import to_jsonl
from gazecode.export.metadata import inputs_digest
from gazecode.export.opening import iter_examples, open_stored, read_examples
from gazecode.export.parquet import parquet_bytes, to_parquet, write_batches
from gazecode.export.pymovements import to_pymovements
from gazecode.export.pymovements_back import from_pymovements
from gazecode.export.rows import from_batch, to_batch
from gazecode.export.safetensors import to_safetensors
from gazecode.export.schema import COLUMNS, SCHEMA_VERSION, arrow_schema
from gazecode.export.scores import ScoredText, iter_scores, read_scores, to_scores
from gazecode.export.table import read_metadata, write_table
from gazecode.export.tensors import to_xarray
from gazecode.export.validate import Problem, ValidationReport, validate

__all__ = [
    "COLUMNS",
    "SCHEMA_VERSION",
    "Problem",
    "ScoredText",
    "ValidationReport",
    "arrow_schema",
    "convert",
    "flat_batch",
    "from_batch",
    "from_pymovements",
    "inputs_digest",
    "iter_examples",
    "iter_scores",
    "open_stored",
    "parquet_bytes",
    "read_examples",
    "read_metadata",
    "read_scores",
    "replacing",
    "to_batch",
    "to_bids",
    "to_eyemulator",
    "to_hdf5",
    "to_jsonl",
    "to_parquet",
    "to_pymovements",
    "to_safetensors",
    "to_scores",
    "to_xarray",
    "validate",
    "write_batches",
    "write_table",
]

#!/bin/sh
# Reads weights with whatever is installed here, without gazecode: DuckDB, pandas, xarray, h5py,
# h5dump, GNU Octave. Each prints the same lines, so that a lab that has received the files sees
# that they hold the same numbers and units for everyone.
#
#   sh read_elsewhere.sh weights.parquet weights.h5 [weights.jsonl]
#
# PYTHON names the Python to ask (python3). On Debian and Ubuntu the rest comes with
#   apt-get install hdf5-tools octave octave-netcdf
set -eu

if [ $# -lt 2 ]; then
    echo "usage: sh read_elsewhere.sh weights.parquet weights.h5 [weights.jsonl]" >&2
    exit 2
fi
parquet=$1 hdf5=$2 jsonl=${3-}
python=${PYTHON-python3}
for file in "$parquet" "$hdf5" ${jsonl:+"$jsonl"}; do
    if [ ! -f "$file" ] || [ ! -r "$file" ]; then
        echo "error: $file cannot be read; check the path" >&2
        exit 1
    fi
done

has_module() {
    "$python" -c "from importlib.util import find_spec as f; exit(f('$1') is None)" 2>/dev/null
}
has_command() { command -v "$1" >/dev/null 2>&1; }
absent() { printf '\n== %s: not installed\n' "$1"; }

# --- DuckDB: plain SQL, in its shell or in Python -------------------------------------------------
read_with_duckdb() {
    quoted=$(printf '%s' "$parquet" | sed "s/'/''/g")
    sql="
    WITH first AS (SELECT * FROM '$quoted' LIMIT 1),
    said AS (
        SELECT decode(value) AS json FROM parquet_kv_metadata('$quoted')
        WHERE decode(key) = 'gazecode'
    )
    SELECT 'rows: ' || count(*) FROM '$quoted'
    UNION ALL SELECT 'example_id: ' || example_id FROM first
    UNION ALL SELECT 'weight: ' || array_to_string(
        [printf('%.6g', x::DOUBLE) FOR x IN weight], ' ') FROM first
    UNION ALL SELECT 'token_value: ' || array_to_string(
        [printf('%.6g', x::DOUBLE) FOR x IN token_value], ' ') FROM first
    UNION ALL SELECT 'unit: ' || regexp_extract(json, '\"token_value\":\"([^\"]*)\"', 1) FROM said"
    if has_command duckdb; then
        duckdb -noheader -list -c "$sql"
    else
        "$python" - "$sql" <<'END'
import sys

import duckdb

print(*(line for (line,) in duckdb.sql(sys.argv[1]).fetchall()), sep="\n")
END
    fi
}

# --- pandas: columns; what the file says about itself is in the Parquet footer --------------------
read_with_pandas() {
    "$python" - "$parquet" <<'END'
import json
import sys

import pandas as pd
import pyarrow.parquet as pq

frame = pd.read_parquet(sys.argv[1])
said = json.loads(pq.read_schema(sys.argv[1]).metadata[b"gazecode"])
first = frame.iloc[0]
print("rows:", len(frame))
print("example_id:", first["example_id"])
print("weight:", *(f"{x:.6g}" for x in first["weight"]))
print("token_value:", *(f"{x:.6g}" for x in first["token_value"]))
print("unit:", said["units"]["token_value"])
END
}

# --- xarray: netCDF-4, padded; "length" and "token_length" say how much of a row is content -------
read_with_xarray() {
    "$python" - "$hdf5" <<'END'
import sys

import xarray as xr

with xr.open_dataset(sys.argv[1], engine="h5netcdf") as data:
    first = data.isel(example=0)
    weight = first["weight"][: int(first["length"])]
    value = first["token_value"][: int(first["token_length"])]
    print("rows:", data.sizes["example"])
    print("example_id:", first["example_id"].item())
    print("weight:", *(f"{x:.6g}" for x in weight.values))
    print("token_value:", *(f"{x:.6g}" for x in value.values))
    print("unit:", value.attrs["units"])
END
}

# --- h5py -----------------------------------------------------------------------------------------
read_with_h5py() {
    "$python" - "$hdf5" <<'END'
import sys

import h5py

with h5py.File(sys.argv[1]) as file:
    unit = file["token_value"].attrs["units"]
    print("rows:", len(file["example_id"]))
    print("example_id:", file["example_id"].asstr()[0])
    print("weight:", *(f"{x:.6g}" for x in file["weight"][0, : file["length"][0]]))
    print("token_value:", *(f"{x:.6g}" for x in file["token_value"][0, : file["token_length"][0]]))
    print("unit:", unit.decode() if isinstance(unit, bytes) else unit)
END
}

# --- h5dump: -s where to start, -c how many -------------------------------------------------------
dumped() { # options of h5dump -> the values alone
    h5dump -y -w 0 -A 0 "$@" "$hdf5" |
        awk '/DATA [{]/ { on = 1; next } on && /[}]/ { exit } on { $1 = $1; print }'
}
numbers() { dumped "$@" | tr ',\n' '  ' | awk '{ $1 = $1; print }'; }
attribute() { # path of an attribute -> its text
    h5dump -a "$1" "$hdf5" | sed -n 's/^ *(0): "\(.*\)"$/\1/p'
}
read_with_h5dump() {
    n=$(numbers -d /length -s 0 -c 1)
    m=$(numbers -d /token_length -s 0 -c 1)
    echo "rows: $(numbers -d /length | wc -w | tr -d ' ')"
    echo "example_id: $(dumped -d /example_id -s 0 -c 1 | sed 's/^"//; s/"$//')"
    echo "weight: $(numbers -d /weight -s 0,0 -c "1,$n")"
    echo "token_value: $(numbers -d /token_value -s 0,0 -c "1,$m")"
    echo "unit: $(attribute /token_value/units)"
}

# --- GNU Octave -----------------------------------------------------------------------------------
# "load" takes numbers by name; without names it stops at the first text. Dimensions come reversed:
# position x example. Texts are in the JSON lines (Octave 7 and later); units are there, too, or
# come with the package netcdf.
read_with_octave() {
    HDF5=$hdf5 JSONL=$jsonl octave-cli --quiet --norc --eval '
    file = getenv("HDF5");
    data = load("-hdf5", file, "length", "token_length", "weight", "token_value");
    printf("rows: %d\n", numel(data.length));
    unit = "";
    if ! isempty(getenv("JSONL"))
        lines = fopen(getenv("JSONL"), "r");
        said = jsondecode(fgetl(lines));
        first = jsondecode(fgetl(lines));
        fclose(lines);
        printf("example_id: %s\n", first.example_id);
        unit = said.gazecode.units.token_value;
    end
    printf("weight:%s\n", sprintf(" %.6g", data.weight(1:data.length(1), 1)));
    printf("token_value:%s\n", sprintf(" %.6g", data.token_value(1:data.token_length(1), 1)));
    try
        pkg load netcdf
        unit = ncreadatt(file, "token_value", "units");
    catch
    end
    if ! isempty(unit)
        printf("unit: %s\n", unit);
    end'
}

if has_command duckdb || has_module duckdb; then
    printf '\n== DuckDB, %s\n' "$parquet" && read_with_duckdb
else absent DuckDB; fi
if has_module pandas && has_module pyarrow; then
    printf '\n== pandas, %s\n' "$parquet" && read_with_pandas
else absent pandas; fi
if has_module xarray && has_module h5netcdf; then
    printf '\n== xarray, %s\n' "$hdf5" && read_with_xarray
else absent xarray; fi
if has_module h5py; then
    printf '\n== h5py, %s\n' "$hdf5" && read_with_h5py
else absent h5py; fi
if has_command h5dump; then
    printf '\n== h5dump, %s\n' "$hdf5" && read_with_h5dump
else absent h5dump; fi
if has_command octave-cli; then
    printf '\n== GNU Octave, %s\n' "$hdf5" && read_with_octave
else absent "GNU Octave"; fi

"""Files made to harm: each is read or refused in one line, in bounded memory and time, told safely.

Every attack runs in a fork of its own (`confined`): 4 GiB of addresses, `SECONDS` of the processor;
what it used at its peak is measured. The slow tests try every maker; the fast ones a few.
"""

import contextlib
import gzip
import io
import json
import os
import re
import shutil
import sqlite3
import struct
import zipfile
import zlib

import numpy as np
import pytest
from confined import Confined
from makers import all_makers

MAKERS = all_makers()
FEW = ("eyelink-mono", "itrace_core", "smi_iview", "table-text")
TEXTS = [name for name in sorted(MAKERS) if MAKERS[name].kind != "binary"]
XMLS = [name for name in sorted(MAKERS) if MAKERS[name].kind == "xml"]
JSONS = [name for name in sorted(MAKERS) if MAKERS[name].kind == "json"]
BESIDE = ("tobii_glasses2", "itrace_atom", "bids")
MEGABYTES = 600
SECONDS = 20
MOST_SAID = 2100
GIB = 1 << 30
FAULTS = ("NameError", "UnboundLocalError", "AttributeError", "AssertionError", "root:x:")


def few_of(names, few):
    """Those that run always, and the rest with the slow tests."""
    return [n if n in few else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.fixture(scope="module")
def confined():
    child = Confined()
    yield child
    child.close()


@pytest.fixture
def attack(confined):
    """Read a file in a confined fork; whatever happens must be one of the two good ends."""

    def attack(path, reader=None, what="", *, job="read", **more):
        if job == "read":
            more["reader"] = reader
        found = confined.run(job, SECONDS, path=str(path), **more)
        where = f"{what} {path.name[:60]!r} {reader}: {found.word} {found.said[:300]!r}"
        assert found.word in ("read", "refused"), where
        assert found.peak_mb < MEGABYTES, f"{where}: {found.peak_mb:.0f} MB"
        assert found.seconds < SECONDS, f"{where}: {found.seconds:.1f} s"
        assert not any(fault in found.said for fault in FAULTS), where
        if found.word == "refused":
            assert is_one_safe_line(found.said), where
        return found

    return attack


def is_one_safe_line(said):
    return 0 < len(said) <= MOST_SAID and not re.search(
        r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028]", said
    )


def made(name, folder):
    folder.mkdir(exist_ok=True)
    return MAKERS[name].make(folder, 40)


def text_of(path):
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


def put(path, raw):
    path.write_bytes(gzip.compress(raw, 1) if path.name.endswith(".gz") else raw)


def as_gzip(path):
    return path if path.name.endswith(".gz") else path.rename(path.with_name(path.name + ".gz"))


def bomb(path, head, unit, megabytes):
    """A thousand to one: one packed megabyte, as many times as wanted."""
    piece = unit * max((1 << 20) // len(unit), 1)
    path.write_bytes(gzip.compress(head) + gzip.compress(piece, 9) * megabytes)


# gzip and zip


@pytest.mark.parametrize("name", few_of(TEXTS, FEW))
def test_gzip_in_pieces_broken_nested_and_zip(attack, tmp_path, name):
    path, reader = made(name, tmp_path), MAKERS[name].reader
    whole = attack(path, reader, "as it is")
    raw = text_of(path)
    packed = as_gzip(path)
    packed.write_bytes(b"".join(gzip.compress(raw[i : i + 99]) for i in range(0, len(raw), 99)))
    in_pieces = attack(packed, reader, "members")
    assert in_pieces.word == "read", in_pieces.said
    assert json.loads(in_pieces.said)[0] == json.loads(whole.said)[0]
    once = gzip.compress(raw)
    for what, bad in {
        "cut": once[: len(once) // 2],
        "crc": once[:-6] + bytes([once[-6] ^ 255]) + once[-5:],
        "nested": gzip.compress(once),
        "garbage after": once + b"garbage",
        "zip": zipped(raw),
    }.items():
        packed.write_bytes(bad)
        assert attack(packed, reader, what).word == "refused" or what == "zip", what
        assert attack(packed, None, what).word == "refused", what


def zipped(raw):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("P01.csv", raw)
    return held.getvalue()


def test_a_zip_archive_is_called_one(attack, tmp_path):
    path = tmp_path / "P01.csv"
    path.write_bytes(zipped(b"\0" * 10_000_000))
    assert "is a zip archive" in attack(path).said


@pytest.mark.parametrize("name", few_of(TEXTS, FEW))
def test_gzip_bombs(attack, tmp_path, name):
    path, reader = made(name, tmp_path), MAKERS[name].reader
    raw = text_of(path)
    head, _, rest = raw.partition(b"\n")
    row = rest.rstrip().rpartition(b"\n")[2] + b"\n"
    separator = next((s for s in (b"\t", b";", b",") if s in head), b",")
    path = as_gzip(path)
    bomb(path, raw, row, 150)
    found = attack(path, reader, "rows")
    assert found.word == "refused" or name not in FEW
    bomb(path, raw, b"1", 150)
    found = attack(path, reader, "one line")
    assert found.word == "refused" or name not in FEW
    bomb(path, head + b"\n", separator, 150)
    attack(path, reader, "separators")
    bomb(path, head, separator, 150)
    attack(path, reader, "cells of the header")
    bomb(path, head + b"\n", b"\n", 10)
    attack(path, reader, "10 million empty lines")
    bomb(path, raw, b"\0", 300)
    attack(path, None, "zeros")


def test_members_that_hold_nothing_end_soon(attack, tmp_path):
    path = made("smi_iview", tmp_path)
    raw = path.read_bytes()
    path = as_gzip(path)
    path.write_bytes(gzip.compress(raw) + gzip.compress(b"") * 2_000_000)
    assert "members" in attack(path, "smi").said
    path.write_bytes(gzip.compress(b"") * 2_000_000)
    attack(path)
    path.write_bytes(gzip.compress(raw) + b"\0" * (64 << 20))
    assert attack(path, "smi", "padding").word == "read"


# text


@pytest.mark.parametrize("name", few_of(TEXTS, FEW))
def test_zeros_digits_names_and_sizes(attack, tmp_path, name):
    path, reader = made(name, tmp_path), MAKERS[name].reader
    raw = text_of(path)
    head, _, rest = raw.partition(b"\n")
    middle = len(raw) // 2
    separator = next((s for s in (b"\t", b";", b",") if s in head), b",")
    number = re.search(rb"\d+", raw[middle:])[0]
    wide = b"".join(separator + b"c%d" % i for i in range(300_000))
    for what, bad in {
        "start": b"\0" * 9 + raw,
        "header": raw[:30] + b"\0" + raw[30:],
        "middle": raw[:middle] + b"\0\0" + raw[middle:],
        "end": raw + b"\0" * 5000,
        "lines": raw.replace(b"\n", b"\n\0"),
        "cells": head + b"\n" + rest.replace(b"1", b"\0"),
        "digits": raw[:middle] + raw[middle:].replace(number, b"9" * 1_000_000, 1),
        "names": head + wide + b"\n" + rest,
        "names alone": head + wide,
        "escapes": raw[:middle] + b"\x1b[31m\xe2\x80\xae\x9b" + raw[middle:],
        "header escapes": b"\x1b[31m\r\xe2\x80\xae" + raw,
    }.items():
        put(path, bad)
        attack(path, reader, what)
    if not path.name.endswith(".gz"):
        for size in (3 * GIB, 10 * GIB):
            path.write_bytes(raw)
            os.truncate(path, size)
            attack(path, reader, f"{size} bytes")


@pytest.mark.parametrize(
    "suffix", [".asc", ".csv", ".xml", ".json", ".h5", ".db3", ".parquet", ".raw", ""]
)
def test_ten_gigabytes_of_nothing(attack, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.touch()
    os.truncate(path, 10 * GIB)
    assert attack(path).word == "refused"


# XML


def doctypes():
    levels = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12))
    return {
        "laughs": (f'[<!ENTITY a "aaaaaaaaaa">{levels}]', b"&m;"),
        "quadratic": (f'[<!ENTITY a "{"a" * 100_000}">]', b"&a;" * 20_000),
        "external": ('[<!ENTITY a SYSTEM "file:///etc/passwd">]', b"&a;"),
        "parameter": ('[<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]', b""),
        "dtd": ('SYSTEM "file:///etc/passwd"', b""),
        "public": ('PUBLIC "a" "http://127.0.0.1:9/a"', b""),
    }


@pytest.mark.parametrize("name", few_of(XMLS, ("itrace_core",)))
def test_xml_of_bad_will(attack, tmp_path, name):
    path, reader = made(name, tmp_path), MAKERS[name].reader
    before, root, after = parts_of_xml(text_of(path))
    for what, (inner, use) in doctypes().items():
        doctype = f"<!DOCTYPE r {inner}>".encode()
        put(path, before + doctype + root + b"<x>" + use + b"</x>" + after)
        assert attack(path, reader, what).word == "refused", what
        in_attribute = re.sub(rb'="[^"]*"', b'="' + use + b'"', after, count=1)
        put(path, before + doctype + root + in_attribute)
        assert attack(path, reader, what).word == "refused", what
    at = after.find(b"<", len(after) // 2)
    start, end = before + root + after[:at], after[at:]
    big = b"a" * (100 << 20)
    for what, bad in {
        "nested": start + b"<x>" * 100_000 + end,
        "cdata": start + b"<![CDATA[" + big,
        "comment": start + b"<!--" + big,
        "instruction": start + b"<?a " + big,
        "attribute": start + b'<x y="' + big + b'"/>' + end,
        "text": start + big + end,
        "attributes": start
        + b"<x "
        + b" ".join(b'a%d="1"' % i for i in range(200_000))
        + b"/>"
        + end,
        "elements": start + b"".join(b"<x%d/>" % i for i in range(300_000)) + end,
        "digits": start + re.sub(rb'="\d+"', b'="' + b"9" * 100_000 + b'"', end, count=3),
        "all digits": before + root + re.sub(rb'="\d+"', b'="' + b"9" * 5000 + b'"', after),
        "utf-7": b'<?xml version="1.0" encoding="utf-7"?>' + root + after,
    }.items():
        put(path, bad)
        attack(path, reader, what)


def parts_of_xml(raw):
    found = re.search(rb"<[A-Za-z_][^>]*>", raw)
    return raw[: found.start()], found[0], raw[found.end() :]


# JSON


@pytest.mark.parametrize("name", few_of(JSONS, ("itrace_archive_json",)))
def test_json_of_bad_will(attack, tmp_path, name):
    path, reader = made(name, tmp_path), MAKERS[name].reader
    raw = text_of(path)
    at = raw.find(b"[") + 1
    open_end = raw.rstrip()[:-1]
    numbers = rb"(?<=[ :\[,])\d[\d.]*"
    string = rb':\s*"[^"]*"'
    for what, bad in {
        "deep": b"[" * 1_000_000,
        "deep row": raw[:at] + b"[" * 1_000_000 + raw[at:],
        "deep objects": raw[:at] + b'{"a":' * 300_000 + raw[at:],
        "deep end": open_end + b',"z":' + b"[" * 1_000_000,
        "digits": re.sub(numbers, b"9" * 1_000_000, raw, count=2),
        "all digits": re.sub(numbers, b"9" * 5000, raw),
        "beyond float": re.sub(numbers, b"1e999", raw),
        "not a number": re.sub(numbers, b"NaN", raw),
        "null": re.sub(numbers, b"null", raw),
        "int64": re.sub(numbers, b"9223372036854775807", raw),
        "string": re.sub(string, b':"' + b"a" * (200 << 20) + b'"', raw, count=1),
        "string without end": open_end + b',"z":"' + b"a" * (200 << 20),
        "same keys": open_end + b',"a":1' * 1_000_000 + b"}",
        "keys": open_end + b"".join(b',"a%d":1' % i for i in range(500_000)) + b"}",
        "surrogates": re.sub(string, rb':"\\ud800"', raw),
        "escapes": re.sub(string, rb':"\\u001b[31m\\n\\u0000"', raw),
        "white": open_end + b" " * (100 << 20) + b"}",
        "commas": raw[:at] + b"," * (20 << 20) + raw[at:],
        "empty rows": raw[:at] + b"[]," * (1 << 20) + raw[at:],
        "lists": open_end + b',"fixations":[],"gazes":[]' * 100_000 + b"}",
    }.items():
        put(path, bad)
        attack(path, reader, what)


# SQLite


def sql(change):
    def damage(path):
        with contextlib.closing(sqlite3.connect(path)) as base, base:
            change(base, [row[1] for row in base.execute("PRAGMA table_info(gaze)")])

    return damage


@sql
def endless_view(base, _):
    base.execute("ALTER TABLE gaze RENAME TO old")
    base.execute(
        "CREATE VIEW gaze AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT old.* FROM old, n"
    )


@sql
def huge_cells(base, columns):
    base.execute(f"UPDATE gaze SET {columns[6]} = zeroblob(20000000)")  # noqa: S608


@sql
def texts(base, columns):
    for column in columns[4:]:
        base.execute(f"UPDATE gaze SET {column} = char(27) || '[31m<script>'")  # noqa: S608


@sql
def endless_numbers(base, columns):
    for column in columns[4:]:
        base.execute(f"UPDATE gaze SET {column} = 9e999")  # noqa: S608


@sql
def computed_columns(base, columns):
    base.execute("ALTER TABLE gaze RENAME TO old")
    base.execute(
        f"CREATE TABLE gaze ({','.join(columns[:-1])}, "
        f"{columns[-1]} GENERATED ALWAYS AS (zeroblob(100000000)))"
    )
    base.execute(f"INSERT INTO gaze SELECT {','.join(columns[:-1])} FROM old")  # noqa: S608


@sql
def many_tables(base, _):
    base.execute("BEGIN")
    for i in range(2000):
        base.execute(f"CREATE TABLE t{i} (a)")
    base.execute('CREATE TABLE "a""b" ("x""y")')
    base.execute('CREATE TABLE "\x1b[31m\n" (a)')


@sql
def broken_schema(base, _):
    base.execute("PRAGMA writable_schema = ON")
    base.execute("UPDATE sqlite_master SET rootpage = 1 WHERE name = 'gaze'")


@sql
def trigger(base, _):
    base.execute("CREATE TRIGGER t AFTER UPDATE ON gaze BEGIN DELETE FROM gaze; END")
    base.execute("CREATE INDEX i ON gaze (abs(x))")


def sparse_database(path):
    os.truncate(path, GIB)


def pipe_as_journal(path):
    os.mkfifo(path.with_name(path.name + "-wal"))
    os.mkfifo(path.with_name(path.name + "-journal"))


def device_as_journal(path):
    path.with_name(path.name + "-wal").symlink_to("/dev/zero")


def itself_as_journal(path):
    path.with_name(path.name + "-wal").symlink_to(path)


def huge_journal(path):
    journal = path.with_name(path.name + "-wal")
    journal.write_bytes(b"\x37\x7f\x06\x82" + bytes(range(256)) * 9)
    os.truncate(journal, 10 * GIB)


@pytest.mark.parametrize(
    "damage",
    [
        *(endless_view, huge_cells, texts, endless_numbers, computed_columns, many_tables),
        *(broken_schema, trigger, sparse_database, pipe_as_journal, device_as_journal),
        *(itself_as_journal, huge_journal),
    ],
    ids=lambda damage: getattr(damage, "__name__", "sql"),
)
def test_databases_of_bad_will(attack, tmp_path, damage):
    path = made("itrace_toolkit", tmp_path)
    damage(path)
    before = path.stat().st_size
    attack(path, "itrace_toolkit")
    attack(path)
    assert path.stat().st_size == before


# HDF5


def declare(file, at, old):
    more = old.shape[1:]
    del file[at]
    file.create_dataset(
        at, shape=(10**9, *more), dtype=old.dtype, chunks=(1000, *more), compression="gzip"
    )


def link_out(file, at, _):
    import h5py

    del file[at]
    file[at] = h5py.ExternalLink("/etc/passwd", "/x")


def link_round(file, at, _):
    import h5py

    del file[at]
    file[at] = h5py.SoftLink("/" + at)


def lie_outside(file, at, old):
    del file[at]
    kind = "S10" if old.dtype.kind == "O" else old.dtype
    file.create_dataset(at, shape=old.shape, dtype=kind, external=[("/etc/passwd", 0, 1 << 20)])


def hold_long_texts(file, at, _):
    import h5py

    del file[at]
    file.create_dataset(at, data=["a" * 2_000_000] * 2, dtype=h5py.string_dtype())


def hold_nothing(file, at, _):
    import h5py

    del file[at]
    file.create_dataset(at, data=h5py.Empty("f"))


def hold_one_number(file, at, _):
    del file[at]
    file.create_dataset(at, data=1.0)


def wide_texts(file, at, old):
    del file[at]
    one = (1,) * len(old.shape)
    file.create_dataset(at, shape=old.shape, dtype="S10000000", chunks=one, compression="gzip")


HDF5 = {
    "titta": ("gaze/block0_items", "gaze/block0_values", "gaze/block1_values", "msg/block1_values"),
    "psychopy_iohub": (
        "data_collection/events/experiment/MessageEvent",
        "data_collection/events/eyetracker/BinocularEyeSampleEvent",
        "data_collection/session_meta_data",
    ),
}
DAMAGES = (
    declare,
    link_out,
    link_round,
    lie_outside,
    hold_long_texts,
    hold_nothing,
    hold_one_number,
    wide_texts,
)


@pytest.mark.parametrize(
    "damage",
    [*DAMAGES[:4], *(pytest.param(damage, marks=pytest.mark.slow) for damage in DAMAGES[4:])],
    ids=lambda damage: damage.__name__,
)
@pytest.mark.parametrize("name", sorted(HDF5))
def test_hdf5_of_bad_will(attack, tmp_path, name, damage):
    import h5py

    path = made(name, tmp_path)
    raw = path.read_bytes()
    damaged = 0
    for at in HDF5[name]:
        path.write_bytes(raw)
        with h5py.File(path, "r+") as file:
            if at not in file:
                continue
            damage(file, at, file[at])
            damaged += 1
        attack(path, name, at)
        attack(path, None, at)
    assert damaged


@pytest.mark.slow
def test_hdf5_chunks_that_unpack_to_a_gigabyte(attack, tmp_path):
    import h5py

    path = made("psychopy_iohub", tmp_path)
    at = HDF5["psychopy_iohub"][1]
    pack = zlib.compressobj(9)
    packed = b"".join([*(pack.compress(bytes(1 << 24)) for _ in range(64)), pack.flush()])
    with h5py.File(path, "r+") as file:
        kind, shape = file[at].dtype, file[at].shape
        del file[at]
        table = file.create_dataset(at, shape=shape, dtype=kind, chunks=shape, compression="gzip")
        table.id.write_direct_chunk((0,), packed)
    assert "bomb" in attack(path, "psychopy_iohub").said


# Parquet


def test_parquet_of_bad_will(attack, tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    path = made("table-parquet", tmp_path)
    raw, table = path.read_bytes(), parquet.read_table(path)
    first = table.column_names[0]

    def write(table, **more):
        parquet.write_table(table, path, **more)

    rows = pa.array([{"a": [1]}] * len(table))
    long = pa.array(["a" * 1_000_000] * 100)
    some = pa.array(np.arange(100.0))
    for what, make in {
        "footer": lambda: path.write_bytes(raw[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1"),
        "sparse": lambda: (path.write_bytes(raw), os.truncate(path, 3 * GIB)),
        "huge": lambda: (path.write_bytes(raw), os.truncate(path, 10 * GIB)),
        "nested": lambda: write(
            pa.table({first: table[first]} | dict.fromkeys(table.column_names[1:], rows))
        ),
        "same names": lambda: write(pa.table([table.column(0)] * 3, names=[first] * 3)),
        "long texts": lambda: write(
            pa.table(dict.fromkeys(table.column_names, some) | {"trial": long}),
            use_dictionary=False,
            compression="zstd",
        ),
        "columns": lambda: write(
            pa.table(
                {c: table[c] for c in table.column_names}
                | {f"c{i}": table[first] for i in range(2000)}
            )
        ),
    }.items():
        make()
        attack(path, "table", what)
        attack(path, None, what)
        attack(path, None, what, job="examples")


# Companions


def as_pipe(path, _):
    os.mkfifo(path)


def as_device(path, _):
    path.symlink_to("/dev/zero")


def as_folder(path, _):
    path.mkdir()


def as_itself(path, opened):
    path.symlink_to(opened)


def as_loop(path, _):
    path.symlink_to(path.name)


def as_sparse(path, _):
    path.touch()
    os.truncate(path, 10 * GIB)


@pytest.mark.parametrize("name", few_of(sorted(MAKERS), BESIDE))
def test_companions_of_bad_will(attack, tmp_path, name):
    path, reader = made(name, tmp_path / "a"), MAKERS[name].reader
    files = [file for file in sorted(path.parent.rglob("*")) if file.is_file() and file != path]
    for file in files:
        kept = file.read_bytes()
        for disguise in (as_pipe, as_device, as_folder, as_itself, as_loop, as_sparse):
            file.unlink()
            disguise(file, path)
            attack(path, reader, f"{file.name} {disguise.__name__}")
            shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
            file.write_bytes(kept)


STRAYS = (
    *("GeneralInfo.csv", "a.xml", "livedata.json", "info.json", "a_fixations.csv", "a_msg.tsv"),
    *("world_timestamps.csv", "IAs", "sections.csv", "physio.json", "a.ias", "segment.json"),
)


@pytest.mark.parametrize("name", few_of(sorted(MAKERS), (*FEW, "eyex", *BESIDE)))
def test_pipes_beside_a_recording_hold_nobody_up(attack, tmp_path, name):
    path, reader = made(name, tmp_path / "a"), MAKERS[name].reader
    whole = attack(path, reader)
    for stray in STRAYS:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path.parent / stray)
    attack(path, reader, "pipes")
    attack(path, None, "pipes")
    assert whole.word == "read"


@pytest.mark.slow
def test_a_folder_of_a_hundred_thousand_files(attack, tmp_path):
    for i in range(100_000):
        (tmp_path / f"file{i:06}_gaze.csv").touch()
    for name in sorted(MAKERS):
        here = made(name, tmp_path / "one")
        for file in (tmp_path / "one").iterdir():
            with contextlib.suppress(OSError):
                file.rename(tmp_path / file.name)
        path = tmp_path / here.name if here.parent == tmp_path / "one" else here
        found = attack(path, MAKERS[name].reader, name)
        assert found.seconds < 5, f"{name}: {found.seconds:.1f} s"
        shutil.rmtree(tmp_path / "one")


# Names, and what is shown of them

EVIL = "\x1b[31mred\x1b]0;owned\x07\x9b2J\u202ecsv\u2028<script>alert(1)</script>&amp;|`*_[a](b)"
NAMES = {
    "line end": "a\nerror: forged\x1b[2J",
    "dash": "-rf --help",
    "right to left": "a\u202evsc",
    "long": "x" * 240,
    "glob": "[a-z]*?{}",
    "stars": "**",
    "bytes": os.fsdecode(b"\xff\xfe"),
    "html": "<img src=x onerror=alert(1)>",
}
UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("kind", sorted(NAMES))
@pytest.mark.parametrize(
    "name",
    ["eyelink-mono", "table-text", *few_of(["smi_iview", "bids-draft", "fix8", "itrace_core"], ())],
)
def test_names_of_files(attack, confined, tmp_path, name, kind):
    path, reader = made(name, tmp_path), MAKERS[name].reader
    path = path.rename(path.with_name(NAMES[kind] + "".join(path.suffixes[-1:])))
    attack(path, reader, kind)
    attack(path, None, kind)
    for more in ([], ["--json"]):
        shown = confined.run("command", SECONDS, arguments=["info", *more, "--", str(path)])
        assert shown.word in ("read", "refused"), shown
        assert not UNSAFE.search(shown.out), shown.out


@pytest.fixture
def evil_recording(tmp_path):
    """EyeLink text whose trials and messages command a terminal and open HTML elements."""
    path = made("eyelink-mono", tmp_path / "evil")
    lines = path.read_text("utf-8").splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith("MSG") and "TRIALID" in line]
    assert at, "the maker writes no trial"
    for i in at:
        lines[i] = lines[i].partition("TRIALID")[0] + f"TRIALID {EVIL}"
        stamp = lines[i].split()[1]
        lines[i] += f"\nMSG\t{stamp} !V TRIAL_VAR stimulus {EVIL}"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_info_commands_no_terminal(attack, confined, evil_recording):
    found = attack(evil_recording, "eyelink")
    assert "alert(1)" in found.said, "the attack has not reached the recording"
    for more in ([], ["--json"]):
        shown = confined.run("command", SECONDS, arguments=["info", str(evil_recording), *more])
        assert shown.word == "read", shown
        assert "script" in shown.out
        assert not UNSAFE.search(shown.out), shown.out


def test_pages_escape_what_files_say(confined, evil_recording, tmp_path):
    page = tmp_path / "page.html"
    shown = confined.run(
        "command", 60, arguments=["quality", str(evil_recording), "--out", str(page), "--json"]
    )
    assert shown.word == "read", shown
    assert not UNSAFE.search(shown.out), shown.out
    html = page.read_text("utf-8")
    assert "<script>alert(1)" not in html
    assert "alert(1)" not in html or "&lt;script&gt;alert(1)" in html
    assert "\x1b" not in html


@pytest.mark.slow
def test_titta_chunk_that_unpacks_to_a_gigabyte(attack, tmp_path):
    import h5py

    path = made("titta", tmp_path)
    at = "gaze/block0_values"
    pack = zlib.compressobj(9)
    packed = b"".join([*(pack.compress(bytes(1 << 24)) for _ in range(64)), pack.flush()])
    with h5py.File(path, "r+") as file:
        kind, shape = file[at].dtype, file[at].shape
        del file[at]
        table = file.create_dataset(at, shape=shape, dtype=kind, chunks=shape, compression="gzip")
        table.id.write_direct_chunk((0, 0), packed)
    assert "bomb" in attack(path, "titta").said


@pytest.mark.slow
def test_titta_pickle_of_twenty_million_steps(attack, tmp_path):
    import h5py

    path = made("titta", tmp_path)
    with h5py.File(path, "r+") as file:
        at = next(
            n for n in file["msg"] if n.endswith("_values") and file["msg"][n].dtype.kind == "O"
        )
        del file["msg"][at]
        table = file["msg"].create_dataset(at, shape=(1,), dtype=h5py.vlen_dtype("uint8"))
        raw = b"\x80\x04]\x94(" + b"\x8c\x01a\x94" * 20_000_000 + b"e."
        table[0] = np.frombuffer(raw, np.uint8)
    attack(path, "titta")


@pytest.mark.parametrize("at", HDF5["titta"][1:3])
def test_titta_data_in_another_file_are_not_read(attack, tmp_path, at):
    import h5py

    path = made("titta", tmp_path)
    with h5py.File(path, "r+") as file:
        old = file[at]
        kind, shape = old.dtype, old.shape
        del file[at]
        file.create_dataset(at, shape=shape, dtype=kind, external=[("/etc/passwd", 0, 1 << 20)])
    assert attack(path, "titta").word == "refused"


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50_000_000])
def test_parquet_of_fifty_million_empty_rows(attack, tmp_path, rows):
    import pyarrow as pa
    from pyarrow import parquet

    path = made("table-parquet", tmp_path)
    schema = parquet.read_schema(path)
    parquet.write_table(pa.table({f.name: pa.nulls(rows, f.type) for f in schema}), path)
    assert attack(path, "table").word == "refused"


def test_neon_stream_far_longer_than_its_stamps(attack, tmp_path):
    path = made("neon_native", tmp_path)
    os.truncate(path, 3 << 30)
    attack(path, "neon_native")


def test_neon_part_that_is_a_pipe(attack, tmp_path):
    path = made("neon_native", tmp_path)
    part = path.with_name("gaze ps2.raw")
    part.unlink()
    as_pipe(part, path)
    attack(path, "neon_native")


def test_names_with_stars_are_no_patterns(attack, tmp_path):
    path = made("tobii_sdk_4c", tmp_path)
    path = path.rename(path.with_name("**P4.csv"))
    assert attack(path, "tobii_sdk").word == "read"


def test_quality_commands_no_terminal(confined, evil_recording):
    for more in ([], ["--methods"]):
        shown = confined.run("command", 60, arguments=["quality", str(evil_recording), *more])
        assert not UNSAFE.search(shown.out), shown.out
    path = evil_recording.rename(evil_recording.with_name("a\x1b[2J\nerror: forged.asc"))
    shown = confined.run("command", 60, arguments=["quality", str(path), "--gate", "max_loss=0.0"])
    assert not UNSAFE.search(shown.out), shown.out


@pytest.mark.slow
def test_eyekit_of_ten_million_empty_rows(attack, tmp_path):
    path = made("eyekit", tmp_path)
    raw = path.read_bytes()
    at = raw.find(b"[") + 1
    path.write_bytes(raw[:at] + b"{}," * (10 << 20) + raw[at:])
    attack(path, "eyekit")

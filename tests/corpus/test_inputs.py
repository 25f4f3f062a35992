import gzip
import json
import os
import subprocess
import sys
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gazecode.corpus import ReadOptions, open_corpus, tables
from gazecode.corpus.tables import read_jsonl
from gazecode.errors import FormatError, ParameterError

from .conftest import method, write_rows

ROWS = [{"id": f"m{i}", "language": "java", "code": method(i)} for i in range(5)]


def ids(*args, **kwargs):
    return [record.id for record in open_corpus(*args, **kwargs)]


def test_jsonl_and_its_packed_form_give_the_same(tmp_path):
    plain = write_rows(tmp_path / "a.jsonl", ROWS)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, two = list(open_corpus(plain)), list(open_corpus(packed))
    assert [r.code for r in one] == [r.code for r in two] == [r["code"].encode() for r in ROWS]
    assert [r.where for r in one] == [f"a.jsonl:{i}" for i in range(1, 6)]


def test_the_name_does_not_matter(tmp_path):
    assert ids(write_rows(tmp_path / "corpus.txt", ROWS)) == [row["id"] for row in ROWS]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet_gives_the_same_as_jsonl(tmp_path, kind):
    table = pa.table(
        {
            "id": [row["id"] for row in ROWS],
            "language": pa.array([row["language"] for row in ROWS]).cast(kind),
            "code": pa.array([row["code"] for row in ROWS]),
            "unused": list(range(5)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    plain = write_rows(tmp_path / "a.jsonl", ROWS)
    one, two = open_corpus(tmp_path / "a.parquet"), open_corpus(plain)
    assert [(r.id, r.language, r.code) for r in one] == [(r.id, r.language, r.code) for r in two]


def test_parquet_rows_that_are_not_text_are_reported(tmp_path):
    codes = pa.array([b"class A {}", b"\xff\xfe", None], pa.binary())
    pq.write_table(
        pa.table({"id": ["a", "b", "c"], "language": ["java"] * 3, "code": codes}),
        tmp_path / "a.parquet",
    )
    found = list(open_corpus(tmp_path / "a.parquet"))
    assert [(r.id, bool(r.stage)) for r in found] == [("a", False), ("b", True), ("c", True)]


def test_a_damaged_file_gives_what_comes_before(tmp_path):
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(whole[:-12])
    table = pa.table({"id": ["a"], "language": ["java"], "code": ["class A {}"]})
    pq.write_table(table, tmp_path / "b.parquet")
    raw = (tmp_path / "b.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(raw[:4] + bytes(60) + raw[64:])
    found = list(open_corpus([tmp_path / "a.jsonl.gz", tmp_path / "b.parquet"]))
    failed = [r for r in found if r.stage]
    assert [r.where for r in failed] == ["a.jsonl.gz", "b.parquet"]
    assert all("cannot be read beyond" in r.reason for r in failed)


def test_bad_lines_are_reported_with_their_number(tmp_path):
    path = tmp_path / "bad.jsonl"
    lines = [
        json.dumps(ROWS[0]).encode(),
        b"{broken",
        b"",
        b'"a text"',
        b'{"id": "x", "code": "\xff"}',
        json.dumps({"id": "big", "language": "java", "code": "x" * 5_000_000}).encode(),
        b"[" * 100_000,
        json.dumps(ROWS[1]).encode(),
        b"y" * 40_000_000,
    ]
    path.write_bytes(b"\n".join(lines))
    found = list(open_corpus(path))
    assert [r.where.split(":")[1] for r in found] == ["1", "2", "4", "5", "6", "7", "8", "9"]
    assert [r.id for r in found if not r.stage] == ["m0", "m1"]
    reasons = {r.where.split(":")[1]: r.reason for r in found}
    assert "not JSON" in reasons["2"]
    assert "a JSON str" in reasons["4"]
    assert "not UTF-8" in reasons["5"]
    assert next(r.id for r in found if r.where.endswith(":6")) == "big"
    assert "5000000 bytes" in reasons["6"]
    assert "nests too deeply" in reasons["7"]
    assert "40000000 bytes" in reasons["9"]


def test_a_byte_order_mark_is_no_reason(tmp_path):
    path = tmp_path / "bom.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(ROWS[0]).encode())
    assert ids(path) == ["m0"]


def test_a_folder_of_sources(tmp_path):
    root = tmp_path / "repo"
    for name in ("b/B.java", "a.py", ".git/x.java", "README.md", "tests/data.jsonl"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("class A {}\n" if name.endswith("java") else "x = 1\n")
    (root / "b" / "latin.java").write_bytes(b"// caf\xe9\nclass B {}")
    (root / "empty.java").write_text("")
    (root / "link.java").symlink_to(root / "a.py")
    os.mkfifo(root / "pipe.java")
    skipped = Counter()
    found = list(open_corpus(root, skipped=skipped))
    assert [(r.id, r.language) for r in found if not r.stage] == [
        ("a.py", "python"),
        ("b/B.java", "java"),
    ]
    assert {r.id: r.reason[:22] for r in found if r.stage} == {
        "empty.java": "the source is empty or",
        "b/latin.java": "the source is not UTF-",
    }
    assert skipped == {"hidden": 1, "link": 1, "other suffix": 2, "not a file": 1}


def test_a_folder_of_data_files(tmp_path):
    folder = tmp_path / "java" / "train"
    folder.mkdir(parents=True)
    write_rows(folder / "java_train_1.jsonl", ROWS[3:])
    (folder / "java_train_0.jsonl.gz").write_bytes(
        gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS[:3]).encode())
    )
    assert ids(tmp_path / "java") == [f"m{i}" for i in range(5)]


def test_several_inputs_come_in_their_order(tmp_path):
    one = write_rows(tmp_path / "1.jsonl", ROWS[:2])
    two = tmp_path / "A.java"
    two.write_text("class A {}")
    assert ids([two, one]) == ["A.java", "m0", "m1"]


def test_a_source_file_of_unknown_suffix_needs_a_language(tmp_path):
    path = tmp_path / "program"
    path.write_text("x = 1")
    with pytest.raises(FormatError, match="name the language"):
        open_corpus(path)
    (record,) = open_corpus(path, ReadOptions(language="python"))
    assert (record.language, record.code) == ("python", b"x = 1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file or folder"),
        (b"[{}]", "one JSON array"),
        (b"\x1f\x8bxx", "cannot be read"),
    ],
)
def test_what_is_no_corpus_is_said_at_once(tmp_path, content, message):
    path = tmp_path / "corpus"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        open_corpus(path)


def test_an_empty_folder_is_an_error_not_silence(tmp_path):
    with pytest.raises(FormatError, match="no source file of a known language"):
        list(open_corpus(tmp_path))


def test_no_corpus_or_language_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match="no corpus is named"):
        open_corpus([])
    with pytest.raises(ParameterError, match="no grammar for 'cobol'"):
        open_corpus(tmp_path, ReadOptions(language="cobol"))
    with pytest.raises(ParameterError, match="max_bytes is 0"):
        ReadOptions(max_bytes=0)


def test_an_unreadable_file_is_reported(tmp_path, monkeypatch):
    (tmp_path / "A.java").write_text("class A {}")
    (tmp_path / "B.java").write_text("class B {}")
    path = type(tmp_path)
    read = path.read_bytes

    def refuse(self):
        if self.name == "A.java":
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.setattr(path, "read_bytes", refuse)
    found = list(open_corpus(tmp_path))
    assert [(r.id, r.reason) for r in found] == [
        ("A.java", "the file cannot be read: Permission denied"),
        ("B.java", ""),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["id", "code", "language", "idx", "x"]), JSON) | JSON,
    st.booleans(),
    st.sampled_from(["", " ", "\ufeff", "}", ","]),
)
@example({"id": 10**30, "code": "class A {}"}, True, "")
@example({"id": "a", "code": "\ud83d"}, True, "")
@example({"id": "a", "code": "caf\xe9", "x": 1e300}, False, "")
def test_the_fast_reader_gives_what_the_other_gives(tmp_path_factory, row, ascii_only, around):
    """Law: a line gives the same record, or the same reason, whichever library reads it."""
    text = around + json.dumps(row, ensure_ascii=ascii_only) + around
    path = tmp_path_factory.getbasetemp() / "law.jsonl"
    path.write_bytes(b"\n" + text.encode("utf-8", "surrogatepass"))
    fast = list(read_jsonl(path, "a", ReadOptions(language="java")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_fast", lambda _: None)
        assert list(read_jsonl(path, "a", ReadOptions(language="java"))) == fast


def test_the_package_loads_without_the_fast_reader():
    code = "import sys, gazecode, gazecode.corpus; sys.exit('orjson' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

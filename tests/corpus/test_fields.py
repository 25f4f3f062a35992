import pytest

from gazecode.corpus.fields import known_language, record_of, row_format
from gazecode.corpus.records import ReadOptions
from gazecode.errors import ParameterError

CODE = "int f() { return 1; }"
CODESEARCHNET = {
    "repo": "a/b",
    "path": "src/A.java",
    "func_name": "A.f",
    "original_string": CODE,
    "language": "java",
    "code": CODE,
    "code_tokens": ["int", "f"],
    "docstring": "F.",
    "docstring_tokens": ["F"],
    "sha": "00",
    "url": "https://github.com/a/b/blob/00/src/A.java#L1-L2",
    "partition": "train",
}
ROWS = [
    (
        "eyemulator",
        {"code_content_hash": "0123456789abcdef", "content": "F.", "flag": "train", "code": CODE},
        "0123456789abcdef",
        "java",
    ),
    ("codesearchnet", CODESEARCHNET, CODESEARCHNET["url"], "java"),
    (
        "codesearchnet",
        {
            "repository_name": "a/b",
            "func_name": "A.f",
            "whole_func_string": CODE,
            "language": "java",
            "func_code_string": CODE,
            "func_code_url": "https://x/y",
        },
        "https://x/y",
        "java",
    ),
    (
        "codexglue-clone",
        {"func": CODE, "idx": "10000832"},
        "10000832",
        "java",
    ),
    ("the-stack", {"content": CODE, "lang": "Java", "hexsha": "abc", "size": 9}, "abc", "java"),
    ("plain", {"code": CODE, "id": 7, "language": "Java"}, "7", "java"),
    ("plain", {"code": CODE, "path": "src/A.java"}, "x.jsonl:1", "java"),
]


@pytest.mark.parametrize(("name", "row", "wanted_id", "language"), ROWS)
def test_formats_are_told_by_their_columns(name, row, wanted_id, language):
    assert row_format(tuple(row)).name == name
    record = record_of(row, "x.jsonl:1", ReadOptions())
    assert (record.id, record.language, record.code) == (wanted_id, language, CODE.encode())


DEFECT = {"project": "FFmpeg", "commit_id": "0", "target": 0, "func": "int f(){}", "idx": 0}
POJ = {"label": "1", "code": "int main(){}", "index": "12"}


@pytest.mark.parametrize(
    ("row", "name", "language"),
    [(DEFECT, "codexglue-defect", "c"), (POJ, "codexglue-poj104", "cpp")],
)
def test_codexglue_names_no_language_but_has_one(row, name, language):
    form = row_format(tuple(row))
    assert (form.name, form.language) == (name, language)
    record = record_of(row, "x.jsonl:1", ReadOptions(language="java"))
    assert record.id == str(row.get("idx", row.get("index")))
    assert record.code


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"text": "x"},
            "no column 'code'; name the column of the code with field=... (--field); found text",
        ),
        ({"code": None, "id": "a", "language": "java"}, "code is no text but NoneType"),
        ({"code": "x", "id": "a"}, "names no language"),
        ({"code": "x", "id": "a", "language": "COBOL"}, "no grammar for 'COBOL'"),
        ({"code": "\ud800", "id": "a", "language": "java"}, "half a character"),
        ({"code": " \n", "id": "a", "language": "java"}, "empty or blank"),
        ({"code": "\u00a0", "id": "a", "language": "java"}, "empty or blank"),
        ({"code": "a\0b", "id": "a", "language": "java"}, "NUL"),
        ({"code": b"\xff", "id": "a", "language": "java"}, "not UTF-8"),
        ({"code": "x" * 2000, "id": "a", "language": "java"}, "has 2000 bytes"),
        ({"code": "x" * 600, "id": "a", "language": "java"}, "a line has 600 bytes"),
    ],
)
def test_what_cannot_be_used_says_why(row, reason):
    record = record_of(row, "x.jsonl:1", ReadOptions(max_bytes=1000, max_line_bytes=500))
    assert record.stage in ("read", "language")
    assert record.id == row.get("id", "x.jsonl:1")
    assert reason in record.reason
    assert record.code == b""


def test_the_caller_may_know_better():
    row = {"snippet": CODE, "key": "k1", "code": "no"}
    options = ReadOptions(field="snippet", id_field="key", language="java")
    record = record_of(row, "x.jsonl:1", options)
    assert (record.id, record.code) == ("k1", CODE.encode())


def test_languages_have_many_spellings():
    assert known_language(" Python ") == "python"
    row = {"code": CODE, "id": "a", "language": "cs"}
    assert record_of(row, "x.jsonl:1", ReadOptions()).language == "c_sharp"
    with pytest.raises(ParameterError, match="no grammar for 'COBOL'; there are: "):
        known_language("COBOL")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (12.0, "12"),
        ("12.0", "12.0"),
        (float("nan"), "x:1"),
        (1.5, "1.5"),
        (1e300, "1e+300"),
        ("a\0b", r"a\x00b"),
    ],
)
def test_ids_as_tables_have_them(given, kept):
    row = {"id": given, "code": CODE, "language": "java"}
    assert record_of(row, "x:1", ReadOptions()).id == kept

"""Delimited text: separator, decimal comma, ragged and cut rows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import FormatError
from gazecode.readers.tools.delimited import (
    find_decimal,
    find_separator,
    normalise_lines,
    read_delimited,
    split_line,
)


def read(raw: bytes, **optional):
    counts: Counter[str] = Counter()
    frame = read_delimited(
        raw, name="a.csv", columns={"t": float, "x": float}, optional=optional, counts=counts
    )
    return frame, dict(counts)


number = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    rows=st.lists(st.tuples(number, number), min_size=1),
    separator=st.sampled_from("\t;"),
    decimal=st.sampled_from(".,"),
    end=st.sampled_from(["\n", "\r\n", "\r\r\n"]),
)
def test_any_dialect_gives_the_same_numbers(rows, separator, decimal, end):
    lines = [f"t{separator}x"] + [
        separator.join(repr(v).replace(".", decimal) for v in row) for row in rows
    ]
    frame, counts = read(normalise_lines((end.join(lines) + end).encode()))
    np.testing.assert_allclose(frame[["t", "x"]].to_numpy(), rows, rtol=1e-13)
    assert counts == {}


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        (["12", "7", "Vehicle"], "."),
        (["1,5", "7"], ","),
        (["1.5", "1,2,3"], "."),
        (["-0,5e-3", "x.y"], ","),
        ([], "."),
    ],
)
def test_the_decimal_mark_comes_from_the_cells(cells, decimal):
    assert find_decimal(cells) == decimal


def test_the_mark_is_found_behind_a_stretch_of_whole_numbers():
    rows = ["1;2"] * 30_000 + ["1,5;2,5"] * 30_000
    frame, counts = read(("t;x\n" + "\n".join(rows) + "\n").encode())
    assert frame["t"].sum() == 30_000 + 45_000
    assert counts == {}


def test_ragged_and_blank_rows_are_left_out_and_counted():
    frame, counts = read(b"t;x\n1;2\n\n3\n4;5;6\n7;8\n")
    assert frame["t"].tolist() == [1.0, 7.0]
    assert counts == {"ragged_rows": 2}


def test_a_stray_quote_swallows_nothing():
    frame, counts = read(b't;x;s\n1;2;"a\n3;4;b"\n5;6;"\n', s=str)
    assert frame["s"].tolist() == ['"a', 'b"', '"']
    assert counts == {}


def test_an_unreadable_cell_is_lost_and_counted_and_a_missing_one_is_only_lost():
    frame, counts = read(b"t;x\n1,5;oops\n2,5;\n3,5;4,5\n")
    np.testing.assert_array_equal(frame["x"], [np.nan, np.nan, 4.5])
    assert counts == {"unreadable_cells": 1}


def test_a_text_cell_called_na_stays_text():
    frame, _ = read(b"t;x;s\n1;NA;NA\n", s=str)
    assert frame["s"].tolist() == ["NA"]
    assert np.isnan(frame["x"][0])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"t;x\n1;2\n3;4\n5", "a.csv breaks off in its last row (1 of 2 cells) after 2 whole rows"),
        (b"t;y\n1;2\n", "a.csv: no column x; found t, y. Is this the right format?"),
        (b"", "a.csv: no column t, x; found "),
    ],
)
def test_bad_files_are_one_clear_line(raw, message):
    with pytest.raises(FormatError) as caught:
        read(raw)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_without_a_final_line_end_is_whole():
    frame, counts = read(b"t;x\n1;2\n3;4")
    assert frame["x"].tolist() == [2.0, 4.0]
    assert counts == {}


def test_header_helpers():
    assert find_separator("Time\tPOR X, left") == "\t"
    assert find_separator("one") == "\t"
    assert split_line("", ";") == [""]
    assert split_line('"a;b";"c""d"', ";") == ["a;b", 'c"d']
    assert split_line('"a\x00";' + "x" * 200_000, ";")[1] == "x" * 200_000


def blocks(*texts: str):
    return iter([text.encode() for text in texts])


def test_labels_keep_their_zeros_and_join_over_blocks():
    counts: Counter[str] = Counter()
    frame = read_delimited(
        blocks("t,page\n1,007\n", "2,True\n", "", "3,\n"),
        name="a.csv",
        columns={"t": float, "page": str},
        counts=counts,
    )
    assert frame["page"].tolist() == ["007", "True", ""]
    assert counts == {}


def test_stamps_of_19_digits_stay_exact_beside_cells_that_are_none():
    counts: Counter[str] = Counter()
    frame = read_delimited(
        blocks("ns,x\n1754690230077095946,1\nabc,2\n", "9223372036854775808,3\ninf,4\n,5\n"),
        name="a.csv",
        columns={"ns": int, "x": float},
        counts=counts,
    )
    assert frame["ns"].tolist()[0] == 1754690230077095946
    assert frame["ns"].isna().tolist() == [False, True, True, True, True]
    assert counts == {"unreadable_cells": 3}


@given(
    rows=st.lists(
        st.lists(st.text("ab\"',;\t ", max_size=6), min_size=1, max_size=4), min_size=1, max_size=8
    )
)
def test_cells_between_quotes_are_counted_as_a_slow_loop_counts_them(rows):
    text = "\n".join(",".join(row) for row in rows)
    lines = [line for line in text.split("\n") if line]
    counts: Counter[str] = Counter()
    wanted = {"a": str}
    read_delimited(
        blocks("a,b,c\n", text + "\n"), name="a.csv", columns=wanted, counts=counts, quoted=True
    )
    ragged = 0
    for line in lines:
        inside, cells = False, 1
        for character in line:
            inside ^= character == '"'
            cells += character == "," and not inside
        ragged += inside or cells != 3
    assert counts["ragged_rows"] == ragged

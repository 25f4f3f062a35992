"""Columns that grow block by block equal those of the whole, in any cut."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.readers.tools.gather import gather
from gazecode.readers.tools.growing import Gathered, Growing


def take(frame):
    return {"x": frame["x"].to_numpy(), "page": frame["page"]}


@given(
    st.lists(st.tuples(st.integers(-999, 999), st.sampled_from("abcdefgh")), min_size=1),
    st.lists(st.integers(0, 100), max_size=6),
)
def test_any_cut_gives_the_same_columns(rows, cuts):
    lines = [f"{x}\t{page}\n".encode() for x, page in rows]
    ends = sorted({min(c, len(lines)) for c in cuts} | {0, len(lines)})
    parts = [b"".join(lines[a:b]) for a, b in pairwise(ends)]
    blocks = [b"x\tpage\n" + parts[0], *parts[1:]]
    held = gather(blocks, take=take, name="a", columns={"x": float, "page": str}, counts=Counter())
    codes, names = held.labels("page", slice(None))
    assert [names[code] for code in codes] == [page for _, page in rows]
    assert held.array("x").tolist() == [float(x) for x, _ in rows]


def test_more_labels_than_a_byte_holds():
    import pandas as pd

    held = Gathered()
    for part in range(4):
        texts = [f"label {i}" for i in range(part * 100, part * 100 + 100)]
        held.add({"name": pd.Series(texts, dtype="category")})
    codes, names = held.labels("name", slice(None))
    assert [names[code] for code in codes] == [f"label {i}" for i in range(400)]


def test_columns_larger_than_a_part_and_blocks_without_rows():
    held = Gathered()
    held.add({"xy": np.empty((0, 2))})
    for part in range(3):
        held.add({"xy": np.full((100_000, 2), part, dtype=float)})
    xy = held.array("xy")
    assert xy.shape == (300_000, 2)
    assert xy[::100_000, 0].tolist() == [0, 1, 2]
    xy[0] = np.nan  # the reader may write to what it made
    assert "xy" not in held


def test_labels_of_digits_in_one_block_and_words_in_the_next():
    blocks = [b"x\tpage\n1\t7\n2\t8\n", b"3\tlast\n"]
    held = gather(blocks, take=take, name="a", columns={"x": float, "page": str}, counts=Counter())
    codes, names = held.labels("page", slice(None))
    assert [names[code] for code in codes] == ["7", "8", "last"]


PART = st.tuples(st.sampled_from(["int8", "int64", "float64"]), st.integers(0, 3000))


@given(st.lists(st.one_of(PART, st.sampled_from(["drop", "whole"]))), st.integers(1, 400))
def test_a_growing_column_is_the_list_of_its_rows(steps, stretch):
    grown, expected, at = Growing(), [], 0
    for step in steps:
        if step == "drop":
            if expected:
                grown.drop_last()
                expected.pop()
        elif step == "whole":
            assert grown.whole().tolist() == expected
        else:
            kind, n = step
            values = np.arange(at, at + n) * stretch % 100
            at += n
            grown.add(values.astype(kind))
            expected += values.tolist()
        assert len(grown) == len(expected)
    assert grown.whole().tolist() == expected


def test_parts_of_many_sizes_make_one_column():
    grown, n = Growing(np.empty((0, 2))), 0
    for size in (1, 0, 99_999, 200_000, 1, 3, 70_000, 400_000):
        rows = np.arange(n, n + size, dtype=float)
        grown.add(np.stack([rows, -rows], axis=1))
        n += size
    whole = grown.whole()
    assert whole.dtype == np.float64
    assert np.array_equal(whole[:, 0], np.arange(n))
    assert np.array_equal(whole[:, 1], -np.arange(n))


def test_whole_numbers_become_floats_with_fractions_and_none_keep_their_type():
    ticks = Growing(np.empty(0, dtype=np.int64))
    assert ticks.whole().dtype == np.int64
    ticks.add(np.array([1, 2]))
    ticks.add(np.array([2.5]))
    assert ticks.whole().tolist() == [1.0, 2.0, 2.5]


def test_texts_grow_too():
    texts = Growing(np.empty(0, dtype=object))
    for part in (["a", "b"], [], ["c"] * 300_000):
        texts.add(np.array(part, dtype=object))
    assert texts.whole().tolist() == ["a", "b"] + ["c"] * 300_000

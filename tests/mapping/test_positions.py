"""Lines and columns to tokens: units, tabs, wraps, histories; shares of fixations."""

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.mapping.cells import COLUMN_UNITS, cells_of
from gazecode.mapping.histories import hits_through, in_version, map_through
from gazecode.mapping.positions import Places, hits_from_places, hits_from_positions, map_positions
from gazecode.mapping.rows import VisualRows, folded, wrapped
from gazecode.model import Events

from .test_grid import words


def at(code, line, column, unit="character", **more):
    found = map_positions(words(code), [line], [column], unit=unit, **more)
    token = int(found.token[0])
    return words(code).text(token) if token >= 0 else str(found.status[0])


@pytest.mark.parametrize(
    ("unit", "column"),
    [("character", 3), ("utf16", 4), ("byte", 8), ("logical", 6), ("visual", 8)],
)
def test_one_character_by_every_unit(unit, column):
    """A tab, a wide character, an emoji of two units, then x."""
    code = "\t日😀x y"
    assert at(code, 0, column, unit) == "日😀x"
    tokens = words(code)
    (byte,) = map_positions(tokens, [0], [column], unit=unit).byte
    assert tokens.code[byte : byte + 1] == b"x"


@pytest.mark.parametrize(
    ("code", "line", "column", "expected"),
    [
        pytest.param("ab cd", 0, 0, "ab", id="first"),
        pytest.param("ab cd", 0, 2, "blank", id="between"),
        pytest.param("ab cd", 0, 5, "past_line_end", id="after the last"),
        pytest.param("ab\r\ncd", 0, 2, "past_line_end", id="carriage return"),
        pytest.param("ab\n\ncd", 1, 0, "past_line_end", id="empty line"),
        pytest.param("ab\n", 1, 0, "past_line_end", id="last line, empty"),
        pytest.param("ab\n", 2, 0, "past_text", id="no such line"),
        pytest.param("ab", -1, -1, "off_text", id="off"),
        pytest.param("ab", 0, -1, "off_text", id="no column"),
        pytest.param("", 0, 0, "past_line_end", id="empty text"),
        pytest.param("", 1, 0, "past_text", id="behind an empty text"),
        pytest.param("a\nb", 1, 2**31 - 1, "past_line_end", id="huge column"),
        pytest.param("a\nb", 2**31 - 1, 0, "past_text", id="huge line"),
    ],
)
def test_where_a_position_lies(code, line, column, expected):
    for unit in COLUMN_UNITS:
        assert at(code, line, column, unit) == expected


def test_a_column_within_a_character_is_that_character():
    tokens = words("日 \t x😀")
    found = map_positions(tokens, [0] * 4, [1, 2, 4, 7], unit="visual")
    assert found.token.tolist() == [0, -1, -1, 1]
    assert map_positions(tokens, [0], [6], unit="utf16").byte.tolist() == [7]


def slow_byte(code, line, column, unit, tab_width):
    """Walk the line character by character."""
    lines = code.split("\n")
    if line >= len(lines):
        return None
    place, here = sum(len(x.encode()) + 1 for x in lines[:line]), 0
    text = lines[line]
    ended = line < len(lines) - 1 and text.endswith("\r")
    for char in text[:-1] if ended else text:
        wide = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        width = {
            "character": 1,
            "utf16": len(char.encode("utf-16-le")) // 2,
            "byte": len(char.encode()),
            "logical": 1,
            "visual": 0 if unicodedata.category(char) == "Mn" else wide,
        }[unit]
        if char == "\t" and unit in ("logical", "visual"):
            width = tab_width - here % tab_width
        if here <= column < here + width:
            return place
        here += width
        place += len(char.encode())
    return -1


@given(
    st.text("ab \t\n日é😀\u0301", max_size=20) | st.text("ab\r\n", max_size=12).filter(lambda t: "\r" not in t.replace("\r\n", "")),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=12),
    st.sampled_from(COLUMN_UNITS),
    st.integers(1, 8),
)  # fmt: skip
def test_positions_agree_with_walking_the_line(code, where, unit, tab_width):
    tokens = words(code)
    line, column = [w[0] for w in where], [w[1] for w in where]
    found = map_positions(tokens, line, column, unit=unit, tab_width=tab_width)
    for i, (row, cell) in enumerate(where):
        slow = slow_byte(code, row, cell, unit, tab_width)
        assert found.byte[i] == (-1 if slow is None else slow)
        if slow is None:
            assert found.status[i] == "past_text"
        elif slow < 0:
            assert found.status[i] == "past_line_end"
        inside = [
            k for k, (a, b) in enumerate(tokens.span.tolist()) if slow is not None and a <= slow < b
        ]
        assert found.token[i] == (inside[0] if inside else -1)
        assert (found.status[i] == "token") == bool(inside)
    assert sum(found.counts().values()) == len(where)


@given(st.text("ab \t日😀", max_size=30), st.integers(3, 12), st.integers(0, 2))
def test_a_visual_position_in_a_wrapped_row_is_its_source_position(code, width, indent):
    rows = wrapped(code, width, indent=indent)
    tokens = words(code)
    begin, _ = cells_of(code)
    for visual in range(len(rows)):
        first, last = int(rows.first[visual]), int(rows.last[visual])
        for char in range(first, last):
            cell = int(begin[char] - begin[first] + rows.indent[visual])
            found = map_positions(tokens, [visual], [cell], unit="visual", rows=rows)
            assert found.byte.tolist() == [len(code[:char].encode())]
        behind = map_positions(tokens, [visual], [99], unit="visual", rows=rows)
        assert behind.status.tolist() == ["past_line_end"]


def test_folds_move_lines_up_and_an_indent_is_blank():
    tokens = words("a\nb\nc\nd")
    found = map_positions(tokens, [0, 1, 2], [0, 0, 0], unit="visual", rows=folded(4, [(1, 3)]))
    assert found.token.tolist() == [0, 3, -1]
    rows = VisualRows(row=[0, 0], first=[0, 3], last=[3, 5], indent=[0, 4], n_rows=1)
    found = map_positions(words("ab cd"), [1, 1, 1], [3, 4, 6], unit="visual", rows=rows)
    assert found.status.tolist() == ["blank", "token", "past_line_end"]


def test_units_may_differ_by_position():
    found = map_positions(words("\tx"), [0, 0], [1, 4], unit=["utf16", "visual"])
    assert found.token.tolist() == [0, 0]
    with pytest.raises(ParameterError, match="columns count 'unknown'; expected one of visual"):
        map_positions(words("x"), [0], [0], unit="unknown")
    with pytest.raises(DataError, match="one of each per position"):
        map_positions(words("x"), [0, 1], [0], unit="byte")


def fixations(*intervals):
    return Events(
        kind=["fixation"] * len(intervals),
        onset_ms=[a for a, _ in intervals],
        offset_ms=[b for _, b in intervals],
        xy_px=np.zeros((len(intervals), 2)),
    )


def hits(events, t_ms, column, code="ab cd", **more):
    line = [0 if c >= 0 else -1 for c in column]
    return hits_from_positions(events, t_ms, line, column, words(code), unit="character", **more)


def test_shares_are_time_on_each_token():
    got = hits(fixations((0, 40)), [0, 5, 20, 30], [0, 1, 2, 3])
    assert got.token.tolist() == [0, 1]
    np.testing.assert_allclose(got.share, [20 / 40, 10 / 40])
    assert got.status.tolist() == ["token"]
    assert got.exposure_ms.tolist() == [40, 40]


def test_the_majority_takes_all():
    got = hits(fixations((0, 40), (40, 80)), [0, 10, 20, 30, 40, 50, 60, 70], [0, 0, 0, 3, 2, 2, 2, 0], method="majority")  # fmt: skip
    assert (got.fixation.tolist(), got.token.tolist(), got.share.tolist()) == ([0], [0], [1.0])
    assert got.status.tolist() == ["token", "between"]
    tie = hits(fixations((0, 40)), [0, 10, 20, 30], [3, 2, 2, 3], method="majority")
    assert tie.token.tolist() == [1]


def test_every_fixation_has_a_status():
    events = fixations((0, 20), (20, 40), (40, 60), (60, 80), (90, 95))
    got = hits(events, [0, 10, 20, 30, 50, 70, 92], [0, 0, 2, 2, -1, 2, 99])
    assert got.status.tolist() == ["token", "between", "off", "between", "between"]
    assert hits(fixations((0, 20)), [50], [0]).status.tolist() == ["lost"]
    assert len(hits(fixations(), [50], [0])) == 0


def test_samples_before_a_gap_hold_no_longer_than_their_step():
    """The second sample is the last for 500 ms: it does not outweigh the others."""
    got = hits(fixations((0, 600)), [0, 10, 510, 520, 530], [0, 3, 0, 0, 0])
    np.testing.assert_allclose(got.share, [10 + 10 + 10 + 15, 15] / np.float64(60))


def test_stamps_that_repeat_are_one_sample():
    got = hits(fixations((0, 20)), [0, 0, 10], [0, 3, 3])
    np.testing.assert_allclose(got.share, [0, 1], atol=1e-6)
    assert hits(fixations((0, 20)), [5, 5, 5], [0, 0, 3]).share.sum() == pytest.approx(1)


PLACE = st.tuples(st.integers(1, 9), st.integers(-2, 4))


@given(st.lists(PLACE, min_size=1, max_size=40), st.lists(st.integers(1, 30), max_size=8), st.sampled_from(["share", "majority"]))  # fmt: skip
def test_hits_agree_with_a_ms_by_ms_count(rows, lengths, method):
    """Oracle: what the sample in force says, at every ms of the fixation."""
    t = np.cumsum([step for step, _ in rows]).astype(float)
    token = np.array([max(place, -1) for _, place in rows])
    status = np.array(["token" if p >= 0 else "blank" if p == -1 else "off_text" for _, p in rows])
    edges = np.cumsum([0, *lengths])
    events = fixations(*pairwise(edges))
    places = Places(token=token, byte=token, status=status)
    got = hits_from_places(events, t, places, n_tokens=5, method=method)
    from gazecode.units import sample_end_ms

    end = sample_end_ms(t)
    for number, (a, b) in enumerate(pairwise(edges)):
        # Only samples that begin inside belong to the fixation.
        mine = [i for i in range(len(t)) if a <= t[i] < b]
        held = {}
        for i in mine:
            key = int(token[i]) if token[i] >= 0 else 5 if status[i] == "blank" else 6
            held[key] = held.get(key, 0.0) + max(min(end[i], b) - t[i], 1e-6)
        total = sum(held.values())
        best = min(held, key=lambda k: (-round(held[k] / total, 9), k), default=None)
        chosen = got.fixation == number
        found = dict(zip(got.token[chosen].tolist(), got.share[chosen].tolist(), strict=True))
        if method == "majority":
            assert found == ({best: 1.0} if best is not None and best < 5 else {})
        else:
            assert found == pytest.approx({k: v / total for k, v in held.items() if k < 5})
        if found:
            assert got.status[number] == "token"
        elif best is None:
            assert got.status[number] == "lost"
        else:
            assert got.status[number] == ("between" if best == 5 else "off")


def test_bad_times_and_methods_are_refused():
    with pytest.raises(DataError, match="a finite time each, in order"):
        hits(fixations((0, 9)), [5, 3], [0, 0])
    with pytest.raises(ParameterError, match="ways to hit by positions"):
        hits(fixations((0, 9)), [5], [0], method="most")


class Versions:
    """Two versions: `a b`, and from 100 ms on `x a` where a keeps its id and b is gone."""

    n_ids = 3

    def at(self, t_ms):
        return (np.asarray(t_ms) >= 100).astype(np.int64)

    def code(self, version):
        return (b"a b", b"x a")[version]

    def spans(self, version):
        return np.array([[[0, 1], [2, 3]]] * 2)[version]

    def ids(self, version):
        return np.array([[0, 1], [2, 0]][version])

    def present_ms(self, onset_ms, offset_ms):
        return np.array([offset_ms - onset_ms, 100 - onset_ms, offset_ms - 100])


def test_positions_are_resolved_in_the_version_in_force():
    found = map_through(Versions(), [0, 99, 100, 100, 5], [0, 0, 0, 0, -1], [0, 2, 0, 2, -1], unit="byte")  # fmt: skip
    assert found.token.tolist() == [0, 1, 2, 0, -1]
    assert found.status.tolist() == ["token"] * 4 + ["off_text"]
    assert len(map_through(Versions(), [], [], [], unit="byte")) == 0


def test_a_fixation_across_an_edit_counts_with_both_texts():
    events = fixations((80, 120), (120, 140))
    t, column = [80, 90, 100, 110, 120, 130], [0, 0, 2, 0, 0, 0]
    got = hits_through(events, t, [0] * 6, column, Versions(), unit="byte")
    assert (got.fixation.tolist(), got.token.tolist()) == ([0, 0, 1], [0, 2, 2])
    np.testing.assert_allclose(got.share, [0.75, 0.25, 1])
    assert got.exposure_ms.tolist() == [60, 20, 40]
    # The editor answered late: the position at 90 ms is of the new text.
    late = hits_through(events, t, [0] * 6, column, Versions(), unit="byte", answered_ms=np.add(t, 15))  # fmt: skip
    np.testing.assert_allclose(late.share, [0.5, 0.5, 1])

    first, left_out = in_version(got, Versions().ids(0))
    assert (first.token.tolist(), left_out, first.n_tokens) == ([0], 2, 2)
    assert first.status.tolist() == ["token", "off"]
    final, left_out = in_version(got, Versions().ids(1))
    assert (final.token.tolist(), left_out) == ([0, 1, 0], 0)
    np.testing.assert_allclose(final.share, [0.25, 0.75, 1])


@pytest.mark.real
def test_every_sample_of_the_demonstration_has_a_place(shared_data):
    from gazecode.readers.itrace import ide_positions
    from gazecode.source.edits import clock_ms, follow_edits, read_changelog

    folder = shared_data / "itrace-gazel-demo" / "js"
    edits = read_changelog(folder / "changelog.json")
    answers = ide_positions(folder / "core.xml")
    start_ns = 1622128602605024200
    history = follow_edits(
        (folder / "Sample-Data.js").read_bytes(),
        edits,
        clock_ms([edit.unix_ms for edit in edits], start_ns),
        language="javascript",
    )
    found = map_through(
        history, answers["answered_ms"], answers["line"], answers["column"], unit=answers["unit"]
    )
    counts = found.counts()
    assert sum(counts.values()) == 4256
    assert (counts["off_text"], counts["past_text"]) == (18, 0)
    assert counts["token"] > 2500

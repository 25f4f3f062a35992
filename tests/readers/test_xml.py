"""XML: columns as written, entities refused, nothing half-read."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import FormatError
from gazecode.readers import xml
from gazecode.readers.xml import number, read_xml

ROWS = {"g": {"t": "int", "x": "float", "name": "text"}}


def document(*rows: str, tail: str = "</r>") -> bytes:
    return ("<r session='7'><head a='1'/>" + "".join(rows) + tail).encode()


def read(raw: bytes, **changes):
    return read_xml(raw, **({"name": "a.xml", "rows": ROWS, "heads": ("head",)} | changes))


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))))
def test_numbers_come_back_exactly(pairs):
    rows = [f"<g t='{t}' x='{x!r}' name='a&amp;b'/>" for t, x in pairs]
    table = read(document(*rows))[0].tables["g"]
    assert table["t"].dtype == np.int64
    assert table["t"].tolist() == [t for t, _ in pairs]
    assert table["x"].tolist() == [x for _, x in pairs]
    assert table["name"].tolist() == ["a&b"] * len(pairs)


def test_batches_join_in_order(monkeypatch):
    monkeypatch.setattr(xml, "_BATCH", 3)
    table = read(document(*(f"<g t='{i}'/>" for i in range(11))))[0].tables["g"]
    assert table["t"].tolist() == list(range(11))
    assert np.isnan(table["x"]).all()


def test_groups_keep_their_own_rows_heads_and_texts():
    raw = document(
        "<t n='1'><head a='2'/><code><![CDATA[a <b>]]></code><code>later</code><g t='1'/></t>",
        "<g t='9'/>",
        "<t n='2'><g t='2'/><g t='3'/></t>",
        "<g t='10'/>",
    )
    whole, one, two = read(raw, group="t", texts=("code",))
    assert whole.attrib == {"session": "7"}
    assert whole.heads["head"] == {"a": "1"}
    assert one.heads["head"] == {"a": "2"}
    assert one.texts == {"code": "a <b>"}
    assert [g.tables["g"]["t"].tolist() for g in (whole, one, two)] == [[9, 10], [1], [2, 3]]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            b"<!DOCTYPE r [<!ENTITY a 'ha'>]><r>&a;</r>",
            "declares entities or external references (EntitiesForbidden), which are refused",
        ),
        (
            b"<!DOCTYPE r SYSTEM 'file:///etc/passwd' [<!ENTITY % p SYSTEM 'x'>]><r/>",
            "declares entities or external references",
        ),
        (document("<g t='1'/>", "<g t='2'/>", tail="<g t='3"), "after 2 <g>"),
        (document("<g t='1'/>", tail=""), "after 1 <g>"),
        (document("<g t='1'></r>"), "mismatched tag"),
        (b"", "after no element of interest"),
        (b"<?xml version='1.0' encoding='no-such'?><r/>", "breaks off or is malformed"),
        (document("<g t='1.5'/>"), "a.xml: <g> t is missing or no 64-bit integer"),
        (document("<g/>"), "a.xml: <g> t is missing or no 64-bit integer"),
        (document("<g t='1' x='two'/>"), "a.xml: <g> x is 'two'; expected a number"),
    ],
    ids=["bomb", "external", "cut", "unclosed", "mismatch", "empty", "code", "float", "none", "x"],
)
def test_bad_documents_are_one_clear_line(raw, message):
    with pytest.raises(FormatError) as caught:
        read(raw)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_billion_laughs_is_refused_at_once():
    levels = "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 20))
    raw = f"<!DOCTYPE r [<!ENTITY a0 'ha'>{levels}]><r>&a19;</r>".encode()
    start = time.perf_counter()
    with pytest.raises(FormatError, match="refused"):
        read(raw)
    assert time.perf_counter() - start < 1.0


def test_numbers_may_have_a_decimal_comma():
    assert number("-1,25", "x") == -1.25
    assert np.isnan(number(None, "x"))
    table = read(document("<g t='1' x='1,5'/>", "<g t='2' x='NaN'/>", "<g t='3' x=''/>"))[0]
    np.testing.assert_array_equal(table.tables["g"]["x"], [1.5, np.nan, np.nan])

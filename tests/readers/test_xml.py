"""XML: columns as written, whatever the pieces; bombs and monsters refused; nothing half-read."""

import itertools
import time
import tracemalloc
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import FormatError, TooLarge
from gazecode.readers.tools import xml
from gazecode.readers.tools.xml import number, read_xml

ROWS = {"g": {"t": "int", "x": "float", "name": "text"}}


def document(*rows: str, tail: str = "</r>") -> bytes:
    return ("<r session='7'><head a='1'/>" + "".join(rows) + tail).encode()


def read(raw: bytes, **changes):
    return read_xml([raw], **({"name": "a.xml", "rows": ROWS, "heads": ("head",)} | changes))


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
    start = time.process_time()
    with pytest.raises(FormatError, match="refused"):
        read(raw)
    assert time.process_time() - start < 1.0


def test_numbers_may_have_a_decimal_comma():
    assert number("-1,25", "x") == -1.25
    assert np.isnan(number(None, "x"))
    table = read(document("<g t='1' x='1,5'/>", "<g t='2' x='NaN'/>", "<g t='3' x=''/>"))[0]
    np.testing.assert_array_equal(table.tables["g"]["x"], [1.5, np.nan, np.nan])


def same_columns(one, other):
    assert one.keys() == other.keys()
    for tag, columns in one.items():
        for name, values in columns.items():
            assert values.dtype == other[tag][name].dtype
            np.testing.assert_array_equal(values, other[tag][name])


MIXED = {
    "g": {"t": "ticks", "xy": ("x", "y"), "ok": "flag", "name": "text"},
    "h": {"of": "in:g", "x": "float"},
}
ATTRIBUTES = st.fixed_dictionaries(
    {"t": st.integers(0, 10**18).map(str)},
    optional={
        "x": st.floats(-1e6, 1e6).map(repr) | st.sampled_from(["", "NaN", "1,5", "n. def."]),
        "y": st.floats(-1e6, 1e6).map(repr),
        "ok": st.sampled_from(["1", "0", "1.0", "-1"]),
        "name": st.sampled_from(["a", "b&amp;c", "d&lt;", "\u00fc"]),
        "other": st.just("x='1'"),
    },
)
ROWS_OF_XML = st.lists(st.tuples(ATTRIBUTES, st.randoms(use_true_random=False), st.booleans()))


def written(rows) -> bytes:
    """Elements with attributes in any order, some with a child, whatever lies between them."""
    parts = ["<r><!-- <g t='9'/> -->"]
    for attributes, random, child in rows:
        cells = list(attributes.items())
        random.shuffle(cells)
        text = " ".join(f'{k}="{v}"' for k, v in cells)
        parts.append(f"<g {text}><h x='2'/></g>\n" if child else f"<g {text}/>")
    return "".join([*parts, "<![CDATA[<g t='9'/>]]></r>"]).encode()


@given(ROWS_OF_XML)
def test_columns_equal_a_plain_tree(rows):
    raw = written(rows)
    found = read_xml([raw], name="a.xml", rows=MIXED)[0].tables
    tree = list(ET.fromstring(raw).iter("g"))  # noqa: S314 - our own text
    assert found["g"]["t"].tolist() == [int(g.get("t")) for g in tree]
    assert found["g"]["name"].tolist() == [g.get("name", "") for g in tree]
    assert found["g"]["ok"].tolist() == [float(g.get("ok", "nan")) == 1 for g in tree]
    plain = [[number(g.get(axis), axis) for axis in "xy"] for g in tree]
    np.testing.assert_array_equal(found["g"]["xy"], np.array(plain).reshape(-1, 2))
    inside = [i for i, g in enumerate(tree) if len(g)]
    assert found["h"]["of"].tolist() == inside


@given(ROWS_OF_XML, st.integers(1, 400), st.integers(1, 5))
def test_pieces_and_batches_change_nothing(rows, size, batch):
    raw = written(rows)
    whole = read_xml([raw], name="a.xml", rows=MIXED)[0].tables
    pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml, "_BATCH", batch)
        same_columns(whole, read_xml(pieces, name="a.xml", rows=MIXED)[0].tables)


def test_ticks_become_floats_where_one_is_none():
    table = {"g": {"t": "ticks"}}
    whole = read_xml([b"<r><g t='9'/></r>"], name="a", rows=table)[0].tables["g"]["t"]
    assert (whole.dtype, whole.tolist()) == (np.int64, [9])
    mixed = read_xml([b"<r><g t='9'/><g t='1,5'/></r>"], name="a", rows=table)[0].tables["g"]["t"]
    assert mixed.tolist() == [9.0, 1.5]


def test_writers_may_call_an_attribute_otherwise():
    raw = b"<r><g left-x='1'/><g left_x='2'/></r>"
    rows = {"g": {"left_x": "float"}}
    found = read_xml([raw], name="a", rows=rows, aliases={"left-x": "left_x"})[0].tables
    assert found["g"]["left_x"].tolist() == [1.0, 2.0]


def test_a_source_gives_utf8_whatever_the_declaration_says():
    raw = "<?xml version='1.0' encoding='UTF-16'?><r><g name='\u00fc'/></r>".encode()
    assert (
        read_xml([raw], name="a", rows={"g": {"name": "text"}})[0].tables["g"]["name"][0]
        == "\u00fc"
    )


def endless(piece: bytes):
    return itertools.repeat(piece, 300)


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        (lambda: [b"<a>" * 100_000], "over 64 elements inside one another"),
        (lambda: [b"<r><g x='", *endless(b"1" * (1 << 20))], "a tag or comment of over"),
        (lambda: [b"<r><!-- ", *endless(b"1" * (1 << 20))], "a tag or comment of over"),
        (lambda: [b"<r><?p ", *endless(b"1" * (1 << 20))], "a tag or comment of over"),
        (lambda: [b"<", *endless(b"a" * (1 << 20))], "a tag or comment of over"),
        (
            lambda: [b"<g " + b"".join(b"a%d='' " % i for i in range(600_000))],
            "a tag or comment of over",
        ),
        (
            lambda: itertools.chain(
                [b"<r>"],
                (b"".join(b"<n%d/>" % (1000 * j + i) for i in range(1000)) for j in range(2000)),
            ),
            "over 10000 names",
        ),
        (lambda: itertools.chain([b"<r>"], endless(b"<t/>" * 1000)), "over 10000 <t>"),
    ],
    ids=["deep", "attribute", "comment", "instruction", "name", "attributes", "names", "groups"],
)
def test_monsters_are_refused_with_little_time_and_memory(chunks, message):
    pieces = chunks()
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(TooLarge) as caught:
        read_xml(pieces, name="a.xml", rows=ROWS, group="t")
    spent, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert spent < 3.0  # processor time: what else the machine does is none of it
    assert peak < 40e6


def test_kept_texts_are_bounded(monkeypatch):
    monkeypatch.setattr(xml, "MAX_TEXT_BYTES", 1000)
    raw = b"<r><code>" + b"x" * 2000 + b"</code></r>"
    with pytest.raises(TooLarge, match="texts of over 1000 bytes"):
        read_xml([raw], name="a.xml", rows={}, texts=("code",))
    # A text that nobody asked for costs nothing.
    assert read_xml([raw], name="a.xml", rows={})[0].texts == {}


def test_an_external_document_type_is_refused():
    with pytest.raises(FormatError, match="external references"):
        read([b"<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>"][0])
    # Defaults of an inner one are not taken for what the file says.
    raw = b"<!DOCTYPE r [<!ATTLIST g x CDATA '5'>]><r><g/></r>"
    assert np.isnan(read_xml([raw], name="a", rows={"g": {"x": "float"}})[0].tables["g"]["x"][0])


def test_streaming_holds_little_beside_the_columns():
    row = b"<g t='1' x='2.5' name='a label'/>" * 1000
    tracemalloc.start()
    table = read_xml(
        itertools.chain([b"<r>"], itertools.repeat(row, 30), [b"</r>"]), name="a", rows=ROWS
    )
    columns = table[0].tables["g"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = sum(values.nbytes for values in columns.values())
    print(f"{len(columns['t'])} rows: columns {size / 1e6:.1f} MB, peak {peak / 1e6:.1f} MB")
    assert len(columns["t"]) == 30_000
    assert peak < 2 * size + 2e6

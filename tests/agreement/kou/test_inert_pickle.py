"""A pickle is data: what pickle wrote is read back, and what it would execute is refused."""

import contextlib
import datetime as dt
import io
import os
import pickle
import pickletools
import struct
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.agreement.kou import inert_pickle
from gazecode.agreement.kou.inert_pickle import read_pickle
from gazecode.errors import FormatError, TooLarge

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
TEXTS = st.text(max_size=8)
FLOATS = st.floats(allow_nan=False)
WHOLE = st.integers(-(2**70), 2**70)


def values(leaves):
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=6)
            | st.lists(inner, max_size=6).map(tuple)
            | st.dictionaries(TEXTS, inner, max_size=4)
        ),
        max_leaves=20,
    )


PLAIN = st.none() | st.booleans() | WHOLE | FLOATS | TEXTS
BYTES = st.binary(max_size=8)
"""Before protocol 3 they are a call; numpy's come as an encoded text."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pickles")


def read(folder, raw):
    path = folder / "held.pkl"
    path.write_bytes(raw)
    return read_pickle(path)


def refused(folder, raw, match):
    with pytest.raises(FormatError, match=match) as found:
        read(folder, raw)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 400
    return str(found.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=40)
@given(data=st.data())
def test_what_pickle_wrote_is_read_back(folder, protocol, data):
    value = data.draw(values(PLAIN | BYTES if protocol > 2 else PLAIN))
    assert read(folder, pickle.dumps(value, protocol=protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i4", "i8", "u2", "?", ">f8", ">f4"])
def test_numbers_of_numpy_become_numbers(folder, protocol, kind):
    values = list(np.array([1, 0, 1.5, 3], dtype=kind))
    found = read(folder, pickle.dumps({"a": [("t", value) for value in values]}, protocol=protocol))
    assert found == {"a": [("t", value.item()) for value in values]}
    assert all(type(number) in {float, int, bool} for _, number in found["a"])


def test_shared_lists_stay_shared_and_circles_end(folder):
    shared = [1.0]
    first, second = read(folder, pickle.dumps([shared, shared]))
    assert first is second
    circle = []
    circle.append(circle)
    found = read(folder, pickle.dumps(circle))
    assert found[0] is found


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("wrap", [lambda p: p, lambda p: {"a prompt": [("a", 0.5), ("b", p)]}])
def test_a_payload_is_refused_and_never_runs(tmp_path, protocol, wrap):
    proof = tmp_path / "executed"
    raw = pickle.dumps(wrap(Payload(proof)), protocol=protocol)
    said = refused(tmp_path, raw, r"held\.pkl: refused: the name '(posix|nt|os)\.system'")
    assert "nothing in this file was executed" in said
    assert not proof.exists()
    # The same bytes do run where they are unpickled: the refusal is not for a harmless file.
    pickle.loads(raw)  # noqa: S301
    assert proof.exists()


def text(value):
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def call(module, name, given):
    return text(module) + text(name) + b"\x93" + given + b"R"


COMMAND = b"(" + text("true") + b"t"
HOSTILE = {
    "GLOBAL": b"cos\nsystem\n" + COMMAND + b"R.",
    "STACK_GLOBAL": b"\x80\x04" + call("os", "system", COMMAND) + b".",
    "REDUCE on a builtin": b"\x80\x04" + call("builtins", "eval", b"(" + text("1/0") + b"t") + b".",
    "getattr": b"\x80\x04" + call("builtins", "getattr", b"(" + text("a") * 2 + b"t") + b".",
    "dotted name": b"\x80\x04" + call("numpy", "dtype.__init__", COMMAND) + b".",
    "__import__": b"c__builtin__\n__import__\n(Vos\ntR.",
    "copyreg": b"ccopyreg\n_reconstructor\n(tR.",
    "INST": b"(" + text("true") + b"ios\nsystem\n.",
    "OBJ": b"(cos\nsystem\n" + text("true") + b"o.",
    "NEWOBJ": b"\x80\x02cbuiltins\nlist\n)\x81.",
    "PERSID": b"Pan id\n.",
    "BINPERSID": text("an id") + b"Q.",
    "EXT1": b"\x82\x01.",
    "EXT4": b"\x84\x01\x00\x00\x00.",
    "numpy's own unpickler": b"cnumpy\nload\n" + COMMAND + b"R.",
    "object array": b"cnumpy.core.multiarray\n_reconstruct\n" + COMMAND + b"R.",
    "BUILD on a list": b"]}b.",
    "BUILD on a dict": b"}}b.",
    "REDUCE on a text": text("os") + b")R.",
    "REDUCE with a list": b"cnumpy\ndtype\n]R.",
    "a dtype of objects": b"cnumpy\ndtype\n(" + text("O8") + b"tR.",
    "a scalar of objects": b"cnumpy.core.multiarray\nscalar\n(" + text("O8") + text("x") + b"tR.",
    "a name of numbers": b"\x80\x04K\x01K\x02\x93.",
    "a name of lists": b"\x80\x04]]\x93.",
    "a codec": b"c_codecs\nencode\n(" + text("x") + text("rot13") + b"tR.",
    "a text to encode again and again": (
        b"c_codecs\nencode\n(" + text("x" * 99) + text("latin1") + b"tR."
    ),
    "bytes to encode": b"c_codecs\nencode\n(C\x01x" + text("latin1") + b"tR.",
    "a class of the standard library": pickle.dumps(OrderedDict(a=1)),
    "a date": pickle.dumps(dt.date(2024, 7, 1)),
    "an array": pickle.dumps(np.array([1.0, 2.0])),
    "a bytearray": pickle.dumps(bytearray(b"x"), protocol=5),
    "a set": pickle.dumps({1, 2}, protocol=4),
    "a dtype of records": pickle.dumps(np.dtype([("a", "f8")])),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_every_way_to_a_call_or_a_class_is_refused(folder, name, monkeypatch):
    for module, attribute in ((os, "system"), (np, "load")):
        monkeypatch.setattr(module, attribute, lambda *_: pytest.fail("executed"))
    refused(folder, HOSTILE[name], "refused")


def test_nested_payloads_are_refused_before_anything_else(folder, monkeypatch):
    """A harmless beginning, then a call inside a call inside a key and a value."""
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("executed"))
    inner = call("os", "system", COMMAND)
    held = b"\x80\x04}(" + text("a prompt") + b"](" + text("tok") + inner + b"\x86e" + b"u."
    refused(folder, held, "refused: the name 'os.system'")
    refused(folder, b"\x80\x04}" + inner + text("x") + b"s.", "refused: the name")
    refused(folder, b"\x80\x04" + call("os", "system", b"(" + inner + b"t") + b".", "refused")


BROKEN = {
    "empty": (b"", "cut off: 1 bytes are announced and 0 are left"),
    "no pickle": (b"<html>", "refused: instruction 0x3c"),
    "no end": (b"\x80\x04]", "cut off"),
    "nothing on the stack": (b".", "too few values"),
    "no mark": (b"\x80\x04]e.", "no mark"),
    "beneath the mark": (b"]K\x01(a.", "too few values"),
    "a memo never written": (b"h\x05.", "never kept"),
    "a list where a dict is filled": (b"]" + text("a") + b"Ns.", "where a dict is filled"),
    "a dict where a list is filled": (b"}Na.", "where a list is filled"),
    "a key without a value": (b"}(" + text("a") + b"u.", "a key without a value"),
    "a key that is a list": (b"}(]Nu.", "a key that is a list"),
    "a huge text": (b"\x8d" + struct.pack("<Q", 2**62) + b"x.", "cut off: 4611686018427387904"),
    "huge bytes": (b"B" + struct.pack("<I", 2**31) + b"x.", "cut off: 2147483648"),
    "a huge number": (b"\x8b" + struct.pack("<i", 1000) + b"\x01" * 1000 + b".", "ValueError"),
    "a number of many digits": (b"I" + b"9" * 5000 + b"\n.", "a number of 5000 digits"),
    "no number": (b"Ixyz\n.", "ValueError"),
    "a line that does not end": (b"cos", "cut off inside a line"),
    "no UTF-8": (b"\x8c\x01\xff.", "UnicodeDecodeError"),
    "a scalar too short": (
        b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(" + text("f8") + b"tRC\x01x\x86R.",
        "broken near byte",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_say_what_is_wrong_in_one_line(folder, name):
    raw, match = BROKEN[name]
    refused(folder, raw, match)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_cut_anywhere_is_refused(folder, protocol):
    raw = pickle.dumps({"Sort it.": [("Sort", 0.5), ("it", np.float32(2))]}, protocol=protocol)
    for end in range(len(raw)):
        refused(folder, raw[:end], r"held\.pkl: ")


@given(raw=st.binary(max_size=60), at=st.integers(0, 200))
def test_no_bytes_do_anything_but_data_or_an_error(folder, raw, at):
    whole = pickle.dumps({"Sort it.": [("Sort", np.float64(0.5))]})
    for given_bytes in (raw, whole[: at % len(whole)] + raw, raw + whole):
        with contextlib.suppress(FormatError):
            found = read(folder, given_bytes)
            inert = type(found).__module__.startswith("gazecode")
            plain = isinstance(found, (dict, list, tuple, str, bytes, float, int, type(None)))
            assert inert or plain


def test_memory_is_bounded_whatever_a_file_announces(folder):
    """A memo index of four thousand million makes Python's own machine ask for its whole memo."""
    greedy = b"]r\xff\xff\xff\xff." + b"x" * 10
    announced = b"\x8d" + struct.pack("<Q", 2**40)
    tracemalloc.start()
    try:
        assert read(folder, greedy) == []
        with pytest.raises(FormatError, match="cut off"):
            read(folder, announced)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_too_many_instructions_and_too_many_bytes_are_refused(folder, monkeypatch):
    monkeypatch.setattr(inert_pickle, "MAX_STEPS", 1000)
    with pytest.raises(TooLarge, match="more than 1,000 pickle instructions"):
        read(folder, b"]" * 2000 + b".")
    monkeypatch.setattr(inert_pickle, "MAX_BYTES", 1000)
    with pytest.raises(TooLarge, match=r"2,001 bytes of pickle; at most 1,000 are read"):
        read(folder, b"]" * 2000 + b".")


def test_every_instruction_is_one_of_python_s(folder):
    known = {one.code.encode("latin-1"): one.name for one in pickletools.opcodes}
    assert set(inert_pickle.STEPS) < set(known)
    never = {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"}
    assert not never & {known[code] for code in inert_pickle.STEPS}


def test_python_s_own_machine_agrees_on_what_is_read(folder):
    raw = pickle.dumps([("a", 1.5, -3, 2**80, b"x", None, True)], protocol=2)
    assert read(folder, raw) == pickle.Unpickler(io.BytesIO(raw)).load()  # noqa: S301

"""A batch says of every source what `parse` says of it alone."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import ParameterError
from gazecode.model import TokenBatch
from gazecode.source import LANGUAGES, parse, parse_batch

JAVA = """@Test class A<T> { int s = 1;
  <V> List<V> f(int a, String[] b) throws E { // why
    for (int i = 0; i < a; i++) { if (s == 'c') return s; else s += i; }
    s = new B(); x = "a" + 1; g(k -> k, new C() { public int h() { return s; } });
    do { y[0]--; } while (true);
    return a > 0 ? s : null; }
  A() { h(new D() { void f() { s = 2; } }); }
}
int f() { return 1; }
"""
PYTHON = '''@wraps(f, k=1)
def f(self, a, *b, c: int = 1) -> Dict[str, int]:
    """Doc."""
    x = a[0] + 1; x = x
    with open(x) as y, z: print(y, "s", end="")
    for i in b:
        if i not in x: return lambda q: q ** 2
    else: raise E(f"{x}")
    w = [v for v in b if v], \\
        x is not None
'''
PIECES = ["", " ", "\n\t", "\ufeff", "\x00", "é😀 = 1;", "\u00a0", "void f( {", "}", '"open', "/*",
          "x = \u20ac $;", "\r\n"]  # fmt: skip


def check(codes, language):
    encoded = [code.encode() for code in codes]
    batch = parse_batch(encoded, language)
    single = TokenBatch.of([parse(code, language) for code in encoded])
    assert batch.code == single.code
    for name in ("code_start", "token_start", "span", "row", "label"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(single, name), err_msg=name)
    return batch


def cut(code, places):
    for where, length, text in places:
        at = int(where * len(code))
        code = code[:at] + text + code[at + length :]
    return code


broken = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from([*PIECES, "(", "if", "new"])),
    max_size=4,
)


@given(
    st.sampled_from([("java", JAVA), ("python", PYTHON)]),
    st.lists(st.one_of(st.sampled_from(PIECES), broken), max_size=6),
)
def test_a_batch_is_its_sources_one_by_one(language, parts):
    name, whole = language
    check([part if isinstance(part, str) else cut(whole, part) for part in parts], name)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_in_every_language_nothing_crosses_from_one_source_to_the_next(language):
    check([JAVA, "", "$ a", "b $", "\\", "x = 1", PYTHON, "\\", " ", "f(x"], language)


def test_no_sources_and_empty_sources():
    assert len(check([], "java")) == 0
    assert check(["", " \n"], "java").token_start.tolist() == [0, 0, 0]


def test_the_order_of_sources_changes_nothing():
    """What a language learns from one source must not show in another."""
    codes = [JAVA, "x = new A();", "int f() {", "class A { int b; }", "b = 1;"]
    forth, back = check(codes, "java"), check(codes[::-1], "java")
    for i in range(len(codes)):
        a, b = (batch.token_start[k : k + 2] for batch, k in ((forth, i), (back, 4 - i)))
        assert forth.label[a[0] : a[1]].tolist() == back.label[b[0] : b[1]].tolist()


def test_deep_nesting_and_long_lines():
    deep = "x = " + "(" * 3000 + "1" + ")" * 3000 + ";"
    long = "class A { void f() { " + "g(b, 1 + 2); " * 3000 + "} }"
    batch = check([deep, long, deep], "java")
    assert np.diff(batch.token_start).tolist() == [6004, 27010, 6004]


def test_names_of_a_table_are_used_where_structure_leaves_it_to_them():
    code = b"void f() { a.b(); return b(); }"
    table = {"b": "externally defined variable or function"}
    strict, compat = parse_batch([code], "java"), parse_batch([code], "java", compat=table)
    differ = np.flatnonzero(strict.label != compat.label)
    assert [code[a:b] for a, b in strict.span[differ].tolist()] == [b"b"]


def test_unknown_languages_list_the_choices():
    with pytest.raises(ParameterError, match="no grammar for 'cobol'; there are: "):
        parse_batch([b"x"], "cobol")


@pytest.mark.real
def test_published_sources_in_one_batch(shared_data):
    files = sorted((shared_data / "eyemulator" / "dataset_sample").glob("*.jsonl"))
    assert files
    codes = [json.loads(line)["code"] for file in files for line in file.read_text().splitlines()]
    batch = check(codes, "java")
    print(f"{len(codes)} sources, {len(batch)} tokens")

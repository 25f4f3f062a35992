"""The published token stream: worked examples, and its laws over the leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import ParameterError
from gazecode.source import parse
from gazecode.source.stream import published_stream


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("int x; class A { A() { g(); } }", []),
        ("void f(int a, B b) { g(a); }", ["void", "f", "int", "a", "B", "b", "g", "a"]),
        ("void f() { int[][] a = {}; }", ["void", "f", "int", "[]", "[]", "a", "="]),
        ("void f() { A<B> a = new A<>(); }",
         ["void", "f", "A", "<", "B", ">", "a", "=", "new", "A", "<>"]),
        ("void f() { if (a) return; else if (b) return c; else for (;;) break; }",
         ["void", "f", "if", "a", "return;", "else if", "b", "return", "c", "else", "for",
          "break;"]),
        ("void f() { switch (a) { case 1: default: continue; } }",
         ["void", "f", "switch", "a", "case", "1", "default:", "continue;"]),
        ('void f() { g("a b", \'c\'); } // d', ["void", "f", "g", '"a b"', "'c'"]),
        ("void f() { /* a\nb */ this.x = y[0]; }",
         ["void", "f", "/* a\nb */", "this", "x", "=", "y", "0"]),
        ("@A public void f() { g(new B() { @A void h() {} }); }",
         ["A", "public", "void", "f", "g", "new", "B", "@", "A", "void", "h"]),
        ("class A { A() { g(new B() { void h() { i(); } }); } }", ["void", "h", "i"]),
        ("", []),
    ],
)  # fmt: skip
def test_worked_examples(code, texts):
    assert published_stream(parse(code, "java")).text.tolist() == texts


def test_a_joined_pair_has_one_label_and_null_the_name_asked_for():
    tokens = parse("String[] f() { String[] a = null; }", "java")
    stream = published_stream(tokens, null="nan")
    assert list(zip(stream.text, stream.label, strict=True)) == [
        ("String", "external class"),
        ("[]", "variable"),
        ("f", "function declaration"),
        ("String", "variable declaration"),
        ("[]", "variable declaration"),
        ("a", "variable declaration"),
        ("=", "variable declaration"),
        ("nan", "variable declaration"),
    ]
    assert [tokens.text(i) for i in stream.leaves[-1].tolist()[:1]] == ["null"]


PARTS = [
    *("void f() {", "}", "if (a) b(); else if (c) {", "return", ";", "int[] x = new int[2];"),
    *("class A {", "switch (x) {", "default:", "case 1:", "A() {", "new A<>()", "$", "// x\n"),
    *("@A", "for (A a : b)"),
]


@given(st.lists(st.sampled_from(PARTS), max_size=14))
def test_items_are_leaves_in_order_and_say_where(parts):
    tokens = parse(" ".join(parts), "java")
    stream = published_stream(tokens)
    flat = stream.leaves.ravel().tolist()
    assert flat == sorted(flat)
    assert (stream.leaves[:, 1] > stream.leaves[:, 0]).all()
    assert stream.span[:, 0].tolist() == tokens.span[stream.leaves[:, 0], 0].tolist()
    assert stream.span[:, 1].tolist() == tokens.span[stream.leaves[:, 1] - 1, 1].tolist()
    for text, (start, end) in zip(stream.text, stream.span.tolist(), strict=True):
        assert text == tokens.code[start:end].decode()
    # One leaf: its own label. Two: that of the first, if it has any.
    for label, (first, _) in zip(stream.label, stream.leaves.tolist(), strict=True):
        assert label == tokens.label[first] or tokens.label[first] == ""


def test_languages_without_a_published_stream_say_so():
    with pytest.raises(
        ParameterError, match=r"^python has no published token stream; those that have one: java$"
    ):
        published_stream(parse("x = 1", "python"))

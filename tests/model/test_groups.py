"""One digest per source: laid out anew it stays, with other tokens it does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.model import TokenBatch
from gazecode.model.groups import group_of_texts, source_group, source_groups
from gazecode.source import parse

CODE = 'int f(int a) {\n  return g(a, "b c") + 1;\n}\n'
BLANKS = st.sampled_from([" ", "\n", "\r\n", "\t", "  ", " // so\n", "/* or so */"])


@given(st.data())
def test_blanks_line_ends_and_comments_do_not_count(data):
    parts = re.split(r"\s+(?!c\")", CODE)
    laid_out = "".join(part + data.draw(BLANKS) for part in parts)
    assert source_group(parse(laid_out, "java")) == source_group(parse(CODE, "java"))


@pytest.mark.parametrize(
    ("a", "b"),
    [("int x;", "int y;"), ("a b", "ab"), ("x = 1 + 2", "x = 12"), ("", "x"), ("a; b", "b; a")],
)
def test_other_tokens_are_another_group(a, b):
    assert source_group(parse(a, "java")) != source_group(parse(b, "java"))


def test_line_ends_inside_a_literal_do_not_count():
    text = 'def f():\n    """Why.\n\n    And how.\n    """\n    return 1\n'
    unix, dos = (parse(t, "python") for t in (text, text.replace("\n", "\r\n")))
    assert source_group(unix) == source_group(dos)


@given(st.lists(st.sampled_from([CODE, "int x;", "", "// nothing", "größe = 1"]), max_size=6))
def test_a_batch_is_its_sources(codes):
    sources = [parse(code, "java") for code in codes]
    alone = [source_group(tokens) for tokens in sources]
    assert list(source_groups(TokenBatch.of(sources), "java")) == alone
    assert list(source_groups(TokenBatch.of(sources), ["java"] * len(codes))) == alone
    assert [group_of_texts(t.texts, t.label, "java") for t in sources] == alone


def test_languages_are_told_apart():
    tokens = parse("x", "java")
    assert group_of_texts(tokens.texts, tokens.label, "c") != source_group(tokens)

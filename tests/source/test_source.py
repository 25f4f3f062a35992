"""`parse`: real syntax, broken syntax, every byte accounted for."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import ParameterError, SourceError
from gazecode.source import LABELS, LANGUAGES, language_of, parse

JAVA = """public class A {
    /* two
       lines */
    static String f(int a, char c) { // why
        String s = "x \\" y" + \"\"\"
            block
            \"\"\";
        for (int i = 0; i < a; i++) { if (c == 'c') return s; else s += i; }
        return Math.max(a, 0) > 0 ? s : null;
    }
}
"""
PYTHON = '''class A:
    """Doc
    string."""
    def f(self, a, *, b=1.5):
        x = f"{a!r} and {b:{a}}" "joined"
        while x: x = [y for y in x if y]; print(x)
        return lambda z: z ** 2
print "two", x, \\
    `x` <> 3
'''


def blank(char):
    """Independent of the package: what a reader cannot see as a mark of its own."""
    return char.isspace() or char in "\ufeff\u200b\u2060"


def covered(tokens):
    mark = np.zeros(len(tokens.code), dtype=int)
    for start, end in tokens.span.tolist():
        mark[start:end] += 1
    return mark


def check_accounts_for_every_byte(code, language):
    tokens = parse(code, language)
    mark = covered(tokens)
    assert mark.max(initial=0) <= 1
    place = 0
    for char in tokens.code.decode():
        size = len(char.encode())
        if not blank(char):
            assert mark[place : place + size].all(), (char, place)
        place += size
    for text in tokens.texts:
        assert text
        assert not blank(text[0])
        assert not blank(text[-1])
    return tokens


def test_java_comments_strings_and_chars_are_one_token_each():
    tokens = check_accounts_for_every_byte(JAVA, "java")
    texts = tokens.texts
    assert "/* two\n       lines */" in texts
    assert "// why" in texts
    assert '"x \\" y"' in texts
    assert "'c'" in texts
    assert any(t.startswith('"""\n') and t.endswith('"""') for t in texts)
    assert "".join(texts) == "".join(tokens.text(i) for i in range(len(tokens)))


def test_python_strings_are_one_token_each_and_parts_of_a_joined_string_are_single():
    tokens = check_accounts_for_every_byte(PYTHON, "python")
    texts = tokens.texts
    assert '"""Doc\n    string."""' in texts
    assert 'f"{a!r} and {b:{a}}"' in texts
    assert '"joined"' in texts
    assert "\\" in texts
    assert tokens.kind[texts.index("\\")] == "ERROR"


def test_python_2_print_statements_are_tokens_like_any_other():
    tokens = parse('print "a b", x\n', "python")
    assert tokens.texts == ["print", '"a b"', ",", "x"]
    assert "ERROR" not in set(tokens.kind)


def test_path_runs_from_the_root_to_the_parent_and_equal_paths_are_one_object():
    tokens = parse("class A { int x = 1; int y = 2; }", "java")
    one, two = (i for i, t in enumerate(tokens.texts) if t in "12")
    assert tokens.path[one] == (
        "program",
        "class_declaration",
        "class_body",
        "field_declaration",
        "variable_declarator",
    )
    assert tokens.path[one] is tokens.path[two]


def test_columns_count_characters_and_rows_newlines():
    code = 's = "é😀"; x = 1\r\n\ty = 2\n'
    tokens = parse(code, "python")
    lines = code.split("\n")
    for i, text in enumerate(tokens.texts):
        row, column = tokens.row[i], tokens.column[i]
        assert lines[row][column : column + len(text)] == text


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        pytest.param("", [], id="empty"),
        pytest.param(" \n\t\r\n", [], id="blank"),
        pytest.param("\ufeffint x;", ["int", "x", ";"], id="byte-order-mark"),
        pytest.param(
            "int x; // hi\r\nint y;", ["int", "x", ";", "// hi", "int", "y", ";"], id="crlf"
        ),
        pytest.param("x = \u20ac\u20ac $$ ;", None, id="not a character of the language"),
        pytest.param("void f( {", None, id="incomplete"),
        pytest.param("int\0x;", None, id="nul"),
        pytest.param('String s = "never closed\nint x;', None, id="open string"),
        pytest.param("/* never closed", None, id="open comment"),
    ],
)
def test_odd_code_is_read_as_far_as_it_goes(code, texts):
    tokens = check_accounts_for_every_byte(code, "java")
    if texts is not None:
        assert tokens.texts == texts
    check_accounts_for_every_byte(code, "python")


def test_missing_leaves_that_the_grammar_supposes_are_no_tokens():
    assert parse("class A { int x", "java").texts == ["class", "A", "{", "int", "x"]


@given(
    st.sampled_from(["java", "python"]),
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.integers(0, 12),
            st.text(
                st.sampled_from("(){}\"'\\\n\t \0\r\u00a0\u20ac😀ae1#/*:;$\x1c\ufeff"), max_size=4
            ),
        ),
        max_size=6,
    ),
)
def test_every_byte_that_is_not_blank_belongs_to_one_token_of_mutilated_code(language, cuts):
    code = JAVA if language == "java" else PYTHON
    for where, length, text in cuts:
        at = int(where * len(code))
        code = code[:at] + text + code[at + length :]
    tokens = check_accounts_for_every_byte(code, language)
    assert set(tokens.label) <= set(LABELS)


def test_deep_nesting_needs_no_recursion_and_little_memory():
    depth = 5000
    tokens = parse("x = " + "(" * depth + "1" + ")" * depth, "python")
    assert len(tokens) == 2 * depth + 3
    assert max(map(len, tokens.path)) == 512


def test_a_file_of_one_long_line():
    code = b"class A { void f() { " + b"g(b, 1 + 2); " * 4000 + b"} }"
    tokens = parse(code, "java")
    assert len(tokens) == 8 + 9 * 4000 + 2
    assert tokens.column[-1] == len(code) - 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            b"int x;\xff",
            (
                "A.java: byte 6 (0xff) is not UTF-8; decode the file with its own encoding "
                "and pass the text"
            ),
        ),
        (
            "int \ud800;",
            (
                "A.java: character 4 is a lone surrogate; expected text that UTF-8 can hold; "
                "decode the file again"
            ),
        ),
    ],
)
def test_text_that_utf8_cannot_hold_is_refused_by_place(code, message):
    with pytest.raises(SourceError, match=f"^{re.escape(message)}$"):
        parse(code, source_id="A.java")


def test_unknown_languages_list_the_choices():
    with pytest.raises(
        ParameterError, match=r"^no grammar for 'cobol'; there are: c, .*java, .*python"
    ):
        parse("x", "cobol")
    with pytest.raises(
        ParameterError, match=r"no language has files named '' \(x\); name one with"
    ):
        language_of("x")


def test_the_language_goes_by_the_source_id_when_not_named():
    assert parse("x = 1", source_id="a/b.PY").language == "python"
    assert set(LANGUAGES) >= {
        "java",
        "python",
        "c",
        "cpp",
        "c_sharp",
        "javascript",
        "typescript",
        "go",
    }


@pytest.mark.real
def test_every_program_of_the_data_is_covered(shared_data):
    files = sorted(shared_data.glob("*/programs/*.py")) + sorted(
        shared_data.glob("*/**/Snippets/*.java")
    )
    assert files
    errors = 0
    for file in files:
        tokens = check_accounts_for_every_byte(file.read_bytes(), language_of(file))
        errors += int((tokens.kind == "ERROR").sum())
    print(f"{len(files)} programs, {errors} tokens of kind ERROR")

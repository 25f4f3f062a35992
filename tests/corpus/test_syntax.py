import json

import numpy as np
import pytest

from gazecode.corpus.syntax import parse_checked
from gazecode.source import parse_batch


def error_shares(codes, language):
    return parse_checked(codes, language)[1]


FINE = {
    "java": [b"int x = 1;", b"int f() { return 1; }", b"", b"// nothing but a comment"],
    "python": [b"x = 1\n", b"def f(x):\n    return x\n", b"# nothing but a comment\n"],
}
SLIP = {
    "java": [
        b"int f() {\n  int a = 1\n  int b = 2;\n  return a;\n}\n",
        b"class A {\n  int x = ;\n  int y = 1;\n  int z = 2;\n}\n",
    ],
    "python": [b"def f(x):\n    y = x +\n    z = 3\n    return y * z - x\n"],
}
BROKEN = {
    "java": [
        b"This is prose. It says nothing to a compiler, at all.",
        b"def f(x):\n    return x + 1\n",
        b"hello world",
        b"}{)(",
        b"\x01\x02\x03\x04",
        b"SELECT * FROM t WHERE x = 1;",
        b"<html><body>hi</body></html>",
    ],
    "python": [b"public class A { void f() { int x = 1; } }", b"hello world", b"%%% $$$ ???"],
}


@pytest.mark.parametrize("language", ["java", "python"])
def test_code_prose_and_slips_are_told_apart(language):
    assert not error_shares(FINE[language], language).any()
    slips = error_shares(SLIP[language], language)
    assert ((slips > 0) & (slips <= 0.25)).all()
    assert (error_shares(BROKEN[language], language) > 0.25).all()


@pytest.mark.real
def test_published_methods_parse(shared_data):
    files = sorted((shared_data / "eyemulator" / "dataset_sample").glob("*.jsonl"))
    rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    shares = error_shares([row["code"].encode() for row in rows], "java")
    assert len(rows) == 270
    assert (shares > 0).sum() == 1


@pytest.mark.parametrize("language", ["java", "python"])
def test_the_tokens_are_those_of_parse_batch(language):
    codes = [code for some in (FINE, SLIP, BROKEN) for code in some[language]]
    batch, plain = parse_checked(codes, language)[0], parse_batch(codes, language)
    assert batch.code == plain.code
    for name in ("code_start", "token_start", "span", "row", "label"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(plain, name))

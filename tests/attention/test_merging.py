"""Prompts in subwords, and scores of subwords as scores of AST tokens."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gazecode as gc
from gazecode.attention.merging import merge_matrix, merge_subwords
from gazecode.attention.prompt import Prompt, Scored, TokenParts, prompt_of
from gazecode.errors import AlignmentError, DataError, GazecodeError, ParameterError

TOKENIZER = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "tokenizer.json"
CODE = 'int café(int x) {\n    String 变量 = "naïve 😀";\n\treturn x++;   // done\n}\n'


def prompt(code=CODE, **options):
    return prompt_of(gc.parse(code, "java"), gc.load_tokenizer(TOKENIZER), **options)


@st.composite
def prompts(draw):
    words = draw(st.lists(st.sampled_from(["x", "café", "+", "😀", " ", "\n\t", "foo(", ")", ";"])))
    return prompt("int y" + "".join(words) + " = 1;")


class TestPrompt:
    def test_the_text_is_there_once(self):
        p = prompt()
        assert "".join(p.pieces[i] for i in range(3)) == CODE[: len("".join(p.pieces[:3]))]
        assert p.token.n_tokens == len(p.tokens)
        assert not p.special.any()
        assert p.dropped.tolist() == [True] + [False] * (len(p) - 1)
        assert p.counted.all()
        assert len({len(p), len(p.ids), len(p.spans), len(p.special)}) == 1

    @given(prompts())
    def test_shares_of_a_subword_sum_to_one(self, p):
        parts = p.token
        total = np.bincount(parts.subword, weights=parts.share, minlength=len(p))
        assert np.all(np.isclose(total, 1) | (total == 0))
        assert np.all(np.diff(parts.subword) >= 0)
        code = p.text.encode()
        # What belongs to no token is white space, or what the parser left out of its leaves.
        inside = np.zeros(len(code) + 1, dtype=bool)
        for a, b in p.tokens.span.tolist():
            inside[a:b] = True
        for i in np.flatnonzero(total == 0):
            a, b = p.spans[i]
            assert not inside[a:b].any()

    @given(prompts())
    def test_parts_are_the_bytes_in_common(self, p):
        seen = dict.fromkeys(zip(p.token.subword.tolist(), p.token.token.tolist(), strict=True))
        assert len(seen) == len(p.token.subword)
        for (i, t), share in zip(seen, p.token.share, strict=True):
            (a, b), (c, d) = p.spans[i], p.tokens.span[t]
            assert min(b, d) > max(a, c)
            assert 0 < share <= 1

    def test_special_tokens(self):
        from tokenizers import Tokenizer
        from tokenizers.processors import TemplateProcessing

        tokenizer = Tokenizer.from_file(str(TOKENIZER))
        tokenizer.post_processor = TemplateProcessing(
            single="<|endoftext|> $A <|pad|>",
            special_tokens=[("<|endoftext|>", 0), ("<|pad|>", 1)],
        )
        p = prompt_of(gc.parse("int x;", "java"), tokenizer)
        assert p.special.tolist() == [True, *[False] * (len(p) - 2), True]
        assert p.spans[[0, -1]].tolist() == [[0, 0], [0, 0]]
        assert p.dropped[[0, -1]].all()
        assert not {0, len(p) - 1} & set(p.token.subword.tolist())
        kept = prompt_of(gc.parse("int x;", "java"), tokenizer, drop=())
        assert not kept.dropped.any()

    def test_a_text_without_tokens(self):
        p = prompt_of("int x = 1;", TOKENIZER)
        assert p.token is None
        assert p.tokens is None
        assert "".join(p.pieces) == "int x = 1;"

    def test_what_is_refused(self):
        with pytest.raises(ParameterError, match="no 'last' in drop; choose from: first, special"):
            prompt(drop=("last",))
        with pytest.raises(GazecodeError):
            prompt_of("", TOKENIZER)
        broken = replace(gc.parse("int x;", "java"), code=b"int \xff;")
        with pytest.raises(AlignmentError, match="UTF-8"):
            prompt_of(broken, TOKENIZER)

    def test_scores_are_as_long_as_each_other(self):
        with pytest.raises(DataError, match="expected ones"):
            Scored(value=np.zeros(3), expected=np.zeros(2))
        with pytest.raises(DataError, match="matrix"):
            Scored(value=np.zeros(3), matrix=np.zeros((2, 3)))


class TestMerging:
    @given(prompts(), st.integers(0, 2**32 - 1))
    def test_mass_is_conserved(self, p: Prompt, seed):
        rng = np.random.default_rng(seed)
        value, seen = rng.random(len(p)), rng.random(len(p)) < 0.8
        merged = merge_subwords(p.token, value, seen, "sum")
        whole = value[seen].sum()
        assert np.nansum(merged.value) + merged.off_share * whole == pytest.approx(whole)

    @given(prompts(), st.integers(0, 2**32 - 1), st.sampled_from(["sum", "mean", "max"]))
    def test_equals_loops(self, p: Prompt, seed, merge):
        rng = np.random.default_rng(seed)
        value, seen = rng.normal(size=len(p)), rng.random(len(p)) < 0.8
        found = merge_subwords(p.token, value, seen, merge).value
        for t in range(len(p.tokens)):
            held = [
                (share, value[i])
                for i, j, share in zip(p.token.subword, p.token.token, p.token.share, strict=True)
                if j == t and seen[i]
            ]
            if not held:
                assert np.isnan(found[t])
                continue
            share, score = np.array(held).T
            want = {
                "sum": (share * score).sum(),
                "mean": np.average(score, weights=share),
                "max": score.max(),
            }[merge]
            assert found[t] == pytest.approx(want)

    def test_a_subword_that_crosses_tokens_is_shared_by_bytes(self):
        """``);`` in one subword with a blank before it: half each, the blank takes nothing."""
        parts = TokenParts(
            subword=np.array([0, 0]), token=np.array([0, 1]), share=np.array([0.5, 0.5]), n_tokens=2
        )
        found = merge_subwords(parts, np.array([3.0]), np.array([True]), "sum")
        assert found.value.tolist() == [1.5, 1.5]
        assert found.off_share == 0

    def test_nothing_seen_is_nothing_and_no_warning(self):
        parts = prompt().token
        n = len(prompt())
        found = merge_subwords(parts, np.ones(n), np.zeros(n, dtype=bool), "mean")
        assert np.isnan(found.value).all()
        assert found.off_share == 0

    def test_an_unknown_merge(self):
        p = prompt()
        with pytest.raises(ParameterError, match="no 'median' in merges"):
            merge_subwords(p.token, np.ones(len(p)), np.ones(len(p), dtype=bool), "median")

    @given(prompts(), st.integers(0, 2**32 - 1))
    def test_matrix_rows_sum_to_one_or_nothing(self, p: Prompt, seed):
        rng = np.random.default_rng(seed)
        matrix = np.tril(rng.random((len(p), len(p))))
        seen = rng.random(len(p)) < 0.8
        found = merge_matrix(p.token, matrix, seen)
        total = found.sum(1)
        assert np.all(np.isclose(total, 1) | (total == 0))
        share = np.zeros((p.token.n_tokens, len(p)))
        share[p.token.token, p.token.subword] = p.token.share
        want = share @ (matrix * seen) @ share.T
        want = np.divide(
            want, want.sum(1, keepdims=True), out=0 * want, where=want.sum(1)[:, None] > 0
        )
        assert found == pytest.approx(want)


def test_listing_the_methods_loads_no_torch():
    code = (
        "import sys; from gazecode.attention import METHODS, attend; assert len(list(METHODS)) > 20;"
        "heavy = {'torch', 'transformers', 'captum', 'nltk', 'pandas'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

"""Alignment beyond the tokenizer's own time: `align` beside `encode` on the same text."""

import numpy as np
import pytest

import gazecode as gc

CODE = "\n".join(f"int value{i} = compute(value{i % 7}, {i}) + offset;" for i in range(2000))


@pytest.fixture(scope="module")
def tokenizer(request):
    return gc.load_tokenizer(request.config.rootpath / "fixtures" / "demo" / "tokenizer.json")


def test_encode_alone(benchmark, tokenizer):
    encoded = benchmark(tokenizer.encode, CODE)
    assert len(encoded.ids) > 20_000


def test_align(benchmark, tokenizer):
    tokens = gc.parse(CODE, language="java")
    value = np.arange(len(tokens)) % 9.0
    weights = gc.TokenWeights(value=value, on_path=value > 0, scheme="duration", unit="ms")
    example = benchmark(gc.align, weights, tokens, tokenizer, strength=0.5)
    assert example.attention.sum() == pytest.approx(1.0)

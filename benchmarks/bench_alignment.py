"""Alignment beyond the tokenizer's own time: beside `encode` on the same text, long or many short.

A corpus is many short functions: there the batch is what counts, from tokens with values to the
bytes of a Parquet file, beside `encode_batch` on the same sources.
"""

import numpy as np
import pytest

import gazecode as gc
from gazecode.alignment import align_batch
from gazecode.export import flat_batch, parquet_bytes
from gazecode.model import TokenBatch

CODE = "\n".join(f"int value{i} = compute(value{i % 7}, {i}) + offset;" for i in range(2000))
FUNCTIONS = [
    f"int f{i}(int[] values) {{\n"
    + "\n".join(f"    values[{j}] = compute(values[{j % 7}], {i * j});" for j in range(i % 30))
    + "\n    return values.length;\n}\n"
    for i in range(300)
]


@pytest.fixture(scope="module")
def tokenizer(request):
    return gc.load_tokenizer(request.config.rootpath / "fixtures" / "demo" / "tokenizer.json")


@pytest.fixture(scope="module")
def functions():
    batch = TokenBatch.of([gc.parse(code, language="java") for code in FUNCTIONS])
    value = 1.0 + np.arange(len(batch)) % 3
    on_path = value > 2
    weights = gc.TokenWeights(
        value=np.where(on_path, value, 1.0),
        on_path=on_path,
        scheme="eyemulator",
        unit="loss weight",
    )
    return weights, batch


def test_encode_alone(benchmark, tokenizer):
    encoded = benchmark(tokenizer.encode, CODE)
    assert len(encoded.ids) > 20_000


def test_align(benchmark, tokenizer):
    tokens = gc.parse(CODE, language="java")
    value = np.arange(len(tokens)) % 9.0
    weights = gc.TokenWeights(value=value, on_path=value > 0, scheme="duration", unit="ms")
    example = benchmark(gc.align, weights, tokens, tokenizer, strength=0.5)
    assert example.attention.sum() == pytest.approx(1.0)


def test_encode_batch_alone(benchmark, tokenizer, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert len(benchmark(tokenizer.encode_batch, FUNCTIONS)) == len(FUNCTIONS)


def test_align_and_write_a_batch(benchmark, tokenizer, functions, monkeypatch):
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    weights, batch = functions
    names = [str(i) for i in range(batch.n_sources)]

    def shard():
        examples, refused = align_batch(weights, batch, tokenizer, source_id=names, language="java")
        return refused, parquet_bytes([flat_batch(examples)])

    refused, made = benchmark(shard)
    assert not refused
    assert made[:4] == b"PAR1"

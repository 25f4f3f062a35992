"""Examples with real tokens."""

import hashlib

import pytest

from gazecode.model import Example
from gazecode.model.groups import source_group
from gazecode.source import parse


@pytest.fixture
def make_example():
    def make(code, *, participant="", priors=(), group=None):
        tokens = parse(code, "java")
        sha = hashlib.sha256(tokens.code).hexdigest()
        n = len(tokens)
        return Example(
            example_id=hashlib.sha256(f"{code}{participant}".encode()).hexdigest()[:16],
            source_id="",
            participant=participant,
            trial="",
            language="java",
            text=code,
            input_ids=[1],
            loss_mask=[True],
            weight=[1.0],
            attention=[1.0],
            on_path=[True],
            token_index=[0],
            token_start=tokens.span[:, 0],
            token_end=tokens.span[:, 1],
            token_label=tokens.label,
            token_value=[0.0] * n,
            participant_group=participant,
            source_group=source_group(tokens) if group is None else group,
            prior_sources=priors,
            source_sha256=sha,
        )

    return make


@pytest.fixture
def many(make_example):
    """Thirty sources, each read by three people, no two sources alike."""
    words = "abcdefghij"
    codes = [
        f"int {words[i % 10]}{i}(int p{i}) {{ return {words[(i * 7) % 10]}{i * i}(p{i}, q{i}) "
        f"{'+-*'[i % 3]} r{i * 13}; }}"
        for i in range(30)
    ]
    return [make_example(code, participant=p) for code in codes for p in ("P1", "P2", "P3")]

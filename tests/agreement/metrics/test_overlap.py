"""Partial credit of spans against the definition written out, and a published row."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.agreement.metrics import overlap as module
from gazecode.agreement.metrics import token_overlap, top_k
from gazecode.errors import DataError

SPAN = st.tuples(st.integers(0, 9), st.integers(0, 4)).map(lambda s: (s[0], s[0] + s[1]))
SPANS = st.lists(SPAN, max_size=6)
TEXTS = st.lists(st.tuples(SPANS, SPANS), min_size=1, max_size=6)


def by_definition(human, model):
    """Both sums of one text, in sets; an empty model span is skipped, a human one adds 0."""
    precision = recall = 0.0
    for a, b in set(human):
        for c, d in set(model):
            if c == d:
                continue
            shared = max(0, min(b, d) - max(a, c))
            precision += shared / (d - c)
            recall += shared / (b - a) if b > a else 0
    return precision, recall


def over(total, n, other):
    return total / n if n and other else math.nan


def f1(p, r):
    if math.isnan(p) or math.isnan(r):
        return math.nan
    return 2 * p * r / (p + r) if p + r else 0.0


@given(TEXTS)
def test_is_the_definition(texts):
    human, model = [h for h, _ in texts], [m for _, m in texts]
    found = token_overlap(human, model)
    sums = [by_definition(h, m) for h, m in texts]
    n_human, n_model = sum(map(len, human)), sum(map(len, model))
    precision = over(sum(p for p, _ in sums), n_model, n_human)
    recall = over(sum(r for _, r in sums), n_human, n_model)
    assert (found.n_human, found.n_model) == (n_human, n_model)
    assert found.precision == pytest.approx(precision, abs=1e-12, nan_ok=True)
    assert found.recall == pytest.approx(recall, abs=1e-12, nan_ok=True)
    assert found.f1 == pytest.approx(f1(precision, recall), abs=1e-12, nan_ok=True)
    each = [
        (over(p, len(m), len(h)), over(r, len(h), len(m)))
        for (p, r), (h, m) in zip(sums, texts, strict=True)
    ]
    assert found.item_precision == pytest.approx([p for p, _ in each], abs=1e-12, nan_ok=True)
    assert found.item_recall == pytest.approx([r for _, r in each], abs=1e-12, nan_ok=True)
    assert found.item_f1 == pytest.approx([f1(*pr) for pr in each], abs=1e-12, nan_ok=True)


@settings(max_examples=40)
@given(TEXTS)
def test_one_text_alone_is_that_text(texts):
    for human, model in texts:
        alone = token_overlap(human, model)
        arrays = token_overlap(
            np.array(human, dtype=np.int64).reshape(-1, 2),
            np.array(model, dtype=np.int64).reshape(-1, 2),
        )
        listed = token_overlap([human], [model])
        for found in (arrays, listed):
            assert found.f1 == pytest.approx(alone.f1, abs=1e-12, nan_ok=True)
            assert (found.n_human, found.n_model) == (len(human), len(model))


@settings(max_examples=40)
@given(TEXTS)
def test_texts_weighted_by_their_spans_are_the_pool(texts):
    kept = [(h, m) for h, m in texts if h and m]
    if not kept:
        return
    found = token_overlap([h for h, _ in kept], [m for _, m in kept])
    pooled = (found.item_precision * found.item_n_model).sum() / found.item_n_model.sum()
    assert pooled == pytest.approx(found.precision, abs=1e-12)
    pooled = (found.item_recall * found.item_n_human).sum() / found.item_n_human.sum()
    assert pooled == pytest.approx(found.recall, abs=1e-12)


@pytest.mark.parametrize("block", [1, 7, 50])
def test_pairs_in_blocks(monkeypatch, block):
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 200, (2, 12, 30))
    human, model = np.stack([starts, starts + rng.integers(0, 9, starts.shape)], axis=-1)
    whole = token_overlap(human, model)
    monkeypatch.setattr(module, "BLOCK", block)
    parts = token_overlap(human, model)
    assert parts.item_f1 == pytest.approx(whole.item_f1, abs=1e-12)


def test_the_same_spans_agree_and_others_do_not():
    spans = [(0, 3), (5, 9)]
    assert token_overlap(spans, spans).f1 == 1.0
    assert token_overlap(spans, [(10, 12)]).f1 == 0.0
    assert math.isnan(token_overlap(spans, []).f1)
    assert math.isnan(token_overlap([], []).precision)


def test_columns_of_tables_hold_arrays_of_arrays():
    # What pandas gives for a column of lists of pairs.
    row = np.empty(2, dtype=object)
    row[:] = [np.array([0, 4]), np.array([6, 10])]
    column = np.empty(2, dtype=object)
    column[:] = [row, np.empty(0, dtype=object)]
    found = token_overlap(column, [[(0, 4)], [(1, 2)]])
    assert found.precision == 0.5
    assert found.recall == 0.5
    assert token_overlap(row, [(0, 4)]).recall == 0.5


def test_what_is_no_span_is_refused():
    with pytest.raises(DataError, match="2 texts of human spans and 1 of model spans; expected"):
        token_overlap([[(0, 1)], [(0, 1)]], [[(0, 1)]])
    with pytest.raises(DataError, match=r"text 0, human spans hold \(4, 2\); expected start <= e"):
        token_overlap([(4, 2)], [(0, 1)])
    with pytest.raises(DataError, match=r"text 1, model spans have shape \(1, 3\)"):
        token_overlap([[(0, 1)], []], [[(0, 1)], [(0, 1, 2)]])
    with pytest.raises(DataError, match="whole characters"):
        token_overlap([(0.5, 1.5)], [(0, 1)])
    with pytest.raises(DataError, match=r"text 0, model spans: .*; expected rows of \(start, end"):
        token_overlap([[(0, 1)]], [[(0, 1), (2,)]])


@pytest.mark.real
def test_a_published_row(shared_data):
    import pandas as pd

    folder = shared_data / "kou2024"
    if not folder.is_dir():
        pytest.skip("kou2024 is not among the recordings")
    row = json.loads((folder / "expected.json").read_text())["rows"][1]
    people = pd.read_parquet(folder / "human.parquet").set_index("prompt_id")
    scores = pd.read_parquet(folder / "attention.parquet")
    scores = scores[(scores["model"] == row["model"]) & (scores["method"] == row["method"])]
    model = dict.fromkeys(people.index, ())
    for prompt, tokens in scores.sort_values("tok_idx").groupby("prompt_id"):
        text, cursor, found = people.loc[prompt, "prompt"], 0, []
        for token, score in zip(tokens["token"], tokens["score"], strict=True):
            start = text.find(token, cursor)
            if start >= 0:
                cursor = start + len(token)
                found.append((start, cursor, score))
        spans = np.array(found)
        model[prompt] = spans[top_k(spans[:, 2], row["k"]), :2].astype(int)
    pooled = token_overlap(people["spans"], model.values())
    for name in ("precision", "recall", "f1"):
        assert getattr(pooled, name) == pytest.approx(row["recomputed"][name], abs=1e-9)
    assert pooled.n_model == row["model_selected"]

"""Rollout by hand, for uniform layers and against the product of all layers at once."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

from tiny_models import TOKENIZER, all_attention, model_of, source

from gazecode.attention import prompt_of
from gazecode.attention.rollout import rollout

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prompt(drop=("special", "first"), n=None):
    whole = prompt_of(source(), TOKENIZER, drop=drop)
    return whole if n is None else whole.window(np.arange(n), np.ones(n, dtype=bool))


def product(layers):
    """``A_L ... A_1`` of ``(layers, heads, n, n)``."""
    n = layers.shape[-1]
    whole = np.eye(n)
    for layer in layers:
        mixed = (layer.mean(0) + np.eye(n)) / 2
        whole = mixed / mixed.sum(1, keepdims=True) @ whole
    return whole


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "bert"])
def test_equals_the_product_of_the_layers(family):
    model, p = model_of(family), prompt(())
    want = product(all_attention(model, p.ids))
    found = rollout(model, p, matrix=True)
    assert found.matrix == pytest.approx(want, abs=1e-5)
    assert found.value == pytest.approx(want.sum(0), abs=1e-4)
    assert found.matrix.sum(1) == pytest.approx(1)
    last = rollout(model, p, rows="last")
    assert last.value == pytest.approx(want[-1], abs=1e-5)
    assert last.value.sum() == pytest.approx(1)


def test_uniform_causal_layers_by_hand():
    """Two layers over three positions: A = [[1,0,0],[1/4,3/4,0],[1/6,1/6,2/3]], squared."""
    model = model_of(num_hidden_layers=2)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight.zero_()
    found = rollout(model, prompt((), n=3), matrix=True)
    square = [
        [1, 0, 0],
        [1 / 4 + 3 / 16, 9 / 16, 0],
        [1 / 6 + 1 / 24 + 1 / 9, 1 / 8 + 1 / 9, 4 / 9],
    ]
    assert found.matrix == pytest.approx(np.array(square), abs=1e-6)
    assert found.value == pytest.approx(np.sum(square, axis=0), abs=1e-6)
    assert found.expected == pytest.approx(np.sum(square, axis=0), abs=1e-9)
    assert found.parameters["mass"] == 3


@pytest.mark.parametrize("family", ["llama", "mistral", "gpt_neo", "bert"])
@pytest.mark.parametrize("rows", ["all", "last"])
def test_expected_is_the_rollout_of_uniform_layers(family, rows):
    model, p = model_of(family), prompt(())
    seen = all_attention(model, p.ids)
    there = (seen > 0).any(1, keepdims=True)
    if family == "bert":
        there = np.ones_like(there)
    want = product(there / there.sum(-1, keepdims=True))
    found = rollout(model, p, rows=rows)
    assert found.expected == pytest.approx(want.sum(0) if rows == "all" else want[-1], abs=1e-9)


def test_the_first_position_is_dropped_from_the_product_and_not_from_the_layers():
    model = model_of()
    whole = product(all_attention(model, prompt().ids))
    found = rollout(model, prompt(), matrix=True)
    kept = whole * (np.arange(len(whole)) > 0)
    kept[1:] /= kept[1:].sum(1, keepdims=True)
    assert found.matrix == pytest.approx(kept, abs=1e-5)
    assert found.removed_share == pytest.approx(whole[:, 0].mean(), abs=1e-6)
    assert found.parameters["skipped"] == 1
    raw = rollout(model, prompt(), renormalise=False)
    assert raw.value.sum() + raw.removed_share * len(whole) == pytest.approx(len(whole), abs=1e-5)

"""Attention received against all layers at once, uniform models and forced heads."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

import transformers
from tiny_models import CAUSAL, FAMILIES, TOKENIZER, all_attention, model_of, source
from torch.multiprocessing.reductions import StorageWeakRef

from gazecode.attention import prompt_of
from gazecode.attention.hooks import each_layer
from gazecode.attention.rollout import rollout
from gazecode.attention.self_attention import self_attention
from gazecode.errors import ParameterError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
ANSWER = np.array([5, 40, 300, 7])
LAYERS = {"first": slice(0, 1), "last": slice(-1, None), "all": slice(None)}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model():
    return model_of()


def prompt(drop=("special", "first"), n=None):
    whole = prompt_of(source(), TOKENIZER, drop=drop)
    return whole if n is None else whole.window(np.arange(n), np.ones(n, dtype=bool))


def by_hand(seen, rows, n, kept, *, renormalise):
    """Loops over layers and rows of ``(layers, heads, q, k)``."""
    value = np.zeros(n)
    for layer in seen:
        for i in rows:
            row = layer[:, i, :n].sum(0) * kept
            if renormalise and row.sum() > 0:
                row = row / row.sum() * len(layer)
            value += row
    return value


def masks_of(seen):
    """Uniform rows over the keys that have any weight, in place of the weights."""
    there = (seen > 0).any(1, keepdims=True)
    return np.broadcast_to(there / there.sum(-1, keepdims=True), seen.shape)


@pytest.mark.parametrize("renormalise", [True, False])
@pytest.mark.parametrize("drop", [("special", "first"), ()])
@pytest.mark.parametrize("steps", ["reading", "generation"])
@pytest.mark.parametrize("layers", ["first", "last", "all"])
def test_equals_the_direct_computation(model, layers, steps, drop, renormalise):
    p = prompt(drop)
    n = len(p)
    following = ANSWER[:-1] if steps == "generation" else ANSWER[:0]
    rows = range(n - 1, n + len(ANSWER) - 1) if steps == "generation" else range(n)
    seen = all_attention(model, np.concatenate([p.ids, following]))[LAYERS[layers]]
    found = self_attention(
        model, p, answer_ids=ANSWER, layers=layers, steps=steps, renormalise=renormalise
    )
    kept = ~p.dropped
    assert found.value == pytest.approx(
        by_hand(seen, rows, n, kept, renormalise=renormalise), abs=1e-5
    )
    assert found.expected == pytest.approx(
        by_hand(masks_of(seen), rows, n, kept, renormalise=renormalise), abs=1e-9
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_families(family):
    model = model_of(family, attention="eager")
    p = prompt()
    seen = all_attention(model, p.ids)
    found = self_attention(model, p)
    kept, rows = ~p.dropped, range(len(p))
    want = by_hand(seen, rows, len(p), kept, renormalise=True)
    assert found.value == pytest.approx(want, abs=1e-4)
    masks = (
        np.full_like(seen, 1 / len(p)) if family in {"bert", "roberta", "t5"} else masks_of(seen)
    )
    uniform = by_hand(masks, rows, len(p), kept, renormalise=True)
    assert found.expected == pytest.approx(uniform, abs=1e-9)
    assert found.parameters["n_layers"] == len(seen)


@pytest.mark.parametrize("family", ["llama", "gpt2", "mistral", "qwen2", "bert"])
def test_a_model_that_runs_otherwise_gives_the_same(family):
    p = prompt()
    stepwise = self_attention(model_of(family, attention="eager"), p)
    fused = self_attention(model_of(family, attention="sdpa"), p)
    assert fused.value == pytest.approx(stepwise.value, abs=1e-9)


@pytest.mark.parametrize("family", CAUSAL)
def test_generation_rows_of_causal_families(family):
    model, p = model_of(family), prompt()
    n = len(p)
    seen = all_attention(model, np.concatenate([p.ids, ANSWER[:-1]]))
    found = self_attention(model, p, answer_ids=ANSWER, steps="generation")
    want = by_hand(seen, range(n - 1, n + 3), n, ~p.dropped, renormalise=True)
    assert found.value == pytest.approx(want, abs=1e-4)


@pytest.mark.parametrize("family", ["bert", "roberta", "t5"])
def test_generation_of_a_model_that_reads_in_both_directions(family):
    with pytest.raises(ParameterError, match="both directions"):
        self_attention(model_of(family), prompt(), answer_ids=ANSWER, steps="generation")


def uniform_model(layers=1, heads=1, **options):
    """All queries are 0, so that every row is uniform over what it may see."""
    model = model_of(
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads, **options
    )
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight.zero_()
    return model


def test_uniform_causal_rows_give_what_validity_14_says():
    text = " ".join(str(i % 10) for i in range(200))
    p = prompt_of(text, TOKENIZER, drop=()).window(np.arange(100), np.ones(100, dtype=bool))
    found = self_attention(uniform_model(), p)
    assert found.expected[0] == pytest.approx(5.19, abs=0.005)
    assert found.expected[-1] == pytest.approx(0.01, abs=1e-12)
    harmonic = np.cumsum(1 / np.arange(100, 0, -1))[::-1]
    assert found.expected == pytest.approx(harmonic, abs=1e-9)
    assert found.value == pytest.approx(harmonic, abs=1e-5)


@pytest.mark.parametrize("family", ["llama", "mistral", "bert"])
def test_a_uniform_model_is_as_expected(family):
    model = model_of(family)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "q_proj" in name or ".query." in name:
                weight.zero_()
    for steps in ("reading",) if family == "bert" else ("reading", "generation"):
        found = self_attention(model, prompt(), answer_ids=ANSWER, steps=steps)
        assert found.value == pytest.approx(found.expected, rel=1e-5)


def test_heads_and_layers_are_counted_as_they_are():
    """Layer 0 head 0 alone is uniform; no other head or layer may be taken for it."""
    model = model_of()
    with torch.no_grad():
        model.model.layers[0].self_attn.q_proj.weight[:4].zero_()  # 4 heads of 4 numbers
    p = prompt(())
    harmonic = np.cumsum(1 / np.arange(len(p), 0, -1))[::-1]
    forced = self_attention(model, p, layers="first", heads=(0,))
    assert forced.value == pytest.approx(harmonic, abs=1e-5)
    assert self_attention(model, p, layers=(0,), heads="first").value == pytest.approx(forced.value)
    for other in (
        {"layers": "first", "heads": (1,)},
        {"layers": "first", "heads": "last"},
        {"layers": "last", "heads": (0,)},
        {"layers": (1,), "heads": (0,)},
    ):
        assert np.abs(self_attention(model, p, **other).value - harmonic).max() > 1e-3
    parts = [self_attention(model, p, layers=(i,), heads=(h,)) for i in range(3) for h in range(4)]
    whole = self_attention(model, p)
    assert sum(part.value for part in parts) == pytest.approx(whole.value, abs=1e-6)


@pytest.mark.parametrize("steps", ["reading", "generation"])
def test_mass_is_conserved(model, steps):
    p = prompt()
    raw = self_attention(model, p, answer_ids=ANSWER, steps=steps, renormalise=False)
    mass = raw.parameters["mass"]
    rows = len(p) if steps == "reading" else len(ANSWER)
    assert mass == rows * 4 * 3
    gone = mass * (raw.removed_share + raw.parameters["answer_share"])
    assert raw.value.sum() + gone == pytest.approx(mass, abs=1e-3)
    again = self_attention(model, p, answer_ids=ANSWER, steps=steps)
    skipped = again.parameters["skipped"]
    assert skipped == (12 if steps == "reading" else 0)  # the first row sees the first key alone
    assert again.value.sum() + skipped == pytest.approx(mass, abs=1e-6)
    assert again.expected.sum() + skipped == pytest.approx(mass, abs=1e-6)


def test_the_matrix_has_the_rows_that_are_summed(model):
    p = prompt()
    found = self_attention(model, p, matrix=True)
    assert found.matrix.sum(0) == pytest.approx(found.value)
    assert np.triu(found.matrix, 1) == pytest.approx(0)
    with pytest.raises(ParameterError, match="reading steps only"):
        self_attention(model, p, answer_ids=ANSWER, steps="generation", matrix=True)


@pytest.mark.parametrize("module", [self_attention, rollout], ids=["self_attention", "rollout"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "bert", "codegen", "t5"])
def test_one_layer_is_in_memory_at_a_time(family, module, monkeypatch):
    import gazecode.attention.rollout as rolled
    import gazecode.attention.self_attention as summed

    storages, alive = [], []

    def watched(model, ids, see):
        def look(layer, weights, allowed):
            alive.append(sum(not ref.expired() for ref in storages))
            storages.append(StorageWeakRef(weights.untyped_storage()))
            see(layer, weights, allowed)

        return each_layer(model, ids, look)

    monkeypatch.setattr(rolled, "each_layer", watched)
    monkeypatch.setattr(summed, "each_layer", watched)
    model = model_of(family)
    model.config.output_attentions = True  # somebody wants all of them, and not here
    module(model, prompt())
    assert alive == [0] * len(storages)
    assert len(storages) == (2 if family == "t5" else 3)
    assert all(ref.expired() for ref in storages)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_the_model_is_as_it_was(implementation):
    model = model_of(attention=implementation).train()
    model.model.layers[1].eval()
    model.config.output_attentions = implementation == "eager"
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    for answer in (None, ANSWER):
        steps = "reading" if answer is None else "generation"
        self_attention(model, prompt(), answer_ids=answer, steps=steps)
    with pytest.raises(ParameterError):
        self_attention(model, prompt(), layers=(99,))
    with pytest.raises(ParameterError):
        self_attention(model, prompt(), heads=(99,))
    assert model.config._attn_implementation == implementation
    assert model.config.output_attentions == (implementation == "eager")
    assert [m.training for m in model.modules()] == modes
    assert all(w.requires_grad and w.grad is None for w in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_model_without_attention_is_named():
    config = transformers.MambaConfig(
        vocab_size=1024, hidden_size=8, num_hidden_layers=1, state_size=4
    )
    with pytest.raises(ParameterError, match="a MambaForCausalLM gives no attention weights"):
        self_attention(transformers.MambaForCausalLM(config).eval(), prompt(n=5))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": (3,)}, "layer 3 of 3"),
        ({"heads": (0, 4)}, "head 4 of 4"),
        ({"layers": (-1,)}, "numbers from 0 on"),
        ({"heads": ()}, "numbers from 0 on"),
        ({"layers": "middle"}, "numbers from 0 on"),
        ({"steps": "generation"}, "need an answer"),
        ({"steps": "generation", "answer_ids": np.array([], dtype=int)}, "need an answer"),
    ],
)
def test_what_is_refused(model, wrong, message):
    with pytest.raises(ParameterError, match=message):
        self_attention(model, prompt(), **wrong)


def test_half_precision_knows_its_mask():
    """Weights too small for half precision are 0; what a row may see does not follow from them."""
    model = model_of().to(torch.bfloat16)
    p = prompt()
    found, exact = self_attention(model, p), self_attention(model_of(), p)
    assert found.expected == pytest.approx(exact.expected, abs=1e-9)
    assert found.value.sum() == pytest.approx(exact.value.sum(), abs=1e-6)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_whether_rows_see_ahead_is_said(family):
    tiny, read = model_of(family), prompt(n=12)
    assert self_attention(tiny, read).parameters["causal"] == (family in CAUSAL)
    assert rollout(tiny, read).parameters["causal"] == (family in CAUSAL)


def test_mass_on_a_learned_sink_is_counted_as_removed():
    config = transformers.GptOssConfig(
        vocab_size=1024, hidden_size=16, intermediate_size=24, num_hidden_layers=2, head_dim=4,
        num_attention_heads=4, num_key_value_heads=2, num_local_experts=2, num_experts_per_tok=1,
        sliding_window=6, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.GptOssForCausalLM(config).eval()
    read = prompt(drop=(), n=12)
    seen = all_attention(model, read.ids)
    assert seen.sum() < 0.9 * np.prod(seen.shape[:3])
    scored = self_attention(model, read)
    assert scored.removed_share == pytest.approx(1 - seen.sum() / np.prod(seen.shape[:3]))
    assert scored.value.sum() == pytest.approx(np.prod(seen.shape[:3]))

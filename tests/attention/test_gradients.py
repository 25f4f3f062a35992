"""Gradient scores against central differences and captum, on a tiny random Llama in float64."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

import gazecode as gc
from gazecode.attention.gradients import input_x_gradient, saliency
from gazecode.attention.prompt import prompt_of
from gazecode.errors import DataError, ParameterError


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


ANSWER = np.array([715, 40, 499])
CODE = "def total(x, y):\n    return x + y\n"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=1024, hidden_size=8, intermediate_size=12, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=24,
        initializer_range=0.4,
    )  # fmt: skip
    return in_float64(transformers.LlamaForCausalLM(config))


def in_float64(model):
    """The model in double precision: its norms go through float32, torch's own do not."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child).__name__ == "LlamaRMSNorm":
                norm = torch.nn.RMSNorm(len(child.weight), eps=child.variance_epsilon)
                norm.weight = child.weight
                setattr(module, name, norm)
    return model.double().eval()


@pytest.fixture(scope="module")
def prompt():
    tokenizer = gc.load_tokenizer("fixtures/demo/tokenizer.json")
    return prompt_of(gc.parse(CODE, language="python"), tokenizer)


def sequence(prompt, steps):
    """Ids, and the positions that are predicted."""
    ids = prompt.ids
    if steps == "reading":
        return ids, np.arange(1, len(ids))
    return np.concatenate([ids, ANSWER]), np.arange(len(ids), len(ids) + len(ANSWER))


def log_probs(model, embedded, ids, target):
    """``(rows, k)`` log p of the targets when the embeddings are given."""
    logits = model(inputs_embeds=embedded, use_cache=False).logits.log_softmax(-1)
    return logits[:, target - 1, ids[target]]


@pytest.fixture(scope="module")
def differences(model, prompt):
    """By steps: embeddings ``(t, d)``, and ``(k, t, d)`` slopes by central differences."""
    found = {}
    for steps in ("reading", "generation"):
        ids, target = sequence(prompt, steps)
        with torch.no_grad():
            embedding = model.get_input_embeddings()(torch.tensor(ids))
            step = 1e-5
            t, d = embedding.shape
            shift = step * torch.eye(t * d, dtype=torch.float64).reshape(t * d, t, d)
            rise = log_probs(model, embedding + shift, ids, target)
            rise -= log_probs(model, embedding - shift, ids, target)
        slope = (rise / (2 * step)).T.reshape(len(target), t, d).numpy()
        found[steps] = embedding.numpy(), slope
    return found


SIZES = {
    "l2": lambda g: np.sqrt((g**2).sum(-1)),
    "l1": lambda g: np.abs(g).sum(-1),
    "abs_max": lambda g: np.abs(g).max(-1),
}


@pytest.mark.parametrize("steps", ["reading", "generation"])
@pytest.mark.parametrize(("norm", "fast"), [(n, f) for n in SIZES for f in (False, True)])
def test_saliency_is_the_size_of_central_differences(  # noqa: PLR0917 - fixtures and cases
    model, prompt, differences, steps, norm, fast
):
    _, slope = differences[steps]
    size = SIZES[norm]
    wanted = size(slope.sum(0)) if fast else size(slope).sum(0)
    scored = saliency(model, prompt, steps=steps, answer_ids=ANSWER, norm=norm, fast=fast, chunk=5)
    np.testing.assert_allclose(scored.value, wanted[: len(prompt)], rtol=1e-5, atol=1e-7)
    assert scored.parameters["steps"] == steps
    assert scored.parameters["n_steps"] == len(slope)


@pytest.mark.parametrize("steps", ["reading", "generation"])
@pytest.mark.parametrize(
    ("choice", "per_step"),
    [
        ({}, lambda x, g: np.abs((x * g).sum(-1)).sum(0)),
        ({"signed": True}, lambda x, g: (x * g).sum(-1).sum(0)),
        ({"fast": True}, lambda x, g: np.abs((x * g.sum(0)).sum(-1))),
        ({"collapse": "l2"}, lambda x, g: SIZES["l2"](x * g).sum(0)),
        ({"collapse": "l1"}, lambda x, g: SIZES["l1"](x * g).sum(0)),
        ({"collapse": "abs_max"}, lambda x, g: SIZES["abs_max"](x * g).sum(0)),
    ],
)
def test_input_x_gradient_is_that_of_central_differences(  # noqa: PLR0917
    model, prompt, differences, steps, choice, per_step
):
    embedding, slope = differences[steps]
    scored = input_x_gradient(model, prompt, steps=steps, answer_ids=ANSWER, **choice)
    wanted = per_step(embedding, slope)[: len(prompt)]
    np.testing.assert_allclose(scored.value, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("steps", ["reading", "generation"])
def test_captum_step_by_step_gives_the_same(model, prompt, steps):
    captum = pytest.importorskip("captum.attr", reason="captum: pip install 'gazecode[torch]'")
    ids, target = sequence(prompt, steps)
    embedding = model.get_input_embeddings()(torch.tensor(ids))[None].detach().requires_grad_()

    def forward(embedded):
        return log_probs(model, embedded, ids, target)

    one = [captum.Saliency(forward).attribute(embedding, target=k) for k in range(len(target))]
    two = [
        captum.InputXGradient(forward).attribute(embedding, target=k) for k in range(len(target))
    ]
    n = len(prompt)
    np.testing.assert_allclose(
        saliency(model, prompt, steps=steps, answer_ids=ANSWER).value,
        torch.stack(one)[:, 0].norm(dim=-1).sum(0)[:n].detach().numpy(),
    )
    np.testing.assert_allclose(
        input_x_gradient(model, prompt, steps=steps, answer_ids=ANSWER).value,
        torch.stack(two)[:, 0].sum(-1).abs().sum(0)[:n].detach().numpy(),
    )


@pytest.mark.parametrize("method", [saliency, input_x_gradient])
@pytest.mark.parametrize("steps", ["reading", "generation"])
def test_the_score_of_the_sum_is_at_most_the_sum_of_scores(model, prompt, method, steps):
    given = {"steps": steps, "answer_ids": ANSWER}
    slow, fast = (method(model, prompt, fast=fast, **given).value for fast in (False, True))
    assert (fast <= slow + 1e-12).all()
    assert (fast < slow - 1e-9).any()


@pytest.mark.parametrize("chunk", [1, 2, 7, 100])
def test_the_chunk_changes_no_number(model, prompt, chunk):
    for steps in ("reading", "generation"):
        given = {"steps": steps, "answer_ids": ANSWER}
        wanted = saliency(model, prompt, **given).value
        np.testing.assert_allclose(saliency(model, prompt, chunk=chunk, **given).value, wanted)


def test_one_step_alone_as_published(model, prompt, differences):
    embedding, slope = differences["generation"]
    for only, step in (("first", slope[0]), ("last", slope[-1])):
        for method, size in (
            (saliency, SIZES["l2"](step)),
            (input_x_gradient, SIZES["l2"](embedding * step)),
        ):
            more = {} if method is saliency else {"collapse": "l2"}
            scored = method(
                model,
                prompt,
                steps="generation",
                answer_ids=ANSWER,
                only=only,
                normalise=True,
                **more,
            )
            wanted = size[: len(prompt)]
            np.testing.assert_allclose(scored.value, wanted / wanted.sum(), rtol=1e-5, atol=1e-8)
    # With one step there is nothing to cancel.
    one = [saliency(model, prompt, only="last", fast=fast).value for fast in (False, True)]
    np.testing.assert_allclose(*one)


def test_the_last_subword_predicts_nothing_while_reading(model, prompt):
    value = saliency(model, prompt).value
    assert value[-1] == 0
    assert (value[:-1] > 0).all()


def test_a_learned_position_model_and_tied_weights_work(prompt):
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=1024,
        n_embd=8,
        n_layer=1,
        n_head=2,
        n_positions=32,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = transformers.GPT2LMHeadModel(config)
    assert saliency(model, prompt).value.sum() > 0
    assert np.isfinite(
        input_x_gradient(model, prompt, steps="generation", answer_ids=ANSWER).value
    ).all()


def test_half_precision_is_close(model, prompt):
    import copy

    half = copy.deepcopy(model).to(torch.bfloat16)
    wanted, found = (saliency(m, prompt).value for m in (model, half))
    np.testing.assert_allclose(found, wanted, rtol=0.2, atol=0.02 * wanted.max())


def test_the_state_of_the_model_is_as_it_was(model, prompt):
    learned = [w.requires_grad for w in model.parameters()]
    model.train()
    model.lm_head.weight.grad = torch.ones_like(model.lm_head.weight)
    hooks = len(model.get_input_embeddings()._forward_hooks)
    try:
        saliency(model, prompt)
        input_x_gradient(model, prompt, steps="generation", answer_ids=ANSWER)
        assert model.training
        assert (model.lm_head.weight.grad == 1).all()
    finally:
        model.eval()
        model.lm_head.weight.grad = None
    assert all(w.grad is None for w in model.parameters())
    assert [w.requires_grad for w in model.parameters()] == learned
    assert len(model.get_input_embeddings()._forward_hooks) == hooks


def test_progress_counts_steps(model, prompt):
    told = []
    saliency(model, prompt, chunk=5, progress=lambda *x: told.append(x))
    n = len(prompt) - 1
    assert told == [(5, n), (10, n), (n, n)]


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        (saliency, {"norm": "l3"}, "no 'l3' in norm; choose from: abs_max, l1, l2"),
        (saliency, {"steps": "both"}, "no 'both' in steps; choose from: generation, reading"),
        (saliency, {"only": "second"}, "no 'second' in only; choose from: all, first, last"),
        (saliency, {"chunk": 0}, "chunk is 0; expected 1 or more"),
        (input_x_gradient, {"collapse": "l2", "signed": True}, "leave collapse='sum'"),
        (
            saliency,
            {"steps": "generation", "answer_ids": np.arange(30)},
            "prompt and answer are 43 subwords, the model has 24 positions",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(model, prompt, method, change, message):
    with pytest.raises(ParameterError, match=message):
        method(model, prompt, **change)


def test_an_empty_answer_and_a_model_without_embeddings_are_refused(model, prompt):
    with pytest.raises(DataError, match="at least one"):
        saliency(model, prompt, steps="generation", answer_ids=[])
    with pytest.raises(ParameterError, match="a Linear names no embedding layer"):
        saliency(torch.nn.Linear(2, 2), prompt)

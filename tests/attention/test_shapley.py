"""Shapley values: an additive toy, brute force over orders, efficiency on a tiny Llama."""
# ruff: noqa: E402 - what is not installed is reported before it is imported
# ruff: noqa: ARG002, S106 - signatures of models; the mark of unknown words is no password

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)
pytest.importorskip("captum", reason="captum is not installed: pip install 'gazecode[torch]'")

import gazecode as gc
from gazecode.attention.generation import answer_log_prob
from gazecode.attention.prompt import prompt_of
from gazecode.attention.shapley import players_of, shap
from gazecode.errors import ParameterError


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


ANSWER = np.array([3, 3])
SHORT = "total = x + y\n"
LONG = "def total(x, y):\n    return x + y\n"
PAD = 1


class Additive(torch.nn.Module):
    """A language model for which log p(3) is minus the sum of what the ids before it weigh."""

    def __init__(self, vocabulary=1024):
        super().__init__()
        weight = torch.rand(vocabulary, generator=torch.Generator().manual_seed(5)).double()
        weight[3] = 0.0
        self.weight = torch.nn.Parameter(weight)

    def forward(self, input_ids, attention_mask=None):
        said = -self.weight[input_ids].cumsum(-1)
        logits = torch.full((*input_ids.shape, len(self.weight)), -1e9, dtype=torch.float64)
        logits[..., 3] = said
        logits[..., 4] = torch.log(-torch.expm1(said))
        return SimpleNamespace(logits=logits)


@pytest.fixture(scope="module")
def tokenizer():
    return gc.load_tokenizer("fixtures/demo/tokenizer.json")


def prompt_from(code, tokenizer):
    return prompt_of(gc.parse(code, language="python"), tokenizer)


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(2)
    config = transformers.LlamaConfig(
        vocab_size=1024, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=64,
        initializer_range=0.3,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).double().eval()


def contributions(prompt, value):
    """By player; what is on no player."""
    player = players_of(prompt, prompt.token)
    there = player >= 0
    return np.bincount(player[there], weights=value[there]), value[~there]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("code", [SHORT, LONG])
def test_the_toy_gives_back_what_its_tokens_contribute(tokenizer, code, exact):
    prompt, model = prompt_from(code, tokenizer), Additive()
    scored = shap(model, prompt, answer_ids=ANSWER, exact=exact, n_samples=2, baseline=PAD)
    weight = model.weight.detach().numpy()
    player = players_of(prompt, prompt.token)
    single = -len(ANSWER) * (weight[prompt.ids] - weight[PAD])
    wanted = np.bincount(player[player >= 0], weights=single[player >= 0])
    found, rest = contributions(prompt, scored.value)
    np.testing.assert_allclose(found, wanted, atol=1e-9 if exact else 1e-5)
    assert (rest == 0).all()
    if not exact:
        assert scored.parameters["standard_error"] < 1e-5


def test_shapley_is_the_mean_over_all_orders(llama, tokenizer):
    prompt = prompt_from("f(x)\n", tokenizer)
    player = players_of(prompt, prompt.token)
    m = player.max() + 1
    assert 3 <= m <= 5
    scored = shap(llama, prompt, answer_ids=ANSWER, baseline=PAD)
    assert scored.parameters["exact"]

    def worth(present):
        keep = np.isin(player, [*present, -1])
        return answer_log_prob(llama, [np.where(keep, prompt.ids, PAD)], ANSWER).sum()

    wanted = np.zeros(m)
    orders = list(permutations(range(m)))
    for order in orders:
        for k in range(m):
            wanted[order[k]] += worth(order[: k + 1]) - worth(order[:k])
    np.testing.assert_allclose(contributions(prompt, scored.value)[0], wanted / len(orders))


@pytest.mark.parametrize("code", [SHORT, LONG])
@pytest.mark.parametrize("seed", [0, 4])
def test_contributions_add_up_to_what_the_prompt_is_worth(llama, tokenizer, code, seed):
    prompt = prompt_from(code, tokenizer)
    scored = shap(llama, prompt, answer_ids=ANSWER, n_samples=3, seed=seed)
    given = scored.parameters
    assert given["exact"] == (given["players"] <= 10)
    assert given["baseline_rule"] == "<|pad|>"
    np.testing.assert_allclose(
        scored.value.sum(), given["all"] - given["none"], rtol=1e-9 if given["exact"] else 1e-5
    )
    whole = answer_log_prob(llama, [prompt.ids], ANSWER).sum()
    np.testing.assert_allclose(given["all"], whole, rtol=1e-6)


def test_sampling_comes_close_to_counting(llama, tokenizer):
    prompt = prompt_from(SHORT, tokenizer)
    exact = shap(llama, prompt, answer_ids=ANSWER)
    sampled = shap(llama, prompt, answer_ids=ANSWER, exact=False, n_samples=60, batch=64)
    apart = np.abs(exact.value - sampled.value).max()
    assert 0 < apart < 5 * sampled.parameters["standard_error"]


def test_a_seed_gives_the_same_numbers_and_leaves_the_stream_alone(llama, tokenizer):
    prompt = prompt_from(LONG, tokenizer)
    torch.manual_seed(11)
    state = torch.get_rng_state()
    one, again, other = (
        shap(llama, prompt, answer_ids=ANSWER, n_samples=2, seed=s).value for s in (7, 7, 8)
    )
    assert (torch.get_rng_state() == state).all()
    assert (one == again).all()
    assert (one != other).any()


def test_batches_change_no_number(llama, tokenizer):
    prompt = prompt_from(LONG, tokenizer)
    given = {"answer_ids": ANSWER, "n_samples": 2}
    one, other = (shap(llama, prompt, batch=b, **given).value for b in (1, 50))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_tokens_in_one_subword_are_one_player_and_the_rest_stays(tokenizer):
    prompt = prompt_from(LONG, tokenizer)
    player = players_of(prompt, prompt.token)
    by_text = dict(zip(prompt.pieces, player.tolist(), strict=True))
    shared = prompt.pieces.index("):")
    assert (np.bincount(prompt.token.subword)[shared]) == 2
    assert by_text["\n   "] == -1
    held = player[player >= 0]
    assert held[0] == 0
    assert set(np.diff(held)) <= {0, 1}


def test_the_model_is_left_as_it_was(tokenizer):
    model = Additive().train()
    shap(model, prompt_from(SHORT, tokenizer), answer_ids=ANSWER)
    assert model.training
    assert model.weight.requires_grad
    assert model.weight.grad is None


def test_progress_counts_orders_and_coalitions(llama, tokenizer):
    prompt, told = prompt_from("f(x)\n", tokenizer), []
    shap(llama, prompt, answer_ids=ANSWER, progress=lambda *x: told.append(x))
    assert told[-1][0] == told[-1][1] == 2 ** (players_of(prompt, prompt.token).max() + 1)
    told.clear()
    shap(
        llama,
        prompt,
        answer_ids=ANSWER,
        exact=False,
        n_samples=3,
        progress=lambda *x: told.append(x),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_baseline_is_the_first_mark_there_is(llama):
    tokenizers = pytest.importorskip("tokenizers")

    def rule(words, code="a b\n"):
        vocabulary = {word: i for i, word in enumerate([*words, "a", "b"])}
        model = tokenizers.models.WordLevel(vocabulary, unk_token=words[0])
        tokenizer = tokenizers.Tokenizer(model)
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        prompt = prompt_of(gc.parse(code, language="python"), tokenizer)
        found = shap(llama, prompt, answer_ids=ANSWER).parameters
        return found["baseline_rule"], found["baseline"]

    assert rule(["<unk>", "</s>", "<pad>", "<mask>"]) == ("<mask>", 3)
    assert rule(["<unk>", "</s>", "<pad>"]) == ("<pad>", 2)
    assert rule(["<unk>", "</s>"]) == ("</s>", 1)
    assert rule(["<unk>"]) == ("<unk>", 0)
    # A plain Llama configuration ends texts with id 2.
    assert rule(["what"]) == ("config.eos_token_id", 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_samples": 0}, "n_samples is 0; expected 1 or more"),
        ({"batch": 0}, "batch is 0; expected 1 or more"),
    ],
)
def test_parameters_out_of_range_are_refused(llama, tokenizer, change, message):
    with pytest.raises(ParameterError, match=message):
        shap(llama, prompt_from(LONG, tokenizer), answer_ids=ANSWER, **change)


def test_what_cannot_be_asked_is_refused(llama, tokenizer):
    with pytest.raises(
        ParameterError, match="shap changes whole AST tokens, and this prompt has none"
    ):
        shap(llama, prompt_of("x = 1", tokenizer), answer_ids=ANSWER)
    many = prompt_from("\n".join(f"a{i} = {i}" for i in range(8)), tokenizer)
    with pytest.raises(
        ParameterError, match=r"players have 2\*\*\d+ coalitions; .* leave exact=None"
    ):
        shap(llama, many, answer_ids=ANSWER, exact=True)


def test_without_any_mark_a_baseline_is_asked_for():
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.models.WordLevel({"a": 0, "?": 1}, unk_token="?")
    tokenizer = tokenizers.Tokenizer(model)
    prompt = prompt_of(gc.parse("a\n", language="python"), tokenizer)
    with pytest.raises(ParameterError, match="pass baseline=ID"):
        shap(Additive(), prompt, answer_ids=ANSWER)

"""Greedy answers and their log probability, from real models of transformers."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)
pytest.importorskip("nltk", reason="nltk is not installed: pip install 'gazecode[torch]'")

from hypothesis import given
from hypothesis import strategies as st

from gazecode.attention.bleu_score import SMOOTHINGS, bleu
from gazecode.attention.generation import (
    answer_log_prob,
    answer_of,
    generate_answer,
    generate_answers,
)
from gazecode.attention.model import at_rest
from gazecode.errors import DataError, ParameterError


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_llama(seed=0, **changes):
    torch.manual_seed(seed)
    settings = {
        "vocab_size": 64, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 32,
        "initializer_range": 0.5, **changes,
    }  # fmt: skip
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**settings)).double()


@pytest.fixture(scope="module")
def model():
    return tiny_llama()


IDS = np.array([1, 9, 30, 22, 5, 47])


def by_hand(model, ids, n):
    """Greedy continuation with one forward pass per subword and no cache."""
    ids = list(ids)
    out = []
    with torch.no_grad():
        for _ in range(n):
            out.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
            ids.append(out[-1])
    return out


def test_the_greedy_answer_is_the_argmax_of_every_step(model):
    model.eval()
    assert generate_answer(model, IDS, 7).tolist() == by_hand(model, IDS, 7)


def test_sampling_and_penalties_of_the_model_are_set_aside(model):
    plain = generate_answer(model, IDS, 7).tolist()
    own = transformers.GenerationConfig(
        do_sample=True,
        temperature=3.0,
        top_k=3,
        repetition_penalty=4.0,
        eos_token_id=2,
        max_length=8,
    )
    before = model.generation_config
    try:
        model.generation_config = own
        assert generate_answer(model, IDS, 7).tolist() == plain
        assert model.generation_config is own
    finally:
        model.generation_config = before


def test_an_answer_ends_before_the_mark_that_ends_it(model):
    answer = by_hand(model.eval(), IDS, 7)
    before = model.generation_config
    try:
        model.generation_config = transformers.GenerationConfig(eos_token_id=[63, answer[3]])
        cut = generate_answer(model, IDS, 7).tolist()
    finally:
        model.generation_config = before
    assert cut == answer[: answer.index(answer[3])]


def test_prompts_asked_together_have_the_answers_they_have_alone(model):
    rng = np.random.default_rng(3)
    prompts = [rng.integers(3, 64, size=n) for n in (4, 6, 4, 5, 6, 4)]
    told = []
    together = generate_answers(
        model, prompts, max_new_tokens=5, batch=2, progress=lambda *x: told.append(x)
    )
    for ids, answer in zip(prompts, together, strict=True):
        assert answer.tolist() == generate_answer(model, ids, 5).tolist()
    assert told[-1] == (6, 6)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_log_probability_is_the_direct_sum(model):
    answer = np.array([4, 4, 19])
    shorter = IDS[:3]
    found = answer_log_prob(model, [IDS, shorter], answer, batch=1)
    for row, ids in zip(found, (IDS, shorter), strict=True):
        full = torch.tensor([[*ids, *answer]])
        with torch.no_grad():
            spread = model.eval()(full).logits.log_softmax(-1)[0]
        wanted = [spread[len(ids) - 1 + k, answer[k]].item() for k in range(3)]
        np.testing.assert_allclose(row, wanted, rtol=1e-10)


def test_the_greedy_first_token_has_the_highest_log_probability(model):
    first = generate_answer(model, IDS, 1)
    every = [answer_log_prob(model, [IDS], np.array([i]))[0, 0] for i in range(64)]
    assert int(np.argmax(every)) == first[0]
    assert math.isclose(np.exp(every).sum(), 1.0, rel_tol=1e-9)


def test_the_state_of_the_model_is_restored_even_in_error():
    model = tiny_llama().train()
    model.model.layers[0].eval()
    model.lm_head.weight.requires_grad_(False)
    training = [m.training for m in model.modules()]
    learned = [w.requires_grad for w in model.parameters()]
    generate_answer(model, IDS, 2)

    def fail():
        with at_rest(model):
            assert not any(w.requires_grad for w in model.parameters())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert [m.training for m in model.modules()] == training
    assert [w.requires_grad for w in model.parameters()] == learned
    assert all(w.grad is None for w in model.parameters())


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # of peft's own
def test_an_adapter_of_peft_is_asked_like_its_model():
    peft = pytest.importorskip("peft", reason="peft is not installed: pip install peft")
    plain = tiny_llama()
    wanted = generate_answer(plain, IDS, 4).tolist()
    likely = answer_log_prob(plain, [IDS], np.array(wanted))
    adapted = peft.get_peft_model(
        plain, peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"])
    )
    own = adapted.generation_config
    assert generate_answer(adapted, IDS, 4).tolist() == wanted
    np.testing.assert_allclose(answer_log_prob(adapted, [IDS], np.array(wanted)), likely)
    assert adapted.generation_config is own
    assert adapted.base_model.model.generation_config is own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens is 0; expected 1 or more"),
        ({"max_new_tokens": 30}, "prompt and answer are 36 subwords, the model has 32 positions"),
        ({"batch": 0}, "batch is 0; expected 1 or more"),
    ],
)
def test_what_cannot_be_asked_is_refused(model, change, message):
    with pytest.raises(ParameterError, match=message):
        generate_answers(model, [IDS], **{"max_new_tokens": 2, **change})


def test_a_model_that_cannot_generate_and_an_empty_answer_are_refused(model):
    with pytest.raises(ParameterError, match="a Linear cannot generate; load the model with Auto"):
        generate_answer(torch.nn.Linear(2, 2), IDS, 2)
    with pytest.raises(DataError, match="at least one: the model ends at once, or pass answer_ids"):
        answer_of(model, IDS, np.empty(0, dtype=np.int64))
    with pytest.raises(DataError, match="prompt 0 has no subword"):
        generate_answer(model, IDS[:0], 2)


WORDS = st.lists(st.sampled_from("abc"), max_size=7).map(" ".join)


@given(WORDS, WORDS, st.sampled_from(SMOOTHINGS))
def test_bleu_is_a_share_and_one_for_equal_texts(original, answer, smoothing):
    assert 0 <= bleu(original, answer, smoothing=smoothing) <= 1
    assert bleu(original, original, smoothing=smoothing) == 1


def test_bleu_by_hand():
    # Unigrams 4/5, pairs 2/4; both are five words long.
    assert bleu("a b c d e", "a b x d e", order=2) == pytest.approx(math.sqrt(0.8 * 0.5))
    # Two of three words and one of two pairs; the answer is shorter: exp(1 - 4/3).
    assert bleu("a b c d", "a b x", order=2) == pytest.approx(math.exp(-1 / 3) * math.sqrt(1 / 3))
    # As published: no smoothing, always up to four words; short texts are never alike.
    assert bleu("a b", "a b", smoothing="method0", short=False) == 0
    assert bleu("", "") == 1
    assert bleu("a", "") == bleu("", "a") == 0


def test_bleu_refuses_what_it_does_not_know():
    with pytest.raises(ParameterError, match="no 'add' in smoothing; choose from: method0"):
        bleu("a", "a", smoothing="add")
    with pytest.raises(ParameterError, match="order is 0; expected 1 or more"):
        bleu("a", "a", order=0)

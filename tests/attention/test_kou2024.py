"""The published variant: ``attentions[0][0]``, one head or all, one row."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

from tiny_models import TOKENIZER, model_of, source

from gazecode.attention import METHODS, attend, prompt_of
from gazecode.attention.kou2024 import published_attention
from gazecode.errors import ParameterError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ANSWER = np.array([5, 40, 300, 7])


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def as_published(model, ids, answer, row, heads):
    """What the wrapper of the study does, in its words."""
    with torch.no_grad():
        outputs = model(torch.tensor(np.concatenate([ids, answer]))[None], output_attentions=True)
    attention = outputs.attentions[0][0]
    at = len(ids) if row == "READING" else len(ids) + len(answer) - 1
    picked = {"first": lambda a: a[0], "last": lambda a: a[-1], "all": lambda a: a.sum(0)}[heads]
    return picked(attention)[at].double().numpy()[: len(ids)]


@pytest.mark.parametrize("family", ["llama", "gpt2", "codegen"])
@pytest.mark.parametrize("heads", ["first", "last", "all"])
@pytest.mark.parametrize("row", ["READING", "CODING"])
def test_equals_the_published_wrapper(family, heads, row):
    model, p = model_of(family), prompt_of(source(), TOKENIZER, drop=())
    want = as_published(model, p.ids, ANSWER, row, heads)
    found = published_attention(model, p, answer_ids=ANSWER, row=row, heads=heads)
    assert found.value == pytest.approx(want, abs=1e-5)
    after = 1 if row == "READING" else len(ANSWER)
    level = 4 if heads == "all" else 1
    assert found.expected == pytest.approx(level / (len(p) + after), abs=1e-9)


def test_heads_not_layers():
    """The first head of the first layer is uniform: the name says "first", and no layer moves it."""
    model = model_of()
    with torch.no_grad():
        model.model.layers[0].self_attn.q_proj.weight[:4].zero_()
    p = prompt_of(source(), TOKENIZER, drop=())
    found = {
        heads: published_attention(model, p, answer_ids=ANSWER, heads=heads)
        for heads in ("first", "last")
    }
    assert found["first"].value == pytest.approx(1 / (len(p) + 1), abs=1e-6)
    assert np.ptp(found["last"].value) > 1e-3


def test_by_name_with_nothing_dropped():
    model, tokens = model_of(), source()
    p = prompt_of(tokens, TOKENIZER, drop=())
    scores = attend(model, TOKENIZER, tokens, method="kou2024:CODING_last", answer=ANSWER)
    assert scores.parameters["drop"] == []
    assert scores.removed_share == 0
    assert not np.isnan(scores.value).any()
    want = as_published(model, p.ids, ANSWER, "CODING", "last")
    whole = want.sum() * (1 - scores.parameters["off_token_share"])
    assert scores.value.sum() == pytest.approx(whole, abs=1e-5)
    names = {n for n in METHODS if n.startswith("kou2024:")}
    assert {
        f"kou2024:{r}_{h}" for r in ("READING", "CODING") for h in ("first", "last", "all")
    } <= (names)


def test_one_generated_token_is_both_rows():
    model, p = model_of(), prompt_of(source(), TOKENIZER, drop=())
    first, last = (
        published_attention(model, p, answer_ids=ANSWER[:1], row=row)
        for row in ("READING", "CODING")
    )
    assert np.array_equal(first.value, last.value)


@pytest.mark.parametrize("answer", [None, np.array([], dtype=int)])
def test_needs_an_answer(answer):
    with pytest.raises(ParameterError, match="kou2024 needs an answer"):
        published_attention(model_of(), prompt_of(source(), TOKENIZER), answer_ids=answer)


def test_a_model_that_reads_in_both_directions_is_refused():
    with pytest.raises(ParameterError, match="both directions"):
        published_attention(model_of("bert"), prompt_of(source(), TOKENIZER), answer_ids=ANSWER)

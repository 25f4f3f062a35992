"""Methods that ask how likely a text is refuse models that cannot say."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)
pytest.importorskip("captum", reason="captum is not installed: pip install 'gazecode[torch]'")

from tiny_models import CAUSAL, TOKENIZER, model_of, source

from gazecode.attention import attend
from gazecode.attention.causal import check_causal
from gazecode.errors import ParameterError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
ASKING = {
    "saliency_reading": {},
    "input_x_gradient_generation": {"answer": [5, 6]},
    "shap": {"answer": [5, 6], "n_samples": 1},
    "kou2024:SHAP": {"answer": [5, 6]},
    "attention_all_generation": {},
}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("family", ["bert", "t5"])
def test_models_that_read_in_both_directions_are_refused(family, name):
    model = model_of(family, attention="sdpa").train()
    with pytest.raises(ParameterError, match="both directions|in an encoder|cannot generate"):
        attend(model, TOKENIZER, source(), method=name, max_new_tokens=2, **ASKING[name])
    assert model.training
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("name", ["saliency_reading", "shap"])
def test_a_model_without_a_head_is_refused(name):
    with pytest.raises(ParameterError, match="says nothing of the next subword"):
        attend(model_of("gpt2").transformer, TOKENIZER, source(), method=name, **ASKING[name])


@pytest.mark.parametrize("family", CAUSAL)
def test_models_that_read_forwards_are_asked(family):
    check_causal(model_of(family))


def test_a_decoder_of_bert_is_causal_and_a_model_without_attention_passes():
    check_causal(model_of("bert", is_decoder=True))
    check_causal(torch.nn.Linear(2, 2))

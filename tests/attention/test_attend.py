"""The front: one source or many, by name, from a folder, with answers, and what is refused."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

import inspect
import json
import socket
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

import transformers
from tiny_models import TOKENIZER, all_attention, model_of, source

import gazecode as gc
from gazecode.attention import METHODS, Method, Scored, asking, attend, attend_many, prompt_of
from gazecode.attention.generation import generate_answer
from gazecode.attention.methods import method_named
from gazecode.attention.model import load_model
from gazecode.errors import DataError, ParameterError, TokenizerError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
READING = [name for name in METHODS if name.endswith("_reading") and ":" not in name]
ATTENTION = [name for name in METHODS if METHODS[name].received]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model():
    return model_of()


@pytest.fixture(scope="module")
def tokens():
    return source()


@pytest.mark.parametrize("name", list(dict.fromkeys([*ATTENTION, *READING, "shap"])))
def test_every_method_by_name(model, tokens, name):
    scores = attend(model, TOKENIZER, tokens, method=name, max_new_tokens=3)
    assert (scores.method, scores.model) == (name, "LlamaForCausalLM")
    assert np.array_equal(scores.span, tokens.span)
    dropped = "first" in scores.parameters["drop"]
    assert np.isnan(scores.value).tolist() == [dropped] + [False] * (len(tokens) - 1)
    assert scores.merge == "sum"
    assert 0 <= scores.removed_share < 1
    json.dumps(scores.parameters)
    again = attend(model, TOKENIZER, tokens, method=name, max_new_tokens=3)
    assert np.array_equal(scores.value, again.value, equal_nan=True)
    assert (scores.expected is not None) == (name in ATTENTION)


@pytest.mark.parametrize("layers", ["first", "last", "all"])
def test_tokens_get_the_mass_of_their_subwords(model, tokens, layers):
    """Straight from transformers' own collection of all layers to AST tokens, in loops."""
    p = prompt_of(tokens, TOKENIZER)
    seen = all_attention(model, p.ids)
    picked = {"first": seen[:1], "last": seen[-1:], "all": seen}[layers]
    received = np.zeros(len(p))
    for layer in picked.sum(1):
        for i in range(1, len(p)):
            row = layer[i, 1:]
            received[1:] += 4 * row / row.sum()
    scores = attend(model, TOKENIZER, tokens, method=f"attention_{layers}_reading")
    for t, (c, d) in enumerate(tokens.span.tolist()):
        if t == 0:
            continue
        want = 0.0
        for i, (a, b) in enumerate(p.spans.tolist()):
            common = [max(0, min(b, y) - max(a, x)) for x, y in tokens.span.tolist()]
            if sum(common):
                want += received[i] * max(0, min(b, d) - max(a, c)) / sum(common)
        assert scores.value[t] == pytest.approx(want, abs=1e-4)


@pytest.mark.parametrize("name", ATTENTION)
def test_mass_is_conserved_down_to_tokens(model, tokens, name):
    scores = attend(model, TOKENIZER, tokens, method=name, answer="int x = 1;")
    known = scores.parameters
    if name.startswith("kou2024"):  # nothing dropped, nothing renormalised
        kept = known["mass"] * (1 - known["answer_share"])
    else:
        kept = known["mass"] - known["skipped"]
    on_tokens = kept * (1 - known["off_token_share"])
    assert np.nansum(scores.value) == pytest.approx(on_tokens, rel=1e-5)


def test_raw_mass_is_conserved_with_what_was_removed(model, tokens):
    scores = attend(model, TOKENIZER, tokens, renormalise=False)
    known = scores.parameters
    assert known["mass"] == known["rows"] * 4 * 3
    kept = known["mass"] * (1 - scores.removed_share)
    assert np.nansum(scores.value) + known["off_token_share"] * kept == pytest.approx(kept)


def test_merging_by_name(model, tokens):
    by = {m: attend(model, TOKENIZER, tokens, merge=m) for m in ("sum", "mean", "max")}
    assert [scores.merge for scores in by.values()] == ["sum", "mean", "max"]
    assert np.all(by["mean"].value[1:] <= by["max"].value[1:] + 1e-12)
    assert np.all(by["mean"].expected[1:] <= by["max"].expected[1:] + 1e-12)
    parts = prompt_of(tokens, TOKENIZER).token
    alone = np.bincount(parts.subword)[parts.subword] == 1
    several = np.bincount(parts.token[alone], minlength=len(tokens)) > 1
    assert several.any()
    assert np.all(by["sum"].value[several] > by["max"].value[several])


def test_uniform_attention_is_corrected_to_one(tokens):
    model = model_of("gpt2")
    with torch.no_grad():
        for block in model.transformer.h:
            block.attn.c_attn.weight.zero_()
            block.attn.c_attn.bias.zero_()
    for name in ("attention_all_reading", "attention_last_generation", "rollout"):
        scores = attend(model, TOKENIZER, tokens, method=name, answer="return x;")
        assert scores.corrected[1:] == pytest.approx(1, abs=1e-4)
        assert np.isnan(scores.corrected[0])


def test_the_matrix_is_from_token_to_token(model, tokens):
    for name in ("attention_all_reading", "rollout"):
        matrix = attend(model, TOKENIZER, tokens, method=name, matrix=True).matrix
        assert matrix.shape == (len(tokens), len(tokens))
        assert not matrix[:, 0].any()  # the dropped one
        assert matrix[1:].sum(1) == pytest.approx(1)
    for name in ("attention_all_generation", "kou2024:READING_all", "saliency_reading"):
        with pytest.raises(ParameterError, match=f"{name} gives no matrix"):
            attend(model, TOKENIZER, tokens, method=name, matrix=True, answer=[5])


def test_answers_as_text_as_ids_and_greedy(model, tokens):
    ask = {"method": "attention_all_generation"}
    tokenizer = gc.load_tokenizer(TOKENIZER)
    ids = tokenizer.encode("int x;", add_special_tokens=False).ids
    as_text = attend(model, tokenizer, tokens, answer="int x;", **ask)
    as_ids = attend(model, tokenizer, tokens, answer=ids, **ask)
    assert np.array_equal(as_text.value, as_ids.value, equal_nan=True)
    assert as_text.parameters["answer_subwords"] == len(ids)
    p = prompt_of(tokens, tokenizer)
    own = generate_answer(model, p.ids, 5)
    greedy = attend(model, tokenizer, tokens, max_new_tokens=5, **ask)
    given = attend(model, tokenizer, tokens, answer=own, **ask)
    assert np.array_equal(greedy.value, given.value, equal_nan=True)
    # Row by row what the model says next is what it was given.
    following = np.concatenate([p.ids, own])
    with torch.no_grad():
        said = model(torch.tensor(following)[None]).logits[0].argmax(-1).numpy()
    assert said[len(p) - 1 : len(p) + len(own) - 1].tolist() == own.tolist()


def test_a_model_that_answers_nothing(tokens):
    model = model_of()
    with torch.no_grad():
        model.lm_head.weight.zero_()  # all equal: the first id, which ends a text
    with pytest.raises(ParameterError, match="answers nothing"):
        attend(model, TOKENIZER, tokens, method="attention_all_generation")


def test_from_a_folder_without_a_network(tmp_path, model, tokens, monkeypatch):
    def refuse(*_args, **_options):
        raise AssertionError("a network call")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    model.save_pretrained(tmp_path / "tiny")
    scores = attend(str(tmp_path / "tiny"), str(TOKENIZER), tokens)
    assert scores.model == "tiny"
    assert scores.value == pytest.approx(attend(model, TOKENIZER, tokens).value, nan_ok=True)


def test_an_encoder_from_a_folder(tmp_path, tokens):
    model = model_of("bert")
    model.save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    assert type(loaded).__name__ == "BertForMaskedLM"
    assert not loaded.training
    found = attend(tmp_path, TOKENIZER, tokens)
    assert found.value == pytest.approx(attend(model, TOKENIZER, tokens).value, nan_ok=True)


def test_a_folder_that_holds_no_model(tmp_path):
    with pytest.raises(ParameterError, match="no config.json"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ParameterError, match="transformers cannot load a model") as error:
        load_model(tmp_path)
    assert "\n" not in str(error.value)
    (tmp_path / "config.json").write_text(
        '{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}'
    )
    with pytest.raises(ParameterError, match="transformers cannot load a model"):
        load_model(tmp_path)


def test_a_folder_that_holds_half_a_model(tmp_path, model):
    """transformers itself would draw the rest at random and go on."""
    kept = {k: v for k, v in model.state_dict().items() if "layers.2" not in k}
    model.save_pretrained(tmp_path, state_dict=kept)
    with pytest.raises(ParameterError, match="no weights for model.layers.2.* and 8 more"):
        load_model(tmp_path)


def test_a_folder_that_is_cut_short_and_one_of_an_adapter(tmp_path, model):
    model.save_pretrained(tmp_path)
    (weights,) = tmp_path.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:3000])
    with pytest.raises(ParameterError, match="transformers cannot load a model") as error:
        load_model(tmp_path)
    assert "\n" not in str(error.value)
    (tmp_path / "config.json").rename(tmp_path / "adapter_config.json")
    with pytest.raises(ParameterError, match="an adapter without its model; merge them"):
        load_model(tmp_path)


def test_a_filler_from_a_folder_is_whole_and_masked(tmp_path, model, capfd):
    """transformers would fill gaps by a head with random weights."""
    model.save_pretrained(tmp_path / "causal")
    with pytest.raises(ParameterError, match="llama is no masked language model"):
        load_model(tmp_path / "causal", masked=True)
    bert = model_of("bert")
    bert.bert.save_pretrained(tmp_path / "headless")
    with pytest.raises(ParameterError, match="no weights for cls"):
        load_model(tmp_path / "headless", masked=True)
    bert.save_pretrained(tmp_path / "whole")
    capfd.readouterr()
    assert type(load_model(tmp_path / "whole", masked=True)) is type(bert)
    assert capfd.readouterr() == ("", "")


def test_code_of_a_folder_is_never_run(tmp_path):
    ran = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()")
    config = {
        "model_type": "evil",
        "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ParameterError, match="transformers cannot load a model"):
        load_model(tmp_path)
    assert not ran.exists()


def test_without_transformers_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ParameterError, match=r"pip install 'gazecode\[transformers\]'"):
        load_model(tmp_path)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(tokens, training):
    model = model_of(attention="sdpa", attention_dropout=0.5).train(training)
    for name in (
        "attention_all_reading",
        "attention_all_generation",
        "rollout",
        "saliency_reading",
    ):
        attend(model, TOKENIZER, tokens, method=name, max_new_tokens=2)
    with pytest.raises(ParameterError):
        attend(model, TOKENIZER, tokens, heads=(9,))
    assert all(m.training is training for m in model.modules())
    assert model.config._attn_implementation == "sdpa"
    assert all(w.requires_grad and w.grad is None for w in model.parameters())
    quiet = model_of(attention="sdpa")
    one, two = (attend(m, TOKENIZER, tokens).value for m in (model, quiet))
    assert one == pytest.approx(two, nan_ok=True)  # dropout was off


def test_many_are_asked_one_by_one_and_answer_once(model, monkeypatch):
    sources = [source(name="A.java"), source("int x = 1;\nint y = x + 2;\n", name="B.java")]
    methods = ["attention_all_generation", "attention_last_reading", "kou2024:CODING_all"]
    asked, told = [], []

    def generate(model, ids, max_new_tokens):
        asked.append(len(ids))
        return generate_answer(model, ids, max_new_tokens)

    monkeypatch.setattr(asking, "generate_answer", generate)
    results = attend_many(
        model, TOKENIZER, sources, methods, max_new_tokens=3,
        progress=lambda *state: told.append(state),
    )  # fmt: skip
    assert not asked
    first = next(results)
    assert (first.method, len(first), len(asked)) == (methods[0], len(sources[0]), 1)
    rest = list(results)
    assert [s.method for s in [first, *rest]] == methods * 2
    assert [len(s) for s in [first, *rest]] == [len(sources[0])] * 3 + [len(sources[1])] * 3
    assert len(asked) == 2
    assert told[0] == (1, 6, "A.java attention_all_generation")
    assert told[-1] == (6, 6, "B.java kou2024:CODING_all")
    alone = attend(model, TOKENIZER, sources[1], method=methods[2], max_new_tokens=3)
    assert np.array_equal(alone.value, rest[-1].value)


def test_a_source_without_a_token_is_named(model):
    with pytest.raises(DataError, match=r"Empty\.java has no token, .*leave it out"):
        attend(model, TOKENIZER, source("", name="Empty.java"))


def test_a_long_method_says_how_far_it_is(model):
    """Beside the number of results: shap of one source may take hours."""
    told = []
    shapley = {"n_samples": 3, "exact": False}
    list(
        attend_many(
            model, TOKENIZER, [source("int x = 1;", name="A.java")],
            {"shap": shapley}, answers=[[5]],
            progress=lambda *state: told.append(state),
        )
    )  # fmt: skip
    assert told[:3] == [(0, 1, f"A.java shap: {i} of 3") for i in (1, 2, 3)]
    assert told[-1] == (1, 1, "A.java shap")


def test_many_with_parameters_and_answers(model, tokens):
    methods = {"attention_reading": {"layers": (1,), "merge": "max"}, "rollout": {"rows": "last"}}
    first, second = attend_many(model, TOKENIZER, [tokens], methods, answers=["x;"])
    assert first.parameters["layers"] == [1]
    assert (first.merge, second.merge) == ("max", "sum")
    assert second.parameters["rows"] == 1
    with pytest.raises(ParameterError, match="2 answers for 1 sources"):
        next(attend_many(model, TOKENIZER, [tokens], ["rollout"], answers=["a", "b"]))
    with pytest.raises(ParameterError, match="settings of all methods"):
        next(attend_many(model, TOKENIZER, [tokens], ["rollout"], layers=(1,)))
    assert list(attend_many(model, TOKENIZER, [], ["rollout"])) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"method": "attention"},
            "no 'attention' in attention methods; choose from: attention_all",
        ),
        ({"layers": (0,)}, "attention_all_reading has no parameter layers; it has: heads"),
        ({"heads": 1.5}, "heads is 1.5"),
        ({"merge": "median"}, "no 'median' in merges"),
        ({"drop": ("last",)}, "no 'last' in drop"),
        ({"method": "attention_all_generation", "max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"method": "attention_all_generation", "answer": []}, "answer is not a text"),
        ({"method": "attention_all_generation", "answer": ""}, "answer is not a text"),
        ({"method": "attention_all_generation", "answer": [5000]}, "the answer has id 5000"),
        ({"method": "attention_all_generation", "answer": [-1]}, "answer is not a text"),
        ({"method": "masked_lm", "answer": "x;"}, "needs a masked language model"),
    ],
)
def test_what_is_refused(model, tokens, wrong, message):
    with pytest.raises(ParameterError, match=message) as error:
        attend(model, TOKENIZER, tokens, **wrong)
    assert "\n" not in str(error.value)


def test_other_things_than_models_sources_and_tokenizers(model, tokens):
    with pytest.raises(ParameterError, match="tokens is text; give SourceTokens"):
        attend(model, TOKENIZER, "int x = 1;")
    with pytest.raises(ParameterError, match="tokens is a list"):
        attend(model, TOKENIZER, [tokens])
    with pytest.raises(ParameterError, match="model is a int"):
        attend(7, TOKENIZER, tokens)
    with pytest.raises(TokenizerError):
        attend(model, 7, tokens)
    small = model_of(vocab_size=100)
    with pytest.raises(ParameterError, match="the model's vocabulary 100 entries"):
        attend(small, TOKENIZER, tokens)


def test_an_encoder_generates_nothing(tokens):
    with pytest.raises(ParameterError, match="both directions"):
        attend(model_of("bert"), TOKENIZER, tokens, method="attention_all_generation", answer="x;")


@pytest.mark.parametrize("name", list(METHODS))
def test_names_stand_for_functions_with_their_parameters(name):
    known = inspect.signature(METHODS[name].function).parameters
    assert {"model", "prompt", "answer_ids", *METHODS[name].fixed} <= set(known)


def test_methods_of_other_packages():
    def lengths(model, prompt, *, answer_ids=None, power: float = 1.0):
        return Scored(value=np.array([len(piece) ** power for piece in prompt.pieces]))

    entries = METHODS._entries
    entries["lengths"] = lengths
    try:
        assert method_named("lengths") == Method(place=lengths)
        scores = attend(model_of(), TOKENIZER, source(), method="lengths", drop=(), power=1)
        assert scores.expected is None
        assert scores.value.sum() > 0
        with pytest.raises(ParameterError, match="it has: power"):
            attend(model_of(), TOKENIZER, source(), method="lengths", shape=1)
        for said, wrong in ((np.ones(3), "a ndarray"), (Scored(value=np.ones(3)), r"\(3,\); exp")):
            entries["broken"] = lambda *_, said=said, **__: said
            with pytest.raises(DataError, match=f"method broken gives .*{wrong}"):
                attend(model_of(), TOKENIZER, source(), method="broken")
    finally:
        del entries["lengths"], entries["broken"]


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "family"),
    [
        ("gpt2", "gpt2"), ("starcoder2", "starcoder2"), ("llama3", "llama"),
        ("deepseek-coder", "llama"), ("codellama", "llama"), ("smollm", "llama"),
        ("codegen", "codegen"), ("bert-base-uncased", "bert"), ("roberta", "roberta"),
        ("codet5", "t5"), ("t5-small", "t5"),
    ],
)  # fmt: skip
def test_real_tokenizers(shared_data, folder, family):
    """Tiny random models with the vocabulary of a real tokenizer; mass is conserved."""
    tokenizer = gc.load_tokenizer(shared_data / "tokenizers" / folder)
    ids = [tokenizer.token_to_id(t) for t in ("<pad>", "[PAD]")]
    pad = next((i for i in ids if i is not None), 1)
    model = model_of(family, vocab_size=tokenizer.get_vocab_size(), pad_token_id=pad)
    scores = attend(model, tokenizer, source())
    known = scores.parameters
    kept = (known["mass"] - known["skipped"]) * (1 - known["off_token_share"])
    assert np.nansum(scores.value) == pytest.approx(kept, rel=1e-6)
    assert np.isnan(scores.value).sum() <= 1
    assert known["off_token_share"] < 0.6


def test_a_fast_tokenizer_of_transformers(model, tokens):
    fast = transformers.PreTrainedTokenizerFast(tokenizer_file=str(TOKENIZER))
    one, two = attend(model, fast, tokens), attend(model, TOKENIZER, tokens)
    assert np.array_equal(one.value, two.value, equal_nan=True)

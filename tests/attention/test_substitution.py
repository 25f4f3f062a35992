"""Substitution: a model that copies names the token it copies; fillers; the published SHAP."""
# ruff: noqa: E402 - what is not installed is reported before it is imported
# ruff: noqa: ARG002, S106 - signatures of models; the mark of unknown words is no password

from itertools import chain, combinations
from math import factorial
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)
tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("nltk", reason="nltk is not installed: pip install 'gazecode[torch]'")

from transformers.modeling_outputs import CausalLMOutput

import gazecode as gc
from gazecode.attention.filling import filler_of
from gazecode.attention.generation import generate_answer
from gazecode.attention.kou2024 import _published_game, published_shap
from gazecode.attention.prompt import prompt_of
from gazecode.attention.substitution import masked_lm
from gazecode.errors import ParameterError


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


WORDS = ["def", "total", "(", "x", ",", "y", ")", ":", "return", "x", "+", "z"]


class Copying(transformers.PreTrainedModel, transformers.GenerationMixin):
    """A language model that says one position of its prompt again and again."""

    config_class = transformers.PretrainedConfig

    def __init__(self, vocabulary, position):
        super().__init__(transformers.PretrainedConfig())
        self.generation_config = transformers.GenerationConfig(use_cache=False)
        self.sharpness = torch.nn.Parameter(torch.tensor(9.0))
        self.position, self.vocabulary = position, vocabulary

    def forward(self, input_ids, attention_mask=None, **_):
        copied = input_ids[:, self.position, None].expand(input_ids.shape)
        logits = torch.nn.functional.one_hot(copied, self.vocabulary) * self.sharpness
        return CausalLMOutput(logits=logits)

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **_):
        return {"input_ids": input_ids, "attention_mask": attention_mask}


class Constant(torch.nn.Module):
    """A masked language model that expects one id everywhere."""

    def __init__(self, vocabulary, expected):
        super().__init__()
        self.vocabulary, self.expected = vocabulary, expected
        self.seen = []

    def forward(self, input_ids, attention_mask):
        self.seen.append(input_ids.clone())
        logits = torch.zeros(*input_ids.shape, self.vocabulary)
        logits[..., self.expected] = 1.0
        logits[..., 0] = 2.0
        return SimpleNamespace(logits=logits)


class Counting(Constant):
    """Expects the id that is as many steps on as it sees masks."""

    def forward(self, input_ids, attention_mask):
        masks = (input_ids == 0).sum(-1)
        logits = torch.nn.functional.one_hot(self.expected + masks, self.vocabulary).float()
        return SimpleNamespace(logits=logits[:, None].expand(-1, input_ids.shape[1], -1))


def word_level(words, **special):
    """A tokenizer with one subword per word."""
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(words))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, **special))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.add_special_tokens([word for word in ("[MASK]", "[UNK]") if word in vocabulary])
    return made


@pytest.fixture(scope="module")
def tokenizer():
    return word_level(["[UNK]", *WORDS, "other"], unk_token="[UNK]")


@pytest.fixture(scope="module")
def mask_tokenizer():
    return word_level(["[MASK]", "[UNK]", *WORDS, "other"], unk_token="[UNK]")


@pytest.fixture
def filler(mask_tokenizer):
    size = mask_tokenizer.get_vocab_size()
    return filler_of(Constant(size, mask_tokenizer.token_to_id("other")), mask_tokenizer)


@pytest.fixture(scope="module")
def prompt(tokenizer):
    code = " ".join(WORDS[:8]) + "\n    " + " ".join(WORDS[8:]) + "\n"
    return prompt_of(gc.parse(code, language="python"), tokenizer)


def test_the_prompt_has_a_subword_per_token(prompt):
    assert prompt.pieces == WORDS
    assert prompt.token.token.tolist() == list(range(len(WORDS)))


@pytest.mark.parametrize("position", [1, 5, 11])
@pytest.mark.parametrize("difference", ["bleu", "log_prob"])
@pytest.mark.parametrize("fill", ["left_to_right", "parallel", "single"])
def test_masking_finds_the_token_that_is_copied(  # noqa: PLR0917 - fixtures and cases
    prompt, tokenizer, filler, position, difference, fill
):
    model = Copying(tokenizer.get_vocab_size(), position)
    answer = generate_answer(model, prompt.ids, 3)
    assert [tokenizer.id_to_token(i) for i in answer] == [WORDS[position]] * 3
    scored = masked_lm(
        model, prompt, answer_ids=answer, filler=filler, difference=difference, fill=fill
    )
    high = {"bleu": 1.0, "log_prob": 27.0}[difference]
    wanted = np.where(np.arange(len(WORDS)) == position, high, 0.0)
    np.testing.assert_allclose(scored.value, wanted, atol=1e-5)
    assert scored.parameters["replaced"] == len(WORDS)
    assert scored.parameters["unchanged"] == 0


def test_a_substitute_equal_to_the_token_changes_nothing(prompt, tokenizer, mask_tokenizer):
    model = Copying(tokenizer.get_vocab_size(), 1)
    same = Constant(mask_tokenizer.get_vocab_size(), mask_tokenizer.token_to_id("total"))
    told = []
    scored = masked_lm(
        model,
        prompt,
        filler=same,
        filler_tokenizer=mask_tokenizer,
        progress=lambda *x: told.append(x),
    )
    assert (scored.value == 0).all()
    assert scored.parameters["unchanged"] == 1
    assert told[-1] == (len(WORDS) - 1, len(WORDS) - 1)


def test_marks_and_punctuation_may_be_left_alone(prompt, tokenizer, filler):
    model = Copying(tokenizer.get_vocab_size(), 1)
    scored = masked_lm(model, prompt, filler=filler, words_only=True)
    is_word = np.array([word.isalnum() for word in WORDS])
    assert (np.isnan(scored.value) == ~is_word).all()
    assert scored.parameters["skipped"] == (~is_word).sum()


def test_tokens_of_one_subword_keep_their_own_scores(mask_tokenizer):
    """Punctuation that is left alone takes no word with it, and no score exceeds 1 - BLEU."""
    shared = word_level(["f(x)", "y", "[MASK]", "other", "[UNK]"], unk_token="[UNK]")
    shared.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokens = gc.parse("f(x) y", language="python")
    assert list(tokens.texts) == ["f", "(", "x", ")", "y"]
    filler = filler_of(
        Constant(mask_tokenizer.get_vocab_size(), mask_tokenizer.token_to_id("other")),
        mask_tokenizer,
    )
    model = Copying(shared.get_vocab_size(), 0)
    model.get_input_embeddings = lambda: None
    published = gc.attention.attend(
        model, shared, tokens, method="kou2024:BERT_masking", max_new_tokens=2, filler=filler
    )
    # As published, two words are too short to be like themselves.
    np.testing.assert_equal(published.value, [1, np.nan, 1, np.nan, 1])
    assert published.parameters["skipped"] == 2
    every = gc.attention.attend(
        model, shared, tokens, method="masked_lm", max_new_tokens=2, filler=filler
    )
    np.testing.assert_equal(every.value, [1, 1, 1, 1, 0])
    mean = gc.attention.attend(
        model, shared, tokens, method="kou2024:BERT_masking", max_new_tokens=2, filler=filler,
        merge="mean",
    )  # fmt: skip
    assert not np.isnan(mean.value).any()


def test_subwords_are_filled_from_left_to_right_or_at_once(mask_tokenizer):
    # "xyz" is three subwords here; the filler names how many masks it sees.
    words = ["[MASK]", "[UNK]", "x", "y", "z", "is", "one", "two", "three"]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(
            {word: i for i, word in enumerate([*words, "##y", "##z"])}, unk_token="[UNK]"
        )
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    filler = filler_of(Counting(tokenizer.get_vocab_size(), words.index("is")), tokenizer)
    text, span = "is  xyz\tis", np.array([[4, 7]])
    assert filler.fill(text, span, how="left_to_right") == ["is  three two one\tis"]
    assert filler.fill(text, span, how="parallel") == ["is  three three three\tis"]
    assert filler.fill(text, span, how="single") == ["is  one\tis"]
    assert filler.fill(text, np.array([[2, 4]]), how="single") == [None]


def test_long_texts_are_filled_from_a_window(mask_tokenizer):
    n, room = 40, 7
    model = Constant(mask_tokenizer.get_vocab_size(), mask_tokenizer.token_to_id("other"))
    model.config = SimpleNamespace(max_position_embeddings=room, model_type="bert", pad_token_id=1)
    filler = filler_of(model, mask_tokenizer)
    text = " ".join(["x"] * n)
    for place in (0, 3, 20, n - 1):
        model.seen.clear()
        (filled,) = filler.fill(text, np.array([[2 * place, 2 * place + 1]]), how="left_to_right")
        assert filled.split() == ["x"] * place + ["other"] + ["x"] * (n - place - 1)
        (seen,) = model.seen
        assert seen.shape == (1, room)
        assert (seen == filler.mask_id).sum() == 1


@pytest.mark.real
@pytest.mark.parametrize("name", ["bert-base-uncased", "roberta"])
@pytest.mark.parametrize("fill", ["left_to_right", "parallel", "single"])
def test_real_tokenizers_and_models_of_both_kinds(shared_data, tmp_path, name, fill):
    folder = shared_data / "tokenizers" / name
    if not (folder / "tokenizer.json").is_file():
        pytest.skip(f"tokenizer {name} is not among the shared data")
    kind = transformers.BertForMaskedLM if "bert-" in name else transformers.RobertaForMaskedLM
    torch.manual_seed(0)
    config = kind.config_class(
        vocab_size=gc.load_tokenizer(folder).get_vocab_size(), hidden_size=8, intermediate_size=8,
        num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=24,
    )  # fmt: skip
    kind(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    code = "def größe(self, x):\n\tmyVariableName = self.größe_total(x)  # Café 😀\n\treturn x\n"
    tokens = gc.parse(code, language="python")
    filler = filler_of(tmp_path)
    texts = filler.fill(code, tokens.span, how=fill, batch=3)
    alone = filler.fill(code, tokens.span, how=fill, batch=1)
    assert texts == alone
    for (a, b), text in zip(tokens.span.tolist(), texts, strict=True):
        before, after = code.encode()[:a].decode(), code.encode()[b:].decode()
        assert text is not None
        # A subword may reach over the end of its token, and takes punctuation with it.
        assert text.startswith(before[:-2])
        assert text.endswith(after[4:])
        assert not {"[MASK]", "<mask>", "[SEP]", "</s>"} & set(text.split())
    demo = gc.load_tokenizer("fixtures/demo/tokenizer.json")
    model = Copying(1024, 1)
    scored = masked_lm(model, prompt_of(tokens, demo), filler=tmp_path, fill=fill)
    assert np.isfinite(scored.value).all()
    assert scored.parameters["replaced"] + scored.parameters["unchanged"] == len(tokens)


def test_the_models_are_left_as_they_were(prompt, tokenizer, filler):
    model = Copying(tokenizer.get_vocab_size(), 1).train()
    filler.model.train()
    masked_lm(model, prompt, filler=filler)
    assert model.training
    assert filler.model.training
    assert model.sharpness.requires_grad
    assert model.sharpness.grad is None


def by_enumeration(f, repeated):
    """Shapley values of the game the study's code plays, by its own rules over all coalitions."""
    m = len(f)
    rows = np.diag(~repeated).astype(int)

    def looked_up(vector):
        return f[int(np.argmax((rows == vector).all(axis=1)))]

    def worth(present):
        there = np.isin(np.arange(m), present)
        return np.mean([looked_up(np.where(there, 1, row)) for row in rows])

    out = np.zeros(m)
    for j in range(m):
        others = [k for k in range(m) if k != j]
        for s in chain.from_iterable(combinations(others, k) for k in range(m)):
            share = factorial(len(s)) * factorial(m - len(s) - 1) / factorial(m)
            out[j] += share * (worth([*s, j]) - worth(s))
    return out


@pytest.mark.parametrize("m", [3, 4, 7])
@pytest.mark.parametrize("n_repeated", [0, 2, 3])
def test_the_closed_form_of_the_published_game(m, n_repeated):
    rng = np.random.default_rng(m)
    f = rng.random(m)
    repeated = rng.permutation(np.arange(m) < n_repeated)
    found = _published_game(f, repeated)
    np.testing.assert_allclose(found, by_enumeration(f, repeated), atol=1e-12)
    if not n_repeated:
        d = f - f[0]
        np.testing.assert_allclose(found, (d - d.sum()) / (m * (m - 1)))


def test_published_shap_plays_that_game_with_one_token_replaced_at_a_time(prompt, tokenizer):
    model, told = Copying(tokenizer.get_vocab_size(), 5), []
    answer = generate_answer(model, prompt.ids, 5)
    value = published_shap(
        model, prompt, answer_ids=answer, placeholder="other", progress=lambda *x: told.append(x)
    ).value
    changed = (np.arange(len(WORDS)) == 5).astype(float)
    repeated = np.array([WORDS.count(word) > 1 for word in WORDS])
    np.testing.assert_allclose(value, np.abs(_published_game(changed, repeated)))
    assert told[-1] == (len(WORDS), len(WORDS))


def test_the_published_game_scores_what_matters_most_least():
    # Half of the tokens change the answer, the first does not.
    f = np.array([0, 1, 0, 1, 0, 1.0])
    value = np.abs(_published_game(f, np.zeros(6, dtype=bool)))
    assert value[f == 1].max() < value[f == 0].min()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "masked_lm needs a masked language model: pass filler=FOLDER .* filler_tokenizer="),
        ({"filler": "nowhere"}, "nowhere: no such folder; expected one with a masked language"),
        (
            {"filler": Constant(9, 1)},
            "the filler Constant comes without a tokenizer; pass filler_t",
        ),
        ({"difference": "edit"}, "no 'edit' in difference; choose from: bleu, log_prob"),
        ({"smoothing": "none"}, "no 'none' in smoothing"),
    ],
)
def test_what_is_missing_is_asked_for(prompt, tokenizer, given, message):
    with pytest.raises(ParameterError, match=message) as caught:
        masked_lm(Copying(tokenizer.get_vocab_size(), 1), prompt, **given)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_without_a_mask_and_an_unknown_fill_are_refused(prompt, tokenizer, filler):
    model = Copying(tokenizer.get_vocab_size(), 1)
    with pytest.raises(ParameterError, match="the filler's tokenizer has no mask"):
        masked_lm(model, prompt, filler=filler.model, filler_tokenizer=tokenizer)
    with pytest.raises(ParameterError, match="no 'best' in fill; choose from: left_to_right"):
        masked_lm(model, prompt, filler=filler, fill="best")
    with pytest.raises(ParameterError, match="masked_lm changes whole AST tokens"):
        masked_lm(model, prompt_of("x = 1", tokenizer), filler=filler)

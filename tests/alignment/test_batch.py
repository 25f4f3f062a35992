"""A batch against its sources one by one."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from gazecode.alignment import (
    POLICIES,
    FimLayout,
    Template,
    align,
    align_batch,
    align_windows,
    fim_template,
    load_tokenizer,
)
from gazecode.errors import AlignmentError, DataError, GazecodeError, ParameterError
from gazecode.model import Example, SourceTokens, TokenBatch, TokenWeights, Transitions

NAMES = (
    *("bert-base-uncased", "codegen", "codellama", "codet5", "deepseek-coder", "gpt2", "llama2"),
    *("llama3", "roberta", "smollm", "starcoder2", "t5-small"),
)
TEXTS = (
    'public int café(int x) {\r\n\tString 变量 = "naïve 😀 é";\r\n}\r\n',
    "for (int i = 0; i < 12; i++) { x[i] = y; }",
    's = "👩‍👩‍👧‍👦 🏳️‍🌈 😀😀";',
    "变量名 = 가각 + नि * العربية",
    "e\u0301 a\u0308\u0323 \u0301x",
    "a\u200bb\u200dc\ufeffd\u00a0g",
    "if (x):\n" + " " * 37 + "y\n" + "\t" * 9 + "z",
    'a = "</s><s>[UNK]<unk><|endoftext|>";',
    "  x  <mask>  y",
    "</s>",
    "<|endoftext|>",
    "",
    "   ",
    "\n\n\t",
    "x",
    "\u200b",
)
WORD = st.text(st.sampled_from("ax_1 \t\r\n(){};\"'é\u0301变😀\u200bﬁ\u00a0"), max_size=25)
PARAMETERS = st.fixed_dictionaries(
    {
        "template": st.sampled_from([None, "{code}", "é:\n{code}\nAnswer: "]),
        "policy": st.sampled_from(list(POLICIES)),
        "strength": st.sampled_from([None, 0.0, 0.5, 1.0]),
        "per": st.sampled_from(["character", "token"]),
        "max_ratio": st.sampled_from([1.5, 5.0]),
        "mean_one": st.booleans(),
    }
)


def sources(make, texts):
    """One source a text, its tokens its words, under labels of the vocabulary."""
    found = []
    for i, text in enumerate(texts):
        plain = make.source(text, make.words(text), source_id=f"{i}.java")
        label = np.array([("loop", "", "literal")[j % 3] for j in range(len(plain))], dtype=object)
        kept = {f.name: getattr(plain, f.name) for f in fields(plain)}
        found.append(SourceTokens(**kept | {"label": label}))
    return found


def weights_of(tokens, *, seed, unit="ms"):
    """Values, some tokens never shown, some sources without any signal."""
    draw = np.random.default_rng(seed)
    m = len(tokens)
    value = draw.gamma(1.0, 250.0, size=m) * (draw.random(m) < 0.6) * (draw.random() < 0.8)
    return TokenWeights(
        value=value,
        on_path=value > 100,
        exposed=draw.random(m) < 0.8,
        scheme="s",
        unit=unit,
        n_people=3,
        prior_sources=("a", "b"),
    )


def joined(parts):
    columns = {
        name: np.concatenate([np.empty(0), *(getattr(w, name) for w in parts)])
        for name in ("value", "on_path", "exposed")
    }
    first = parts[0]
    return TokenWeights(
        **columns, scheme="s", unit=first.unit, n_people=3, prior_sources=first.prior_sources
    )


def check(make, texts, tokenizer, *, seed=0, unit="ms", **parameters):
    """Every source of the batch comes out as it would alone: bit for bit, or with its reason."""
    tokens = sources(make, texts)
    weights = [weights_of(t, seed=(seed, i), unit=unit) for i, t in enumerate(tokens)]
    made, refused = align_batch(
        joined(weights),
        TokenBatch.of(tokens),
        tokenizer,
        source_id=[t.source_id for t in tokens],
        language="java",
        **parameters,
    )
    by_source = dict(zip(made.source.tolist(), made, strict=True))
    assert sorted([*by_source, *refused]) == list(range(len(texts)))
    assert list(by_source) == sorted(by_source)
    for i, (t, w) in enumerate(zip(tokens, weights, strict=True)):
        alone = example_or_reason(w, t, tokenizer, **parameters)
        if isinstance(alone, str):
            assert refused[i] == alone
        else:
            same(by_source[i], alone)
    return made, refused


ANSWERS = {
    "prose": {"answers": "adds x to y"},
    "copy": {"answers": "for each x, a literal s or y_1", "route": "copy"},
    "attention": {"answers": "x", "route": "attention"},
    "inert": {"answers": "x", "allow_inert": True},
    "fields": {"fields": {"instruction": "Why?", "unit": "{code}"}},
    "loss": {"answers": "{x}", "loss": ("code", "answer")},
    "ends": {"template": Template.of("{code}<|endoftext|>", learn_end=True)},
    "bare": {"special_tokens": False},
}


@pytest.mark.parametrize("how", ANSWERS)
@pytest.mark.parametrize("strength", [None, 0.5])
def test_a_batch_with_answers_is_its_sources_one_by_one(bundled, make, how, strength):
    given = dict(ANSWERS[how])
    answer = given.pop("answers", None)
    parts = "{instruction} {unit}\n" if "fields" in given else ""
    if answer is not None or "fields" in given:
        given["template"] = f"{parts}{{code}}\n{'{answer}' if answer else ''}!"
    tokens = sources(make, TEXTS)
    weights = [weights_of(t, seed=(3, i)) for i, t in enumerate(tokens)]
    answers = None if answer is None else [f"{answer} {i}" for i in range(len(TEXTS))]
    if answers and how == "prose":
        answers[0] = None
    batch = TokenBatch.of(tokens)
    names = [t.source_id for t in tokens]
    made, refused = align_batch(
        joined(weights),
        batch,
        bundled,
        source_id=names,
        language="java",
        answers=answers,
        strength=strength,
        **given,
    )
    by_source = dict(zip(made.source.tolist(), made, strict=True))
    assert sorted([*by_source, *refused]) == list(range(len(TEXTS)))
    for i, (t, w) in enumerate(zip(tokens, weights, strict=True)):
        if answers and answers[i] is None:
            assert refused[i] == ("0.java has no answer and its template asks for one; give it")
            continue
        own = {} if answers is None else {"answer": answers[i]}
        alone = example_or_reason(w, t, bundled, strength=strength, **given, **own)
        if isinstance(alone, str):
            assert refused[i] == alone
        else:
            same(by_source[i], alone)
    assert len(made) > 3 or how == "prose"
    if how == "prose":
        assert any("weight_reach 0" in reason for reason in refused.values())


def test_answers_with_tokens_and_fields_of_each_source(bundled, make):
    tokens = sources(make, TEXTS)
    answers = sources(make, [f"return x{i} ;" for i in range(len(TEXTS))])
    weights, own = (
        [weights_of(t, seed=(k, i)) for i, t in enumerate(ts)]
        for k, ts in enumerate((tokens, answers))
    )
    given = {"template": "{instruction}: {code}\n{answer}", "strength": 0.5}
    instruction = [f"é {i}" for i in range(len(TEXTS))]
    for transitions in (False, True):
        seen = [chain(len(t)) if transitions else None for t in tokens]
        made, refused = align_batch(
            joined(weights),
            TokenBatch.of(tokens),
            bundled,
            source_id=[t.source_id for t in tokens],
            language="java",
            answers=TokenBatch.of(answers),
            answer_weights=joined(own),
            fields={"instruction": instruction},
            transitions=end_to_end(seen) if transitions else None,
            **given,
        )
        assert TEXTS.index("") in refused
        for i, example in zip(made.source.tolist(), made, strict=True):
            alone = align(
                weights[i],
                tokens[i],
                bundled,
                answer=answers[i],
                answer_weights=own[i],
                fields={"instruction": instruction[i]},
                transitions=seen[i],
                **given,
            )
            same(example, alone)


def chain(m):
    """From each token to the next, and back from the last to the first."""
    if m < 2:
        return Transitions(size=m, origin=[], target=[], count=[])
    pairs = sorted({*((i, i + 1) for i in range(m - 1)), (m - 1, 0)})
    origin, target = zip(*pairs, strict=True)
    return Transitions(size=m, origin=origin, target=target, count=np.arange(1.0, m + 1))


def end_to_end(parts):
    first = np.cumsum([0, *(p.size for p in parts)])
    return Transitions(
        size=int(first[-1]),
        origin=np.concatenate([p.origin + f for p, f in zip(parts, first, strict=False)]),
        target=np.concatenate([p.target + f for p, f in zip(parts, first, strict=False)]),
        count=np.concatenate([p.count for p in parts]),
    )


def test_a_template_for_each_source(bundled, make):
    texts = [t for t in TEXTS if t.strip()][:6]
    tokens = sources(make, texts)
    weights = [weights_of(t, seed=(5, i)) for i, t in enumerate(tokens)]
    layout = FimLayout(psm="A{prefix}B{suffix}C{middle}", marks=())
    templates = [fim_template(t, layout=layout, seed=i) for i, t in enumerate(tokens)]
    seen = [chain(len(t)) for t in tokens]
    made, refused = align_batch(
        joined(weights),
        TokenBatch.of(tokens),
        bundled,
        source_id=[t.source_id for t in tokens],
        language="java",
        template=templates,
        transitions=end_to_end(seen),
        allow_inert=True,
    )
    assert not refused
    for i, example in enumerate(made):
        alone = align(
            weights[i],
            tokens[i],
            bundled,
            template=templates[i],
            transitions=seen[i],
            allow_inert=True,
        )
        same(example, alone)
        # A cut token has its saccades once in sum.
        assert example.transition_count.sum() + example.report["saccades_lost"] == pytest.approx(
            seen[i].count.sum()
        )
        rows = np.bincount(example.transition_from, weights=example.transition_share)
        np.testing.assert_allclose(rows[rows > 0], 1.0)


def test_saccades_follow_the_code_behind_an_answer(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    seen = Transitions(size=2, origin=[0, 1], target=[1, 0], count=[3.0, 1.0])
    answer = make.source("a b", [(0, 1), (2, 3)])
    example = align(
        make.gaze([1, 2]),
        tokens,
        bundled,
        template="{answer}|{code}",
        answer=answer,
        transitions=seen,
        allow_inert=True,
    )
    index = example.token_index
    assert index[example.transition_from].tolist() == [2, 3]
    assert index[example.transition_to].tolist() == [3, 2]
    assert example.transition_share.tolist() == [1.0, 1.0]
    assert example.transition_count.tolist() == [3.0, 1.0]


def test_a_batch_may_be_cut_into_windows(bundled, make):
    texts = [t for t in TEXTS if t.strip() and "<|endoftext|>" not in t]
    tokens = sources(make, texts)
    weights = [weights_of(t, seed=(7, i)) for i, t in enumerate(tokens)]
    given = {"template": "Code: {code}", "strength": 0.5, "max_length": 9, "overlap": 3}
    made, refused = align_batch(
        joined(weights),
        TokenBatch.of(tokens),
        bundled,
        source_id=[t.source_id for t in tokens],
        language="java",
        **given,
    )
    assert not refused
    assert np.diff(made.first_position).max() <= 9
    windows = list(made)
    for i, (t, w) in enumerate(zip(tokens, weights, strict=True)):
        alone = align_windows(w, t, bundled, **given)
        of_batch = [window for window in windows if window.source_id == t.source_id]
        assert len(alone) == len(of_batch)
        for a, b in zip(alone, of_batch, strict=True):
            same(a, b)
        whole = align(w, t, bundled, template="Code: {code}", strength=0.5)
        assert sum(x.attention_share for x in alone) == pytest.approx(1.0)
        assert sum(x.loss_mask.sum() for x in alone) == whole.loss_mask.sum()
        if i == 0:
            assert len(alone) > 2


def test_windows_carry_a_callers_own_labels(bundled, make):
    tokens = make.source("int x = y + z ;", [(0, 3), (4, 5), (6, 7), (8, 9), (10, 11), (12, 13)])
    windows = align_windows(make.gaze(range(6)), tokens, bundled, max_length=3)
    assert [set(w.token_label) for w in windows] == [{"label"}] * len(windows)
    assert len(windows) == 3
    labels = np.array([f"own {i}" for i in range(6)], dtype=object)
    own = SourceTokens(
        **{f.name: getattr(tokens, f.name) for f in fields(tokens)} | {"label": labels}
    )
    windows = align_windows(make.gaze(range(6)), own, bundled, max_length=3)
    assert [label for w in windows for label in w.token_label] == labels.tolist()
    with pytest.raises(ParameterError, match="align has no parameter polcy here; it has: "):
        align_windows(make.gaze(range(6)), tokens, bundled, max_length=3, polcy="mean")


def test_inert_sources_are_refused_and_the_others_stay_as_they_are(bundled, make):
    tokens = sources(make, ["int x", "y = z", "a b"])
    weights = make.gaze([3, 1, 0, 4, 0, 0, 0])
    given = {"language": "c", "template": "{code} {answer}", "route": "copy", "strength": 0.5}
    made, refused = align_batch(
        weights,
        TokenBatch.of(tokens),
        bundled,
        source_id=list("pqr"),
        answers=["int long", "no sum", "nothing"],
        **given,
    )
    assert made.source.tolist() == [0, 2]
    assert np.isnan(made.said["weight_reach"][1]), "there is no weight to be inert"
    assert list(refused) == [1]
    assert refused[1].startswith("q: all weight lies where no loss counts (weight_reach 0)")


def example_or_reason(*given, **parameters):
    try:
        return align(*given, **parameters)
    except GazecodeError as error:
        return str(error)


def same(a, b):
    for field in fields(Example):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype, field.name
            np.testing.assert_array_equal(x, y, err_msg=field.name)
        else:
            # NaN is a reach, too: that of a text without any weight.
            assert repr(x) == repr(y), field.name


@settings(max_examples=60)
@given(st.lists(WORD, min_size=1, max_size=6), PARAMETERS, st.integers(0, 9))
def test_a_batch_is_its_sources_one_by_one(bundled, make, texts, parameters, seed):
    check(make, texts, bundled, seed=seed, **parameters)


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_its_sources_one_by_one_for_every_tokenizer(shared_data, make, name):
    tokenizer = load_tokenizer(shared_data / "tokenizers" / name)
    for i, parameters in enumerate(
        (
            {},
            {"template": "Explain this:\n{code}\nAnswer: ", "strength": 0.5},
            {"template": " {code} ", "policy": "share", "mean_one": True},
            {"policy": "mean", "unit": "loss weight", "mean_one": True},
        )
    ):
        made, refused = check(make, TEXTS, tokenizer, seed=i, **parameters)
        assert TEXTS.index("") in refused
        assert len(made) >= len(TEXTS) - 6


def test_reasons_and_what_is_left(bundled, make):
    tokens = [
        make.source("int x", [(0, 3), (4, 5)], source_id="a"),
        make.source("", [], source_id="b"),
        make.source(b"x\xff", [(0, 1)], source_id=""),
        make.source("<|endoftext|>", [(0, 13)], source_id="d"),
        make.source("y", [(0, 1)], source_id="e"),
    ]
    batch = TokenBatch.of([SourceTokens(**with_label(t)) for t in tokens])
    made, refused = align_batch(
        make.gaze([1, 2, 3, 4, 5]),
        batch,
        bundled,
        source_id=[t.source_id for t in tokens],
        language=["java", "c", "c", "c", "python"],
        source_group=list("vwxyz"),
    )
    assert refused == {
        1: "b is empty; expected code to align weights with",
        2: "the source is not UTF-8 at byte 1; decode it with its own encoding first",
        3: "no position of d counts in the loss: none of its 1 subwords stands for text of the "
        "code; use another tokenizer or leave this source out",
    }
    assert made.source.tolist() == [0, 4]
    assert (made.source_id, made.language) == (("a", "e"), ("java", "python"))
    assert (made.source_group, made.text) == (("v", "z"), ("int x", "y"))
    assert made.token_value.tolist() == [1, 2, 5]
    assert made.token_index.tolist() == [0, 1, 0]
    assert made.token_start.tolist() == [0, 4, 0]
    assert made.weight.tolist() == [1, 2, 5]


def with_label(tokens):
    kept = {f.name: getattr(tokens, f.name) for f in fields(tokens)}
    return kept | {"label": [""] * len(tokens)}


@pytest.mark.parametrize("texts", [[], [""], ["", "<|endoftext|>"]])
def test_nothing_to_align(bundled, make, texts):
    tokens = [SourceTokens(**with_label(make.source(t, []))) for t in texts]
    weights, batch = make.gaze([]), TokenBatch.of(tokens)
    for strength in (None, 0.5):
        made, refused = align_batch(
            weights, batch, bundled, source_id=texts, language="c", strength=strength
        )
        assert len(made) == 0
        assert len(refused) == len(texts)
        assert made.first_position.tolist() == made.first_token.tolist() == [0]


def test_a_text_the_tokenizer_fails_on_harms_no_other(make):
    own = Tokenizer(models.WordLevel({"x": 0}, "none"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    made, refused = check(make, ["x x", "y", "x"], own)
    assert made.source.tolist() == [0, 2]
    assert refused[1].startswith("the tokenizer fails on this text: ")


def test_special_tokens_around_every_text(bundled, make):
    own = Tokenizer.from_str(bundled.to_str())
    end = own.token_to_id("<|endoftext|>")
    own.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single="<|endoftext|> $A <|endoftext|>", special_tokens=[("<|endoftext|>", end)]
            ),
        ]
    )
    made, _ = check(make, TEXTS, own, strength=0.5)
    first, last = made.first_position[:-1], made.first_position[1:] - 1
    assert (made.input_ids[first] == end).all()
    assert not made.loss_mask[[*first, *last]].any()


def test_text_that_a_normalizer_rewrites(bundled, make):
    own = Tokenizer.from_str(bundled.to_str())
    own.normalizer = normalizers.Lowercase()
    check(make, ["Int X;", "int x;", "É"], own)


def test_what_does_not_belong_together(bundled, make):
    batch = TokenBatch.of(sources(make, ["int x", "y"]))
    with pytest.raises(AlignmentError, match="there are 2 values and 3 tokens"):
        align_batch(make.gaze([1, 2]), batch, bundled, source_id=["a", "b"], language="c")
    with pytest.raises(DataError) as error:
        align_batch(make.gaze([1, 2, 3]), batch, bundled, source_id=["a"], language="c")
    assert str(error.value) == "source_id has 1 names; expected one for each of 2 sources"
    with pytest.raises(ParameterError, match="the template holds {code} 0 times"):
        align_batch(
            make.gaze([1, 2, 3]), batch, bundled, source_id="ab", language="c", template="x"
        )

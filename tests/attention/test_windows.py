"""Windows: every position counted once, nothing reaches across, one window is the whole text."""
# ruff: noqa: E402 - what is not installed is reported before it is imported

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

from tiny_models import TOKENIZER, all_attention, model_of, source
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from gazecode.attention import attend, prompt_of
from gazecode.attention.model import context_limit
from gazecode.attention.prompt import Prompt, Scored
from gazecode.attention.self_attention import self_attention
from gazecode.attention.windows import joined, last_window, windows_of
from gazecode.errors import ParameterError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bare(n, head=0, tail=0, first=True):
    special = np.zeros(n, dtype=bool)
    special[:head] = True
    special[n - tail :] = True
    dropped = special.copy()
    dropped[0] |= first
    return Prompt(
        text="",
        ids=np.arange(n),
        spans=np.zeros((n, 2), dtype=np.int64),
        special=special,
        dropped=dropped,
        counted=np.ones(n, dtype=bool),
    )


def with_marks():
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A <|pad|>",
        special_tokens=[("<|endoftext|>", 0), ("<|pad|>", 1)],
    )
    return tokenizer


@given(
    n=st.integers(4, 60),
    head=st.integers(0, 2),
    tail=st.integers(0, 1),
    length=st.integers(5, 70),
    overlap=st.integers(0, 30),
)
def test_every_position_is_counted_once(n, head, tail, length, overlap):
    p = bare(n, head, tail)
    room = length - head - tail
    if n > length and overlap >= room:
        with pytest.raises(ParameterError, match="have no room"):
            windows_of(p, length, overlap)
        return
    windows = windows_of(p, length, overlap)
    counts = np.zeros(n, dtype=int)
    for k, window in enumerate(windows):
        assert len(window.position) <= length
        assert np.all(np.diff(window.position) > 0)
        counts[window.position[window.counted]] += 1
        assert window.position[:head].tolist() == list(range(head))
        if k:  # the first that has it counts it: what an earlier window had is context here
            earlier = np.concatenate([w.position for w in windows[:k]])
            body = (window.position >= head) & (window.position < n - tail)
            assert np.array_equal(window.counted[body], ~np.isin(window.position[body], earlier))
    assert counts.tolist() == [1] * n


@given(n=st.integers(4, 60), head=st.integers(0, 2), length=st.integers(4, 70))
def test_the_last_window_ends_with_the_text(n, head, length):
    p = bare(n, head, 1)
    window = last_window(p, length)
    assert len(window.position) == min(n, length)
    assert window.position[-1] == n - 1
    assert window.position[:head].tolist() == list(range(head))
    assert window.counted.all()


def test_the_first_position_of_every_window_is_dropped():
    p = bare(20)
    assert [w.of(p).dropped[0] for w in windows_of(p, 8, 2)] == [True] * 3
    kept = bare(20, first=False)
    assert not any(w.of(kept).dropped.any() for w in windows_of(kept, 8, 2))


@pytest.mark.parametrize("received", [True, False])
def test_scores_are_joined(received):
    """A method that scores each position by its number: added up, or taken from one window."""
    p, calls = bare(10, first=False), []
    windows = windows_of(p, 4, 2)

    def score(part):
        calls.append(len(part))
        return Scored(value=part.ids.astype(float), removed_share=0.25, parameters={"mass": 1.0})

    found, seen = joined(p, windows, score, received=received)
    times = np.bincount(np.concatenate([w.position for w in windows]), minlength=10)
    assert found.value.tolist() == (np.arange(10) * (times if received else 1)).tolist()
    assert seen.all()
    assert found.removed_share == 0.25
    assert found.parameters["mass"] == len(windows) == len(calls)


@pytest.mark.parametrize("method", ["attention_all_reading", "rollout", "saliency_reading"])
def test_a_window_of_all_is_the_whole(method):
    model, tokens = model_of(), source()
    n = len(prompt_of(tokens, TOKENIZER))
    whole = attend(model, TOKENIZER, tokens, method=method)
    for window in (n,) if method.startswith("sal") else (n, n + 1, 256):
        again = attend(model, TOKENIZER, tokens, method=method, window=window)
        assert np.array_equal(whole.value, again.value, equal_nan=True)
        assert again.parameters["windows"] == 1


@pytest.mark.parametrize("marks", [False, True], ids=["bare", "marks"])
def test_attention_in_windows_equals_loops_over_windows(marks):
    model, tokens = model_of(), source()
    tokenizer = with_marks() if marks else Tokenizer.from_file(str(TOKENIZER))
    p = prompt_of(tokens, tokenizer)
    windows = windows_of(p, 20, 6)
    assert len(windows) > 2
    value, removed, rows = np.zeros(len(p)), 0.0, 0
    for window in windows:
        part = window.of(p)
        summed = all_attention(model, part.ids).sum(1)
        for layer in summed:
            for i in np.flatnonzero(window.counted):
                row = layer[i] * ~part.dropped
                removed += layer[i][part.dropped].sum()
                if row.sum() > 0:
                    value[window.position] += row / row.sum() * 4
        rows += window.counted.sum()
    found, seen = joined(p, windows, lambda part: self_attention(model, part), received=True)
    assert found.value == pytest.approx(value, abs=1e-4)
    assert found.parameters["rows"] == rows == len(p)
    assert found.removed_share == pytest.approx(removed / (rows * 12), abs=1e-6)
    assert found.value.sum() + found.parameters["skipped"] == pytest.approx(rows * 12)
    assert np.array_equal(seen, ~p.dropped)
    scores = attend(model, tokenizer, tokens, window=20, overlap=6)
    assert scores.parameters["windows"] == len(windows)
    assert scores.parameters["overlap"] == 6
    kept = found.value.sum() * (1 - scores.parameters["off_token_share"])
    assert np.nansum(scores.value) == pytest.approx(kept)


def test_the_matrix_does_not_reach_across_windows():
    model, tokens = model_of(), source()
    p = prompt_of(tokens, TOKENIZER)
    windows = windows_of(p, 20, 6)
    found, _ = joined(
        p, windows, lambda part: self_attention(model, part, matrix=True), received=True
    )
    assert found.matrix.sum(0) == pytest.approx(found.value)
    for window in windows:
        outside = np.ones(len(p), dtype=bool)
        outside[window.position] = False
        assert not found.matrix[np.ix_(window.position[window.counted], outside)].any()


def test_the_context_of_the_model_is_the_window_where_none_is_given():
    model, tokens = model_of(max_position_embeddings=24), source()
    scores = attend(model, TOKENIZER, tokens)
    assert scores.parameters["window"] == 24
    assert scores.parameters["windows"] > 1
    assert scores.parameters["overlap"] == 12
    assert np.isfinite(scores.value[1:]).all()


@pytest.mark.parametrize(
    ("family", "options", "limit"),
    [
        ("llama", {}, 256),
        ("gpt2", {}, 256),
        ("mpt", {}, 256),
        ("bert", {}, 256),
        ("roberta", {}, 254),
        ("t5", {}, None),
    ],
)
def test_limits_of_families(family, options, limit):
    assert context_limit(model_of(family, **options)) == limit


@pytest.mark.parametrize("family", ["roberta", "gpt2"])
def test_a_model_has_the_positions_it_is_said_to_have(family):
    name = {"roberta": "max_position_embeddings", "gpt2": "n_positions"}[family]
    model = model_of(family, **{name: 20})
    scores = attend(model, TOKENIZER, source())
    assert scores.parameters["window"] == (18 if family == "roberta" else 20)


def test_generation_in_windows_sees_the_end_of_the_text():
    model, tokens = model_of(max_position_embeddings=30), source()
    p = prompt_of(tokens, TOKENIZER)
    scores = attend(
        model, TOKENIZER, tokens, method="attention_all_generation", answer=[5, 6, 7, 8]
    )
    cut = len(p) - 26
    first = int(np.flatnonzero(~np.isnan(scores.value))[0])
    assert p.spans[cut, 0] <= tokens.span[first, 0] <= p.spans[cut + 2, 0]
    assert scores.parameters["unseen"] == cut
    part = last_window(p, 26).of(p)
    by_hand = self_attention(model, part, answer_ids=np.array([5, 6, 7, 8]), steps="generation")
    assert np.nansum(scores.value) == pytest.approx(
        by_hand.value.sum() * (1 - scores.parameters["off_token_share"])
    )


def test_windows_without_room_are_refused():
    model, tokens = model_of(), source()
    with pytest.raises(ParameterError, match="expected 1 to 256 positions"):
        attend(model, TOKENIZER, tokens, window=300)
    with pytest.raises(ParameterError, match="expected 1 to 256 positions"):
        attend(model, TOKENIZER, tokens, window=0)
    with pytest.raises(ParameterError, match="have no room"):
        attend(model, TOKENIZER, tokens, window=10, overlap=10)
    with pytest.raises(ParameterError, match="have no room"):
        attend(model, with_marks(), tokens, window=2)
    with pytest.raises(ParameterError, match="no room for a prompt"):
        attend(
            model, TOKENIZER, tokens, method="attention_all_generation", window=4, answer="xyz = 1;"
        )


def test_progress_counts_windows():
    calls = []
    attend(
        model_of(), TOKENIZER, source(), window=20, overlap=6,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert calls == [(i + 1, len(calls)) for i in range(len(calls))]
    assert len(calls) > 2


def test_a_part_keeps_what_it_was_given():
    p = replace(bare(10), device="cpu", tokenizer="t")
    part = windows_of(p, 6, 2)[1].of(p)
    assert (part.device, part.tokenizer, part.token, part.tokens) == ("cpu", "t", None, None)

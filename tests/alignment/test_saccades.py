"""Saccades on subwords against dense matrices made byte by byte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.alignment import load_tokenizer
from gazecode.alignment.saccades import saccades_lost, spread_transitions
from gazecode.alignment.spread import Spread
from gazecode.alignment.subwords.offsets import byte_positions, own
from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.errors import AlignmentError, DataError
from gazecode.model import Transitions

PROBE = (
    'public int caf\u00e9(int x) {\r\n\tString 变量 = "na\u00efve 😀 e\u0301";\r\n'
    "\t\tfor (int i = 0; i < 1234; i++) { y[i] = f(); }\r\n  return this.getUserName_v2();\r\n}\r\n"
)


def no_edges(subwords):
    return np.zeros((len(subwords), 2), dtype=np.int64)


@st.composite
def one_text(draw):
    """Offsets that overlap and leave holes, tokens, and saccades between these."""
    length = draw(st.integers(1, 12))
    pair = st.tuples(st.integers(0, length), st.integers(0, length))
    offsets = [sorted(p) for p in draw(st.lists(pair, min_size=1, max_size=6))]
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    span = list(zip(cuts[::2], cuts[1::2], strict=False))
    cell = st.sampled_from([0.0, 0.0, 1.0, 3.0, 0.5])
    dense = np.array([[draw(cell) for _ in span] for _ in span]).reshape(len(span), len(span))
    return length, offsets, span, dense


def laid(texts):
    """Texts end to end: ownership, tokens, saccades, and where each begins."""
    offsets, spans, at = [], [], 0
    first_position, first_token = [0], [0]
    for length, offset, span, _ in texts:
        offsets += [(a + at, b + at) for a, b in offset]
        spans += [(a + at, b + at) for a, b in span]
        first_position.append(len(offsets))
        first_token.append(len(spans))
        at += length
    dense = np.zeros((len(spans), len(spans)))
    for i, (_, _, _, own_dense) in enumerate(texts):
        inside = slice(first_token[i], first_token[i + 1])
        dense[inside, inside] = own_dense
    ownership = own(np.array(offsets), byte_positions("x" * at), no_edges)
    span = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return ownership, span, dense, np.array(first_position), np.array(first_token)


def sparse(dense):
    origin, target = np.nonzero(dense)
    return Transitions(size=len(dense), origin=origin, target=target, count=dense[origin, target])


def owned_bytes(ownership, span):
    """``(n, m)`` bytes of each token that each subword owns, byte by byte."""
    found = np.zeros((len(ownership.span), len(span)))
    pieces = (ownership.subword, ownership.start, ownership.end, ownership.fraction)
    for i, start, end, fraction in zip(*pieces, strict=True):
        for byte in range(start, end):
            found[i] += [fraction * (a <= byte < b) for a, b in span]
    return found


def to_one(dense, axis):
    total = dense.sum(axis=axis, keepdims=True)
    return np.divide(dense, total, out=np.zeros_like(dense), where=total > 0)


def oracle(ownership, span, index, dense):
    """Dense ``(n, n)`` shares and counts, and the saccades that have no place."""
    held = owned_bytes(ownership, span)
    is_own = index[:, None] == np.arange(len(span))
    row, column = to_one(held * is_own, 0), to_one(held, 0)
    reached = dense * (held.sum(axis=0) > 0)
    share = is_own @ to_one(reached, 1) @ column.T
    count = row @ reached @ column.T
    return share, count, dense.sum() - count.sum()


def dense_of(found, first_position):
    n = first_position[-1]
    text = np.repeat(np.arange(len(first_position) - 1), np.diff(found["first_transition"]))
    row = found["transition_from"] + first_position[text]
    col = found["transition_to"] + first_position[text]
    assert (np.diff(row * n + col) > 0).all()
    share, count = np.zeros((n, n)), np.zeros((n, n))
    share[row, col], count[row, col] = found["transition_share"], found["transition_count"]
    return share, count


def against_oracle(ownership, span, dense, first_position, first_token):
    spread, seen = Spread(ownership, span), sparse(dense)
    found = spread_transitions(seen, spread, first_position)
    share, count = dense_of(found, first_position)
    expected = oracle(ownership, span, spread.token_index, dense)
    np.testing.assert_allclose(share, expected[0], atol=1e-12)
    np.testing.assert_allclose(count, expected[1], atol=1e-12)
    lost = saccades_lost(seen, spread, first_token)
    assert len(lost) == len(first_token) - 1
    assert lost.sum() == pytest.approx(expected[2], abs=1e-9)
    assert lost.sum() + count.sum() == pytest.approx(dense.sum())
    total = share.sum(axis=1)
    assert np.all((np.abs(total - 1) < 1e-9) | (total == 0))
    return found


@given(st.lists(one_text(), min_size=1, max_size=3))
def test_shares_and_counts_against_a_dense_oracle(texts):
    against_oracle(*laid(texts))


@given(st.lists(one_text(), min_size=1, max_size=3))
def test_a_batch_is_its_texts_one_by_one(texts):
    ownership, span, dense, first_position, first_token = laid(texts)
    together = spread_transitions(sparse(dense), Spread(ownership, span), first_position)
    lost = saccades_lost(sparse(dense), Spread(ownership, span), first_token)
    for i, text in enumerate(texts):
        ownership, span, dense, first_position, first_token = laid([text])
        alone = spread_transitions(sparse(dense), Spread(ownership, span), first_position)
        part = slice(*together["first_transition"][i : i + 2])
        for name in ("transition_from", "transition_to"):
            assert together[name][part].tolist() == alone[name].tolist()
        for name in ("transition_share", "transition_count"):
            np.testing.assert_allclose(together[name][part], alone[name])
        assert lost[i] == pytest.approx(
            saccades_lost(sparse(dense), Spread(ownership, span), first_token)[0]
        )


def test_one_subword_a_token_changes_nothing():
    ownership = own(np.array([[0, 2], [2, 3]]), byte_positions("abc"), no_edges)
    seen = Transitions(size=2, origin=[0, 0, 1], target=[0, 1, 0], count=[1.0, 3.0, 2.0])
    found = spread_transitions(
        seen, Spread(ownership, np.array([[0, 2], [2, 3]])), np.array([0, 2])
    )
    assert found["transition_from"].tolist() == [0, 0, 1]
    assert found["transition_to"].tolist() == [0, 1, 0]
    assert found["transition_share"].tolist() == seen.share.tolist()
    assert found["transition_count"].tolist() == [1.0, 3.0, 2.0]


def test_a_token_inside_the_subword_of_another_has_a_column_and_no_row():
    """``();`` as one subword belongs to the first of its tokens."""
    ownership = own(np.array([[0, 1], [1, 4]]), byte_positions("f();"), no_edges)
    span = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    seen = Transitions(size=4, origin=[0, 0, 1, 3], target=[1, 3, 0, 0], count=[1.0, 2.0, 4.0, 8.0])
    found = spread_transitions(seen, Spread(ownership, span), np.array([0, 2]))
    assert found["transition_from"].tolist() == [0, 1]
    assert found["transition_to"].tolist() == [1, 0]
    assert found["transition_count"].tolist() == [3.0, 4.0]
    assert saccades_lost(seen, Spread(ownership, span), np.array([0, 4])).tolist() == [8.0]


def test_what_does_not_belong_together_is_refused():
    ownership = own(np.array([[0, 1], [1, 2]]), byte_positions("ab"), no_edges)
    spread = Spread(ownership, np.array([[0, 1], [1, 2]]))
    seen = Transitions(size=2, origin=[0], target=[1], count=[1.0])
    with pytest.raises(DataError, match="from position 0 to 1, of another text"):
        spread_transitions(seen, spread, np.array([0, 1, 2]))
    with pytest.raises(AlignmentError, match="texts end at position 3; expected 2"):
        spread_transitions(seen, spread, np.array([0, 3]))
    other = Transitions(size=3, origin=[0], target=[1], count=[1.0])
    with pytest.raises(AlignmentError, match="join 3 tokens and there are 2"):
        spread_transitions(other, spread, np.array([0, 2]))


def bundled_or_real(tokenizer, make):
    tokens = make.source(PROBE, make.words(PROBE))
    m = len(tokens)
    draw = np.random.default_rng(3)
    dense = draw.integers(1, 5, size=(m, m)) * (draw.random((m, m)) < 0.2)
    encoded = make.encode_one(tokens, prepare(tokenizer), template="Explain:\n{code}\nAnswer: ")
    span = tokens.span + encoded.text[0].encode().index(tokens.code)
    position = encoded.first_position
    return against_oracle(encoded.ownership, span, dense.astype(float), position, np.array([0, m]))


def test_the_bundled_tokenizer(bundled, make):
    found = bundled_or_real(bundled, make)
    assert found["transition_count"].sum() > 0


@pytest.mark.real
@pytest.mark.parametrize("name", ["gpt2", "llama3", "t5-small", "bert-base-uncased"])
def test_tokenizers_in_earnest(name, shared_data, make):
    bundled_or_real(load_tokenizer(shared_data / "tokenizers" / name), make)

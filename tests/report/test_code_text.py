from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.report import SubwordView
from gazecode.report.code_text import source_pieces, subword_text
from gazecode.report.reading import read_out
from gazecode.report.words import printable


def test_pieces_are_the_whole_source(trial):
    pieces = source_pieces(trial, read_out(trial))
    assert "".join(p.text for p in pieces).encode() == trial.tokens.code
    shaded = [p for p in pieces if p.kind]
    assert len(shaded) == int(np.sum(trial.weights.value > 0))
    assert all(p.title for p in shaded)


def test_windows_line_ends_are_single(make):
    trial = make.trial("int a;\r\nint b;\r\n", n=2)
    text = "".join(p.text for p in source_pieces(trial, read_out(trial)))
    assert text.splitlines() == ["int a;", "int b;"]


def test_token_never_shown_is_marked(trial):
    value = np.zeros(len(trial.tokens))
    exposed = np.ones(len(trial.tokens), bool)
    exposed[2] = False
    weights = replace(trial.weights, value=value, exposed=exposed)
    hidden = replace(trial, weights=weights)
    marked = [p for p in source_pieces(hidden, read_out(hidden)) if p.kind]
    assert [(p.text, p.kind) for p in marked] == [(trial.tokens.text(2), "unseen")]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30), st.data())
def test_subwords_keep_every_character_in_place(text, data):
    raw = text.encode()
    cuts = sorted({0, len(raw), *data.draw(st.lists(st.integers(0, len(text)), max_size=6))})
    bounds = [len(text[:c].encode()) for c in cuts if c <= len(text)]
    span = [[a, b] for a, b in pairwise(bounds) if b > a]
    view = SubwordView(
        text=raw, span=span, weight=np.ones(len(span)), loss_mask=np.ones(len(span), bool)
    )
    assert "".join(p.text for p in subword_text(view).pieces) == printable(text)


def test_shades_say_above_below_and_outside():
    view = SubwordView(
        text=b"abcdef",
        span=[[0, 0], [0, 1], [1, 2], [2, 3], [3, 4]],
        weight=[1.0, 4.0, 0.25, 1.0, 4.0],
        loss_mask=[False, True, True, True, False],
    )
    got = subword_text(view)
    assert [p.kind for p in got.pieces] == ["w8", "n8", "", "out", ""]
    assert [p.title for p in got.pieces[:4]] == [
        "4",
        "0.25",
        "1",
        "4, not in the loss",
    ]
    assert (got.n_subwords, got.n_special, got.n_counted) == (5, 1, 3)
    assert (got.low, got.high) == ("0.25", "4")


def test_neutral_weights_have_no_shade():
    view = SubwordView(text=b"ab", span=[[0, 2]], weight=[1.0], loss_mask=[True])
    (piece,) = subword_text(view).pieces
    assert (piece.kind, piece.title) == ("", "1")


def test_no_position_counts():
    view = SubwordView(text=b"ab", span=[[0, 2]], weight=[1.0], loss_mask=[False])
    assert (subword_text(view).low, subword_text(view).high) == ("—", "—")

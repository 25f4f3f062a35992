"""Tokens in their prompt: the walk, against a plain loop, and the published shift."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.agreement.kou import locate

PROMPT = "Write a function to sort a list.\n    Sort it."
TEXTS = st.text("ab \n", max_size=30)
TOKENS = st.lists(st.text("ab", min_size=1, max_size=3), max_size=12)


def test_a_token_not_found_is_dropped_and_the_search_goes_on_from_where_it_was():
    span, found = locate(PROMPT, ["Write", "b", "to", "a", "Write", "list", "sort", "Sort"])
    assert [PROMPT[a:b] for a, b in span] == ["Write", "to", "a", "list", "Sort"]
    assert found.tolist() == [True, False, True, True, False, True, False, True]
    assert span[2].tolist() == [25, 26], "the first 'a' after 'to', not the first of all"


def test_without_tokens_there_is_nothing():
    span, found = locate(PROMPT, [])
    assert span.shape == (0, 2)
    assert found.shape == (0,)


@given(prompt=TEXTS, tokens=TOKENS)
def test_it_is_the_walk_as_the_reference_words_it(prompt, tokens):
    cursor, expected = 0, []
    for token in tokens:
        start = prompt.find(token, cursor)
        if start != -1:
            cursor = start + len(token)
            expected.append((start, cursor))
    span, found = locate(prompt, tokens)
    assert [tuple(one) for one in span] == expected
    assert found.sum() == len(span)
    assert found.dtype == bool


@given(prompt=TEXTS, tokens=TOKENS)
def test_spans_hold_their_tokens_in_order_and_apart(prompt, tokens):
    span, found = locate(prompt, tokens)
    held = [token for token, one in zip(tokens, found, strict=True) if one]
    assert [prompt[a:b] for a, b in span] == held
    assert (np.diff(span.ravel()) >= 0).all()


@given(prompt=TEXTS, tokens=TOKENS)
def test_shifted_places_are_those_of_the_prompt_without_blanks(prompt, tokens):
    ordinary = locate(prompt.replace(" ", ""), tokens)
    shifted = locate(prompt, tokens, shifted=True)
    assert np.array_equal(ordinary[0], shifted[0])
    assert np.array_equal(ordinary[1], shifted[1])


def test_the_shift_is_the_number_of_blanks_before_and_lines_do_not_count():
    tokens = ["Write", "function", "list", "Sort"]
    right, wrong = locate(PROMPT, tokens)[0], locate(PROMPT, tokens, shifted=True)[0]
    blanks = [PROMPT[:start].count(" ") for start, _ in right]
    assert (right - wrong).tolist() == [[blank, blank] for blank in blanks]
    assert blanks == [0, 2, 6, 10]

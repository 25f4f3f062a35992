from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.measures import transitions
from gazecode.measures.grouped import group_transitions, label_transitions, line_transitions
from gazecode.measures.links import link_following
from gazecode.model import Hits, Transitions

DEFINITION = [0, -1, 0, 3, 3, 0]


def path_hits(path, m=6):
    n = len(path)
    on = [i for i, t in enumerate(path) if t >= 0]
    return Hits(
        fixation=on,
        token=[path[i] for i in on],
        share=[1.0] * len(on),
        onset_ms=np.arange(n) * 250.0,
        duration_ms=np.full(n, 200.0),
        status=np.array(["token" if t >= 0 else "off" for t in path], dtype=object),
        exposure_ms=np.full(m, 1000.0),
    )


def test_by_hand(source):
    tokens = source([0] * 6, DEFINITION)
    # To the use 2, between uses 2 and 5, back to 0, to itself, to 1, off, to 4 and its definition.
    said = link_following(path_hits([0, 2, 5, 0, 0, 1, -1, 4, 3]), tokens)
    assert (said.steps, said.moves) == (6, 5)
    assert (said.to_use, said.to_definition, said.use_to_use) == (1, 2, 1)
    assert said.share_of_moves == 3 / 5
    assert said.share_of_steps == 3 / 6
    assert (said.links, said.pairs) == (6, 30)
    over = link_following(path_hits([4, -1, 3]), tokens, bridge=True)
    assert (over.moves, over.to_definition) == (1, 1)


@given(st.lists(st.integers(-1, 5), max_size=20), st.booleans())
def test_against_loops(source, path, bridge):
    tokens = source([0, 0, 1, 1, 2, 2], DEFINITION)
    said = link_following(path_hits(path), tokens, bridge=bridge, shuffles=3)
    chain = [t for t in path if t >= 0] if bridge else path
    steps = [(a, b) for a, b in pairwise(chain) if min(a, b) >= 0]
    moves = [(a, b) for a, b in steps if a != b]
    assert (said.steps, said.moves) == (len(steps), len(moves))
    assert said.to_use == sum(DEFINITION[b] == a for a, b in moves)
    assert said.to_definition == sum(DEFINITION[a] == b for a, b in moves)
    ends = len(moves) ** 2 - sum(
        sum(a == t for a, _ in moves) * sum(b == t for _, b in moves) for t in range(6)
    )
    pairs = [
        (a, b)
        for a in range(6)
        for b in range(6)
        if a != b and (DEFINITION[b] == a or DEFINITION[a] == b)
    ]
    both = sum(sum(o == a for o, _ in moves) * sum(t == b for _, t in moves) for a, b in pairs)
    assert said.expected == pytest.approx(len(moves) * both / ends if ends else 0.0)
    assert 0 <= said.expected <= len(moves) + 1e-9


def test_random_paths_follow_links_as_often_as_chance_says(source):
    m = 30
    definition = np.arange(m) - np.arange(m) % 5  # Every fifth token defines the next four.
    tokens = source([0] * m, definition)
    path = np.random.default_rng(1).integers(0, m, 20_000)
    said = link_following(path_hits(path.tolist(), m), tokens, shuffles=50, seed=4)
    assert said.share_of_moves == pytest.approx(said.chance_pairs, abs=0.005)
    assert said.chance_expected == pytest.approx(said.chance_pairs, abs=0.005)
    assert said.shuffled_low <= said.share_of_moves <= said.shuffled_high
    again = link_following(path_hits(path.tolist(), m), tokens, shuffles=50, seed=4)
    assert again == said


@given(st.integers(0, 10**6))
def test_soft_hits_count_each_saccade_once(source, reading, seed):
    tokens = source([0, 0, 1, 1, 2, 2], DEFINITION)
    hits = reading(seed, 6)
    said = link_following(hits, tokens, shuffles=0)
    assert said.steps == pytest.approx(transitions(hits).count.sum())
    assert said.to_use + said.to_definition + said.use_to_use <= said.moves + 1e-9
    assert np.isnan(said.shuffled_mean)


@given(st.integers(0, 10**6))
def test_groups_add_up(source, reading, seed):
    tokens = source([0, 0, 1, 1, 2, 2])
    seen = transitions(reading(seed, 6))
    for found in (label_transitions(seen, tokens), line_transitions(seen, tokens)):
        total = found.transitions.count.sum() + found.left_out
        assert total == pytest.approx(seen.count.sum())
        frame = found.to_frame()
        for a, one in enumerate(found.names):
            for b, other in enumerate(found.names):
                by = tokens.label if one in {"loop", "name"} else tokens.row.astype(str)
                mine = (by[seen.origin] == one) & (by[seen.target] == other)
                assert frame.iloc[a, b] == pytest.approx(seen.count[mine].sum())


def test_no_group_and_no_token():
    seen = Transitions(size=2, origin=[0, 1], target=[1, 0], count=[2.0, 1.0])
    found = group_transitions(seen, [None, "a"])
    assert (found.names, found.left_out, len(found.transitions)) == (("a",), 3.0, 0)
    none = group_transitions(Transitions(size=0, origin=[], target=[], count=[]), [])
    assert none.to_frame().shape == (0, 0)


def test_refusals(source):
    tokens = source([0] * 6, DEFINITION)
    with pytest.raises(DataError, match="hits are on 2 tokens, the source has 6"):
        link_following(path_hits([0], 2), tokens)
    with pytest.raises(ParameterError, match="shuffles is -1"):
        link_following(path_hits([0]), tokens, shuffles=-1)
    with pytest.raises(DataError, match="1 groups for 2 tokens"):
        group_transitions(Transitions(size=2, origin=[], target=[], count=[]), ["a"])

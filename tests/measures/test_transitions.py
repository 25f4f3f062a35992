import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.measures import pool_transitions, transition_account, transitions
from gazecode.model import STATUSES, Hits, TokenWeights, Transitions
from gazecode.priors.runs import read_run
from gazecode.study import run_study
from gazecode.weighting import pool


def hits_of(looks, m, onset_ms=None):
    """Hits from one dict of shares per fixation; an empty one, or a status, is on no token."""
    rows = [
        (i, token, share)
        for i, look in enumerate(looks)
        for token, share in (look.items() if isinstance(look, dict) else ())
    ]
    n = len(looks)
    return Hits(
        fixation=[r[0] for r in rows],
        token=[r[1] for r in rows],
        share=[r[2] for r in rows],
        onset_ms=np.arange(n) * 250.0 if onset_ms is None else onset_ms,
        duration_ms=np.full(n, 200.0),
        status=np.array(["token" if isinstance(x, dict) else x for x in looks], dtype=object),
        exposure_ms=np.full(m, 1000.0),
    )


def dense(found, what="count"):
    table = np.zeros((found.size, found.size))
    table[found.origin, found.target] = getattr(found, what)
    return table


@st.composite
def readings(draw, hard=False, max_size=12):
    m = draw(st.integers(1, 5))
    lost = st.sampled_from(STATUSES[1:])
    token = st.integers(0, m - 1)
    one = token.map(lambda t: {t: 1.0})
    many = st.dictionaries(token, st.integers(1, 9), min_size=1).map(
        lambda d: {t: n / 45 for t, n in d.items()}
    )
    looks = draw(st.lists(st.one_of(one if hard else many, one, lost), max_size=max_size))
    onset_ms = draw(st.permutations(range(len(looks)))) if draw(st.booleans()) else None
    return hits_of(looks, m, onset_ms)


def by_hand(hits, *, bridge):
    """Loops over fixations, and over the tokens of both ends."""
    shares = [{} for _ in range(hits.n_fixations)]
    for f, t, s in zip(hits.fixation.tolist(), hits.token.tolist(), hits.share, strict=True):
        shares[f][t] = s
    order = sorted(range(hits.n_fixations), key=lambda f: hits.onset_ms[f])
    path = [shares[f] if hits.status[f] == "token" else {} for f in order]
    if bridge:
        path = [look for look in path if look]
    table = np.zeros((hits.n_tokens, hits.n_tokens))
    for a, b in pairwise(path):
        for i, p in a.items():
            for j, q in b.items():
                table[i, j] += p / sum(a.values()) * q / sum(b.values())
    return table


@given(readings(), st.booleans())
def test_against_loops(hits, bridge):
    found = transitions(hits, bridge=bridge)
    np.testing.assert_allclose(dense(found), by_hand(hits, bridge=bridge), atol=1e-12)
    assert (found.count > 0).all()


@given(readings(hard=True))
def test_hard_hits_count_whole_saccades(hits):
    found = transitions(hits)
    order = np.argsort(hits.onset_ms)
    on = hits.status[order] == "token"
    assert found.count.sum() == (on[1:] & on[:-1]).sum()
    assert np.array_equal(found.count, found.count.round())


@given(readings(), st.booleans(), st.booleans())
def test_every_row_sums_to_one_or_is_empty(hits, bridge, self_transitions):
    found = transitions(hits, bridge=bridge, self_transitions=self_transitions)
    rows = dense(found, "share").sum(axis=1)
    np.testing.assert_allclose(rows[np.unique(found.origin)], 1.0)
    assert np.count_nonzero(rows) == len(np.unique(found.origin))
    if len(found):
        np.testing.assert_allclose(found.to_scipy().toarray(), dense(found, "share"))


@given(readings(), st.randoms(use_true_random=False))
def test_relabelling_tokens_permutes_the_matrix(hits, random):
    new = list(range(hits.n_tokens))
    random.shuffle(new)
    looks = Hits(
        fixation=hits.fixation,
        token=np.array(new)[hits.token],
        share=hits.share,
        onset_ms=hits.onset_ms,
        duration_ms=hits.duration_ms,
        status=hits.status,
        exposure_ms=hits.exposure_ms,
    )
    before, after = dense(transitions(hits)), dense(transitions(looks))
    np.testing.assert_allclose(after[np.ix_(new, new)], before, atol=1e-12)


@given(readings())
def test_time_reversed_is_transposed(hits):
    back = hits_of(["off"], 1)
    back = Hits(
        fixation=hits.fixation,
        token=hits.token,
        share=hits.share,
        onset_ms=-hits.onset_ms,
        duration_ms=hits.duration_ms,
        status=hits.status,
        exposure_ms=hits.exposure_ms,
    )
    np.testing.assert_allclose(dense(transitions(back)), dense(transitions(hits)).T, atol=1e-12)


@given(readings())
def test_without_self_transitions_only_the_diagonal_is_missing(hits):
    every, other = dense(transitions(hits)), dense(transitions(hits, self_transitions=False))
    np.testing.assert_array_equal(other, every - np.diag(np.diag(every)))


@given(readings(), st.booleans())
def test_the_account_adds_up(hits, bridge):
    said = transition_account(hits, bridge=bridge)
    table = dense(transitions(hits, bridge=bridge))
    assert said["saccades"] == max(hits.n_fixations - 1, 0)
    assert said["saccades_on_tokens"] + said["saccades_broken"] == said["saccades"]
    assert said["saccades_on_tokens"] + said["bridged"] == said["transitions"]
    assert table.sum() == pytest.approx(said["transitions"], abs=1e-9)
    assert said["forward"] == pytest.approx(np.triu(table, 1).sum(), abs=1e-9)
    assert said["backward"] == pytest.approx(np.tril(table, -1).sum(), abs=1e-9)
    assert said["refixation"] == pytest.approx(np.trace(table), abs=1e-9)
    shares = [said[f"{name}_share"] for name in ("forward", "backward", "refixation")]
    assert sum(shares) == pytest.approx(1.0) if said["transitions"] else shares == [None] * 3
    assert bridge or said["bridged"] == said["passed_over"] == 0
    json.dumps(said, allow_nan=False)


@given(st.lists(readings(), max_size=4))
def test_accounts_of_several_readings_are_added_up(every):
    together = transition_account(every)
    for name in ("fixations", "saccades", "saccades_broken", "transitions", "forward"):
        each = [transition_account(hits)[name] for hits in every]
        assert together[name] == pytest.approx(sum(each))


WORKED = [
    {1: 1.0},
    {2: 1.0},
    {2: 1.0},
    "between",
    {0: 1.0},
    {1: 1.0},
    {2: 1.0},
    "lost",
    "off",
    {1: 1.0},
]


def test_worked_example():
    """1 → 2 → 2, a look between tokens, 0 → 1 → 2, two looks elsewhere, 1."""
    hits = hits_of(WORKED, 3)
    assert dense(transitions(hits)).tolist() == [[0, 1, 0], [0, 0, 2], [0, 0, 1]]
    assert dense(transitions(hits, bridge=True)).tolist() == [[0, 1, 0], [0, 0, 2], [1, 1, 1]]
    assert transition_account(hits, bridge=True) == {
        "fixations": 10,
        "fixations_on_token": 7,
        "saccades": 9,
        "saccades_on_tokens": 4,
        "saccades_broken": 5,
        "bridged": 2,
        "passed_over": 3,
        "transitions": 6,
        "forward": 3.0,
        "forward_share": 0.5,
        "backward": 2.0,
        "backward_share": pytest.approx(1 / 3),
        "refixation": 1.0,
        "refixation_share": pytest.approx(1 / 6),
    }


def test_a_soft_saccade_counts_once_whatever_its_fixations_leave_on_no_token():
    hits = hits_of([{0: 0.1, 1: 0.3}, {1: 0.2, 2: 0.2}], 3)
    np.testing.assert_allclose(
        dense(transitions(hits)), [[0, 0.125, 0.125], [0, 0.375, 0.375], [0, 0, 0]]
    )


@pytest.mark.parametrize("looks", [[], ["off"], [{0: 1.0}], [{0: 1.0}, "lost"]])
def test_no_saccade_gives_an_empty_matrix(looks):
    found = transitions(hits_of(looks, 4))
    assert (len(found), found.size) == (0, 4)
    assert transition_account(hits_of(looks, 4))["forward_share"] is None


# Pooling


@st.composite
def studies(draw):
    m, n = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    tables = [
        np.array(draw(st.lists(st.integers(0, 4), min_size=m * m, max_size=m * m))).reshape(m, m)
        for _ in range(n)
    ]
    people = draw(st.lists(st.sampled_from("ABC"), min_size=n, max_size=n))
    exposed = [np.array(draw(st.lists(st.booleans(), min_size=m, max_size=m))) for _ in range(n)]
    return [sparse(t) for t in tables], people, draw(st.sampled_from([None, exposed]))


def sparse(table):
    origin, target = np.nonzero(table)
    return Transitions(size=len(table), origin=origin, target=target, count=table[origin, target])


def pooled_by_hand(parts, people, exposed):
    """Loops over people and cells."""
    m = parts[0].size
    total, seen = {}, {}
    for i, (part, who) in enumerate(zip(parts, people, strict=True)):
        total[who] = total.get(who, 0) + dense(part)
        shown = np.ones(m, dtype=bool) if exposed is None else exposed[i]
        seen[who] = seen.get(who, False) | shown
    counted = [who for who in total if total[who].sum() > 0]
    table = np.zeros((m, m))
    for i in range(m):
        for j in range(m):
            mine = [w for w in counted if seen[w][i] and seen[w][j]]
            if mine:
                table[i, j] = sum(total[w][i, j] / total[w].sum() for w in mine) / len(mine)
    return table * (np.mean([total[w].sum() for w in counted]) if counted else 0)


@given(studies())
def test_pooling_against_loops(study):
    parts, people, exposed = study
    found = pool_transitions(parts, people, exposed=exposed)
    np.testing.assert_allclose(dense(found), pooled_by_hand(*study), atol=1e-12)
    rows = dense(found, "share").sum(axis=1)
    np.testing.assert_allclose(rows[np.unique(found.origin)], 1.0)


@given(studies(), st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(study, random):
    parts, people, _ = study
    pairs = list(zip(parts, people, strict=True))
    random.shuffle(pairs)
    renamed = {"A": "z", "B": "a", "C": "m"}
    shuffled = pool_transitions([p for p, _ in pairs], [renamed[w] for _, w in pairs])
    np.testing.assert_allclose(dense(shuffled), dense(pool_transitions(parts, people)), atol=1e-12)


@given(studies(), st.data())
def test_reading_the_same_again_does_not_raise_a_persons_say(study, data):
    parts, people, _ = study
    who = data.draw(st.sampled_from(people))
    mine = [p for p, w in zip(parts, people, strict=True) if w == who]
    once = pool_transitions(parts, people)
    again = pool_transitions([*parts, *mine], [*people, *[who] * len(mine)])
    np.testing.assert_allclose(dense(again, "share"), dense(once, "share"), atol=1e-12)


@given(readings(), readings())
def test_all_cells_sum_to_the_mean_number_of_saccades(one, other):
    a = transitions(one)
    b = transitions(hits_of([{0: 1.0}] * 3, one.n_tokens))
    pooled = pool_transitions([a, b], ["A", "B"])
    sums = [x for x in (a.count.sum(), b.count.sum()) if x > 0]
    assert pooled.count.sum() == pytest.approx(np.mean(sums))


def test_pooled_by_hand():
    """A makes 6 + 2 saccades, B one and one: shares .75 .25 and .5 .5, mean total 5."""
    a, b = sparse(np.array([[0, 6], [2, 0]])), sparse(np.array([[0, 1], [1, 0]]))
    pooled = pool_transitions([a, b], ["A", "B"])
    np.testing.assert_allclose(dense(pooled), [[0, 3.125], [1.875, 0]])
    assert pooled.share.tolist() == [1.0, 1.0]
    # A never saw token 0: what is known of it comes from B alone.
    seen = [np.array([False, True]), np.array([True, True])]
    np.testing.assert_allclose(
        dense(pool_transitions([a, b], ["A", "B"], exposed=seen)), [[0, 2.5], [2.5, 0]]
    )


def test_one_person_alone_keeps_her_saccades():
    a, b = sparse(np.array([[0, 6], [2, 0]])), sparse(np.array([[1, 1], [1, 0]]))
    np.testing.assert_allclose(dense(pool_transitions([a, b], ["A", "A"])), [[1, 7], [3, 0]])


def test_the_rule_is_that_of_values():
    """Cells pooled as if they were the values of m × m tokens, by the pooling of weights."""
    rng = np.random.default_rng(3)
    tables = rng.integers(0, 5, size=(4, 3, 3)).astype(float)
    people = ["A", "B", "B", "C"]
    flat = [
        TokenWeights(value=t.ravel(), on_path=t.ravel() > 0, scheme="count", unit="fixations")
        for t in tables
    ]
    pooled = pool_transitions([sparse(t) for t in tables], people)
    np.testing.assert_allclose(dense(pooled).ravel(), pool(flat, people).value)


EMPTY = Transitions(size=2, origin=[], target=[], count=[])
REFUSED = {
    "nothing": ([], [], None, "no readings to pool; expected at least one"),
    "names": ([EMPTY], ["A", "B"], None, "1 readings and 2 names of people; expected one each"),
    "exposure": ([EMPTY], ["A"], [], "1 readings and 0 lists of exposed tokens; expected one each"),
    "size": (
        [EMPTY, sparse(np.zeros((3, 3)))],
        ["A", "B"],
        None,
        "reading 1 has 3 tokens, the first has 2; pool readings of one source only",
    ),
    "exposed size": (
        [EMPTY],
        ["A"],
        [np.ones(3, dtype=bool)],
        "reading 0 has 3 tokens, the first has 2; pool readings of one source only",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    parts, people, exposed, message = REFUSED[case]
    with pytest.raises(DataError) as error:
        pool_transitions(parts, people, exposed=exposed)
    assert str(error.value) == message


def test_people_without_transitions_do_not_count():
    one = sparse(np.array([[0, 2], [0, 0]]))
    assert pool_transitions([one, EMPTY], ["A", "B"]).count.tolist() == [2.0]
    assert len(pool_transitions([EMPTY], ["A"])) == 0


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "shares"),
    [("linearity-peitek2020", (0.474, 0.388)), ("eyecode-hansen2012", (0.443, 0.454))],
)
def test_real_readers_go_back_as_often_as_a_causal_model_cannot_follow(
    shared_data, tmp_path, pytestconfig, name, shares
):
    """`validity.md` 4 says .45, .46, .10 of 2,128 saccades on code; eyeCode gives that here."""
    assert shared_data.is_dir()
    run_study(pytestconfig.rootpath / "docs" / "studies" / f"{name}.toml", tmp_path / "out")
    said = transition_account([found.reading.hits for found in read_run(tmp_path / "out")])
    print(name, said)
    assert said["saccades_on_tokens"] > 1000
    found = said["forward_share"], said["backward_share"]
    assert found == pytest.approx(shares, abs=0.03)

"""Intervals against the truth, against resampling by hand, and against the plain Beta."""

import numpy as np
import pytest

from gazecode.errors import ParameterError
from gazecode.priors import Priors
from gazecode.priors.cells import SUMS
from gazecode.priors.intervals import _replicated, intervals_of, intraclass_correlation

LOOP = "loop"


def of(label, intervals, make):
    return intervals.low[make.code(label)], intervals.high[make.code(label)]


def test_weights_are_resampling(make):
    """One replicate by hand: every person and source repeated as often as it was drawn."""
    found = make.simulated(np.random.default_rng(1), people=4, sources=3, tokens=5)
    cells = Priors.fit(found).cells
    rng = np.random.default_rng(7)
    people = dict(
        zip(cells.levels("participant"), rng.multinomial(4, [1 / 4] * 4, 1)[0], strict=True)
    )
    sources = dict(zip(cells.levels("source"), rng.multinomial(3, [1 / 3] * 3, 1)[0], strict=True))
    rows = [
        i
        for i in range(len(cells))
        for _ in range(people[cells.participant[i]] * sources[cells.source[i]])
    ]
    drawn = _replicated(cells, ("participant", "source"), 1, 7)
    assert np.array_equal(drawn["hit"][0], cells.table[rows, SUMS.index("hit")].sum(axis=0))
    assert np.array_equal(drawn["shown"][0], cells.table[rows, SUMS.index("shown")].sum(axis=0))


def test_the_interval_covers_the_truth(make):
    """Beta-binomial people: each has a rate of their own, the truth is the mean of the rates."""
    rng = np.random.default_rng(0)
    code, truth, people, sources, tokens = make.code(LOOP), 0.4, 30, 4, 6
    base = Priors.fit(make.simulated(rng, people=people, sources=sources, tokens=tokens)).cells
    names = base.levels("participant")
    covered = widths = 0.0
    trials = 150
    for i in range(trials):
        rate = rng.beta(truth * 8, (1 - truth) * 8, people)
        table = base.table.copy()
        of_cell = [rate[names.index(p)] for p in base.participant]
        table[:, SUMS.index("hit"), code] = rng.binomial(tokens, of_cell)
        cells = type(base)(
            participant=base.participant, source=base.source, task=base.task, group=base.group,
            sums=table.reshape(len(base), -1), tally=base.tally, ngrams=base.ngrams,
        )  # fmt: skip
        low, high = of(LOOP, intervals_of(cells, replicates=1000, seed=i), make)
        covered += low <= truth <= high
        widths += high - low
    assert 0.91 <= covered / trials <= 0.995
    assert 0.08 < widths / trials < 0.2


def test_wider_than_the_plain_beta_when_readings_vary(make):
    rng = np.random.default_rng(3)
    pri = Priors.fit(make.simulated(rng, people=12, sources=6, tokens=40, spread=0.8))
    low, high = of(LOOP, pri.intervals(), make)
    plain = 2 * 1.96 * pri.theta_sd[make.code(LOOP)]
    assert high - low > 2 * plain
    assert low < pri.theta[make.code(LOOP)] < high
    found = pri.intervals()
    assert found.over == ("participant", "source")
    assert found.n_effective[make.code(LOOP)] < pri.shown[make.code(LOOP)] / 3
    assert found.sd_shrunk[make.code(LOOP)] > pri.theta_sd[make.code(LOOP)]


def test_the_same_seed_gives_the_same_numbers(make):
    found = make.simulated(np.random.default_rng(4), people=5, sources=4, tokens=37, spread=0.5)
    a, b = Priors.fit(found).intervals(seed=3), Priors.fit(found[::-1]).intervals(seed=3)
    assert np.array_equal(a.low, b.low, equal_nan=True)
    assert not np.array_equal(a.low, Priors.fit(found).intervals(seed=4).low, equal_nan=True)


@pytest.mark.parametrize(
    ("people", "sources", "over", "note"),
    [
        (6, 1, ("participant",), "not over sources: there is one source"),
        (1, 6, ("source",), "not over people: there is one participant"),
        (1, 1, (), "no interval; not over people: there is one participant"),
    ],
)
def test_one_of_a_kind_is_said(make, people, sources, over, note):
    rng = np.random.default_rng(5)
    found = Priors.fit(make.simulated(rng, people=people, sources=sources, tokens=9)).intervals()
    assert (found.over, found.note.startswith(note)) == (over, True)
    assert np.isnan(found.low[make.code(LOOP)]) == (not over)


def test_unknown_people_give_no_interval_over_people(make):
    found = [make.reading([LOOP] * 3, [0], source=s) for s in "ab"]
    got = Priors.fit(found).intervals()
    assert got.over == ("source",)
    assert got.note.startswith("not over people: they are not known")


def test_rare_labels_are_drawn_to_the_pooled_mean(make):
    rng = np.random.default_rng(6)
    found = [
        make.reading(
            ["loop"] * 40 + ["variable"] * 40 + ["return"] * 40 + ["literal"],
            [*rng.permutation(80)[:20].tolist(), 120],
            participant=f"P{i}",
        )
        for i in range(2)
    ]
    found = [found[0], make.reading(["loop"] * 40, [0, 1], participant="P1")]
    pri = Priors.fit(found)
    got, code = pri.intervals(), make.code("literal")
    pooled = pri.hit.sum() / pri.shown.sum()
    assert abs(got.theta_shrunk[code] - pooled) < abs(pri.theta[code] - pooled)
    often = make.code("loop")
    assert abs(got.theta_shrunk[often] - pri.theta[often]) < 0.05
    assert np.isnan(got.low[code])  # one cell does not vary, which is no sign of certainty


def test_what_never_varied_is_not_certain(make):
    """Two people, two sources, three tokens each, all looked at: no replicate differs."""
    found = [
        make.reading([LOOP] * 3, [0, 1, 2], participant=p, source=s, chance=np.full(3, 0.5))
        for p in ("P1", "P2")
        for s in ("a", "b")
    ]
    got, code = Priors.fit(found).intervals(), make.code(LOOP)
    n = 12.0
    assert got.n_effective[code] == n
    assert got.low[code] == pytest.approx(0.025 ** (1 / (n + 1)), abs=1e-6)  # Beta(13, 1)
    odds = got.low[code] / (1 - got.low[code])
    assert got.enrichment_low[code] == pytest.approx(np.log(odds), abs=1e-6)


def test_enrichment_has_an_interval_of_its_own(make):
    rng = np.random.default_rng(8)
    found = []
    for i in range(10):
        hits = rng.random(30) < rng.beta(6, 4)
        found.append(
            make.reading(
                ["loop"] * 30,
                np.flatnonzero(hits).tolist(),
                chance=rng.uniform(0.1, 0.3, 30),
                participant=f"P{i}",
            )
        )
    pri = Priors.fit(found)
    got, code = pri.intervals(), make.code(LOOP)
    assert 0 < got.enrichment_low[code] < pri.enrichment[code] < got.enrichment_high[code]


def test_correlation_within_readings():
    rng = np.random.default_rng(9)
    shown = np.full((2000, 1), 20.0)
    rate = rng.beta(2, 3, (2000, 1))  # correlation 1 / (2 + 3 + 1)
    assert intraclass_correlation(shown, rng.binomial(20, rate)) == pytest.approx(1 / 6, abs=0.01)
    even = rng.binomial(20, 0.4, (2000, 1))
    assert intraclass_correlation(shown, even) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("wrong", [{"level": 1.0}, {"level": 95}, {"replicates": 999}])
def test_wrong_arguments(make, wrong):
    with pytest.raises(ParameterError):
        Priors.fit([make.reading([LOOP], [0])]).intervals(**wrong)

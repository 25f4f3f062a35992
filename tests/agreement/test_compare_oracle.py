"""Every number of a comparison, made again by loops over items and permutations."""

import numpy as np
import pytest

from gazecode.agreement import metrics
from gazecode.agreement.compare import compare
from gazecode.agreement.item import Marks
from gazecode.agreement.seeding import generator

P = 24


def plain(p, q, given):
    return {
        "spearman": metrics.spearman(p, q),
        "pearson": metrics.pearson(p, q),
        "partial_spearman": metrics.partial_spearman(p, q, given),
        "iou": metrics.iou(p, q),
        "sim": metrics.sim(p, q),
        "js": metrics.js(p, q),
        "kl": metrics.kl(p, q),
        "auc": metrics.auc(p, q),
        "nss": metrics.nss(p, q),
        "iou@3": metrics.iou_at_k(p, q, 3),
        "alpha@3": coded(p, q, 3, metrics.krippendorff_alpha),
        "kappa@3": coded(p, q, 3, metrics.cohen_kappa),
        "precision@3": chosen(p, q, 3)[0],
        "recall@3": chosen(p, q, 3)[1],
        "f1@3": chosen(p, q, 3)[2],
    }


def coded(p, q, k, figure):
    there = ~(np.isnan(p) | np.isnan(q))
    return figure((p[there] > 0).astype(int), metrics.in_top_k(q[there], k).astype(int))


def chosen(p, q, k):
    there = ~(np.isnan(p) | np.isnan(q))
    marked, top = p[there] > 0, metrics.in_top_k(q[there], k)
    if not marked.any():
        return (np.nan,) * 3
    both = (marked & top).sum()
    precision, recall = both / top.sum(), both / marked.sum()
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    return precision, recall, f1


NAMES = tuple(plain(np.arange(4.0), np.arange(4.0), np.arange(4.0)[:, None] ** 2))
RANKED = ("spearman", "pearson", "partial_spearman", "auc")
"""Pooled over the units of all items together; what is left is pooled by its own rule."""


def study(seed, *, kinds=("gaze", "marks", "gaze"), n_rows=3, missing=0.1):
    """Ragged items; ties, zeros, missing units, a row that lacks an item, a constant row."""
    rng = np.random.default_rng(seed)
    human, model, lengths = {}, {f"r{i}": {} for i in range(n_rows)}, {}
    for i in range(6):
        n = int(rng.integers(6, 13))
        name = f"item {i}"
        if kinds[i % len(kinds)] == "gaze":
            seen = np.round(rng.gamma(0.6, 2.0, n), 1)
        else:
            seen = (rng.random(n) < 0.4).astype(float)
        seen[0] = 1.0
        seen[rng.random(n) < missing] = np.nan
        human[name] = seen
        lengths[name] = rng.integers(1, 9, n).astype(float)
        for r, row in enumerate(model.values()):
            row[name] = np.round(rng.gamma(1.0, 1.0, n), 1) + (np.nan_to_num(seen) if r else 0.0)
            if r == 1:
                row[name][rng.integers(n)] = np.nan
    model["r2"].pop("item 4")
    model["flat"] = {name: np.ones(len(seen)) for name, seen in human.items()}
    return human, model, lengths


def given_of(length):
    return np.stack([length, np.arange(len(length), dtype=float)], axis=1)


def orders(name, n, seed):
    return generator(seed, "permutation", name).permuted(np.tile(np.arange(n), (P, 1)), axis=1)


def permuted(seen, there, order):
    """Values among the units that are there, in the order that the permutation meets them."""
    moved = np.full(len(seen), np.nan)
    moved[there] = seen[order[there[order]]]
    return moved


@pytest.mark.parametrize("seed", range(4))
def test_every_item_equals_the_metric(seed):
    human, model, lengths = study(seed)
    found = compare(
        human, model, lengths=lengths, metrics=NAMES, permutations=5, bootstrap=5, baselines=False
    )
    for r, row in enumerate(found.rows):
        for i, name in enumerate(found.items):
            if name not in model[row]:
                assert all(np.isnan(found.per_item(m)[i, r]) for m in NAMES)
                continue
            want = plain(human[name], model[row][name], given_of(lengths[name]))
            got = {m: found.per_item(m)[i, r] for m in NAMES}
            assert got == pytest.approx(want, abs=1e-9, nan_ok=True), (row, name)


@pytest.mark.parametrize("seed", range(2))
def test_chance_equals_a_loop_over_permutations(seed):
    human, model, lengths = study(seed)
    found = compare(
        human,
        model,
        lengths=lengths,
        metrics=NAMES,
        permutations=P,
        bootstrap=5,
        baselines=False,
        seed=seed,
    )
    for row in found.rows:
        values = {name: np.zeros((P, 0)) for name in NAMES}
        ends = {name: [[] for _ in range(P)] for name in ("p", "q", "g")}
        for name in sorted(model[row]):
            seen, said, length = human[name], model[row][name], lengths[name]
            there = ~(np.isnan(seen) | np.isnan(said))
            every = []
            for b, order in enumerate(orders(name, len(seen), seed)):
                p = permuted(seen, there, order)
                every.append(plain(p, said, given_of(length)))
                ends["p"][b].append(p[there])
                ends["q"][b].append(said[there])
                ends["g"][b].append(given_of(length)[there])
            for metric in NAMES:
                column = np.array([one[metric] for one in every])[:, None]
                values[metric] = np.hstack([values[metric], column])
        for metric in NAMES:
            figure = found.figure(row, metric)
            if np.isnan(values[metric]).all():
                assert np.isnan(figure.chance)
                continue
            means = np.nanmean(values[metric], axis=1)
            want = (means.mean(), *np.quantile(means, [0.025, 0.975]))
            got = (figure.chance, figure.chance_low, figure.chance_high)
            assert got == pytest.approx(want, abs=1e-9), (row, metric)
            assert figure.above_chance == pytest.approx(figure.mean - want[0], abs=1e-9)
        pooled = [
            plain(*(np.concatenate(ends[side][b]) for side in ("p", "q", "g"))) for b in range(P)
        ]
        for metric in RANKED:
            figure = found.figure(row, metric)
            each = np.array([one[metric] for one in pooled])
            want = (each.mean(), *np.quantile(each, [0.025, 0.975]))
            got = (figure.pooled_chance, figure.pooled_chance_low, figure.pooled_chance_high)
            assert got == pytest.approx(want, abs=1e-9, nan_ok=True), (row, metric)


def test_pooled_figures_of_all_units_together():
    human, model, lengths = study(11)
    found = compare(
        human, model, lengths=lengths, metrics=NAMES, permutations=1, bootstrap=1, baselines=False
    )
    for row in found.rows:
        names = [name for name in human if name in model[row]]
        pairs = []
        for name in names:
            there = ~(np.isnan(human[name]) | np.isnan(model[row][name]))
            pairs.append(
                (human[name][there], model[row][name][there], given_of(lengths[name])[there])
            )
        p, q, given = (np.concatenate(side) for side in zip(*pairs, strict=True))
        want = {m: plain(p, q, given)[m] for m in RANKED}
        shares = [(a / a.sum(), b / b.sum()) for a, b, _ in pairs]
        least = sum(np.minimum(a, b).sum() for a, b in shares)
        want["iou"] = least / sum(np.maximum(a, b).sum() for a, b in shares)
        want["sim"] = least / len(shares)
        tops = np.concatenate([metrics.in_top_k(b, 3) for _, b, _ in pairs])
        want["alpha@3"] = metrics.krippendorff_alpha((p > 0).astype(int), tops.astype(int))
        want["kappa@3"] = metrics.cohen_kappa((p > 0).astype(int), tops.astype(int))
        want["precision@3"] = ((p > 0) & tops).sum() / tops.sum()
        want["recall@3"] = ((p > 0) & tops).sum() / (p > 0).sum()
        for metric in ("js", "kl"):
            want[metric] = np.mean([getattr(metrics, metric)(a, b) for a, b in shares])
        got = {m: found.figure(row, m).pooled for m in want}
        assert got == pytest.approx(want, abs=1e-9, nan_ok=True), row


def test_marks_are_credited_as_token_overlap_does():
    rng = np.random.default_rng(2)
    human, model = {}, {}
    for i in range(12):
        edge = np.cumsum(rng.integers(1, 7, 9))
        unit = np.stack([edge[:-1], edge[1:] - (rng.random(8) < 0.5)], axis=1)
        low = rng.integers(0, edge[-1], 4)
        marked = np.stack([low, low + rng.integers(0, 9, 4)], axis=1)
        human[f"t{i}"] = Marks(unit=unit, marked=np.vstack([marked, marked[:1]]))
        model[f"t{i}"] = np.round(rng.random(8), 1)
    names = ["precision@3", "recall@3", "f1@3"]
    found = compare(human, model, metrics=names, permutations=5, bootstrap=5)
    spans = [human[name].unit[metrics.top_k(model[name], 3)] for name in human]
    want = metrics.token_overlap([human[name].marked for name in human], spans)
    got = [found.figure("model", name).pooled for name in names]
    assert got == pytest.approx([want.precision, want.recall, want.f1], abs=1e-12)


def test_several_people_are_scored_against_the_others():
    rng = np.random.default_rng(5)
    human = {
        "a": {"ann": rng.random(9), "bob": rng.random(9), "cy": rng.random(9)},
        "b": {"ann": rng.random(7), "cy": rng.random(7)},
        "c": {"bob": rng.random(8)},
    }
    model = {name: rng.random(len(next(iter(said.values())))) for name, said in human.items()}
    found = compare(human, model, metrics=["spearman", "iou"], permutations=5, bootstrap=5)
    for i, name in enumerate(found.items):
        said = human[name]
        rows, own = [], []
        for who in said:
            others = [said[o] / said[o].sum() for o in said if o != who]
            target = np.mean(others, axis=0) if others else said[who]
            rows.append(metrics.spearman(target, model[name]))
            if others:
                own.append(metrics.spearman(target, said[who]))
        assert found.per_item("spearman")[i, 0] == pytest.approx(np.mean(rows), abs=1e-12)
        human[name] = np.mean(own) if own else None
    figure = found.figure("model", "spearman")
    assert figure.ceiling == pytest.approx(np.mean([human["a"], human["b"]]), abs=1e-12)
    assert (figure.n_items, figure.n_people, figure.n_units) == (3, 3, 24)


@pytest.mark.parametrize("values", [2, 6, 40])
def test_few_values_looked_up_values_and_direct_give_one_sum(values):
    rng = np.random.default_rng(values)
    seen = rng.integers(0, values, 60).astype(float)
    human, model = [seen], {"a": [rng.random(60)], "b": [rng.random(60)]}
    whole = compare(human, model, metrics=["iou", "js"], permutations=40, bootstrap=1)
    # Fewer permutations than values: no table pays off.
    part = compare(human, model, metrics=["iou", "js"], permutations=12, bootstrap=1)
    order = generator(0, "permutation", "0").permuted(np.tile(np.arange(60), (40, 1)), axis=1)
    for metric in ("iou", "js"):
        each = [getattr(metrics, metric)(seen[one], model["b"][0]) for one in order]
        assert whole.figure("b", metric).chance == pytest.approx(np.mean(each), abs=1e-12)
        assert part.figure("b", metric).chance == pytest.approx(np.mean(each[:12]), abs=1e-12)

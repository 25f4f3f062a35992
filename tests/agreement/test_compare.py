"""Known cases and laws of a comparison: chance, ceiling, intervals, order, warnings."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.agreement import chance
from gazecode.agreement.compare import compare
from gazecode.agreement.registry import METRICS
from gazecode.errors import DataError, ParameterError
from gazecode.model.scores import ModelScores

FEW = {"permutations": 60, "bootstrap": 60}


def texts(seed, *, n_items=8, low=5, high=14):
    rng = np.random.default_rng(seed)
    return {f"t{i}": rng.gamma(0.7, 1.0, rng.integers(low, high)) for i in range(n_items)}


def noise(human, seed):
    rng = np.random.default_rng(seed)
    return {name: rng.random(len(seen)) for name, seen in human.items()}


def test_equal_maps_score_best():
    human = texts(0)
    marks = {name: (seen > np.median(seen)).astype(float) for name, seen in human.items()}
    found = compare(human, human, metrics=["spearman", "pearson", "iou", "sim", "js"], **FEW)
    for metric in found.metrics:
        figure = found.figure("model", metric)
        best = 0.0 if metric == "js" else 1.0
        assert (figure.mean, figure.pooled) == pytest.approx((best, best), abs=1e-12)
        assert (figure.low, figure.high) == pytest.approx((best, best), abs=1e-12)
    marked = compare(marks, marks, metrics=["auc", "iou"], **FEW)
    assert marked.figure("model", "auc").mean == 1.0


def test_chance_is_where_theory_has_it():
    human = texts(1, n_items=30)
    rows = {"noise": noise(human, 2), "same": human}
    found = compare(
        human, rows, metrics=["spearman", "auc", "nss", "alpha@3"], permutations=1000, bootstrap=1
    )
    for row in rows:
        assert found.figure(row, "spearman").chance == pytest.approx(0, abs=0.01)
        assert (
            found.figure(row, "spearman").chance_low < 0 < found.figure(row, "spearman").chance_high
        )
    same = found.figure("same", "spearman")
    assert same.mean > same.chance_high
    # Gamma maps are above 0 everywhere: nothing is left to be told apart.
    assert found.figure("same", "auc").n_items == 0
    marked = {name: (seen > 0.5).astype(float) for name, seen in human.items()}
    found = compare(marked, rows, metrics=["auc", "nss", "kappa@3"], permutations=1000, bootstrap=1)
    assert found.figure("noise", "auc").chance == pytest.approx(0.5, abs=0.005)
    assert found.figure("noise", "nss").chance == pytest.approx(0, abs=0.02)
    assert found.figure("noise", "kappa@3").chance == pytest.approx(0, abs=0.02)


def test_pooling_long_and_short_items_lifts_alpha_off_zero_and_it_is_said():
    rng = np.random.default_rng(3)
    sizes = [12] * 40 + [200] * 10
    human = [np.isin(np.arange(n), rng.permutation(n)[:6]).astype(float) for n in sizes]
    model = [rng.random(n) for n in sizes]
    found = compare(human, model, metrics=["alpha@10"], permutations=200, bootstrap=50)
    figure = found.figure("model", "alpha@10")
    assert figure.pooled_chance_low > 0.05
    assert abs(figure.pooled_above_chance) < 0.05
    assert found.figure("random", "alpha@10").pooled > 0.05
    note = next(note for note in found.warnings if note.startswith("pooled alpha@10 is"))
    assert f"{figure.pooled_chance:.2f}" in note
    assert "at chance, not 0" in note


def test_order_of_items_and_rows_changes_nothing():
    human = texts(4)
    rows = {"a": noise(human, 5), "b": noise(human, 6)}
    straight = compare(human, rows, **FEW)
    back = dict(reversed(human.items()))
    turned = compare(back, {"b": rows["b"], "a": rows["a"]}, metrics=straight.metrics[::-1], **FEW)
    for row in ("a", "b", "uniform", "position", "random"):
        for metric in straight.metrics:
            one = vars_of(straight.figure(row, metric))
            assert vars_of(turned.figure(row, metric)) == pytest.approx(one, nan_ok=True, abs=1e-12)
    assert turned.items == tuple(back)
    np.testing.assert_allclose(
        turned.per_item("iou")[::-1, 1], straight.per_item("iou")[:, 0], rtol=1e-12
    )


def vars_of(figure):
    return {
        name: getattr(figure, name)
        for name in figure.__slots__
        if isinstance(getattr(figure, name), float | int)
    }


def test_another_item_leaves_the_permutations_of_the_rest():
    human = texts(7)
    model = noise(human, 8)
    metrics = ["spearman"]
    before = [
        compare({name: human[name]}, {name: model[name]}, metrics=metrics, **FEW)
        for name in sorted(human)
    ]
    after = compare(human, model, metrics=metrics, **FEW)
    assert after.figure("model", "spearman").chance == pytest.approx(
        np.mean([one.figure("model", "spearman").chance for one in before]), abs=1e-12
    )


def test_runs_of_permutations_do_not_change_them(monkeypatch):
    human = texts(9)
    model = noise(human, 10)
    whole = compare(human, model, **FEW)
    monkeypatch.setattr(chance, "AT_ONCE", 77)
    parts = compare(human, model, **FEW)
    for key, figure in whole.figures.items():
        got = vars_of(parts.figures[key])
        assert got == pytest.approx(vars_of(figure), nan_ok=True, abs=1e-12)


def test_seed_decides():
    human = texts(11)
    model = noise(human, 12)
    a, b, c = (compare(human, model, seed=seed, **FEW).to_dict() for seed in (3, 3, 4))
    assert a == b
    assert a != c


def test_undefined_is_counted_with_its_reason():
    human = {"a": [1, 2, 3], "b": [0, 0, 0], "c": [5], "d": [2, 2, 2], "e": [1, 0, 2]}
    model = {"a": [1, 1, 1], "b": [1, 2, 3], "c": [4], "d": [1, 2, 3], "e": [-1, 0, 1]}
    found = compare(human, model, metrics=["spearman", "js"], baselines=False, **FEW)
    figure = found.figure("model", "spearman")
    assert figure.n_items == 1
    assert figure.undefined == {
        "scores are constant": 1,
        "people marked or looked at nothing": 1,
        "one unit": 1,
        "people's map is constant": 1,
    }
    assert found.figure("model", "js").undefined["values below 0"] == 1
    assert math.isnan(figure.ceiling)
    assert "1 of 5 items have fewer than two units: most figures need two" in found.warnings


def test_uniform_row_is_undefined_in_print():
    human = texts(13)
    found = compare(human, noise(human, 14), metrics=["spearman", "iou"], **FEW)
    line = next(line for line in str(found).splitlines() if line.startswith("uniform"))
    assert line.split()[1] == "undefined"
    assert "not available" in str(found)
    assert found.figure("uniform", "iou").n_items == len(human)


def test_random_row_is_chance():
    human = texts(15)
    found = compare(human, noise(human, 16), metrics=["iou"], **FEW)
    figure = found.figure("random", "iou")
    assert (figure.mean, figure.low, figure.high) == (
        figure.chance,
        figure.chance_low,
        figure.chance_high,
    )
    assert figure.above_chance == 0


def test_column_is_another_item_of_the_same_length():
    human = {"a": [1.0, 2, 3], "b": [3.0, 1, 2], "c": [1.0, 2, 4, 3]}
    model = {"a": [1.0, 2, 3], "b": [1.0, 3, 2], "c": [4.0, 3, 2, 1]}
    found = compare(human, model, metrics=["spearman"], **FEW)
    column = found.rows.index("column")
    # b's scores on a, a's on b, nobody's on c.
    assert found.per_item("spearman")[:, column] == pytest.approx([0.5, -0.5, np.nan], nan_ok=True)
    assert found.figure("column", "spearman").undefined == {"no unit in common": 1}


def test_scores_give_a_row_with_uniform_attention_divided_out():
    span = [[0, 2], [3, 4], [5, 9]]
    human = {"a": [1, 0, 3], "b": [0, 1, 2]}
    said = {
        name: ModelScores(
            model="m",
            method="self",
            span=span,
            value=[6, 2, 1],
            expected=[6, 1, 0.2],
            removed_share=0.25,
        )
        for name in human
    }
    found = compare(human, {"m": said}, metrics=["spearman"], **FEW)
    assert found.rows[:2] == ("m", "m / uniform")
    assert found.figure("m", "spearman").mean < found.figure("m / uniform", "spearman").mean
    assert found.parameters["rows"]["m"]["merge"] == ["sum"]
    assert any("causal model sends to early tokens" in note for note in found.warnings)
    assert any("25%" in note for note in found.warnings)
    assert "length" in found.rows


def test_difference_is_paired():
    human = texts(17, n_items=30)
    near = {name: seen + 0.3 * noise(human, 18)[name] for name, seen in human.items()}
    far = {name: seen + 0.9 * noise(human, 18)[name] for name, seen in human.items()}
    found = compare(human, {"near": near, "far": far}, metrics=["spearman"], bootstrap=500)
    apart = found.difference("near", "far", "spearman")
    a, b = found.figure("near", "spearman"), found.figure("far", "spearman")
    assert apart.mean == pytest.approx(a.mean - b.mean, abs=1e-12)
    assert 0 < apart.low < apart.mean < apart.high
    assert apart.high - apart.low < (a.high - a.low) + (b.high - b.low)
    none = found.difference("near", "near", "spearman")
    assert (none.mean, none.low, none.high, none.pooled) == (0, 0, 0, 0)
    with pytest.raises(ParameterError, match="no 'x' in rows"):
        found.difference("near", "x", "spearman")
    with pytest.raises(ParameterError, match="chance itself"):
        found.difference("near", "random", "spearman")


def test_results_leave_as_frame_and_json():
    human = {"a": {"x": [1.0, 2, 3, 0], "y": [2.0, 1, 3, 0]}, "b": {"x": [1.0, 0, 1, 5, 2]}}
    model = {"a": [1.0, 2, 2, 0], "b": [1.0, 0, 2, 3, 1], "c": [1.0]}
    found = compare(human, model, **FEW)
    assert found.left_out == {"only model": ("c",)}
    frame = found.to_frame()
    assert len(frame) == len(found.rows) * len(found.metrics)
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["left_out"] == {"only model": ["c"]}
    assert "human ceiling, each person against the mean of the others" in str(found)
    assert any("2 people only" in note for note in found.warnings)


def test_progress_is_told():
    told = []
    human = texts(19)
    compare(human, noise(human, 20), progress=lambda done, of: told.append((done, of)), **FEW)
    assert told == [(i + 1, len(human)) for i in range(len(human))]


def test_no_draws_are_allowed_and_said():
    human = texts(21)
    found = compare(human, noise(human, 22), permutations=0, bootstrap=0)
    figure = found.figure("model", "iou")
    assert math.isnan(figure.chance)
    assert math.isnan(figure.low)
    assert not math.isnan(figure.mean)
    assert any("0 permutations are few" in note for note in found.warnings)
    assert str(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["rho"]}, "no 'rho' in metrics"),
        ({"metrics": "iou"}, "expected a list of names"),
        ({"metrics": []}, "no metric is asked for"),
        ({"metrics": ["iou@0"]}, "whole number above 0 after @"),
        ({"permutations": -1}, "permutations is -1"),
        ({"bootstrap": 2.5}, "bootstrap is 2.5"),
    ],
)
def test_parameters_are_refused_in_one_line(change, message):
    with pytest.raises(ParameterError, match=message) as caught:
        compare([[1, 2]], [[1, 2]], **change)
    assert "\n" not in str(caught.value)


def test_a_baseline_s_name_is_taken():
    with pytest.raises(DataError, match="a row is called 'uniform'"):
        compare({"a": [1, 2]}, {"uniform": {"a": [1, 2]}})


def test_metrics_are_listed():
    assert {"spearman", "iou", "kl"} <= set(METRICS)
    assert METRICS["f1@12"].k == 12


maps = st.lists(
    st.lists(st.integers(0, 4).map(float), min_size=2, max_size=8), min_size=1, max_size=5
)


@settings(max_examples=40)
@given(maps, st.integers(0, 2**16), st.sampled_from([0.5, 3.0]))
def test_scale_and_rank_laws(human, seed, factor):
    rng = np.random.default_rng(seed)
    model = [rng.integers(0, 5, len(seen)).astype(float) for seen in human]
    names = ["spearman", "iou", "js", "auc", "nss", "f1@2"]
    one = compare(human, model, metrics=names, permutations=8, bootstrap=8, baselines=False)
    scaled = [factor * values for values in model]
    two = compare(human, scaled, metrics=names, permutations=8, bootstrap=8, baselines=False)
    for metric in names:
        a, b = one.figure("model", metric), two.figure("model", metric)
        assert (a.mean, a.chance) == pytest.approx((b.mean, b.chance), abs=1e-9, nan_ok=True)
        bound = {"spearman": (-1, 1), "js": (0, math.log(2)), "nss": (-9, 9)}.get(metric, (0, 1))
        for value in (a.mean, a.pooled, a.chance, a.low, a.high):
            assert math.isnan(value) or bound[0] - 1e-9 <= value <= bound[1] + 1e-9
        assert a.n_items + sum(a.undefined.values()) == len(human)


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Figures of people x items with both random: 95 % intervals hold the mean about as often."""
    from gazecode.agreement.bootstrap import Resamples, interval
    from gazecode.agreement.scoring import weights_of

    rng = np.random.default_rng(0)
    n_items, n_people, truth, held = 30, 20, 0.3, 0
    item, person = (side.ravel() for side in np.mgrid[:n_items, :n_people])
    for seed in range(300):
        value = (
            truth + 0.2 * rng.normal(size=n_items)[item] + 0.2 * rng.normal(size=n_people)[person]
        )
        value = (value + 0.3 * rng.normal(size=len(item)))[:, None]
        draws = Resamples(item, person, draws=400, seed=seed).means(value, weights_of(value, item))
        low, high = interval(draws[:, 0])
        held += low <= truth <= high
    assert 0.91 <= held / 300 <= 0.99

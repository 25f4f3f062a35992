"""Comparisons of what nobody should hand over, and does."""

import json

import numpy as np
import pytest

from gazecode import agreement as ga
from gazecode.agreement.item import Marks
from gazecode.agreement.terms import _product
from gazecode.errors import DataError, ParameterError

EVERY = [
    *("spearman", "partial_spearman", "pearson", "iou", "sim", "js", "kl", "auc", "nss"),
    *("iou@2", "precision@2", "recall@2", "f1@2", "alpha@2", "kappa@2"),
]


def compare(human, model, **asked):
    asked = {"metrics": EVERY, "permutations": 20, "bootstrap": 20} | asked
    found = ga.compare(human, model, **asked)
    assert str(found)
    json.dumps(found.to_dict(), allow_nan=False)
    return found


@pytest.mark.parametrize("human", [[np.nan, np.nan], {"a": [np.nan] * 2, "b": [np.nan] * 2}])
def test_people_who_saw_nothing_leave_every_figure_undefined(human):
    found = compare([human], [[1, 2]])
    figure = found.figure("model", "spearman")
    assert np.isnan([figure.mean, figure.pooled, figure.chance, figure.low]).all()
    assert sum(figure.undefined.values()) >= 1
    assert found.draws_pooled["spearman"].shape[0] == 20


def test_items_without_units_are_left_out_and_counted():
    found = compare([[], [1, 2, 3]], [[], [3, 2, 1]])
    assert found.left_out["no units"] == ("0",)
    assert found.items == ("1",)
    assert any("no units" in warning for warning in found.warnings)
    with pytest.raises(DataError, match="no item has units"):
        compare([[]], [[]])


def test_two_entries_of_one_name_are_refused():
    with pytest.raises(DataError, match="human has two entries called '1'"):
        compare({1: [1, 2], "1": [2, 1]}, {1: [1, 2]})
    with pytest.raises(DataError, match="item 'a' has two entries called '1'"):
        compare({"a": {1: [1, 2], "1": [2, 1]}}, {"a": [1, 2]})
    with pytest.raises(DataError, match="model has two entries called '1'"):
        compare({"a": [1, 2]}, {1: {"a": [1, 2]}, "1": {"a": [2, 1]}})


@pytest.mark.parametrize("beside", ["lengths", "texts"])
def test_what_is_known_of_units_is_never_dropped_in_silence(beside):
    known = {"lengths": [3, 1, 2], "texts": ["abc", "d", "ef"]}[beside]
    for human, given in (([[1, 2, 3]], {"0": known}), ({"a": [1, 2, 3]}, [known])):
        with pytest.raises(DataError, match=f"human lists items by .* and {beside} by"):
            compare(human, human, **{beside: given})
    with pytest.raises(DataError, match=f"{beside} are given for b, human has a"):
        compare({"a": [1, 2, 3]}, {"a": [1, 2, 3]}, **{beside: {"b": known}})


def test_the_order_of_people_and_items_changes_no_digit():
    rng = np.random.default_rng(3)
    human, model = {}, {}
    for i in range(8):
        n = int(rng.integers(4, 20))
        human[f"i{i}"] = {f"P{j}": rng.integers(0, 4, n).astype(float) for j in range(6)}
        model[f"i{i}"] = rng.random(n)
    turned = {name: dict(reversed(people.items())) for name, people in reversed(human.items())}
    one, two = (compare(side, model, metrics=EVERY[:9]).to_dict() for side in (human, turned))
    assert one["figures"] == two["figures"]


def test_numbers_of_any_size_give_the_figures_of_their_metric():
    human = [[1e-300, 2e-300, 3e-307], [3.0, 1.0, 2.0], [3e299, 1e299, 2e299]]
    model = [[1e-308, 5e-324, 1e-308], [1e299, 2e299, 9e299], [1.0, 2.0, 4.0]]
    found = compare(human, model, metrics=["pearson", "nss", "iou", "js"])
    for name in ("pearson", "nss", "iou", "js"):
        wanted = [getattr(ga, name)(*pair) for pair in zip(human, model, strict=True)]
        np.testing.assert_allclose(found.per_item(name)[:, 0], wanted, atol=1e-12)
    with pytest.raises(DataError, match="item '0', human has a value above 1e.300"):
        compare([[1e308, 1.0]], [[1.0, 2.0]])


def test_pooled_figures_say_that_an_item_counts_once_per_person():
    four = {f"P{i}": [1.0, 2.0, 3.0, 4.0 + i] for i in range(4)}
    human = {"a": four, "b": {"P0": [1.0, 0, 0, 9], "P1": [9.0, 0, 1, 0]}}
    found = compare(human, {"a": [1, 2, 3, 4.0], "b": [0, 1, 0, 1.0]}, metrics=["sim"])
    a, b = found.per_item("sim")[:, 0]
    figure = found.figure("model", "sim")
    assert figure.mean == pytest.approx((a + b) / 2)
    assert figure.pooled == pytest.approx((4 * a + 2 * b) / 6)
    assert found.parameters["metrics"]["sim"]["pooled"] == "mean over readings"
    assert "an item counts once per person in pooled figures" in " ".join(str(found).split())


def test_pooled_figures_of_other_units_have_no_difference():
    human = {"a": [1, 2, 3.0], "b": [9, 0, 1.0]}
    rows = {"x": {"a": [1, 2, 3], "b": [0, 1, 0]}, "y": {"a": [1, 2, 3]}}
    apart = compare(human, rows).difference("x", "y", "iou")
    assert apart.mean == 0.0
    assert np.isnan([apart.pooled, apart.pooled_low, apart.pooled_high]).all()
    assert not np.isnan(compare(human, rows).difference("x", "uniform", "iou").pooled)


def test_names_stay_on_their_line():
    name = "first\nsecond " + "x" * 200
    found = compare({name: [1, 2, 3]}, {"ro\nw": {name: [3, 2, 1]}}, metrics=["iou"])
    assert sum(line.startswith("ro\\nw ") for line in str(found).splitlines()) == 1
    for model in ({"other": [1, 2]}, {name: [1, 2]}):
        with pytest.raises(DataError) as caught:
            compare({name: [1, 2, 3]}, model)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 250


def test_what_is_no_side_of_a_comparison_is_said():
    with pytest.raises(DataError, match="human is 3; expected a list of items"):
        compare(3, [[1, 2]])
    with pytest.raises(DataError, match="item '0', human is not numbers per unit"):
        compare([[[1, 2, 3], [1, 2]]], [[1, 2, 3]])
    marks = Marks(unit=[[0, 3], [3, 5]], marked=[[0, 2]])
    with pytest.raises(DataError, match="Marks stand for an item, not a person"):
        compare({"a": {"x": marks}}, {"a": [1, 2]})
    with pytest.raises(DataError, match=r"unit hold \(3, 0\); expected start <= end"):
        Marks(unit=[[3, 0]], marked=[[0, 2]])
    with pytest.raises(ParameterError, match="metrics is None; expected a list"):
        compare([[1, 2]], [[1, 2]], metrics=None)
    with pytest.raises(ParameterError, match="iou@9{30}.*whole number"):
        compare([[1, 2]], [[1, 2]], metrics=["iou@" + "9" * 30])


def test_a_masked_map_is_missing_where_it_is_masked():
    masked = np.ma.array([1.0, 2.0, 3.0, 4.0], mask=[False, False, False, True])
    assert compare([masked], [[1, 2, 3, 0]]).figure("model", "spearman").n_units == 3


@pytest.mark.parametrize("shape", [(1000, 25, 28), (7, 3, 2), (1000, 1, 1), (999, 40, 30)])
def test_products_in_pieces_are_products(shape):
    p, n, r = shape
    rng = np.random.default_rng(0)
    a, b = rng.random((p, n)), rng.random((r, 3 * n))[:, n : 2 * n].T
    np.testing.assert_allclose(_product(a, b), a @ b, rtol=1e-13)

"""What people hand over: masked arrays, tables with gaps, tensors, numbers of any size."""

import numpy as np
import pandas as pd
import pytest

from gazecode import agreement as ga
from gazecode.errors import DataError, ParameterError

P = [1.0, 2.0, 3.0, 4.0]
Q = [2.0, 1.0, 3.0, 9.0]
HIDDEN = [False, False, False, True]
MAPS = (ga.spearman, ga.pearson, ga.iou, ga.sim, ga.js, ga.kl, ga.emd)


@pytest.mark.parametrize("figure", MAPS)
def test_what_a_mask_hides_is_missing(figure):
    masked = np.ma.array(P, mask=HIDDEN)
    assert figure(masked, Q) == figure([1.0, 2.0, 3.0, np.nan], Q)
    assert figure(np.ma.array([1, 2, 3, 4], mask=HIDDEN), Q) == figure(masked, Q)


def test_ratings_that_a_mask_hides_are_missing():
    a, b = np.ma.array([1, 2, 1, 1], mask=HIDDEN), np.array([1, 2, 2, 2])
    gap = [1, 2, 1, None]
    assert ga.krippendorff_alpha(a, b) == ga.krippendorff_alpha(gap, b)
    assert ga.cohen_kappa(a, b) == ga.cohen_kappa(gap, b)
    said = np.ma.array([True, False, True, True], mask=HIDDEN)
    other = np.array([True, False, False, False])
    assert ga.cohen_kappa(said, other) == ga.cohen_kappa([True, False, True, None], other)
    table = np.ma.array([[3, 0], [0, 3], [1, 1]], mask=[[0, 0], [0, 0], [1, 1]])
    assert ga.fleiss_kappa(table) == 1.0


@pytest.mark.parametrize("figure", [ga.krippendorff_alpha, ga.cohen_kappa])
def test_gaps_of_pandas_are_no_category(figure):
    wanted = figure(["a", None, "b", "b"], ["a", "a", "b", "a"])
    b = pd.Series(["a", "a", "b", "a"], dtype="string")
    assert figure(pd.Series(["a", pd.NA, "b", "b"], dtype="string"), b) == wanted
    assert figure(np.array(["a", pd.NaT, "b", "b"], dtype=object), b) == wanted
    assert figure(pd.Series([1, pd.NA, 2, 2], dtype="Int64"), [1, 1, 2, 1]) == wanted
    assert figure(pd.Series(["a", None, "b", "b"], dtype="category"), b) == wanted


def test_tensors_are_read_without_their_gradient():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(P, requires_grad=True)
    assert ga.spearman(tensor, torch.tensor(Q)) == ga.spearman(P, Q)
    assert ga.compare([P], [tensor], permutations=2).figure("model", "iou").mean == ga.iou(P, P)


@pytest.mark.parametrize("k", [2.0, "2", None, 0, -1])
def test_k_is_a_whole_number(k):
    with pytest.raises(ParameterError, match="expected 1 or more units, a whole number"):
        ga.iou_at_k(P, Q, k)


@pytest.mark.parametrize("level", ["interval", "ratio"])
def test_infinite_ratings_have_no_distance(level):
    with pytest.raises(DataError, match=f"a rating is infinite; .* at level '{level}'"):
        ga.krippendorff_alpha([[np.inf, 1, 3], [1, 2, 4]], level=level)
    assert np.isfinite(ga.krippendorff_alpha([[np.inf, 1, 3], [1, 2, 4]], level="ordinal"))


def test_ratios_of_the_largest_numbers():
    small = np.array([[1.0, 1.0, 3.0], [1.0, 1.7, 4.0]])
    found = ga.krippendorff_alpha(small / 4 * 1e308, level="ratio")
    assert found == pytest.approx(ga.krippendorff_alpha(small, level="ratio"), abs=1e-12)


@pytest.mark.parametrize("figure", [ga.iou, ga.sim, ga.js, ga.kl, ga.emd])
def test_masses_as_they_are_may_not_leave_the_range_of_floats(figure):
    huge = [1.7e308, 1e308]
    assert figure(huge, huge) == pytest.approx(figure([1.7, 1.0], [1.7, 1.0]), abs=1e-12)
    with pytest.raises(DataError, match="p has a mass of 1.7e.308; expected a sum of at most"):
        figure(huge, huge, normalise=False)


def test_what_is_no_number_is_said_in_one_line():
    with pytest.raises(DataError, match="p is not a map: int too large"):
        ga.spearman([1, 10**400], [1, 2])
    with pytest.raises(DataError, match="counts are no table"):
        ga.fleiss_kappa([["a", "b"]])
    with pytest.raises(DataError, match="counts are no table"):
        ga.fleiss_kappa([[1, 2], [3]])
    with pytest.raises(DataError, match="human is None; expected spans"):
        ga.token_overlap(None, [(0, 4)])


def test_spans_by_name_and_of_a_table_with_gaps():
    found = ga.token_overlap({"a": [], "b": [(0, 4)]}, {"b": [(2, 4)], "a": [(0, 1)]})
    assert found.item_f1[1] == pytest.approx(2 * 0.5 / 1.5)
    assert (found.n_human, found.n_model) == (1, 2)
    assert ga.token_overlap([(0.0, 4.0)], [(0, 4)]).f1 == 1.0
    with pytest.raises(DataError, match="text 'b' is on one side only"):
        ga.token_overlap({"a": [(0, 1)], "b": [(0, 1)]}, {"a": [(0, 1)]})
    with pytest.raises(DataError, match="one side names texts"):
        ga.token_overlap({"a": [(0, 1)]}, [[(0, 1)]])
    for odd in (0.5, np.inf, np.nan, 1e300):
        with pytest.raises(DataError, match="whole characters"):
            ga.token_overlap([(0, odd)], [(0, 4)])

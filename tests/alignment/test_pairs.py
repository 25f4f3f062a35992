"""Two answers to one prompt."""

import numpy as np
import pytest

from gazecode.alignment import align_pair
from gazecode.errors import InertError, ParameterError

CODE = "int total = getUserName(total);"
ASK = "Code:\n{code}\nSummary: {answer}"


@pytest.fixture(scope="module")
def given(bundled, make):
    tokens = make.source(CODE, make.words(CODE))
    return make.gaze(2.0 + np.arange(len(tokens))), tokens, bundled


def pair(given, chosen="the total of it", rejected="nothing at all", **more):
    return align_pair(
        *given, **{"template": ASK, "chosen": chosen, "rejected": rejected, "route": "copy"} | more
    )


def test_both_sides_have_the_same_prompt_and_one_name(given):
    better, worse = pair(given)
    border = int(better.segment_start[better.segment_name.tolist().index("answer")])
    assert border == worse.segment_start[worse.segment_name.tolist().index("answer")]
    for name in ("input_ids", "weight", "attention", "token_index", "loss_mask"):
        np.testing.assert_array_equal(getattr(better, name)[:border], getattr(worse, name)[:border])
    for side in (better, worse):
        np.testing.assert_array_equal(side.loss_mask, side.in_segment("answer"))
    assert (better.pair_side, worse.pair_side) == ("chosen", "rejected")
    assert better.pair_id == worse.pair_id
    assert len(better.pair_id) == 16
    assert better.example_id != worse.example_id


def test_the_name_stands_for_prompt_and_answers(given):
    ids = {
        pair(given)[0].pair_id,
        pair(given, rejected="none")[0].pair_id,
        pair(given, chosen="nothing at all", rejected="the total of it")[0].pair_id,
        pair(given, template="C:{code} {answer}")[0].pair_id,
    }
    assert len(ids) == 4
    assert pair(given)[0].pair_id in ids


def test_one_side_with_weight_is_enough(given):
    better, worse = pair(given)
    assert better.weight_reach > 0 == worse.weight_reach
    with pytest.raises(InertError, match="weight_reach 0 for both answers"):
        pair(given, chosen="it")
    assert pair(given, chosen="it", allow_inert=True)[0].weight_reach == 0


def test_answers_of_code_with_weights(given, make):
    better, worse = (make.source(c, [(0, 1)]) for c in ("x;", "y;"))
    one = make.gaze([3.0], unit="loss weight")
    sides = pair(
        given,
        chosen=better,
        rejected=worse,
        chosen_weights=one,
        rejected_weights=make.gaze([2.0], unit="loss weight"),
        route=None,
    )
    assert [side.route for side in sides] == ["answer_prior"] * 2
    assert [side.weight[side.loss_mask].max() for side in sides] == [3.0, 2.0]
    with pytest.raises(ParameterError, match="one answer has weights and one has not"):
        pair(given, chosen=better, rejected=worse, chosen_weights=one, route=None)


def test_wrong_pairs(given):
    with pytest.raises(ParameterError, match="the template has no {answer}"):
        pair(given, template="{code}")
    with pytest.raises(ParameterError, match="align has no parameter loss here"):
        pair(given, loss=("code",))

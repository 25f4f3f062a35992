"""What may be handed to a comparison, and what is refused."""

import numpy as np
import pytest

from gazecode.agreement.inputs import read_inputs
from gazecode.agreement.item import Marks
from gazecode.errors import DataError
from gazecode.model.scores import ModelScores

VECTOR = [1.0, 2.0, 3.0]


def scores(value, **more):
    n = len(value)
    span = np.stack([np.arange(n), np.arange(n) + 1], axis=1)
    return ModelScores(model="m", method="a", span=span, value=value, **more)


@pytest.mark.parametrize(
    ("human", "model", "rows"),
    [
        ([VECTOR], [VECTOR], ("model",)),
        ([VECTOR], np.array([VECTOR]), ("model",)),
        ([VECTOR], {"a": [VECTOR], "b": [np.array(VECTOR)]}, ("a", "b")),
        ([VECTOR], {"a": np.array([VECTOR])}, ("a",)),
        ({"t": VECTOR}, {"t": VECTOR}, ("model",)),
        ({"t": VECTOR}, {"t": np.array(VECTOR)}, ("model",)),
        ({"t": VECTOR}, {"a": {"t": VECTOR}, "b": {"t": VECTOR}}, ("a", "b")),
        ({"t": VECTOR}, {"t": scores(VECTOR)}, ("model",)),
        ({"t": VECTOR}, {"a": {"t": scores(VECTOR, expected=VECTOR)}}, ("a", "a / uniform")),
        ({"t": VECTOR}, {"t": scores(VECTOR, expected=VECTOR)}, ("model", "model / uniform")),
        ([VECTOR], [scores(VECTOR)], ("model",)),
    ],
)
def test_shapes_of_input(human, model, rows):
    found = read_inputs(human, model)
    assert found.rows == rows
    assert [len(item) for item in found.items] == [3]
    np.testing.assert_array_equal(found.items[0].model[0], VECTOR)


@pytest.mark.parametrize(
    ("said", "people"),
    [
        (VECTOR, ("",)),
        ([VECTOR, VECTOR], ("0", "1")),
        ([VECTOR, [np.nan] * 3, VECTOR], ("0", "2")),
        ({"ann": VECTOR, "bob": VECTOR}, ("ann", "bob")),
        (Marks(unit=[[0, 2], [2, 3], [4, 9]], marked=[[0, 1]]), ("",)),
    ],
)
def test_people(said, people):
    (item,) = read_inputs({"t": said}, {"t": VECTOR}).items
    assert item.people == people
    assert item.human.shape == (len(people), 3)


def test_lengths_come_from_what_is_known():
    marks = Marks(unit=[[0, 2], [2, 3], [4, 9]], marked=[[0, 1]])
    (item,) = read_inputs([marks], [VECTOR]).items
    assert item.length.tolist() == [2, 1, 5]
    (item,) = read_inputs([VECTOR], [scores(VECTOR)]).items
    assert item.length.tolist() == [1, 1, 1]
    (item,) = read_inputs([VECTOR], [VECTOR]).items
    assert np.isnan(item.length).all()
    one, two = read_inputs(
        [VECTOR] * 2, [VECTOR] * 2, texts=[["a", "bb", "a"], ["bb", "c", "a"]]
    ).items
    assert one.length.tolist() == [1, 2, 1]
    assert one.frequency.tolist() == [3, 2, 3]
    assert two.frequency.tolist() == [2, 1, 3]


def test_what_one_side_lacks_is_counted():
    found = read_inputs(
        {"a": VECTOR, "b": VECTOR, "c": VECTOR},
        {"r": {"a": VECTOR, "d": VECTOR}, "s": {"a": VECTOR, "b": VECTOR}},
    )
    assert [item.name for item in found.items] == ["a", "b"]
    assert found.left_out == {"only human": ("c",), "only model": ("d",), "r": ("b",)}
    assert np.isnan(found.items[1].model[0]).all()


@pytest.mark.parametrize(
    ("human", "model", "message"),
    [
        ([VECTOR], {"t": VECTOR}, "human lists items by position and model row 'model' by name"),
        ({"t": VECTOR}, [VECTOR], "human lists items by name"),
        (
            {"t": VECTOR},
            {"a": {"t": VECTOR}, "t": VECTOR},
            "mixes rows with scores of single items",
        ),
        ({"t": VECTOR}, {"u": VECTOR}, "share no item"),
        ({"t": VECTOR}, {}, "model is empty"),
        ({"t": VECTOR}, {"t": [1.0, 2.0]}, "item 't', model row 'model' has 2 units; human has 3"),
        ({"t": {"a": VECTOR, "b": [1.0]}}, {"t": VECTOR}, "item 't': 'a' has 3 units and 'b' 1"),
        (VECTOR, VECTOR, "human is one vector"),
        ({"t": ["x", "y"]}, {"t": VECTOR}, "not numbers"),
        ({"t": [1.0, np.inf]}, {"t": [1.0, 2.0]}, "infinite"),
        ({"t": {}}, {"t": VECTOR}, "has no person"),
        ({"t": np.zeros((1, 2, 3))}, {"t": VECTOR}, r"expected \(units,\) or \(people, units\)"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(human, model, message):
    with pytest.raises(DataError, match=message) as caught:
        read_inputs(human, model)
    assert "\n" not in str(caught.value)


def test_texts_of_another_number_are_refused():
    with pytest.raises(DataError, match="3 units and 2 texts"):
        read_inputs([VECTOR], [VECTOR], texts=[["a", "b"]])

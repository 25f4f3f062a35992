"""A batch of examples against the same examples one by one, as columns and as a file."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.export import flat_batch, parquet_bytes, read_examples, to_batch, to_parquet
from gazecode.model import LABELS, Example, ExampleBatch

NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
NUMBER = st.floats(0, 2.0**120)


@st.composite
def batches(draw):
    d = draw(st.integers(0, 4))
    n = draw(st.lists(st.integers(0, 4), min_size=d, max_size=d))
    m, s, k = (draw(st.lists(st.integers(0, 4), min_size=d, max_size=d)) for _ in range(3))

    def names():
        return tuple(draw(st.lists(NAME, min_size=d, max_size=d)))

    def per(count, one, dtype):
        total = sum(count)
        return np.array(draw(st.lists(one, min_size=total, max_size=total)), dtype=dtype)

    texts = ("example_id", "source_id", "participant", "trial", "language", "text")
    return ExampleBatch(
        **{name: names() for name in (*texts, "source_sha256", "source_group")},
        source=np.arange(d),
        first_position=np.cumsum([0, *n]),
        first_token=np.cumsum([0, *m]),
        input_ids=per(n, st.integers(0, 2**31 - 1), np.int64),
        loss_mask=per(n, st.booleans(), bool),
        weight=per(n, NUMBER, float),
        attention=per(n, NUMBER, float),
        on_path=per(n, st.booleans(), bool),
        token_index=per(n, st.integers(-1, 9), np.int64),
        token_start=per(m, st.integers(0, 99), np.int64),
        token_end=per(m, st.integers(0, 99), np.int64),
        token_label=per(m, st.integers(0, len(LABELS) - 1), np.int8),
        token_value=per(m, NUMBER, float),
        pair_id=names(),
        pair_side=names(),
        route=draw(NAME),
        window=per([1] * d, st.integers(0, 99), np.int64),
        n_windows=per([1] * d, st.integers(0, 99), np.int64),
        attention_share=per([1] * d, NUMBER, float),
        inert_weight=per([1] * d, NUMBER, float),
        first_segment=np.cumsum([0, *s]),
        segment_name=tuple(draw(st.lists(NAME, min_size=sum(s), max_size=sum(s)))),
        segment_start=per(s, st.integers(0, 99), np.int64),
        segment_end=per(s, st.integers(0, 99), np.int64),
        first_transition=np.cumsum([0, *k]),
        transition_from=per(k, st.integers(0, 99), np.int64),
        transition_to=per(k, st.integers(0, 99), np.int64),
        transition_share=per(k, NUMBER, float),
        transition_count=per(k, NUMBER, float),
        prior_sources=tuple(draw(st.lists(NAME, max_size=2))),
        n_people=draw(st.integers(0, 99)),
    )


@settings(max_examples=60)
@given(batches())
def test_the_same_columns_and_digests_as_one_by_one(batch):
    flat = flat_batch(batch)
    flat.validate(full=True)
    assert flat.equals(to_batch(list(batch)))


def one(**changed):
    fields_ = {
        "source": [0, 1],
        **dict.fromkeys(("example_id", "source_id", "text", "source_sha256"), ("a", "b")),
        **dict.fromkeys(("participant", "trial", "language"), ("", "")),
        "first_position": [0, 2, 3],
        "first_token": [0, 1, 1],
        "input_ids": [1, 2, 3],
        "loss_mask": [True] * 3,
        "weight": [1.0, 2.0, 0.5],
        "attention": [0.5, 0.5, 1.0],
        "on_path": [True] * 3,
        "token_index": [0, 0, -1],
        "token_start": [0],
        "token_end": [1],
        "token_label": [3],
        "token_value": [7.0],
        "said": {"no_signal": np.array([False, True])},
        "settings": {"scheme": "count"},
    }
    return ExampleBatch(**fields_ | changed)


def test_an_example_of_a_batch():
    example = one().example(-1)
    assert example.example_id == "b"
    assert example.input_ids.tolist() == [3]
    assert example.token_label.tolist() == []
    assert example.report == {"scheme": "count", "no_signal": True}
    assert one().example(0).token_label.tolist() == ["comment"]
    assert {f.name for f in fields(Example)} - {"report"} <= set(ExampleBatch.__slots__)
    with pytest.raises(IndexError):
        one().example(2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weight": [1.0, np.inf, 0.5]}, "example 'a': weight holds inf; expected a finite number"),
        (
            {"input_ids": [1, 2, 2**31]},
            "example 'b': input_ids holds 2147483648; expected a number",
        ),
        ({"text": ("x", "\ud800")}, "example 'b': text is no Unicode text"),
    ],
)
def test_values_the_schema_cannot_hold_name_their_example(changed, message):
    with pytest.raises(DataError) as error:
        flat_batch(one(**changed))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"first_position": [0, 2, 4]}, "expected 3 numbers from 0 to 3, never decreasing"),
        ({"first_token": [0, 1]}, "differ in length"),
        ({"token_label": [len(LABELS)]}, "a label has a number outside 0 to 19"),
        ({"source_id": ("a",)}, "differ in length"),
        ({"weight": [1.0]}, "differ in length"),
    ],
)
def test_a_batch_that_does_not_fit_together(changed, message):
    with pytest.raises(DataError, match=message):
        one(**changed)


def test_a_file_in_memory_is_the_file(tmp_path, make_example, same_examples):
    examples = [make_example(str(i)) for i in range(70)]
    provenance = {"units": {"token_value": "ms"}, "parameters": {"a": 1}}
    path = tmp_path / "weights.parquet"
    to_parquet(examples, path, provenance=provenance)
    made = parquet_bytes([to_batch(examples)], provenance=provenance)
    assert made == path.read_bytes() == parquet_bytes([to_batch(examples)], provenance=provenance)
    path.write_bytes(parquet_bytes([flat_batch(one())]))
    assert same_examples(list(read_examples(path)), list(one()))

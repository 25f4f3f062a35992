import pyarrow as pa
import pytest

from gazecode.errors import DataError
from gazecode.export import rows as module
from gazecode.export.rows import batches, from_batch, to_batch


def test_batches_end_at_full_blocks(make_example, monkeypatch):
    monkeypatch.setattr(module, "BATCH_VALUES", 100)
    sizes = [b.num_rows for b in batches(make_example(str(i)) for i in range(200))]
    assert sizes == [64, 64, 64, 8]


def test_a_very_long_text_ends_a_batch_at_once(make_example, monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 30)
    sizes = [b.num_rows for b in batches(make_example(str(i)) for i in range(7))]
    assert sizes == [3, 3, 1]


def test_nothing_is_drawn_ahead(make_example):
    """The stream is consumed as batches are asked for, not before."""
    drawn = []

    def stream():
        for i in range(3000):
            drawn.append(i)
            yield make_example(str(i))

    next(batches(stream()))
    assert len(drawn) == 1024


def test_a_slice_gives_its_own_rows(make_example, same_examples):
    examples = [make_example(str(i)) for i in range(5)]
    assert same_examples(list(from_batch(to_batch(examples).slice(1, 3))), examples[1:4])


def test_lengths_are_checked_again_on_reading(make_example):
    batch = to_batch([make_example("a"), make_example("b")])
    short = [batch.column("weight")[0].as_py(), [1.0]]

    i = batch.schema.get_field_index("weight")
    field = batch.schema.field(i)
    edited = batch.set_column(i, field, pa.array(short, field.type))
    with pytest.raises(DataError, match="Example columns differ in length"):
        list(from_batch(edited))

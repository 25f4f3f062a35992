"""Hugging Face datasets: typed as the schema, mapped, streamed, saved; no network, no cache."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import fields, replace
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest

hf = pytest.importorskip(
    "datasets", reason="datasets is not installed: pip install 'gazecode[datasets]'"
)

from gazecode.adapters.datasets import (  # noqa: E402
    example_of,
    load,
    metadata_of,
    of_rows,
    save_to_disk,
    to_examples,
)
from gazecode.errors import DataError, ParameterError, SchemaError  # noqa: E402
from gazecode.export import COLUMNS, read_examples, to_hdf5, to_jsonl, to_parquet  # noqa: E402
from gazecode.model import Example  # noqa: E402

WRITERS = {"parquet": to_parquet, "h5": to_hdf5, "jsonl": to_jsonl}
SAID = {"units": {"token_value": "ms"}, "tokenizer_sha256": "0a" * 32, "parameters": {"seed": 7}}


def make(i: int, **changed: object) -> Example:
    example = Example(
        example_id=f"e{i}",
        source_id="Sum.java",
        participant="p1",
        trial="t1",
        language="java",
        text="int ß = 0;",
        input_ids=[1, 40, 7, 300 + i],
        loss_mask=[False, True, True, True],
        weight=[1.0, 0.5, 1.5, 1.0 + i / 7],
        attention=[0.0, 0.25, 0.5, 0.25],
        on_path=[False, True, True, False],
        token_index=[-1, 0, 1, 2],
        token_start=[0, 4, 7],
        token_end=[3, 6, 8],
        token_label=np.array(["type", "variable", ""], dtype=object),
        token_value=[120.0, 240.5, 0.1],
        prior_sources=("a", "ß"),
        source_sha256="0c" * 32,
        route="copy",
        window=1,
        n_windows=2,
        attention_share=0.5,
        inert_weight=0.25,
        segment_name=np.array(["code"], dtype=object),
        segment_start=[1],
        segment_end=[3],
        transition_from=[1, 2],
        transition_to=[2, 1],
        transition_share=[1.0, 1.0],
        transition_count=[1.0, 2.5],
    )
    return replace(example, **changed)


UNITS = {column.name: column.unit for column in COLUMNS} | {"token_value": "ms"}
EXAMPLES = [make(i) for i in range(5)]
EMPTY = make(
    9,
    **{name: [] for name in ("input_ids", "loss_mask", "weight", "attention", "on_path")},
    **{name: [] for name in ("token_index", "token_start", "token_end", "token_label")},
    **{name: [] for name in ("token_value", "segment_name", "segment_start", "segment_end")},
    **{name: [] for name in ("transition_from", "transition_to", "transition_share")},
    transition_count=[],
    prior_sources=(),
)


def same(a: Example, b: Example) -> None:
    for field in fields(Example):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray) and x.dtype == np.float64:
            # The precision of the schema.
            x, y = x.astype(np.float32), y.astype(np.float32)
        np.testing.assert_array_equal(x, y, err_msg=field.name)
        assert getattr(x, "dtype", None) == getattr(y, "dtype", None)


def same_lists(a: list[Example], b: list[Example]) -> None:
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        same(x, y)


@pytest.fixture(params=sorted(WRITERS))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The examples in each container."""
    path = tmp_path / f"weights.{request.param}"
    WRITERS[request.param]([*EXAMPLES, EMPTY], path, provenance=SAID)
    return path


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder as a corpus job leaves it."""
    folder = tmp_path / "out"
    folder.mkdir()
    for i, part in enumerate((EXAMPLES[:2], EXAMPLES[2:3], EXAMPLES[3:])):
        to_parquet(part, folder / f"weights-{i:05}.parquet", provenance=SAID)
    (folder / "corpus.json").write_text("{}")
    return folder


def first_row() -> dict[str, object]:
    """What the library hands over for one example."""
    with tempfile.TemporaryDirectory() as folder:
        save_to_disk([make(1, example_id="one")], Path(folder) / "data")
        return load(Path(folder) / "data")[0]


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [False, True])
def test_every_container_gives_the_same_rows(path, streaming):
    data = load(path, streaming=streaming)
    same_lists(list(to_examples(data)), [*EXAMPLES, EMPTY])
    same_lists([example_of(row) for row in data], [*EXAMPLES, EMPTY])


@pytest.mark.parametrize("streaming", [False, True])
def test_columns_have_the_types_of_the_schema(path, streaming):
    data = load(path, streaming=streaming)
    arrow = data.features.arrow_schema
    assert arrow.names == [column.name for column in COLUMNS]
    for column in COLUMNS:
        kind = arrow.field(column.name).type
        said = f"list<{kind.value_type}>" if column.is_list else str(kind)
        assert said == column.type, column.name


@pytest.mark.parametrize("streaming", [False, True])
def test_metadata_come_along(path, streaming):
    said = metadata_of(load(path, streaming=streaming))
    assert said["units"] == UNITS
    assert said["parameters"] == {"seed": 7}


def test_rows_are_mapped_not_held(path):
    data = load(path)
    (cached,) = data.cache_files
    assert Path(cached["filename"]).is_file()
    assert len(pickle.dumps(data)) < 20_000
    same_lists(list(to_examples(pickle.loads(pickle.dumps(data)))), [*EXAMPLES, EMPTY])  # noqa: S301


@pytest.mark.parametrize("streaming", [False, True])
def test_shards_are_one_dataset(shards, streaming):
    data = load(shards, streaming=streaming)
    same_lists(list(to_examples(data)), EXAMPLES)
    if streaming:
        assert (data.num_shards if hasattr(data, "num_shards") else data.n_shards) == 3


def test_what_shards_do_not_share_is_kept_by_file(shards):
    """Nothing of the metadata is dropped without a word."""
    to_parquet([], shards / "weights-00003.parquet", provenance=SAID | {"inputs_sha256": "ff" * 32})
    said = metadata_of(load(shards))
    assert said["files"]["weights-00003.parquet"] == {"inputs_sha256": "ff" * 32}
    assert "inputs_sha256" not in said
    assert said["tokenizer_sha256"] == "0a" * 32


@pytest.mark.parametrize(
    "other", [{"tokenizer_sha256": "0b" * 32}, {"units": {"token_value": "count"}}]
)
def test_shards_of_two_tokenizers_or_units_are_refused(shards, other):
    to_parquet(EXAMPLES, shards / "weights-00003.parquet", provenance=SAID | other)
    with pytest.raises(SchemaError, match=f"weights-00003.parquet differ in {next(iter(other))}"):
        load(shards)


def test_a_given_folder_keeps_the_copy(path, tmp_path):
    cache = tmp_path / "kept" / "here"
    first, second = load(path, cache_dir=cache), load(path, cache_dir=cache)
    (stream,) = cache.iterdir()
    assert first.cache_files == second.cache_files == [{"filename": str(stream)}]
    assert first._fingerprint == second._fingerprint
    # What the library keeps of a map lands beside it, and is found again.
    once, again = (data.map(_count) for data in (first, second))
    assert once.cache_files == again.cache_files
    assert {p.parent for p in cache.iterdir()} == {cache}


def _count(row: dict) -> dict:
    return {"n": len(row["input_ids"])}


def test_changed_content_is_read_again(tmp_path):
    path, cache = tmp_path / "weights.parquet", tmp_path / "cache"
    to_parquet(EXAMPLES[:1], path)
    stamp = path.stat()
    assert load(path, cache_dir=cache)["example_id"][:] == ["e0"]
    to_parquet([make(1)], path)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert load(path, cache_dir=cache)["example_id"][:] == ["e1"]


def test_files_of_version_1_are_read():
    """What they do not say gets its usual value."""
    old = Path(__file__).parents[1] / "export" / "frozen"
    files = sorted(old.rglob("*.parquet"))
    assert files
    for path in files:
        same_lists(list(to_examples(load(path))), read_examples(path))


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere", "no such file"), (".", "in this folder"), ("text.txt", "expected a Parquet")],
)
def test_what_is_no_weights_file_is_refused(tmp_path, name, said):
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(SchemaError, match=said):
        load(tmp_path / name)


def test_a_broken_row_is_refused_not_passed_over(tmp_path):
    path = tmp_path / "weights.jsonl"
    to_jsonl(EXAMPLES, path)
    path.write_text(path.read_text(encoding="utf-8").replace("0.25", '"x"'), encoding="utf-8")
    for streaming in (False, True):
        with pytest.raises(SchemaError):
            list(load(path, streaming=streaming, cache_dir=tmp_path / "cache"))
    assert not list((tmp_path / "cache").iterdir())


OFFLINE = """
import socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("a network call")
socket.socket.connect = socket.getaddrinfo = refuse
from gazecode.adapters.datasets import load, save_to_disk, to_examples
path, folder = sys.argv[1:]
data = load(path)
examples = list(to_examples(data))
assert len(list(load(path, streaming=True))) == len(examples) == data.num_rows
save_to_disk(examples, folder)
assert load(folder).num_rows == data.num_rows
print(data.cache_files[0]["filename"])
"""


def test_no_network_and_nothing_in_the_users_cache(tmp_path):
    """In a process of its own; its temporary folder is gone with it."""
    path, home = tmp_path / "weights.parquet", tmp_path / "home"
    home.mkdir()
    (tmp_path / "tmp").mkdir()
    to_parquet(EXAMPLES, path)
    there = {"HOME": str(home), "HF_HOME": str(home / "hf"), "TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", OFFLINE, str(path), str(tmp_path / "saved")],
        env={**os.environ, **there, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not [p for p in home.rglob("*") if p.is_file()]
    assert str(tmp_path / "tmp") in done.stdout
    assert not list((tmp_path / "tmp").iterdir())


# --- saving --------------------------------------------------------------------------------------


def test_saved_is_loaded_by_the_library_alone(tmp_path):
    assert save_to_disk(iter([*EXAMPLES, EMPTY]), tmp_path / "data", provenance=SAID) == 6
    data = hf.load_from_disk(str(tmp_path / "data"))
    same_lists(list(to_examples(data)), [*EXAMPLES, EMPTY])
    assert json.loads(data.info.description)["units"] == UNITS
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("streaming", [False, True])
def test_load_opens_what_was_saved(tmp_path, streaming):
    save_to_disk(EXAMPLES, tmp_path / "data", provenance=SAID)
    data = load(tmp_path / "data", streaming=streaming)
    same_lists(list(to_examples(data)), EXAMPLES)
    assert metadata_of(data)["units"] == UNITS


def test_no_examples_are_a_dataset_too(tmp_path):
    assert save_to_disk([], tmp_path / "data") == 0
    assert list(to_examples(load(tmp_path / "data"))) == []


def test_a_rerun_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_to_disk(EXAMPLES, tmp_path / name, provenance=SAID)
    a, b = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert a == b


def test_an_earlier_dataset_is_replaced_as_a_whole(tmp_path):
    save_to_disk(EXAMPLES, tmp_path / "data")
    save_to_disk(EXAMPLES[:1], tmp_path / "data")
    assert load(tmp_path / "data").num_rows == 1
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_a_failure_leaves_what_was_there(tmp_path):
    def broken():
        yield EXAMPLES[0]
        raise RuntimeError("halfway")

    save_to_disk(EXAMPLES, tmp_path / "data")
    with pytest.raises(RuntimeError, match="halfway"):
        save_to_disk(broken(), tmp_path / "data")
    assert load(tmp_path / "data").num_rows == len(EXAMPLES)
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_nothing_else_is_ever_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years")
    with pytest.raises(ParameterError, match="is there and is no saved dataset"):
        save_to_disk(EXAMPLES, tmp_path / "thesis")
    with pytest.raises(ParameterError, match="make it first"):
        save_to_disk(EXAMPLES, tmp_path / "no" / "data")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years"


# --- rows as examples ----------------------------------------------------------------------------


def test_selected_and_shuffled_rows_come_in_their_order(shards):
    data = load(shards)
    assert [e.example_id for e in to_examples(data.select([3, 0]))] == ["e3", "e0"]
    shuffled = data.shuffle(seed=1)
    assert [e.example_id for e in to_examples(shuffled)] == list(shuffled["example_id"])
    odd = data.filter(lambda row: row["example_id"] in {"e1", "e3"})
    same_lists(list(to_examples(odd)), [EXAMPLES[1], EXAMPLES[3]])


def test_columns_of_ones_own_are_passed_over(shards):
    data = load(shards).add_column("note", ["x"] * 5).remove_columns(["row_digest"])
    same_lists(list(to_examples(data)), EXAMPLES)
    same(example_of(data[2]), EXAMPLES[2])


def test_a_missing_column_is_named(shards):
    data = load(shards).remove_columns(["weight"])
    with pytest.raises(SchemaError, match="no column weight"):
        list(to_examples(data))
    with pytest.raises(DataError, match="'weight'"):
        example_of(data[0])


def test_a_column_of_another_type_is_named(shards):
    data = load(shards).remove_columns(["weight"]).add_column("weight", ["heavy"] * 5)
    with pytest.raises(SchemaError, match="not those of the schema"):
        list(to_examples(data))


@pytest.mark.parametrize("kind", [None, "numpy", "torch", "jax"])
def test_rows_of_every_format_are_examples(shards, kind):
    if kind in ("torch", "jax"):
        pytest.importorskip(kind, reason=f"{kind} is not installed: pip install 'gazecode[{kind}]'")
    data = load(shards).with_format(kind)
    same_lists([example_of(data[i]) for i in range(len(data))], EXAMPLES)


def test_a_row_of_version_1_takes_the_defaults():
    row = {k: v for k, v in first_row().items() if k not in ("n_windows", "segment_name")}
    row = {k: v for k, v in row.items() if k not in ("segment_start", "segment_end")}
    assert example_of(row).n_windows == 1


def test_other_datasets_have_no_metadata_of_ours():
    with pytest.raises(SchemaError, match="open it with load"):
        metadata_of(hf.Dataset.from_dict({"a": [1]}))


# --- in the trainers' hands ----------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("kind", [None, "torch"])
def test_rows_collate_as_examples_do(shards, streaming, kind):
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: pip install 'gazecode[torch]'"
    )
    from gazecode.adapters.torch import Collator

    collate = Collator(0)
    data = load(shards, streaming=streaming).with_format(kind)
    loader = torch.utils.data.DataLoader(data, batch_size=2, collate_fn=of_rows(collate))
    made = list(loader)
    assert len(made) == 3
    for i, batch in enumerate(made):
        expected = collate(EXAMPLES[2 * i : 2 * i + 2])
        assert batch.keys() == expected.keys()
        assert all(torch.equal(batch[name], expected[name]) for name in batch)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning")
def test_the_trainer_takes_a_dataset_as_it_is(shards, tmp_path, streaming):
    """Rows and examples lead to the same model."""
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: pip install 'gazecode[torch]'"
    )
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
    )
    from gazecode.adapters.torch import Collator
    from gazecode.adapters.transformers import GazeTrainer

    config = transformers.LlamaConfig(
        vocab_size=320,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        pad_token_id=0,
    )
    moved = []
    for data in (load(shards, streaming=streaming), EXAMPLES):
        torch.manual_seed(0)
        args = transformers.TrainingArguments(
            output_dir=str(tmp_path / "run"),
            per_device_train_batch_size=5,
            max_steps=2,
            optim="sgd",
            learning_rate=0.1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
        )
        model = transformers.AutoModelForCausalLM.from_config(config)
        GazeTrainer(model, args, of_rows(Collator(0)), data).train()
        moved.append(torch.nn.utils.parameters_to_vector(model.parameters()).detach())
    torch.testing.assert_close(*moved, rtol=1e-5, atol=1e-6)


def test_examples_and_rows_may_be_mixed():
    ids = of_rows(lambda examples: [e.example_id for e in examples])([EXAMPLES[0], first_row()])
    assert ids == ["e0", "one"]


@pytest.mark.slow
def test_workers_share_the_shards_out(shards):
    """Nothing twice, nothing left out."""
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: pip install 'gazecode[torch]'"
    )
    # Spawned: JAX, which other tests load, does not bear a fork.
    loader = torch.utils.data.DataLoader(
        load(shards, streaming=True),
        batch_size=1,
        num_workers=2,
        collate_fn=of_rows(itemgetter(0)),
        multiprocessing_context="spawn",
    )
    assert sorted(example.example_id for example in loader) == [f"e{i}" for i in range(5)]

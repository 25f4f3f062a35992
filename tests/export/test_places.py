"""Which files a path stands for: a file, a study's folder, a corpus's shards, a split's parts."""

from pathlib import Path

import pytest

from gazecode.errors import SchemaError
from gazecode.export.places import CONTAINERS, _order, one_dataset, weights_files


def fill(folder, *names):
    for name in names:
        (folder / name).touch()
    return folder


def test_files_of_a_path(tmp_path):
    names = ("weights-00001.parquet", "weights-00000.parquet", "weights-1.parquet", "corpus.json")
    for name in names:
        (tmp_path / name).touch()
    found = one_dataset(tmp_path)
    assert [path.name for path in found] == ["weights-00000.parquet", "weights-00001.parquet"]
    assert one_dataset(str(tmp_path / "corpus.json")) == (tmp_path / "corpus.json",)
    (tmp_path / "weights.parquet").touch()
    with pytest.raises(SchemaError, match=r"has weights.parquet and 2 shards like weights-00000"):
        one_dataset(tmp_path)
    for path in found:
        path.unlink()
    assert [path.name for path in one_dataset(tmp_path)] == ["weights.parquet"]
    (tmp_path / "weights.parquet").unlink()
    with pytest.raises(SchemaError, match=r"neither weights.parquet nor weights-00000.parquet"):
        one_dataset(tmp_path)
    with pytest.raises(SchemaError, match="no such file or folder; check the path"):
        one_dataset(tmp_path / "none")


def test_twins_are_read_once(tmp_path):
    fill(tmp_path, "weights.h5", "weights.parquet", "weights.eyemulator.jsonl", "hits.parquet")
    assert [p.name for p in weights_files([tmp_path])] == ["weights.parquet", "weights.h5"]
    assert [p.name for p in weights_files([tmp_path], once=True)] == ["weights.parquet"]
    assert [p.name for p in one_dataset(tmp_path)] == ["weights.parquet"]
    # Files that are named are taken as they are.
    named = [tmp_path / "weights.h5", tmp_path / "weights.parquet"]
    assert weights_files(named, once=True) == named


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_container_alone_is_a_dataset(tmp_path, suffix):
    fill(tmp_path, f"weights{suffix}")
    assert one_dataset(tmp_path) == (tmp_path / f"weights{suffix}",)


def test_shards_come_by_number():
    names = [Path(f"weights-{number}.parquet") for number in ("100000", "99999", "00000")]
    numbers = ["00000", "99999", "100000"]
    assert [p.stem.partition("-")[2] for p in sorted(names, key=_order)] == numbers


@pytest.mark.parametrize(
    ("numbers", "said", "message"),
    [
        ("8", "", "weights-00000 is missing, found 1 of 9 shards; copy the folder again, or name"),
        ("0134", "", "weights-00002 is missing, found 4 of 5 shards"),
        ("012", '{"shards": 4}', "weights-00003 is missing, found 3 of 4 shards"),
    ],
)
@pytest.mark.parametrize("read", [one_dataset, lambda folder: weights_files([folder])])
def test_a_folder_that_lost_a_shard_is_refused(tmp_path, numbers, said, message, read):
    fill(tmp_path, *(f"weights-0000{number}.parquet" for number in numbers))
    if said:
        (tmp_path / "corpus.json").write_text(said, encoding="utf-8")
    with pytest.raises(SchemaError, match=message):
        read(tmp_path)
    # Files that are named are taken as they are.
    some = tmp_path / f"weights-0000{numbers[-1]}.parquet"
    assert one_dataset(some) == (some,)


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"shards": "three"}', '{"shards": 2}'])
def test_a_folder_with_all_its_shards_is_read(tmp_path, said):
    fill(tmp_path, "weights-00001.parquet", "weights-00000.parquet", "weights-00000.h5")
    (tmp_path / "corpus.json").write_text(said, encoding="utf-8")
    assert len(one_dataset(tmp_path)) == 2
    assert len(weights_files([tmp_path])) == 3


def test_the_parts_of_a_split_are_listed_and_are_no_one_dataset(tmp_path):
    """Read as one, the test part would be trained on."""
    fill(tmp_path, "train.parquet", "test.parquet", "valid.parquet", "split.json")
    names = ["test.parquet", "train.parquet", "valid.parquet"]
    assert [p.name for p in weights_files([tmp_path])] == names
    with pytest.raises(SchemaError, match="neither weights.parquet nor"):
        one_dataset(tmp_path)


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(SchemaError, match="holds no weights; expected weights-00000.parquet"):
        weights_files([tmp_path])

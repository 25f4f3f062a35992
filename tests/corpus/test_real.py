"""The published rows of EyeMulator through the whole job."""

import json

import pytest

import gazecode as gc
from gazecode.corpus import open_corpus
from gazecode.errors import GazecodeWarning
from gazecode.export import validate

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def rows_folder(shared_data):
    return shared_data / "eyemulator" / "dataset_sample"


def test_every_row_is_a_java_source_with_its_hash_as_id(rows_folder):
    found = list(open_corpus(rows_folder))
    rows = [
        json.loads(line)
        for path in sorted(rows_folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [r.id for r in found] == [row["code_content_hash"] for row in rows]
    assert [r.code for r in found] == [row["code"].encode() for row in rows]
    assert {r.language for r in found} == {"java"}


def test_published_rows_and_priors(weigh, rows_folder, tmp_path):
    with pytest.warns(GazecodeWarning, match="indexed_ngrams"):
        done = weigh(rows_folder, priors=rows_folder.parent / "priors", blocks=None)
    assert (done.n_sources, done.n_failed) == (269, 1)
    assert '8fec71f3908622e4,completion_train_sample.jsonl:21,parse,"80%' in (
        done.failures.read_text()
    )
    assert done.document["parameters"]["priors"]["name"]
    assert done.document["weight_reach"]["min"] == 1.0
    (shard,) = done.shards
    assert validate(shard).ok
    density = [row.on_path[row.token_index >= 0].mean() for row in gc.read_examples(shard)]
    assert 0.15 < sum(density) / len(density) < 0.45

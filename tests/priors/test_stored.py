"""Files: the same content gives the same bytes and comes back; what was changed is found."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.errors import FormatError, GazecodeWarning, ParameterError
from gazecode.model.groups import source_group
from gazecode.priors import Priors
from gazecode.source import parse


@settings(max_examples=40)
@given(data=st.data())
def test_round_trip(random_readings, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    pri = Priors.fit(data.draw(random_readings), name="näme")
    pri.save(folder / "a.json")
    back = Priors.load(folder / "a.json")
    for name in ("sums", "tally", "ngrams", "participant", "source", "task", "group"):
        assert np.array_equal(getattr(back.cells, name), getattr(pri.cells, name))
    for name in ("name", "sources", "studies", "n_people", "vocabulary", "details", "is_sorted"):
        assert getattr(back, name) == getattr(pri, name)
    assert np.array_equal(back.theta_null, pri.theta_null, equal_nan=True)
    back.save(folder / "b.json")
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()
    assert "NaN" not in (folder / "a.json").read_text(encoding="utf-8")


@pytest.fixture
def stored(make, tmp_path):
    found = [
        make.reading(["loop", "variable"], [0, 1, 1], participant=p, chance=[0.5, 0.25])
        for p in ("P1", "P2")
    ]
    path = Priors.fit(found).save(tmp_path / "priors.json")
    return path, json.loads(path.read_text(encoding="utf-8"))


def test_what_a_reader_in_another_language_finds(stored):
    _, document = stored
    assert (document["format"], document["version"]) == ("gazecode priors", 1)
    loop = next(row for row in document["per_label"] if row["label"] == "loop")
    assert (loop["n"], loop["hit"], loop["alpha"], loop["beta"]) == (2, 2, 3, 1)
    assert loop["theta_null"] == 0.5
    assert document["ngrams"]["2"] == [["loop", "variable", 2], ["variable", "variable", 2]]
    comment = next(row for row in document["per_label"] if row["label"] == "comment")
    assert comment["theta"] is None


def _set(document, path, value):
    *way, last = path
    for key in way:
        document = document[key]
    if value is KeyError:
        del document[last]
    else:
        document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "x", "not priors"),
        (["version"], 2, "version 2 of the format; this gazecode reads 1"),
        (["cells"], KeyError, "no 'cells' in it"),
        (["cells"], 3, "the file is broken"),
        (["cells", 0], 3, "the file is broken"),
        (["cells", 0, "sums", "type"], [0] * 10, "'type' is not a semantic label"),
        (["cells", 0, "sums", "loop"], [1, 2], "the file is broken"),
        (["cells", 0, "sums", "loop", 0], -1, "expected a finite number"),
        (["cells", 0, "sums", "loop", 0], 3, "per_label and the cells of the file differ"),
        (["cells", 0, "sums", "loop", 1], None, "expected a finite number"),
        (["cells", 0, "tally"], [1], "the file is broken|has shape"),
        (["cells", 0, "tally", 0], 1.5, "expected a whole number"),
        (["cells", 0, "ngrams", 0], [20, 1], "is not a sequence of one to three label numbers"),
        (["cells", 0, "ngrams", 0], [1, 1, 1, 1, 1], "is not a sequence of one to three"),
        (["cells", 0, "ngrams", 0, -1], 5, "ngrams and the cells of the file differ"),
        (["cells", 0, "participant"], 5, "found 5; expected a str"),
        (["cells", 0, "participant"], "x", "people and the cells of the file differ"),
        (["per_label", 0, "n"], 7, "per_label and the cells of the file differ"),
        (["per_label", 0], None, "the file is broken"),
        (["ngrams", "2"], KeyError, "no '2' in it"),
        (["labels", 1], "x", "labels are not those of version 1"),
        (["vocabulary"], [["loop"]], "is not a pair or a triple"),
        (["vocabulary"], [["loop", "type"]], "'type' is not a semantic label"),
        (["details", "rules"], [3], "the file is broken"),
        (["details", "notes"], KeyError, "no 'notes' in it"),
        (["n_people_without_id"], -1, "expected a whole number"),
        (["pooled"], "yes", "expected a bool"),
        (["name"], ["x"], "expected a str"),
        (["sources"], [], "sources and the cells of the file differ"),
        (["sources", 0], "other", "sources and the cells of the file differ"),
        (["n_people"], 7, "n_people and the cells of the file differ"),
        (["source_groups"], [["other", "0" * 16]], "source_groups and the cells of the file"),
        (["source_groups"], [["other"]], "the file is broken"),
        (["source_groups"], 3, "the file is broken"),
    ],
)
def test_a_file_that_was_changed(stored, path, value, message):
    file, document = stored
    _set(document, path, value)
    file.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(FormatError, match=message) as error:
        Priors.load(file)
    assert str(error.value).startswith("priors.json: ")
    assert "\n" not in str(error.value)


@given(cut=st.floats(0, 0.999), junk=st.binary(max_size=4))
def test_a_file_that_was_cut(tmp_path_factory, cut, junk, make):
    path = tmp_path_factory.mktemp("cut") / "priors.json"
    Priors.fit([make.reading(["loop"], [0])]).save(path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(cut * (len(raw) - 2))] + junk)
    with pytest.raises(FormatError) as error:
        Priors.load(path)
    assert "\n" not in str(error.value)


def test_no_such_file(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        Priors.load(tmp_path / "nothing.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(FormatError, match="a published file; load its folder"):
        Priors.load(tmp_path / "list.json")
    with pytest.raises(ParameterError, match="preset is for a folder"):
        Priors.load(tmp_path / "list.json", "combined")


def test_a_file_appears_whole_or_not_at_all(make, tmp_path, monkeypatch):
    pri = Priors.fit([make.reading(["loop"], [0])])
    path = pri.save(tmp_path / "priors.json")
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        pri.save(path)
    with pytest.raises(OSError, match="disk full"), pytest.warns(GazecodeWarning):
        Priors.fit([make.reading(["loop"], [0, 0])]).save(tmp_path / "set", layout="published")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["priors.json"]


def test_wrong_places(make, tmp_path):
    pri = Priors.fit([make.reading(["loop"], [0])])
    with pytest.raises(ParameterError, match="make it first"):
        pri.save(tmp_path / "no" / "priors.json")
    with pytest.raises(ParameterError, match="make it first"):
        pri.save(tmp_path / "no" / "set", layout="published")
    with pytest.raises(ParameterError, match="is not a plain file"):
        pri.save(tmp_path)
    with pytest.raises(ParameterError, match="no 'yaml' in layouts of priors"):
        pri.save(tmp_path / "x", layout="yaml")


def test_groups_of_sources_are_stored_and_old_files_load_without(make, tmp_path):
    tokens = parse("int x;", "java")
    hits = make.reading(["", "", ""], [0]).hits
    pri = Priors.fit([(tokens, hits)], participants=["P1"])
    path = pri.save(tmp_path / "priors.json")
    back = Priors.load(path)
    assert back.source_groups == pri.source_groups == (source_group(tokens),)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document.pop("source_groups") == [[pri.sources[0], pri.source_groups[0]]]
    path.write_text(json.dumps(document), encoding="utf-8")
    old = Priors.load(path)
    assert (old.sources, old.source_groups) == (pri.sources, ())

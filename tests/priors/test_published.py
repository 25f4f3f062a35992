"""The published priors, exactly; their defects, counted; broken files, refused."""

import json
import warnings

import numpy as np
import pytest

from gazecode.errors import FormatError, GazecodeWarning, ParameterError
from gazecode.model import LABELS, label_codes
from gazecode.priors import PRESETS, Priors, decode_labels, decode_row
from gazecode.priors.published import NGRAM_IDS, SEMANTIC_IDS

BETA = [
    {"semantic_label": "loop", "saccades_count": 2, "word_count": 5, "alpha": 3, "beta": 4},
    {"semantic_label": "return", "saccades_count": 0, "word_count": 2, "alpha": 1, "beta": 3},
]
FILES = {
    "beta_distribution.json": BETA,
    "monogram_counts.json": {"loop": 4, "r": 7},
    "bigram_counts.json": {"('loop', 'return')": 3, "('()', 'loop')": 2},
    "trigram_counts.json": {"('argument', 'loop', 'return')": 1},
}


def written(folder, **changes):
    folder.mkdir()
    for name, content in (FILES | changes).items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def loaded(root, preset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GazecodeWarning)
        return Priors.load(root, preset)


@pytest.fixture(scope="module")
def root(shared_data):
    return shared_data / "eyemulator" / "priors"


@pytest.mark.real
@pytest.mark.parametrize("preset", PRESETS)
def test_every_number_of_the_release(root, preset, tmp_path):
    pri = loaded(root, preset)
    entries = json.loads((root / preset / "beta_distribution.json").read_text())
    assert pri.known.sum() == len(entries) == {"writing": 18}.get(preset, 19)
    for entry in entries:
        code = LABELS.index(entry["semantic_label"])
        assert (pri.alpha[code], pri.beta[code]) == (entry["alpha"], entry["beta"])
        assert pri.theta[code] == entry["alpha"] / (entry["alpha"] + entry["beta"])
    for order, name in ((1, "monogram"), (2, "bigram"), (3, "trigram")):
        published = json.loads((root / preset / f"{name}_counts.json").read_text())
        aside = sum(len(key) == 1 or "()" in key for key in published)
        table = pri.ngrams[order]
        assert len(table.counts) == len(published) - aside
        assert all(
            published[key[0] if order == 1 else str(key)] == n for key, n in table.counts.items()
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GazecodeWarning)
        pri.save(tmp_path / preset, layout="published")
        back = Priors.load(tmp_path, preset)
    assert np.array_equal(back.cells.sums, pri.cells.sums)
    assert np.array_equal(back.cells.ngrams, pri.cells.ngrams)
    assert (back.vocabulary, back.name) == (pri.vocabulary, pri.name)


@pytest.mark.real
def test_published_figures(root):
    pri = loaded(root, "combined")
    fd, vd, cs = "function declaration", "variable declaration", "conditional statement"
    table_1 = [(vd,), (cs,), (fd, vd), (cs, "loop"), (fd, "parameter", vd), ("argument", fd, vd)]
    found = [pri.frequency(key) for key in table_1]
    assert found[:5] == [18665, 13222, 8399, 6026, 1634]
    assert 1199 in pri.ngrams[3].counts.values()
    a, b = pri.aggregate
    assert (a, b) == (21937, 40381)
    assert a / (a + b) == pytest.approx(0.3520, abs=5e-5)
    assert np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))) == pytest.approx(0.0019, abs=5e-5)
    assert pri.salience("index operation") == pytest.approx(2 / 3)
    row = pri.to_frame().set_index("label").loc["index operation"]
    assert (row.n, row.flag) == (1, "n < 30; chance unknown")
    assert row.theta_shrunk < 0.5
    assert (pri.n_people, pri.sources) == (0, ())


@pytest.mark.real
def test_its_table_of_betas_stands_for_the_folder(root):
    found = Priors.load(root / "reading" / "beta_distribution.json")
    assert np.array_equal(found.hit, loaded(root, "reading").hit)


@pytest.mark.real
def test_combined_is_reading_plus_writing(root):
    combined, reading, writing = (loaded(root, preset) for preset in PRESETS)
    merged = Priors.merge([reading, writing])
    assert np.array_equal(merged.cells.sums, combined.cells.sums)
    assert np.array_equal(merged.cells.ngrams, combined.cells.ngrams)
    assert merged.details["parts"] == ["eyemulator-reading", "eyemulator-writing"]


@pytest.mark.real
def test_what_the_release_got_wrong_is_counted(root):
    with pytest.warns(GazecodeWarning, match="decode no semantic id"):
        pri = Priors.load(root, "combined")
    aside = pri.details["set_aside"]
    assert aside["monogram_counts: single characters"] == 23
    assert aside["bigram_counts: sequences with () or []"] == 11
    assert aside["indexed_ngrams: single words"] == 26
    assert aside["indexed_ngrams: sequences with () or []"] == 2611 - 26 - len(pri.vocabulary)
    assert ("loop", "loop") in pri.vocabulary


@pytest.mark.real
def test_recovered_ids_decode_the_rows(shared_data):
    folder = shared_data / "eyemulator"
    recovered = json.loads((folder / "recovered_semantic_ids.json").read_text())["map"]
    assert all(SEMANTIC_IDS[int(number)] == label for number, label in recovered.items())
    rows = long = 0
    of_id = {}
    for path in sorted((folder / "dataset_sample").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines()[:10]:
            raw = json.loads(line)
            row = decode_row(raw)
            rows += 1
            for number, labels in enumerate(row.window_labels):
                ids = {raw["ngram_indices"][i] for i, w in enumerate(row.window) if w == number}
                assert len(ids) == 1
                (published,) = ids
                if len(labels) == 1:
                    assert NGRAM_IDS[published] == labels[0]
                else:
                    long += 1
                    assert of_id.setdefault(published, labels) == labels
            masked = [label for label, on in zip(row.label, row.on_path, strict=True) if on]
            assert "literal" not in masked
    assert rows == 90
    assert long > 100
    assert len(set(of_id.values())) == len(of_id)


def test_ids_by_the_recovered_table():
    assert set(SEMANTIC_IDS.values()) == set(LABELS)
    assert label_codes(NGRAM_IDS.values()).all()
    with pytest.raises(FormatError, match="18 is no semantic id"):
        decode_labels([1, 18])
    assert decode_labels(np.array([13, 0])) == ["loop", ""]
    for wrong in ([None], ["a"], [[1]], "13", 13, [1.5]):
        with pytest.raises(FormatError, match="semantic ids"):
            decode_labels(wrong)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ngrams": [None]}, "columns differ in length"),
        ({"ngrams": ["type", None]}, "row: 'type' is not a semantic label"),
        ({"order_sequence": [None, 0]}, "row: order_sequence holds None; expected whole numbers"),
        ({"order_sequence": ["1", 0]}, "row: order_sequence holds '1'; expected whole numbers"),
        ({"order_sequence": [-1, 0]}, "row: order_sequence holds -1; expected whole numbers"),
        ({"order_sequence": 5}, "row: order_sequence is int; expected a list"),
        ({"semantic_token_sequence": [None, 0]}, "row: semantic_token_sequence holds None"),
        ({"semantic_token_sequence": [10**30, 0]}, "holds a number beyond 64 bits"),
        ({"mask": [{}, 0]}, "row: mask holds {}; expected whole numbers"),
        ({"mask": [2, 0]}, "row: mask holds 2; expected 0 or 1"),
        ({"mask": "10"}, "row: mask is str; expected a list"),
    ],
)
def test_broken_rows(changes, message):
    row = {
        "code_tokens": ["a", "b"], "semantic_token_sequence": [1, 0], "mask": [1, 0],
        "order_sequence": [1, 0], "ngrams": ["argument", None],
    }  # fmt: skip
    assert decode_row(row).window == (0, -1)
    with pytest.raises(FormatError, match=message):
        decode_row(row | changes)
    arrays = {name: np.array(values) for name, values in row.items()}
    assert decode_row(arrays).window == (0, -1)
    with pytest.raises(FormatError, match="found list; expected a published row"):
        decode_row([row])
    with pytest.raises(FormatError, match="no column mask"):
        decode_row({key: value for key, value in row.items() if key != "mask"})


def test_one_set_and_its_defects(tmp_path):
    pri = Priors.load(written(tmp_path / "mine"))
    assert (pri.name, pri.is_sorted, pri.salience("loop")) == ("mine", True, 3 / 7)
    assert pri.salience("comment") == 0
    assert dict(pri.ngrams[1].counts) == {("loop",): 4}
    assert pri.frequency(("return", "loop")) == 3
    assert pri.details["set_aside"] == {
        "bigram_counts: sequences with () or []": 1,
        "bigram_counts: sequences with () or [], counts": 2,
        "monogram_counts: single characters": 1,
        "monogram_counts: single characters, counts": 7,
    }


def test_sets_are_listed_and_chosen(tmp_path):
    written(tmp_path / "reading")
    written(tmp_path / "writing")
    assert Priors.load(tmp_path, "writing").name == "eyemulator-writing"
    with pytest.raises(
        ParameterError, match="holds the sets reading, writing; choose one: preset="
    ):
        Priors.load(tmp_path)
    with pytest.raises(ParameterError, match="no 'combined' in the sets of .*: reading, writing"):
        Priors.load(tmp_path, "combined")
    with pytest.raises(ParameterError, match="is one set"):
        Priors.load(tmp_path / "reading", "writing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="no beta_distribution.json in it"):
        Priors.load(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("beta_distribution", "{", "not a JSON file"),
        ("beta_distribution", "[NaN]", "NaN is not JSON"),
        ("beta_distribution", "[" * 100_000, "nested too deeply"),
        ("beta_distribution", {}, "expected a list"),
        ("beta_distribution", [{"semantic_label": "loop"}], "has not all of"),
        (
            "beta_distribution",
            [BETA[0] | {"semantic_label": "type"}],
            "'type' is not a semantic label",
        ),
        ("beta_distribution", [BETA[0] | {"alpha": 9}], "expected alpha = saccades_count \\+ 1"),
        ("beta_distribution", [BETA[0], BETA[0]], "'loop' is there twice"),
        ("beta_distribution", [BETA[0] | {"word_count": True}], "expected a whole number"),
        ("monogram_counts", {"type": 3}, "'type' is not a semantic label"),
        ("monogram_counts", {"loop": -1}, "expected a whole number"),
        ("monogram_counts", '{"loop": 1, "loop": 2}', "the key 'loop' is there twice"),
        ("bigram_counts", {"('loop', 'type')": 1}, "'type' is not a semantic label"),
        ("bigram_counts", {"('return', 'loop')": 1}, "is not sorted without repeats"),
        ("bigram_counts", {"('loop', 'loop')": 1}, "is not sorted without repeats"),
        ("bigram_counts", {"('loop',)": 1}, "has 1 labels; expected 2"),
        ("bigram_counts", {"__import__('os').system('true')": 1}, "is not a tuple of labels"),
        ("bigram_counts", {"(" * 400: 1}, "is not a tuple of labels"),
        ("trigram_counts", [], "expected an object"),
        ("indexed_ngrams", {"('loop', 'type')": 1}, "'type' is not a semantic label"),
    ],
)
def test_broken_files(tmp_path, name, content, message):
    folder = written(tmp_path / "set", **{f"{name}.json": content})
    with pytest.raises(FormatError, match=message) as error:
        Priors.load(folder)
    assert "\n" not in str(error.value)
    assert f"{name}.json" in str(error.value)


def test_a_file_that_is_missing(tmp_path):
    folder = written(tmp_path / "set")
    (folder / "bigram_counts.json").unlink()
    with pytest.raises(FormatError, match="bigram_counts.json: no such file"):
        Priors.load(folder)


def test_published_layout_of_what_was_fitted(make, tmp_path):
    pri = Priors.fit([make.reading(["variable", "loop"], [0, 1, 0, 0])])
    with pytest.warns(GazecodeWarning, match="2 sequences repeat a label|3 sequences repeat"):
        pri.save(tmp_path / "out", layout="published")
    back = Priors.load(tmp_path / "out")
    assert np.array_equal(back.alpha, pri.alpha)
    assert dict(back.ngrams[2].counts) == {("loop", "variable"): 2}
    assert json.loads((tmp_path / "out" / "bigram_counts.json").read_text()) == {
        "('loop', 'variable')": 2
    }
    with pytest.warns(GazecodeWarning), pytest.raises(ParameterError, match="there and not empty"):
        pri.save(tmp_path / "out", layout="published")

"""Rows in the form that EyeMulator published: structure, invariants, and reading them back."""

import hashlib
import json
from collections import Counter
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode import pseudo_scan_path, weigh
from gazecode.corpus import eyemulator_weights
from gazecode.errors import DataError, ParameterError, SchemaError
from gazecode.export import convert, read_examples, to_eyemulator, to_parquet, validate
from gazecode.export.eyemulator import FIRST_OWN_ID, ngram_id
from gazecode.model import LABELS, LabelPriors, NgramTable, ScanPath, TokenWeights
from gazecode.model.released import NGRAM_IDS, SEMANTIC_IDS
from gazecode.priors import decode_row
from gazecode.source import parse

PARALLEL = (
    *("ngrams", "code_tokens", "code_occurrence", "semantic_token_sequence", "line_numbers"),
    *("mask", "ngram_indices", "order_sequence"),
)
CODE = """
public int sum(int[] xs) {
    int total = 0;
    // add up
    for (int x : xs) {
        if (x > 0) { total += x; } else { log.warn("naïve 🙂"); }
    }
    return total;
}
"""


@cache
def tokens():
    return parse(CODE, "java", source_id="Sum.java")


@cache
def priors():
    """Counted on the code itself, so that windows of two and three are known."""
    toks = tokens()
    labelled = [label for label in toks.label if label]
    counts = {n: Counter(zip(*(labelled[i:] for i in range(n)), strict=False)) for n in (1, 2, 3)}
    shown = np.array([max(sum(label == one for one in toks.label), 1) for label in LABELS])
    return LabelPriors(
        hit=shown * 0.6,
        shown=shown.astype(float),
        theta_null=np.full(len(LABELS), np.nan),
        ngrams={n: NgramTable(order=n, counts=table) for n, table in counts.items()},
    )


def _rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check_invariants(row):
    """What holds of every released row (`weights.md` 2), and so of ours."""
    n = len(row["code_tokens"])
    assert {len(row[name]) for name in PARALLEL} == {n}
    number, ids, mask = (
        np.array(row[name], dtype=int) for name in ("order_sequence", "ngram_indices", "mask")
    )
    assert set(mask.tolist()) <= {0, 1}
    assert np.all(ids[mask == 1] > 0)
    assert np.array_equal(number > 0, ids > 0)
    assert [label is not None for label in row["ngrams"]] == (ids > 0).tolist()
    assert sorted(set(number[number > 0].tolist())) == list(range(1, number.max(initial=0) + 1))
    for k in range(1, number.max(initial=0) + 1):
        assert len(set(ids[number == k].tolist())) == 1
    lines = np.array(row["line_numbers"])
    assert set(np.diff(lines).tolist()) <= {0, 1}
    assert lines[:1].tolist() in ([], [0], [1])
    assert set(row["semantic_token_sequence"]) <= set(SEMANTIC_IDS)
    assert set(row["code_occurrence"]) <= {0}
    assert {label for label in row["ngrams"] if label} <= set(LABELS[1:])
    assert row["flag"] in {"train", "valid", "test"}


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), windows=st.sampled_from(["path", "consecutive"]))
def test_a_path_is_read_back_with_its_mask_and_windows(seed, windows, tmp_path_factory):
    path = pseudo_scan_path(tokens(), priors(), seed=seed, windows=windows)
    file = tmp_path_factory.mktemp("rows") / "train.eyemulator.jsonl"
    to_eyemulator([(tokens(), path)], file, contents=["Sums."])
    (row,) = _rows(file)
    check_invariants(row)
    labelled = np.flatnonzero(tokens().label != "")
    read = decode_row(row)
    assert np.array_equal(read.on_path, path.on_path[labelled])
    assert list(read.label) == tokens().label[labelled].tolist()
    assert np.array_equal(np.array(read.window) >= 0, path.ngram[labelled] >= 0)
    same = path.ngram[labelled][:, None] == path.ngram[labelled]
    assert np.array_equal(np.array(read.window)[:, None] == np.array(read.window), same)
    assert row["gazecode"]["n_unlabelled_on_path"] == 0


@settings(max_examples=20)
@given(seed=st.integers(0, 2**16))
def test_weights_of_the_row_are_those_of_the_path(seed, tmp_path_factory):
    path = pseudo_scan_path(tokens(), priors(), seed=seed)
    file = tmp_path_factory.mktemp("rows") / "train.eyemulator.jsonl"
    weights = weigh(path, tokens(), scheme="eyemulator", priors=priors())
    to_eyemulator([(tokens(), path, weights)], file)
    (row,) = _rows(file)
    labelled = np.flatnonzero(tokens().label != "")
    np.testing.assert_allclose(eyemulator_weights(row, priors()), weights.value[labelled])
    own = np.array(row["gazecode"]["token_value"])
    np.testing.assert_array_equal(
        own, weights.value[labelled].astype(np.float32).astype(str).astype(float)
    )


def test_what_a_row_says_besides_the_path(tmp_path):
    path = pseudo_scan_path(tokens(), priors(), seed=3)
    pairs = [(tokens(), path), (tokens(), path)]
    file = tmp_path / "valid.eyemulator.jsonl"
    assert (
        to_eyemulator(pairs, file, contents=["Eins.", "zwei"], flag="valid", provenance={"seed": 3})
        == 2
    )
    first, second = _rows(file)
    assert first["code"] == CODE
    assert first["flag"] == "valid"
    assert (first["content"], second["content"]) == ("Eins.", "zwei")
    assert first["code_content_hash"] == hashlib.sha256((CODE + "Eins.").encode()).hexdigest()[:16]
    ours = first.pop("gazecode")
    assert ours.pop("metadata")["seed"] == 3
    assert ours == second.pop("gazecode")
    assert ours["source_id"] == "Sum.java"
    assert ours["windows"] == "path"
    raw = CODE.encode()
    spans = zip(ours["token_start"], ours["token_end"], strict=True)
    assert [raw[a:b].decode() for a, b in spans] == first["code_tokens"]
    assert '"naïve 🙂"' in first["code_tokens"]
    assert "{" not in first["code_tokens"]


def test_examples_have_windows_of_one(tmp_path, make_example):
    example = make_example(
        text="int ß\n= 0;",
        token_label=np.array(["variable declaration", "comment", ""], dtype=object),
        token_index=[-1, 0, 1, 1],
        on_path=[True, True, False, True],
    )
    file = tmp_path / "train.eyemulator.jsonl"
    to_eyemulator([example], file)
    (row,) = _rows(file)
    check_invariants(row)
    assert row["code_tokens"] == ["int", "ß"]
    assert row["mask"] == [1, 1]
    assert row["order_sequence"] == [1, 2]
    assert row["ngrams"] == ["variable declaration", "comment"]
    assert row["ngram_indices"] == [11, FIRST_OWN_ID + LABELS.index("comment")]
    assert row["gazecode"]["token_value"] == [120.0, 240.5]
    assert row["gazecode"]["windows"] == "single"
    assert row["gazecode"]["participant"] == "p1"
    assert decode_row(row).on_path == (True, True)


def test_what_has_no_label_is_counted(tmp_path, make_example):
    labels = np.array(["loop", "variable", ""], dtype=object)
    example = make_example(token_label=labels, on_path=[False, False, True, True])
    to_eyemulator([example], tmp_path / "a.eyemulator.jsonl")
    (row,) = _rows(tmp_path / "a.eyemulator.jsonl")
    assert row["mask"] == [0, 1]
    assert row["gazecode"]["n_unlabelled_on_path"] == 1


def test_convert_writes_the_same(tmp_path, make_example):
    labels = np.array(["loop", "variable", ""], dtype=object)
    examples = [make_example(name, token_label=labels) for name in "ab"]
    to_parquet(examples, tmp_path / "w.parquet", provenance={"seed": 1})
    assert convert(tmp_path / "w.parquet", tmp_path / "w.eyemulator.jsonl") == 2
    to_eyemulator(
        read_examples(tmp_path / "w.parquet"), tmp_path / "v.jsonl", provenance={"seed": 1}
    )
    written = (tmp_path / "w.eyemulator.jsonl").read_bytes()
    assert written == (tmp_path / "v.jsonl").read_bytes()


def test_it_is_no_weights_file(tmp_path, make_example):
    file = tmp_path / "w.eyemulator.jsonl"
    to_eyemulator([make_example(token_label=np.array(["loop", "", ""], dtype=object))], file)
    with pytest.raises(SchemaError, match="rows in the form that EyeMulator published"):
        read_examples(file)
    assert not validate(file).ok


def test_no_rows_and_no_tokens(tmp_path):
    file = tmp_path / "a.eyemulator.jsonl"
    assert to_eyemulator([], file) == 0
    assert file.read_bytes() == b""
    empty = parse("", "java")
    to_eyemulator([(empty, ScanPath(ngram=[], unknown_labels={}))], file)
    (row,) = _rows(file)
    check_invariants(row)


def test_ids_tell_windows_apart():
    """One id for one sequence of labels, and none that the release uses for another."""
    names = LABELS[1:]
    windows = [(a,) for a in names] + [(a, b) for a in names for b in names]
    windows += [(a, b, c) for a in names for b in names for c in names]
    ids = [ngram_id(window) for window in windows]
    assert len(set(ids)) == len(ids)
    released = dict(zip(ids, windows, strict=True))
    assert {number: released[number] for number in NGRAM_IDS} == {
        number: (label,) for number, label in NGRAM_IDS.items()
    }
    assert all(number in NGRAM_IDS or number > FIRST_OWN_ID for number in ids)


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        pytest.param({"flag": "dev"}, "no 'dev' in flags of a row; choose from", id="flag"),
        pytest.param(
            {"contents": []}, "contents: None for row 0; expected a Unicode text", id="fewer"
        ),
        pytest.param(
            {"contents": ["a", "b"]}, "more contents than the 1 rows; give one", id="more"
        ),
        pytest.param({"contents": ["\ud800"]}, "expected a Unicode text for each", id="text"),
    ],
)
def test_parameters_that_do_not_fit(tmp_path, make_example, kwargs, said):
    example = make_example(token_label=np.array(["loop", "", ""], dtype=object))
    with pytest.raises(ParameterError, match=said):
        to_eyemulator([example], tmp_path / "a.jsonl", **kwargs)
    assert list(tmp_path.iterdir()) == []


def test_data_that_do_not_fit(tmp_path, make_example):
    file = tmp_path / "a.jsonl"
    with pytest.raises(DataError, match="'type' is not a semantic label"):
        to_eyemulator([make_example()], file)
    labels = np.array(["loop", "", ""], dtype=object)
    with pytest.raises(DataError, match="a subword belongs to token 5 of 3"):
        to_eyemulator([make_example(token_label=labels, token_index=[0, 5, 5, 5])], file)
    with pytest.raises(DataError, match="text is no Unicode text"):
        to_eyemulator([make_example(token_label=labels, text="\ud800")], file)
    m = len(tokens())
    with pytest.raises(DataError, match=f"Sum.java: {m} tokens, a path over 1; give a path"):
        to_eyemulator([(tokens(), ScanPath(ngram=[0], unknown_labels={}))], file)
    path = ScanPath(ngram=np.full(m, 0), unknown_labels={})
    with pytest.raises(DataError, match="expected one to three"):
        to_eyemulator([(tokens(), path)], file)
    weights = TokenWeights(value=[1.0], on_path=[True], scheme="count", unit="1")
    with pytest.raises(DataError, match=f"a path over {m}, 1 weights"):
        to_eyemulator([(tokens(), path, weights)], file)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_structure_is_that_of_released_rows(shared_data, tmp_path):
    folder = shared_data / "eyemulator" / "dataset_sample"
    released = _rows(folder / "summarization_train_sample.jsonl")
    pairs = []
    for row in released:
        toks = parse(row["code"], "java")
        pairs.append((toks, pseudo_scan_path(toks, priors(), seed=1)))
    file = tmp_path / "train.eyemulator.jsonl"
    to_eyemulator(pairs, file, contents=[row["content"] for row in released])
    for theirs, ours in zip(released, _rows(file), strict=True):
        check_invariants(theirs)
        check_invariants(ours)
        assert list(ours) == [*theirs, "gazecode"]
        for name, value in theirs.items():
            assert type(ours[name]) is type(value), name
            if name in PARALLEL:
                kinds = {type(one) for one in ours[name]}
                # "null" became a number there.
                assert kinds <= {str, type(None), *(type(one) for one in value)} - {float}, name
        assert ours["code_content_hash"] == theirs["code_content_hash"]
        assert (ours["code"], ours["content"]) == (theirs["code"], theirs["content"])

"""Published rows with right weights: the figures of the release, and files with broken lines."""

import gzip
import json
import math
import sys
import warnings
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.corpus.repair import eyemulator_weights, repair
from gazecode.errors import DataError, FormatError, ParameterError
from gazecode.model import LABELS, LabelPriors, NgramTable
from gazecode.priors.released import SEMANTIC_IDS

from .conftest import everything_in

PRESETS = ("combined", "reading", "writing")


def priors():
    """theta: loop 3/4, variable 1/4; windows (loop, variable) alone."""
    hit, shown = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for label, h, n in (("loop", 8, 10), ("variable", 2, 10)):
        hit[LABELS.index(label)], shown[LABELS.index(label)] = h, n
    counts = {1: {("loop",): 98, ("variable",): 40}, 2: {("loop", "variable"): 9}}
    return LabelPriors(
        hit=hit,
        shown=shown,
        theta_null=np.full(len(LABELS), np.nan),
        ngrams={n: NgramTable(order=n, counts=c) for n, c in counts.items()},
    )


PRIORS = priors()


def row(**changes):
    """loop . variable loop "(" on the path but for the second; written over 1-2 in the release."""
    return {
        "content": "é \u2028 1.50",
        "code_tokens": ["for", "i", "n", "while", "("],
        "semantic_token_sequence": [13, 13, 19, 13, 12],
        "mask": [1, 0, 1, 1, 0],
        "line_numbers": [1, 1, 2, 2, 2],
        "order_sequence": [1, 1, 3, 2, 0],
        "ngrams": ["loop", "variable", "variable", "loop", None],
        "ngram_indices": [99, 99, 7, 14, 0],
    } | changes


def test_windows_lie_on_the_path_or_where_the_row_says():
    pair, loop, variable = (1 / math.log(n + 2) for n in (9, 98, 40))
    ours = eyemulator_weights(row(), PRIORS, windows="path")
    np.testing.assert_allclose(ours, [3.75 + pair, 1, 3.25 + pair, 3.75 + loop, 1])
    theirs = eyemulator_weights(row(), PRIORS)
    np.testing.assert_allclose(theirs, [3.75 + pair, 1, 3.25 + variable, 3.75 + loop, 1])
    apart = row(line_numbers=[1, 1, 6, 6, 6])
    far = eyemulator_weights(apart, PRIORS, windows="path", preset="paper")
    np.testing.assert_allclose(far, [1.75 + loop, 1, 1.25 + variable, 1.75 + loop, 1])


def test_only_what_weights_need_has_to_be_there():
    kept = ("semantic_token_sequence", "mask", "line_numbers")
    short = {name: row()[name] for name in kept}
    np.testing.assert_array_equal(
        eyemulator_weights(short, PRIORS, windows="path"),
        eyemulator_weights(row(), PRIORS, windows="path"),
    )
    with pytest.raises(FormatError, match="row: no column code_tokens, order_sequence, ngrams"):
        eyemulator_weights(short, PRIORS)
    empty = {name: [] for name in kept}
    assert eyemulator_weights(empty, PRIORS, windows="path").shape == (0,)


WRONG = [
    ({"mask": [1, 0, 1, 1]}, "row: columns differ in length: "),
    ({"ngrams": ["loop"]}, "row: columns differ in length: "),
    ({"mask": [1, 0, 2, 1, 0]}, "row: mask holds 2; expected 0 or 1"),
    (
        {"mask": [True, False, True, True, False]},
        "row: mask holds True; expected whole numbers from 0 up",
    ),
    ({"mask": "10110"}, "row: mask is str; expected a list"),
    ({"line_numbers": [1, 1, 2, 2, -1]}, "row: line_numbers holds -1; expected whole numbers"),
    ({"mask": np.array([1, 0, 1, 1, 0.5])}, "row: mask holds 1.0; expected whole numbers"),
    ({"mask": np.array(1)}, "row: mask is ndarray; expected a list"),
    ({"line_numbers": [1, 1, 2, 2, {}]}, "row: line_numbers holds {}; expected whole numbers"),
    (
        {"order_sequence": [None, 1, 3, 2, 0]},
        "row: order_sequence holds None; expected whole numbers from 0 up",
    ),
    ({"order_sequence": ["1", 1, 3, 2, 0]}, "row: order_sequence holds '1'; expected whole"),
    ({"order_sequence": [[1], 1, 3, 2, 0]}, "row: order_sequence holds [1]; expected whole"),
    ({"order_sequence": [{}, 1, 3, 2, 0]}, "row: order_sequence holds {}; expected whole"),
    ({"order_sequence": [1.0, 1, 3, 2, 0]}, "row: order_sequence holds 1.0; expected whole"),
    ({"order_sequence": {}}, "row: order_sequence is dict; expected a list"),
    ({"ngrams": [{}, "variable", "variable", "loop", None]}, "row: {} is not a semantic label"),
    ({"line_numbers": [1, 1, 2, 2, 10**30]}, "row: line_numbers holds a number beyond 64 bits"),
    (
        {"semantic_token_sequence": [13, 13, 18, 13, 12]},
        "18 is no semantic id of the released rows",
    ),
    ({"code_tokens": None}, "row: code_tokens is NoneType; expected a list"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_wrong_rows(changes, message):
    with pytest.raises(FormatError) as error:
        eyemulator_weights(row(**changes), PRIORS)
    assert str(error.value).startswith(message)


def test_a_missing_column():
    short = row()
    del short["mask"]
    with pytest.raises(FormatError, match="row: no column mask; found content, code_tokens"):
        eyemulator_weights(short, PRIORS)


def test_published_windows_of_four_are_refused():
    four = row(order_sequence=[1, 1, 1, 1, 0])
    with pytest.raises(FormatError, match="row: a window has 4 labels; a window has one to three"):
        eyemulator_weights(four, PRIORS)


def test_a_file_keeps_what_it_held_and_loses_no_line_in_silence(tmp_path):
    good = json.dumps(row())
    odd = '{"number": 1.50e3, "big": 123456789012345678901234567890, ' + good[1:]
    lines = [
        good,
        "",
        odd + "  ",
        "{broken",
        "[1, 2]",
        json.dumps(row(mask=[1])),
        json.dumps(row(weights=[1])),
        '{"mask": [], ' + good[1:],
        '{"number": NaN, ' + good[1:],
    ]
    text = "\n".join(lines).encode() + b"\n" + b'{"a": "\xff"}'
    (tmp_path / "in.jsonl").write_bytes(text)
    report = repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl", PRIORS)
    assert (report.rows, report.repaired, report.blank) == (9, 2, 1)
    assert [f.line for f in report.failures] == [4, 5, 6, 7, 8, 9, 10]
    reasons = [f.reason for f in report.failures]
    assert reasons[1] == "found list; expected a JSON object per line"
    assert reasons[3].startswith("row: there is a field 'weights' already")
    assert reasons[4] == "row: a field is there twice; expected each once"
    assert reasons[5] == "row: NaN is not a number in JSON"
    assert (report.tokens, report.on_path, report.unseen, report.without_prior) == (10, 6, 0, {})
    written = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert written[0].startswith(good[:-1] + ", ")
    assert written[1].startswith(odd[:-1] + ", ")
    for line, source in zip(written, (good, odd), strict=True):
        found = json.loads(line)
        added = {name: found.pop(name) for name in ("weights", "labels", "window")}
        assert found == json.loads(source)
        assert added["weights"] == eyemulator_weights(row(), PRIORS).tolist()
        assert added["labels"] == ["loop", "loop", "variable", "loop", "literal"]
        assert added["window"] == [0, -1, 2, 1, -1]
    values = np.array(json.loads(written[0])["weights"])[[0, 2, 3]]
    assert report.mean == pytest.approx(values.mean())
    assert (report.lowest, report.highest) == (values.min(), values.max())


@pytest.mark.parametrize("rows", [[1], None, "row", 5])
def test_what_is_no_row(rows):
    with pytest.raises(FormatError, match=r"^found \w+; expected a published row: a mapping of"):
        eyemulator_weights(rows, PRIORS)


def test_what_are_no_priors(tmp_path):
    wanted = "needs priors, found str; pass priors=gazecode.Priors.load(...)"
    with pytest.raises(ParameterError) as error:
        eyemulator_weights(row(), "folder")
    assert str(error.value) == f"eyemulator_weights {wanted}"
    (tmp_path / "in.jsonl").write_text("{}")
    with pytest.raises(ParameterError) as error:
        repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "folder")
    assert str(error.value) == f"repair {wanted}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_line_span": "abc"}, "eyemulator_weights: max_line_span is 'abc'; expected a whole"),
        ({"windows": "x"}, "eyemulator_weights: windows is 'x'; choose from: path, published"),
        ({"smoothing": "maybe"}, "eyemulator: smoothing is 'maybe'; expected true or false"),
    ],
)
def test_wrong_parameters(options, message):
    with pytest.raises(ParameterError) as error:
        eyemulator_weights(row(), PRIORS, **options)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("windows", ["path", "published"])
def test_rows_of_arrays_are_rows(windows):
    import pandas as pd

    expected = eyemulator_weights(row(), PRIORS, windows=windows)
    arrays = {
        name: np.array(value) if isinstance(value, list) else value for name, value in row().items()
    }
    assert arrays["ngrams"].dtype == object
    tuples = {name: tuple(v) if isinstance(v, list) else v for name, v in row().items()}
    for same in (arrays, tuples, MappingProxyType(row()), pd.DataFrame([arrays]).iloc[0]):
        found = eyemulator_weights(same, PRIORS, windows=windows)
        np.testing.assert_array_equal(found, expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(row())), JSON, st.integers(0, 4))
def test_no_row_ends_a_file(tmp_path_factory, name, value, place):
    """Law: whatever one row holds, it is repaired or named; the rows around it are repaired."""
    folder = tmp_path_factory.mktemp("rows")
    whole, inside = row(), row()
    whole[name] = value
    if isinstance(inside[name], list):
        inside[name][place] = value
    texts = [json.dumps(r) for r in (row(), whole, inside, {name: value}, value, row())]
    (folder / "in.jsonl").write_text("\n".join(texts))
    report = repair(folder / "in.jsonl", folder / "out.jsonl", PRIORS)
    assert report.rows == 6 == report.repaired + len(report.failures)
    assert {1, 6}.isdisjoint(failure.line for failure in report.failures)
    written = (folder / "out.jsonl").read_text("utf-8").splitlines()
    assert len(written) == report.repaired
    for failure in report.failures:
        assert "\n" not in failure.reason
        failure.reason.encode()
        assert not failure.reason.startswith(("TypeError", "IndexError", "AttributeError"))


def test_what_nobody_foresaw_in_a_row_is_said_with_its_kind(tmp_path, monkeypatch):
    def fail(*args, **params):
        raise ZeroDivisionError("by 0")

    (tmp_path / "in.jsonl").write_text(json.dumps(row()))
    monkeypatch.setattr(sys.modules[eyemulator_weights.__module__], "count_lookups", fail)
    with pytest.raises(DataError, match="first reason: line 1: ZeroDivisionError: by 0; nothing"):
        repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl", PRIORS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing\n\n", "none of 1 rows could be repaired; first reason: line 1: Expecting value"),
        ("\n", "none of 0 rows could be repaired; there is no row"),
    ],
)
@pytest.mark.parametrize("old", ["old", None])
def test_nothing_but_broken_lines(tmp_path, text, said, old):
    """A wrong input costs no earlier output."""
    (tmp_path / "in.jsonl").write_text(text)
    out = tmp_path / "out.jsonl"
    if old is not None:
        out.write_text(old)
    before = everything_in(tmp_path)
    with pytest.raises(DataError, match=said):
        repair(tmp_path / "in.jsonl", out, PRIORS)
    assert everything_in(tmp_path) == before


def test_no_weights_have_no_mean(tmp_path):
    off = row(mask=[0] * 5, order_sequence=[0] * 5, ngrams=[None] * 5)
    (tmp_path / "in.jsonl").write_text(json.dumps(off))
    report = repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl", PRIORS)
    assert (report.repaired, report.on_path) == (1, 0)
    assert all(map(math.isnan, (report.mean, report.lowest, report.highest)))


@pytest.mark.parametrize("name", ["rows.jsonl", "soft.jsonl", "hard.jsonl"])
def test_a_file_does_not_replace_itself(tmp_path, name):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row()) + "\n")
    (tmp_path / "soft.jsonl").symlink_to(path)
    (tmp_path / "hard.jsonl").hardlink_to(path)
    before = everything_in(tmp_path)
    with pytest.raises(ParameterError, match="the new rows would replace the published ones"):
        repair(path, tmp_path / name, PRIORS)
    assert everything_in(tmp_path) == before


def test_a_packed_file_is_unpacked(tmp_path):
    text = (json.dumps(row()) + "\n").encode() * 50
    (tmp_path / "in.jsonl").write_bytes(text)
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(text))
    reports = [
        repair(tmp_path / n, tmp_path / f"out.{n}", PRIORS) for n in ("in.jsonl", "in.jsonl.gz")
    ]
    assert reports[0] == reports[1]
    assert reports[0].repaired == 50
    assert (tmp_path / "out.in.jsonl").read_bytes() == (tmp_path / "out.in.jsonl.gz").read_bytes()
    (tmp_path / "cut.gz").write_bytes(gzip.compress(text)[:-12])
    with pytest.raises(FormatError, match="cannot be unpacked to its end"):
        repair(tmp_path / "cut.gz", tmp_path / "cut.jsonl", PRIORS)
    assert not (tmp_path / "cut.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "x"}, "eyemulator: preset is 'x'; choose from: docs, paper"),
        ({"base": 1}, "eyemulator has no parameter base"),
        ({"windows": "x"}, "repair: windows is 'x'; choose from: path, published"),
        ({"windows": ["path"]}, "repair: windows is ['path']; choose from: path, published"),
        ({"matching": 3}, "repair: matching is 3; choose from: scan, passes"),
        ({"max_line_span": -1}, "max_line_span is -1; expected 0 or more"),
        ({"max_line_span": "abc"}, "repair: max_line_span is 'abc'; expected a whole number"),
        ({"max_line_span": None}, "repair: max_line_span is None; expected a whole number"),
        ({"smoothing": 5}, "eyemulator: smoothing is 5; expected true or false"),
        ({"w_base": "3"}, "eyemulator: w_base is '3'; expected a number"),
        ({"w_base": 10**400}, "eyemulator: w_base is 1000"),
    ],
)
def test_wrong_parameters_leave_the_old_file(tmp_path, options, message):
    (tmp_path / "in.jsonl").write_text(json.dumps(row()))
    (tmp_path / "out.jsonl").write_text("old")
    with pytest.raises(ParameterError) as error:
        repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl", PRIORS, **options)
    assert str(error.value).startswith(message)
    assert (tmp_path / "out.jsonl").read_text() == "old"


def test_no_file(tmp_path):
    with pytest.raises(ParameterError, match="no such file; expected published rows as JSONL"):
        repair(tmp_path / "none.jsonl", tmp_path / "out.jsonl", PRIORS)


# The published rows.


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "eyemulator"


@pytest.fixture(scope="module")
def rows(folder):
    files = sorted((folder / "dataset_sample").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def published(folder):
    from gazecode.priors.priors import Priors

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: Priors.load(folder / "priors" / name) for name in PRESETS}


def on_path(rows, priors, **options):
    return np.concatenate(
        [eyemulator_weights(r, priors, **options)[np.array(r["mask"]) == 1] for r in rows]
    )


@pytest.mark.real
def test_figures_of_the_published_rows(rows, published):
    theirs = on_path(rows, published["combined"])
    ours = on_path(rows, published["combined"], windows="path")
    for name, value in (("published", theirs), ("path", ours)):
        mean, low, high = value.mean(), value.min(), value.max()
        print(f"{name} windows: {len(value)} tokens, {mean:.4f} ({low:.4f}-{high:.4f})")
    assert len(theirs) == len(ours) == 10_524
    assert theirs.mean().round(2) == 3.50
    assert (theirs.min().round(2), theirs.max().round(2)) == (3.16, 4.22)
    assert ours.mean().round(2) == 3.47
    assert not (theirs == 3.0).any()
    assert not (ours == 3.0).any()


@pytest.mark.real
def test_every_term_is_right_on_every_masked_token(folder, rows, published):
    """An independent computation from the files, on the annotation of the rows."""
    said = folder / "priors" / "combined"
    beta = {
        b["semantic_label"]: b for b in json.loads((said / "beta_distribution.json").read_text())
    }
    counts = json.loads((said / "monogram_counts.json").read_text())
    for name in ("bigram", "trigram"):
        counts |= json.loads((said / f"{name}_counts.json").read_text())
    right = total = seen = 0
    for r in rows:
        windows = {}
        for number, label in zip(r["order_sequence"], r["ngrams"], strict=True):
            windows.setdefault(number, []).append(label)
        found = eyemulator_weights(r, published["combined"])
        for j, number in enumerate(r["order_sequence"]):
            if not r["mask"][j]:
                assert found[j] == 1.0
                continue
            labels = windows[number]
            key = labels[0] if len(labels) == 1 else str(tuple(sorted(labels)))
            b = beta[SEMANTIC_IDS[r["semantic_token_sequence"][j]]]
            rarity = 1 / math.log(counts[key] + 2) if key in counts else 0.0
            right += found[j] == pytest.approx(3 + rarity + b["alpha"] / (b["alpha"] + b["beta"]))
            seen += key in counts
            total += 1
    print(f"right on {right} of {total} masked tokens; counted windows: {seen / total:.3f}")
    assert right == total == 10_524


@pytest.mark.real
def test_what_the_released_index_gives(folder, rows):
    """The defect that this repairs: 81 % of the tokens on a path weigh exactly 3.0."""
    said = folder / "priors" / "combined"
    key_of = {i: key for key, i in json.loads((said / "indexed_ngrams.json").read_text()).items()}
    beta = {
        b["semantic_label"]: b for b in json.loads((said / "beta_distribution.json").read_text())
    }
    counts = {}
    for name in ("monogram", "bigram", "trigram"):
        counts |= json.loads((said / f"{name}_counts.json").read_text())
    rarity, semantic = [], []
    for r in rows:
        for j in np.flatnonzero(r["mask"]):
            count = counts.get(key_of.get(r["ngram_indices"][j]), 0)
            b = beta.get(key_of.get(r["semantic_token_sequence"][j]))
            rarity.append(1 / math.log(count + 2) if count else 0.0)
            semantic.append(b["alpha"] / (b["alpha"] + b["beta"]) if b else 0.0)
    value = 3 + np.array(rarity) + np.array(semantic)
    share = [np.mean(np.array(part) > 0) for part in (rarity, semantic)]
    print(
        f"rarity {share[0]:.3f}, semantic {share[1]:.3f}, 3.0 {np.mean(value == 3):.3f}, mean {value.mean():.3f}"
    )
    assert share == pytest.approx([0.058, 0.146], abs=0.0006)
    assert np.mean(value == 3.0) == pytest.approx(0.81, abs=0.005)
    assert value.mean() == pytest.approx(3.054, abs=0.001)


@pytest.mark.real
@pytest.mark.parametrize("name", PRESETS)
def test_a_whole_published_file(folder, published, tmp_path, name):
    path = folder / "dataset_sample" / "translation_train_sample.jsonl"
    report = repair(path, tmp_path / "out.jsonl", published[name])
    assert (report.rows, report.repaired, report.failures) == (30, 30, ())
    before = path.read_text("utf-8").splitlines()
    after = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    for old, new in zip(before, after, strict=True):
        assert new.startswith(old[:-1])
        found = json.loads(new)
        assert len(found["weights"]) == len(found["labels"]) == len(found["mask"])
        assert [w >= 0 for w in found["window"]] == [m == 1 for m in found["mask"]]

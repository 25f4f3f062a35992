"""Published rows with right weights: the figures of the release, and files with broken lines."""

import json
import math
import warnings

import numpy as np
import pytest

from gazecode.corpus.repair import BrokenLine, eyemulator_weights, repair
from gazecode.errors import FormatError, ParameterError
from gazecode.model import LABELS, LabelPriors, NgramTable
from gazecode.priors.released import SEMANTIC_IDS

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
    ({"mask": [True, False, True, True, False]}, "row: mask is not a list of whole numbers"),
    ({"mask": "10110"}, "row: mask is not a list of whole numbers"),
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


def test_nothing_but_broken_lines(tmp_path):
    (tmp_path / "in.jsonl").write_text("nothing\n")
    report = repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl", PRIORS)
    assert report.failures == (
        BrokenLine(line=1, reason="Expecting value: line 1 column 1 (char 0)"),
    )
    assert math.isnan(report.mean)
    assert (tmp_path / "out.jsonl").read_text() == ""


def test_a_file_can_replace_itself(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row()) + "\n")
    assert repair(path, path, PRIORS).repaired == 1
    assert "weights" in json.loads(path.read_text())
    assert [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "x"}, "no 'x' in presets; choose from: docs, paper"),
        ({"base": 1}, "eyemulator has no parameter base"),
        ({"windows": "x"}, "no 'x' in forms of windows; choose from: path, published"),
        ({"max_line_span": -1}, "max_line_span is -1; expected 0 or more"),
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

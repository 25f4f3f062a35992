"""Pseudo scan paths against the law of quotas, a loop, and the published rows."""

import json
import math
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.model import LABELS, LabelPriors, NgramTable, SourceTokens, TokenBatch, label_codes
from gazecode.model.draws import source_keys, stream, token_draws, uniform
from gazecode.priors.paths import path_batch, pseudo_scan_path
from gazecode.priors.windows import consecutive, cut_windows

SOME = ["", "argument", "loop", "variable", "return", "literal"]
OPTIONS = [
    {},
    {"theta": "draw"},
    {"budget": "rho"},
    {"budget": "rho", "theta": "draw"},
    {"sampler": "bernoulli"},
    {"sampler": "bernoulli", "theta": "draw"},
    {"sampler": "transition"},
    {"matching": "passes"},
    {"windows": "consecutive"},
    {"windows": "consecutive", "matching": "passes"},
]


def source(labels, rows=None, code=None):
    m = len(labels)
    rows = [i // 6 for i in range(m)] if rows is None else rows
    return SourceTokens(
        language="java",
        source_id="",
        code=b"x " * m if code is None else code,
        span=[(2 * i, 2 * i + 1) for i in range(m)],
        row=rows,
        column=[0] * m,
        kind=["leaf"] * m,
        path=[()] * m,
        label=labels,
    )


def priors(theta=None, pairs=(), triples=(), *, is_sorted=False):
    """Ten trials per label; `theta` by label, 0.5 otherwise; "literal" is unknown unless given."""
    theta = {name: 0.5 for name in LABELS[1:] if name != "literal"} if theta is None else theta
    hit, shown = np.zeros(len(LABELS)), np.zeros(len(LABELS))
    for label, share in theta.items():
        shown[LABELS.index(label)], hit[LABELS.index(label)] = 10, round(12 * share) - 1
    return LabelPriors(
        hit=hit,
        shown=shown,
        theta_null=np.full(len(LABELS), np.nan),
        ngrams={
            2: NgramTable(order=2, counts=dict.fromkeys(pairs, 9), is_sorted=is_sorted),
            3: NgramTable(order=3, counts=dict.fromkeys(triples, 9), is_sorted=is_sorted),
        },
        sources=("a" * 64,),
        n_people=3,
    )


PRIORS = priors(
    pairs=[("loop", "loop"), ("loop", "variable"), ("argument", "return"), ("variable", "loop")],
    triples=[("loop", "variable", "loop"), ("argument", "argument", "return")],
)
labels = st.lists(st.sampled_from(SOME), max_size=40)
sources = st.lists(st.tuples(labels, st.binary(max_size=3)), min_size=1, max_size=6)


def made(parts):
    """Sources whose bytes differ by a tail."""
    return [source(names, code=b"x " * len(names) + tail) for names, tail in parts]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(parts=sources, seed=st.integers(0, 3))
def test_each_source_has_the_path_it_would_have_alone(options, parts, seed):
    several = made(parts)
    whole = path_batch(TokenBatch.of(several), PRIORS, seed=seed, **options)
    alone = [pseudo_scan_path(one, PRIORS, seed=seed, **options) for one in several]
    for name in ("ngram", "on_path"):
        joined = np.concatenate([getattr(path, name) for path in alone])
        np.testing.assert_array_equal(getattr(whole, name), joined)
    assert (whole.window is None) == (options.get("windows") != "consecutive")
    if whole.window is not None:
        np.testing.assert_array_equal(whole.window, np.concatenate([p.window for p in alone]))
    total = sum((Counter(path.unknown_labels) for path in alone), Counter())
    assert whole.unknown_labels == total


@given(sources, st.integers(0, 3))
def test_quotas_are_the_floor_of_theta_n(parts, seed):
    for one in made(parts):
        path = pseudo_scan_path(one, PRIORS, seed=seed)
        shown, taken = Counter(one.label), Counter(one.label[path.token])
        assert taken[""] == taken["literal"] == 0
        for label in set(one.label) - {"", "literal"}:
            assert taken[label] == math.floor(0.5 * shown[label])
        assert path.unknown_labels == ({"literal": shown["literal"]} if shown["literal"] else {})


def test_a_whole_number_of_tokens_is_not_lost_to_rounding():
    """theta = 7/12 for 12 n tokens is 7 n, whatever 7 / 12 is in binary."""
    known = priors({"loop": 7 / 12})
    for n in range(1, 60):
        path = pseudo_scan_path(source(["loop"] * 12 * n), known)
        assert len(path) == 7 * n


@given(labels, st.integers(0, 5))
def test_rho_shares_out_one_total(names, seed):
    known = priors({"loop": 11 / 12, "variable": 2 / 12, "return": 2 / 12, "argument": 2 / 12})
    path = pseudo_scan_path(source(names), known, seed=seed, budget="rho")
    n = sum(name not in {"", "literal"} for name in names)
    assert len(path) == math.floor(17 * n / 48 + 1e-12)


def test_rho_gives_no_label_more_than_it_has():
    known = priors({"loop": 11 / 12, "variable": 1 / 12})
    path = pseudo_scan_path(source(["loop"] * 2 + ["variable"] * 22), known, budget="rho")
    assert len(path) == 12
    assert Counter(source(["loop"] * 2 + ["variable"] * 22).label[path.token]) == {
        "loop": 2,
        "variable": 10,
    }


def test_chosen_tokens_are_uniform_within_a_label():
    one = source(["loop"] * 4)
    taken = sum(pseudo_scan_path(one, PRIORS, seed=s).on_path.astype(int) for s in range(2000))
    assert taken.sum() == 4000
    # s.d. of each is 22.
    assert np.abs(taken - 1000).max() < 90


def test_bernoulli_has_the_expected_density():
    known = priors({"loop": 3 / 12, "return": 9 / 12})
    one = source(["loop", "return"] * 5000)
    path = pseudo_scan_path(one, known, sampler="bernoulli")
    share = {name: path.on_path[one.label == name].mean() for name in ("loop", "return")}
    assert share["loop"] == pytest.approx(0.25, abs=0.02)
    assert share["return"] == pytest.approx(0.75, abs=0.02)


@given(labels, st.integers(0, 3), st.booleans())
def test_transition_against_a_loop(names, seed, is_sorted):
    pairs = [("loop", "variable"), ("argument", "return")]
    known = priors(pairs=pairs, is_sorted=is_sorted)
    one = source(names)
    draw = uniform(token_draws(TokenBatch.of([one]), seed, "path"))
    count = dict.fromkeys(pairs, 10) | ({pair[::-1]: 10 for pair in pairs} if is_sorted else {})
    before, expected = "", []
    for j, label in enumerate(names):
        if label in {"", "literal"}:
            continue
        p = 0.5
        if before:
            total = sum(count.get((before, other), 1) for other in LABELS[1:])
            p = 0.5 * (0.5 + count.get((before, label), 1) / total)
        if draw[j] < p:
            expected.append(j)
            before = label
    path = pseudo_scan_path(one, known, seed=seed, sampler="transition")
    assert path.token.tolist() == expected


def test_a_drawn_theta_moves_around_the_mean():
    one = source(["loop"] * 400)
    sizes = [len(pseudo_scan_path(one, PRIORS, seed=s, theta="draw")) for s in range(200)]
    assert len(set(sizes)) > 50
    # Beta(6, 6) has s.d. 0.139: that of the mean of 200 is 4 tokens.
    assert np.mean(sizes) == pytest.approx(200, abs=16)


def test_the_seed_and_the_text_matter_and_are_said():
    one = source(["loop"] * 60)
    again = pseudo_scan_path(one, PRIORS, seed=1)
    assert (pseudo_scan_path(one, PRIORS, seed=1).ngram == again.ngram).all()
    assert (pseudo_scan_path(one, PRIORS, seed=2).on_path != again.on_path).any()
    other = source(["loop"] * 60, code=b"y " * 60)
    assert (pseudo_scan_path(other, PRIORS, seed=1).on_path != again.on_path).any()
    assert (again.prior_sources, again.n_people) == (("a" * 64,), 3)
    assert list(again.to_frame().columns) == ["token", "ngram"]
    assert len(again.to_frame()) == len(again) == 30


def test_numbers_are_those_of_splitmix64_and_pinned():
    """A published path must come out again in five years, on any machine."""
    zero = np.array([0], dtype=np.uint64)
    first = stream(zero, np.arange(3)).tolist()
    assert first == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    batch = TokenBatch.of([source(["loop"] * 8)])
    assert source_keys(batch, 7, "path").tolist() == [0x3C6F180B7A35DABD]
    assert pseudo_scan_path(source(["loop"] * 8), PRIORS, seed=7).token.tolist() == [0, 4, 5, 7]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": "all"}, "budget is 'all'; choose from: posterior, rho"),
        ({"sampler": "x"}, "sampler is 'x'; choose from: quota, bernoulli, transition"),
        ({"theta": "x"}, "theta is 'x'; choose from: mean, draw"),
        ({"windows": "x"}, "windows is 'x'; choose from: path, consecutive"),
        ({"matching": "x"}, "matching is 'x'; choose from: scan, passes"),
        ({"max_line_span": -1}, "max_line_span is -1; expected 0 or more"),
        ({"max_line_span": "abc"}, "max_line_span is 'abc'; expected a whole number"),
        ({"max_line_span": None}, "max_line_span is None; expected a whole number"),
        ({"seed": 1.5}, "seed is 1.5; expected a whole number"),
        ({"seed": True}, "seed is True; expected a whole number"),
        (
            {"like": "path"},
            "like takes a path, found str; make one with gazecode.pseudo_scan_path(tokens, priors)",
        ),
        (
            {"budget": "rho", "sampler": "bernoulli"},
            "budget='rho' shares out quotas, sampler is 'bernoulli'; use sampler='quota'",
        ),
    ],
)
def test_wrong_choices(options, message):
    with pytest.raises(ParameterError) as error:
        pseudo_scan_path(source(["loop"]), PRIORS, **options)
    assert str(error.value).removeprefix("pseudo_scan_path: ") == message


@pytest.mark.parametrize(
    ("tokens", "given", "message"),
    [
        (source(["loop"]), "folder", "needs priors, found str; pass priors=gazecode.Priors.load"),
        (source(["loop"]), None, "needs priors, found NoneType; pass priors=gazecode.Priors.load"),
        ("int x;", PRIORS, "needs the tokens of a source, found str; pass tokens=gazecode.parse("),
        (PRIORS, source(["loop"]), "needs the tokens of a source, found LabelPriors; pass tokens="),
    ],
)
def test_what_are_no_tokens_or_no_priors(tokens, given, message):
    with pytest.raises(ParameterError) as error:
        pseudo_scan_path(tokens, given)
    assert str(error.value).startswith(f"pseudo_scan_path {message}")


def test_a_batch_and_windows_are_asked_with_what_they_need():
    with pytest.raises(ParameterError, match="path_batch needs a TokenBatch, found SourceTokens"):
        path_batch(source(["loop"]), PRIORS)
    label, row = label_codes(["loop"]), np.array([0])
    with pytest.raises(ParameterError, match="cut_windows needs priors, found str"):
        cut_windows(label, row, "folder")
    with pytest.raises(ParameterError, match="cut_windows: max_line_span is 'a'; expected a whole"):
        cut_windows(label, row, PRIORS, max_line_span="a")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_nothing_to_look_at(options):
    blind = priors({})
    for names in ([], [""], ["loop", "loop"]):
        path = pseudo_scan_path(source(names), blind, **options)
        assert len(path) == 0
        assert (path.ngram == -1).all()
    assert len(path_batch(TokenBatch.of([]), blind, **options).ngram) == 0


def by_hand(names, rows, known, span, matching):
    """Windows as lists of places, by trying one place after the other."""
    fits = {n: known.window_table(n) for n in (2, 3)}

    def is_window(run):
        table = fits.get(len(run))
        near = rows[run[-1]] - rows[run[0]] <= span
        return table is None or (near and table[tuple(label_codes(names[i] for i in run))])

    found, free = [], set(range(len(names)))
    for sizes in [(3, 2, 1)] if matching == "scan" else [(3,), (2,), (1,)]:
        at = 0
        while at < len(names):
            for n in sizes:
                run = list(range(at, at + n))
                if free.issuperset(run) and is_window(run):
                    found.append(run)
                    free -= set(run)
                    at += n
                    break
            else:
                at += 1
    return found


@pytest.mark.parametrize("matching", ["scan", "passes"])
@given(
    parts=st.lists(
        st.lists(st.tuples(st.sampled_from(SOME[1:]), st.integers(0, 2)), max_size=25),
        min_size=1,
        max_size=4,
    ),
    span=st.integers(0, 4),
)
def test_windows_against_a_loop(matching, parts, span):
    expected, label, row, owner = [], [], [], []
    for s, part in enumerate(parts):
        names, rows = [name for name, _ in part], np.cumsum([0, *(step for _, step in part)])
        number = np.full(len(names), -1)
        for i, run in enumerate(by_hand(names, rows, PRIORS, span, matching)):
            number[run] = i
        assert (number >= 0).all()
        expected += number.tolist()
        label, row, owner = (
            label + names,
            row + rows[: len(names)].tolist(),
            owner + [s] * len(names),
        )
    found = cut_windows(
        label_codes(label),
        np.array(row, dtype=int),
        PRIORS,
        source=np.array(owner, dtype=int),
        max_line_span=span,
        matching=matching,
    )
    assert found.tolist() == expected


def test_columns_of_different_length():
    with pytest.raises(DataError, match="2 labels, 1 rows, 2 sources; expected equal lengths"):
        cut_windows(label_codes(["loop", "loop"]), np.array([0]), PRIORS)


# The published rows.


@pytest.fixture(scope="module")
def rows(shared_data):
    files = sorted((shared_data / "eyemulator" / "dataset_sample").glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    assert len(lines) == 270
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def published(shared_data):
    from gazecode.priors.priors import Priors

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Priors.load(shared_data / "eyemulator" / "priors" / "combined")


@pytest.fixture(scope="module")
def decoded(shared_data, rows):
    """Per row: label codes, mask, lines."""
    file = shared_data / "eyemulator" / "recovered_semantic_ids.json"
    names = {int(k): v for k, v in json.loads(file.read_text())["map"].items()}
    names |= {12: "literal", 0: ""}
    return [
        (
            label_codes(names[i] for i in row["semantic_token_sequence"]),
            np.array(row["mask"], dtype=bool),
            np.array(row["line_numbers"]),
        )
        for row in rows
    ]


def listed(row):
    """The windows of two and three of a row: number, labels."""
    found = {}
    for number, label in zip(row["order_sequence"], row["ngrams"], strict=True):
        if number:
            found.setdefault(number, []).append(label)
    return [(n, tuple(names)) for n, names in sorted(found.items()) if len(names) > 1]


def ours(label, mask, line, priors, **options):
    number = cut_windows(label[mask], line[mask], priors, **options)
    found = {}
    for n, code in zip(number.tolist(), label[mask], strict=True):
        found.setdefault(n + 1, []).append(LABELS[code])
    return [(n, tuple(names)) for n, names in sorted(found.items()) if len(names) > 1]


@pytest.mark.real
def test_published_windows_come_out_of_the_published_masks(rows, decoded, published):
    share = {}
    for matching in ("scan", "passes"):
        for span in (0, 1, 2, 3, 4, 5):
            equal = sum(
                ours(*one, published, max_line_span=span, matching=matching) == listed(row)
                for row, one in zip(rows, decoded, strict=True)
            )
            share[matching, span] = equal
    print("rows with all tri- and bigrams and their numbers, of 270:", share)
    assert share["scan", 4] == 267
    assert share["scan", 4] / 270 >= 0.97
    assert share["scan", 4] == max(share.values())
    assert share["passes", 4] == 245


@pytest.mark.real
def test_the_consecutive_form_is_the_published_annotation(rows, decoded, published):
    equal, annotated, off = 0, 0, 0
    for row, (label, mask, line) in zip(rows, decoded, strict=True):
        token = np.flatnonzero(mask)
        ngram, window = consecutive(
            cut_windows(label[mask], line[mask], published),
            token,
            np.arange(len(label)),
            label,
            np.zeros(len(label), dtype=int),
        )
        names = [LABELS[c] for c in window[np.arange(len(label)), _place_in_window(ngram)]]
        same = (ngram + 1).tolist() == row["order_sequence"]
        equal += same and [n or None for n in names] == row["ngrams"]
        annotated += int((ngram >= 0).sum())
        off += int(((ngram >= 0) & ~mask).sum())
    print(
        f"rows equal token by token: {equal} of 270; annotated off the path: {off / annotated:.3f}"
    )
    assert equal == 267
    assert off / annotated == pytest.approx(0.289, abs=0.001)


def _place_in_window(ngram):
    place = np.zeros(len(ngram), dtype=int)
    for i in range(1, len(ngram)):
        place[i] = place[i - 1] + 1 if ngram[i] >= 0 and ngram[i] == ngram[i - 1] else 0
    return place


@pytest.mark.real
def test_published_masks_follow_the_quotas(decoded, published):
    cells = exact = near = 0
    for label, mask, _ in decoded:
        shown, taken = np.bincount(label, minlength=20), np.bincount(label[mask], minlength=20)
        there = np.flatnonzero((shown > 0) & published.known)
        there = there[there > 0]
        wanted = published.theta[there] * shown[there]
        cells += len(there)
        exact += int((taken[there] == np.floor(wanted)).sum())
        near += int((np.abs(taken[there] - wanted) <= 1.5).sum())
        assert taken[0] == 0
    print(f"cells {cells}, exact {exact}, within 1.5 {near}")
    assert exact / cells > 0.92
    assert near / cells > 0.99


@pytest.mark.real
def test_our_paths_have_the_published_density(decoded, published):
    batch_density, theirs = [], []
    for label, mask, line in decoded:
        one = source([LABELS[c] for c in label], rows=line.tolist())
        batch_density.append(len(pseudo_scan_path(one, published)) / len(one))
        theirs.append(mask.mean())
    print(f"density per row: ours {np.mean(batch_density):.3f}, theirs {np.mean(theirs):.3f}")
    assert np.mean(batch_density) == pytest.approx(np.mean(theirs), abs=0.005)

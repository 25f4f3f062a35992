"""Windows of long texts: what is counted is the whole, and nothing but context is repeated."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.alignment import align_batch, load_tokenizer
from gazecode.alignment.subwords.offsets import byte_positions
from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.alignment.windows.cut import cut_windows
from gazecode.errors import AlignmentError, ParameterError
from gazecode.model import ExampleBatch, SourceTokens, TokenBatch, TokenWeights
from gazecode.source import parse

NEW = ("windows_dropped", "attention_dropped", "transitions_dropped")


@st.composite
def one_example(draw):
    """Columns of one example: spans that leave holes and share characters, added ends, tokens."""
    text = draw(st.text(st.sampled_from("ab é😀"), min_size=1, max_size=14))
    at = byte_positions(text)
    edges = sorted(draw(st.sets(st.integers(0, len(text)), min_size=1, max_size=10)))
    spans = []
    for a, b in zip([0, *edges], [*edges, len(text)], strict=True):
        # Once, not at all, twice as pieces of a character are, or as a blank that was trimmed.
        spans += [(at[a], at[b])] * draw(st.sampled_from([1, 1, 1, 0, 2]))
        spans += [(at[b], at[b])] * draw(st.sampled_from([0, 0, 1]))
    n_head, n_tail = draw(st.integers(0, 2)), draw(st.integers(0, 1))
    spans = [(0, 0)] * n_head + (spans or [(0, 0)]) + [(0, 0)] * n_tail
    n = len(spans)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    token = [(int(at[a]), int(at[b])) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    token = draw(st.permutations(token)) if draw(st.booleans()) else token
    added = np.array([i < n_head or i >= n - n_tail for i in range(n)])
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    loss = rng.random(n) < draw(st.sampled_from([0.0, 0.2, 0.8]))
    attention = rng.choice([0.0, 0.0, 1.0, 2.0, 0.5], n) * ~added * draw(st.booleans())
    dense = rng.choice([0.0, 0.0, 0.0, 1.0, 2.5], (n, n))
    cells = sorted(draw(st.lists(st.integers(0, n), min_size=3, max_size=3)))
    return {
        "text": text,
        "span": np.array(spans),
        "added": added,
        "loss_mask": loss,
        "weight": np.where(loss, rng.choice([1.0, 0.5, 3.0], n), 1.0),
        "attention": attention / (attention.sum() or 1),
        "on_path": rng.random(n) < 0.5,
        "token_index": [largest(s, token) for s in spans],
        "token": token,
        "value": [float(draw(st.integers(0, 9))) for _ in token],
        "inert": draw(st.sampled_from([0.0, 2.5])),
        "segments": [("a", cells[0], cells[1]), ("b", cells[1], cells[2])],
        "dense": dense,
    }


def largest(span, token):
    common = [min(span[1], b) - max(span[0], a) for a, b in token]
    most = max([0, *common])
    return common.index(most) if most > 0 else -1


def batch_of(parts):
    """The parts laid end to end, with the spans and the added positions."""
    d = len(parts)
    count = lambda name: np.cumsum([0, *(len(p[name]) for p in parts)])  # noqa: E731
    flat = lambda name: np.concatenate([np.asarray(p[name], dtype=float) for p in parts])  # noqa: E731
    cells = [np.nonzero(p["dense"]) for p in parts]
    counts = [p["dense"][c] for p, c in zip(parts, cells, strict=True)]
    shares = [
        (p["dense"] / np.maximum(p["dense"].sum(axis=1, keepdims=True), 1e-9))[c]
        for p, c in zip(parts, cells, strict=True)
    ]
    segments = [s for p in parts for s in p["segments"]]
    token = [t for p in parts for t in p["token"]]
    batch = ExampleBatch(
        source=range(10, 10 + d),
        **{
            name: tuple(f"{name}{i}" for i in range(d))
            for name in (
                *("example_id", "source_id", "participant", "trial", "language"),
                *("source_sha256", "participant_group", "source_group", "pair_id"),
            )
        },
        text=tuple(p["text"] for p in parts),
        first_position=count("span"),
        first_token=count("token"),
        input_ids=range(1000, 1000 + sum(len(p["span"]) for p in parts)),
        **{name: flat(name) for name in ("loss_mask", "weight", "attention", "on_path")},
        token_index=flat("token_index"),
        token_start=[a for a, _ in token],
        token_end=[b for _, b in token],
        token_label=[i % 19 + 1 for p in parts for i in range(len(p["token"]))],
        token_value=flat("value"),
        inert_weight=[p["inert"] for p in parts],
        first_segment=count("segments"),
        segment_name=tuple(name for name, _, _ in segments),
        segment_start=[a for _, a, _ in segments],
        segment_end=[b for _, _, b in segments],
        first_transition=np.cumsum([0, *(len(c) for c in counts)]),
        transition_from=np.concatenate([c[0] for c in cells]),
        transition_to=np.concatenate([c[1] for c in cells]),
        transition_share=np.concatenate(shares),
        transition_count=np.concatenate(counts),
        said={"clipped_share": np.arange(d) / 10},
        settings={"scheme": "s"},
    )
    return batch, np.concatenate([p["span"] for p in parts]), flat("added").astype(bool)


def expected_windows(added, max_length, overlap):
    """Of each window: positions before, in and after its body, one at a time."""
    n = len(added)
    if n <= max_length:
        return [([], list(range(n)), [])]
    head = next(i for i in range(n) if not added[i])
    tail = next(i for i in range(n, 0, -1) if not added[i - 1])
    room = max_length - head - (n - tail)
    found, start = [], head
    while True:
        stop = min(start + room, tail)
        found.append((list(range(head)), list(range(start, stop)), list(range(tail, n))))
        if stop == tail:
            return found
        start = stop - overlap


def counting(windows):
    """Number, number of windows, positions, and those that the window counts."""
    seen, found = set(), []
    for k, n, (before, body, after) in windows:
        ends = before * (k == 0) + after * (k == n - 1)
        found.append((k, n, before + body + after, (set(body) - seen) | set(ends)))
        seen |= set(body)
    return found


cases = st.tuples(
    st.lists(one_example(), min_size=1, max_size=3), st.integers(2, 9), st.integers(0, 3)
)


def cut_of(case):
    """The batch, its windows, and of each window its example, positions and counted ones."""
    parts, max_length, overlap = case
    overlap = min(overlap, max_length - 1)
    room = min(max_length - (p["added"].sum() if not p["added"].all() else 0) for p in parts)
    if room <= overlap:
        max_length += overlap + 1 - room
    batch, span, added = batch_of(parts)
    cut = cut_windows(batch, span, added, max_length=int(max_length), overlap=overlap)
    planned, kept = [], []
    for i, part in enumerate(parts):
        windows = expected_windows(part["added"], max_length, overlap)
        windows = [(k, len(windows), window) for k, window in enumerate(windows)]
        has_loss = [part["loss_mask"][list(counted)].any() for *_, counted in counting(windows)]
        left = [w for w, has in zip(windows, has_loss, strict=True) if has] or windows
        planned += [(i, *w) for w in counting(windows)]
        kept += [(i, *w) for w in counting(left)]
    return batch, cut, planned, kept


@settings(max_examples=150)
@given(cases)
def test_positions_are_those_of_a_slow_oracle(case):
    batch, cut, planned, kept = cut_of(case)
    wholes = list(batch)
    assert len(cut) == len(kept)
    for window, (i, k, n_windows, positions, counted) in zip(cut, kept, strict=True):
        whole = wholes[i]
        is_counted = np.isin(positions, list(counted))
        assert len(window) <= max(cut.settings["max_length"], 1)
        assert (window.window, window.n_windows) == (k, n_windows)
        assert window.example_id == f"example_id{i}" + (f"-w{k:04d}" if n_windows > 1 else "")
        np.testing.assert_array_equal(window.input_ids, whole.input_ids[positions])
        np.testing.assert_array_equal(window.loss_mask, whole.loss_mask[positions] & is_counted)
        np.testing.assert_array_equal(window.on_path, whole.on_path[positions])
        np.testing.assert_array_equal(
            window.weight, np.where(is_counted, whole.weight[positions], 1.0)
        )
        mass = np.where(is_counted, whole.attention[positions], 0)
        np.testing.assert_allclose(window.attention, mass / (mass.sum() or 1), atol=1e-12)
        if whole.attention.any():
            assert window.attention_share == pytest.approx(mass.sum())
            np.testing.assert_allclose(window.attention * window.attention_share, mass, atol=1e-9)
        for name, a, b in zip(
            whole.segment_name, whole.segment_start, whole.segment_end, strict=True
        ):
            inside = [a <= p < b for p in positions]
            assert window.in_segment(name).tolist() == inside
        assert n_windows == 1 or (window.segment_start < window.segment_end).all()
    assert cut.source.tolist() == [10 + i for i, *_ in kept]
    dropped = [
        sum(w[0] == i for w in planned) - sum(w[0] == i for w in kept) for i in range(len(batch))
    ]
    first = np.flatnonzero(np.diff([i for i, *_ in kept], prepend=-1))
    assert cut.said["windows_dropped"][first].tolist() == dropped
    assert cut.said["windows_dropped"].sum() == sum(dropped)


@settings(max_examples=150)
@given(cases)
def test_sums_over_the_windows_are_those_of_the_text(case):
    batch, cut, _, kept = cut_of(case)
    windows, wholes = list(cut), list(batch)
    for i, whole in enumerate(wholes):
        of_text = [w for w, (j, *_) in zip(windows, kept, strict=True) if j == i]
        counted = [(w, c) for w, (j, *_, c) in zip(windows, kept, strict=True) if j == i]
        assert sum(w.inert_weight for w in of_text) == pytest.approx(whole.inert_weight)
        assert sum(w.loss_mask.sum() for w in of_text) == whole.loss_mask.sum()
        moved = sum(np.abs(w.weight - 1).sum() for w in of_text)
        assert moved == pytest.approx(np.abs(whole.weight - 1).sum())
        if moved:
            for w in of_text:
                assert (
                    w.weight_reach == pytest.approx(whole.weight_reach, nan_ok=True)
                    or not (w.weight != 1).any()
                )
        share = sum(w.attention_share for w in of_text)
        gone = sum(w.report["attention_dropped"] for w in of_text)
        if whole.attention.any():
            assert share + gone == pytest.approx(1)
        else:
            assert gone == 0
        value = np.zeros(len(whole.token_value))
        for w in of_text:
            value[[label - 1 for label in number_of(w, cut)]] += w.token_value
        if not sum(w.report["windows_dropped"] for w in of_text):
            np.testing.assert_allclose(value, whole.token_value, atol=1e-9)
            assert share == pytest.approx(1)
        else:
            assert (value <= whole.token_value + 1e-9).all()
        saccades = sum(w.transition_count.sum() for w in of_text)
        lost = sum(w.report["transitions_dropped"] for w in of_text)
        assert saccades + lost == pytest.approx(whole.transition_count.sum())
        assert len(counted) == len(of_text)


def number_of(window, cut):
    """Numbers of a window's tokens in the text, from 1: their labels count them."""
    from gazecode.model import label_codes

    return label_codes(window.token_label).tolist()


@settings(max_examples=150)
@given(cases)
def test_tokens_and_texts_are_cut_to_the_window(case):
    batch, cut, _, kept = cut_of(case)
    wholes = list(batch)
    spans = [p["span"] for p in case[0]]
    for window, (i, _, _, positions, counted) in zip(cut, kept, strict=True):
        whole, raw = wholes[i], window.text.encode()
        number = number_of(window, cut)
        assert number == sorted(set(number))
        named = [number[t] - 1 if t >= 0 else -1 for t in window.token_index]
        assert named == whole.token_index[positions].tolist()
        assert (window.token_start >= 0).all()
        assert (window.token_start < window.token_end).all()
        assert (window.token_end <= len(raw)).all()
        token = [slice(a, b) for a, b in zip(whole.token_start, whole.token_end, strict=True)]
        for t, a, b in zip(number, window.token_start, window.token_end, strict=True):
            assert raw[a:b] in whole.text.encode()[token[t - 1]]
        filled = [spans[i][p] for p in positions if spans[i][p][0] < spans[i][p][1]]
        touched = {
            t + 1 for t, s in enumerate(token) for a, b in filled if a < s.stop and b > s.start
        }
        assert touched <= set(number)
        for t, value in zip(number, window.token_value, strict=True):
            parts = [
                (max(0, min(b, token[t - 1].stop) - max(a, token[t - 1].start)), p)
                for p, (a, b) in enumerate(spans[i].tolist())
            ]
            total = sum(n for n, _ in parts)
            if total:
                share = sum(n for n, p in parts if p in counted) / total
                assert value == pytest.approx(whole.token_value[t - 1] * share)
        assert window.text in whole.text


@settings(max_examples=150)
@given(cases)
def test_saccades_stay_where_their_start_is_counted(case):
    batch, cut, _, kept = cut_of(case)
    wholes = list(batch)
    for window, (i, _, _, positions, counted) in zip(cut, kept, strict=True):
        whole = wholes[i].transitions.to_scipy().toarray()
        dense = whole[np.ix_(positions, positions)]
        dense[[p not in counted for p in positions]] = 0
        total = dense.sum(axis=1, keepdims=True)
        dense = np.divide(dense, total, out=np.zeros_like(dense), where=total > 0)
        found = window.transitions.to_scipy().toarray()
        np.testing.assert_allclose(found, dense, atol=1e-9)


@given(st.lists(one_example(), min_size=1, max_size=3), st.integers(0, 3))
def test_what_fits_is_left_as_it_was(parts, overlap):
    batch, span, added = batch_of(parts)
    longest = max(len(p["span"]) for p in parts)
    cut = cut_windows(batch, span, added, max_length=longest + overlap + 4, overlap=overlap)
    same(batch, cut)
    # Beside one that is cut, too.
    long = long_one(n=200)
    batch, span, added = batch_of([*parts, long, *parts])
    cut = cut_windows(batch, span, added, max_length=100, overlap=overlap)
    n = len(parts)
    assert cut.source.tolist()[:n] == list(range(10, 10 + n))
    for i, whole in enumerate(parts):
        for place in (i, len(cut) - n + i):
            assert_equal(cut.example(place), batch.example(i if place == i else n + 1 + i))
        assert whole["text"] == cut.text[i]


def same(batch, cut):
    for field in fields(batch):
        old, new = getattr(batch, field.name), getattr(cut, field.name)
        if field.name == "said":
            assert {name: new[name].tolist() for name in old} == {
                name: value.tolist() for name, value in old.items()
            }
            assert not any(new[name].any() for name in NEW)
        elif field.name != "settings":
            np.testing.assert_array_equal(new, old)
            assert type(new) is type(old)


def assert_equal(one, other):
    for field in fields(one):
        old, new = getattr(one, field.name), getattr(other, field.name)
        if field.name != "report":
            np.testing.assert_array_equal(new, old)


def long_one(*, n, n_head=1, n_tail=1, loss=None):
    """A text of ``n`` letters, one subword and one token each, between added positions."""
    size = n_head + n + n_tail
    added = np.array([i < n_head or i >= size - n_tail for i in range(size)])
    spans = [(0, 0)] * n_head + [(i, i + 1) for i in range(n)] + [(0, 0)] * n_tail
    return {
        "text": "x" * n,
        "span": np.array(spans),
        "added": added,
        "loss_mask": ~added if loss is None else loss,
        "weight": np.ones(size),
        "attention": ~added / n,
        "on_path": [False] * size,
        "token_index": [-1] * n_head + list(range(n)) + [-1] * n_tail,
        "token": [(i, i + 1) for i in range(n)],
        "value": [1.0] * n,
        "inert": 0.0,
        "segments": [],
        "dense": np.zeros((size, size)),
    }


def test_the_end_of_text_counts_in_the_last_window_alone():
    part = long_one(n=6)
    part["loss_mask"] = np.ones(8, dtype=bool)
    batch, span, added = batch_of([part])
    cut = cut_windows(batch, span, added, max_length=5, overlap=1)
    assert [e.text for e in cut] == ["xxx", "xxx", "xx"]
    assert [e.loss_mask.astype(int).tolist() for e in cut] == [
        [1, 1, 1, 1, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 1, 1],
    ]
    assert [e.token_value.tolist() for e in cut] == [[1, 1, 1], [0, 1, 1], [0, 1]]
    np.testing.assert_allclose(cut.attention_share, [3 / 6, 2 / 6, 1 / 6])


def test_windows_of_a_prompt_alone_are_dropped_and_counted():
    part = long_one(n=9, n_head=0, n_tail=0, loss=np.arange(9) >= 7)
    part["dense"][0, 8] = 3.0
    batch, span, added = batch_of([part])
    cut = cut_windows(batch, span, added, max_length=3, overlap=0)
    assert (cut.window.tolist(), cut.n_windows.tolist()) == ([2], [3])
    report = cut.example(0).report
    assert report["windows_dropped"] == 2
    assert report["attention_dropped"] == pytest.approx(6 / 9)
    assert report["transitions_dropped"] == 3.0
    assert (report["scheme"], report["max_length"], report["overlap"]) == ("s", 3, 0)
    silent = batch_of([part | {"loss_mask": np.zeros(9, dtype=bool)}])
    cut = cut_windows(*silent, max_length=3, overlap=0)
    assert len(cut) == 3


def test_inert_weight_without_any_reach_is_divided_evenly():
    part = long_one(n=4, n_head=0, n_tail=0) | {"inert": 3.0}
    cut = cut_windows(*batch_of([part]), max_length=2, overlap=0)
    assert cut.inert_weight.tolist() == [1.5, 1.5]
    assert [e.weight_reach for e in cut] == [0, 0]


def test_a_split_character_is_whole_in_both_texts():
    part = long_one(n=2, n_head=0, n_tail=0)
    part |= {"text": "😀", "span": np.array([[0, 2], [2, 4]]), "token": [(0, 4)], "value": [2.0]}
    part |= {"token_index": [0, 0]}
    cut = cut_windows(*batch_of([part]), max_length=1, overlap=0)
    assert cut.text == ("😀", "😀")
    assert cut.token_value.tolist() == [1.0, 1.0]
    assert cut.token_end.tolist() == [4, 4]


def test_what_cannot_be_cut_is_refused():
    batch, span, added = batch_of([long_one(n=8)])
    for max_length, overlap in ((2, 0), (5, 3), (5, -1), (0, 0), (3, 3)):
        with pytest.raises(ParameterError, match="have no room; expected max_length > added"):
            cut_windows(batch, span, added, max_length=max_length, overlap=overlap)
    with pytest.raises(ParameterError, match="windows: max_length is 'a'; expected a whole"):
        cut_windows(batch, span, added, max_length="a", overlap=0)
    with pytest.raises(AlignmentError, match="expected one row for each of 10 positions"):
        cut_windows(batch, span[1:], added, max_length=5, overlap=0)
    with pytest.raises(AlignmentError, match="example_id0 is a window already"):
        cut_windows(replace(batch, n_windows=[2]), span, added, max_length=5, overlap=0)
    strange = replace(batch, token_index=[-1, *([7] * 8), -1])
    with pytest.raises(AlignmentError, match="position 1 belongs to token 7, which does not lie"):
        cut_windows(strange, span, added, max_length=5, overlap=0)


CODE = 'int café(int x) {\r\n\tString 变量 = "naïve 😀 é";\r\n  return x + 12;\r\n}\r\n' * 9


def aligned(tokenizer, make):
    """A long text through the steps of the alignment, with its spans and added positions."""
    plain = make.source(CODE, make.words(CODE))
    kept = {f.name: getattr(plain, f.name) for f in fields(plain)}
    tokens = SourceTokens(**kept | {"label": np.array([""] * len(plain), dtype=object)})
    batch = TokenBatch.of([tokens])
    value = np.random.default_rng(5).gamma(1.0, 250.0, size=len(tokens))
    gaze = TokenWeights(value=value, on_path=value > 300, scheme="duration", unit="ms")
    examples, _ = align_batch(
        gaze, batch, tokenizer, source_id=["a"], language="java", strength=0.5
    )
    encoded = make.encode_one(tokens, prepare(tokenizer))
    mask = tokenizer.encode(CODE).special_tokens_mask
    return examples, encoded.ownership.span, np.array(mask, dtype=bool)


def restored(examples, span, added):
    whole = examples.example(0)
    for max_length, overlap in ((64, 0), (50, 17)):
        cut = cut_windows(examples, span, added, max_length=max_length, overlap=overlap)
        windows = list(cut)
        assert len(windows) > 3
        at, mass, value = 0, [], 0.0
        for i, w in enumerate(windows):
            mine = added.sum() - added[-1]
            fresh = slice(mine + (overlap if i else 0), len(w) - int(added[-1]))
            n = fresh.stop - fresh.start
            body = slice(at + mine, at + mine + n)
            np.testing.assert_array_equal(w.input_ids[fresh], whole.input_ids[body])
            np.testing.assert_array_equal(w.weight[fresh], whole.weight[body])
            np.testing.assert_array_equal(w.loss_mask[fresh], whole.loss_mask[body])
            mass.append((w.attention * w.attention_share)[fresh])
            value += w.token_value.sum()
            at += n
        np.testing.assert_allclose(np.concatenate(mass), whole.attention[~added], atol=1e-9)
        assert value == pytest.approx(whole.token_value.sum(), rel=1e-9)
        assert cut.attention_share.sum() == pytest.approx(1)
        if not overlap:
            assert "".join(cut.text).startswith(whole.text[:40])


def test_the_bundled_tokenizer(bundled, make):
    examples, span, added = aligned(bundled, make)
    restored(examples, span, added)
    cut = cut_windows(examples, span, added, max_length=64, overlap=8)
    for window in cut:
        assert bundled.decode(window.input_ids.tolist()).strip("\ufffd") in window.text


@pytest.mark.real
@pytest.mark.parametrize("name", ["gpt2", "llama3", "roberta", "t5-small", "bert-base-uncased"])
def test_tokenizers_in_earnest(name, shared_data, make):
    restored(*aligned(load_tokenizer(shared_data / "tokenizers" / name), make))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"overlap": 5}, "overlap is 5 and there is no max_length: without it nothing is cut"),
        ({"max_length": "8"}, "max_length is '8'; expected a whole number"),
    ],
)
def test_settings_that_would_do_nothing_or_break_are_refused(bundled, make, given, message):
    batch = TokenBatch.of([parse("x = y", "python")])
    with pytest.raises(ParameterError, match=message):
        align_batch(
            make.gaze([1.0] * len(batch)), batch, bundled, source_id=["a"], language="c", **given
        )

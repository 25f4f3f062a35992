"""One id per token through all versions: the rule, a slow copy of it, and its laws."""

import copy
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError, SourceError
from gazecode.source import parse
from gazecode.source.edits import Edit, follow_edits, follow_snapshots
from gazecode.source.edits.versions import Rows, same_ends


def follow(code, *changes, t_ms=None):
    """Changes are ``(offset, text)`` to insert or ``(offset, count)`` to delete."""
    edits = [
        Edit(kind="insert", offset=at, text=what, unix_ms=0)
        if isinstance(what, str)
        else Edit(kind="delete", offset=at, text="", length=what, unix_ms=0)
        for at, what in changes
    ]
    times = np.arange(1, len(edits) + 1) * 10.0 if t_ms is None else t_ms
    return follow_edits(code, edits, times, language="javascript")


def named(history, version=-1):
    """Text and id of every token of a version."""
    version = range(len(history))[version]
    tokens = history.tokens(version)
    assert tokens.span.tolist() == history.spans(version).tolist()
    return list(zip(tokens.texts, history.ids(version).tolist(), strict=True))


def test_moved_tokens_keep_their_ids():
    history = follow("a = b;", (0, "\n\n  "))
    assert named(history) == [("a", 0), ("=", 1), ("b", 2), (";", 3)]
    assert len(history.changes) == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([(3, "x")], "foox", id="at its end"),
        pytest.param([(0, "x")], "xfoo", id="at its beginning"),
        pytest.param([(1, "LongerThanItWas")], "fLongerThanItWasoo", id="inside"),
        pytest.param([(1, 2)], "f", id="shortened"),
        pytest.param([(1, 2), (1, "ab"), (0, 1)], "ab", id="until nothing of the old is left"),
    ],
)
def test_an_edited_name_keeps_its_id(changes, expected):
    assert named(follow("foo = 1;", *changes))[0] == (expected, 0)


def test_a_name_deleted_whole_and_another_typed_is_new():
    history = follow("foo = 1;", (0, 3), (0, "g"), (1, "o"))
    assert named(history)[0] == ("go", 4)
    frame = history.changes.to_frame()
    assert frame[["t_ms", "id", "what"]].to_numpy().tolist() == [
        [10.0, 0, "deleted"],
        [20.0, 4, "born"],
    ]


def test_one_deleted_and_typed_again_as_it_was_is_what_it_was():
    history = follow("foo = 1;", (0, 3), (0, "f"), (1, "oo"))
    assert named(history)[0] == ("foo", 0)
    rows = history.changes.to_frame()[["id", "what"]].to_numpy().tolist()
    assert rows == [[0, "deleted"], [4, "born"], [4, "absorbed"], [0, "returned"]]


def test_the_larger_piece_of_a_cut_name_keeps_its_id_and_is_its_parent():
    history = follow("abcde;", (2, " "))
    assert named(history) == [("ab", 2), ("cde", 0), (";", 1)]
    assert history.parent.tolist() == [-1, -1, 0]
    assert history.changes.other.tolist() == [0]
    assert named(follow("abcd;", (2, " ")))[0] == ("ab", 0)


def test_of_two_that_join_the_larger_goes_on_and_the_other_comes_back():
    history = follow("ab cde;", (2, 1), (5, "x"), (2, "="))
    assert named(history, 1) == [("abcde", 1), (";", 2)]
    assert history.changes.to_frame()[["what", "id", "other"]].to_numpy().tolist()[0] == [
        "absorbed",
        0,
        1,
    ]
    assert named(history) == [("ab", 0), ("=", 3), ("cdex", 1), (";", 2)]
    assert sorted(history.changes.what) == ["absorbed", "born", "returned"]


def test_what_a_comment_swallowed_comes_back_though_it_was_edited_meanwhile():
    history = follow("a = b; c = d;", (0, "// "), (3, "why "), (7, "\n"))
    ids = [number for _, number in named(history, 0)]
    ((text, comment),) = named(history, 1)
    assert (text, comment in ids) == ("// a = b; c = d;", False)
    assert named(history, 2) == [("// why a = b; c = d;", comment)]
    assert named(history) == [("// why", comment), *named(history, 0)]
    assert sorted(set(history.changes.what)) == ["absorbed", "born", "returned"]


def test_an_established_comment_is_not_taken_over_by_what_it_swallowed():
    """Shortening it leaves `foo` with half of its characters; it stays the comment."""
    history = follow("x = y + foo", (0, "// "), (3, 8))
    ((_, comment),) = named(history, 1)
    assert comment == 5
    assert named(history) == [("// foo", comment)]


def test_edits_of_one_time_are_one_version():
    history = follow("foo = 1;", (0, 3), (0, "bar"), (3, "s"), t_ms=[5, 5, 9])
    assert history.onset_ms.tolist() == [-np.inf, 5, 9]
    assert [history.code(k) for k in range(3)] == [b"foo = 1;", b"bar = 1;", b"bars = 1;"]
    assert history.at([-1e9, 4.9, 5, 8, 9, 1e9]).tolist() == [0, 0, 1, 1, 2, 2]


def test_times_that_run_backward_are_counted():
    history = follow("a", (1, "b"), (2, "c"), (3, "d"), t_ms=[5, 3, 9])
    assert history.disorder == 1
    assert history.onset_ms.tolist() == [-np.inf, 5, 9]


def test_presence_is_the_sum_over_versions():
    history = follow("foo = 1;", (0, 3), (0, "g"), (0, 1), (0, "foo"))
    # Slow: every ms, every id.
    slow = np.zeros(history.n_ids)
    for t in np.arange(3, 47):
        slow[history.ids(history.at(t))] += 1
    np.testing.assert_allclose(history.present_ms(3, 47), slow)
    assert history.numbers(1).tolist()[:4] == [-1, 0, 1, 2]


def test_snapshots_are_followed_in_order_of_time():
    history = follow_snapshots(
        ["b = 1;", "a = 1;", "b = 12;\nc;", "b = 12;"], [20, 10, 30, 20], language="javascript"
    )
    assert history.onset_ms.tolist() == [-np.inf, 20, 30]
    assert history.code(1) == b"b = 12;"
    assert named(history) == [("b", 4), ("=", 1), ("12", 2), (";", 3), ("c", 5), (";", 6)]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param(lambda: follow("a", (0, "b"), t_ms=[1, 2]), DataError, id="times"),
        pytest.param(lambda: follow("a", (0, "b"), t_ms=[np.nan]), DataError, id="nan"),
        pytest.param(lambda: follow_edits(b"\xff", [], [], language="c"), SourceError, id="bytes"),
        pytest.param(lambda: follow_edits("\ud800", [], [], language="c"), SourceError, id="half"),
        pytest.param(
            lambda: follow_edits("a", [], [], language="cobol"), ParameterError, id="name"
        ),
        pytest.param(lambda: follow_snapshots([], [], language="c"), DataError, id="none"),
        pytest.param(lambda: follow("a").code(1), DataError, id="version"),
    ],
)
def test_errors_are_one_line(call, error):
    with pytest.raises(error) as raised:
        call()
    assert "\n" not in str(raised.value)


ALPHABET = "ab1 =;'/*\n(é"
STEP = st.tuples(st.integers(0, 60), st.integers(0, 5), st.text(ALPHABET, max_size=4))


def draw_edits(start, steps):
    """Edits from numbers, each a deletion and an insertion of one time, and the texts between."""
    text, edits, times = start, [], []
    for number, (place, count, new) in enumerate(steps):
        at = place % (len(text) + 1)
        gone = text[at : at + count]
        if gone:
            edits.append(Edit(kind="delete", offset=at, text=gone, unix_ms=0))
            times.append(number)
        edits.append(Edit(kind="insert", offset=at, text=new, unix_ms=0))
        times.append(number)
        text = text[:at] + new + text[at + count :]
    return edits, times


class Slow:
    """The rule of `gazecode.source.edits.identity`, on a list of characters and nothing else."""

    def __init__(self, text):
        self.chars = [{"char": c, "home": None, "now": None} for c in text]
        self.n = 0
        self.undo = []
        for token in self.tokens():
            for char in token:
                char["home"] = self.n
            self.n += 1
        self.ids = list(range(self.n))

    @property
    def text(self):
        return "".join(c["char"] for c in self.chars)

    def tokens(self):
        text = self.text
        spans = parse(text, "javascript").span.tolist()
        place = np.cumsum([0, *(len(c.encode()) for c in text)]).tolist()
        return [self.chars[place.index(a) : place.index(b)] for a, b in spans]

    def step(self, edits):
        before = copy.deepcopy((self.chars, self.ids))
        text = self.text
        for char in self.chars:
            char["now"] = None
        for number, token in zip(self.ids, self.tokens(), strict=True):
            for char in token:
                char["now"] = number
        for edit in edits:
            if edit.kind == "delete":
                del self.chars[edit.offset : edit.offset + len(edit.text)]
            else:
                new = [{"char": c, "home": None, "now": None} for c in edit.text]
                self.chars[edit.offset : edit.offset] = new
        if self.text == text:
            self.chars, self.ids = before
            return
        known = [entry[0] for entry in self.undo]
        if self.text in known:
            place = known.index(self.text)
            self.chars, self.ids = self.undo[place][1]
            del self.undo[place:]
            return
        self.undo.append((text, before))
        self.ids = self.match()

    def match(self):
        tokens = self.tokens()
        ids = self.go_on(tokens)
        lost = self.come_back(tokens, ids)
        for i, token in enumerate(tokens):
            if ids[i] is None:
                ids[i] = self.n
                self.n += 1
            for char in token:
                if char["home"] is None or char["home"] == lost[i]:
                    char["home"] = ids[i]
        return ids

    def go_on(self, tokens):
        ids, claims = [None] * len(tokens), {}
        for i, token in enumerate(tokens):
            label, count = most([c["now"] for c in token])
            if label is not None:
                home = sum(c["home"] == label for c in token)
                claims.setdefault(label, []).append((home, count, -i))
        for label, who in claims.items():
            home, _, i = max(who)
            if home or len(who) == 1:
                ids[-i] = label
        return ids

    def come_back(self, tokens, ids):
        held, lost, claims = set(ids), [None] * len(tokens), {}
        for i, token in enumerate(tokens):
            label, count = most([c["home"] for c in token])
            if ids[i] is None and label is not None:
                lost[i] = label
                claims.setdefault(label, []).append((count, -i))
        for label, who in claims.items():
            if label not in held:
                i = -max(who)[1]
                ids[i], lost[i] = label, None
        return lost


def most(labels):
    known = [label for label in labels if label is not None]
    counts = Counter(known)
    label = max(counts, key=lambda one: (counts[one], -known.index(one)), default=None)
    return (label, counts[label]) if known and 2 * counts[label] >= len(known) else (None, 0)


@settings(max_examples=150)
@given(st.text(ALPHABET, max_size=25), st.lists(STEP, min_size=1, max_size=8))
def test_ids_follow_characters_as_the_slow_rule_says(start, steps):
    edits, times = draw_edits(start, steps)
    history = follow_edits(start, edits, times, language="javascript")
    slow = Slow(start)
    assert history.ids(0).tolist() == slow.ids
    for version, t in enumerate(sorted(set(times)), 1):
        slow.step([edit for edit, at in zip(edits, times, strict=True) if at == t])
        assert history.code(version).decode() == slow.text
        assert history.ids(version).tolist() == slow.ids
        assert history.spans(version).tolist() == parse(slow.text, "javascript").span.tolist()
    assert history.n_ids == slow.n


@settings(max_examples=60)
@given(st.text(ALPHABET, max_size=25), st.lists(STEP, min_size=1, max_size=5))
def test_undoing_step_by_step_brings_every_id_back(start, steps):
    edits, times = draw_edits(start, steps)
    back = [
        Edit(kind="insert" if e.kind == "delete" else "delete", offset=e.offset, text=e.text, length=0, unix_ms=0)
        for e in reversed(edits)
    ]  # fmt: skip
    there = follow_edits(start, edits, times, language="javascript")
    texts = [there.code(version) for version in range(len(there))]
    # A text that comes twice is an undoing by itself; undoing that is typing it anew.
    assume(len(set(texts)) == len(texts))
    last = len(steps)
    history = follow_edits(
        start,
        edits + back,
        [*times, *(2 * last - t for t in reversed(times))],
        language="javascript",
    )
    for step in range(len(there) - 1):
        undone = len(history) - 1 - step
        assert history.code(undone) == there.code(step)
        assert history.ids(undone).tolist() == there.ids(step).tolist()


@settings(max_examples=60)
@given(st.text(ALPHABET, max_size=25), st.lists(STEP, min_size=1, max_size=8))
def test_changes_say_what_the_versions_show(start, steps):
    edits, times = draw_edits(start, steps)
    history = follow_edits(start, edits, times, language="javascript")
    rows = history.changes.to_frame()
    for version in range(1, len(history)):
        old, new = set(history.ids(version - 1).tolist()), set(history.ids(version).tolist())
        assert len(new) == len(history.ids(version))
        here = rows[rows["version"] == version]
        assert (here["t_ms"] == history.onset_ms[version]).all()
        gone = here["what"].isin(["deleted", "absorbed"])
        assert set(here["id"][gone]) == old - new
        assert set(here["id"][~gone]) == new - old
        assert set(here["other"][here["what"] == "absorbed"]) <= new
        assert (here["other"][here["what"] == "deleted"] == -1).all()


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=140))
def test_versions_are_kept_as_they_were(tables):
    rows, kept = Rows(), []
    for number, ids in enumerate(tables):
        table = np.column_stack([np.arange(len(ids)) + number % 3, np.arange(len(ids)) + 1, ids])
        table = table.astype(np.int64).reshape(-1, 3)
        rows.append(table, 10 + number % 3)
        kept.append(table)
    for number, table in enumerate(kept):
        assert rows[number].tolist() == table.tolist()


@given(st.lists(st.integers(0, 2), max_size=8), st.lists(st.integers(0, 2), max_size=8))
def test_same_ends_do_not_overlap(old, new):
    a, b = np.array(old, int).reshape(-1, 1), np.array(new, int).reshape(-1, 1)
    head, tail = same_ends(a, b, np.array([0]))
    assert head + tail <= min(len(old), len(new))
    assert old[:head] == new[:head]
    assert old[len(old) - tail :] == new[len(new) - tail :]
    if head + tail < min(len(old), len(new)):
        assert old[head] != new[head]
        assert old[-1 - tail] != new[-1 - tail]


@pytest.mark.real
def test_the_demonstration_loses_no_token(shared_data):
    """Nothing of the first text is deleted; a method is typed, taken back and typed again."""
    from gazecode.source.edits import read_changelog

    folder = shared_data / "itrace-gazel-demo" / "js"
    edits = read_changelog(folder / "changelog.json")
    history = follow_edits(
        (folder / "Sample-Data.js").read_bytes(),
        edits,
        [edit.unix_ms - edits[0].unix_ms for edit in edits],
        source_id="Sample-Data.js",
    )
    assert len(history) == 66
    assert set(range(338)) <= set(history.ids(65).tolist())
    typed = [text for text, number in named(history) if number >= 338]
    assert typed == ["this", ".", "setState", "(", "{", "dragEnabled", ":", "False", "}", ")", ";"]
    for version in range(66):
        assert history.tokens(version).span.tolist() == history.spans(version).tolist()

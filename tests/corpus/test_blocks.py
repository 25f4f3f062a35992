from hypothesis import given
from hypothesis import strategies as st

from gazecode.corpus.blocks import BlockRule, SeenIds, cut, unique_ids
from gazecode.corpus.records import Record, problem


def record(name: str, n_bytes: int = 3) -> Record:
    return Record(id=name, where=f"x:{name}", language="java", code=b"x" * n_bytes)


@given(st.lists(st.integers(0, 60)), st.integers(1, 5), st.integers(1, 100))
def test_blocks_hold_everything_in_order_within_their_bounds(lengths, rows, n_bytes):
    records = [record(str(i), n) for i, n in enumerate(lengths)]
    blocks = list(cut(records, BlockRule(rows=rows, n_bytes=n_bytes)))
    assert [r for block in blocks for r in block.sources] == records
    assert [block.number for block in blocks] == list(range(len(blocks)))
    for block in blocks:
        assert 1 <= len(block.sources) <= rows
        assert block.n_bytes <= n_bytes or len([r for r in block.sources if r.code]) == 1


@given(st.lists(st.sampled_from(["a", "b", "a#1", "a#2", "c"])))
def test_ids_become_unique_and_keep_their_first(names):
    made = list(unique_ids([record(name) for name in names]))
    ids = [r.id for r, _ in made]
    assert len(set(ids)) == len(ids)
    assert [changed for _, changed in made] == [a != b for a, b in zip(ids, names, strict=True)]
    for name in set(names):
        assert ids[names.index(name)].startswith(name)


def test_ids_are_remembered_beyond_the_buffer(monkeypatch):
    monkeypatch.setattr(SeenIds, "_BUFFER", 4)
    seen = SeenIds()
    names = [f"id {i}" for i in range(101)]
    assert not any(seen.add(name) for name in names)
    assert all(seen.add(name) for name in names)
    assert sum(len(level) for level in seen._levels) + len(seen._recent) == 101
    assert len(seen._levels) < 8


def test_a_digest_stands_for_everything_a_block_depends_on():
    bad = problem("b", "x:2", "why")
    blocks = [
        [record("a"), bad],
        [record("a", 4), bad],
        [record("c"), bad],
        [record("a"), problem("b", "x:2", "other")],
        [bad, record("a")],
    ]
    digests = [block.digest() for some in blocks for block in cut(some, BlockRule())]
    assert len(set(digests)) == len(blocks)


def test_a_worker_gets_only_what_can_be_used():
    (block,) = cut([record("a"), problem("b", "x:2", "why"), record("c")], BlockRule())
    assert block.table().to_pydict() == {
        "id": ["a", "c"],
        "language": ["java", "java"],
        "code": [b"xxx", b"xxx"],
        "answer": [b"", b""],
    }

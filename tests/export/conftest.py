"""Examples for the tests of files: one made by hand, and a strategy for any that is valid."""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from gazecode.export import to_hdf5, to_jsonl, to_parquet, to_safetensors
from gazecode.export.schema import PAIR_SIDES, ROUTES
from gazecode.model import Example, Transitions

WRITERS = {"parquet": to_parquet, "h5": to_hdf5, "jsonl": to_jsonl, "safetensors": to_safetensors}

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FLOATS = st.floats(0, 2.0**127, width=32)
INT32 = st.integers(0, 2**31 - 1)


@st.composite
def _examples(draw: st.DrawFn) -> Example:
    text = draw(TEXT)
    edges = sorted(draw(st.sets(st.integers(0, len(text.encode())), max_size=6)))
    spans = list(pairwise(edges))
    n = draw(st.integers(0, 5))
    m = len(spans)

    def per(size: int, one: st.SearchStrategy) -> list:
        return draw(st.lists(one, min_size=size, max_size=size))

    mass = np.array(per(n, st.integers(0, 9)), dtype=float)
    return Example(
        **{name: draw(TEXT) for name in ("source_id", "participant", "trial", "language")},
        **{name: draw(TEXT) for name in ("participant_group", "source_group")},
        example_id=draw(TEXT.filter(bool)),
        text=text,
        input_ids=per(n, INT32),
        loss_mask=per(n, st.booleans()),
        weight=per(n, FLOATS),
        attention=mass / mass.sum() if mass.sum() else mass,
        on_path=per(n, st.booleans()),
        token_index=per(n, st.integers(-1, m - 1)),
        token_start=[a for a, _ in spans],
        token_end=[b for _, b in spans],
        token_label=np.array(per(m, TEXT), dtype=object),
        token_value=per(m, FLOATS),
        prior_sources=tuple(draw(st.lists(TEXT, max_size=2))),
        n_people=draw(INT32),
        source_sha256=draw(st.sampled_from(["", "0f" * 32])),
        **draw(_routes()),
        **draw(_segments(n)),
        **draw(_transitions(n)),
    )


@st.composite
def _routes(draw: st.DrawFn) -> dict[str, object]:
    n_windows = draw(st.integers(1, 2**31 - 1))
    side = draw(st.sampled_from(PAIR_SIDES))
    return {
        "route": draw(st.sampled_from(ROUTES)),
        "pair_id": draw(TEXT.filter(bool)) if side else "",
        "pair_side": side,
        "window": draw(st.integers(0, n_windows - 1)),
        "n_windows": n_windows,
        "attention_share": draw(st.floats(0, 1, width=32)),
        "inert_weight": draw(FLOATS),
    }


@st.composite
def _segments(draw: st.DrawFn, n: int) -> dict[str, object]:
    edges = sorted(draw(st.lists(st.integers(0, n), max_size=6)))
    starts, ends = edges[: len(edges) // 2 * 2 : 2], edges[1::2]
    names = draw(st.lists(TEXT, min_size=len(ends), max_size=len(ends)))
    return {
        "segment_name": np.array(names, dtype=object),
        "segment_start": starts,
        "segment_end": ends,
    }


@st.composite
def _transitions(draw: st.DrawFn, n: int) -> dict[str, object]:
    one = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(n - 1, 0)))
    pairs = sorted(draw(st.sets(one, max_size=6 if n else 0)))
    count = draw(st.lists(st.integers(1, 9), min_size=len(pairs), max_size=len(pairs)))
    seen = Transitions(
        size=n, origin=[a for a, _ in pairs], target=[b for _, b in pairs], count=count
    )
    return {
        "transition_from": seen.origin,
        "transition_to": seen.target,
        "transition_share": seen.share,
        "transition_count": seen.count,
    }


def _lists() -> st.SearchStrategy:
    return st.lists(_examples(), max_size=5, unique_by=lambda e: e.example_id)


@pytest.fixture(scope="session")
def some_examples() -> st.SearchStrategy:
    """Lists of valid examples with names of their own; empty ones and empty texts included."""
    return _lists()


def _make(name: str = "one", **changed: object) -> Example:
    example = Example(
        example_id=name,
        source_id="Sum.java",
        participant="p1",
        trial="t1",
        language="java",
        text="int ß = 0;",
        input_ids=[1, 40, 7, 300],
        loss_mask=[False, True, True, True],
        weight=[1.0, 0.5, 1.5, 1.1],
        attention=[0.0, 0.25, 0.5, 0.25],
        on_path=[False, True, True, False],
        token_index=[-1, 0, 1, 2],
        token_start=[0, 4, 7],
        token_end=[3, 6, 8],
        token_label=np.array(["type", "variable", ""], dtype=object),
        token_value=[120.0, 240.5, 0.1],
        prior_sources=("a",),
        source_sha256="0c" * 32,
        route="copy",
        pair_id="pair-1",
        pair_side="rejected",
        window=1,
        n_windows=3,
        attention_share=0.25,
        inert_weight=1.5,
        segment_name=np.array(["code", "answer"], dtype=object),
        segment_start=[1, 3],
        segment_end=[3, 4],
        transition_from=[1, 1, 3],
        transition_to=[2, 3, 1],
        transition_share=[0.75, 0.25, 1.0],
        transition_count=[3.0, 1.0, 0.5],
    )
    return replace(example, **changed)


@pytest.fixture(scope="session")
def make_example() -> Callable[..., Example]:
    """One valid example; keywords change fields."""
    return _make


def _same(a: Example, b: Example) -> bool:
    for field in fields(Example):
        if field.name == "report":
            continue
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray) and x.dtype == np.float64:
            # The precision of the schema.
            x, y = x.astype(np.float32), y.astype(np.float32)
        if not np.array_equal(x, y):
            return False
        if isinstance(x, np.ndarray) and x.dtype != y.dtype:
            return False
    return True


@pytest.fixture(scope="session")
def same_examples() -> Callable[[list[Example], list[Example]], bool]:
    """Whether two lists of examples hold the same at float32 precision."""
    return lambda a, b: len(a) == len(b) and all(map(_same, a, b))


@pytest.fixture(params=sorted(WRITERS))
def container(request: pytest.FixtureRequest) -> str:
    """Suffix of each of the containers."""
    return request.param


@pytest.fixture
def write(container: str) -> Callable[..., int]:
    """Write one container."""
    return WRITERS[container]


@pytest.fixture
def path(container: str, tmp_path: Path) -> Path:
    """A file of that container, not yet there."""
    return tmp_path / f"weights.{container}"

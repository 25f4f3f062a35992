"""A small corpus, priors and a tokenizer for the tests of the corpus job."""

import json
from pathlib import Path

import numpy as np
import pytest

from gazecode.corpus import BlockRule, weigh_corpus
from gazecode.model import LABELS, LabelPriors, NgramTable

ROOT = Path(__file__).resolve().parents[2]
TOKENIZER = ROOT / "fixtures" / "demo" / "tokenizer.json"
SMALL = BlockRule(rows=8, n_bytes=100_000)


def make_priors() -> LabelPriors:
    codes = np.arange(len(LABELS))
    shown = np.where(codes > 0, 100.0, 0.0)
    return LabelPriors(
        hit=np.where(codes > 0, 20.0 + 2 * codes, 0.0),
        shown=shown,
        theta_null=np.full(len(LABELS), np.nan),
        ngrams={
            1: NgramTable(order=1, counts={("variable",): 9, ("loop",): 3}),
            2: NgramTable(order=2, counts={("function declaration", "parameter"): 5}),
        },
        sources=("00" * 32,),
        n_people=3,
        name="made for a test",
    )


def method(i: int) -> str:
    return (
        f"public int add{i}(int a, int b) {{\n"
        f"    // sum number {i}\n"
        f"    for (int k = 0; k < {i % 7}; k++) {{ a = a + b * k; }}\n"
        f"    return a + {i};\n"
        "}\n"
    )


@pytest.fixture(scope="session")
def priors() -> LabelPriors:
    return make_priors()


@pytest.fixture(scope="session")
def tokenizer() -> Path:
    if not TOKENIZER.is_file():
        pytest.skip("the bundled tokenizer is not there; run fixtures/demo/make_demo.py")
    return TOKENIZER


@pytest.fixture
def corpus(tmp_path) -> Path:
    """Forty Java methods as plain rows."""
    path = tmp_path / "train.jsonl"
    write_rows(path, [{"id": f"m{i}", "language": "java", "code": method(i)} for i in range(40)])
    return path


def write_rows(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def everything_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones included, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def weigh(priors, tokenizer, tmp_path):
    """Run the job with small blocks."""

    def run(inputs, out=None, **settings):
        given = {"priors": priors, "tokenizer": tokenizer, "blocks": SMALL} | settings
        return weigh_corpus(inputs, out=out or tmp_path / "out", **given)

    return run

"""Alignment beyond the tokenizer's own time: a million subwords a second on one core.

The tokenizer works once for each case, and what it made is handed to the alignment again and again:
so what is timed is all that comes after it, the offsets taken out of it included, and nothing that
it does itself. Beside it stands the tokenizer's own time in the same run. Processor time, which
others on the machine do not take, in one thread; the best of several rounds.

The sources are real: functions of the standard library, and files of many of them.
"""

import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gazecode as gc
from gazecode.alignment import align_batch, fim_template
from gazecode.alignment.subwords.tokenizer import Prepared, prepare
from gazecode.export import flat_batch, parquet_bytes
from gazecode.model import TokenBatch, TokenWeights, Transitions

REACH = 1e6
ROUNDS = 7
N_FUNCTIONS, N_FILES = 300, 12
ASK = "{instruction}\n```\n{code}\n```\n{answer}"
PROSE = (
    "Returns the value of the given name, or the default where the file has none; raises an error "
    "if the key is not a string. "
)
TOKENIZERS = ("bundled", "gpt2", "llama3", "codet5", "t5-small")
"""The last two give offsets as Python pairs alone: nothing spells out their text."""
FIM = {"starcoder2": "starcoder", "deepseek-coder": "deepseek-coder"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What `align_batch` is given."""

    weights: TokenWeights
    batch: TokenBatch
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, tokenizer):
        names = [str(i) for i in range(self.batch.n_sources)]
        return align_batch(
            self.weights,
            self.batch,
            tokenizer,
            source_id=names,
            language="python",
            source_group=names,
            **self.options,
        )


def gaze(batch: TokenBatch) -> TokenWeights:
    rng = np.random.default_rng(len(batch))
    on_path = rng.random(len(batch)) < 0.4
    value = np.where(on_path, rng.integers(1, 900, len(batch)), 0)
    return TokenWeights(value=value, on_path=on_path, scheme="duration", unit="ms")


def saccades(batch: TokenBatch) -> Transitions:
    origin = np.arange(0, len(batch) - 7, 2)
    target = origin + np.random.default_rng(1).integers(1, 7, len(origin))
    within = batch.source[origin] == batch.source[target]
    origin, target = origin[within], target[within]
    return Transitions(
        size=len(batch), origin=origin, target=target, count=np.ones(len(origin), dtype=float)
    )


@pytest.fixture(scope="module")
def codes():
    """Functions and classes of the standard library's modules, as many as there are."""
    found = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        parts = text.replace("\nclass ", "\ndef class ").split("\ndef ")[1:]
        found += [part if part.startswith("class ") else f"def {part}" for part in parts]
    return [code for code in found if 100 < len(code) < 8000]


@pytest.fixture(scope="module")
def parsed(codes):
    return [gc.parse(code, language="python") for code in codes[:N_FUNCTIONS]]


@pytest.fixture(scope="module")
def cases(codes, parsed):
    batch = TokenBatch.of(parsed)
    joined = ["\n".join(codes[i :: 2 * N_FILES]) for i in range(N_FILES)]
    files = TokenBatch.of([gc.parse(code, language="python") for code in joined])
    one = TokenBatch.of([gc.parse("\n".join(codes[:N_FUNCTIONS]), language="python")])
    answers = TokenBatch.of([*parsed[1:], parsed[0]])
    weights, field = gaze(batch), {"instruction": "Say what this does."}
    prose = {
        "template": ASK,
        "fields": field,
        "answers": [PROSE * (1 + i % 3) for i in range(len(parsed))],
        "allow_inert": True,
    }
    code = {"template": ASK, "fields": field, "answers": answers}
    cut = {"max_length": 512, "overlap": 64}
    of_batch = {
        "plain": {},
        "strength": {"strength": 0.5},
        "share": {"policy": "share"},
        "template": {"template": "Read:\n{code}\n"},
        "prose": {**prose, "route": "source_lm"},
        "attention": {**prose, "route": "attention"},
        "copy": {**prose, "route": "copy"},
        "copy of code": {**code, "route": "copy"},
        "answer_prior": {**code, "answer_weights": gaze(answers)},
        "transitions": {"transitions": saccades(batch)},
        "windows": cut,
    }
    made = {name: Case(weights=weights, batch=batch, options=o) for name, o in of_batch.items()}
    made["long text"] = Case(weights=gaze(one), batch=one)
    made["long texts in windows"] = Case(weights=gaze(files), batch=files, options=cut)
    return made


def path_of(request, name: str) -> Path:
    root = request.config.rootpath
    folder = root / "fixtures/demo" if name == "bundled" else None
    path = (folder or root.parent / "shared/data/tokenizers" / name) / "tokenizer.json"
    if not path.is_file():
        pytest.skip(f"the tokenizer {name} is not beside this checkout (../shared/data)")
    return path


def beyond_the_tokenizer(case: Case, path: Path, monkeypatch) -> str:
    """Time a case with what the tokenizer has made; assert the reach, and say what was found."""
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    tokenizer = gc.load_tokenizer(path)
    encode, alone, made = Prepared.encode_batch, [], []

    def timed(self, texts, **options):
        start = time.process_time()
        made[:] = encode(self, texts, **options)
        alone.append(time.process_time() - start)
        return list(made)

    monkeypatch.setattr(Prepared, "encode_batch", timed)
    for _ in range(2):
        examples, refused = case.run(tokenizer)
    n = sum(map(len, made))
    assert len(refused) < len(made) / 20
    assert len(examples.input_ids) > 0.9 * n
    del examples
    monkeypatch.setattr(Prepared, "encode_batch", lambda *_, **__: list(made))
    took = []
    for _ in range(ROUNDS):
        start = time.process_time()
        case.run(tokenizer)
        took.append(time.process_time() - start)
    rate = n / min(took)
    said = (
        f"{rate / 1e6:5.2f} M subwords/s ({n} in {min(took) * 1e3:.0f} ms beside "
        f"{min(alone) * 1e3:.0f} ms of the tokenizer; reach {REACH / 1e6:g}, room "
        f"{rate / REACH - 1:+.0%})"
    )
    assert rate >= REACH, said
    return said


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize(
    "case",
    [
        *("plain", "strength", "share", "template", "prose", "attention", "copy", "copy of code"),
        *("answer_prior", "transitions", "windows", "long text", "long texts in windows"),
    ],
)
def test_alignment_alone(request, cases, case, name, monkeypatch):
    path = path_of(request, name)
    print(f"\n{name}, {case}: {beyond_the_tokenizer(cases[case], path, monkeypatch)}")


@pytest.mark.parametrize("name", FIM)
def test_fill_in_the_middle_alone(request, parsed, name, monkeypatch):
    path = path_of(request, name)
    templates = [fim_template(tokens, layout=FIM[name]) for tokens in parsed]
    batch = TokenBatch.of(parsed)
    case = Case(weights=gaze(batch), batch=batch, options={"template": templates})
    print(f"\n{name}, fill in the middle: {beyond_the_tokenizer(case, path, monkeypatch)}")


def test_align_one_function(benchmark, request, parsed):
    """Printed without a bar: what a call costs beside the tokenizer's own."""
    tokenizer = gc.load_tokenizer(path_of(request, "bundled"))
    tokens = sorted(parsed, key=len)[len(parsed) // 2]
    weights = gaze(TokenBatch.of([tokens]))
    example = benchmark(gc.align, weights, tokens, tokenizer, strength=0.5)
    assert example.attention.sum() == pytest.approx(1.0)


def test_encode_one_function(benchmark, request, parsed):
    tokens = sorted(parsed, key=len)[len(parsed) // 2]
    prepared = prepare(gc.load_tokenizer(path_of(request, "bundled")))
    assert len(benchmark(prepared.encode, tokens.code.decode())) > 0


def test_align_and_write_a_batch(benchmark, request, cases, monkeypatch):
    """From tokens with values to the bytes of a Parquet file, the tokenizer included."""
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    tokenizer = gc.load_tokenizer(path_of(request, "bundled"))

    def shard():
        examples, refused = cases["plain"].run(tokenizer)
        return refused, parquet_bytes([flat_batch(examples)])

    refused, made = benchmark(shard)
    assert not refused
    assert made[:4] == b"PAR1"

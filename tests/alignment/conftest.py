"""Tokens made by hand, texts that break naive code, and slow oracles written another way."""

import re
from pathlib import Path

import numpy as np
import pytest

from gazecode.alignment import load_tokenizer
from gazecode.alignment.subwords.encode import encode
from gazecode.alignment.subwords.pieces import byte_alphabet
from gazecode.alignment.task import material_of
from gazecode.alignment.templates.filling import fill_all
from gazecode.model import SourceTokens, TokenBatch, TokenWeights

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "fixtures" / "demo" / "tokenizer.json"


@pytest.fixture(scope="session")
def bundled():
    return load_tokenizer(BUNDLED)


@pytest.fixture(scope="session")
def bundled_path():
    return BUNDLED


def source(code, spans, *, source_id="Demo.java"):
    code = code.encode() if isinstance(code, str) else code
    m = len(spans)
    return SourceTokens(
        language="java",
        source_id=source_id,
        code=code,
        span=np.array(spans, dtype=np.int64).reshape(-1, 2),
        row=[0] * m,
        column=list(range(m)),
        kind=["leaf"] * m,
        path=[()] * m,
        label=["label"] * m,
    )


def encode_one(tokens, prepared, *, template=None):
    """One source through the batch; a refusal is raised."""
    batch = TokenBatch(
        code=tokens.code,
        code_start=[0, len(tokens.code)],
        token_start=[0, len(tokens)],
        span=tokens.span,
        row=tokens.row,
        label=[0] * len(tokens),
    )
    material = material_of(template, None, {}, None)
    filled, refused = fill_all(batch, [tokens.source_id], material)
    _, encoded, more = encode(filled, [tokens.source_id], prepared)
    if refused | more:
        raise (refused | more)[0]
    return encoded


def words(code):
    """Spans in bytes: runs of word characters, single other characters, no white space."""
    found = re.finditer(r"(?:\w|[\u0300-\u036f])+|\S", code)
    at = np.cumsum([0, *(len(c.encode()) for c in code)])
    return [(int(at[m.start()]), int(at[m.end()])) for m in found]


def gaze(value, **more):
    value = np.asarray(value, dtype=np.float64)
    return TokenWeights(
        **{"value": value, "on_path": value > 0, "scheme": "duration", "unit": "ms"} | more
    )


@pytest.fixture(scope="session")
def make():
    """``make.source``, ``make.words``, ``make.gaze`` and the oracles."""

    class Make:
        pass

    for function in (source, encode_one, words, gaze, true_shares, oracle_inherit, byte_span):
        setattr(Make, function.__name__, staticmethod(function))
    return Make


def byte_span(text, characters):
    start, end = characters
    before = len(text[:start].encode())
    return before, before + len(text[start:end].encode())


def true_shares(tokenizer, text):
    """One dict per subword: byte of the text -> share of it, found by spelling texts out.

    Byte-level: the spellings of all subwords, one after the other, are the text, which says
    exactly where each lies; trimmed offsets cut that down. Everything else: byte by byte.
    """
    encoding = tokenizer.encode(text)
    spelled = [
        b"" if special else _spelling(tokenizer, i, token)
        for i, token, special in zip(
            encoding.ids, encoding.tokens, encoding.special_tokens_mask, strict=True
        )
    ]
    spans = [byte_span(text, o) for o in encoding.offsets]
    if None not in spelled and b"".join(spelled) == text.encode():
        found, at = [], 0
        for data, (start, end) in zip(spelled, spans, strict=True):
            inside = range(max(at, start), min(at + len(data), end))
            found.append(dict.fromkeys(inside, 1.0))
            at += len(data)
        return found
    return _shares_by_character(text, encoding)


def _spelling(tokenizer, token_id, token):
    if token_id in tokenizer.get_added_tokens_decoder():
        return token.encode()
    alphabet = byte_alphabet()
    return bytes(alphabet[c] for c in token) if all(c in alphabet for c in token) else None


def _shares_by_character(text, encoding):
    found = [{} for _ in encoding.ids]
    for c in range(len(text)):
        start, end = byte_span(text, (c, c + 1))
        named = [i for i, (a, b) in enumerate(encoding.offsets) if a <= c < b]
        fallback = all(encoding.tokens[i].startswith("<0x") for i in named)
        if fallback and len(named) == end - start:
            for i, byte in zip(named, range(start, end), strict=True):
                found[i][byte] = 1.0
            continue
        for i in named:
            found[i] |= dict.fromkeys(range(start, end), 1.0 / len(named))
    return found


def oracle_inherit(text, offsets, spans, shift=0):
    """Token of the largest overlap in bytes, the earlier of equals, by counting single bytes."""
    index = []
    for o in offsets:
        start, end = byte_span(text, o)
        best, most = -1, 0
        for t, (a, b) in enumerate(spans):
            common = sum(1 for byte in range(start, end) if a + shift <= byte < b + shift)
            if common > most:
                best, most = t, common
        index.append(best)
    return np.array(index)

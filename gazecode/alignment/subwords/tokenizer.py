"""Tokenizers as alignment needs them: loaded once, without padding, truncation or chance.

A ``tokenizer.json`` may carry stale run-time state: padding turns every text into the same number
of positions, truncation cuts it. Both are switched off on a copy of our own; a caller's tokenizer
is never changed. BPE dropout is switched off too, since it makes every encoding a random one.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gazecode.alignment.subwords.pieces import piece_bytes, piece_edges
from gazecode.alignment.subwords.spelling import Spelling
from gazecode.disk import read_limited, sha256_of
from gazecode.errors import TokenizerError
from gazecode.model.checks import IntArray

if TYPE_CHECKING:
    from tokenizers import AddedToken, Encoding, Tokenizer

__all__ = ["Prepared", "load_tokenizer", "prepare", "tokenizer_sha256"]

MAX_TOKENIZER_BYTES = 1 << 30
MAX_CACHED = 16
"""Tokenizers kept; a large one takes hundreds of MB and seconds to load."""
MAX_MESSAGE = 300
_NOTHING = {"type": "Sequence", "normalizers": []}
_KEEPS_ASCII = frozenset({"NFC", "NFD", "NFKC", "NFKD"})


@dataclass(slots=True)
class Prepared:
    """A tokenizer ready to encode, and what alignment asks it again and again.

    Attributes
    ----------
    tokenizer
        Without padding, truncation and dropout; the caller's own where it has none of them.
    sha256
        Of the file it came from, or of its JSON form where there was no file.
    special_ids
        Ids with a meaning beyond text (end of text, roles, ...). Unknown-word ids and added runs
        of blanks stand for text and are not among them.
    byte_level
        Whether pieces are spelled in the byte alphabet of GPT-2.
    n_added
        Positions the tokenizer puts around every text.
    spelling
        What reads offsets from pieces; None for a tokenizer whose offsets they do not tell.
    """

    tokenizer: "Tokenizer"
    sha256: str
    special_ids: IntArray
    added_ids: frozenset[int]
    byte_level: bool
    n_added: int
    spelling: Spelling | None = None
    _edges: dict[int, tuple[int, int]] = field(default_factory=dict)

    def encode(self, text: str) -> "Encoding":
        """Tokenize a text, special tokens added.

        Raises
        ------
        TokenizerError
            The tokenizer fails on the text, for instance for want of an unknown-word token.
        """
        encoding: Encoding = self._tried(self.tokenizer.encode, text)
        return encoding

    def encode_batch(
        self, texts: Sequence[str], *, special_tokens: bool = True
    ) -> "list[Encoding | TokenizerError]":
        """Tokenize texts; where the tokenizer fails on one, its error stands in its place.

        Without `special_tokens`, none are put around the texts: those that a text spells stay.
        """
        encode = partial(self.tokenizer.encode_batch, add_special_tokens=special_tokens)
        try:
            return list(self._tried(encode, texts))
        except TokenizerError:
            one = partial(self.tokenizer.encode, add_special_tokens=special_tokens)
            return [self._encoding_or_error(one, text) for text in texts]

    def _encoding_or_error(
        self, encode: Callable[[str], "Encoding"], text: str
    ) -> "Encoding | TokenizerError":
        try:
            encoding: Encoding = self._tried(encode, text)
        except TokenizerError as error:
            return error
        return encoding

    def _tried(self, encode: Callable[[Any], Any], given: str | Sequence[str]) -> Any:
        try:
            return encode(given)
        except BaseException as error:
            raise TokenizerError(
                f"the tokenizer fails on this text: {_reason(error)}; use another tokenizer"
            ) from error

    def edges(self, ids: IntArray) -> IntArray:
        """``(n, 2)`` bytes of split characters at the start and the end of each piece."""
        fresh, place = np.unique(ids, return_inverse=True)
        edges: IntArray = np.array([self._edge(i) for i in fresh.tolist()], dtype=np.int64)
        return edges.reshape(-1, 2)[place]

    def _edge(self, token_id: int) -> tuple[int, int]:
        if token_id not in self._edges:
            piece = "" if token_id in self.added_ids else self.tokenizer.id_to_token(token_id)
            self._edges[token_id] = piece_edges(piece or "", byte_level=self.byte_level)
        return self._edges[token_id]


@dataclass(slots=True)
class _Kept:
    """`owner` is held so that its identity cannot be given to another object."""

    owner: Any
    state: tuple[object, ...]
    prepared: Prepared


_loaded: OrderedDict[str, _Kept] = OrderedDict()
_prepared: OrderedDict[int, _Kept] = OrderedDict()


def load_tokenizer(path: str | Path) -> "Tokenizer":
    """Load a ``tokenizer.json``; the same content is loaded once.

    Parameters
    ----------
    path
        The file, or a folder that holds ``tokenizer.json``.

    Returns
    -------
    tokenizers.Tokenizer
        Padding, truncation and dropout that the file carries are switched off. Shared by all who
        load the same content.

    Raises
    ------
    TokenizerError
        There is no such file, or the library cannot read it (its message is passed on).

    Examples
    --------
    >>> load_tokenizer("nowhere/tokenizer.json")
    Traceback (most recent call last):
    gazecode.errors.TokenizerError: nowhere/tokenizer.json: no such file; give a tokenizer.json ...
    """
    file = _file_of(Path(path))
    raw = read_limited(file, MAX_TOKENIZER_BYTES)
    digest = hashlib.sha256(raw).hexdigest()
    kept = _loaded.get(digest)
    # Somebody may have changed the shared object since: then it is loaded afresh.
    if kept is not None and kept.state == _state(kept.owner) and _is_clean(kept.owner):
        _loaded.move_to_end(digest)
        return cast("Tokenizer", kept.owner)
    tokenizer = _switch_off(_parse(raw, name=str(file)))
    kept = _Kept(tokenizer, _state(tokenizer), _prepare_clean(tokenizer, sha256=digest))
    _keep(_loaded, digest, kept)
    _keep(_prepared, id(tokenizer), kept)
    return tokenizer


def tokenizer_sha256(tokenizer: Any) -> str:
    """Digest for the provenance: of the file, or of the JSON form of a tokenizer made in memory.

    Parameters
    ----------
    tokenizer
        A path, a `tokenizers.Tokenizer`, or a fast tokenizer of transformers.
    """
    if isinstance(tokenizer, str | Path):
        return sha256_of(_file_of(Path(tokenizer)))
    return prepare(tokenizer).sha256


def prepare(tokenizer: Any) -> Prepared:
    """Bring any accepted tokenizer into the form alignment works with; done once per object.

    Raises
    ------
    TokenizerError
        It gives no character offsets (slow tokenizers), or cannot be loaded.
    """
    owner = load_tokenizer(tokenizer) if isinstance(tokenizer, str | Path) else tokenizer
    backend = _backend(owner)
    state = _state(backend)
    kept = _prepared.get(id(backend)) or _loaded_as(backend)
    if kept is not None and kept.state == state and _is_clean(kept.prepared.tokenizer):
        _keep(_prepared, id(backend), kept)
        return kept.prepared
    clean = backend
    if not _is_clean(backend):
        clean = _switch_off(_parse(_to_json(backend), name="a copy of the tokenizer"))
    prepared = _prepare_clean(clean, sha256=hashlib.sha256(_to_json(clean)).hexdigest())
    _keep(_prepared, id(backend), _Kept(backend, state, prepared))
    return prepared


def _loaded_as(backend: "Tokenizer") -> _Kept | None:
    """What `load_tokenizer` knows of its own object, so that its digest stays the file's."""
    return next((kept for kept in _loaded.values() if kept.owner is backend), None)


def _keep(cache: OrderedDict[Any, _Kept], key: object, value: _Kept) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > MAX_CACHED:
        cache.popitem(last=False)


def _file_of(path: Path) -> Path:
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise TokenizerError(
            f"{file}: no such file; give a tokenizer.json or a folder that holds one "
            "(transformers writes it with save_pretrained of a fast tokenizer)"
        )
    return file


def _parse(raw: bytes, *, name: str) -> "Tokenizer":
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(raw.decode("utf-8"))
    except BaseException as error:
        raise TokenizerError(
            f"{name} is no tokenizer.json that the tokenizers library can read: "
            f"{_reason(error)}; save it again with the library that made it"
        ) from error


def _reason(error: BaseException) -> str:
    """What the library says, on one line; anything that is not its own passes through.

    It raises bare `Exception` for whatever it finds wrong, and a panic of its Rust core derives
    from `BaseException` alone.
    """
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error
    line = " ".join(str(error).split())[:MAX_MESSAGE]
    return "".join(c if c.isprintable() else "?" for c in line)


def _switch_off(tokenizer: "Tokenizer") -> "Tokenizer":
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
    return tokenizer


def _is_clean(tokenizer: "Tokenizer") -> bool:
    return (
        tokenizer.padding is None
        and tokenizer.truncation is None
        and not getattr(tokenizer.model, "dropout", None)
    )


def _state(tokenizer: "Tokenizer") -> tuple[object, ...]:
    """What changes when somebody changes a tokenizer in place, as far as it is cheap to ask."""
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.post_processor)
    return (
        tokenizer.get_vocab_size(),
        tokenizer.encode_special_tokens,
        *(type(part).__name__ for part in parts),
    )


def _backend(tokenizer: Any) -> "Tokenizer":
    from tokenizers import Tokenizer

    for found in (tokenizer, getattr(tokenizer, "backend_tokenizer", None)):
        if isinstance(found, Tokenizer):
            return found
    raise TokenizerError(
        f"a {type(tokenizer).__name__} gives no character offsets; expected a "
        "tokenizers.Tokenizer, a fast tokenizer of transformers or the path of a tokenizer.json: "
        "load it with AutoTokenizer.from_pretrained(..., use_fast=True)"
    )


def _to_json(tokenizer: "Tokenizer") -> bytes:
    try:
        return tokenizer.to_str().encode("utf-8")
    except BaseException as error:
        raise TokenizerError(
            f"the tokenizer cannot be written as JSON: {_reason(error)}; expected one without "
            "parts written in Python, or its result could not be traced"
        ) from error


def _prepare_clean(tokenizer: "Tokenizer", *, sha256: str) -> Prepared:
    added = tokenizer.get_added_tokens_decoder()
    unknown = _unknown_token(tokenizer)
    special = [
        i
        for i, token in added.items()
        if token.special and token.content.strip() and token.content != unknown
    ]
    byte_level = _is_byte_level(tokenizer)
    return Prepared(
        tokenizer=tokenizer,
        sha256=sha256,
        special_ids=np.array(sorted(special), dtype=np.int64),
        added_ids=frozenset(added),
        byte_level=byte_level,
        n_added=tokenizer.num_special_tokens_to_add(is_pair=False),
        spelling=_spelling(tokenizer, added) if byte_level and _is_literal(tokenizer) else None,
    )


def _unknown_token(tokenizer: "Tokenizer") -> str | None:
    model = tokenizer.model
    if type(model).__name__ != "Unigram":
        return getattr(model, "unk_token", None)
    # Unigram keeps its unknown id to itself; its saved form tells.
    unknown_id = json.loads(model.__getstate__()).get("unk_id")
    return None if unknown_id is None else tokenizer.id_to_token(unknown_id)


def _is_byte_level(tokenizer: "Tokenizer") -> bool:
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder)
    return any(b'"ByteLevel"' in part.__getstate__() for part in parts if part is not None)


def _is_literal(tokenizer: "Tokenizer") -> bool:
    """Whether ASCII text is left as it is, and offsets are not trimmed."""
    normalizer = tokenizer.normalizer
    state = json.loads(normalizer.__getstate__()) if normalizer is not None else _NOTHING
    trims = b'"trim_offsets":true'
    post = tokenizer.post_processor
    return (state == _NOTHING or state["type"] in _KEEPS_ASCII) and not (
        post is not None and trims in post.__getstate__().replace(b" ", b"")
    )


def _spelling(tokenizer: "Tokenizer", added: Mapping[int, "AddedToken"]) -> Spelling:
    def spell(token_id: int) -> bytes | None:
        if token_id in added:
            content: str = added[token_id].content
            return content.encode()
        return piece_bytes(tokenizer.id_to_token(token_id) or "", byte_level=True) or None

    return Spelling(spell)

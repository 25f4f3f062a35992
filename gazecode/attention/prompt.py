"""What every attention method is given, and what it gives back: a prompt in subwords, and scores.

A prompt is one text as the model's tokenizer has it. Methods speak of its subwords; which AST
tokens those belong to is known beside them (`gazecode.alignment.subwords` counts the bytes), and
is the business of `gazecode.attention.attend` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gazecode.alignment.spread import Spread
from gazecode.alignment.subwords.encode import Encoded, encode
from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.alignment.templates.filling import FROM_CODE, Filled, Part
from gazecode.alignment.templates.template import CODE
from gazecode.errors import AlignmentError, DataError, ParameterError
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, FloatArray, IntArray

__all__ = ["DROPS", "Prompt", "Scored", "TokenParts", "prompt_of"]

DROPS = ("special", "first")
"""What can be taken out: special tokens, and the first position, where attention is parked."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenParts:
    """Which subword holds what of which AST token: ``(k,)`` pairs, sorted by subword.

    Attributes
    ----------
    subword, token
        Numbers of a subword and of a token that have bytes in common.
    share
        Share of the subword's mass that is the token's: by bytes where it meets several, so that
        the shares of a subword sum to 1. White space that a subword carries takes nothing.
    n_tokens
        How many AST tokens there are, met or not.
    """

    subword: IntArray
    token: IntArray
    share: FloatArray
    n_tokens: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompt:
    """One text as ``n`` subwords of one tokenizer, or one window of it.

    Attributes
    ----------
    text
        What was tokenized; of a window the whole text, too.
    ids
        ``(n,)`` as the tokenizer gives them, its own special tokens included.
    spans
        ``(n, 2)`` bytes of the text per subword; ``(0, 0)`` for special tokens.
    special
        ``(n,)`` whose id means more than text.
    dropped
        ``(n,)`` whose scores are taken out: no method need look at them but those that
        renormalise over what is left.
    counted
        ``(n,)`` false for what another window counts (context), true everywhere in a whole text.
    token
        Overlaps with the AST tokens; None without `tokens`.
    tokens
        The AST tokens of the same text, or None.
    tokenizer
        What made `ids`: a `tokenizers.Tokenizer` without padding and truncation.
    device
        Where the model is: ``torch.tensor(prompt.ids, device=prompt.device)``; None for CPU.
    """

    text: str
    ids: IntArray
    spans: IntArray
    special: BoolArray
    dropped: BoolArray
    counted: BoolArray
    token: TokenParts | None = None
    tokens: SourceTokens | None = None
    tokenizer: Any = None
    device: Any = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def pieces(self) -> list[str]:
        """The text of every subword; "" for special tokens."""
        code = self.text.encode()
        return [code[a:b].decode("utf-8", "replace") for a, b in self.spans.tolist()]

    def window(self, position: IntArray, counted: BoolArray) -> "Prompt":
        """Some positions of this prompt as a prompt of their own; without AST tokens.

        Parameters
        ----------
        position
            ``(w,)`` positions, ascending.
        counted
            ``(w,)`` which of them count here.
        """
        return replace(
            self,
            ids=self.ids[position],
            spans=self.spans[position],
            special=self.special[position],
            dropped=self.dropped[position],
            counted=counted,
            token=None,
            tokens=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """What a method says about the ``n`` subwords of a prompt.

    Attributes
    ----------
    value
        ``(n,)`` score per subword.
    expected
        ``(n,)`` what the method gives a model that attends uniformly; None if that means nothing.
    matrix
        ``(n, n)`` from subword (row) to subword; None if the method has none.
    removed_share
        Share of the mass on dropped positions; None: take it from `value`, by absolute values.
    parameters
        What decides the numbers beside the method's name.
    token
        ``(m,)`` scores of the AST tokens, of methods that score these: tokens that share a subword
        cannot be told apart by `value`. None of all others.
    """

    value: FloatArray
    expected: FloatArray | None = None
    matrix: FloatArray | None = None
    removed_share: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    token: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.value)
        if self.expected is not None and len(self.expected) != n:
            raise DataError(f"{n} scores and {len(self.expected)} expected ones; give one each")
        if self.matrix is not None and self.matrix.shape != (n, n):
            raise DataError(f"{n} scores and a matrix {self.matrix.shape}; expected ({n}, {n})")


def prompt_of(
    tokens: SourceTokens | str,
    tokenizer: Any,
    *,
    drop: tuple[str, ...] = DROPS,
    device: Any = None,
) -> Prompt:
    """Tokenize a text the way a model reads it.

    Parameters
    ----------
    tokens
        Source code as `gazecode.parse` gives it, or a text without AST tokens.
    tokenizer
        A path, a `tokenizers.Tokenizer` or a fast tokenizer of transformers.
    drop
        Some of `DROPS`.
    device
        Where the model is.

    Raises
    ------
    ParameterError
        `drop` names something else.
    AlignmentError
        The text has no subword, or is not UTF-8.
    TokenizerError
        The tokenizer gives no offsets, or fails on the text.
    """
    unknown = [name for name in drop if name not in DROPS]
    if unknown:
        raise ParameterError.unknown("drop", unknown[0], DROPS)
    source = None if isinstance(tokens, str) else tokens
    text = tokens if isinstance(tokens, str) else _text_of(tokens)
    prepared = prepare(tokenizer)
    part = Part(CODE, 0, len(text), FROM_CODE, 0, in_loss=True)
    filled = Filled(text=text, parts=(part,))
    name = "the text" if source is None else source.source_id or "the source"
    _, encoded, refused = encode({0: filled}, [name], prepared)
    if refused:
        raise refused[0]
    dropped = encoded.special & ("special" in drop)
    dropped[0] |= "first" in drop
    return Prompt(
        text=text,
        ids=encoded.ids,
        spans=np.where(encoded.special[:, None], 0, encoded.span),
        special=encoded.special,
        dropped=dropped,
        counted=np.ones(len(encoded.ids), dtype=bool),
        token=None if source is None else _parts(encoded, source),
        tokens=source,
        tokenizer=prepared.tokenizer,
        device=device,
    )


def _text_of(tokens: SourceTokens) -> str:
    try:
        return tokens.code.decode()
    except UnicodeDecodeError as error:
        raise AlignmentError(
            f"{tokens.source_id or 'the source'} is not UTF-8 at byte {error.start}; a tokenizer "
            "reads text: save the file as UTF-8 and parse it again"
        ) from error


def _parts(encoded: Encoded, tokens: SourceTokens) -> TokenParts:
    spread = Spread(encoded.ownership, tokens.span)
    subword, token, n_bytes = spread.parts
    held = (n_bytes > 0) & ~encoded.special[subword]
    subword, token, n_bytes = subword[held], token[held], n_bytes[held]
    total = np.bincount(subword, weights=n_bytes, minlength=len(encoded.ids))
    # A subword that names a token's characters and owns none of them still stands for the token.
    bare = np.flatnonzero((total == 0) & (spread.token_index >= 0) & ~encoded.special)
    subword = np.concatenate([subword, bare])
    order = np.argsort(subword, kind="stable")
    token = np.concatenate([token, spread.token_index[bare]])
    share = np.concatenate([n_bytes / total[subword[: len(n_bytes)]], np.ones(len(bare))])
    return TokenParts(
        subword=subword[order], token=token[order], share=share[order], n_tokens=len(tokens)
    )

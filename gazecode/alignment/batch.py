"""Token weights of a whole batch of sources to examples: one pass over arrays for all of them.

A source that cannot be aligned is left out with the reason; the others come out exactly as they
would alone.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from gazecode.alignment.encode import Encoded, Refused, encode
from gazecode.alignment.offsets import first_of, ranges, summed
from gazecode.alignment.rule import Rule, attention, exposed_of, gaze_of, weights_of
from gazecode.alignment.spread import Spread
from gazecode.alignment.tokenizer import prepare
from gazecode.errors import AlignmentError, DataError
from gazecode.model import ExampleBatch, TokenBatch, TokenWeights
from gazecode.model.checks import Array, IntArray
from gazecode.model.groups import source_groups

__all__ = ["Names", "align_all", "align_batch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of ``d`` sources."""

    source_id: tuple[str, ...]
    language: tuple[str, ...]
    source_group: tuple[str, ...]
    participant: str = ""
    trial: str = ""

    def of(self, kept: Sequence[int]) -> "Names":
        """Names of some of the sources."""
        return replace(
            self,
            source_id=tuple(self.source_id[i] for i in kept),
            language=tuple(self.language[i] for i in kept),
            source_group=tuple(self.source_group[i] for i in kept),
        )


def align_batch(  # noqa: PLR0913 - `align` and what a batch adds
    weights: TokenWeights,
    batch: TokenBatch,
    tokenizer: Any,
    *,
    source_id: Sequence[str],
    language: Sequence[str] | str,
    source_group: Sequence[str] = (),
    template: str | None = None,
    policy: str = "inherit",
    strength: float | None = None,
    per: str = "character",
    max_ratio: float = 5.0,
    mean_one: bool = False,
) -> tuple[ExampleBatch, dict[int, str]]:
    """Bring the values of the tokens of many sources to the subwords of a tokenizer.

    Equal to `align` for each source, and many times faster for short ones.

    Parameters
    ----------
    weights
        ``(m,)`` values of all tokens of the batch.
    batch
        ``d`` sources.
    source_id, language, source_group
        ``(d,)`` texts; one language may stand for all, and groups that are not given are those of
        `gazecode.model.groups`.
    tokenizer, template, policy, strength, per, max_ratio, mean_one
        As for `align`.

    Returns
    -------
    examples : ExampleBatch
        One for each source that could be aligned, in the order of the batch; `source` says which.
    refused : dict of int to str
        Why the others could not, by their number: empty, not UTF-8, no position whose loss counts,
        or a text the tokenizer fails on.

    Raises
    ------
    AlignmentError
        Values of another batch.
    DataError
        Not one name per source.
    ParameterError, TokenizerError
        As for `align`.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> tokenizer = Tokenizer(models.WordLevel({"x": 0, "=": 1, "12": 2}, unk_token="x"))
    >>> tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> batch = TokenBatch.of([parse("x = 12", "python"), parse("", "python")])
    >>> gaze = TokenWeights(value=[3, 0, 1], on_path=[True, False, True], scheme="count", unit="1")
    >>> examples, refused = align_batch(
    ...     gaze, batch, tokenizer, source_id=["a.py", "b.py"], language="python"
    ... )
    >>> examples.source_id, examples.attention
    (('a.py',), array([0.75, 0.  , 0.25]))
    >>> refused
    {1: 'b.py is empty; expected code to align weights with'}
    """
    rule = Rule(policy=policy, strength=strength, per=per, max_ratio=max_ratio, mean_one=mean_one)
    languages = (language,) * batch.n_sources if isinstance(language, str) else tuple(language)
    names = Names(
        source_id=tuple(source_id),
        language=languages,
        source_group=tuple(source_group) or _groups(batch, languages),
    )
    examples, refused = align_all(weights, batch, names, tokenizer, template=template, rule=rule)
    return examples, {number: str(error) for number, error in sorted(refused.items())}


def _groups(batch: TokenBatch, languages: tuple[str, ...]) -> tuple[str, ...]:
    """Not yet checked: what has not one language per source is refused later, by name."""
    if len(languages) != batch.n_sources:
        return ("",) * batch.n_sources
    return source_groups(batch, languages)


def align_all(
    weights: TokenWeights,
    batch: TokenBatch,
    names: Names,
    tokenizer: Any,
    *,
    template: str | None,
    rule: Rule,
) -> tuple[ExampleBatch, Refused]:
    """`align_batch` with its names checked and the reasons as errors."""
    _check(weights, batch, names)
    prepared = prepare(tokenizer)
    kept, encoded, refused = encode(batch, names.source_id, prepared, template=template)
    if refused:
        weights, batch, names = *_taken(weights, batch, kept), names.of(kept.tolist())
    moved = np.repeat(encoded.code_start - batch.code_start[:-1], _counts(batch))
    span = batch.span + moved[:, None]
    spread = Spread(encoded.ownership, span)
    own_span = span - np.repeat(encoded.first_byte[:-1], _counts(batch))[:, None]
    settings = {
        "scheme": weights.scheme,
        "unit": weights.unit,
        **asdict(rule),
        "tokenizer_sha256": prepared.sha256,
    }
    examples = ExampleBatch(
        source=kept,
        **_names(encoded, weights, batch, names, rule),
        first_position=encoded.first_position,
        first_token=batch.token_start,
        input_ids=encoded.ids,
        loss_mask=encoded.loss_mask,
        **_weights(weights, batch, spread, encoded, rule),
        on_path=spread.flagged(weights.on_path),
        token_index=_within_own(spread.token_index, batch, encoded),
        token_start=own_span[:, 0],
        token_end=own_span[:, 1],
        token_label=batch.label,
        token_value=weights.value,
        prior_sources=weights.prior_sources,
        n_people=weights.n_people,
        settings=settings,
    )
    return examples, refused


def _check(weights: TokenWeights, batch: TokenBatch, names: Names) -> None:
    if len(weights) != len(batch):
        raise AlignmentError(
            f"there are {len(weights)} values and {len(batch)} tokens; "
            "pass the tokens that the values were made for"
        )
    for name in ("source_id", "language", "source_group"):
        if len(getattr(names, name)) != batch.n_sources:
            raise DataError(
                f"{name} has {len(getattr(names, name))} names; expected one for each of "
                f"{batch.n_sources} sources"
            )


def _names(
    encoded: Encoded, weights: TokenWeights, batch: TokenBatch, names: Names, rule: Rule
) -> dict[str, Any]:
    """The columns with one text per example."""
    d = batch.n_sources
    return {
        "example_id": _example_ids(encoded, weights, batch, names, rule),
        "source_id": names.source_id,
        "participant": (names.participant,) * d,
        "trial": (names.trial,) * d,
        "language": names.language,
        "text": encoded.text,
        "source_sha256": tuple(hashlib.sha256(batch.code_of(i)).hexdigest() for i in range(d)),
        "source_group": names.source_group,
    }


def _weights(
    weights: TokenWeights, batch: TokenBatch, spread: Spread, encoded: Encoded, rule: Rule
) -> dict[str, Any]:
    """Weight and attention per subword, and what there is to say about each example."""
    mass = attention(gaze_of(weights), batch.token_start, spread, encoded)
    made = weights_of(weights, batch, spread, encoded, rule)
    reached = np.bincount(encoded.position_text[mass > 0], minlength=batch.n_sources)
    said = {"no_signal": made.no_signal | (reached == 0), "clipped_share": made.clipped_share}
    return {
        "weight": made.weight,
        "attention": mass,
        "said": said | _accounts(weights, batch, spread, encoded),
    }


def _taken(
    weights: TokenWeights, batch: TokenBatch, kept: IntArray
) -> tuple[TokenWeights, TokenBatch]:
    """Weights and tokens of some of the sources."""
    count, length = _counts(batch)[kept], np.diff(batch.code_start)[kept]
    token, code_start = ranges(batch.token_start[kept], count), first_of(length)
    moved = np.repeat(code_start[:-1] - batch.code_start[kept], count)
    taken = TokenBatch(
        code=b"".join(batch.code_of(i) for i in kept.tolist()),
        code_start=code_start,
        token_start=first_of(count),
        span=batch.span[token] + moved[:, None],
        row=batch.row[token],
        label=batch.label[token],
    )
    of_kept = replace(
        weights,
        value=weights.value[token],
        on_path=weights.on_path[token],
        exposed=exposed_of(weights)[token],
    )
    return of_kept, taken


def _counts(batch: TokenBatch) -> IntArray:
    """``(d,)`` tokens of each source."""
    return np.diff(batch.token_start)


def _within_own(token_index: IntArray, batch: TokenBatch, encoded: Encoded) -> IntArray:
    """Numbers of tokens counted within their own source; -1 stays."""
    own = token_index - batch.token_start[encoded.position_text]
    return np.where(token_index < 0, -1, own)


def _accounts(
    weights: TokenWeights, batch: TokenBatch, spread: Spread, encoded: Encoded
) -> dict[str, Any]:
    """What did not reach a subword, by source: nothing is lost in silence."""
    gaze = gaze_of(weights)
    lost = np.flatnonzero((spread.owned == 0) & (gaze > 0))
    source = np.searchsorted(batch.token_start, lost, side="right") - 1
    return {
        "tokens_lost": np.bincount(source, minlength=batch.n_sources),
        "mass_lost": summed(source, gaze[lost], batch.n_sources),
        "unowned_bytes": encoded.unowned_bytes,
        "special_in_code": encoded.special_in_code,
    }


def _example_ids(
    encoded: Encoded, weights: TokenWeights, batch: TokenBatch, names: Names, rule: Rule
) -> tuple[str, ...]:
    """Sixteen hex digits that stand for all that went into an example."""
    head = {"scheme": weights.scheme, "unit": weights.unit, **asdict(rule)}
    head |= {"participant": names.participant, "trial": names.trial}
    if not rule.mean_one:
        # Names given before there was this choice stay what they were.
        del head["mean_one"]
    dump = _json_form(head, "source_id", "text")
    per_position = [_cut(encoded.ids, "<i8", encoded.first_position)]
    per_token = [
        _cut(column, dtype, batch.token_start)
        for column, dtype in (
            *((weights.value, "<f8"), (weights.on_path, "?")),
            (exposed_of(weights), "?"),
        )
    ]
    found = []
    for text, source_id, *parts in zip(
        encoded.text, names.source_id, *per_position, *per_token, strict=True
    ):
        digest = hashlib.sha256()
        said = dump(source_id, text).encode()
        for part in (said, *parts):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        found.append(digest.hexdigest()[:16])
    return tuple(found)


def _json_form(head: Mapping[str, object], *names: str) -> Callable[..., str]:
    """Make what gives the JSON of `head` and of texts under `names`; `head` is encoded once.

    >>> _json_form({"b": 1}, "a", "c")("x", "y")
    '{"a": "x", "b": 1, "c": "y"}'
    """
    left = json.dumps({**head, **dict.fromkeys(names, None)}, sort_keys=True)
    pieces: list[str] = []
    for name in sorted(names):
        # A key with its colon: inside a value the quotes would be escaped.
        key = f"{json.dumps(name)}: "
        before, _, left = left.partition(f"{key}null")
        pieces.append(before + key)

    def dump(*texts: str) -> str:
        whole = [
            part
            for piece, text in zip(pieces, texts, strict=True)
            for part in (piece, json.dumps(text))
        ]
        return "".join([*whole, left])

    return dump


def _cut(column: Array, dtype: str, first: IntArray) -> Iterator[memoryview]:
    """Bytes of each of consecutive groups of a column."""
    raw = np.ascontiguousarray(column, dtype=dtype).view(np.uint8).data
    ends = (first * np.dtype(dtype).itemsize).tolist()
    return (raw[a:b] for a, b in pairwise(ends))

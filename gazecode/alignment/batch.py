"""Token weights of a whole batch of sources to examples: one pass over arrays for all of them.

A source that cannot be aligned is left out with the reason; the others come out exactly as they
would alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gazecode.alignment.identity import Names
from gazecode.alignment.laying import lay
from gazecode.alignment.rule import Rule
from gazecode.alignment.task import Task, material_of
from gazecode.alignment.templates.template import Template
from gazecode.model import ExampleBatch, TokenBatch, TokenWeights, Transitions
from gazecode.model.groups import source_groups

__all__ = ["align_batch"]


def align_batch(  # noqa: PLR0913 - `align` and what a batch adds
    weights: TokenWeights,
    batch: TokenBatch,
    tokenizer: Any,
    *,
    source_id: Sequence[str],
    language: Sequence[str] | str,
    source_group: Sequence[str] = (),
    template: str | Template | Sequence[str | Template] | None = None,
    answers: Sequence[str | None] | TokenBatch | None = None,
    answer_weights: TokenWeights | None = None,
    fields: Mapping[str, str | Sequence[str]] | None = None,
    loss: Sequence[str] | None = None,
    route: str | None = None,
    allow_inert: bool = False,
    transitions: Transitions | None = None,
    special_tokens: bool = True,
    max_length: int | None = None,
    overlap: int | None = None,
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
    template
        As for `align`, or ``(d,)`` of them.
    answers, answer_weights
        ``(d,)`` answers: texts (a source with None is left out), or their tokens, with the values
        of all of these.
    fields
        By name, one text for all or ``(d,)`` texts.
    transitions
        Between the ``m`` tokens of the batch; none leads into another source.
    max_length, overlap
        As for `align_windows`; without a length nothing is cut.
    tokenizer, loss, route, allow_inert, special_tokens, policy, strength, per, max_ratio, mean_one
        As for `align`.

    Returns
    -------
    examples : ExampleBatch
        One for each source that could be aligned (or its windows), in the order of the batch;
        `source` says which.
    refused : dict of int to str
        Why the others could not, by their number: empty, not UTF-8, no position whose loss counts,
        no weight that reaches one, or a text the tokenizer fails on.

    Raises
    ------
    AlignmentError
        Values of another batch.
    DataError
        Not one name, answer or field per source.
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
    languages = (language,) * batch.n_sources if isinstance(language, str) else tuple(language)
    task = Task(
        weights=weights,
        batch=batch,
        names=Names(
            source_id=tuple(source_id),
            language=languages,
            source_group=tuple(source_group) or _groups(batch, languages),
        ),
        rule=Rule(
            policy=policy, strength=strength, per=per, max_ratio=max_ratio, mean_one=mean_one
        ),
        material=material_of(template, answers, fields or {}, loss),
        answer=answers if isinstance(answers, TokenBatch) else None,
        answer_weights=answer_weights,
        route=route,
        allow_inert=allow_inert,
        transitions=transitions,
        special_tokens=special_tokens,
    )
    laid = lay(task, tokenizer)
    examples = laid.windows(max_length=max_length, overlap=overlap)
    return examples, {number: str(error) for number, error in sorted(laid.refused.items())}


def _groups(batch: TokenBatch, languages: tuple[str, ...]) -> tuple[str, ...]:
    """Not yet checked: what has not one language per source is refused later, by name."""
    if len(languages) != batch.n_sources:
        return ("",) * batch.n_sources
    return source_groups(batch, languages)

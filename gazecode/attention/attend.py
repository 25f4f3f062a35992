"""What a model attends to in one source, as scores of its AST tokens; and in many sources."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from gazecode.attention.asking import Answer, Answers, Settings, asked, check_tokens, taken_model
from gazecode.attention.generation import MAX_NEW_TOKENS
from gazecode.errors import DataError, ParameterError
from gazecode.model import SourceTokens
from gazecode.model.scores import ModelScores

__all__ = ["attend", "attend_many"]


def attend(  # noqa: PLR0913 - one question, and what may be said about it
    model: Any,
    tokenizer: Any,
    tokens: SourceTokens,
    *,
    method: str = "attention_all_reading",
    answer: Answer = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
    merge: str | None = None,
    window: int | None = None,
    overlap: int | None = None,
    drop: tuple[str, ...] | None = None,
    matrix: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **params: Any,
) -> ModelScores:
    """Score the AST tokens of one source by what a model attends to.

    The prompt is the source as it is, with what the tokenizer puts around it.

    Parameters
    ----------
    model
        A model of transformers, or the folder of one. It is run in evaluation mode and left as it
        was.
    tokenizer
        The model's own: a path, a `tokenizers.Tokenizer` (`gazecode.load_tokenizer`) or a fast
        tokenizer of transformers.
    tokens
        What `gazecode.parse` gives, ``m`` tokens.
    method
        One of `METHODS`.
    answer
        What the model is taken to have answered, for methods that ask: a text (tokenized apart
        from the prompt, nothing added), or ids; None for its own greedy answer.
    max_new_tokens
        Longest greedy answer, in subwords.
    merge
        How subwords become tokens, ``sum``, ``mean`` or ``max``; None for the method's own.
    window
        Most positions at once; None for the model's context. A longer source is read in windows;
        methods that need an answer see the last one alone, and tokens before it have no score.
    overlap
        Positions that windows have in common; None for half of them.
    drop
        Some of ``special`` (special tokens) and ``first`` (the first position, on which causal
        models park attention); None for the method's own: both, for published variants nothing.
    matrix
        Whether to give attention from token to token, too.
    seed
        Of methods that draw.
    progress
        Called with steps done and their number: windows, or what the method counts in one window.
    **params
        The method's own.

    Returns
    -------
    ModelScores
        ``(m,)`` scores, NaN for tokens that no window has or that were dropped whole. Its
        parameters say what decides the numbers: of attention, ``rows`` summed, their ``mass`` and
        the part of it that was ``skipped`` since nothing of the row was left, ``answer_share`` of
        the mass on generated tokens, ``off_token_share`` on white space between tokens, whether
        no row sees what comes after it (``causal``), the number of ``windows`` (no row reaches
        into another) and of subwords ``unseen``.

    Raises
    ------
    ParameterError
        The model cannot be loaded, has no such attention, or a parameter is wrong.
    AlignmentError, TokenizerError
        The source cannot be brought to subwords.

    Examples
    --------
    >>> attend("model", "tokenizer.json", "x = 1")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: tokens is text; give SourceTokens, as gazecode.parse(code, ...
    """
    settings = Settings(
        answer=answer,
        max_new_tokens=max_new_tokens,
        merge=merge,
        window=window,
        overlap=overlap,
        drop=drop,
        matrix=matrix,
        seed=seed,
        params=params,
    )
    check_tokens(tokens)
    return asked(taken_model(model), tokenizer, tokens, method, settings, {}, progress)


def attend_many(
    model: Any,
    tokenizer: Any,
    sources: Sequence[SourceTokens],
    methods: Sequence[str] | Mapping[str, Mapping[str, Any]],
    *,
    answers: Sequence[Answer] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    **settings: Any,
) -> Iterator[ModelScores]:
    """Score many sources by several methods, one after the other, as they are asked for.

    The model is loaded once, and a greedy answer is generated once for all methods of a source.

    Parameters
    ----------
    model, tokenizer
        As for `attend`.
    sources
        ``d`` sources.
    methods
        Names of methods, or the parameters of each by name.
    answers
        ``(d,)`` answers as for `attend`; None for greedy ones.
    progress
        Called with results done, results in all, and what was just done ("source method"); within
        a long one with the same number and how far it is ("source method: 3 of 25").
    **settings
        What else `attend` takes.

    Yields
    ------
    ModelScores
        ``d`` x number of methods: all methods of the first source, then those of the second.

    Raises
    ------
    ParameterError
        As `attend`; also where there are more or fewer answers than sources.
    """
    given = methods if isinstance(methods, Mapping) else {name: {} for name in methods}
    if answers is not None and len(answers) != len(sources):
        raise ParameterError(f"{len(answers)} answers for {len(sources)} sources; give one each")
    known = {field.name for field in fields(Settings)} - {"params"}
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ParameterError.unknown("settings of all methods", unknown[0], known - {"answer"})
    model, done = taken_model(model), 0
    for i, tokens in enumerate(sources):
        made: Answers = {}
        for name, own in given.items():
            mine = {key: own[key] for key in own.keys() & known}
            mixed = Settings(
                **{"answer": None if answers is None else answers[i], **settings, **mine},
                params={key: own[key] for key in own.keys() - known},
            )
            report = _within(progress, done, len(sources) * len(given), tokens, name)
            with _named(tokens):
                scores = asked(model, tokenizer, tokens, name, mixed, made, report)
            yield scores
            done += 1
            if progress is not None:
                progress(done, len(sources) * len(given), _said(tokens, name))


def _said(tokens: SourceTokens, name: str) -> str:
    return f"{getattr(tokens, 'source_id', '')} {name}".strip()


@contextmanager
def _named(tokens: SourceTokens) -> Iterator[None]:
    """Errors say of which of many sources they are."""
    try:
        yield
    except (DataError, ParameterError) as error:
        name = getattr(tokens, "source_id", "")
        if not name or name in str(error):
            raise
        raise type(error)(f"{name}: {error}") from error


def _within(
    progress: Callable[[int, int, str], None] | None,
    done: int,
    total: int,
    tokens: SourceTokens,
    name: str,
) -> Callable[[int, int], None] | None:
    """Reports the steps of one result; None for nobody to hear of them."""
    if progress is None:
        return None

    def report(step: int, steps: int) -> None:
        if steps > 1:
            progress(done, total, f"{_said(tokens, name)}: {step} of {steps}")

    return report

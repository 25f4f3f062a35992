"""One question to one model: the prompt, its windows, its answer, and scores brought to tokens."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.alignment.subwords.tokenizer import prepare, tokenizer_sha256
from gazecode.attention.generation import MAX_NEW_TOKENS, Progress, generate_answer
from gazecode.attention.merging import merge_matrix, merge_subwords
from gazecode.attention.methods import Method, method_named
from gazecode.attention.model import (
    at_rest,
    check_ids,
    context_limit,
    device_of,
    load_model,
    model_name,
)
from gazecode.attention.prompt import Prompt, Scored, prompt_of
from gazecode.attention.windows import joined, last_window, windows_of
from gazecode.errors import DataError, ParameterError
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, IntArray
from gazecode.model.scores import MERGES, ModelScores
from gazecode.registry import check_parameters

__all__ = ["Answer", "Answers", "Settings", "asked", "check_tokens", "taken_model"]

Answer = str | Sequence[int] | IntArray | None
Answers = dict[tuple[bytes, int], IntArray]
"""What a model answered before, by the ids of the prompt and how long it might answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """What `attend` takes beside the model and the source; what each means, it says."""

    answer: Answer = None
    max_new_tokens: int = MAX_NEW_TOKENS
    merge: str | None = None
    window: int | None = None
    overlap: int | None = None
    drop: tuple[str, ...] | None = None
    matrix: bool = False
    seed: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)


def asked(  # noqa: PLR0917 - what `attend` was given
    model: Any,
    tokenizer: Any,
    tokens: SourceTokens,
    name: str,
    settings: Settings,
    made: Answers,
    progress: Progress | None,
) -> ModelScores:
    """Score one source by one method.

    Parameters
    ----------
    model, tokenizer, tokens, progress
        As for `gazecode.attention.attend`; the model is loaded.
    name
        Of the method.
    settings
        Everything else that was said.
    made
        What the model answered to this source before; added to.
    """
    method = method_named(name)
    check_tokens(tokens)
    _check(settings)
    drop = method.drop if settings.drop is None else tuple(settings.drop)
    prompt = prompt_of(tokens, tokenizer, drop=drop, device=device_of(model))
    check_ids(model, prompt.ids, what=tokens.source_id or "the source")
    length = _length(model, settings.window)
    answer: IntArray | None = None
    if method.needs_answer:
        answer = _given(model, tokenizer, settings.answer)
        room = settings.max_new_tokens if answer is None else len(answer)
        windows = [last_window(prompt, None if length is None else length - room)]
        if answer is None:
            answer = _greedy(model, windows[0].of(prompt), settings.max_new_tokens, made)
    else:
        windows = windows_of(prompt, length, settings.overlap)
    function, params = _ready(method, name, settings, progress, alone=len(windows) == 1)
    done = None
    if progress is not None and "progress" not in params:
        done = _counting(progress, len(windows))
    with at_rest(model):
        scored, seen = joined(
            prompt,
            windows,
            lambda part: _checked(name, function(model, part, answer_ids=answer, **params), part),
            received=method.received,
            done=done,
        )
    return _merged(
        prompt,
        scored,
        seen,
        model=model_name(model),
        method=name,
        merge=settings.merge or method.merge,
        matrix=settings.matrix,
        parameters={
            "model_class": type(model).__name__,
            "tokenizer_sha256": tokenizer_sha256(tokenizer),
            "drop": list(drop),
            "windows": len(windows),
            "window": length,
            "overlap": windows[-1].overlap,
            "subwords": len(prompt),
            "answer_subwords": 0 if answer is None else len(answer),
            **method.fixed,
            **_plain(settings.params),
        },
    )


def _checked(name: str, said: Any, part: Prompt) -> Scored:
    """Refuse what a method of another package gives where it is no score per subword."""
    if not isinstance(said, Scored):
        raise DataError(f"method {name} gives a {type(said).__name__}; expected a Scored")
    if np.shape(said.value) != (len(part),):
        raise DataError(
            f"method {name} gives scores {np.shape(said.value)}; expected one for each of "
            f"{len(part)} subwords"
        )
    return said


def _merged(
    prompt: Prompt,
    scored: Scored,
    seen: BoolArray,
    *,
    model: str,
    method: str,
    merge: str,
    matrix: bool,
    parameters: dict[str, Any],
) -> ModelScores:
    parts, tokens = prompt.token, prompt.tokens
    assert parts is not None  # noqa: S101 - for the type checker: `_check` saw to it
    assert tokens is not None  # noqa: S101
    found = merge_subwords(parts, scored.value, seen, merge)
    value = found.value
    if scored.token is not None and merge == "sum":
        # The method's own scores of tokens, where there is anything of the token to be seen.
        held = np.bincount(parts.token, weights=seen[parts.subword], minlength=len(tokens)) > 0
        value = np.where(held, scored.token, np.nan)
    expected = None
    if scored.expected is not None:
        expected = merge_subwords(parts, scored.expected, seen, merge).value
    removed = scored.removed_share
    if removed is None:
        size = np.abs(np.nan_to_num(scored.value))
        removed = float(size[prompt.dropped].sum() / size.sum()) if size.any() else 0.0
    between = None
    if matrix and scored.matrix is not None:
        between = merge_matrix(parts, scored.matrix, seen)
    return ModelScores(
        model=model,
        method=method,
        span=tokens.span,
        value=value,
        expected=expected,
        matrix=between,
        removed_share=removed,
        merge=merge,
        parameters={
            **parameters,
            **_plain(scored.parameters),
            "off_token_share": found.off_share,
            "unseen": int(np.count_nonzero(~seen & ~prompt.dropped)),
        },
    )


def check_tokens(tokens: Any) -> None:
    """Refuse what is not a parsed source, or one without a token.

    Raises
    ------
    ParameterError
        Saying how to come by one.
    DataError
        There is nothing in it to score.
    """
    if isinstance(tokens, str | bytes):
        raise ParameterError(
            "tokens is text; give SourceTokens, as gazecode.parse(code, language) gives them "
            "(for subwords alone: gazecode.attention.prompt_of and a method's function)"
        )
    if not isinstance(tokens, SourceTokens):
        raise ParameterError(f"tokens is a {type(tokens).__name__}; expected SourceTokens")
    if not len(tokens):
        raise DataError(
            f"{tokens.source_id or 'the source'} has no token, so that nothing can be scored; "
            "leave it out"
        )


def _check(settings: Settings) -> None:
    if settings.merge is not None and settings.merge not in MERGES:
        raise ParameterError.unknown("merges", settings.merge, MERGES)
    if settings.max_new_tokens < 1:
        raise ParameterError(f"max_new_tokens is {settings.max_new_tokens}; expected 1 or more")


def taken_model(model: Any) -> Any:
    """Return the model itself, or the one in a folder.

    Raises
    ------
    ParameterError
        It is no model of transformers, or there is none in the folder.
    """
    if isinstance(model, str | Path):
        return load_model(model)
    if not (hasattr(model, "named_modules") and hasattr(model, "config")):
        raise ParameterError(
            f"model is a {type(model).__name__}; expected a model of transformers, or the folder "
            "of one"
        )
    return model


def _length(model: Any, window: int | None) -> int | None:
    limit = context_limit(model)
    if window is None:
        return limit
    if window < 1 or (limit is not None and window > limit):
        raise ParameterError(
            f"window is {window}; expected 1 to {limit or 'any number of'} positions, as the "
            "model has"
        )
    return window


def _given(model: Any, tokenizer: Any, answer: Answer) -> IntArray | None:
    """The answer that the user gave, as ids."""
    if answer is None:
        return None
    if isinstance(answer, str):
        answer = prepare(tokenizer).tokenizer.encode(answer, add_special_tokens=False).ids
    ids = np.asarray(answer)
    if ids.ndim != 1 or not len(ids) or ids.dtype.kind not in "iu" or ids.min() < 0:
        raise ParameterError("answer is not a text or ids of one token at least; give such a one")
    check_ids(model, ids, what="the answer")
    return ids.astype(np.int64)


def _greedy(model: Any, prompt: Prompt, max_new_tokens: int, made: Answers) -> IntArray:
    """The model's own answer, generated once."""
    key = (prompt.ids.tobytes(), max_new_tokens)
    if key not in made:
        made[key] = generate_answer(model, prompt.ids, max_new_tokens)
    if not len(made[key]):
        raise ParameterError(
            "the model ends at once and answers nothing; give an answer to score, or take a "
            "reading method"
        )
    return made[key]


def _ready(
    method: Method, name: str, settings: Settings, progress: Progress | None, *, alone: bool
) -> tuple[Callable[..., Scored], dict[str, Any]]:
    """The function of a method and all its parameters but the answer."""
    function = method.function
    known = inspect.signature(function).parameters
    reserved = ("answer_ids", "progress", "matrix", "seed", *method.fixed)
    check_parameters(function, settings.params, name=name, reserved=reserved)
    params = {**method.fixed, **settings.params}
    if settings.matrix:
        if "matrix" not in known or (method.needs_answer and method.received):
            raise ParameterError(
                f"{name} gives no matrix; attention of reading steps and rollout do"
            )
        params["matrix"] = True
    if "seed" in known:
        params["seed"] = settings.seed
    if "progress" in known and progress is not None and alone:
        params["progress"] = progress
    return function, params


def _counting(progress: Progress, total: int) -> Callable[[int], None]:
    return lambda done: progress(done, total)


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values that JSON has; the name of the class of what it has not, such as another model."""
    return {name: _plain_value(value) for name, value in parameters.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_plain_value(part) for part in value]
    if isinstance(value, Path):
        return value.name
    return value if isinstance(value, str | int | float | None) else type(value).__name__

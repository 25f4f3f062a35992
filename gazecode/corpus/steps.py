"""A few hundred sources of one language through all stages, as arrays.

parse → syntax check → pseudo scan path → weigh → align
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gazecode.alignment import align_batch
from gazecode.corpus.counts import Counts, reach_bin
from gazecode.corpus.drawing import draw_and_weigh
from gazecode.corpus.records import one_line
from gazecode.corpus.settings import PROSE, WeighSettings
from gazecode.corpus.syntax import parse_checked
from gazecode.model import ExampleBatch, ScanPath, TokenBatch, TokenWeights
from gazecode.model.checks import FloatArray, IntArray
from gazecode.model.groups import source_groups

__all__ = ["Made", "Refused", "make_examples"]

Refused = dict[int, tuple[str, str]]
"""Stage and reason by number of the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of some sources: examples, reasons, counts.

    `examples.source` counts within the sources given; None if there is not one example.
    """

    examples: ExampleBatch | None
    refused: Refused = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


def make_examples(
    ids: Sequence[str],
    codes: Sequence[bytes],
    language: str,
    settings: WeighSettings,
    tokenizer: Any,
    *,
    answers: Sequence[bytes] | None = None,
) -> Made:
    """Take sources of one language, and their answers, from text to weighted subwords."""
    batch, share = parse_checked(codes, language)
    refused = _faulty(share, language, settings)
    answered = _answers(answers, settings, refused)
    rows = [i for i in range(len(codes)) if i not in refused]
    if not rows:
        return Made(examples=None, refused=refused)
    kept = np.array(rows)
    if refused:
        batch = _taken(batch, kept)
    path, weights = _weighed(batch, settings)
    examples, reasons = align_batch(
        weights,
        batch,
        tokenizer,
        source_id=[ids[i] for i in rows],
        language=language,
        source_group=source_groups(batch, language),
        **_answer_arguments(answered, kept, settings),
        **settings.align.arguments([codes[i] for i in rows], settings.seed),
    )
    refused |= {rows[i]: ("align", one_line(reason)) for i, reason in reasons.items()}
    moved = replace(examples, source=kept[examples.source])
    counts = _counts(moved, path.unknown_labels, settings)
    counts.numbers["sources_with_syntax_errors"] = int((share[np.unique(moved.source)] > 0).sum())
    return Made(examples=moved, refused=refused, counts=counts)


def _faulty(share: FloatArray, language: str, settings: WeighSettings) -> Refused:
    return {
        i: ("parse", _unparsed(float(share[i]), language))
        for i in np.flatnonzero(share > settings.max_error_share).tolist()
    }


Answers = list[str] | TokenBatch | None
"""Prose, or code as tokens; None for a corpus without answers."""


def _answers(answers: Sequence[bytes] | None, settings: WeighSettings, refused: Refused) -> Answers:
    """Read all answers; the source of one that is not the code it should be is refused."""
    if answers is None or not settings.answer:
        return None
    if settings.answer == PROSE:
        return [answer.decode("utf-8") for answer in answers]
    batch, share = parse_checked(answers, settings.answer)
    for i, (stage, reason) in _faulty(share, settings.answer, settings).items():
        refused.setdefault(i, (stage, f"the answer: {reason}"))
    return batch


def _answer_arguments(answers: Answers, kept: IntArray, settings: WeighSettings) -> dict[str, Any]:
    """What `align_batch` is told about the answers of the sources that are left."""
    if answers is None:
        return {}
    if not isinstance(answers, TokenBatch):
        return {"answers": [answers[i] for i in kept.tolist()]}
    own = answers if len(kept) == answers.n_sources else _taken(answers, kept)
    said: dict[str, Any] = {"answers": own}
    if settings.align.route in (None, "answer_prior"):
        said["answer_weights"] = _weighed(own, settings)[1]
    return said


def _weighed(batch: TokenBatch, settings: WeighSettings) -> tuple[ScanPath, TokenWeights]:
    return draw_and_weigh(
        batch,
        settings.priors,
        settings.scheme,
        seed=settings.seed,
        params=settings.scheme_params,
        path_params=settings.path_params,
    )


def _taken(batch: TokenBatch, kept: IntArray) -> TokenBatch:
    """Some of the sources, as if there were no others."""
    count, length = np.diff(batch.token_start), np.diff(batch.code_start)
    stays = np.zeros(batch.n_sources, dtype=bool)
    stays[kept] = True
    token = np.repeat(stays, count)
    code_start = np.concatenate([[0], np.cumsum(length[kept])])
    moved = np.repeat(code_start[:-1] - batch.code_start[kept], count[kept])
    return TokenBatch(
        code=b"".join(batch.code_of(i) for i in kept.tolist()),
        code_start=code_start,
        token_start=np.concatenate([[0], np.cumsum(count[kept])]),
        span=batch.span[token] + moved[:, None],
        row=batch.row[token],
        label=batch.label[token],
    )


def _unparsed(share: float, language: str) -> str:
    return (
        f"{share:.0%} of the source are syntax errors as {language}; "
        "expected code of that language (name another with language=... (--language), or allow "
        "more with max_error_share=... (--max-error-share))"
    )


def _counts(examples: ExampleBatch, unknown: dict[str, int], settings: WeighSettings) -> Counts:
    moved = np.abs(examples.weight - 1.0)
    total = _per_example(moved, examples.first_position) + examples.inert_weight
    counted = _per_example(np.where(examples.loss_mask, moved, 0.0), examples.first_position)
    reach = counted[total > 0] / total[total > 0]
    seen = set(settings.priors.sources)
    counts = Counts(
        reach_sum=float(reach.sum()),
        reach_min=float(reach.min(initial=np.inf)),
        reach_n=len(reach),
    )
    _, first = np.unique(examples.source, return_index=True)
    counts.reach_bins.update(map(reach_bin, reach.tolist()))
    counts.unknown_labels.update(unknown)
    counts.languages.update(examples.language[i] for i in first)
    counts.numbers.update(
        sources=len(first),
        examples=len(examples),
        bytes=sum(len(text.encode()) for text in examples.text),
        tokens=len(examples.token_value),
        subwords=len(examples.input_ids),
        subwords_on_path=int(examples.on_path.sum()),
        sources_without_signal=int(np.sum(examples.said["no_signal"][first])),
        sources_in_priors=sum(examples.source_sha256[i] in seen for i in first),
    )
    if "end_learned" in examples.said:
        counts.numbers["sources_whose_end_counts"] = int(
            np.sum(examples.said["end_learned"][first])
        )
    return counts


def _per_example(values: FloatArray, first: np.ndarray[Any, Any]) -> FloatArray:
    """Sums from each of `first` to the next; an example has at least one position."""
    return np.add.reduceat(values, first[:-1]) if len(values) else np.zeros(len(first) - 1)

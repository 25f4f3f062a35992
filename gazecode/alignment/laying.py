"""From a task to examples: texts, subwords, weights, attention, for all sources at once."""

import hashlib
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from gazecode.alignment.carried import Carried, carried, characters
from gazecode.alignment.identity import cut_bytes, digests
from gazecode.alignment.routes.named import LOSS_WEIGHT, ROUTES, Reading, Routed, exposed_of
from gazecode.alignment.rule import ROUNDING, attention, gaze_of, reach_of, weights_of
from gazecode.alignment.saccades import saccades_lost, spread_transitions
from gazecode.alignment.selection import chosen, rows_of
from gazecode.alignment.spread import Spread
from gazecode.alignment.subwords.encode import Encoded, encode
from gazecode.alignment.subwords.offsets import first_of, summed
from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.alignment.task import Task
from gazecode.alignment.templates.filling import Refused, fill_all
from gazecode.alignment.windows.cut import cut_windows
from gazecode.errors import InertError, ParameterError
from gazecode.model import ExampleBatch
from gazecode.model.checks import Array, BoolArray, FloatArray, IntArray
from gazecode.registry import check_values

__all__ = ["Laid", "lay"]

CONTEXT = 8
"""Unless somebody says more, an eighth of a window is context: its first position has some."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """Examples, and what their types do not say.

    Attributes
    ----------
    refused
        Why the other sources have none, by number.
    encoded, position
        The texts they came from, and ``(n,)`` the positions of these that they have; None for all.
    token
        ``(m,)`` which token of the code each token is, or, counted on, of the answers.
    """

    examples: ExampleBatch
    refused: Refused
    encoded: Encoded
    token: IntArray
    position: IntArray | None = None

    def windows(self, *, max_length: int | None, overlap: int | None) -> ExampleBatch:
        """The examples, those that are too long cut into windows."""
        if max_length is None:
            if overlap:
                raise ParameterError(
                    f"overlap is {overlap} and there is no max_length: without it nothing is cut; "
                    "give both or none"
                )
            return self.examples
        check_values(cut_windows, {"max_length": max_length}, name="windows")
        if overlap is None:
            overlap = max_length // CONTEXT
        span, added = self.encoded.span, self.encoded.added
        if self.position is not None:
            span, added = span[self.position], added[self.position]
        return cut_windows(self.examples, span, added, max_length=max_length, overlap=overlap)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """``(m,)`` what is known of the tokens of the texts."""

    value: FloatArray
    exposed: BoolArray
    on_path: BoolArray
    gaze: FloatArray
    weighs: BoolArray


def lay(task: Task, tokenizer: Any) -> Laid:
    """Make the examples of a task."""
    prepared = prepare(tokenizer)
    filled, refused = fill_all(task.batch, task.names.source_id, task.material)
    kept, encoded, more = encode(
        filled, task.names.source_id, prepared, special_tokens=task.adds_special
    )
    refused |= more
    if refused:
        task = task.of(kept)
    reading = task.reading
    routed = ROUTES[str(task.route)](reading)
    tokens = carried(encoded, task.batch, reading.answer)
    spread = Spread(encoded.ownership, tokens.span)
    values = _values(reading, routed, tokens)
    weights = _weights(task, reading, values, tokens, spread, encoded)
    starts = encoded.segments
    start, end = encoded.borders
    own = tokens.span - _own_start(tokens, encoded)
    weights["said"] |= routed.said
    examples = ExampleBatch(
        source=kept,
        **_names(encoded, task, tokens, values),
        first_position=encoded.first_position,
        first_token=tokens.first,
        input_ids=encoded.ids,
        loss_mask=encoded.loss_mask,
        **weights,
        on_path=spread.flagged(values.on_path),
        token_index=_within_own(spread.token_index, tokens, encoded),
        token_start=own[:, 0],
        token_end=own[:, 1],
        token_label=tokens.taken(
            task.batch.label, None if reading.answer is None else reading.answer.label
        ),
        token_value=_token_value(values, tokens, task.weights.unit),
        route=str(task.route),
        first_segment=starts.first,
        segment_name=starts.name,
        segment_start=start,
        segment_end=end,
        prior_sources=_prior_sources(task),
        n_people=max(w.n_people for w in (task.weights, task.answer_weights) if w is not None),
        settings=_settings(task, prepared.sha256),
    )
    row = np.arange(len(tokens)) if tokens.row is None else tokens.row
    laid = Laid(examples=examples, refused=refused, encoded=encoded, token=row)
    return laid if task.allow_inert else _without_inert(laid, task)


def _without_inert(laid: Laid, task: Task) -> Laid:
    """Refuse texts whose weight would do nothing."""
    inert = laid.examples.said["weight_reach"] == 0.0
    if not inert.any():
        return laid
    refused = dict(laid.refused)
    for k in np.flatnonzero(inert).tolist():
        name = task.names.source_id[k] or "the source"
        loss = task.material.loss_of(task.material.template_of(k))
        instead = "choose route='copy', 'answer_prior' or 'attention'"
        if task.route == "copy":
            instead = (
                "the answer repeats no token of the code that carries weight; leave it out, choose "
                "another route"
            )
        refused[int(laid.examples.source[k])] = InertError(
            f"{name}: all weight lies where no loss counts (weight_reach 0): the loss counts on "
            f"{', '.join(loss)}, where every weight is 1; {instead}, or pass allow_inert=True"
        )
    kept = np.flatnonzero(~inert)
    return replace(
        laid,
        examples=chosen(laid.examples, kept),
        refused=refused,
        position=rows_of(laid.examples.first_position, kept),
        token=laid.token[rows_of(laid.examples.first_token, kept)],
    )


def _values(reading: Reading, routed: Routed, tokens: Carried) -> Values:
    weights, answer = reading.weights, routed.answer
    exposed, gaze = exposed_of(weights), gaze_of(weights)
    weighs = exposed if routed.weighs_source else np.zeros(len(exposed), dtype=bool)
    if answer is None or not len(answer):
        empty = np.empty(0)
        columns = {
            "value": (weights.value, empty),
            "exposed": (exposed, empty.astype(bool)),
            "on_path": (weights.on_path, empty.astype(bool)),
            "weighs": (weighs, empty.astype(bool)),
        }
        own_gaze = empty
    else:
        own = exposed_of(answer)
        columns = {
            "value": (weights.value, answer.value),
            "exposed": (exposed, own),
            "on_path": (weights.on_path, answer.on_path),
            "weighs": (weighs, own),
        }
        own_gaze = gaze_of(answer)
    made = {name: tokens.taken(*pair) for name, pair in columns.items()}
    return Values(**made, gaze=_gaze(gaze, own_gaze, reading, tokens))


def _gaze(
    of_code: FloatArray, of_answers: FloatArray, reading: Reading, tokens: Carried
) -> FloatArray:
    """``(m,)`` attention there was: on the code; where it has none, what a prior gives the answer.

    Values that were copied are no attention to the answer.
    """
    if reading.answer_weights is None:
        return tokens.divided(tokens.taken(of_code, np.zeros(len(of_answers))))
    gaze = tokens.divided(tokens.taken(of_code, of_answers))
    text = np.repeat(np.arange(len(tokens.first) - 1), np.diff(tokens.first))
    is_code = np.arange(len(tokens)) >= 0 if tokens.row is None else tokens.row < tokens.n_code
    looked_at = summed(text, np.where(is_code, gaze, 0.0), len(tokens.first) - 1) > 0
    return np.where(is_code | ~looked_at[text], gaze, 0.0)


def _weights(  # noqa: PLR0917 - all of them describe one batch
    task: Task,
    reading: Reading,
    values: Values,
    tokens: Carried,
    spread: Spread,
    encoded: Encoded,
) -> dict[str, Any]:
    """Weight and attention per subword, transitions, and what there is to say of each example."""
    d = len(encoded.text)
    size = None
    if task.rule.asks_for_characters:
        of_answers = None if reading.answer is None else characters(reading.answer)
        size = tokens.taken(characters(task.batch), of_answers)
    weighed = weights_of(
        values.value,
        values.weighs,
        tokens=tokens,
        spread=spread,
        encoded=encoded,
        rule=task.rule,
        characters=size,
    )
    mass = attention(values.gaze, tokens.first, spread, encoded)
    reached = np.bincount(encoded.position_text[mass > 0], minlength=d)
    no_signal = reached == 0
    if task.route != "attention":
        no_signal |= weighed.made.no_signal
    said: dict[str, Array] = {
        "no_signal": no_signal,
        "clipped_share": weighed.made.clipped_share,
        "weight_reach": reach_of(weighed, encoded),
        **_accounts(task, values, tokens, spread, encoded),
    }
    columns: dict[str, Any] = {}
    if task.transitions is not None:
        seen = tokens.transitions(task.transitions)
        columns = spread_transitions(seen, spread, encoded.first_position)
        said["saccades_lost"] = saccades_lost(seen, spread, tokens.first)
    return {
        "weight": weighed.made.weight,
        "attention": mass,
        "inert_weight": weighed.inert,
        "said": said,
        **columns,
    }


def _accounts(
    task: Task, values: Values, tokens: Carried, spread: Spread, encoded: Encoded
) -> dict[str, Array]:
    """What did not reach a subword, by source: nothing is lost in silence."""
    d = len(encoded.text)
    lost = np.flatnonzero((spread.owned == 0) & (values.gaze > 0))
    source = np.searchsorted(tokens.first, lost, side="right") - 1
    n_lost, mass_lost = np.bincount(source, minlength=d), summed(source, values.gaze[lost], d)
    if tokens.row is not None:
        # What a chat template takes off is in no text at all.
        gaze = gaze_of(task.weights)
        gone = (1.0 - tokens.reached) * gaze
        missing = np.flatnonzero(gone > ROUNDING * gaze)
        source = task.batch.source[missing]
        n_lost = n_lost + np.bincount(source[tokens.reached[missing] == 0], minlength=d)
        mass_lost = mass_lost + summed(source, gone[missing], d)
    said: dict[str, Array] = {
        "tokens_lost": n_lost,
        "mass_lost": mass_lost,
        "unowned_bytes": encoded.unowned_bytes,
        "special_in_code": encoded.special_in_code,
    }
    if any(template.middle is not None for template in task.material.templates):
        part = np.ones(len(tokens)) if tokens.part is None else tokens.part
        text = np.repeat(np.arange(d), np.diff(tokens.first))
        said["token_parts"] = np.bincount(text[part < 1.0], minlength=d)
    if encoded.end_learned is not None:
        said["end_learned"] = encoded.end_learned
    return said


def _names(encoded: Encoded, task: Task, tokens: Carried, values: Values) -> dict[str, Any]:
    """The columns with one text per example."""
    d, batch, names = task.batch.n_sources, task.batch, task.names
    return {
        "example_id": _example_ids(encoded, task, tokens, values),
        "source_id": names.source_id,
        "participant": (names.participant,) * d,
        "trial": (names.trial,) * d,
        "language": names.language,
        "text": encoded.text,
        "source_sha256": tuple(hashlib.sha256(batch.code_of(i)).hexdigest() for i in range(d)),
        "source_group": names.source_group,
    }


def _example_ids(encoded: Encoded, task: Task, tokens: Carried, values: Values) -> tuple[str, ...]:
    names, rule = task.names, task.rule
    head: dict[str, object] = {
        "scheme": task.weights.scheme,
        "unit": task.weights.unit,
        **asdict(rule),
        "participant": names.participant,
        "trial": names.trial,
    }
    if not rule.mean_one:
        # Names given before there was this choice stay what they were.
        del head["mean_one"]
    columns = [
        (encoded.ids, "<i8", encoded.first_position),
        (values.value, "<f8", tokens.first),
        (values.on_path, "?", tokens.first),
        (values.exposed, "?", tokens.first),
    ]
    if task.is_plain:
        parts = [cut_bytes(*column) for column in columns]
        return digests(head, encoded.text, names.source_id, parts)
    head["route"] = str(task.route)
    if task.answer_weights is not None:
        head["answer"] = [task.answer_weights.scheme, task.answer_weights.unit]
    columns += [
        (encoded.loss_mask, "?", encoded.first_position),
        (values.weighs, "?", tokens.first),
        ((tokens.span - _own_start(tokens, encoded)).ravel(), "<i8", 2 * tokens.first),
        *_seen(task, tokens),
    ]
    first = encoded.segments.first.tolist()
    segments = (memoryview(repr(encoded.segments.name[a:b]).encode()) for a, b in pairwise(first))
    parts = [*(cut_bytes(*column) for column in columns), segments]
    return digests(head, encoded.text, names.source_id, parts)


def _seen(task: Task, tokens: Carried) -> list[tuple[Array, str, IntArray]]:
    """Transitions as columns."""
    if task.transitions is None:
        return []
    seen = tokens.transitions(task.transitions)
    text = np.searchsorted(tokens.first, seen.origin, side="right") - 1
    first = first_of(np.bincount(text, minlength=len(tokens.first) - 1))
    own = tokens.first[text]
    return [
        (seen.origin - own, "<i8", first),
        (seen.target - own, "<i8", first),
        (seen.count, "<f8", first),
    ]


def _own_start(tokens: Carried, encoded: Encoded) -> IntArray:
    """``(m, 1)`` byte at which the text of each token begins."""
    start: IntArray = np.repeat(encoded.first_byte[:-1], np.diff(tokens.first))[:, None]
    return start


def _within_own(token_index: IntArray, tokens: Carried, encoded: Encoded) -> IntArray:
    """Numbers of tokens counted within their own text; -1 stays."""
    own = token_index - tokens.first[encoded.position_text]
    return np.where(token_index < 0, -1, own)


def _token_value(values: Values, tokens: Carried, unit: str) -> FloatArray:
    """Values before alignment: a token that was cut has its dwell in parts, its weight in each."""
    return values.value if unit == LOSS_WEIGHT else tokens.divided(values.value)


def _prior_sources(task: Task) -> tuple[str, ...]:
    given = task.weights.prior_sources
    if task.answer_weights is None:
        return given
    return tuple(sorted({*given, *task.answer_weights.prior_sources}))


def _settings(task: Task, sha256: str) -> dict[str, object]:
    settings: dict[str, object] = {
        "scheme": task.weights.scheme,
        "unit": task.weights.unit,
        **asdict(task.rule),
        "tokenizer_sha256": sha256,
        "route": str(task.route),
    }
    if task.answer_weights is not None:
        settings["answer_scheme"] = task.answer_weights.scheme
        settings["answer_unit"] = task.answer_weights.unit
    return settings

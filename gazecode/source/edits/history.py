"""A text that was edited: its versions in time, and one id per token through all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError, SourceError
from gazecode.model import SourceTokens
from gazecode.model.checks import FloatArray, IntArray, column, sealed
from gazecode.source.batch import automaton_of, read_trees, walk_sources
from gazecode.source.edits.changelog import Edit
from gazecode.source.edits.changes import ChangeLog, Changes
from gazecode.source.edits.identity import Identities
from gazecode.source.edits.replay import Splice, apply_splice, find_splices, splices_between
from gazecode.source.edits.versions import Rows, Texts
from gazecode.source.grammars import known_language, language_of
from gazecode.source.leaves import fill_gaps
from gazecode.source.parsing import parse

__all__ = ["TokenHistory", "follow_edits", "follow_snapshots"]

_Step = tuple[float, tuple[Splice, ...], bytes]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenHistory:
    """Versions of one source, and the ids of their tokens.

    Version 0 is the text before the first edit; edits of the same time make one version. What an
    id is and does is said in `gazecode.source.edits.identity`. Times are the recording's.

    Attributes
    ----------
    onset_ms
        ``(v,)`` from when on each version holds, strictly increasing; the first is -inf.
    n_ids
        How many ids there are: the first version's tokens have 0, 1, 2, ... in text order.
    parent
        ``(n_ids,)`` the id each was split off from; -1 for none.
    changes
        What came and went when; the tokens of version 0 are born in no row.
    disorder
        Times that lay before the one before them and count as that one.
    """

    language: str
    source_id: str
    onset_ms: FloatArray
    n_ids: int
    parent: IntArray
    changes: Changes
    texts: Texts = field(repr=False)
    rows: Rows = field(repr=False)
    disorder: int = 0

    def __post_init__(self) -> None:
        column(self, "onset_ms", np.float64)
        column(self, "parent", np.int64)

    def __len__(self) -> int:
        return len(self.onset_ms)

    def at(self, t_ms: npt.ArrayLike) -> IntArray:
        """Version in force at each time; a version holds from its edit on."""
        found = np.searchsorted(self.onset_ms, np.asarray(t_ms, dtype=np.float64), side="right")
        version: IntArray = np.maximum(found - 1, 0)
        return version

    def code(self, version: int) -> bytes:
        """Text of a version."""
        return self.texts[self._known(version)]

    def spans(self, version: int) -> IntArray:
        """``(m, 2)`` bytes of a version's tokens: those of `tokens`, without parsing."""
        spans: IntArray = self.rows[self._known(version)][:, :2]
        return spans

    def ids(self, version: int) -> IntArray:
        """``(m,)`` ids of a version's tokens."""
        ids: IntArray = self.rows[self._known(version)][:, 2]
        return ids

    def tokens(self, version: int) -> SourceTokens:
        """Tokens of a version, parsed now."""
        return parse(self.code(version), self.language, source_id=self.source_id)

    def numbers(self, version: int) -> IntArray:
        """``(n_ids,)`` number of each id's token in a version; -1 where it has none."""
        numbers = np.full(self.n_ids, -1)
        ids = self.ids(version)
        numbers[ids] = np.arange(len(ids))
        return numbers

    def present_ms(self, onset_ms: float, offset_ms: float) -> FloatArray:
        """``(n_ids,)`` how long each id had a token between two times, ms."""
        first = self.ids(0)
        present = np.zeros(self.n_ids)
        came = np.isin(self.changes.what, ("born", "returned"))
        t = np.clip(self.changes.t_ms, onset_ms, offset_ms)
        # What is there from a time on is there until the end, less what is gone from one on.
        present[first] += offset_ms - onset_ms
        np.add.at(present, self.changes.id, np.where(came, 1.0, -1.0) * (offset_ms - t))
        return present

    def _known(self, version: int) -> int:
        if not 0 <= version < len(self):
            raise DataError(f"no version {version}; there are {len(self)}, numbered from 0")
        return version


def follow_edits(
    code: str | bytes,
    edits: Sequence[Edit],
    t_ms: npt.ArrayLike,
    *,
    language: str | None = None,
    source_id: str = "",
    unit: str | None = None,
) -> TokenHistory:
    """Follow every token through an edit log.

    Parameters
    ----------
    code
        The file when the log began, as it was on disk.
    edits
        Of this file, in the log's order (`read_changelog`).
    t_ms
        ``(e,)`` when, on the recording's clock (`clock_ms`).
    language, source_id
        As for `gazecode.parse`.
    unit
        What offsets count; None finds out (`replay`).

    Raises
    ------
    DataError
        An edit does not fit the text, or times and edits differ in number.
    SourceError
        `code` is not UTF-8.

    Examples
    --------
    >>> edits = [
    ...     Edit(kind="insert", offset=1, text="b", unix_ms=1000),
    ...     Edit(kind="delete", offset=5, text="1", unix_ms=2000),
    ... ]
    >>> history = follow_edits("a = 1", edits, [1000, 2000], language="javascript")
    >>> history.code(1), history.ids(1)
    (b'ab = 1', array([0, 1, 2]))
    >>> history.ids(history.at(2500)).tolist(), history.changes.what.tolist()
    ([0, 1], ['deleted'])
    """
    raw = _as_bytes(code, source_id)
    times = np.asarray(t_ms, dtype=np.float64)
    if times.shape != (len(edits),) or not np.isfinite(times).all():
        raise DataError(
            f"{len(edits)} edits and times of shape {times.shape}; expected one finite time each"
        )
    splices = find_splices(raw, edits, unit=unit)
    ordered = np.maximum.accumulate(times) if len(times) else times
    return _follow(
        raw,
        _steps(raw, splices, ordered.tolist()),
        language=language,
        source_id=source_id,
        disorder=int((ordered != times).sum()),
    )


def follow_snapshots(
    codes: Sequence[str | bytes],
    t_ms: npt.ArrayLike,
    *,
    language: str | None = None,
    source_id: str = "",
) -> TokenHistory:
    """Follow every token through whole files that were kept one after the other (CodeGRITS).

    Parameters
    ----------
    codes
        ``(k,)`` texts, at least one; the first also stands for the time before it.
    t_ms
        ``(k,)`` from when on each holds.
    language, source_id
        As for `gazecode.parse`.

    Examples
    --------
    >>> history = follow_snapshots(["a;", "a; b;", "b;"], [0, 10, 20], language="javascript")
    >>> [history.ids(k).tolist() for k in range(3)]
    [[0, 1], [0, 1, 2, 3], [2, 3]]
    """
    raws = [_as_bytes(code, source_id) for code in codes]
    times = np.asarray(t_ms, dtype=np.float64)
    if not raws or times.shape != (len(raws),) or not np.isfinite(times).all():
        raise DataError(
            f"{len(raws)} texts and times of shape {times.shape}; expected at least one text, "
            "and one finite time each"
        )
    order = np.argsort(times, kind="stable")
    # Of texts of the same time the last one holds.
    order = order[np.append(np.diff(times[order]) > 0, True)]
    raws, onsets = [raws[i] for i in order.tolist()], times[order].tolist()
    steps = (
        (t, splices_between(old, new), new)
        for t, old, new in zip(onsets[1:], raws[:-1], raws[1:], strict=True)
    )
    disorder = int((np.diff(times) < 0).sum())
    return _follow(raws[0], steps, language=language, source_id=source_id, disorder=disorder)


def _as_bytes(code: str | bytes, source_id: str) -> bytes:
    try:
        raw = code.encode() if isinstance(code, str) else bytes(code)
        raw.decode()
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{source_id or 'the source'} is no text that UTF-8 can hold ({error.reason}); decode "
            "the file with its own encoding"
        ) from None
    return raw


def _steps(code: bytes, splices: Sequence[Splice], times: list[float]) -> Iterable[_Step]:
    """Splices of the same time together, with the text after them."""
    begin = 0
    for end in range(1, len(splices) + 1):
        code = apply_splice(code, splices[end - 1])
        if end == len(splices) or times[end] != times[begin]:
            yield times[begin], tuple(splices[begin:end]), code
            begin = end


def _follow(
    code: bytes, steps: Iterable[_Step], *, language: str | None, source_id: str, disorder: int
) -> TokenHistory:
    name = language_of(source_id) if language is None else known_language(language)
    identities, texts = Identities(), Texts()
    identities.begin(code, _spans(code, name))
    texts.append(code, ())
    onsets = [-np.inf]
    log = ChangeLog(len(identities.parent))
    for t_ms, splices, after in steps:
        before = identities.rows.last
        now = identities.step(after, splices, _spans(after, name))
        onsets.append(t_ms)
        texts.append(after, splices)
        log.note(t_ms, before, identities.rows.last, now=now, parent=identities.parent)
    return TokenHistory(
        language=name,
        source_id=source_id,
        onset_ms=np.array(onsets),
        n_ids=len(identities.parent),
        parent=sealed(np.array(identities.parent, dtype=np.int64)),
        changes=log.changes(),
        texts=texts,
        rows=identities.rows,
        disorder=disorder,
    )


def _spans(code: bytes, language: str) -> IntArray:
    """Bytes of a source's tokens, as `parse` has them, without what else it says."""
    automaton = automaton_of(language)
    walked, sources = walk_sources(read_trees([code], language), [code], automaton.root)
    return fill_gaps(walked, automaton.table.error, code, sources.start).span

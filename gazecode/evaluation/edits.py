"""Sessions with an edit log: whether texts are replayed, samples kept, and identities stable.

One row per session (a folder with a ``changelog.json``, iTrace's core and plug-in files, the file
at the start and the file at the end), for instance gazel's own demonstration data. gazel's way is
to cut a session at its edits, which keeps 59.9 % of the demonstration's samples.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.detection import detect
from gazecode.detection.activity import with_activity
from gazecode.errors import FormatError, GazecodeError
from gazecode.mapping.histories import hits_through, map_through
from gazecode.model import Recording
from gazecode.model.checks import BoolArray, FloatArray
from gazecode.readers import read
from gazecode.readers.itrace import ide_positions
from gazecode.source import language_of
from gazecode.source.edits import (
    Edit,
    TokenHistory,
    clock_ms,
    follow_edits,
    read_changelog,
    replay,
)

__all__ = ["edit_table"]

_LOG = "changelog.json"
_END = "modifiedSourceFile"


def edit_table(folder: str | Path) -> list[dict[str, Any]]:
    """One row per session in a folder, or in the folders inside it.

    Parameters
    ----------
    folder
        Of a data set such as ``itrace-gazel-demo``.

    Returns
    -------
    list of dict
        ``replay``: whether the edits make the file at the end, byte for byte. ``kept``: samples
        with a version and a token's id or a counted reason, of all. The reasons: blank,
        past_line_end, past_text, off_text (the editor's answer); off_screen, lost (whatever the
        editor answered); no_answer (it had none). ``same_id``: tokens at the end that stood
        untouched at the start (by a comparison of the two texts) and have the same id, of all
        those.

    Raises
    ------
    FormatError
        No session with a changelog, or one without its files.
    """
    sessions = sorted(path.parent for path in Path(folder).rglob(_LOG))
    if not sessions:
        raise FormatError(f"no {_LOG} in {Path(folder).name}; expected sessions with an edit log")
    return [_row(session) for session in sessions]


def _row(session: Path) -> dict[str, Any]:
    edits = read_changelog(session / _LOG)
    source = _source(session, edits)
    # A log may tell of several files; the gaze lies in this one.
    edits = tuple(e for e in edits if not e.file or _base(e.file) == source.name)
    code = source.read_bytes()
    core = _core(session)
    recording = read(core)
    if recording.start_ns is None:
        raise FormatError(f"{core.name} states no wall clock; expected one to match edits with")
    t_ms = clock_ms([edit.unix_ms for edit in edits], recording.start_ns)
    history = follow_edits(code, edits, t_ms, source_id=source.name)
    answers = _answers(recording, core)
    return {
        "session": session.name,
        "edits": len(edits),
        "deletions": sum(edit.kind == "delete" for edit in edits),
        "versions": len(history),
        "replay": _replayed(code, edits, session),
        **_samples(recording, answers, history),
        **_identities(code, history),
        **_fixations(recording, answers, history, t_ms),
    }


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _source(session: Path, edits: Sequence[Edit]) -> Path:
    """The file at the start: as the log calls it, or the only one in a known language."""
    named = {session / _base(edit.file) for edit in edits if edit.file}
    found = [path for path in sorted(named) if path.is_file()]
    found = found or [path for path in sorted(session.iterdir()) if _is_source(path)]
    if len(found) != 1:
        raise FormatError(
            f"{session.name} holds {len(found)} source files; expected the one that {_LOG} edits"
        )
    return found[0]


def _is_source(path: Path) -> bool:
    try:
        language_of(path.name)
    except GazecodeError:
        return False
    return path.is_file() and not path.name.startswith(_END)


def _core(session: Path) -> Path:
    for path in sorted(session.glob("*.xml*")):
        with path.open("rb") as file:
            if b"<itrace_core" in file.read(4096):
                return path
    raise FormatError(f"{session.name} holds no iTrace core file; expected one beside {_LOG}")


def _replayed(code: bytes, edits: Sequence[Edit], session: Path) -> bool | None:
    """Whether the last text is the file at the end; None without such a file."""
    ends = sorted(session.glob(f"{_END}*"))
    if not ends:
        return None
    last = code
    for text in replay(code, edits):
        last = text
    return last == ends[0].read_bytes()


def _answers(recording: Recording, core: Path) -> dict[str, Any]:
    """What the editor answered; for gaze that was lost or off the screen that is no place."""
    answers: dict[str, Any] = ide_positions(core)
    gaze = recording.gaze
    at = np.minimum(np.searchsorted(gaze.t_ms, answers["t_ms"]), len(gaze) - 1)
    nowhere = gaze.lost[at] | ~_on_screen(recording)[at]
    answers["line"] = np.where(nowhere, -1, answers["line"])
    return {"answered_ms": answers["t_ms"], **answers, "sample": at, "nowhere": nowhere}


def _on_screen(recording: Recording) -> BoolArray:
    """Samples on the screen; all that are not lost, if its size is not known."""
    xy = recording.gaze.xy_px
    if recording.screen is None:
        return ~recording.gaze.lost
    width, height = recording.screen.width_px, recording.screen.height_px
    x, y = xy.T
    inside: BoolArray = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return inside


def _samples(
    recording: Recording, answers: dict[str, Any], history: TokenHistory
) -> dict[str, Any]:
    at = map_through(
        history,
        answers["answered_ms"],
        answers["line"],
        answers["column"],
        unit=answers["unit"],
    )
    n, lost = len(recording), recording.gaze.lost
    off_screen = ~lost & ~_on_screen(recording)
    answered = np.zeros(n, dtype=bool)
    answered[answers["sample"]] = True
    places = at.counts()
    places["off_text"] -= int(answers["nowhere"].sum())
    counts = {
        "on_token": places.pop("token"),
        **places,
        "off_screen": int(off_screen.sum()),
        "no_answer": int((~answered & ~lost & ~off_screen).sum()),
        "lost": int(lost.sum()),
    }
    # Every sample has a version; what is kept is what a token or a reason was found for.
    return {"samples": n, **counts, "kept": min(sum(counts.values()) / n, 1.0)}


def _identities(code: bytes, history: TokenHistory) -> dict[str, Any]:
    last = len(history) - 1
    first_ids, last_ids = history.ids(0), history.ids(last)
    same = [a == b for a, b in _untouched(code, history, last)]
    what = history.changes.what.tolist()
    return {
        "tokens_start": len(first_ids),
        "tokens_end": len(last_ids),
        "ids": history.n_ids,
        **{name: what.count(name) for name in ("born", "deleted", "absorbed", "returned")},
        "untouched": len(same),
        "same_id": sum(same) / len(same) if same else float("nan"),
    }


def _untouched(code: bytes, history: TokenHistory, last: int) -> Iterator[tuple[int, int]]:
    """Ids at the start and the end of tokens inside what the two texts have in common."""
    at_start = dict(
        zip(map(tuple, history.spans(0).tolist()), history.ids(0).tolist(), strict=True)
    )
    lines = code.splitlines(keepends=True), history.code(last).splitlines(keepends=True)
    offsets = [np.concatenate(([0], np.cumsum([len(line) for line in text]))) for text in lines]
    blocks = SequenceMatcher(None, *lines, autojunk=False).get_matching_blocks()
    spans, ids = history.spans(last), history.ids(last)
    for block in blocks:
        begin, end = (int(offsets[1][block.b + n]) for n in (0, block.size))
        moved = int(offsets[0][block.a]) - begin
        inside = np.flatnonzero((spans[:, 0] >= begin) & (spans[:, 1] <= end))
        for token in inside.tolist():
            place = tuple((spans[token] + moved).tolist())
            if place in at_start:
                yield at_start[place], int(ids[token])


def _fixations(
    recording: Recording, answers: dict[str, Any], history: TokenHistory, edits_ms: FloatArray
) -> dict[str, Any]:
    fixations = detect(recording.gaze, "ivt", screen=recording.screen).of("fixation")
    hits = hits_through(
        fixations,
        answers["t_ms"],
        answers["line"],
        answers["column"],
        history,
        unit=answers["unit"],
        answered_ms=answers["answered_ms"],
    )
    activity = with_activity(fixations, edits_ms=edits_ms).activity
    typing = 0 if activity is None else int((activity == "typing").sum())
    return {
        "fixations": len(fixations),
        "fixations_on_token": int((hits.status == "token").sum()),
        "while_typing": typing,
    }

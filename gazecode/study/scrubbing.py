"""Texts without the names of people, and without the time of day.

A participant's id is found wherever it stands alone in a text: ``P1`` in ``P1_trial2.asc``, not in
``P12``. Sources are never touched: every position counts bytes of them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from gazecode.pipeline import Failure, RecordingResult, TrialResult
from gazecode.study.sections import RecordingTable, Study

__all__ = ["Scrubber", "names_of", "without_clock"]

Naming = Callable[[str], str]

LONG = 6
"""Ids of so many characters occur nowhere by chance: they are replaced inside words as well."""
PRIVATE = ("participant", "subject", "session", "sha256", "file")
"""What a reader says of a recording that names it, its person or its file."""
CLOCKED = ("session",)
"""What a reader says that is a wall-clock stamp."""


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Replaces names in texts, whatever their case.

    Examples
    --------
    >>> scrub = Scrubber({"P1": "a0", "7": "b1"})
    >>> scrub.text("p1_run2.asc, P12.asc, trial 7 took 7.5 s")
    'a0_run2.asc, P12.asc, trial b1 took 7.5 s'
    """

    words: Mapping[str, str]
    _found: dict[str, str] = field(init=False, repr=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = {_folded(w): to for w, to in self.words.items() if any(c.isalnum() for c in w)}
        longest = sorted((w for w in self.words if _folded(w) in known), key=len, reverse=True)
        pattern = "|".join(_alone(word) for word in longest) or r"(?!)"
        object.__setattr__(self, "_found", known)
        object.__setattr__(self, "_pattern", re.compile(pattern, re.IGNORECASE))

    def text(self, text: str) -> str:
        """The text with every name replaced."""
        return self._pattern.sub(self._other, text)

    def _other(self, found: re.Match[str]) -> str:
        name = found[0]
        # Two people may differ by case alone; what only the pattern takes for a name is hidden.
        return self.words.get(name) or self._found.get(_folded(name), HIDDEN)

    def finds(self, text: str) -> bool:
        """Whether a longer text holds a name that is no mere number or letter."""
        return any(len(m[0]) > 2 and not m[0].isdecimal() for m in self._pattern.finditer(text))

    def value(self, value: Any) -> Any:
        """The same for every text in a JSON value; keys are the package's own words."""
        return _each_text(value, self.text)

    def result(self, entry: RecordingTable, result: RecordingResult) -> RecordingResult:
        """What a recording gave, its own words for the person and the file taken out."""
        said = result.provenance
        own = [str(said[key]) for key in ("participant", "subject") if said.get(key)]
        unknown = {name: entry.participant for name in own if _folded(name) not in self._found}
        scrub = Scrubber({**self.words, **unknown}) if unknown else self
        kept = {k: v for k, v in said.items() if k not in PRIVATE}
        return replace(
            result,
            quality=_quality(result.quality, scrub),
            provenance=scrub.value(kept),
            failures=tuple(
                Failure(trial=scrub.text(f.trial), stage=f.stage, reason=scrub.text(f.reason))
                for f in result.failures
            ),
            without_stimulus=tuple(scrub.text(name) for name in result.without_stimulus),
            trials=tuple(_trial(trial, scrub.text) for trial in result.trials),
        )


HIDDEN = "[name]"


def _folded(text: str) -> str:
    return text.casefold()


def _alone(word: str) -> str:
    """A pattern for a word that is not part of a longer one of its kind."""
    first, last = word[0], word[-1]
    if word.isdecimal() and len(word) < LONG:
        # Not within a number, its decimals included; a letter before it is a prefix (P7).
        return rf"(?<!\d)(?<!\d[.,]){re.escape(word)}(?!\d)(?![.,]\d)"
    if len(word) >= LONG:
        return re.escape(word)
    mixed = any(c.isdecimal() for c in word)
    before = r"(?<!\d)" if first.isdecimal() else r"(?<![^\W\d_])" if not mixed else ""
    after = r"(?!\d)" if last.isdecimal() else r"(?![^\W\d_])" if not mixed else ""
    return f"{before}{re.escape(word)}{after}"


def _each_text(value: Any, change: Naming) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each_text(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(inner, change) for inner in value]
    return value


def _quality(quality: Mapping[str, Any], scrub: Scrubber) -> dict[str, Any]:
    said = scrub.value(quality)
    if "trials" in said:
        said["trials"] = {scrub.text(name): row for name, row in said["trials"].items()}
    return dict(said)


def _trial(result: TrialResult, change: Naming) -> TrialResult:
    trial, shown = result.trial, result.shown
    stimulus = None if trial.stimulus is None else change(trial.stimulus)
    tokens = replace(shown.tokens, source_id=change(shown.tokens.source_id))
    return replace(
        result,
        trial=replace(trial, name=change(trial.name), stimulus=stimulus),
        shown=replace(shown, stimulus=change(shown.stimulus), tokens=tokens),
    )


def names_of(study: Study, *, person: Naming, file: Naming) -> dict[str, str]:
    """Every name by which a text may tell a person, and what stands there instead.

    Participants, the files of recordings and those that their options name, with and without
    endings. What several recordings share (``P1/gaze.csv``, ``P2/gaze.csv``) tells nobody.
    """
    files: dict[str, str] = {}
    for entry in study.recordings:
        other = file(entry.name)
        options = [value for value in entry.options.values() if isinstance(value, str)]
        paths = (entry.name, *map(str, entry.files), *(o for o in options if PurePath(o).suffix))
        for name in {form for path in paths for form in _forms(path)}:
            files[name] = other if files.get(name, other) == other else ""
    people = {entry.participant: person(entry.participant) for entry in study.recordings}
    return {name: to for name, to in files.items() if to} | people


def _forms(path: str) -> list[str]:
    """How a message may call a file."""
    name = PurePath(path).name
    stem = name.split(".")[0]
    return [path, name, stem] if len(stem) > 1 else [path, name]


_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?"
_HOUR = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?"
_STAMPS = re.compile(
    "|".join(
        (
            rf"(?<!\d)(?:19|20)\d\d([-/.]){_MONTH}\1{_DAY}(?:[T _]{_HOUR})?(?!\d)",
            rf"(?<!\d){_DAY}([-/.]){_DAY}\2(?:19|20)\d\d(?:[T _,]*{_HOUR})?(?!\d)",
            rf"{_WEEKDAY}{_MONTHS} +{_DAY},? +(?:{_HOUR} +)?(?:19|20)\d\d",
            rf"(?<!\d){_DAY} {_MONTHS} (?:19|20)\d\d(?: {_HOUR})?",
            r"(?<!\d)(?:19|20)\d{6}[T_-]?\d{6}(?!\d)",
            r"(?<!\d)\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?!\d)",
            # Seconds, ms, µs and ns since 1970, from 2001 to 2033.
            r"(?<![\d.])1\d{9}(?:\d{3}){0,3}(?!\d)",
        )
    )
)


def without_clock(result: RecordingResult) -> RecordingResult:
    """What a recording gave, dates and times of day taken out of what its reader says.

    Names of files and trials stay as they are: they are names.
    """

    def change(text: str) -> str:
        return _STAMPS.sub("[time]", text)

    said = {k: v for k, v in result.provenance.items() if k not in CLOCKED}
    cleaned = {k: v if k == "file" else _each_text(v, change) for k, v in said.items()}
    failures = tuple(replace(f, reason=change(f.reason)) for f in result.failures)
    # Facts and validations are the reader's words as well.
    quality = {
        k: _each_text(v, change) if k in ("about", "recording") else v
        for k, v in result.quality.items()
    }
    return replace(result, quality=quality, provenance=cleaned, failures=failures)

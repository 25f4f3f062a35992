"""The tables of a study file: their keys, defaults and what is refused.

`gazecode.study.settings` reads the file itself.
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PlainValidator,
    field_validator,
    model_validator,
)

from gazecode.model.priors import MIN_SHIFTS
from gazecode.study.base import Positive, Px, Settings, StepTable, Text
from gazecode.study.stimulus_tables import StimulusTable

__all__ = [
    "AlignTable",
    "CardTable",
    "DetectTable",
    "DriftTable",
    "LinesTable",
    "MapTable",
    "NullTable",
    "RecordingTable",
    "ReportTable",
    "ScreenTable",
    "ShareTable",
    "Study",
    "StudyTable",
    "TargetTable",
    "WeighTable",
]

MIN_PEOPLE = 5
"""Fewest people behind a number that is shared; a study may only ask for more."""
ARRIVAL_MS = 500.0
"""Time at the start of a trial that is left out of a target: a saccade takes about 200 ms to begin,
and a correction may follow it."""
Task = Literal["reading", "writing"]
Activity = Literal["reading", "typing", "scrolling", "unknown"]


def _number_or_off(value: object) -> float | Literal[False]:
    """A gate's limit; ``true`` is none."""
    if value is False:
        return False
    if isinstance(value, int | float) and value is not True:
        return float(value)
    raise ValueError("expected a number, or false to switch the gate off")


Gate = Annotated[float | Literal[False], PlainValidator(_number_or_off)]


class StudyTable(Settings):
    """``[study]``; `task` is what people did: gaze while writing is not gaze while reading."""

    name: str
    description: str = ""
    task: Task = "reading"


class ScreenTable(Settings):
    """``[screen]``: what the recordings do not say."""

    width_px: Positive | None = None
    height_px: Positive | None = None
    width_mm: Positive | None = None
    height_mm: Positive | None = None
    distance_mm: Positive | None = None


class RecordingTable(Settings):
    """``[[recordings]]``; `offset_px` is added to every fixation, `options` go to the reader.

    `changelog` is a log of edits (iTrace's Atom plug-in, gazel): fixations near one are typing.
    `name` is what outputs call the recording: its file's name, with folders if that is not unique.
    `task` is the study's unless it is said here.
    """

    file: Path
    participant: Text
    name: str = ""
    group: str = ""
    task: Task | None = None
    format: str | None = None
    offset_px: tuple[Px, Px] = (0.0, 0.0)
    changelog: Path | None = None
    options: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read for the recording: its file, and its log of edits."""
        return (self.file,) if self.changelog is None else (self.file, self.changelog)

    @field_validator("options")
    @classmethod
    def _no_keys_of_their_own(cls, options: Mapping[str, Any]) -> Mapping[str, Any]:
        taken = {"path", "format", "screen"} & options.keys()
        if taken:
            raise ValueError(f"{', '.join(sorted(taken))} has a key or table of its own")
        return options


class TargetTable(Settings):
    """``[[targets]]``: where people were asked to look; accuracy is measured there.

    When is said by `trial`, a name or pattern (``FixationCross_*``), of whose beginning `skip_ms`
    are left out; or by `onset_ms` and `offset_ms` on the recording's clock, half-open. `file` is
    the name (or the end of the path, or a pattern) of the recordings it holds for; all by default.
    """

    x_px: Px
    y_px: Px
    trial: Text | None = None
    skip_ms: Annotated[float, Field(ge=0, allow_inf_nan=False)] = ARRIVAL_MS
    onset_ms: Px | None = None
    offset_ms: Px | None = None
    file: Text | None = None
    name: str = ""

    @model_validator(mode="after")
    def _one_time(self) -> "TargetTable":
        window = (self.onset_ms, self.offset_ms)
        if (self.trial is None) == (window == (None, None)):
            raise ValueError("expected either trial, or onset_ms and offset_ms")
        if self.onset_ms is None or self.offset_ms is None:
            if self.trial is None:
                raise ValueError("expected both onset_ms and offset_ms")
        elif self.offset_ms <= self.onset_ms:
            raise ValueError("expected offset_ms later than onset_ms")
        if self.trial is None and "skip_ms" in self.model_fields_set:
            raise ValueError("skip_ms goes with trial; onset_ms says when a window begins")
        return self

    @field_validator("file")
    @classmethod
    def _no_place_on_a_machine(cls, file: str | None) -> str | None:
        if file is not None and PurePath(file).is_absolute():
            raise ValueError("expected the name of a recording's file, or the end of its path")
        return file


class DetectTable(StepTable):
    """``[detect]``; ``method = "device"`` takes the tracker's own fixations.

    `blinks` (``pupil`` or ``loss``) lays blinks over what the method found; `rules` are applied in
    their order: names, or tables of a `name` and its parameters.
    """

    method: str = "ivt"
    blinks: Literal["", "loss", "pupil"] = ""
    rules: tuple[str | Mapping[str, Any], ...] = ()

    @property
    def detected(self) -> dict[str, Any]:
        """The parameters as `detect` takes them."""
        rules = [
            rule
            if isinstance(rule, str)
            else (str(rule.get("name", "")), {k: v for k, v in rule.items() if k != "name"})
            for rule in self.rules
        ]
        steps = {"blinks": self.blinks, "rules": rules}
        return self.params | {name: step for name, step in steps.items() if step}


class DriftTable(Settings):
    """``[drift]``; by how much gaze lies beside the text, found and undone before lines.

    `model` is ``offset`` or ``affine``, found on the lines that were read, or ``targets``, measured
    on the study's [[targets]]; `per` is what shares one drift: a recording, or each trial alone.
    """

    model: Literal["", "offset", "affine", "targets"] = ""
    per: Literal["recording", "trial"] = "recording"


class LinesTable(StepTable):
    """``[lines]``; which line of text each fixation was on. Without the table gaze stays as it is.

    A line less probable than `min_share` is not taken: the method abstains.
    """

    method: str = ""
    min_share: Annotated[float, Field(ge=0, le=1)] | None = None

    @property
    def assigned(self) -> dict[str, Any]:
        """The parameters as `assign_lines` takes them."""
        return self.params | ({} if self.min_share is None else {"min_share": self.min_share})


class MapTable(StepTable):
    """``[map]``."""

    method: str = "nearest"


class NullTable(Settings):
    """``[null]``: circular shifts of each trial's gaze, which say what chance hits; 0 for none."""

    shifts: Annotated[int, Field(ge=0)] = MIN_SHIFTS
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("shifts")
    @classmethod
    def _none_or_enough(cls, shifts: int) -> int:
        if 0 < shifts < MIN_SHIFTS:
            raise ValueError(f"expected 0 (chance is not computed) or at least {MIN_SHIFTS}")
        return shifts


class WeighTable(StepTable):
    """``[weigh]``; one example per trial, per participant × source, or per source.

    Of the fixations those count whose `activity` is named; where no log says what people did, it is
    unknown.
    """

    scheme: str = "duration"
    per: Literal["trial", "participant", "source"] = "trial"
    activity: Annotated[tuple[Activity, ...], Field(min_length=1)] = ("reading", "unknown")


class AlignTable(Settings):
    """``[align]``; `strength` λ makes a loss weight with mean 1 out of the value.

    A text of more than `max_length` positions is cut into windows that share `overlap` of them (an
    eighth if nobody says).
    `allow_inert` keeps examples none of whose weight reaches the loss; `transitions` says whether
    saccades go into the examples.
    """

    tokenizer: Path
    strength: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    policy: Literal["inherit", "share", "max", "mean"] = "inherit"
    template: str | None = None
    per: Literal["character", "token"] = "character"
    max_ratio: Annotated[float, Field(gt=1)] = 5.0
    max_length: Annotated[int, Field(ge=8)] | None = None
    overlap: Annotated[int, Field(ge=0)] | None = None
    allow_inert: bool = False
    transitions: bool = True

    @model_validator(mode="after")
    def _overlaps_less_than_a_window(self) -> "AlignTable":
        if self.overlap and self.max_length is None:
            raise ValueError("overlap needs max_length: without it no text is cut")
        if self.max_length is not None and (self.overlap or 0) >= self.max_length:
            raise ValueError(
                f"overlap is {self.overlap}; expected less than max_length ({self.max_length})"
            )
        return self

    @field_validator("template")
    @classmethod
    def _holds_the_code_once(cls, template: str | None) -> str | None:
        if template is not None and template.count("{code}") != 1:
            raise ValueError("expected {code} once in the template")
        return template


class ReportTable(Settings):
    """``[report]``; how many trials the page draws."""

    max_trials: Annotated[int, Field(ge=0)] = 12


class ShareTable(Settings):
    """``[share]``; with ``--share``, a source read by fewer than `min_people` is withheld."""

    min_people: Annotated[int, Field(ge=MIN_PEOPLE)] = MIN_PEOPLE


class CardTable(Settings):
    """``[card]``: what no recording knows. What is left out is called "not stated"."""

    title: str = ""
    population: str = ""
    consent: str = ""
    ethics: str = ""
    license: str = ""
    contact: str = ""
    funding: str = ""
    citation: str = ""


class Study(Settings):
    """A whole study file, checked."""

    study: StudyTable
    recordings: tuple[RecordingTable, ...] = Field(min_length=1)
    stimuli: Mapping[str, StimulusTable] = Field(min_length=1)
    align: AlignTable
    screen: ScreenTable = ScreenTable()
    trials: Mapping[str, str] = Field(default_factory=dict)
    quality: Mapping[str, Gate] = Field(default_factory=dict)
    targets: tuple[TargetTable, ...] = ()
    detect: DetectTable = DetectTable()
    drift: DriftTable = DriftTable()
    lines: LinesTable = LinesTable()
    map: MapTable = MapTable()
    null: NullTable = NullTable()
    weigh: WeighTable = WeighTable()
    report: ReportTable = ReportTable()
    share: ShareTable = ShareTable()
    card: CardTable = CardTable()

    def parameters(self) -> dict[str, Any]:
        """Every setting that shapes the result, as JSON; the tokenizer by its file name."""
        # What a study says about people or sharing changes no number: parts stay good.
        beside = {"recordings", "stimuli", "share", "card"}
        said = self.model_dump(mode="json", exclude=beside, exclude_none=True)
        if not self.targets:
            del said["targets"]
        for name in ("blinks", "rules"):
            if not said["detect"][name]:
                del said["detect"][name]
        if not self.drift.model:
            del said["drift"]
        if not self.lines.method:
            del said["lines"]
        # Files are told by their digests: where they lay on this machine is nobody's business.
        said["align"]["tokenizer"] = self.align.tokenizer.name
        return said

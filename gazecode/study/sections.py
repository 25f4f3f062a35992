"""The tables of a study file: their keys, defaults and what is refused.

`gazecode.study.settings` reads the file itself.
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    field_validator,
    model_validator,
)

from gazecode.model.priors import MIN_SHIFTS

__all__ = [
    "AlignTable",
    "BoxesTable",
    "CardTable",
    "DetectTable",
    "GridTable",
    "LayoutTable",
    "LinesTable",
    "MapTable",
    "NullTable",
    "OwnBoxesTable",
    "RecordingTable",
    "ReportTable",
    "ScreenTable",
    "ShareTable",
    "StimulusTable",
    "Study",
    "StudyTable",
    "TargetTable",
    "WeighTable",
]

Px = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
MIN_PEOPLE = 5
"""Fewest people behind a number that is shared; a study may only ask for more."""
ARRIVAL_MS = 500.0
"""Time at the start of a trial that is left out of a target: a saccade takes about 200 ms to begin,
and a correction may follow it."""
Task = Literal["reading", "writing"]


def _number_or_off(value: object) -> float | Literal[False]:
    """A gate's limit; ``true`` is none."""
    if value is False:
        return False
    if isinstance(value, int | float) and value is not True:
        return float(value)
    raise ValueError("expected a number, or false to switch the gate off")


Gate = Annotated[float | Literal[False], PlainValidator(_number_or_off)]


class Settings(BaseModel):
    """Base of all tables: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class GridTable(Settings):
    """A monospaced grid; `origin_px` is the top left of the first cell."""

    kind: Literal["grid"]
    origin_px: tuple[Px, Px]
    char_width_px: Positive
    line_height_px: Positive
    tab_width: Annotated[int, Field(ge=1)] = 4


class BoxesTable(Settings):
    """A table of boxes; `where` picks rows, `texts` names the file that holds their texts.

    `without` leaves rows out (a box drawn twice), `columns` names the sides where they are not
    found by name, `scale_px` is the screen's size for sides that are fractions of it.
    """

    kind: Literal["boxes"]
    file: Path
    where: Mapping[str, str | int | float] = Field(default_factory=dict)
    without: Mapping[str, str | int | float] = Field(default_factory=dict)
    texts: Path | None = None
    text_column: str | None = None
    columns: Mapping[str, str] | None = None
    scale_px: tuple[Positive, Positive] = (1.0, 1.0)
    shrink_px: tuple[Px, Px] = (0.0, 0.0)


class OwnBoxesTable(Settings):
    """The boxes a recording itself holds, of one kind."""

    kind: Literal["recording"]
    boxes: str = "syntax"


LayoutTable = Annotated[GridTable | BoxesTable | OwnBoxesTable, Field(discriminator="kind")]


class StimulusTable(Settings):
    """``[stimuli.NAME]``; ``[stimuli."*"]`` stands for every stimulus the recordings hold.

    `layouts` chooses by the recording's screen, e.g. ``layouts."1920x1080" = {...}``. Where `code`
    is a CSV table of sources, `code_column` holds the texts and `code_where` picks the row.
    """

    code: Path | None = None
    code_column: str | None = None
    code_where: Mapping[str, str | int] = Field(default_factory=dict)
    language: str | None = None
    image: Path | None = None
    layout: LayoutTable | None = None
    layouts: Mapping[str, LayoutTable] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_layout(self) -> "StimulusTable":
        if (self.layout is None) == (not self.layouts):
            raise ValueError("expected either layout or layouts (one per screen size)")
        return self

    @model_validator(mode="after")
    def _a_table_has_no_language(self) -> "StimulusTable":
        if self.code_column is not None and self.language is None:
            raise ValueError("expected language: a table of sources does not say it")
        return self


class RecordingTable(Settings):
    """``[[recordings]]``; `offset_px` is added to every fixation, `options` go to the reader.

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
    options: Mapping[str, Any] = Field(default_factory=dict)

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


class StepTable(BaseModel):
    """A step: the method by name; every other key is a parameter of that method."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters, as the method takes them."""
        return dict(self.model_extra or {})


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
    """``[weigh]``; one example per trial, per participant × source, or per source."""

    scheme: str = "duration"
    per: Literal["trial", "participant", "source"] = "trial"


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
        if not self.lines.method:
            del said["lines"]
        # Files are told by their digests: where they lay on this machine is nobody's business.
        said["align"]["tokenizer"] = self.align.tokenizer.name
        return said

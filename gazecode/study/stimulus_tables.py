"""What a stimulus is in a study file: its source, and where its tokens stood."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gazecode.study.base import Positive, Px, Settings

__all__ = [
    "BoxesTable",
    "GridTable",
    "ImageTable",
    "LayoutTable",
    "OwnBoxesTable",
    "StimulusTable",
]


class RowsTable(Settings):
    """Which visual row shows what, for all grids: soft wraps and folds.

    Rows longer than `wrap_columns` cells go on in the next visual row, `wrap_indent` cells to the
    right, broken at words or anywhere (`wrap_at`); the rows of each of `folds`, 0-based and
    half-open, are hidden.
    """

    tab_width: Annotated[int, Field(ge=1)] = 4
    wrap_columns: Annotated[int, Field(ge=1)] | None = None
    wrap_indent: Annotated[int, Field(ge=0)] = 0
    wrap_at: Literal["word", "character"] = "word"
    folds: tuple[tuple[int, int], ...] = ()


class GridTable(RowsTable):
    """A monospaced grid; `origin_px` is the top left of the first cell."""

    kind: Literal["grid"]
    origin_px: tuple[Px, Px]
    char_width_px: Positive
    line_height_px: Positive


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


class ImageTable(Settings):
    """A picture of the text as it was shown: lines and tokens are found in its ink.

    The picture is the stimulus's own `image` unless one is named here. `region_px` is where to look
    (x0 y0 x1 y1), `displayed` a file of the text as it was drawn where its blanks or line breaks
    are not the source's, `first_row` to `last_row` the rows shown.
    """

    kind: Literal["image"]
    image: Path | None = None
    displayed: Path | None = None
    tab_width: Annotated[int, Field(ge=1)] = 4
    monospace: bool = True
    region_px: tuple[Px, Px, Px, Px] | None = None
    first_row: Annotated[int, Field(ge=0)] = 0
    last_row: Annotated[int, Field(ge=0)] | None = None
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None


LayoutTable = Annotated[
    GridTable | BoxesTable | OwnBoxesTable | ImageTable, Field(discriminator="kind")
]


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
    def _a_picture_to_look_at(self) -> "StimulusTable":
        tables = [self.layout, *self.layouts.values()]
        if self.image is None and any(
            isinstance(t, ImageTable) and t.image is None for t in tables
        ):
            raise ValueError("expected image: a layout of kind image needs a picture")
        return self

    @model_validator(mode="after")
    def _a_table_has_no_language(self) -> "StimulusTable":
        if self.code_column is not None and self.language is None:
            raise ValueError("expected language: a table of sources does not say it")
        return self

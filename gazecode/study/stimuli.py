"""What a trial showed: the stimulus of its name as tokens, laid out as the study says."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from gazecode import source
from gazecode.disk import read_limited
from gazecode.errors import GazecodeError, ParameterError, StudyError
from gazecode.mapping import box_layout, grid_layout, image_layout, read_boxes
from gazecode.mapping.rows import VisualRows, folded, wrapped
from gazecode.model import Layout, Recording, Screen, SourceTokens, Stimulus, Trial
from gazecode.pipeline import Shown
from gazecode.study.settings import (
    BoxesTable,
    GridTable,
    ImageTable,
    LayoutTable,
    OwnBoxesTable,
    StimulusTable,
    Study,
)

__all__ = ["StimulusFinder", "check_stimuli"]

ANY = "*"
MAX_CODE_BYTES = 256 << 20
MAX_IMAGE_BYTES = 64 << 20


@dataclass
class StimulusFinder:
    """Finds what a trial showed; parses every source once."""

    study: Study
    _tokens: dict[tuple[str, str], SourceTokens] = field(default_factory=dict)
    _found: dict[tuple[str, str, str], Layout] = field(default_factory=dict)

    def __call__(self, recording: Recording, trial: Trial) -> Shown | None:
        """Tokens and layout of a trial, or None if the study has no stimulus for it."""
        name = self._name(recording, trial)
        own = recording.stimuli.get(name)
        table = self.study.stimuli.get(name)
        if table is None and own is not None:
            table = self.study.stimuli.get(ANY)
        if table is None:
            return None
        tokens = self.parse(name, table, own)
        layout = self.lay_out(name, tokens, _choose(name, table, recording.screen), own)
        image = (
            read_limited(table.image, MAX_IMAGE_BYTES)
            if table.image
            else (own.image if own else None)
        )
        return Shown(stimulus=name, tokens=tokens, layout=layout, image=image)

    def _name(self, recording: Recording, trial: Trial) -> str:
        """The study's name for what was shown; ``[trials]`` renames, an image loses its suffix."""
        said = trial.stimulus or trial.name
        renamed = self.study.trials.get(trial.name) or self.study.trials.get(said)
        names = [renamed] if renamed else [said, PurePath(said).stem, trial.name]
        known = [n for n in names if n in self.study.stimuli or n in recording.stimuli]
        return known[0] if known else names[0]

    def parse(self, name: str, table: StimulusTable, own: Stimulus | None) -> SourceTokens:
        """Tokens of a stimulus: from the study's file, or from what the recording holds."""
        if table.code is not None:
            code: str | bytes = _written(name, table, table.code)
            language = table.language or source.language_of(table.code.name)
        elif own is not None:
            code, language = own.code, table.language or own.language
        else:
            raise StudyError(
                f"stimuli.{name}: no code; the recording holds none either. Name a source file"
            )
        try:
            language = source.known_language(language)
        except ParameterError as error:
            raise StudyError(f"stimuli.{name}: language: {error}") from error
        key = (name, language + str(hash(code)))
        if key not in self._tokens:
            self._tokens[key] = source.parse(code, language, source_id=name)
        return self._tokens[key]

    def lay_out(
        self, name: str, tokens: SourceTokens, table: LayoutTable, own: Stimulus | None
    ) -> Layout:
        """Where tokens stood; what is found in a picture is found once."""
        if not isinstance(table, ImageTable):
            return _lay_out(name, tokens, table, own)
        key = (name, tokens.language, str(table))
        if key not in self._found:
            # One of the two is there: the study was checked.
            picture = table.image or self.study.stimuli[name].image or Path(name)
            self._found[key] = _in_picture(tokens, table, picture)
        return self._found[key]


def check_stimuli(study: Study) -> None:
    """Read every stimulus once before the run, so that a broken one stops it at once."""
    finder = StimulusFinder(study)
    for name, table in study.stimuli.items():
        if table.code is None:
            continue
        tokens = finder.parse(name, table, None)
        for entry in [table.layout, *table.layouts.values()]:
            if entry is None or isinstance(entry, OwnBoxesTable):
                continue
            try:
                finder.lay_out(name, tokens, entry, None)
            except StudyError:
                raise
            except GazecodeError as error:
                key = "layout" if table.layout is not None else "layouts"
                raise StudyError.at("stimuli", name, key, message=str(error)) from error


def _written(name: str, table: StimulusTable, file: Path) -> str | bytes:
    """The text of a stimulus: a file of its own, or one cell of a table."""
    if table.code_column is None:
        return read_limited(file, MAX_CODE_BYTES)
    try:
        with io.StringIO(
            read_limited(file, MAX_CODE_BYTES).decode("utf-8-sig"), newline=""
        ) as opened:
            rows = [
                row
                for row in csv.DictReader(opened)
                if all(row.get(key) == str(value) for key, value in table.code_where.items())
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(
            f"stimuli.{name}: {file.name} is not a CSV table in UTF-8 ({error})"
        ) from error
    if len(rows) != 1:
        raise StudyError(
            f"stimuli.{name}: {len(rows)} rows of {file.name} where {dict(table.code_where)}; "
            "expected one, pick it with code_where"
        )
    text = rows[0].get(table.code_column)
    if text is None:
        found = ", ".join(key for key in rows[0] if key)
        raise StudyError(
            f"stimuli.{name}: no column {table.code_column} in {file.name}; found {found}"
        )
    return text


def _choose(name: str, table: StimulusTable, screen: Screen | None) -> LayoutTable:
    if table.layout is not None:
        return table.layout
    size = f"{screen.width_px:.0f}x{screen.height_px:.0f}" if screen else "unknown"
    if size not in table.layouts:
        raise StudyError(
            f"stimuli.{name}: the recording's screen is {size}, layouts are given for "
            f"{', '.join(table.layouts)}; add one for {size}"
        )
    return table.layouts[size]


def _lay_out(
    name: str,
    tokens: SourceTokens,
    table: GridTable | BoxesTable | OwnBoxesTable,
    own: Stimulus | None,
) -> Layout:
    match table:
        case GridTable():
            return grid_layout(
                tokens,
                origin_px=table.origin_px,
                char_width_px=table.char_width_px,
                line_height_px=table.line_height_px,
                tab_width=table.tab_width,
                rows=_rows(tokens, table),
            )
        case BoxesTable():
            frame = read_boxes(
                table.file,
                where=table.where or None,
                without=table.without or None,
                texts=table.texts,
                text_column=table.text_column,
                columns=table.columns,
                scale_px=table.scale_px,
                shrink_px=table.shrink_px,
            )
            return box_layout(tokens, frame)
        case OwnBoxesTable():
            return _own_boxes(name, tokens, table, own)


def _rows(tokens: SourceTokens, table: GridTable) -> VisualRows | None:
    """Soft wraps and folds, if the study says any."""
    if table.wrap_columns is None and not table.folds:
        return None
    if table.wrap_columns is None:
        rows = folded(tokens.code.count(b"\n") + 1, ())
    else:
        rows = wrapped(
            tokens.code,
            table.wrap_columns,
            table.tab_width,
            indent=table.wrap_indent,
            at=table.wrap_at,
        )
    return rows.folded(table.folds)


def _in_picture(tokens: SourceTokens, table: ImageTable, path: Path) -> Layout:
    displayed = None
    if table.displayed is not None:
        displayed = read_limited(table.displayed, MAX_CODE_BYTES).decode("utf-8-sig", "replace")
    given = table.model_dump(include={"tab_width", "monospace", "region_px", "last_row"})
    return image_layout(
        tokens,
        read_limited(path, MAX_IMAGE_BYTES),
        displayed=displayed,
        first_row=table.first_row,
        min_score=table.min_score,
        **given,
    )


def _own_boxes(
    name: str, tokens: SourceTokens, table: OwnBoxesTable, own: Stimulus | None
) -> Layout:
    import pandas as pd

    frame = pd.DataFrame(dict(own.boxes)) if own is not None else pd.DataFrame()
    if frame.empty:
        raise StudyError(f"stimuli.{name}: the recording holds no boxes; give a grid or boxes")
    # Boxes around blanks (indentation, white space) hold no token.
    written = frame["text"].str.strip() != ""
    chosen = frame[(frame["kind"] == table.boxes) & written]
    if chosen.empty:
        kinds = ", ".join(sorted(set(frame["kind"])))
        raise StudyError(f"stimuli.{name}: no boxes of kind {table.boxes!r}; found {kinds}")
    return box_layout(tokens, chosen.reset_index(drop=True))

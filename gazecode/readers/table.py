"""Any CSV, TSV or Parquet file, through a column map that states its units.

Nothing about columns is guessed: a map names them, and says the unit of time and of positions.
Separator and decimal comma are properties of the file and found in its data cells. The one table
that opens without a map is what `Recording.to_frame` wrote.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, GeometryError, ParameterError
from gazecode.model import Message, Recording, Samples, Screen, Trial
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.readers.table_map import (
    EXAMPLE,
    PLANES,
    TIMES_PER_MS,
    ColumnMap,
    column_map,
    own_columns,
)
from gazecode.readers.table_text import TextLayout, column_names, load_text
from gazecode.readers.trials import kept_rows, label_runs, unique_names

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_PARQUET = b"PAR1"


def sniff(source: Source) -> bool:
    """Whether the columns are those of `Recording.to_frame`; no other table is recognised."""
    if source.path.is_dir():
        return False
    try:
        found = _parquet_names(source) if _is_parquet(source) else column_names(source.head)
    except (ValueError, OSError):
        # Cut Parquet has no schema.
        return False
    return own_columns(found) is not None


def read(
    source: Source,
    *,
    columns: Mapping[str, Any] | None = None,
    missing: Sequence[float | str] = (),
    valid: Mapping[str, Sequence[Any]] | None = None,
    decimal: str | None = None,
    sep: str | None = None,
    names: Sequence[str] | None = None,
    skip_lines: int = 0,
    screen: Screen | None = None,
) -> Recording:
    r"""Read named columns of a table.

    Parameters
    ----------
    columns
        What → column, with its unit where a unit matters. Time: ``"t": ("Time", "us")``, unit ns,
        us, ms or s (integers stay integers, so that 19 digits lose nothing). Positions: ``x`` and
        ``y`` (both eyes in one column), ``left_x``, ``left_y``, ``right_x``, ``right_y``, all in
        one unit: px (from the top left), fraction (0..1 of the screen), mm (from the top left) or
        deg (Fick, from the centre, growing to the right and downward), scene_px or href.
        Further ``pupil``, ``left_pupil``, ``right_pupil``, ``valid``, ``left_valid``,
        ``right_valid``, ``trial``, ``stimulus``, ``message``: plain names.
    missing
        Numbers and texts that stand for a lost value, as ``(-1, "lost")``; empty cells, ``.`` and
        ``NaN`` always do.
    valid
        Eye (left, right, both) → codes in its validity column that mean a valid sample; any other
        code makes the sample lost.
    decimal, sep
        Decimal mark and separator, where the data cells are not clear.
    names
        Column names of a file without a header line.
    skip_lines
        Lines before the header.
    screen
        Needed for mm and deg.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gazecode.readers import read as read_any
    >>> columns = {"t": ("us", "us"), "x": ("gx", "px"), "y": ("gy", "px"), "trial": "page"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "P01.csv"
    ...     _ = file.write_text("us;gx;gy;page\n100;1,5;2;a\n4100;-1;-1;a\n8100;3,5;2;b\n")
    ...     recording = read_any(file, format="table", columns=columns, missing=(-1,))
    >>> recording.samples["both"].xy_px[:, 0], [trial.name for trial in recording.trials]
    (array([1.5, nan, 3.5]), ['a', 'b'])
    """
    layout = TextLayout(
        sep=sep,
        decimal=decimal,
        names=tuple(names or ()),
        skip_lines=skip_lines,
        missing=tuple(text for text in missing if isinstance(text, str)),
    )
    mapped = column_map(columns or _own_map(source, layout))
    codes = _valid_codes(mapped, valid)
    counts: Counter[str] = Counter()
    said: dict[str, Any] = {}
    if _is_parquet(source):
        frame = _load_parquet(source, mapped)
    else:
        frame, said = load_text(source, mapped, layout, counts=counts)
    return _recording(
        frame, mapped, codes, missing=missing, screen=screen, counts=counts, said=said
    )


def _recording(
    frame: "pa.Table",
    mapped: ColumnMap,
    codes: Mapping[str, frozenset[Any]],
    *,
    missing: Sequence[float | str],
    screen: Screen | None,
    counts: Counter[str],
    said: Mapping[str, Any],
) -> Recording:
    lost = [float(value) for value in missing if not isinstance(value, str)]
    t = _times_ms(frame, mapped)
    xy = {
        eye: np.stack([_numbers(frame, name, lost) for name in pair], axis=1)
        for eye, pair in mapped.position.items()
    }
    marked = {}
    for eye, name in mapped.valid.items():
        invalid = ~_has_code(frame, name, codes[eye])
        xy[eye][invalid] = np.nan
        marked[eye] = int(invalid.sum())
    samples = samples_of_eyes(
        t,
        {eye: _to_px(points, mapped.unit, screen) for eye, points in xy.items()},
        {eye: _numbers(frame, name, lost) for eye, name in mapped.pupil.items()},
        counts=counts,
    )
    return Recording(
        samples=samples,
        trials=_trials(frame, mapped, t, next(iter(samples.values()))),
        messages=_messages(frame, mapped, t),
        plane=PLANES[mapped.unit],
        provenance={
            "clock": f"column {mapped.time} in {mapped.time_unit}; ms 0 is its first stamp",
            "left_out": counts,
            "columns": {"time": mapped.time, "position": mapped.position, "unit": mapped.unit},
            "marked_invalid": marked,
            **said,
        },
    )


def _is_parquet(source: Source) -> bool:
    return source.head.startswith(_PARQUET)


def _parquet_names(source: Source) -> list[str]:
    from pyarrow import parquet

    return list(parquet.read_schema(_parquet_file(source)).names)


def _parquet_file(source: Source) -> Any:
    import pyarrow as pa

    # An unpacked archive has to be held; a plain file is read where it lies.
    packed = source.path.name != source.name
    return pa.BufferReader(source.read_bytes()) if packed else source.path


def _load_parquet(source: Source, mapped: ColumnMap) -> "pa.Table":
    from pyarrow import parquet

    found = _parquet_names(source)
    absent = [name for name in mapped.wanted if name not in found]
    if absent:
        raise FormatError.missing_columns(source.path.name, absent, found, "Check columns=")
    return parquet.read_table(_parquet_file(source), columns=mapped.wanted)


def _own_map(source: Source, layout: TextLayout) -> dict[str, Any]:
    """The map of a table that gazecode wrote; any other needs one."""
    found = _parquet_names(source) if _is_parquet(source) else column_names(source.head, layout)
    if own := own_columns(found):
        return own
    listed = ", ".join(found[:40]) + (", ..." if len(found) > 40 else "")
    raise FormatError(
        f"{source.path.name} is a table with the columns {listed}; say which is what, as in "
        f"read(path, format='table', {EXAMPLE})"
    )


def _valid_codes(
    mapped: ColumnMap, valid: Mapping[str, Sequence[Any]] | None
) -> dict[str, frozenset[Any]]:
    given = dict(valid or {})
    if set(given) != set(mapped.valid):
        named, coded = ", ".join(mapped.valid) or "none", ", ".join(given) or "none"
        raise ParameterError(
            f"validity columns are named for {named}, codes that mean valid for {coded}; give "
            "both, as in columns={'left_valid': 'ValidityLeft', ...}, valid={'left': [0, 1]}"
        )
    return {eye: frozenset(_code(code) for code in codes) for eye, codes in given.items()}


def _code(value: Any) -> Any:
    """Codes are compared as numbers where they are numbers: 0, 0.0 and "0" are the same."""
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        return text


def _has_code(frame: "pa.Table", name: str, codes: frozenset[Any]) -> npt.NDArray[np.bool_]:
    column = frame[name].combine_chunks().dictionary_encode()
    accepted = np.array([_code(v) in codes for v in column.dictionary.to_pylist()] + [False])
    chosen: npt.NDArray[np.bool_] = accepted[column.indices.fill_null(-1).to_numpy()]
    return chosen


def _numbers(frame: "pa.Table", name: str, lost: Sequence[float]) -> FloatArray:
    import pyarrow as pa

    values: FloatArray = frame[name].cast(pa.float64(), safe=False).to_numpy()
    return np.where(np.isin(values, lost), np.nan, values) if lost else values


def _times_ms(frame: "pa.Table", mapped: ColumnMap) -> FloatArray:
    """Stamps in ms from the first one; integers are subtracted before they become floats."""
    import pyarrow as pa

    column = frame[mapped.time].combine_chunks()
    if pa.types.is_integer(column.type):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        ticks = column.cast(pa.int64()).fill_null(0).to_numpy()
        start = ticks[known].min() if known.any() else 0
        elapsed = np.where(known, (ticks - start).astype(np.float64), np.nan)
    elif pa.types.is_floating(column.type):
        ticks = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        finite = np.isfinite(ticks)
        elapsed = ticks - (ticks[finite].min() if finite.any() else 0.0)
    else:
        raise FormatError(
            f"column {mapped.time} holds {column.type}, expected numbers in {mapped.time_unit}; "
            "convert dates to a number of seconds first"
        )
    ms: FloatArray = elapsed / TIMES_PER_MS[mapped.time_unit]
    return ms


def _to_px(xy: FloatArray, unit: str, screen: Screen | None) -> FloatArray:
    if unit not in ("mm", "deg"):
        return xy
    if screen is None or screen.width_mm is None or screen.height_mm is None:
        raise GeometryError(
            f"positions in {unit} need the screen's pixels and millimetres; give "
            "screen=Screen(width_px=..., height_px=..., width_mm=..., height_mm=..., "
            "distance_mm=...)"
        )
    px_per_mm = np.array([screen.width_px / screen.width_mm, screen.height_px / screen.height_mm])
    if unit == "mm":
        scaled: FloatArray = xy * px_per_mm
        return scaled
    if screen.distance_mm is None:
        raise GeometryError("positions in deg need the viewing distance; give distance_mm=")
    # The inverse of `gazecode.units.px_to_deg`.
    azimuth, elevation = np.radians(xy).T
    x_mm = screen.distance_mm * np.tan(azimuth)
    y_mm = np.hypot(screen.distance_mm, x_mm) * np.tan(elevation)
    centre = np.array([screen.width_px / 2, screen.height_px / 2])
    px: FloatArray = np.stack([x_mm, y_mm], axis=1) * px_per_mm + centre
    return px


def _texts(frame: "pa.Table", name: str) -> npt.NDArray[np.object_]:
    import pyarrow as pa

    texts: npt.NDArray[np.object_] = np.array(
        frame[name].cast(pa.string()).fill_null("").to_pylist(), dtype=object
    )
    return texts


def _trials(frame: "pa.Table", mapped: ColumnMap, t: FloatArray, samples: Samples) -> list[Trial]:
    """Each run of one label is a trial; rows without a label belong to none."""
    named = mapped.texts.get("trial", mapped.texts.get("stimulus"))
    if named is None or not len(samples):
        return []
    rows = kept_rows(t, samples.t_ms)
    labels = _texts(frame, named)[rows]
    shown = _texts(frame, mapped.texts["stimulus"])[rows] if "stimulus" in mapped.texts else None
    found = [run for run in label_runs(samples.t_ms, labels) if str(labels[run[0]]).strip()]
    names = unique_names(str(labels[first]).strip() for first, _, _ in found)
    return [
        Trial(
            name=name,
            onset_ms=onset,
            offset_ms=offset,
            stimulus=None if shown is None else str(shown[first]).strip() or None,
        )
        for name, (first, onset, offset) in zip(names, found, strict=True)
    ]


def _messages(frame: "pa.Table", mapped: ColumnMap, t: FloatArray) -> list[Message]:
    if "message" not in mapped.texts:
        return []
    texts = _texts(frame, mapped.texts["message"])
    rows = [i for i, text in enumerate(texts) if text.strip() and np.isfinite(t[i])]
    return [Message(t_ms=float(t[i]), text=texts[i].strip()) for i in rows]


READER = Reader(
    name="table",
    title="any CSV, TSV or Parquet through a named column map with units",
    sniff=sniff,
    read=read,
    suffixes=(".csv", ".tsv", ".txt", ".parquet"),
    any_file=True,
)

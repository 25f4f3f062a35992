"""Any CSV, TSV or Parquet file, through a column map that states its units.

Nothing about columns is guessed: a map names them, and says the unit of time and of positions.
Separator and decimal comma are properties of the file and found in its data cells. The one table
that opens without a map is what `Recording.to_frame` wrote.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError, GeometryError, ParameterError, TooLarge
from gazecode.model import Message, Recording, Samples, Screen, Trial
from gazecode.readers.reader import Reader
from gazecode.readers.source import MAX_RATIO, Source
from gazecode.readers.table.columns import Labels, TableColumns
from gazecode.readers.table.map import (
    EXAMPLE,
    PLANES,
    ColumnMap,
    column_map,
    own_columns,
)
from gazecode.readers.table.text import TextLayout, column_names, load_text
from gazecode.readers.tools.build import samples_of_eyes
from gazecode.readers.tools.trials import kept_rows, unique_names
from gazecode.units import sample_end_ms

__all__ = ["READER", "read", "sniff"]

FloatArray = npt.NDArray[np.float64]

_PARQUET = b"PAR1"
_FREE_BYTES = 64 << 20
_BATCH_ROWS = 1 << 14


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
        columns_found = _load_parquet(source, mapped)
    else:
        columns_found, said = load_text(source, mapped, layout, counts=counts)
    return _recording(
        columns_found, mapped, codes, missing=missing, screen=screen, counts=counts, said=said
    )


def _recording(
    table: TableColumns,
    mapped: ColumnMap,
    codes: Mapping[str, frozenset[Any]],
    *,
    missing: Sequence[float | str],
    screen: Screen | None,
    counts: Counter[str],
    said: Mapping[str, Any],
) -> Recording:
    lost = [float(value) for value in missing if not isinstance(value, str)]
    t = table.times_ms()
    xy, marked = {}, {}
    for eye, pair in mapped.position.items():
        points = _points(table, pair, lost)
        if eye in mapped.valid:
            invalid = ~_has_code(table.labels(mapped.valid[eye]), codes[eye])
            points[invalid] = np.nan
            marked[eye] = int(invalid.sum())
        xy[eye] = _to_px(points, mapped.unit, screen)
    messages = _messages(table, mapped, t)
    samples = samples_of_eyes(
        t,
        xy,
        {eye: table.numbers(name, lost) for eye, name in mapped.pupil.items()},
        counts=counts,
    )
    return Recording(
        samples=samples,
        trials=_trials(table, mapped, t, next(iter(samples.values()))),
        messages=messages,
        plane=PLANES[mapped.unit],
        provenance={
            "clock": f"column {mapped.time} in {mapped.time_unit}; ms 0 is its first stamp",
            "left_out": counts,
            "columns": {"time": mapped.time, "position": mapped.position, "unit": mapped.unit},
            "marked_invalid": marked,
            **said,
        },
    )


def _points(table: TableColumns, pair: tuple[str, str], lost: Sequence[float]) -> FloatArray:
    x = table.numbers(pair[0], lost)
    points = np.empty((len(x), 2))
    points[:, 0] = x
    del x
    points[:, 1] = table.numbers(pair[1], lost)
    return points


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


def _load_parquet(source: Source, mapped: ColumnMap) -> TableColumns:
    try:
        return _parquet_columns(source, mapped)
    except OSError as error:
        raise _damaged(source, error) from error


def _damaged(source: Source, error: OSError) -> FormatError:
    """What Arrow says of damaged Parquet, which it takes for a fault of the disk."""
    return FormatError(
        f"{source.path.name} cannot be read as Parquet ({' '.join(str(error).split())}); copy or "
        "write the file again"
    )


def _parquet_columns(source: Source, mapped: ColumnMap) -> TableColumns:
    from pyarrow import parquet

    found = _parquet_names(source)
    absent = [name for name in mapped.wanted if name not in found]
    if absent:
        raise FormatError.missing_columns(source.path.name, absent, found, "Check columns=")
    with parquet.ParquetFile(_parquet_file(source), pre_buffer=False) as file:
        # Runs of one value pack a thousand to one: what is declared is what will be held.
        declared = file.metadata.num_rows * 8 * len(mapped.wanted)
        most = _FREE_BYTES + source.path.stat().st_size * MAX_RATIO
        if declared > most:
            raise TooLarge(
                f"{source.path.name} declares {file.metadata.num_rows} rows, over {most} bytes; "
                "refused as a decompression bomb. Write it again with smaller parts"
            )
        batches = file.iter_batches(_BATCH_ROWS, columns=mapped.wanted, use_threads=False)
        table = TableColumns(mapped, batches)
    if not table.n_rows:
        raise FormatError(f"{source.path.name} holds no rows; expected stamps and positions")
    return table


def _own_map(source: Source, layout: TextLayout) -> dict[str, Any]:
    """The map of a table that gazecode wrote; any other needs one."""
    try:
        found = _parquet_names(source) if _is_parquet(source) else column_names(source.head, layout)
    except OSError as error:
        raise _damaged(source, error) from error
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


def _has_code(labels: Labels, codes: frozenset[Any]) -> npt.NDArray[np.bool_]:
    numbers, texts = labels
    # No code at all is never a code that means valid.
    accepted = np.array([text != "" and _code(text) in codes for text in texts])
    chosen: npt.NDArray[np.bool_] = accepted[numbers]
    return chosen


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


def _trials(table: TableColumns, mapped: ColumnMap, t: FloatArray, samples: Samples) -> list[Trial]:
    """Each run of one label is a trial; rows without a label belong to none."""
    named = mapped.texts.get("trial", mapped.texts.get("stimulus"))
    if named is None or not len(samples):
        return []
    as_read = len(t) == len(samples) and np.array_equal(t, samples.t_ms)
    rows = slice(None) if as_read else kept_rows(t, samples.t_ms)
    codes, labels = table.labels(named)
    codes = codes[rows]
    first = np.flatnonzero(np.diff(codes, prepend=-1))
    last = np.append(first[1:], len(codes)) - 1
    ends = sample_end_ms(samples.t_ms)[last]
    runs = [
        (i, labels[codes[i]].strip(), float(end))
        for i, end in zip(first.tolist(), ends.tolist(), strict=True)
        if labels[codes[i]].strip()
    ]
    shown = [None] * len(runs)
    if "stimulus" in mapped.texts:
        numbers, texts = table.labels(mapped.texts["stimulus"])
        numbers = numbers[rows]
        shown = [texts[numbers[i]].strip() or None for i, _, _ in runs]
    names = unique_names(label for _, label, _ in runs)
    return [
        Trial(name=name, onset_ms=float(samples.t_ms[i]), offset_ms=end, stimulus=stimulus)
        for name, stimulus, (i, _, end) in zip(names, shown, runs, strict=True)
    ]


def _messages(table: TableColumns, mapped: ColumnMap, t: FloatArray) -> list[Message]:
    if "message" not in mapped.texts:
        return []
    codes, texts = table.labels(mapped.texts["message"])
    said = np.array([bool(text.strip()) for text in texts])
    rows = np.flatnonzero(said[codes] & np.isfinite(t))
    return [Message(t_ms=float(t[i]), text=texts[codes[i]].strip()) for i in rows.tolist()]


READER = Reader(
    name="table",
    title="any CSV, TSV or Parquet through a named column map with units",
    sniff=sniff,
    read=read,
    suffixes=(".csv", ".tsv", ".txt", ".parquet"),
    any_file=True,
)

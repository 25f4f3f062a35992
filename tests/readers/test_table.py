"""Any table through a column map: units, lost values, decimal commas, ragged rows."""

import gzip
import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from gazecode.errors import FormatError, GeometryError, ParameterError
from gazecode.model import Screen
from gazecode.readers import read, sniff_format
from gazecode.testing import recordings
from gazecode.units import px_to_deg

COLUMNS = {"t": ("Time", "ms"), "x": ("X", "px"), "y": ("Y", "px")}
PLAIN = "Time,X,Y\n100,1.5,2\n110,3,4\n120,5,6\n"


@pytest.fixture
def load(tmp_path):
    def load(text, name="P01.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path, format="table", **{"columns": COLUMNS, **options})

    return load


def test_plain(load):
    got = load(PLAIN)
    assert got.samples["both"].t_ms.tolist() == [0.0, 10.0, 20.0]
    assert got.samples["both"].xy_px.tolist() == [[1.5, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert got.plane == "screen_px"
    assert got.provenance["clock"] == "column Time in ms; ms 0 is its first stamp"
    assert (got.provenance["separator"], got.provenance["decimal"]) == (",", ".")


@pytest.mark.parametrize(
    ("unit", "cells"),
    [
        ("ns", ("1700000000123456789", "1700000000123456799")),
        ("us", ("5000000", "5000001")),
        ("ms", ("7.5", "8.5")),
        ("s", ("0.5", "0.504")),
    ],
)
def test_units_of_time(load, unit, cells):
    text = f"Time,X,Y\n{cells[0]},1,2\n{cells[1]},3,4\n"
    got = load(text, columns=COLUMNS | {"t": ("Time", unit)})
    step = {"ns": 1e-5, "us": 1e-3, "ms": 1.0, "s": 4.0}[unit]
    # Nineteen digits do not fit into a float: the difference would be 0.
    assert got.samples["both"].t_ms[1] == pytest.approx(step, rel=1e-9)


@pytest.mark.parametrize("sep", ["\t", ";", "|", ","])
def test_separators_are_found(load, sep):
    got = load(PLAIN.replace(",", sep))
    assert got.provenance["separator"] == sep
    assert got.samples["both"].xy_px[0].tolist() == [1.5, 2.0]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r\r\n"])
def test_decimal_comma_mark_and_line_ends(load, ending):
    text = "\ufeffTime;X;Y\n1,25;1,5;2\n2,25;-3;4,5\n".replace("\n", ending)
    got = load(text)
    assert got.samples["both"].t_ms.tolist() == [0.0, 1.0]
    assert got.samples["both"].xy_px.tolist() == [[1.5, 2.0], [-3.0, 4.5]]
    assert got.provenance["decimal"] == ","


def test_decimal_comma_that_shows_up_late(load):
    rows = "".join(f"{i};-1;-1\n" for i in range(30_000)) + "30000;1,5;2,5\n30001;1;2\n"
    got = load("Time;X;Y\n" + rows, missing=(-1,))
    assert got.samples["both"].xy_px[-2].tolist() == [1.5, 2.5]
    assert got.provenance["n_lost"] == {"both": 30_000}


def test_utf16_and_windows_text(load):
    assert len(load(PLAIN.encode("utf-16"))) == 3
    text = "Time;X;Y;Größe\n0;1;2;ä\n1;1;2;ö\n".encode("cp1252")
    got = load(text, columns=COLUMNS | {"trial": "Größe"})
    assert [t.name for t in got.trials] == ["ä", "ö"]


def test_ragged_rows_are_counted(load):
    got = load("Time,X,Y\n0,1,2\n1,1\n2,1,2,9\n3,1,2\n")
    assert got.samples["both"].t_ms.tolist() == [0.0, 3.0]
    assert got.provenance["left_out"] == {"ragged_rows": 2}


def test_a_separator_at_the_end_of_every_row_is_no_raggedness(load):
    got = load("Time,X,Y\n0,1,2,\n1,1,2,\n")
    assert len(got) == 2
    assert got.provenance["left_out"] == {}


def test_lost_values(load):
    text = "Time,X,Y\n0,1,2\n1,.,.\n2,,\n3,-1,-1\n4,lost,lost\n5,5,-1\n"
    got = load(text, missing=(-1, "lost"))
    assert got.samples["both"].lost.tolist() == [False, True, True, True, True, True]
    assert got.provenance["left_out"] == {"half_lost": 1}


def test_two_eyes_pupil_and_validity(load):
    text = "Time,LX,LY,LV,RX,RY,RV,LP\n0,1,2,0,3,4,0,3.5\n1,1,2,4,3,4,1.0,3.6\n2,1,2,1,3,4,4,-1\n"
    columns = {
        "t": ("Time", "ms"),
        **{f"left_{a}": (f"L{a.upper()}", "px") for a in "xy"},
        **{f"right_{a}": (f"R{a.upper()}", "px") for a in "xy"},
        "left_pupil": "LP",
        "left_valid": "LV",
        "right_valid": "RV",
    }
    valid = {"left": [0, 1], "right": ["0", 1]}
    got = load(text, columns=columns, valid=valid, missing=[-1])
    assert got.samples["left"].lost.tolist() == [False, True, False]
    assert got.samples["right"].lost.tolist() == [False, False, True]
    np.testing.assert_array_equal(got.samples["left"].pupil, [3.5, 3.6, np.nan])
    assert got.provenance["marked_invalid"] == {"left": 1, "right": 1}


def test_trials_stimulus_and_messages(load):
    text = (
        "Time,X,Y,Page,Image,Note\n"
        "0,1,2,a,a.png,\n10,1,2,a,a.png,key\n20,1,2,,,\n30,1,2,b,,\n40,1,2,a,a.png,\n"
    )
    got = load(text, columns=COLUMNS | {"trial": "Page", "stimulus": "Image", "message": "Note"})
    assert [(t.name, t.onset_ms, t.offset_ms, t.stimulus) for t in got.trials] == [
        ("a", 0.0, 20.0, "a.png"),
        ("b", 30.0, 40.0, None),
        ("a (2)", 40.0, 55.0, "a.png"),
    ]
    assert [(m.t_ms, m.text) for m in got.messages] == [(10.0, "key")]


def test_unsorted_and_untimed_rows_are_counted(load):
    got = load("Time,X,Y\n10,1,1\n0,2,2\n,3,3\n0,4,4\n")
    assert got.samples["both"].xy_px[:, 0].tolist() == [2.0, 1.0]
    assert got.provenance["left_out"] == {"no_time": 1, "unsorted": 1, "duplicate_time": 1}


def test_header_further_down_or_absent(load):
    assert len(load("made by x\nversion 2\n" + PLAIN, skip_lines=2)) == 3
    assert len(load(PLAIN.partition("\n")[2], names=["Time", "X", "Y"])) == 3


def test_quoted_cells_with_separator_and_line_end(load):
    got = load(
        'Time,X,Y,"No,te"\n0,1,2,"a, b\nc"\n1,1,2,\n', columns=COLUMNS | {"message": "No,te"}
    )
    assert got.messages[0].text == "a, b\nc"
    assert len(got) == 2


LONG = 40_000
"""Rows of a file that is read in many blocks."""


def test_quoted_cells_may_lie_across_blocks(load):
    note = '"a\nb, c"'
    rows = "".join(f"{i},{i % 9}.5,3,{note if i % 997 == 500 else ''}\n" for i in range(LONG))
    got = load("Time,X,Y,Note\n" + rows, columns=COLUMNS | {"message": "Note"})
    assert len(got) == LONG
    assert [m.text for m in got.messages] == ["a\nb, c"] * len(range(500, LONG, 997))
    assert got.samples["both"].xy_px[:, 0].tolist() == [i % 9 + 0.5 for i in range(LONG)]


def test_a_quote_that_never_closes_swallows_no_rows(load):
    quote = '"'
    rows = "".join(f"{i},1,3,{quote if i == 30_000 else ''}\n" for i in range(LONG))
    with pytest.raises(FormatError, match="a double quote opens and none closes it, 9999 lines"):
        load("Time,X,Y,Note\n" + rows, columns=COLUMNS | {"message": "Note"})
    # In the middle of a cell it is an inch mark.
    assert len(load('Time,X,Y,Note\n0,1,2,5"\n1,1,2,6\n')) == 2


def test_what_shows_up_late_is_seen(load):
    rows = "".join(f"{i};{i % 9};3;x\n" for i in range(LONG))
    late = f"{LONG}.5;1.5;2.5;\xe4\n".encode("cp1252")
    got = load(b"Time;X;Y;Page\n" + rows.encode() + late, columns=COLUMNS | {"trial": "Page"})
    assert got.samples["both"].t_ms[-1] == LONG + 0.5
    assert [t.name for t in got.trials] == ["x", "ä"]
    with pytest.raises(FormatError, match="breaks off in its last row"):
        load("Time;X;Y;Page\n" + rows + "1;2")


def test_one_column_for_two_things(load):
    columns = COLUMNS | {"pupil": "X", "trial": "Page", "stimulus": "Page"}
    got = load("Time,X,Y,Page\n0,1,2,a\n1,-1,3,b\n", columns=columns, missing=(-1,))
    np.testing.assert_array_equal(got.samples["both"].pupil, [1.0, np.nan])
    assert [(t.name, t.stimulus) for t in got.trials] == [("a", "a"), ("b", "b")]


@pytest.mark.parametrize("name", ["big.csv", "big.parquet"])
def test_memory_is_bounded_by_what_is_returned(tmp_path, name):
    frame = pd.DataFrame({"Time": np.arange(LONG) * 4, "X": 1.25, "Y": 2.5, "Page": "one"})
    path = tmp_path / name
    if name.endswith("csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    columns = COLUMNS | {"trial": "Page"}
    read(path, "table", columns=columns)
    tracemalloc.start()
    got = read(path, "table", columns=columns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    held = got.samples["both"]
    size = held.t_ms.nbytes + held.xy_px.nbytes + held.pupil.nbytes
    assert peak < 3 * size + (4 << 20)


def test_fraction_waits_for_a_screen(load):
    columns = COLUMNS | {"x": ("X", "fraction"), "y": ("Y", "fraction")}
    text = "Time,X,Y\n0,0.5,0.25\n1,1,1\n"
    assert load(text, columns=columns).plane == "screen_fraction"
    got = load(text, columns=columns, screen=Screen(width_px=200, height_px=100))
    assert (got.plane, got.samples["both"].xy_px[0].tolist()) == ("screen_px", [100.0, 25.0])


SCREEN = Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=650)


def test_degrees_are_the_inverse_of_px_to_deg(load):
    px = np.array([[0.0, 0.0], [960.0, 540.0], [1900.0, 1000.0]])
    rows = "".join(f"{i},{x!r},{y!r}\n" for i, (x, y) in enumerate(px_to_deg(px, SCREEN).tolist()))
    columns = COLUMNS | {"x": ("X", "deg"), "y": ("Y", "deg")}
    got = load("Time,X,Y\n" + rows, columns=columns, screen=SCREEN)
    np.testing.assert_allclose(got.samples["both"].xy_px, px, atol=1e-9)
    with pytest.raises(GeometryError, match="need the screen's pixels and millimetres"):
        load("Time,X,Y\n" + rows, columns=columns)


def test_millimetres(load):
    columns = COLUMNS | {"x": ("X", "mm"), "y": ("Y", "mm")}
    got = load("Time,X,Y\n0,254.5,143\n1,0,0\n", columns=columns, screen=SCREEN)
    assert got.samples["both"].xy_px[0].tolist() == [960.0, 540.0]


@pytest.mark.parametrize("name", ["P01.parquet", "P01.parquet.gz"])
def test_parquet(tmp_path, name):
    frame = pd.DataFrame(
        {
            "Time": pd.array([1_700_000_000_000_000_001, None, 1_700_000_000_000_500_001], "Int64"),
            "X": np.array([1.5, 2.5, 3.5], np.float32),
            "Y": [1, 2, -1],
            "Page": ["a", "a", None],
        }
    )
    path = tmp_path / name
    frame.to_parquet(tmp_path / "raw.parquet")
    raw = (tmp_path / "raw.parquet").read_bytes()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    columns = COLUMNS | {"t": ("Time", "ns"), "trial": "Page"}
    got = read(path, "table", columns=columns, missing=(-1,))
    assert got.samples["both"].t_ms.tolist() == [0.0, 0.5]
    assert got.samples["both"].lost.tolist() == [False, True]
    assert got.provenance["left_out"] == {"no_time": 1, "half_lost": 1}
    assert [t.name for t in got.trials] == ["a"]
    with pytest.raises(FormatError, match=r"no column Z; found Time, X, Y, Page"):
        read(path, "table", columns=columns | {"y": ("Z", "px")})
    with pytest.raises(FormatError, match="is a table with the columns Time, X, Y, Page; say"):
        read(path, "table")


@given(recordings())
@settings(max_examples=40)
def test_what_gazecode_wrote_opens_without_a_map(tmp_path_factory, recording):
    folder = tmp_path_factory.mktemp("own")
    frame = recording.to_frame()
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_parquet(folder / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        assert sniff_format(folder / name) == "table"
        pd.testing.assert_frame_equal(read(folder / name).to_frame(), frame, rtol=1e-12)


def test_arbitrary_text_is_not_recognised(tmp_path):
    for text in (PLAIN, "t_ms,x\n1,2\n", "t_ms\n1\n", "hello"):
        path = tmp_path / "x.csv"
        path.write_text(text)
        with pytest.raises(FormatError, match="no reader knows this file"):
            read(path)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"columns": None},
            FormatError,
            "P01.csv is a table with the columns Time, X, Y; say which is what, as in read(path, ",
        ),
        ({"columns": {"time": "Time"}}, ParameterError, "no 'time' in columns=; choose from: "),
        ({"columns": {"x": ("X", "px")}}, ParameterError, "columns= names no 't'; expected for "),
        (
            {"columns": COLUMNS | {"t": "Time"}},
            ParameterError,
            "columns['t'] = 'Time' states no unit; write ('Time', unit) with unit one of ns, us, ",
        ),
        (
            {"columns": COLUMNS | {"t": ("Time", "min")}},
            ParameterError,
            "columns['t'] has the unit 'min'; expected one of ns, us, ms, s",
        ),
        (
            {"columns": {"t": ("Time", "ms"), "x": ("X", "px")}},
            ParameterError,
            "columns= names 'x' alone; x and y come in pairs",
        ),
        (
            {"columns": {"t": ("Time", "ms"), "trial": "X"}},
            ParameterError,
            "columns= names no position; expected for example ",
        ),
        (
            {"columns": COLUMNS | {"x": ("X", "deg")}},
            ParameterError,
            "columns= mixes units of position (x deg, y px); expected one for all",
        ),
        (
            {"columns": COLUMNS | {"left_pupil": "X"}},
            ParameterError,
            "columns= names left_pupil without x and y of that eye; it has positions of both",
        ),
        (
            {"columns": COLUMNS | {"y": ("Z", "px")}},
            FormatError,
            "P01.csv: no column Z; found Time, X, Y. Check columns= and sep=",
        ),
        (
            {"valid": {"both": [0]}},
            ParameterError,
            "validity columns are named for none, codes that mean valid for both; give both, as ",
        ),
    ],
)
def test_wrong_maps_say_so(load, options, error, message):
    with pytest.raises(error, match="^" + re.escape(message)) as caught:
        load(PLAIN, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Time,X,Y\n0,1,2\n1,away,2\n", "P01.csv: a cell is no number ("),
        ("Time,X,Y\n2024-05-01,1,2\n", "P01.csv: a cell is no number ("),
        ("Time,X,Y\n0,1,2\n1,5,6\n2,1", "P01.csv breaks off in its last row; copy or export "),
        ("Time,X,X,Y\n0,1,2,3\n", "P01.csv: column X occurs more than once; name the columns "),
        ("\n\n", "P01.csv holds no rows; expected a header line and rows"),
        ("Time,X,Y", "P01.csv holds no rows; expected a header line and rows"),
        ("Time,X,Y\n1,2\n", "P01.csv holds no whole rows (1 ragged ones); expected 3 cells each"),
    ],
)
def test_bad_tables_say_so(load, text, message):
    with pytest.raises(FormatError, match="^" + re.escape(message)):
        load(text)


@pytest.mark.real
def test_a_foreign_table_with_a_map(shared_data):
    """Samples of a study's CSV, read by name, against plain counting."""
    folder = shared_data / "linearity-peitek2020" / "raw_data"
    path = sorted(folder.rglob("GazeData_*.csv"))[0]
    columns = {"t": ("Time", "ms"), "x": ("Gaze.X", "px"), "y": ("GazeY", "px"), "trial": "Snippet"}
    got = read(path, format="table", columns=columns)
    rows = [line.split(";") for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
    x = rows[0].index("Gaze.X")
    by_hand = [float(row[x].replace(",", ".")) for row in rows[1:]]
    stamps = [float(row[0].replace(",", ".")) for row in rows[1:]]
    kept = len(dict.fromkeys(stamps))
    print(path.name, len(got), "samples,", len(got.trials), "trials,", got.provenance["left_out"])
    assert len(got) == kept
    assert sum(got.provenance["left_out"].get(k, 0) for k in ("duplicate_time",)) == (
        len(by_hand) - kept
    )
    assert np.nanmin(got.samples["both"].xy_px[:, 0]) == min(by_hand)

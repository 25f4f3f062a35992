"""EyeX CSV: decimal comma, display scaling, trials from runs of Snippet."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from gazecode.errors import FormatError
from gazecode.readers.source import Source
from gazecode.readers.tobii import eyex
from gazecode.units import sample_end_ms

HEADER = "Time;Gaze.X;GazeY;SubjectID;Snippet;Indentation;TrialNumber"
INFO = "Age,ActualScreenWidth,ActualScreenHeight,EyeXScreenWidth,EyeXScreenHeight,SubjectID"


def row(t, x, y, snippet, *, subject="p1", number=0):
    def comma(value):
        return str(value).replace(".", ",")

    return f"{comma(t)};{comma(x)};{comma(y)};{subject};{snippet};4;{number}"


def write(folder: Path, rows, info=None) -> Source:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "GazeData_p1.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    if info is not None:
        (folder.parent / "GeneralInfo_All.csv").write_text(info)
    return Source(path)


ROWS = [
    row(1000.5, 300.0, 150.0, "FixationCross_0"),
    row(1010.5, 303.0, 153.0, "FixationCross_0"),
    row(1020.5, 306.0, 156.0, "Vehicle"),
    row(1030.5, -30.0, 1890.0, "Vehicle"),
    row(9000.5, 600.0, 300.0, "FixationCross_1", number=1),
    row(9010.5, 600.0, 300.0, "Vehicle", number=1),
]


def test_gaze_is_scaled_to_the_actual_screen(tmp_path):
    info = f'{INFO}\n30,1920,1200,2880,1800,"p1"\n'
    rec = eyex.read(write(tmp_path / "Trial_p1", ROWS, info))
    gaze = rec.samples["both"]
    np.testing.assert_allclose(gaze.t_ms, [0, 10, 20, 30, 8000, 8010])
    np.testing.assert_allclose(gaze.xy_px[:4], [[200, 100], [202, 102], [204, 104], [-20, 1260]])
    assert (rec.screen.width_px, rec.screen.height_px) == (1920, 1200)
    assert rec.provenance["display_scaling"] == (
        "actual 1920x1200 / EyeX 2880x1800 from GeneralInfo_All.csv"
    )


def test_trials_are_runs_of_the_snippet_and_end_before_a_pause(tmp_path):
    rec = eyex.read(write(tmp_path / "a", ROWS))
    assert [(t.name, t.stimulus, t.onset_ms, t.offset_ms) for t in rec.trials] == [
        ("FixationCross_0", None, 0.0, 20.0),
        ("Vehicle", "Vehicle", 20.0, 45.0),
        ("FixationCross_1", None, 8000.0, 8010.0),
        ("Vehicle (2)", "Vehicle", 8010.0, 8025.0),
    ]
    assert sum(len(rec.window(t)) for t in rec.trials) == len(ROWS)
    assert rec.provenance["indentation"] == {"Vehicle": "4", "Vehicle (2)": "4"}


@pytest.mark.parametrize(
    "info",
    [
        None,
        f"{INFO}\n30,1920,1200,2880,1800,p2\n",
        f"{INFO}\n30,1920,1200,,,p1\n",
        f"{INFO}\n30,1920,1200,0,0,p1\n",
        "Age;Gender;SubjectID\n1989;Männlich;p1\n",
    ],
    ids=["no table", "other person", "empty cells", "zero", "German table without sizes"],
)
def test_unknown_scaling_is_said_and_nothing_is_guessed(tmp_path, info):
    rec = eyex.read(write(tmp_path / "Trial_p1", ROWS, info))
    assert rec.screen is None
    assert rec.provenance["scale"] == [1.0, 1.0]
    assert rec.samples["both"].xy_px[0].tolist() == [300.0, 150.0]
    assert rec.provenance["display_scaling"].startswith("display scaling unknown")
    assert "read(path, general_info=...)" in rec.provenance["display_scaling"]
    assert "rescales nothing" in rec.provenance["display_scaling"]


def test_a_named_table_is_used_and_must_know_the_person(tmp_path):
    source = write(tmp_path / "a", ROWS)
    table = tmp_path / "sizes.csv"
    table.write_text(f"{INFO}\n30,1000,500,2000,1000,p1\n".replace(",", ";"))
    rec = eyex.read(source, general_info=table)
    assert rec.provenance["scale"] == [0.5, 0.5]
    table.write_text(f"{INFO}\n30,1000,500,2000,1000,p2\n")
    with pytest.raises(FormatError, match=r"sizes.csv holds no screen sizes of participant p1"):
        eyex.read(source, general_info=table)


def test_rows_out_of_order_repeated_or_ragged_are_counted(tmp_path):
    rows = [ROWS[0], ROWS[2], ROWS[1], ROWS[2], "1040,5;7", ROWS[3]]
    rec = eyex.read(write(tmp_path / "a", rows))
    assert [t.name for t in rec.trials] == ["FixationCross_0", "Vehicle"]
    assert rec.provenance["left_out"] == {"ragged_rows": 1, "unsorted": 1, "duplicate_time": 1}


def test_one_row_is_a_recording(tmp_path):
    rec = eyex.read(write(tmp_path / "a", ROWS[:1]))
    assert [(t.onset_ms, t.offset_ms) for t in rec.trials] == [(0.0, 1.0)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROWS[0], row(1, 2, 3, "a", subject="p2")], "gaze of 2 participants (p1, p2, ...)"),
        ([ROWS[0], "1040,5;7,0;8"], "not cut"),
    ],
)
def test_two_participants_are_refused(tmp_path, rows, message):
    source = write(tmp_path / "a", rows)
    if message == "not cut":
        assert eyex.read(source).provenance["left_out"] == {"ragged_rows": 1}
        return
    with pytest.raises(FormatError) as caught:
        eyex.read(source)
    assert message in str(caught.value)


def test_a_cut_file_is_an_error(tmp_path):
    source = write(tmp_path / "a", ROWS)
    source.path.write_bytes(source.path.read_bytes()[:-8])
    with pytest.raises(FormatError, match=r"breaks off in its last row \(5 of 7 cells\) after 5"):
        eyex.read(source)


def test_sniff_is_by_columns(tmp_path):
    assert eyex.sniff(write(tmp_path / "a", ROWS))
    other = tmp_path / "other.csv"
    other.write_text("Time;x;y\n1;2;3\n")
    assert not eyex.sniff(Source(other))
    assert not eyex.sniff(Source(tmp_path))


def gaze_file(shared_data: Path, start: str) -> Path:
    found = [*shared_data.glob(f"linearity-peitek2020/raw_data/*/*/GazeData_{start}*.csv")]
    found += shared_data.glob(f"indentation-bauer2019/TrialData/*/GazeData_{start}*.csv")
    assert len(found) == 1
    return found[0]


def plain_runs(path: Path) -> list[tuple[str, int]]:
    """Snippets in order of the file, with their number of rows, by plain counting."""
    runs: list[list] = []
    for line in csv.DictReader(path.read_text().split("\n"), delimiter=";"):
        if not runs or runs[-1][0] != line["Snippet"]:
            runs.append([line["Snippet"], 0])
        runs[-1][1] += 1
    return [(name, n) for name, n in runs]


@pytest.mark.real
@pytest.mark.parametrize(
    ("start", "n", "size"),
    [
        ("24aed847", 32_092, (1920, 1080)),
        ("1f8beed4", 28_145, (1920, 1200)),
        ("0fed8025", 23_195, (1920, 1080)),
        ("e4ad195b", 2_855, None),
        ("7f9dd148", 169, None),
        ("c74c0869", 11_470, None),
        ("340b02c1", 5_470, None),
        ("ddeea276", 1_392, None),
    ],
)
def test_real_counts_and_trials(shared_data, start, n, size):
    path = gaze_file(shared_data, start)
    rec = eyex.read(Source(path))
    assert len(rec) == n
    assert rec.provenance["left_out"] == {}
    found = [(t.name.split(" (")[0], len(rec.window(t))) for t in rec.trials]
    assert found == plain_runs(path)
    if size is None:
        assert rec.screen is None
        assert "display scaling unknown" in rec.provenance["display_scaling"]
    else:
        assert (rec.screen.width_px, rec.screen.height_px) == size
    end = sample_end_ms(rec.gaze.t_ms)[-1]
    assert rec.trials[-1].offset_ms == end


def code_box(shared_data: Path, snippet: str, height: int) -> tuple[float, float, float, float]:
    text = (shared_data / "linearity-peitek2020" / "aoi" / f"{snippet}.json").read_text()
    aoi = json.loads(text)
    base = aoi[str(height)]
    ends = [
        line[f"{height}_end_x"]
        if f"{height}_end_x" in line
        else line.get("start_x", base["base_x"] + base["base_indent_x"] * line["indent_x"])
        + line["width"]
        for line in aoi["lines"]
        if line
    ]
    bottom = base["base_y"] + base["base_indent_y"] * len(aoi["lines"])
    return base["base_x"] - 50, base["base_y"] - 20, max(ends) + 100, bottom + 20


@pytest.mark.real
@pytest.mark.parametrize(
    ("start", "least"), [("24aed847", 0.92), ("1f8beed4", 0.94), ("0fed8025", 0.94)]
)
def test_real_gaze_lies_in_the_code_box_after_scaling(shared_data, start, least):
    rec = eyex.read(Source(gaze_file(shared_data, start)))
    inside, unscaled, total = 0, 0, 0
    for trial in rec.trials:
        if trial.stimulus is None or trial.stimulus.endswith("_scrambled"):
            continue
        x0, y0, x1, y1 = code_box(shared_data, trial.stimulus, int(rec.screen.height_px))
        xy = rec.window(trial).gaze.xy_px
        total += len(xy)
        for points, raw in ((xy, False), (xy / rec.provenance["scale"], True)):
            hit = (points >= [x0, y0]).all(axis=1) & (points < [x1, y1]).all(axis=1)
            inside += 0 if raw else int(hit.sum())
            unscaled += int(hit.sum()) if raw else 0
    print(f"{start}: {inside / total:.4f} of {total} samples in the code box", end="; ")
    print(f"unscaled {unscaled / total:.4f}")
    assert inside / total >= least

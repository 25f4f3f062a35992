"""Reports of EyeLink Data Viewer: by hand, damaged, and a study's own with its interest areas."""

import csv
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import all_makers

from gazecode.errors import FormatError, ParameterError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.readers.eyelink.dataviewer import interest_areas
from gazecode.readers.eyelink.dataviewer_areas import read_areas
from gazecode.testing import check_reader

READER = READERS["dataviewer"]
FIX = ("CURRENT_FIX_INDEX", "CURRENT_FIX_X", "CURRENT_FIX_Y", "CURRENT_FIX_DURATION")
AREA = "CURRENT_FIX_INTEREST_AREA_ID"


def report(folder, columns, rows, name="fix_report_P1.txt", sep="\t"):
    path = folder / name
    lines = [sep.join(columns), *(sep.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def fixations(folder, rows, *, more=(), **options):
    """Rows of trial, index, x, y, duration and what `more` names."""
    return report(
        folder, ("RECORDING_SESSION_LABEL", "TRIAL_INDEX", *FIX, *more),
        [("P1", *row) for row in rows], **options,
    )  # fmt: skip


def test_without_times_fixations_are_laid_end_to_end_in_each_trial(tmp_path):
    rows = [(1, 1, 10.5, 20, 200), (1, 2, 30, 40, 100), (2, 1, 50, 60, 300), (2, 2, 70, 80, 50)]
    got = read(fixations(tmp_path, rows))
    ev = got.device_events
    assert ev.onset_ms.tolist() == [0.0, 200.0, 1300.0, 1600.0]
    assert ev.offset_ms.tolist() == [200.0, 300.0, 1600.0, 1650.0]
    assert ev.xy_px.tolist() == [[10.5, 20.0], [30.0, 40.0], [50.0, 60.0], [70.0, 80.0]]
    assert set(ev.kind) == {"fixation"}
    assert ev.eye is None
    assert [(t.name, t.onset_ms, t.offset_ms) for t in got.trials] == [
        *(("1", 0.0, 300.0), ("2", 1300.0, 1650.0))
    ]
    assert "no start times, fixations are laid end to end" in got.provenance["clock"]
    assert "onsets are sums of durations" in got.provenance["notes"][1]
    assert (len(got), got.plane, got.screen) == (0, "screen_px", None)


def test_the_reports_own_index_orders_them(tmp_path):
    rows = [(1, 2, 30, 40, 100), (2, 1, 50, 60, 300), (1, 1, 10, 20, 200)]
    got = read(fixations(tmp_path, rows))
    assert got.device_events.xy_px[:, 0].tolist() == [10.0, 30.0, 50.0]
    assert got.device_events.onset_ms.tolist() == [0.0, 200.0, 1300.0]


def test_start_times_are_used_where_they_are(tmp_path):
    more = ("CURRENT_FIX_START", "CURRENT_FIX_END")
    rows = [(1, 1, 10, 20, 200, 5, 203), (1, 2, 30, 40, 100, 255, 353), (2, 1, 50, 60, 50, 0, 48)]
    got = read(fixations(tmp_path, rows, more=more))
    # The last sample is inclusive: an event lasts as long as Data Viewer says.
    assert got.device_events.onset_ms.tolist() == [5.0, 255.0, 1355.0]
    assert got.device_events.duration_ms.tolist() == [200.0, 100.0, 50.0]
    assert got.trials[1].onset_ms == 1355.0
    assert "from each trial's start" in got.provenance["clock"]


def test_trials_with_a_time_of_their_own_share_the_trackers_clock(tmp_path):
    more = ("CURRENT_FIX_START", "TRIAL_START_TIME")
    rows = [
        (1, 1, 10, 20, 200, -5, 7000),
        (1, 2, 30, 40, 100, 250, 7000),
        (2, 1, 5, 6, 50, 0, 9000),
    ]
    got = read(fixations(tmp_path, rows, more=more))
    # 0 is the first thing that happened: here just before its trial.
    assert got.device_events.onset_ms.tolist() == [0.0, 255.0, 2005.0]
    assert [(t.onset_ms, t.offset_ms) for t in got.trials] == [(5.0, 355.0), (2005.0, 2055.0)]
    assert got.provenance["clock"].startswith("TRIAL_START_TIME + CURRENT_FIX_START")


def test_ends_without_durations(tmp_path):
    columns = (
        "TRIAL_INDEX",
        "CURRENT_FIX_START",
        "CURRENT_FIX_END",
        "CURRENT_FIX_X",
        "CURRENT_FIX_Y",
    )
    got = read(report(tmp_path, columns, [(1, 0, 128, "892,10", "564,20")]))
    assert got.device_events.duration_ms.tolist() == [128.0]
    assert got.device_events.xy_px.tolist() == [[892.1, 564.2]]
    assert "no CURRENT_FIX_DURATION" in got.provenance["notes"][1]


def test_each_eye_has_its_own_line_of_time(tmp_path):
    rows = [(1, 1, 10, 20, 200, "LEFT"), (1, 1, 11, 21, 210, "RIGHT"), (1, 2, 12, 22, 100, "LEFT")]
    ev = read(fixations(tmp_path, rows, more=("EYE_USED",))).device_events
    assert list(zip(ev.eye, ev.onset_ms.tolist(), ev.duration_ms.tolist(), strict=True)) == [
        *(("left", 0.0, 200.0), ("right", 0.0, 210.0), ("left", 200.0, 100.0))
    ]


def test_missing_cells_are_counted(tmp_path):
    rows = [(1, 1, ".", ".", 200), (1, 2, 30, ".", 100), (1, 3, 50, 60, "."), (1, 4, 7, 8, 9, 1)]
    got = read(fixations(tmp_path, rows))
    assert np.isnan(got.device_events.xy_px).all()
    assert got.provenance["left_out"] == {"half_lost": 1, "no_interval": 1, "ragged_rows": 1}


def test_saccades(tmp_path):
    columns = (
        *("TRIAL_INDEX", "CURRENT_SAC_START_TIME", "CURRENT_SAC_END_TIME", "CURRENT_SAC_DURATION"),
        *("CURRENT_SAC_START_X", "CURRENT_SAC_START_Y", "CURRENT_SAC_END_X", "CURRENT_SAC_END_Y"),
    )
    rows = [(1, 833, 840, 8, 916.7, 581.5, 928, 583.5), (1, 1076, 1083, 8, 924.2, 586.6, ".", ".")]
    ev = read(report(tmp_path, columns, rows, name="sac_report_P1.txt")).device_events
    assert ev.kind.tolist() == ["saccade", "saccade"]
    assert ev.duration_ms.tolist() == [8.0, 8.0]
    assert ev.xy_px[0].tolist() == [916.7, 581.5]
    np.testing.assert_array_equal(ev.end_xy_px, [[928.0, 583.5], [np.nan, np.nan]])


SAMPLE = ("RECORDING_SESSION_LABEL", "TRIAL_INDEX", "TIMESTAMP", "LEFT_GAZE_X", "LEFT_GAZE_Y",
          "LEFT_PUPIL_SIZE", "LEFT_IN_BLINK", "RIGHT_GAZE_X", "RIGHT_GAZE_Y", "SAMPLE_MESSAGE",
          "image")  # fmt: skip


def test_samples(tmp_path):
    rows = [
        ("P1", 1, "5529512.00", 963.2, 500, 610, 0, ".", ".", "DISPLAY ON", "a.png"),
        ("P1", 1, "5529514.00", 964, 501, 0, 0, ".", ".", ".", "a.png"),
        ("P1", 1, "5529516.00", 965, 900, 611, 1, ".", ".", ".", "a.png"),
        ("P1", 2, "5530000.00", ".", ".", ".", 0, ".", ".", ".", "b.png"),
    ]
    got = read(report(tmp_path, SAMPLE, rows, name="sample_report_P1.txt"))
    assert list(got.samples) == ["left"]
    left = got.samples["left"]
    assert left.t_ms.tolist() == [0.0, 2.0, 4.0, 488.0]
    assert left.lost.tolist() == [False, False, True, True]
    np.testing.assert_array_equal(left.pupil, [610.0, np.nan, 611.0, np.nan])
    assert [(m.t_ms, m.text) for m in got.messages] == [(0.0, "DISPLAY ON")]
    assert [(t.name, t.stimulus, t.onset_ms) for t in got.trials] == [
        *(("1", "a.png", 0.0), ("2", "b.png", 488.0))
    ]
    assert got.provenance["left_out"] == {"in_blink_left": 1}
    assert got.provenance["report"] == "sample"


def test_the_mean_of_both_eyes(tmp_path):
    columns = (
        "RECORDING_SESSION_LABEL",
        "TRIAL_INDEX",
        "AVERAGE_GAZE_X",
        "AVERAGE_GAZE_Y",
        "TIMESTAMP",
    )
    rows = [("s17", 1, "963.20", "1.5", "5529512.00"), ("s17", 1, "965.30", "2.5", "5529521.00")]
    got = read(report(tmp_path, columns, rows))
    assert got.samples["both"].xy_px.tolist() == [[963.2, 1.5], [965.3, 2.5]]


def test_who_it_is(tmp_path):
    columns = ("RECORDING_SESSION_LABEL", "TRIAL_INDEX", *FIX)
    rows = [("P107", 1, 1, 1, 2, 100), ("P208", 1, 1, 3, 4, 100)]
    path = report(tmp_path, columns, rows[:1], name="fix_report_P107 2.txt")
    said = read(path).provenance
    assert (said["participant"], said["session"]) == ("P107", "2")
    bare = report(tmp_path, columns[1:], [rows[0][1:]], name="fixreport_P101.xls")
    assert read(bare).provenance["participant"] == "P101"
    two = report(tmp_path, columns, rows, name="all.txt")
    with pytest.raises(
        FormatError, match=r"holds 2 recordings \(P107, P208, ...\); say which with"
    ):
        read(two)
    assert read(two, participant="P208").device_events.xy_px.tolist() == [[3.0, 4.0]]
    with pytest.raises(ParameterError, match="no participant 'P9' in all.txt; it holds P107, P208"):
        read(two, participant="P9")


def test_the_stimulus_column(tmp_path):
    rows = [(1, 1, 1, 2, 100, "x.png", "Vehicle"), (2, 1, 1, 2, 100, "y.png", ".")]
    path = fixations(tmp_path, rows, more=("image", "snippet"))
    assert [t.stimulus for t in read(path).trials] == ["x.png", "y.png"]
    got = read(path, stimulus="snippet")
    assert [t.stimulus for t in got.trials] == ["Vehicle", None]
    assert got.provenance["stimulus_column"] == "snippet"
    with pytest.raises(FormatError, match="no column page"):
        read(path, stimulus="page")


IAS = "\ufeff# EyeLink Interest Area Set\nRECTANGLE\t1\t0.0\t0.0\t20.0\t30.0\tclass\nRECTANGLE\t2\t20\t0\t40\t30\tx: y\n"


def test_interest_areas(tmp_path):
    rows = [(1, 1, 10, 20, 200, 1, "Vehicle"), (1, 2, 30, 20, 100, 2, "Vehicle"),
            (2, 1, 99, 99, 100, ".", "Sum")]  # fmt: skip
    path = fixations(tmp_path, rows, more=(AREA, "code_snippet_id"))
    assert read(path).stimuli == {}
    (tmp_path / "IAs").mkdir()
    (tmp_path / "IAs" / "IA-Vehicle.ias").write_text(IAS, encoding="utf-8")
    got = read(path)
    boxes = got.stimuli["Vehicle"].boxes
    assert boxes["text"].tolist() == ["class", "x: y"]
    assert np.stack([boxes[k] for k in ("x0", "y0", "x1", "y1")]).T.tolist() == [
        *([0, 0, 20, 30], [20, 0, 40, 30])
    ]
    assert interest_areas(path).tolist() == [1, 2, -1]
    assert got.provenance["interest_areas"] == {"Vehicle": 2}
    assert got.provenance["in_areas"] == 2
    assert got.provenance["notes"][-1] == "no interest areas found for Sum"


def test_interest_areas_by_name(tmp_path):
    path = fixations(tmp_path, [(1, 1, 10, 20, 200, "Vehicle")], more=("code_snippet_id",))
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "mine.ias").write_text(IAS, encoding="utf-8")
    assert list(read(path, areas=other / "mine.ias").stimuli) == ["Vehicle"]
    assert list(read(path, areas={"Vehicle": other / "mine.ias"}).stimuli) == ["Vehicle"]
    assert read(path, areas=other).stimuli == {}
    (other / "Vehicle.ias").write_text(IAS, encoding="utf-8")
    assert list(read(path, areas=other).stimuli) == ["Vehicle"]
    two = [(1, 1, 10, 20, 200, "Vehicle"), (2, 1, 10, 20, 200, "Sum")]
    path = fixations(tmp_path, two, more=("code_snippet_id",))
    with pytest.raises(FormatError, match=r"areas=mine.ias fits none of the 2 stimuli"):
        read(path, areas=other / "mine.ias")


def test_a_stimulus_is_never_a_path(tmp_path):
    (tmp_path / "IA-secret.ias").write_text(IAS, encoding="utf-8")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    rows = [(1, 1, 10, 20, 200, "../../IA-secret"), (2, 1, 1, 2, 100, "/etc/passwd")]
    got = read(fixations(folder, rows, more=("code_snippet_id",)), areas=folder)
    assert got.stimuli == {}


def test_areas_of_every_shape(tmp_path):
    path = tmp_path / "x.ias"
    path.write_text(
        "# by hand\nELLIPSE 4 10 20 5 40 two words\n-0\t-900\tRECTANGLE\t5\t1\t2\t3\t4\tdynamic\n"
        "FREEHAND\t6\t5,5\t9,1\t7,8\tdrawn\nRECTANGLE\t7\t1\t2\t1\t4\tno width\nRECTANGLE\t8\t1\n"
        "CIRCLE\t9\t1\t2\t3\t4\n\n",
        encoding="utf-8",
    )
    counts = Counter()
    areas = read_areas(path, counts)
    assert areas["kind"].tolist() == ["ellipse", "rectangle", "freehand"]
    assert areas["area"].tolist() == [4, 5, 6]
    assert areas["text"].tolist() == ["two words", "dynamic", "drawn"]
    assert areas["x0"].tolist() == [5.0, 1.0, 5.0]
    assert areas["y1"].tolist() == [40.0, 4.0, 8.0]
    assert counts == {"malformed_areas": 3}


def test_areas_opened_by_themselves_are_answered(tmp_path):
    path = tmp_path / "IA-Vehicle.ias"
    path.write_text(IAS, encoding="utf-8")
    assert sniff_format(path) == "dataviewer"
    with pytest.raises(
        FormatError, match="holds 2 interest areas of EyeLink Data Viewer and no gaze"
    ):
        read(path)


def test_other_reports_are_answered(tmp_path):
    columns = ("RECORDING_SESSION_LABEL", "TRIAL_INDEX", "CURRENT_MSG_TIME", "CURRENT_MSG_TEXT")
    path = report(tmp_path, columns, [("P1", 1, 1063, "Stimulus 5D.jpg")])
    with pytest.raises(FormatError, match="without places and times of fixations, saccades or"):
        read(path)
    with pytest.raises(FormatError, match=f"no column {AREA}"):
        interest_areas(path)


def test_comma_separated_and_quoted(tmp_path):
    columns = ("RECORDING_SESSION_LABEL", "TRIAL_INDEX", *FIX, "image")
    path = tmp_path / "fix.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([columns, ("P1", 1, 1, "10.5", "20", "200", "a, b.png")])
    got = read(path)
    assert got.device_events.xy_px.tolist() == [[10.5, 20.0]]
    assert got.trials[0].stimulus == "a, b.png"


@pytest.mark.parametrize(
    "text",
    ["ID\tTRIAL_INDEX\tx\n1\t2\t3\n", "RECTANGLE of gold\n", "TIMESTAMP\tLEFT_GAZE_X\n1\t2\n", ""],
)
def test_other_tables_are_not_recognised(tmp_path, text):
    path = tmp_path / "x.txt"
    path.write_text(text)
    assert not READER.sniff(Source(path))


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 50), st.floats(1, 900), st.integers(1, 999)),
        min_size=1, max_size=40,
    )
)  # fmt: skip
def test_durations_add_up_and_no_fixation_is_lost(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("law")
    got = read(fixations(folder, [(t, i, x, x, d) for t, i, x, d in rows]))
    ev = got.device_events
    assert len(ev) == len(rows)
    assert (ev.onset_ms[1:] >= ev.offset_ms[:-1]).all()
    assert sum(t.offset_ms - t.onset_ms for t in got.trials) == sum(row[3] for row in rows)
    for trial in got.trials:
        inside = (ev.onset_ms >= trial.onset_ms) & (ev.onset_ms < trial.offset_ms)
        expected = [d for t, _, _, d in sorted(rows, key=lambda r: r[1]) if str(t) == trial.name]
        assert sorted(ev.duration_ms[inside].tolist()) == sorted(map(float, expected))


@pytest.mark.parametrize("name", [n for n in sorted(all_makers()) if n.startswith("dataviewer")])
def test_what_is_made_up_is_all_there(name, tmp_path):
    got = check_reader(READER, all_makers()[name].make(tmp_path, 500), cuts=(0.5, 0.97))
    assert len(got) + len(got.device_events) == 500
    assert "A34-6" in got.stimuli


# --- a study's own reports -------------------------------------------------------------------

# rows, trials, fixations in an interest area; counted with awk.
FACTS = {
    "fix_report_P001.txt": (3724, 7, 2823),
    "fix_report_P101.txt": (3286, 7, 2660),
    "fix_report_P107 2.txt": (2632, 6, 1739),
    "fix_report_P107.txt": (6335, 10, 2750),
    "fix_report_P208.txt": (4576, 10, 2075),
    "fix_report_P501.txt": (7388, 10, 5494),
    "fixreport_P101.xls": (3398, 9, 0),
}


@pytest.fixture(scope="module")
def study(shared_data):
    return shared_data / "alakmeh2024-python-eyelink"


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def path_of(study, name):
    return study / ("thesis_raw_data" if name.endswith("xls") else "raw_fixation_reports") / name


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(FACTS))
def test_every_fixation_of_the_study(study, name):
    path = path_of(study, name)
    rows = rows_of(path)
    got = read(path)
    ev = got.device_events
    assert (len(ev), len(got.trials)) == FACTS[name][:2] == (
        len(rows), len({row["TRIAL_INDEX"] for row in rows})
    )  # fmt: skip
    columns = [f"CURRENT_FIX_{c}" for c in ("X", "Y", "DURATION")]
    plain = np.array([[float(row[c]) for c in columns] for row in rows])
    # The reports are in order already, trial by trial.
    np.testing.assert_array_equal(ev.xy_px, plain[:, :2])
    np.testing.assert_allclose(ev.duration_ms, plain[:, 2], atol=1e-6)
    assert [t.stimulus for t in got.trials] == list(
        dict.fromkeys(row["code_snippet_id"] for row in rows)
    )
    said = got.provenance
    assert said["participant"] == re.search("P[0-9]+", name)[0]
    assert said.get("session") == ("2" if " 2" in name else None)
    assert said["in_areas"] == FACTS[name][2]
    assert said["left_out"] == {}
    print(name, len(ev), "fixations,", said["in_areas"], "in areas,", len(got.stimuli), "stimuli")


@pytest.mark.real
def test_every_fixation_lies_in_the_area_the_vendor_says(study):
    """396 of 396, 365 of 365, 397 of 397, 323 of 323 in four trials, and all of the others."""
    found = {}
    for name in FACTS:
        if name.endswith("xls"):
            continue
        path = path_of(study, name)
        got, area = read(path), interest_areas(path)
        ev = got.device_events
        for trial in got.trials:
            if trial.stimulus not in got.stimuli:
                continue
            boxes = got.stimuli[trial.stimulus].boxes
            inside = (ev.onset_ms >= trial.onset_ms) & (ev.onset_ms < trial.offset_ms) & (area >= 0)
            at = np.searchsorted(boxes["area"], area[inside])
            assert (boxes["area"][at] == area[inside]).all()
            x, y = ev.xy_px[inside].T
            held = (boxes["x0"][at] <= x) & (x <= boxes["x1"][at])
            held &= (boxes["y0"][at] <= y) & (y <= boxes["y1"][at])
            found[name, trial.stimulus] = (int(held.sum()), int(inside.sum()))
    print(f"{len(found)} trials, {sum(n for _, n in found.values())} fixations in their areas")
    assert all(held == n for held, n in found.values())
    assert found["fix_report_P001.txt", "369-1404-V1"] == (396, 396)
    assert found["fix_report_P101.txt", "369-1404-V1"] == (365, 365)
    assert found["fix_report_P107.txt", "366-143-V1"] == (397, 397)
    assert found["fix_report_P208.txt", "366-143-V1"] == (323, 323)


@pytest.mark.real
def test_the_areas_of_the_study(study):
    for path in sorted((study / "IAs").glob("*.ias")):
        lines = path.read_text("utf-8-sig").splitlines()
        rows = [line.split("\t") for line in lines if line.startswith("RECTANGLE")]
        areas = read_areas(path)
        assert areas["area"].tolist() == [int(row[1]) for row in rows]
        assert areas["text"].tolist() == [row[6].strip() for row in rows]
        assert (areas["x1"].max(), areas["y1"].max()) <= (1920.0, 1080.0)
        with pytest.raises(FormatError, match=f"holds {len(rows)} interest areas"):
            read(path)

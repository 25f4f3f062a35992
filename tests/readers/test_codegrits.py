"""CodeGRITS: px from the IDE's log, each eye's own validity, jumps of the clock undone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import codegrits as makers

from gazecode import Screen
from gazecode.errors import FormatError
from gazecode.readers import READERS, read, sniff_format
from gazecode.readers.codegrits import export as codegrits
from gazecode.readers.codegrits.export import ide_positions
from gazecode.readers.source import Source
from gazecode.testing import check_reader

N = 60


@pytest.fixture
def path(tmp_path):
    return makers.make(tmp_path, N)


def gaze(stamp, *, left="0.5", right="0.5", inner="", remark=""):
    said = f' remark="{remark}"' if remark else ""
    valid = [0 if v == "nan" else 1 for v in (left, right)]
    return (
        f'<gaze{said} timestamp="{stamp}">'
        + makers.eye("left", left, left, valid[0])
        + makers.eye("right", right, right, valid[1])
        + f"{inner}</gaze>"
    )


def write(folder: Path, *gazes: str) -> Path:
    path = folder / "eye_tracking.xml"
    setting = '<setting eye_tracker="Mouse" sampling_rate="30"/>'
    path.write_text(f"<eye_tracking>{setting}<gazes>{''.join(gazes)}</gazes></eye_tracking>")
    return path


def test_fractions_become_px_by_the_log_of_the_ide(path):
    rec = codegrits.read(Source(path))
    # (1536, 864) logical px at a scaling of 1.25.
    assert (rec.screen.width_px, rec.screen.height_px) == (1920, 1080)
    assert rec.plane == "screen_px"
    x = 0.4 + 0.2 * np.sin(np.arange(N) / 50)
    np.testing.assert_allclose(rec.samples["right"].xy_px[:, 0], x * 1920)
    assert set(rec.samples["right"].xy_px[:, 1]) == {0.3 * 1080}
    assert set(rec.samples["left"].xy_px[~rec.samples["left"].lost, 1]) == {0.25 * 1080}
    np.testing.assert_array_equal(rec.gaze.t_ms, np.array(makers.stamps(N)) - makers.FIRST_MS)
    assert rec.start_ns == makers.FIRST_MS * 10**6
    said = rec.provenance
    assert (said["tracker"], said["vendor_rate_hz"]) == ("Tobii Pro Fusion", 60.0)
    assert said["ide"]["logical_size_px"] == [1536.0, 864.0]


def test_without_the_log_they_stay_fractions(path):
    (path.parent / "ide_tracking.xml").unlink()
    rec = read(path)
    assert (rec.plane, rec.screen) == ("screen_fraction", None)
    assert set(rec.samples["right"].xy_px[:, 1]) == {0.3}
    assert any("no ide_tracking.xml" in note for note in rec.provenance["notes"])
    asked = read(path, screen=Screen(width_px=1000, height_px=500))
    assert set(asked.samples["right"].xy_px[:, 1]) == {150.0}


def test_one_bad_eye_loses_that_eye_alone(path):
    rec = codegrits.read(Source(path))
    bad = [i % 20 == 4 for i in range(N)]
    assert rec.samples["left"].lost.tolist() == bad
    assert not rec.samples["right"].lost.any()
    np.testing.assert_array_equal(np.isnan(rec.samples["left"].pupil), bad)
    assert rec.provenance["left_out"] == {"invalid_left": 3}


def test_remarks_are_counted(path):
    said = codegrits.read(Source(path)).provenance["remarks"]
    text = path.read_text()
    assert said == {
        "with a place in the text": text.count("<location"),
        "Same (Last Successful AST)": text.count("Same (Last Successful AST)"),
        "Fail | Invalid Gaze Point": 3,
        "Fail | Out of Text Editor": 3,
    }


def test_what_happened_in_the_ide_is_in_the_messages(path):
    rec = codegrits.read(Source(path))
    assert [(m.t_ms, m.text) for m in rec.messages] == [
        (-100.0, "archive fileArchive /src/Main.java fileOpened"),
        (0.0, "action EditorEnter /src/Main.java"),
        (100.0, "typing 'S' 3:8 /src/Main.java"),
        (200.0, "file fileOpened /src/Main.java"),
        (300.0, "mouse mouseClicked 6,7 "),
        (400.0, "caret 0:18 /src/Main.java"),
        (500.0, "selection 0:15-0:18 /src/Main.java"),
        (600.0, "visible_area 883x277 at 0,198 /src/Main.java"),
    ]
    counts = rec.provenance["ide"]["counts"]
    assert (counts["mouse"], counts["mouse_moves_left_out"]) == (2, 1)


def test_a_damaged_log_costs_the_px_alone(path):
    (path.parent / "ide_tracking.xml").write_text("<ide_tracking><environment")
    rec = read(path)
    assert rec.plane == "screen_fraction"
    assert any("log beside the gaze is left out" in note for note in rec.provenance["notes"])


def test_places_and_trees_are_forward_filled(path):
    at = ide_positions(path)
    with_place = [i for i in range(N) if i % 20 not in (4, 8)]
    assert at["line"].tolist() == [i % 25 for i in with_place]
    assert at["column"].tolist() == [i % 40 for i in with_place]
    assert set(at["unit"]) == {"logical"}
    assert (set(at["target"]), set(at["type"])) == ({"Main.java"}, {"java"})
    assert set(at["path"]) == {"/src/Main.java"}
    stamps = np.array(makers.stamps(N)) - makers.FIRST_MS
    assert at["t_ms"].tolist() == stamps[with_place].tolist()
    # The first gaze repeats a tree that is not in the file.
    chain = "PsiIdentifier->PsiMethodCallExpression->PsiMethod->PsiClass"
    assert at["syntax"].tolist() == ["", *[chain] * (len(with_place) - 1)]
    assert set(at["token"]) == {"println"}
    assert (at["node_start"][1], at["node_end"][-1]) == ("2:19", "2:26")
    assert at["xy_px"][1].tolist() == [821.0, 150.0]


def test_a_new_token_outside_the_tree_is_not_filled(tmp_path):
    inner = '<location x="1" y="2" line="3" column="4" path="a.py"/>'
    full = '<ast_structure token="a" type="T"><level tag="Psi:a" start="0:0" end="0:1"/></ast_structure>'
    rows = [
        gaze(10, inner=inner + full),
        gaze(20, inner=inner + '<ast_structure token="" type=""/>'),
    ]
    at = ide_positions(write(tmp_path, *rows))
    assert at["syntax"].tolist() == ["Psi", ""]
    assert at["token"].tolist() == ["a", ""]


def test_a_jump_back_is_undone_and_reported(tmp_path):
    stamps = [1000 + 10 * i - (500 if i >= 6 else 0) for i in range(12)]
    rec = codegrits.read(Source(write(tmp_path, *map(gaze, stamps))))
    np.testing.assert_array_equal(rec.gaze.t_ms, np.arange(12) * 10.0)
    assert rec.provenance["clock_jumps"] == [{"at_ms": 50.0, "by_ms": -500.0}]
    assert rec.provenance["notes"][-1] == "1 jumps of the clock undone, the largest 500 ms"
    assert rec.provenance["left_out"] == {}


def test_a_jump_there_and_back_is_undone_and_a_pause_is_not(tmp_path):
    """An hour ahead for five samples; then a real pause of 20 s."""
    stamps = [1000 + 10 * i + (3_600_000 if 4 <= i < 9 else 0) for i in range(12)]
    stamps += [s + 20_000 + 120 for s in (1000, 1010, 1020)]
    rec = codegrits.read(Source(write(tmp_path, *map(gaze, stamps))))
    expected = [10.0 * i for i in range(12)] + [20_120.0, 20_130.0, 20_140.0]
    np.testing.assert_allclose(rec.gaze.t_ms, expected)
    assert [jump["by_ms"] for jump in rec.provenance["clock_jumps"]] == [3_600_000, -3_600_000]


@given(st.lists(st.integers(5, 40), min_size=30, max_size=80), st.data())
def test_the_clock_never_goes_back_and_steps_between_jumps_stay(steps, data):
    """Law: whatever one jump does, all other steps are as written and all steps are positive."""
    at = data.draw(st.integers(1, len(steps)))
    by = data.draw(st.integers(-(10**7), -50))
    stamps = 10**12 + np.concatenate(([0], np.cumsum(steps)))
    stamps[at:] += by
    _, t_ms, jumps = codegrits._clock(stamps, "a.xml")
    step = np.diff(t_ms)
    assert (step > 0).all()
    assert len(jumps) == 1
    kept = np.arange(len(steps)) != at - 1
    assert step[kept].tolist() == np.array(steps, float)[kept].tolist()


def test_rows_out_of_order_are_sorted_not_undone(tmp_path):
    stamps = [1000 + 10 * i for i in range(12)]
    stamps[2:4] = stamps[3], stamps[2]
    stamps[6:8] = stamps[7], stamps[6]
    rec = codegrits.read(Source(write(tmp_path, *map(gaze, stamps))))
    assert rec.provenance["clock_jumps"] == []
    assert rec.provenance["left_out"] == {"unsorted": 2}


def test_stamps_of_no_session_are_an_error_that_says_so(tmp_path):
    path = write(tmp_path, gaze(-5), gaze(10))
    with pytest.raises(FormatError, match="timestamps run from -5 to 10; expected Unix ms"):
        codegrits.read(Source(path))


def test_an_eye_that_is_missing_is_lost(tmp_path):
    rows = [gaze(10), gaze(20).replace("left_eye", "other"), gaze(30)]
    rec = codegrits.read(Source(write(tmp_path, *rows)))
    assert rec.samples["left"].lost.tolist() == [False, True, False]
    assert rec.provenance["vendor_rate_hz"] == 30.0


def test_the_folder_and_its_other_files_open_the_gaze(path):
    for other in (path.parent, path.with_name("ide_tracking.xml")):
        assert sniff_format(other) == "codegrits"
        assert len(check_reader(READERS["codegrits"], other)) == N
    frames = path.parent / "screen_recording" / "frames.csv"
    frames.parent.mkdir()
    frames.write_text("timestamp,frame_number,clip_number\n1703661629399,Start,1\n")
    assert len(read(frames)) == N
    path.unlink()
    with pytest.raises(FormatError, match=r"holds no gaze; expected eye_tracking\.xml beside it"):
        read(frames)


def test_no_gaze_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="no <gaze> in the document"):
        read(write(tmp_path))


def test_sniff(tmp_path):
    other = tmp_path / "other.xml"
    for text in ("<eye_tracking/>", "<ide_tracking/>", "<a><eye_tracking/></a>", "eye_tracking"):
        other.write_text(text)
        assert not codegrits.sniff(Source(other))
    assert not codegrits.sniff(Source(tmp_path))

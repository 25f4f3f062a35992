"""SDK tables: tuples as text, several writers' names, the right clock, fixations and messages."""

import re
from functools import partialmethod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import tobii_sdk as makers

from gazecode.errors import FormatError
from gazecode.readers import read
from gazecode.readers.source import Source
from gazecode.readers.tobii import sdk as tobii_sdk
from gazecode.readers.tobii.sdk_columns import find_columns

NAMES = (
    *("device_time_stamp", "system_time_stamp"),
    *(
        f"{eye}_{part}"
        for eye in ("left", "right")
        for part in (
            *("gaze_point_on_display_area", "gaze_point_validity"),
            *("pupil_diameter", "pupil_validity"),
        )
    ),
)


def row(i, *, left="(0.25, 0.5)", right="(0.75, 0.5)", valid=(1, 1), pupil=(3.0, 4.0), system=None):
    stamps = (1000 + i * 4000, 7_000_000_123 + i * 4000 if system is None else system)
    eyes = [(p, ok, mm, ok) for p, ok, mm in zip((left, right), valid, pupil, strict=True)]
    return (*stamps, *eyes[0], *eyes[1])


def write(folder, rows, *, names=NAMES, sep=";", end="\n", name="P1.csv"):
    path = folder / name
    lines = [sep.join(names), *(sep.join(map(str, cells)) for cells in rows)]
    path.write_bytes((end.join(lines) + end).encode())
    return Source(path)


@pytest.mark.parametrize("name", ["four_c", "indexed", "quoted", "titta"])
def test_each_writer_gives_the_same_gaze(tmp_path, name):
    rows = 170
    rec = tobii_sdk.read(Source(getattr(makers, name)(tmp_path, rows)))
    made = makers.gaze(rows)
    np.testing.assert_allclose(rec.samples["left"].t_ms, np.arange(rows) * 11.103)
    for eye, shift in (("left", 0.0), ("right", 0.02)):
        gaze = rec.samples[eye]
        assert (~gaze.lost).tolist() == made[eye].tolist()
        np.testing.assert_allclose(
            gaze.xy_px[made[eye], 0], made["x"][made[eye]] + shift, atol=1e-7
        )
        assert np.isfinite(gaze.pupil).tolist() == made[eye].tolist()
    assert rec.plane == "screen_fraction"
    assert rec.provenance["clock"].startswith("column device_time_stamp")


def test_validity_decides_before_a_point_that_is_still_there(tmp_path):
    rows = [row(0), row(1, valid=(0, 1)), row(2, valid=("", 1)), row(3, right="(nan, nan)")]
    rec = tobii_sdk.read(write(tmp_path, rows))
    assert rec.samples["left"].lost.tolist() == [False, True, True, False]
    assert rec.samples["right"].lost.tolist() == [False, False, False, True]
    assert np.isnan(rec.samples["left"].pupil).tolist() == [False, True, True, False]
    assert rec.provenance["left_out"] == {"invalid_left": 2}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
@pytest.mark.parametrize("sep", [";", "\t"])
def test_line_ends_and_separators(tmp_path, sep, end):
    rec = tobii_sdk.read(write(tmp_path, [row(0), row(1)], sep=sep, end=end))
    assert rec.samples["right"].xy_px.tolist() == [[0.75, 0.5]] * 2
    assert rec.provenance["left_out"] == {}


@pytest.mark.parametrize("text", ["[0.25, 0.5]", "(0.25,0.5)", "( 0.25 ,  0.5 )"])
def test_pairs_however_they_are_printed(tmp_path, text):
    rec = tobii_sdk.read(write(tmp_path, [row(0, left=text), row(1)]))
    assert rec.samples["left"].xy_px.tolist() == [[0.25, 0.5]] * 2


def test_gaze_may_leave_the_display(tmp_path):
    rec = tobii_sdk.read(
        write(tmp_path, [row(0, left="(-0.125, 2.25)"), row(1, left="(1e-3, 1.0)")])
    )
    assert rec.samples["left"].xy_px.tolist() == [[-0.125, 2.25], [0.001, 1.0]]


def test_names_of_titta_for_matlab_and_of_old_tittapy():
    for point, flag in (
        ("left_gazePoint_onDisplayArea_{}", "left_gazePoint_valid"),
        ("left_gaze_on_display_area_{}", "left_gaze_point_valid"),
        ("left_gaze_point_on_display_area_{}", "left_gaze_point_validity"),
    ):
        names = [point.format("x"), point.format("y"), flag, "deviceTimeStamp"]
        found = find_columns(names)
        assert found.is_gaze
        assert found.point == {"left": (names[0], names[1])}
        assert found.validity == {"left": flag}
        assert found.device == "deviceTimeStamp"


def test_one_eye_and_no_validity(tmp_path):
    names = ("system_time_stamp", "right_gaze_point_on_display_area")
    rows = [(5_000_000, "(0.5, 0.5)"), (5_004_001, "(nan, nan)")]
    rec = tobii_sdk.read(write(tmp_path, rows, names=names))
    assert list(rec.samples) == ["right"]
    np.testing.assert_allclose(rec.samples["right"].t_ms, [0, 4.001])
    assert rec.provenance["clock"].startswith("column system_time_stamp")
    assert any("no validity columns" in note for note in rec.provenance["notes"])


@pytest.mark.parametrize(("step", "said"), [(10_000, "10 ms"), (1000, "1 ms"), (4001, "")])
def test_a_rounded_system_time_is_said(tmp_path, step, said):
    rows = [row(i, system=f"{1.56466617e15 + i * step:.15e}") for i in range(5)]
    rec = tobii_sdk.read(write(tmp_path, rows))
    found = [note for note in rec.provenance["notes"] if "rounded" in note]
    assert bool(found) == bool(said)
    assert not said or f"rounded to {said}; it is not used for time" in found[0]
    np.testing.assert_allclose(rec.samples["left"].t_ms, np.arange(5) * 4.0)


def test_a_rounded_system_time_alone_is_taken_with_its_repeats_counted(tmp_path):
    stamps = [1_000_000, 1_010_000, 1_010_000, 1_020_000]
    rows = [("", *row(i, system=s)[1:]) for i, s in enumerate(stamps)]
    rec = tobii_sdk.read(write(tmp_path, rows))
    assert rec.samples["left"].t_ms.tolist() == [0.0, 10.0, 20.0]
    assert rec.provenance["left_out"] == {"duplicate_time": 1}
    assert any("those of the rounding" in note for note in rec.provenance["notes"])


def test_wall_clock_only_where_the_system_time_is_one(tmp_path):
    running = tobii_sdk.read(write(tmp_path, [row(0), row(1)]))
    assert running.start_ns is None
    rows = [row(i, system=1_564_666_170_330_001 + i * 4000) for i in range(3)]
    since_1970 = tobii_sdk.read(write(tmp_path, rows))
    assert since_1970.start_ns == 1_564_666_170_330_001_000


def test_a_last_row_that_breaks_off_is_counted(tmp_path):
    source = write(tmp_path, [row(0), row(1), row(2)])
    source.path.write_bytes(source.path.read_bytes()[:-14])
    rec = tobii_sdk.read(source)
    assert len(rec) == 2
    assert rec.provenance["left_out"] == {"ragged_rows": 1}


def test_no_rows_or_no_stamps_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="holds no whole row"):
        tobii_sdk.read(write(tmp_path, []))
    source = write(tmp_path, [("", "", *row(0)[2:])])
    with pytest.raises(
        FormatError, match=r"P1.csv \(reader tobii_sdk\): no row holds a time stamp"
    ):
        read(source.path, "tobii_sdk")


def test_fixations_beside_the_gaze_come_on_its_clock(tmp_path):
    path = makers.four_c(tmp_path, 100)
    rec = tobii_sdk.read(Source(path))
    events = rec.device_events
    assert [len(events.of(kind)) for kind in ("fixation", "saccade")] == [5, 5]
    # System time was printed with its last four digits gone: half a step of that is the bound.
    np.testing.assert_allclose(
        events.of("fixation").onset_ms, np.arange(5) * 20 * 11.103, atol=5.001
    )
    np.testing.assert_allclose(events.of("fixation").duration_ms, 17 * 11.103)
    assert events.of("fixation").xy_px[1].tolist() == [0.115, 0.4425]
    # A saccade's place in the file is where it lands.
    assert np.isnan(events.of("saccade").xy_px).all()
    assert events.of("saccade").end_xy_px[0].tolist() == [0.125, 0.465]
    (tmp_path / "P4_fixation.csv").unlink()
    assert len(tobii_sdk.read(Source(path)).device_events) == 0


def test_a_table_of_fixations_is_named_or_opens_alone(tmp_path):
    rec = tobii_sdk.read(Source(makers.fixation_report(tmp_path, 60)))
    assert len(rec) == 0
    assert rec.device_events.onset_ms[0] == 0
    assert rec.start_ns == 1_564_666_170_337_000_000
    own = tmp_path / "own"
    own.mkdir()
    table = (tmp_path / "P4_fixation.csv").rename(own / "events.csv")
    gaze = makers.indexed(tmp_path, 60)
    assert len(tobii_sdk.read(Source(gaze)).device_events) == 0
    assert len(tobii_sdk.read(Source(gaze), fixations=table).device_events) == 6


def test_events_that_cannot_be_are_counted(tmp_path):
    path = tmp_path / "P1_fixation.csv"
    rows = ["fixation,50,50,1000,2000,1", "fixation,50,50,3000,3000,0", "blink,1,1,1,2,1"]
    path.write_text("label,x,y,start,end,duration\n" + "\n".join([*rows, "saccade,1,1,x,9,1", ""]))
    rec = tobii_sdk.read(Source(path))
    assert len(rec.device_events) == 1
    left_out = {"unreadable_cells": 1, "events_without_time": 1}
    left_out |= {"events_without_duration": 1, "unknown_events": 1}
    assert rec.provenance["left_out"] == left_out


def test_messages_of_titta_make_trials(tmp_path):
    path = makers.titta(tmp_path, 60)
    rec = tobii_sdk.read(Source(path))
    assert [(t.name, t.onset_ms, t.offset_ms) for t in rec.trials] == [
        ("a.png", 50.0, 140.0),
        ("b <i>.png", 230.0, 410.0),
    ]
    assert [m.text for m in rec.messages][3] == "fix, on"
    told = tobii_sdk.read(Source(tmp_path / "made_msg.tsv"))
    assert told.to_frame().equals(rec.to_frame())
    path.unlink()
    with pytest.raises(FormatError, match="holds messages of Titta and no gaze"):
        tobii_sdk.read(Source(tmp_path / "made_msg.tsv"))


def test_a_trial_that_the_gaze_does_not_reach_is_counted(tmp_path):
    rec = tobii_sdk.read(Source(makers.titta(tmp_path, 8)))
    assert [t.name for t in rec.trials] == ["a.png"]
    assert rec.provenance["left_out"]["trials_without_gaze"] == 1


@settings(max_examples=20)
@given(size=st.integers(900, 20_000), rows=st.integers(1, 150))
def test_where_a_block_ends_does_not_matter(tmp_path_factory, size, rows):
    path = makers.quoted(tmp_path_factory.mktemp("blocks"), rows)
    whole = tobii_sdk.read(Source(path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "blocks", partialmethod(Source.blocks, size))
        pieces = tobii_sdk.read(Source(path))
    assert whole.to_frame().equals(pieces.to_frame())
    assert dict(whole.provenance) == dict(pieces.provenance)


@pytest.mark.parametrize(
    "text",
    [
        "label,x,y,start,end,duration\na,1,2,3,4,5\n",
        "device_time_stamp;left_gaze_point_validity\n1;1\n",
        "left_gaze_point_on_display_area_x\tleft_gaze_point_on_display_area_y\n1\t2\n",
    ],
)
def test_sniff_needs_a_time_and_a_point(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    assert not tobii_sdk.sniff(Source(path))


def plain(path):
    """Whole rows of the 4C's table: points as numbers, by regular expressions alone."""
    text = path.read_bytes().decode().replace("\r\r\n", "\n")
    header, *lines = text.split("\n")
    names = header.split(";")
    rows = [dict(zip(names, line.split(";"), strict=False)) for line in lines if line]
    whole = [row for row in rows if len(row) == len(names)]
    for row in whole:
        for eye in ("left", "right"):
            cell = row[f"{eye}_gaze_point_on_display_area"]
            row[eye] = tuple(float(n) for n in re.findall(r"nan|[-\d.e]+", cell))
    return rows, whole


@pytest.mark.real
def test_real_4c(shared_data):
    path = shared_data / "exports" / "tobii_sdk" / "4Ctest.csv"
    rows, whole = plain(path)
    rec = tobii_sdk.read(Source(path))
    # 454 rows, of which the file's last one breaks off.
    assert (len(rows), len(rec), rec.provenance["left_out"]) == (454, 453, {"ragged_rows": 1})
    stamps = [int(row["device_time_stamp"]) for row in whole]
    np.testing.assert_allclose(rec.gaze.t_ms, (np.array(stamps) - stamps[0]) / 1000)
    assert np.median(np.diff(rec.gaze.t_ms)) == pytest.approx(11.103)
    for eye in ("left", "right"):
        gaze = rec.samples[eye]
        valid = [row[f"{eye}_gaze_point_validity"] == "1" for row in whole]
        assert (~gaze.lost).tolist() == valid
        seen = [row[eye] for row, ok in zip(whole, valid, strict=True) if ok]
        np.testing.assert_array_equal(gaze.xy_px[~gaze.lost], seen)
    assert [int(rec.samples[eye].lost.sum()) for eye in ("left", "right")] == [5, 38]
    assert any("rounded to 10 ms" in note for note in rec.provenance["notes"])


@pytest.mark.real
def test_real_fixations_lie_at_the_mean_of_both_eyes(shared_data):
    folder = shared_data / "exports" / "tobii_sdk"
    _, whole = plain(folder / "4Ctest.csv")
    rec = tobii_sdk.read(Source(folder / "4Ctest.csv"))
    with (folder / "4Ctest_fixation.csv").open(newline="") as file:
        lines = [line.strip("\r\n").split(",") for line in file if line.strip()]
    events = [dict(zip(lines[0], cells, strict=True)) for cells in lines[1:]]
    assert len(events) == len(rec.device_events) == 28
    assert [len(rec.device_events.of(k)) for k in ("fixation", "saccade")] == [14, 14]
    durations = sorted(float(e["duration"]) for e in events)
    np.testing.assert_allclose(np.sort(rec.device_events.duration_ms), durations)
    system = np.array([float(row["system_time_stamp"]) for row in whole])
    middle = np.array([np.add(row["left"], row["right"]) / 2 for row in whole])
    fixations = rec.device_events.of("fixation")
    for i, event in enumerate(e for e in events if e["label"] == "fixation"):
        inside = (system >= float(event["start"])) & (system <= float(event["end"]))
        np.testing.assert_allclose(fixations.xy_px[i], middle[inside].mean(axis=0), atol=1e-9)
        # On the device's clock the same samples, but for one at either end.
        t = rec.gaze.t_ms
        held = (t >= fixations.onset_ms[i]) & (t <= fixations.offset_ms[i])
        assert np.count_nonzero(held != inside) <= 2
    alone = tobii_sdk.read(Source(folder / "4Ctest_fixation.csv"))
    assert len(alone) == 0
    np.testing.assert_array_equal(alone.device_events.xy_px, rec.device_events.xy_px)


@pytest.mark.parametrize("sep", [";", ","])
def test_commas_and_brackets_in_another_column_do_no_harm(tmp_path, sep):
    names = (*NAMES, "page")
    rows = [(*row(0), "one"), (*row(1), '"a, b (c, d)"'), (*row(2), "[x"), row(3)]
    if sep == ",":
        rows = [[f'"{cell}"' if str(cell).startswith("(") else cell for cell in r] for r in rows]
    rec = tobii_sdk.read(write(tmp_path, rows, names=names, sep=sep))
    assert rec.samples["left"].xy_px[0].tolist() == [0.25, 0.5]
    assert rec.samples["right"].xy_px[-1].tolist() == [0.75, 0.5]
    assert len(rec) + rec.provenance["left_out"]["ragged_rows"] == 4

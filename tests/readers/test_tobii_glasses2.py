"""Glasses 2: records of one moment joined, statuses, companions, other clocks."""

import gzip
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import tobii_glasses2 as makers

from gazecode.errors import FormatError
from gazecode.readers.source import Source
from gazecode.readers.tobii import glasses2 as tobii_glasses2


def write(folder, records, name="livedata.json"):
    path = folder / name
    lines = (r if isinstance(r, str) else json.dumps(r, separators=(",", ":")) for r in records)
    path.write_text("".join(f"{line}\n" for line in lines))
    return Source(path)


def point(gidx, x=0.5, y=0.25, s=0, **more):
    return {"ts": 1_000_000 + gidx * 20_000, "s": s, "gidx": gidx, "l": 1, "gp": [x, y], **more}


def pupil(gidx, eye, mm=3.0, s=0):
    return {"ts": 1_000_000 + gidx * 20_000, "s": s, "gidx": gidx, "pd": mm, "eye": eye}


def test_fractions_become_px_of_the_scene(tmp_path):
    rec = tobii_glasses2.read(write(tmp_path, [point(0), point(1, 0.0, 1.0)]))
    assert rec.plane == "scene_px"
    assert rec.screen is None
    assert rec.samples["both"].xy_px.tolist() == [[960.0, 270.0], [0.0, 1080.0]]
    assert rec.samples["both"].t_ms.tolist() == [0.0, 20.0]


def test_a_status_is_lost_whatever_the_numbers_say(tmp_path):
    records = [point(0), point(1, s=1), point(2, 0.0, 0.0, s=1), point(3)]
    rec = tobii_glasses2.read(write(tmp_path, records))
    assert rec.samples["both"].lost.tolist() == [False, True, True, False]
    assert rec.provenance["left_out"] == {"bad_status": 2}


def test_pupils_of_a_moment_are_joined_and_one_alone_is_not_a_mean(tmp_path):
    records = [
        *(pupil(0, "left", 3.0), point(0), pupil(0, "right", 4.0)),
        *(point(1), pupil(1, "left", 3.0), pupil(1, "right", 0.0, s=16)),
        *(point(2), pupil(2, "left", 0.0)),
    ]
    rec = tobii_glasses2.read(write(tmp_path, records))
    np.testing.assert_array_equal(rec.samples["both"].pupil, [3.5, np.nan, np.nan])
    assert rec.provenance["left_out"] == {"one_pupil": 1}


def test_two_points_of_one_moment_are_lost_and_pupils_alone_are_a_lost_moment(tmp_path):
    records = [point(0), point(0, 0.9, 0.9), pupil(1, "left"), pupil(1, "right"), point(2)]
    rec = tobii_glasses2.read(write(tmp_path, records))
    assert rec.samples["both"].lost.tolist() == [True, True, False]
    assert rec.provenance["left_out"] == {"several_points": 1, "no_point": 1}


def test_old_firmware_has_the_time_alone(tmp_path):
    records = [{k: v for k, v in r.items() if k != "gidx"} for r in (point(0), pupil(0, "left"))]
    records += [{k: v for k, v in pupil(0, "right", 4.0).items() if k != "gidx"}]
    rec = tobii_glasses2.read(write(tmp_path, records))
    assert rec.samples["both"].pupil.tolist() == [3.5]


@given(st.permutations(range(12)))
def test_the_order_of_records_within_a_moment_does_not_matter(tmp_path_factory, order):
    records = [
        r for g in range(4) for r in (point(g, g / 10), pupil(g, "left"), pupil(g, "right", 4))
    ]
    folder = tmp_path_factory.mktemp("order")
    rec = tobii_glasses2.read(write(folder, [records[i] for i in order]))
    assert rec.samples["both"].xy_px[:, 0].tolist() == [0.0, 192.0, 384.0, pytest.approx(576.0)]
    assert rec.samples["both"].pupil.tolist() == [3.5] * 4


BAD = [
    *('{"ts":1,"s":0,"gidx":9,"gp":[0.5]}', '{"ts":1,"s":0,"gidx":9,"gp":"a"}', "nonsense"),
    *('{"ts":1,"s":0,"gidx":9,"gp":[0.5,', '{"ts":1,"s":0,"gidx":"9","gp":[0.5,0.5]}'),
    *('{"ts":1,"s":0,"gidx":9,"pd":3.5,"eye":"third"}', '{"ts":1,"s":0,"vts":"x"}'),
    '{"ts":1,"s":0,"gidx":9,"gp":[true,0.5]}',
]


@pytest.mark.parametrize("line", BAD)
def test_a_line_that_is_no_record_is_counted(tmp_path, line):
    rec = tobii_glasses2.read(write(tmp_path, [point(0), line, point(1)]))
    assert len(rec) == 2
    assert rec.provenance["left_out"] == {"unreadable_records": 1}
    assert rec.provenance["records"] == 3


def test_other_clocks_and_the_experiments_own_marks(tmp_path):
    records = [
        *(point(0), point(1), {"ts": 1_010_000, "s": 0, "vts": 4_000}),
        *({"ts": 1_014_000, "s": 0, "evts": 0}, {"ts": 1_018_000, "s": 0, "vts": 12_000}),
        {"ts": 1_015_000, "s": 0, "dir": "in", "sig": 1},
        {"ts": 1_005_000, "s": 0, "ets": 77, "type": "JsonEvent", "tag": "start"},
    ]
    rec = tobii_glasses2.read(write(tmp_path, records))
    assert rec.provenance["camera_start_ms"] == {"scene": 6.0, "eyes": 14.0}
    assert [(m.t_ms, m.text) for m in rec.messages] == [
        (5.0, "JsonEvent start"),
        (15.0, "sync in 1"),
    ]


def test_companions_open_the_segment_beside_or_below(tmp_path):
    path = makers.packed(tmp_path, 60)
    whole = tobii_glasses2.read(Source(path))
    for name in ("segment.json", "calibration.json"):
        assert tobii_glasses2.sniff(Source(tmp_path / name))
        rec = tobii_glasses2.read(Source(tmp_path / name))
        assert rec.to_frame().equals(whole.to_frame())
        assert "livedata.json.gz" in rec.provenance["notes"][-1]
    assert whole.provenance["participant"] == "made1"
    assert whole.provenance["calibrated"] is True
    assert whole.provenance["segment_length_ms"] == 28_494.205
    below = tmp_path / "recordings" / "segments" / "1"
    below.mkdir(parents=True)
    makers.plain(below, 20)
    recording = tmp_path / "recordings" / "recording.json"
    recording.write_text('{"rec_id": "x", "rec_length": 28, "rec_et_samples": 1424}')
    assert len(tobii_glasses2.read(Source(recording))) == 20


def test_a_companion_alone_says_what_to_open(tmp_path):
    makers.beside(tmp_path)
    with pytest.raises(FormatError, match=r"0 livedata\.json found .* Open the livedata\.json\.gz"):
        tobii_glasses2.read(Source(tmp_path / "segment.json"))


@pytest.mark.parametrize(
    "text",
    ['{"a_id": 1, "b": 2}', '{"rec_id": 1, "x": 1, "y": 2, "z": 3}', '{"seg_id": 1}', "[1]", "{"],
)
def test_other_json_is_not_recognised(tmp_path, text):
    path = tmp_path / "info.json"
    path.write_text(text)
    assert not tobii_glasses2.sniff(Source(path))


def test_a_segment_without_gaze_is_an_error(tmp_path):
    source = write(tmp_path, [{"ts": 1, "s": 0, "ac": [0, 0, 0]}])
    assert tobii_glasses2.sniff(source)
    with pytest.raises(FormatError, match="holds no record of gaze"):
        tobii_glasses2.read(source)


def test_plain_and_packed_hold_the_same(tmp_path):
    plain = tobii_glasses2.read(Source(makers.plain(tmp_path, 90)))
    packed = tobii_glasses2.read(Source(makers.packed(tmp_path, 90)))
    assert plain.to_frame().equals(packed.to_frame())
    assert plain.samples["both"].lost.sum() == sum(g % 40 == 11 for g in range(2765, 2855))


@pytest.mark.real
def test_real_segment(shared_data):
    path = shared_data / "exports" / "tobii_glasses2" / "livedata.json.gz"
    with gzip.open(path, "rt") as file:
        records = [json.loads(line) for line in file]
    rec = tobii_glasses2.read(Source(path))
    gaze = rec.samples["both"]
    points = [r for r in records if "gp" in r]
    assert rec.provenance["records"] == len(records) == 17_221
    assert len(rec) == len(points) == len({r["gidx"] for r in points}) == 1424
    assert gaze.lost.sum() == sum(r["s"] != 0 for r in points) == 93
    zero = min(r["ts"] for r in points)
    np.testing.assert_allclose(gaze.t_ms, [(r["ts"] - zero) / 1000 for r in points])
    seen = [r["gp"] for r in points if r["s"] == 0]
    np.testing.assert_allclose(gaze.xy_px[~gaze.lost] / [1920, 1080], seen)
    pupils = Counter(r["gidx"] for r in records if r["s"] == 0 and r.get("pd", 0) > 0)
    assert np.isfinite(gaze.pupil).sum() == sum(n == 2 for n in pupils.values())
    assert len(rec.messages) == sum("sig" in r for r in records) == 33
    assert len({r["ts"] - r["vts"] for r in records if "vts" in r}) == 1
    first = next(r["ts"] - r["vts"] for r in records if "vts" in r)
    assert rec.provenance["camera_start_ms"]["scene"] == (first - zero) / 1000

"""ioHub HDF5: sessions on one clock, window units to px, lost gaze, files that lie."""

from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
from makers.psychopy_iohub import (
    BINOCULAR,
    MESSAGES,
    MONOCULAR,
    SIZES,
    START_S,
    make,
    make_packed,
    messages,
    write,
)

from gazecode.errors import FormatError, GeometryError, ParameterError, TooLarge
from gazecode.model import Screen
from gazecode.readers import READERS, Source, read
from gazecode.readers.psychopy import iohub as psychopy_iohub
from gazecode.testing import check_reader

SAMPLES = "eyetracker/BinocularEyeSampleEvent"
SCREEN = Screen(width_px=1000, height_px=500)


def table(points, *, pupil=3.0, status=0, session=1) -> np.ndarray:
    rows = np.zeros(len(points), BINOCULAR)
    rows["session_id"] = session
    rows["time"] = 50 + np.arange(len(points)) / 100
    rows["status"] = status
    for eye in ("left", "right"):
        rows[f"{eye}_gaze_x"], rows[f"{eye}_gaze_y"] = np.array(points, float).T
        rows[f"{eye}_pupil_measure1"] = pupil
    return rows


def stated(text: str) -> np.ndarray:
    rows = np.zeros(1, MESSAGES)
    rows["session_id"], rows["time"], rows["text"] = 1, 49.0, text.encode()
    return rows


def test_sessions_follow_one_another(tmp_path):
    rec = psychopy_iohub.read(Source(make(tmp_path, 120)))
    assert len(rec) == 120
    assert [t.name for t in rec.trials] == ["session 1", "session 2"]
    assert [len(rec.window(t)) for t in rec.trials] == [60, 60]
    # Session 1 ends at its last sample; session 2's first message is 3 s before its samples.
    first = rec.trials[1].onset_ms
    assert first == pytest.approx(59 / 60 * 1000 + 1000 + 3000, abs=1e-6)
    assert [round(m.t_ms) for m in rec.messages] == [
        -3000,
        100,
        round(first) - 3000,
        round(first) + 100,
    ]
    assert rec.screen is None
    assert "different size" in rec.provenance["notes"][0]
    about = rec.provenance["sessions"]
    assert [(s["participant"], s["display_px"], s["display_from"]) for s in about] == [
        ("P01", [1920, 1080], "message"),
        ("P02", [1280, 1024], "message"),
    ]


def test_lost_gaze_is_found_by_corner_and_by_status(tmp_path):
    path = make(tmp_path, 120)
    one = read(path, session=1)
    lost = np.arange(60) % 20 == 3
    assert one.samples["left"].lost.tolist() == lost.tolist()
    assert np.isnan(one.samples["left"].pupil[lost]).all()
    np.testing.assert_allclose(one.samples["left"].xy_px[0], [960 - 400, 540 - 200])
    assert one.provenance["left_out"]["converted_zero"] == 3
    two = read(path, session=2)
    i = np.arange(60) % 20
    assert two.samples["left"].lost.tolist() == np.isin(i, [3, 4, 5]).tolist()
    assert two.samples["right"].lost.tolist() == (i == 3).tolist()
    np.testing.assert_allclose(two.samples["right"].xy_px[0], [640 - 394, 512 - 200])
    assert (two.screen.width_px, two.provenance["participant"]) == (1280, "P02")
    assert two.provenance["status"] == {"0": 51, "31": 3, "40": 3, "44": 3}


def test_an_end_without_stamps_is_no_event(tmp_path):
    rec = read(make(tmp_path, 160), session=1)
    assert rec.provenance["left_out"]["events_without_duration"] == 2
    ev = rec.device_events
    assert ev.kind.tolist() == ["fixation"] * 2
    assert ev.eye.tolist() == ["right"] * 2
    np.testing.assert_allclose(ev.onset_ms[0], 350, atol=0.1)
    np.testing.assert_allclose(ev.duration_ms, 250)
    np.testing.assert_allclose(ev.xy_px[0], [957.5, 494.5])


def test_one_eye_in_fractions_of_the_height(tmp_path):
    rec = read(make_packed(tmp_path, 100))
    assert list(rec.samples) == ["left"]
    np.testing.assert_allclose(rec.samples["left"].xy_px[0], [960 - 432, 540 - 324], atol=1e-3)
    assert rec.samples["left"].lost.tolist() == (np.arange(100) % 20 == 3).tolist()
    assert rec.screen == Screen(width_px=1920, height_px=1080)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Size (pixels): [1000, 500], CoordType: norm", [750, 125]),
        ("Size (pixels): (1000, 500), CoordType: height", [750, 0]),
        (
            "Size (pixels): [1000, 500], CoordType: deg Calculated Pixels Per Degree: 30.0 x, 20 y",
            [515, 240],
        ),
    ],
)
def test_units_of_the_window(tmp_path, text, expected):
    path = write(
        tmp_path / "a.hdf5",
        {SAMPLES: table([(0.5, 0.5), (0, 0)]), "experiment/MessageEvent": stated(text)},
    )
    np.testing.assert_allclose(read(path).samples["left"].xy_px[0], expected)


def test_an_unknown_display_is_asked_for(tmp_path):
    path = write(tmp_path / "a.hdf5", {SAMPLES: table([(-400, 200), (300, -200)])})
    with pytest.raises(GeometryError, match=r"session 1: .*screen=Screen"):
        read(path)
    rec = read(path, screen=SCREEN)
    np.testing.assert_allclose(rec.samples["left"].xy_px, [[100, 50], [800, 450]])
    assert rec.provenance["sessions"][0]["display_from"] == "caller"


def test_lost_gaze_betrays_the_display(tmp_path):
    rows = table([(-960, 540), (-400, 200), (-960, 540), (300, -200)], pupil=[0, 3, 0, 3])
    rec = read(write(tmp_path / "a.hdf5", {SAMPLES: rows}))
    assert rec.samples["left"].lost.tolist() == [True, False, True, False]
    assert rec.screen == Screen(width_px=1920, height_px=1080)
    assert "taken from where lost gaze" in " ".join(rec.provenance["notes"])


def test_units_too_small_for_pixels_are_asked_for(tmp_path):
    path = write(tmp_path / "a.hdf5", {SAMPLES: table([(0.4, 0.2), (0.3, -0.2)])})
    with pytest.raises(GeometryError, match="units="):
        read(path, screen=SCREEN)
    rec = read(path, screen=SCREEN, units="norm")
    np.testing.assert_allclose(rec.samples["left"].xy_px[0], [700, 200])
    with pytest.raises(ParameterError, match="units of a window"):
        read(path, screen=SCREEN, units="furlongs")
    with pytest.raises(GeometryError, match="deg needs the message"):
        read(path, screen=SCREEN, units="deg")


def test_a_session_that_is_not_there(tmp_path):
    path = make(tmp_path, 20)
    with pytest.raises(FormatError, match=r"no gaze of session 7; sessions with gaze: \[1, 2\]"):
        read(path, session=7)


def test_rows_of_the_other_table_and_eye_are_counted(tmp_path):
    mono = np.zeros(3, MONOCULAR)
    mono["session_id"], mono["time"], mono["eye"] = 1, [50, 50.1, 50.2], [21, 21, 22]
    mono["gaze_x"] = 200
    parts = {
        SAMPLES: table([(100, 100)]),
        "eyetracker/MonocularEyeSampleEvent": mono,
        "experiment/MessageEvent": messages({1: SIZES[1]}),
    }
    rec = read(write(tmp_path / "a.hdf5", parts))
    assert list(rec.samples) == ["left"]
    assert rec.provenance["left_out"] == {"samples_of_other_table": 1, "other_eye": 1}


def test_a_gzipped_file_opens(tmp_path):
    import gzip

    path = make(tmp_path, 40)
    packed = tmp_path / "events.hdf5.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    assert read(packed).to_frame().equals(read(path).to_frame())


def lie(folder: Path, **how) -> Path:
    """A file whose table of samples is created as `how` says, and left without rows."""
    path = folder / "lie.hdf5"
    with h5py.File(path, "w") as file:
        events = file.create_group("data_collection/events")
        events.create_dataset(SAMPLES, dtype=np.dtype(BINOCULAR), **how)
    return path


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"shape": (10**8,), "chunks": (100,)}, "declares .* bytes in a file of"),
        ({"shape": (10**8,), "chunks": (100,), "compression": "gzip"}, "declares"),
        ({"shape": (10**6, 10**6), "chunks": (10, 10)}, "2 dimensions"),
        ({"shape": (1,), "external": [("/etc/hostname", 0, 500)]}, "another file"),
        ({"shape": (4,), "chunks": (4,), "compression": "lzf"}, "filter 32000, which needs"),
    ],
    ids=["10 GB", "10 GB packed", "2-d", "external", "plug-in filter"],
)
def test_what_a_file_declares_is_not_believed(tmp_path, how, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(lie(tmp_path, **how))
    assert "\n" not in str(caught.value)


def test_chunks_beyond_all_reason_are_refused(tmp_path):
    path = tmp_path / "a.hdf5"
    rows = table([(100, 100)] * 4)
    with h5py.File(path, "w") as file:
        at = file.create_dataset(
            f"data_collection/events/{SAMPLES}", (4,), rows.dtype, maxshape=(None,),
            chunks=(400_000,), compression="gzip", compression_opts=9,
        )  # fmt: skip
        at[:] = rows
    assert path.stat().st_size < 10**6
    with pytest.raises(TooLarge, match="has chunks of"):
        read(path)


def test_a_bomb_in_a_chunk_is_refused(tmp_path):
    import zlib

    path = tmp_path / "a.hdf5"
    rows = table([(100, 100)] * 10)
    with h5py.File(path, "w") as file:
        at = file.create_dataset(
            f"data_collection/events/{SAMPLES}", (10,), rows.dtype, chunks=(10,), compression="gzip"
        )
        at.id.write_direct_chunk((0,), zlib.compress(bytes(30 << 20), 9))
    assert path.stat().st_size < 10**6
    with pytest.raises(TooLarge, match="bomb"):
        read(path)


def test_links_are_not_followed(tmp_path):
    make(tmp_path, 20)
    path = tmp_path / "link.hdf5"
    with h5py.File(path, "w") as file:
        place = file.create_group("data_collection/events/eyetracker")
        place["BinocularEyeSampleEvent"] = h5py.ExternalLink(
            "events.hdf5", f"/data_collection/events/{SAMPLES}"
        )
    with pytest.raises(FormatError, match="is a link"):
        read(path)


def test_sniff_leaves_other_hdf5_alone(tmp_path):
    path = tmp_path / "other.hdf5"
    with h5py.File(path, "w") as file:
        file["x"] = [1, 2]
    assert not psychopy_iohub.sniff(Source(path))


@pytest.mark.real
def test_real_counts_by_h5py_alone(shared_data):
    path = shared_data / "exports" / "psychopy_iohub" / "events_2013_sessions5.hdf5"
    rec = check_reader(READERS["psychopy_iohub"], path)
    with h5py.File(path) as file:
        events = file["data_collection/events"]
        rows = events[SAMPLES][:]
        said = events["experiment/MessageEvent"]["session_id"]
        ends = events["eyetracker/FixationEndEvent"][:]
    counted = Counter(rows["session_id"].tolist())
    assert counted == {1: 2180, 2: 32, 3: 2550, 5: 1308}
    assert len(rec) == sum(counted.values()) == 6070
    assert {t.name: len(rec.window(t)) for t in rec.trials} == {
        f"session {n}": k for n, k in counted.items()
    }
    assert len(rec.messages) == len(said) == 6139
    assert rec.provenance["status"] == {"0": 5952, "31": 1, "40": 1, "44": 116}
    corner = (rows["left_gaze_x"] == -960) & (rows["left_gaze_y"] == 540)
    assert corner.sum() == rec.provenance["left_out"]["converted_zero"] == 52
    left = corner | np.isin(rows["status"], [44, 40, 31])
    assert rec.samples["left"].lost.tolist() == left.tolist()
    right = corner | (rows["status"] == 44)
    assert rec.samples["right"].lost.tolist() == right.tolist()
    assert (len(ends), int((ends["duration"] > 0).sum())) == (260, 130)
    assert len(rec.device_events) == 130
    assert rec.provenance["rate_hz"] == pytest.approx(60, abs=0.5)
    five = read(path, session=5)
    mine = rows[rows["session_id"] == 5]
    seen = ~five.samples["right"].lost
    np.testing.assert_allclose(
        five.samples["right"].xy_px[seen, 1], 512 - mine["right_gaze_y"][seen], rtol=1e-6
    )
    assert five.provenance["participant"] == "asdfsadfsdfddd"


@pytest.mark.real
def test_real_fixations_lie_where_the_samples_are(shared_data):
    path = shared_data / "exports" / "psychopy_iohub" / "events_2013_sessions5.hdf5"
    rec = read(path, session=1)
    gaze, near = rec.samples["left"], []
    for i in range(len(rec.device_events)):
        one = rec.device_events[i : i + 1]
        inside = gaze.between(float(one.onset_ms[0]), float(one.offset_ms[0]))
        if (~inside.lost).sum() > 3:
            near.append(np.abs(np.nanmedian(inside.xy_px, axis=0) - one.xy_px[0]).max())
    print(f"{len(near)} fixations, median distance from their samples {np.median(near):.1f} px")
    assert np.median(near) < 15
    assert START_S[1] > 0

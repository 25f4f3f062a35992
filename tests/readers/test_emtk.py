"""EMTK tables: a fixation with two tokens is one fixation, stamps are ends; the corrected EMIP set."""

import csv

import numpy as np
import pytest

from gazecode.errors import ParameterError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.testing import check_reader

READER = READERS["emtk"]
HEADER = (
    "Unnamed: 0,trial,participant,code_file,code_language,timestamp,duration,x_cord,y_cord,aoi_x,"
    "aoi_y,aoi_width,aoi_height,token,length,srcML,quality,line,part\n"
)
FRAME = (
    ",eye_tracker,experiment_id,participant_id,filename,trial_id,stimuli_module,stimuli_name,"
    "timestamp,duration,x0,y0,x1,y1,token,pupil,amplitude,peak_velocity,eye_event_type\n"
)


def hit(stamp, length, token, box, *, x=865.39, who=26, file="vehicle_java.jpg"):
    left, top = box
    return f"9,2,{who},{file},{file},{stamp},{length},{x},268.75,{left},{top},58,20,{token},6,class->name,65,4,{left}\n"


def write(folder, text, name="participant26_trial2_vehicle_java.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_fixation_on_two_tokens_is_one_fixation_with_two_hits(tmp_path):
    rows = [
        hit(3060646014, 92, "String", (875, 268)),
        hit(3060646014, 92, '","', (935, 268)),
        hit(3061646012, 116, "String", (875, 268)),
    ]
    path = write(tmp_path, HEADER + "".join(rows))
    got = check_reader(READER, path, cuts=(0.5, 0.9))
    assert sniff_format(path) == "emtk"
    # Stamps are us of the sample that ended a fixation; durations are ms.
    assert got.device_events.onset_ms == pytest.approx([0, 999.998 + 92 - 116])
    assert got.device_events.offset_ms == pytest.approx([92, 999.998 + 92])
    assert got.provenance["n_hits"] == 3
    assert got.provenance["n_on_several_tokens"] == 1
    boxes = got.stimuli["vehicle_java"].boxes
    assert boxes["text"].tolist() == ["String", ","]
    assert boxes["kind"].tolist() == ["syntax", "syntax"]
    assert (boxes["x0"].tolist(), boxes["x1"].tolist()) == ([875, 935], [933, 993])
    assert [f.tolist() for f in boxes["fixations"]] == [[0, 1], [0]]
    assert boxes["srcml"].tolist() == ["class->name"] * 2
    assert got.trials[0].stimulus == "vehicle_java"
    assert got.provenance["participant"] == "26"


def test_rows_left_out_do_not_shift_the_hits(tmp_path):
    rows = [
        hit(2_000_000, 100, "late", (10, 0)),
        hit("", 100, "lost", (20, 0)),
        hit(1_000_000, 0, "none", (30, 0)),
        hit(1_500_000, 100, "early", (40, 0)),
    ]
    got = read(write(tmp_path, HEADER + "".join(rows)))
    assert got.provenance["left_out"] == {"no_interval": 2, "unsorted": 1}
    boxes = got.stimuli["vehicle_java"].boxes
    found = dict(zip(boxes["text"], [f.tolist() for f in boxes["fixations"]], strict=True))
    assert found == {"late": [1], "lost": [], "none": [], "early": [0]}


def test_people_of_one_table_are_told_apart(tmp_path):
    rows = [hit(1_000_000, 50, "a", (1, 1)), hit(1_000_000, 50, "a", (1, 1), who=27)]
    path = write(tmp_path, HEADER + "".join(rows))
    assert read(path).provenance["participants"] == {"vehicle_java": "26", "vehicle_java (2)": "27"}
    assert read(path, participant="27").provenance["left_out"] == {"other_participant": 1}
    with pytest.raises(ParameterError):
        read(path, participant="1")


@pytest.mark.parametrize(("unit", "factor"), [("us", 1000), ("ms", 1)])
@pytest.mark.parametrize("ends", [True, False])
def test_unit_and_edge_of_a_frame_of_events_are_found_from_its_rows(tmp_path, unit, factor, ends):
    rng = np.random.default_rng(3)
    onset, length = 5000, rng.integers(60, 400, 60)
    rows, expected = [], []
    for i, n in enumerate(length.tolist()):
        kind = ("fixation", "saccade", "sample")[i % 7 % 3 if i % 7 < 6 else 2]
        stamp = (onset + n if ends else onset) * factor
        end = "9.5,8.5" if kind == "saccade" else ","
        rows.append(
            f"{i},SMI,1,7,a.tsv,2,m/,vehicle_java.jpg,{stamp},{n},1.5,2.5,{end},,3,,,{kind}\n"
        )
        if kind != "sample":
            expected.append((kind, onset, n))
        onset += n + 4
    got = check_reader(READER, write(tmp_path, FRAME + "".join(rows)), cuts=(0.5,))
    events = got.device_events
    assert events.kind.tolist() == [kind for kind, _, _ in expected]
    assert events.onset_ms == pytest.approx([at - expected[0][1] for _, at, _ in expected])
    assert events.duration_ms == pytest.approx([n for _, _, n in expected])
    assert np.isfinite(events.end_xy_px[:, 0]).tolist() == [k == "saccade" for k, _, _ in expected]
    assert got.provenance["left_out"] == {"other_kinds": 60 - len(expected)}
    assert f"taken as {unit} of the {'end' if ends else 'start'}" in got.provenance["notes"][1]


def test_other_tables_are_not_recognised(tmp_path):
    assert not READER.sniff(Source(write(tmp_path, "timestamp,duration,x_cord\n1,2,3\n")))


@pytest.mark.real
def test_the_corrected_set_holds_what_csv_says(shared_data):
    files = sorted(shared_data.glob("emip-bednarik2020/corrected/*/*.csv"))
    if not files:
        pytest.skip("no corrected EMIP trial in the shared data")
    overlaps = total = 0
    for path in files:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        once = {int(r["timestamp"]): r for r in reversed(rows)}
        got = read(path)
        events = got.device_events
        ordered = [once[stamp] for stamp in sorted(once)]
        assert len(events) == len(ordered)
        assert events.duration_ms == pytest.approx([float(r["duration"]) for r in ordered])
        assert np.array_equal(events.xy_px[:, 0], [float(r["x_cord"]) for r in ordered])
        stamps = np.array(sorted(once)) / 1000
        assert np.diff(events.offset_ms) == pytest.approx(np.diff(stamps))
        assert got.provenance["n_hits"] == len(rows)
        assert got.provenance["participant"] == rows[0]["participant"]
        boxes = got.stimuli[got.trials[0].stimulus].boxes
        corners = {
            tuple(float(r[c]) for c in ("aoi_x", "aoi_y", "aoi_width", "aoi_height")) for r in rows
        }
        assert len(boxes["text"]) == len(corners)
        assert sum(map(len, boxes["fixations"])) == len(rows)
        assert set(boxes["text"]) <= {r["token"] for r in rows}
        overlaps += int((events.onset_ms[1:] < events.offset_ms[:-1] - 1).sum())
        total += len(events)
    print(f"{len(files)} trials, {total} fixations, {overlaps} overlap the one before")
    assert len(files) == 28
    assert overlaps == 0

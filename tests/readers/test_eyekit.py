"""Eyekit JSON: several trials and people, what was discarded, texts without gaze; the real set."""

import json

import numpy as np
import pytest

from gazecode.errors import FormatError, ParameterError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.testing import check_reader

READER = READERS["eyekit"]


def sequence(*rows):
    return {
        "__FixationSequence__": [
            dict(zip(("x", "y", "start", "end"), r, strict=True)) for r in rows
        ]
    }


def trial(person, passage, *rows):
    return {"participant_id": person, "passage_id": passage, "fixations": sequence(*rows)}


def write(folder, document):
    path = folder / "sample.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_trials_of_several_people_follow_one_another(tmp_path):
    document = {
        "trial_0": trial("2", "3B", (359, 142, 6, 107), (766, 548, 164, 236)),
        "trial_7": trial("5", "1A", (1, 2, 0, 50)),
    }
    path = write(tmp_path, document)
    got = check_reader(READER, path)
    assert sniff_format(path) == "eyekit"
    assert [(t.name, t.onset_ms, t.offset_ms, t.stimulus) for t in got.trials] == [
        ("trial_0", 0, 236, "3B"),
        ("trial_7", 1236, 1286, "1A"),
    ]
    assert got.device_events.onset_ms.tolist() == [6, 164, 1236]
    assert got.provenance["participants"] == {"trial_0": "2", "trial_7": "5"}
    mine = read(path, participant="5")
    assert mine.device_events.onset_ms.tolist() == [0]
    assert mine.provenance["participant"] == "5"
    assert mine.provenance["left_out"] == {"other_participant": 2}
    with pytest.raises(ParameterError, match="choose from: 2, 5"):
        read(path, participant="3")


def test_discarded_fixations_are_left_out_and_counted_unless_asked_for(tmp_path):
    document = {"t": trial("1", "A", (1, 2, 0, 50), (3, 4, 60, 90))}
    document["t"]["fixations"]["__FixationSequence__"][1]["discarded"] = True
    path = write(tmp_path, document)
    assert read(path).provenance["left_out"] == {"discarded": 1}
    assert len(read(path).device_events) == 1
    assert len(read(path, keep_discarded=True).device_events) == 2


def test_a_sequence_alone_is_one_trial(tmp_path):
    got = read(write(tmp_path, sequence((1, 2, 10, 50))))
    assert [(t.name, t.stimulus) for t in got.trials] == [("trial", None)]
    got = read(write(tmp_path, {"fixations": sequence((1, 2, 10, 50))}))
    assert len(got.device_events) == 1


def test_fixations_without_a_time_are_counted(tmp_path):
    document = {"t": trial("1", "A", (1, 2, 0, 50), (3, 4, None, 90), (3, 4, 90, 90))}
    assert read(write(tmp_path, document)).provenance["left_out"] == {"no_interval": 2}


def test_a_file_of_texts_says_what_to_open(tmp_path):
    path = write(tmp_path, {"1A": {"__TextBlock__": {"text": ["abc"]}}})
    assert sniff_format(path) == "eyekit"
    with pytest.raises(FormatError, match="a text of Eyekit and no gaze; open the file with the"):
        read(path)
    assert not READER.sniff(Source(write(tmp_path, {"a": [1]})))


@pytest.mark.real
@pytest.mark.parametrize("name", ["sample", "gold", "attach", "warp"])
def test_the_real_files_hold_what_json_says(shared_data, name):
    path = shared_data / "carr2022-drift" / "fixations" / f"{name}.json"
    if not path.is_file():
        pytest.skip("no file of Carr et al. in the shared data")
    document = json.loads(path.read_text())
    rows = [r for t in document.values() for r in t["fixations"]["__FixationSequence__"]]
    kept = [r for r in rows if not r.get("discarded")]
    got = check_reader(READER, path, cuts=(0.5,))
    assert len(rows) == 6768
    assert len(rows) - len(kept) == (153 if name == "gold" else 0)
    assert got.provenance["left_out"].get("discarded", 0) == len(rows) - len(kept)
    assert np.array_equal(got.device_events.xy_px, [[r["x"], r["y"]] for r in kept])
    assert got.device_events.duration_ms == pytest.approx([r["end"] - r["start"] for r in kept])
    assert len(got.trials) == len(document) == 32
    people = {k: v["participant_id"] for k, v in document.items()}
    assert got.provenance["participants"] == people

"""fix8 JSON: laid end to end, named by the file; the real sets, counted with json."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import FormatError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.readers.tools.json_rows import json_rows
from gazecode.testing import check_reader

READER = READERS["fix8"]


def write(folder, fixations, name="trial_2_participant_104_vehicle_java.json"):
    path = folder / name
    path.write_text(json.dumps({"fixations": fixations}, indent=4), encoding="utf-8")
    return path


def test_fixations_lie_end_to_end_in_the_order_of_the_file(tmp_path):
    path = write(tmp_path, [[741.9, 264.3, 68.0], [649.2, 168.9, 112], [10, 20, 100.5]])
    got = check_reader(READER, path)
    assert sniff_format(path) == "fix8"
    events = got.device_events
    assert events.onset_ms.tolist() == [0, 68, 180]
    assert events.offset_ms.tolist() == [68, 180, 280.5]
    assert events.xy_px.tolist() == [[741.9, 264.3], [649.2, 168.9], [10, 20]]
    assert [(t.name, t.onset_ms, t.offset_ms, t.stimulus) for t in got.trials] == [
        ("vehicle_java", 0, 280.5, "vehicle_java")
    ]
    assert (got.provenance["participant"], got.provenance["trial"]) == ("104", "2")
    assert "end to end" in got.provenance["clock"]
    assert any("pauses" in note for note in got.provenance["notes"])
    assert len(got) == 0


def test_the_names_of_the_met_set_are_read(tmp_path):
    got = read(write(tmp_path, [[1, 2, 3]], "022_code_paragraph1_1_noFontSizeFound.json"))
    assert got.provenance["participant"] == "022"
    assert got.trials[0].stimulus == "paragraph1"


def test_a_name_that_says_nothing_names_the_trial_alone(tmp_path):
    got = read(write(tmp_path, [[1, 2, 3]], "mine.json"))
    assert (got.trials[0].name, got.trials[0].stimulus) == ("mine", None)
    assert got.provenance["participant"] == ""


def test_rows_without_a_length_are_left_out_and_short_rows_counted(tmp_path):
    got = read(write(tmp_path, [[1, 2, 50], [1, 2, 0], [1, 2], [3, 4, 60, 1], [5, 6, -5]]))
    assert got.device_events.onset_ms.tolist() == [0, 50]
    assert got.provenance["left_out"] == {"ragged_rows": 1, "no_interval": 2}


def test_no_fixation_at_all_is_an_empty_recording(tmp_path):
    got = read(write(tmp_path, []))
    assert (len(got.device_events), got.trials) == (0, ())
    assert got.provenance["left_out"] == {"empty_trials": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param('{"fixations": [[1, 2, "x"]]}', "other than numbers", id="text"),
        pytest.param('{"fixations": [[1, 2, null]]}', "other than numbers", id="null"),
        pytest.param('{"fixations": [[1, 2, 3], [4', "list does not end", id="cut"),
        pytest.param('{"fixations": [[1, 2, 3]], ', "no whole JSON document", id="cut after"),
        pytest.param('{"fixations": [[1, 2, 3] [4, 5, 6]]}', "no whole JSON", id="no comma"),
    ],
)
def test_broken_files_say_so_on_one_line(tmp_path, text, says):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=says) as error:
        read(path, format="fix8")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ['{"fixations": {"x": 1}}', '{"fixations": ["a"]}', '[[1, 2, 3]]', '{"fix": [[1,2,3]]}'],
)  # fmt: skip
def test_other_json_is_not_recognised(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    assert not READER.sniff(Source(path))


@given(
    rows=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), max_size=40),
    size=st.integers(1, 90),
    indent=st.sampled_from([None, 4]),
)
def test_rows_in_pieces_are_the_rows_of_json(rows, size, indent):
    document = {"name": "a", "xs": rows, "more": {"xs": rows[:1]}}
    raw = json.dumps(document, indent=indent).encode()
    got = {}
    chunks = [raw[i : i + size] for i in range(0, len(raw), size)]
    rest = json_rows(
        chunks,
        key="xs",
        opens=b"[",
        rows=lambda number, part: got.setdefault(number, []).extend(part),
        name="a",
    )
    assert rest == {"name": "a", "xs": 0, "more": {"xs": 1}}
    assert got.get(0, []) == rows
    assert got.get(1, []) == rows[:1]


@pytest.mark.real
def test_the_real_sets_hold_what_json_says(shared_data):
    files = sorted(shared_data.glob("emip-bednarik2020/fix8/**/*.json"))
    files += sorted(shared_data.glob("met-code-fix8/**/*.json"))
    if not files:
        pytest.skip("no fix8 file in the shared data")
    for path in files:
        expected = np.array(json.loads(path.read_text())["fixations"], dtype=float)
        got = read(path)
        assert got.provenance["format"] == "fix8"
        assert np.array_equal(got.device_events.xy_px, expected[:, :2])
        assert got.device_events.duration_ms == pytest.approx(expected[:, 2])
        assert got.trials[0].offset_ms == pytest.approx(expected[:, 2].sum())
        assert got.provenance["participant"] in path.name
    assert len(files) == 74 + 52

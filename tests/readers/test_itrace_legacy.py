"""iTrace before 0.1: four writers, one gaze; fixations that bridge gaps are said to."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from makers import itrace_legacy as makers

from gazecode.errors import FormatError, TooLarge
from gazecode.readers import read, sniff_format
from gazecode.readers.itrace import archive_json as itrace_json
from gazecode.readers.itrace import legacy as itrace_legacy
from gazecode.readers.itrace.archive_json import json_objects
from gazecode.readers.itrace.legacy import ide_positions
from gazecode.readers.source import Source

N = 120


def made(folder: Path, name: str) -> Path:
    folder = folder / name
    folder.mkdir()
    return makers.MAKERS[name].make(folder, N)


@pytest.mark.parametrize("name", [n for n in makers.MAKERS if n != "itrace_fixations"])
def test_every_writer_says_the_same(tmp_path, name):
    rec = itrace_legacy.read(Source(made(tmp_path, name)))
    samples = list(makers.samples(N))
    np.testing.assert_allclose(rec.gaze.t_ms, makers.clock(N), atol=1e-6)
    good = np.array(
        [all(float(s[f"{eye}_validation"]) > 0.5 for eye in ("left", "right")) for s in samples]
    )
    if name == "itrace_v0":
        # That version wrote no validity.
        good[:] = True
    assert rec.gaze.lost.tolist() == (~good).tolist()
    assert rec.gaze.xy_px[good, 0].tolist() == [
        s["x"] for s, g in zip(samples, good, strict=True) if g
    ]
    assert (rec.screen.width_px, rec.screen.height_px) == (1920, 1080)
    assert rec.plane == "screen_px"
    if name != "itrace_v0":
        assert rec.start_ns == (makers.FIRST_MS + 1162) * 10**6
        np.testing.assert_array_equal(rec.gaze.pupil, np.where(good, 3.0, np.nan))
        assert rec.provenance["left_out"] == {"one_eye": 4, "neither_eye_valid": 4}
    clock = "event_time, ns" if name == "itrace_v0" else "tracker_time, ms"
    assert rec.provenance["clock"] == f"{clock}; 0 at the first row"


def test_the_fixations_beside_are_found_and_their_bridges_said(tmp_path):
    path = made(tmp_path, "itrace_eclipse")
    rec = itrace_legacy.read(Source(path))
    fix = rec.device_events
    assert fix.onset_ms.tolist() == makers.clock(N)[::10].tolist()
    np.testing.assert_array_equal(rec.gaze.t_ms[fix.first], fix.onset_ms)
    assert (fix.last[:-1] == fix.first[1:]).all()
    assert rec.provenance["vendor_fixations"] == {
        "n": 12,
        "longest_ms": float(fix.duration_ms.max()),
        "over_2000_ms": 1,
    }
    assert fix.duration_ms.max() > 2500
    longest = f"{fix.duration_ms.max():g} ms: the filter bridges the gaps"
    note = f"1 vendor fixations last over 2 s, the longest {longest}"
    assert any(text.startswith(note) for text in rec.provenance["notes"])


def test_fixations_may_lie_in_a_folder_of_their_own_or_be_named(tmp_path):
    made(tmp_path, "itrace_eclipse")
    beside = tmp_path / "itrace_eclipse" / "P1SO_fixations.xml"
    gazes = tmp_path / "gazes"
    gazes.mkdir()
    path = gazes / "P1SO_gazes.xml"
    (tmp_path / "itrace_eclipse" / "P1SO_gazes.xml").rename(path)
    assert len(itrace_legacy.read(Source(path)).device_events) == 0
    assert len(itrace_legacy.read(Source(path), fixations=beside).device_events) == 12
    (tmp_path / "fixations").mkdir()
    beside.rename(tmp_path / "fixations" / beside.name)
    assert len(itrace_legacy.read(Source(path)).device_events) == 12


def test_fixations_of_other_samples_do_not_fit(tmp_path):
    path = made(tmp_path, "itrace_eclipse")
    beside = path.with_name("P1SO_fixations.xml")
    text = beside.read_text().replace(f'"{makers.FIRST_MS}"', f'"{makers.FIRST_MS + 5}"')
    beside.write_text(text)
    rec = itrace_legacy.read(Source(path))
    assert len(rec.device_events) == 0
    assert (
        "P1SO_fixations.xml lies beside and does not fit: its stamps differ"
        in (rec.provenance["notes"])
    )
    with pytest.raises(FormatError, match="holds no fixations of these samples"):
        itrace_legacy.read(Source(path), fixations=beside)


def test_a_fixation_file_alone(tmp_path):
    rec = read(made(tmp_path, "itrace_fixations"))
    assert len(rec) == 0
    assert len(rec.device_events) == N
    assert rec.device_events.onset_ms[0] == 0
    assert rec.provenance["format"] == "itrace_legacy"


def test_samples_of_processed_json_name_their_fixation(tmp_path):
    path = made(tmp_path, "itrace_archive_json")
    whole = json.loads(path.read_text())
    for i, row in enumerate(whole["gazes"]):
        inside = i % 10 < 8
        row |= {"fix_index": i // 10 if inside else -1, "fix_x": 500.5, "fix_y": 400.5}
        row["duration"] = 120 if inside else -1
    path.write_text(json.dumps(whole))
    rec = itrace_legacy.read(Source(path))
    assert len(rec) == N
    assert rec.device_events.onset_ms.tolist() == makers.clock(N)[::10].tolist()
    assert set(rec.device_events.duration_ms) == {120.0}
    assert rec.device_events.xy_px.tolist() == [[500.5, 400.5]] * 12


def test_json_of_fixations(tmp_path):
    rows = [
        {"file": "A.java", "type": "java", "x": 5.5, "y": 6, "tracker_time": t, "duration": 90}
        for t in (makers.FIRST_MS, makers.FIRST_MS + 500)
    ]
    path = tmp_path / "processed-fixations-U-1.json"
    size = {"environment": {"screen_size": {"width": 1920, "height": 1080}}}
    path.write_text(json.dumps(size | {"fixations": rows}))
    rec = read(path)
    assert rec.device_events.onset_ms.tolist() == [0.0, 500.0]
    assert rec.device_events.offset_ms.tolist() == [90.0, 590.0]


@pytest.mark.parametrize("name", ["itrace_eclipse", "itrace_archive_json"])
def test_places_in_text_and_pages(tmp_path, name):
    at = ide_positions(made(tmp_path, name))
    page = np.arange(N) % 3 == 0
    assert at["line"].tolist() == [-1 if p else i % 20 for i, p in enumerate(page)]
    assert at["column"].tolist() == [-1 if p else i % 33 for i, p in enumerate(page)]
    assert set(at["path"][page]) == {makers.PAGE["url"]}
    assert set(at["path"][~page]) == {"C:\\made\\Made.java"}
    assert set(at["element"][page]) == {"QUESTION 1 CODE 2"}
    assert at["element"][1] == "METHOD Made.run()"
    assert at["element"][2] == ""
    assert set(at["line_height_px"][~page]) == {15.0}
    np.testing.assert_allclose(at["t_ms"], makers.clock(N))


def test_a_device_clock_is_no_unix_time(tmp_path):
    """Where `tracker_time` counts from the tracker's start, the other clocks say more."""
    path = made(tmp_path, "itrace_eclipse")
    path.write_text(re.sub(r'tracker_time="\d+"', 'tracker_time="5000"', path.read_text()))
    rec = itrace_legacy.read(Source(path))
    assert rec.provenance["clock"] == "session_time, ns; 0 at the first row"
    np.testing.assert_allclose(rec.gaze.t_ms, makers.clock(N))


@pytest.mark.parametrize("iso", [True, False], ids=["ISO 8601", "ms"])
def test_the_oldest_files_have_a_timestamp_alone(tmp_path, iso):
    path = made(tmp_path, "itrace_archive_xml")
    text = re.sub(r' (tracker|system|nano)-time="\d+"', "", path.read_text())
    rows = iter(makers.samples(N))

    def stamp(_):
        row = next(rows)
        return f'<response timestamp="{row["timestamp"] if iso else row["system_time"]}"'

    path.write_text(re.sub("<response", stamp, text))
    rec = itrace_legacy.read(Source(path))
    np.testing.assert_allclose(rec.gaze.t_ms, makers.clock(N))


@pytest.mark.parametrize("name", ["itrace_eclipse", "itrace_archive_json"])
def test_bad_files_are_one_clear_line(tmp_path, name):
    path = made(tmp_path, name)
    text = path.read_text()
    second = f"{makers.FIRST_MS + 16}"
    for changed, message in (
        (text[: len(text) // 2], "breaks off or is malformed"),
        (re.sub(r"tracker_time", "when", re.sub(r"\w+_time|timestamp", "when", text)), "no column"),
        (text.replace(second, "9" * 20, 1), "tracker_time is missing or no 64-bit integer"),
        (text.replace(second, "soon", 1), "64-bit integer|malformed"),
    ):
        path.write_text(changed)
        with pytest.raises(FormatError) as caught:
            read(path)
        assert re.search(message, str(caught.value))
        assert "\n" not in str(caught.value)


def test_stamps_of_no_session_are_an_error_that_says_so(tmp_path):
    path = made(tmp_path, "itrace_eclipse")
    later = makers.FIRST_MS + int(makers.clock(N)[5])
    path.write_text(path.read_text().replace(f'tracker_time="{later}"', 'tracker_time="0"'))
    with pytest.raises(FormatError, match="tracker_time runs from 0 to .* times of one session"):
        read(path)


def test_json_in_pieces_of_any_size():
    rows = [{"x": i, "text": "}]\\n" * (i % 3), "sces": [{"name": "{"}]} for i in range(40)]
    raw = json.dumps({"environment": {"screen_size": {}}, "gazes": rows}).encode()
    for size in (1, 7, 64, 10_000):
        pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
        assert list(json_objects(pieces, "a.json")) == rows


@pytest.mark.parametrize(
    "raw",
    [b"", b'{"gazes": [1]}', b'{"gazes": [{"x": 1}', b'{"gazes": [{"x": 1},', b'{"gazes": {}'],
)
def test_json_that_breaks_off(raw):
    with pytest.raises(FormatError, match="breaks off or is malformed"):
        list(json_objects([raw], "a.json"))


def test_json_objects_are_bounded(monkeypatch):
    monkeypatch.setattr(itrace_json, "MAX_OBJECT", 1000)
    for raw in (b'{"gazes": [{"x": "' + b"1" * 3000, b'{"gaze": "' + b"1" * 3000):
        with pytest.raises(TooLarge, match="over 1000 characters"):
            list(json_objects([raw[i : i + 100] for i in range(0, 3000, 100)], "a.json"))
    with pytest.raises((FormatError, RecursionError)):
        list(json_objects([b'{"gazes": [{"x": ' + b"[" * 100_000], "a.json"))


def test_sniff(tmp_path):
    for name in makers.MAKERS:
        assert sniff_format(made(tmp_path, name)) == "itrace_legacy"
    other = tmp_path / "other.xml"
    for text in (
        "<plugin/>",
        "<plugin><screen-size/></plugin>",
        '{"gazes": [{}]}',
        "itrace-records",
    ):
        other.write_text(text)
        assert not itrace_legacy.sniff(Source(other))


@pytest.mark.real
@pytest.mark.parametrize(
    ("person", "gazes", "fixations", "one_eye"), [("P01", 1_019, 53, 1), ("P08", 709, 34, 13)]
)
def test_real_sessions(shared_data, person, gazes, fixations, one_eye):
    folder = shared_data / "itrace-saner2020-stackoverflow"
    rec = read(folder / "gazes" / f"{person}SO_gazes.xml")
    alone = read(folder / "fixations" / f"{person}SO_fixations.xml")

    def rows(kind):
        text = (folder / kind / f"{person}SO_{kind}.xml").read_text(encoding="utf-8")
        starts = (part.partition(">")[0] for part in text.split("<response")[1:])
        return [dict(re.findall(r'([\w-]+)="([^"]*)"', start)) for start in starts]

    plain, vendor = rows("gazes"), rows("fixations")
    assert len(rec) == len(plain) == gazes
    assert len(rec.device_events) == len(alone.device_events) == len(vendor) == fixations
    stamps = np.array([int(r["tracker_time"]) for r in plain])
    np.testing.assert_array_equal(rec.gaze.t_ms, stamps - stamps[0])
    assert rec.provenance["left_out"] == {"one_eye": one_eye}
    duration = [int(r["duration"]) for r in vendor]
    assert rec.device_events.duration_ms.tolist() == duration
    np.testing.assert_array_equal(rec.device_events.first, [int(r["gazeId"]) for r in vendor])
    assert rec.provenance["vendor_fixations"]["over_2000_ms"] == sum(d > 2000 for d in duration) > 0
    print(person, rec.provenance["rate_hz"], rec.provenance["vendor_fixations"])
    assert rec.provenance["rate_hz"] == pytest.approx(60, abs=0.1)
    at = ide_positions(folder / "gazes" / f"{person}SO_gazes.xml")
    assert set(at["type"]) == {"txt", "browser"}
    lines = [int(r.get("line", 0)) - 1 for r in plain]
    assert at["line"].tolist() == lines
    assert all(bool(e) == (t == "browser") for e, t in zip(at["element"], at["type"], strict=True))

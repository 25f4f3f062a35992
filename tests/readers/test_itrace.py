"""iTrace: core and plug-in joined on event_id, the tracker's unit inferred, stale rows lost."""

import re
from functools import partialmethod
from pathlib import Path

import numpy as np
import pytest
from makers import itrace as makers

from gazecode.errors import FormatError
from gazecode.readers.itrace import core as itrace
from gazecode.readers.itrace.core import TRACKER_UNITS_MS, ide_positions
from gazecode.readers.source import Source

FIRST_ID = 132_666_022_026_050_242


def response(i, *, step_ms=10.0, ms_per_tick=1e-3, valid=(1, 1), jitter_ms=0.0, xy=(100, 200)):
    x, y = xy
    return (
        f'<response event_id="{FIRST_ID + int((i * step_ms + jitter_ms) * 1e4)}" '
        f'core_time="162212860{i:04d}" '
        f'tracker_time="{int(5_913_634_755_900 + i * step_ms / ms_per_tick)}" '
        f'x="{x}" y="{y}" left_x="{x - 10}" left_y="{y + 0.25}" left_pupil_diameter="9.5" '
        f'left_validation="{valid[0]}" right_x="{x + 10}" right_y="{y}" '
        f'right_pupil_diameter="8.5" right_validation="{valid[1]}" />'
    )


def editor_row(i, *, line=13, col=8, step_ms=10.0):
    return (
        f'<response event_id="{FIRST_ID + int(i * step_ms * 1e4)}" plugin_time="1" x="100" y="200" '
        f'gaze_target="A.js" gaze_target_type="js" source_file_path="src/A.js" '
        f'source_file_line="{line}" source_file_col="{col}"/>'
    )


def write_core(folder: Path, rows, name="core.xml", session="1622128602571") -> Path:
    path = folder / name
    path.write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<itrace_core session_id="63757" '
        f'session_date_time="{session}">'
        '<environment screen_width="1920" screen_height="1080" tracker_type="T"/>'
        f"<gazes>{''.join(rows)}</gazes></itrace_core>",
        encoding="utf-8-sig",
    )
    return path


def write_plugin(
    folder: Path, rows, *, name="plugin.xml", session="1622128602571", editor="ATOM", tail=None
) -> Path:
    path = folder / name
    tail = "</gazes></itrace_plugin>" if tail is None else tail
    path.write_text(
        f'<itrace_plugin session_id="{session}"><environment screen_width="1920" '
        f'screen_height="1080" plugin_type="{editor}"/><gazes>{"".join(rows)}{tail}'
    )
    return path


def test_eyes_by_validity_and_stale_rows_are_lost(tmp_path):
    valid = [(1, 1), (1, 0), (0, 1), (0, 0)]
    path = write_core(tmp_path, [response(i, valid=v) for i, v in enumerate(valid)])
    rec = itrace.read(Source(path))
    assert rec.samples["left"].lost.tolist() == [False, False, True, True]
    assert rec.samples["right"].lost.tolist() == [False, True, False, True]
    assert rec.samples["left"].xy_px[0].tolist() == [90.0, 200.25]
    np.testing.assert_array_equal(rec.samples["right"].pupil, [8.5, np.nan, 8.5, np.nan])
    assert rec.provenance["left_out"] == {
        "neither_eye_valid": 1,
        "invalid_left": 2,
        "invalid_right": 2,
    }
    assert (rec.screen.width_px, rec.screen.height_px) == (1920, 1080)
    assert rec.start_ns == 1_622_128_602_605_024_200


@pytest.mark.parametrize(("unit", "ms"), TRACKER_UNITS_MS.items())
def test_the_unit_of_the_tracker_clock_is_inferred_through_bursts(tmp_path, unit, ms):
    rng = np.random.default_rng(3)
    step = 1000.0 if unit == "s" else 7.0
    late = rng.uniform(0, 2 * step, 200)
    rows = [response(i, step_ms=step, ms_per_tick=ms, jitter_ms=late[i]) for i in range(len(late))]
    rec = itrace.read(Source(write_core(tmp_path, rows)))
    assert rec.provenance["clock"].startswith(f"tracker_time in {unit} ")
    np.testing.assert_allclose(rec.gaze.t_ms, np.arange(200) * step, atol=ms)


def test_an_unknown_tracker_clock_falls_back_to_arrival(tmp_path):
    rows = [response(i, ms_per_tick=0.3) for i in range(50)]
    rec = itrace.read(Source(write_core(tmp_path, rows)))
    assert rec.provenance["clock"].startswith("event_id (arrival")
    np.testing.assert_allclose(rec.gaze.t_ms, np.arange(50) * 10.0)


def test_numbers_with_a_decimal_comma(tmp_path):
    rows = [re.sub(r"(\d)\.(\d)", r"\1,\2", response(i)) for i in range(3)]
    rec = itrace.read(Source(write_core(tmp_path, rows)))
    assert rec.samples["left"].xy_px[0].tolist() == [90.0, 200.25]


def test_eyes_in_another_unit_than_pixels_give_the_mean(tmp_path):
    rows = [
        re.sub(r'(left|right)_(x|y)="[^"]*"', r'\1_\2="0.25"', response(i, valid=(i % 2, i % 2)))
        for i in range(4)
    ]
    rec = itrace.read(Source(write_core(tmp_path, rows)))
    assert list(rec.samples) == ["both"]
    assert rec.gaze.lost.tolist() == [True, False, True, False]


def test_the_plugin_is_found_by_session_and_joined_by_id(tmp_path):
    core = write_core(tmp_path, [response(i) for i in range(5)])
    rows = [
        editor_row(3),
        editor_row(1, line=-1, col=-1),
        editor_row(2, line="", col=""),
        editor_row(9),
    ]
    write_plugin(tmp_path, rows)
    write_plugin(tmp_path, [editor_row(0)], name="other.xml", session="99")
    rec = itrace.read(Source(core))
    assert rec.provenance["editor"] == {
        "rows": 4,
        "joined": 3,
        "without_core": 1,
        "core_without_editor": 2,
        "off_text": 2,
    }
    at = ide_positions(core)
    assert at["t_ms"].tolist() == [10.0, 20.0, 30.0]
    assert at["line"].tolist() == [-1, -1, 12]
    assert at["column"].tolist() == [-1, -1, 8]
    assert set(at["unit"]) == {"visual"}
    assert at["path"][2] == "src/A.js"
    assert at["event_id"].dtype == np.int64


def test_opening_the_plugin_finds_the_core(tmp_path):
    core = write_core(tmp_path, [response(i) for i in range(5)])
    plugin = write_plugin(tmp_path, [editor_row(1)])
    rec = itrace.read(Source(plugin))
    assert len(rec) == 5
    assert "core found beside the plug-in's file: core.xml" in rec.provenance["notes"]
    assert rec.provenance["editor"] == itrace.read(Source(core)).provenance["editor"]


def test_a_plugin_alone_says_that_no_core_is_beside_it(tmp_path):
    plugin = write_plugin(tmp_path, [editor_row(2), editor_row(1)])
    write_core(tmp_path, [response(0)], session="1")
    rec = itrace.read(Source(plugin))
    assert rec.provenance["notes"][0] == "no core of this session beside the plug-in's file"
    assert rec.gaze.t_ms.tolist() == [0.0, 10.0]
    assert rec.provenance["left_out"] == {"unsorted": 1}


def test_a_plugin_elsewhere_can_be_named(tmp_path):
    core = write_core(tmp_path, [response(0)])
    (tmp_path / "b").mkdir()
    plugin = write_plugin(tmp_path / "b", [editor_row(0)], session="another")
    assert itrace.read(Source(core)).provenance["editor"]["rows"] == 0
    assert itrace.read(Source(core), plugin=plugin).provenance["editor"]["joined"] == 1
    assert len(ide_positions(core)["t_ms"]) == 0
    assert len(ide_positions(core, plugin=plugin)["line"]) == 1


@pytest.mark.parametrize(
    ("editor", "line", "column", "unit"),
    [
        ("ATOM", 12, 8, "visual"),
        ("eclipse", 12, 7, "utf16"),
        ("MSVS", 12, 7, "utf16"),
        ("JETBRAINS", 12, 7, "logical"),
        ("NOTEPAD++", 12, 7, "byte"),
        ("SUBLIME", 12, 7, "visual"),
        ("VSCODE", 12, 7, "visual"),
        # The JetBrains plug-in says the product's name.
        ("INTELLIJ", 12, 7, "logical"),
        ("PYCHARM", 12, 7, "logical"),
        ("Emacs", 12, 7, "unknown"),
    ],
)
def test_lines_and_columns_have_the_base_of_their_editor(tmp_path, editor, line, column, unit):
    core = write_core(tmp_path, [response(0)])
    write_plugin(tmp_path, [editor_row(0)], editor=editor)
    at = ide_positions(core)
    assert (at["line"][0], at["column"][0], at["unit"][0]) == (line, column, unit)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda row: row,
        lambda row: row.replace('" ', '"').replace("<response", "<response "),
        lambda row: row.replace("src/A.js", "a<b>&c.js"),
    ],
    ids=["Sublime: wrong closing tags", "Notepad++: no blanks", "JetBrains: not escaped"],
)
def test_writers_that_are_not_well_formed_are_read_all_the_same(tmp_path, mangle):
    core = write_core(tmp_path, [response(i) for i in range(3)])
    rows = [mangle(editor_row(i)) for i in range(3)]
    write_plugin(tmp_path, rows, tail="<gazes/>\n<itrace_plugin/>\n")
    rec = itrace.read(Source(core))
    assert rec.provenance["editor"]["joined"] == 3
    assert any("not well-formed" in note for note in rec.provenance["notes"])
    assert set(ide_positions(core)["path"]) <= {"src/A.js", "a<b>&c.js"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: t.rindex("<response") + 60], "after 4 <response>"),
        (lambda t: re.sub(r"<gazes>.*</gazes>", "<gazes/>", t), "core.xml: no <response>"),
        (lambda t: t.replace(f"{FIRST_ID}", "1.3e17"), "event_id is missing or no 64-bit integer"),
        (
            lambda t: t.replace("<itrace_core", '<!DOCTYPE a [<!ENTITY b "c">]><itrace_core', 1),
            "refused",
        ),
    ],
    ids=["cut", "empty", "float id", "bomb"],
)
def test_bad_files_are_one_clear_line(tmp_path, change, message):
    path = write_core(tmp_path, [response(i) for i in range(5)])
    path.write_text(change(path.read_text(encoding="utf-8-sig")))
    with pytest.raises(FormatError) as caught:
        itrace.read(Source(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sniff(tmp_path):
    assert itrace.sniff(Source(write_core(tmp_path, [response(0)])))
    assert itrace.sniff(Source(write_plugin(tmp_path, [editor_row(0)])))
    other = tmp_path / "other.xml"
    for text in ("<itrace-records/>", "read an <itrace_core> file", "<a><itrace_core/></a>"):
        other.write_text(text)
        assert not itrace.sniff(Source(other))
    other.write_text("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<itrace_core/>")
    # Recognised, so that reading it can say why it is refused.
    assert itrace.sniff(Source(other))


@pytest.mark.parametrize("editor", ["eclipse", "ATOM", "NOTEPAD++"])
def test_a_zero_in_the_file_itself_decides_the_base(tmp_path, editor):
    core = write_core(tmp_path, [response(i) for i in range(3)])
    rows = [editor_row(0), editor_row(1, line=0, col=0), editor_row(2, line=-1, col=-1)]
    write_plugin(tmp_path, rows, editor=editor)
    at = ide_positions(core)
    assert at["line"].tolist() == [13, 0, -1]
    assert at["column"].tolist() == [8, 0, -1]
    said = itrace.read(Source(core)).provenance
    assert said["plugins"][0]["first_line"] == said["plugins"][0]["first_column"] == 0
    assert said["editor"]["off_text"] == 1


def test_heights_of_atom_stand_under_each_others_name(tmp_path):
    core = write_core(tmp_path, [response(0)])
    heights = 'editor_line_height="28" editor_font_height="42"/>'
    row = editor_row(0).replace("/>", f" {heights}")
    for editor, height in (("ATOM", 42.0), ("VSCODE", 28.0)):
        write_plugin(tmp_path, [row], editor=editor)
        assert ide_positions(core)["line_height_px"].tolist() == [height]
    write_plugin(tmp_path, [row.replace('"28"', '"-1"')], editor="INTELLIJ")
    assert np.isnan(ide_positions(core)["line_height_px"]).all()


@pytest.mark.parametrize(("unit", "per_s"), [("s", 1), ("ms", 1000)])
def test_plugin_time_is_seconds_or_ms_by_its_magnitude(tmp_path, unit, per_s):
    core = write_core(tmp_path, [response(0)])
    stamp = 1_622_128_603 * per_s
    row = editor_row(0).replace('plugin_time="1"', f'plugin_time="{stamp}"')
    write_plugin(tmp_path, [row], editor="SUBLIME")
    # FIRST_ID is 1622128602.6050242 s.
    np.testing.assert_allclose(ide_positions(core)["answered_ms"], 394.9758, atol=1e-3)
    assert itrace.read(Source(core)).provenance["plugins"][0]["plugin_time_unit"] == unit


def test_smart_eye_writes_errors_not_positions(tmp_path):
    path = makers.MAKERS["itrace_smart_eye"].make(tmp_path, 40)
    rec = itrace.read(Source(path))
    assert rec.provenance["calibration"] == {
        "points": 1,
        "samples": 1,
        "holds": "errors in the tracker's own unit",
        "used_left": 1,
        "median_error_left": 0.5,
        "used_right": 0,
        "median_error_right": None,
        "note": "fit to the points it was made on, no validation: accuracy is unknown",
    }
    assert rec.validations == ()
    assert rec.provenance["intersections"] == {"Screen1": 40}
    # The machine wrote 894,25 and 906,25.
    assert rec.samples["left"].xy_px[0].tolist() == [894.25, 303.5]
    assert rec.samples["right"].xy_px[0].tolist() == [906.25, 297.5]


def test_a_calibration_is_the_fit_to_its_own_points(tmp_path):
    path = makers.MAKERS["itrace_core"].make(tmp_path, 40)
    rec = itrace.read(Source(path))
    said = rec.provenance["calibration"]
    assert (said["points"], said["samples"], said["used_left"], said["used_right"]) == (1, 2, 1, 2)
    assert said["median_residual_left_px"] == round(0.01 * 1920, 3)
    assert said["median_residual_right_px"] == round(0.02 * 1080, 3)
    assert rec.validations == ()
    assert (rec.provenance["participant"], rec.provenance["task"]) == ("P1", "made")


@pytest.mark.parametrize("name", sorted(makers.MAKERS))
def test_every_writer_says_the_same(tmp_path, name):
    """Core or plug-in, well-formed or not: one session, the same gaze and the same places."""
    path = makers.MAKERS[name].make(tmp_path, 100)
    rec = itrace.read(Source(path))
    x, _ = makers.points(100)
    if name == "itrace_plugin_alone":
        kept = [i for i in range(100) if i % 11 != 6]
        assert rec.gaze.xy_px[:, 0].tolist() == [x[i] for i in kept]
        return
    valid = [makers.validity(i) for i in range(100)]
    for eye, side in (("left", 0), ("right", 1)):
        assert rec.samples[eye].lost.tolist() == [not v[side] for v in valid]
    np.testing.assert_allclose(rec.gaze.t_ms, np.arange(100) * 16.667)
    assert rec.provenance["clock"].startswith("tracker_time in µs")
    if name == "itrace_smart_eye":
        return
    at = ide_positions(path)
    editor = at["editor"][0]
    kept = [i for i in range(100) if i % 11 != 6]
    places = [makers.place(i, editor) for i in kept]
    assert at["line"].tolist() == [line - 1 if line > 0 else -1 for line, _ in places]
    first = 0 if editor == "ATOM" else 1
    assert at["column"].tolist() == [c - first if line > 0 else -1 for line, c in places]
    target = {"SUBLIME": "Größe.java", "INTELLIJ": "A<T>&B.java"}.get(editor, "Made.java")
    assert set(at["target"]) == {target}
    assert rec.provenance["editor"]["joined"] == len(kept)


def test_mending_works_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(Source, "blocks", partialmethod(Source.blocks, 2000))
    for name in ("itrace_sublime", "itrace_notepad", "itrace_jetbrains"):
        folder = tmp_path / name
        folder.mkdir()
        path = makers.MAKERS[name].make(folder, 300)
        assert len(ide_positions(path)["line"]) == 300 - len(range(6, 300, 11))


def test_a_cut_file_is_not_mended(tmp_path):
    path = makers.write_plugin(tmp_path, 50, "SUBLIME")
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FormatError, match="breaks off or is malformed"):
        itrace.read(Source(path))


def test_the_mean_of_one_eye_is_lost_where_only_the_mean_is_px(tmp_path):
    valid = [(1, 1), (1, 0), (0, 1), (0, 0), (1, 1)]
    rows = [
        re.sub(r'(left|right)_(x|y)="[^"]*"', r'\1_\2="0.25"', response(i, valid=v))
        for i, v in enumerate(valid)
    ]
    rec = itrace.read(Source(write_core(tmp_path, rows)))
    assert rec.gaze.lost.tolist() == [False, True, True, True, False]
    assert rec.provenance["left_out"] == {"neither_eye_valid": 1, "one_eye": 2}
    # With one eye throughout there is no other to miss.
    alone = [row.replace('right_validation="1"', 'right_validation="0"') for row in rows]
    rec = itrace.read(Source(write_core(tmp_path, alone)))
    assert rec.gaze.lost.tolist() == [False, False, True, True, False]


def test_stamps_of_no_session_are_an_error_that_says_so(tmp_path):
    rows = [response(0), response(1).replace(str(FIRST_ID + 100_000), "0")]
    with pytest.raises(FormatError, match="event_id runs from 0 to 1326660220260"):
        itrace.read(Source(write_core(tmp_path, rows)))


def test_a_tracker_clock_beyond_64_bits_of_span_falls_back(tmp_path):
    far = [response(i).replace('tracker_time="', 'tracker_time="-9' + "0" * 5) for i in range(3)]
    rows = [far[0], response(1).replace('tracker_time="5', 'tracker_time="9000005'), far[2]]
    rec = itrace.read(Source(write_core(tmp_path, rows)))
    assert rec.provenance["clock"].startswith("event_id (arrival")


def test_web_pages_of_the_chrome_plugin_are_answered(tmp_path):
    path = tmp_path / "itrace_chrome_1.xml"
    path.write_text(
        "<0>\n\t<filename>1</filename>\n\t<timestamp>5</timestamp>\n\t<x>1</x>\n"
        "\t<tagname>P</tagname>\n</0>\n"
    )
    assert itrace.sniff(Source(path))
    with pytest.raises(FormatError, match="open the itrace_core file"):
        itrace.read(Source(path))


@pytest.mark.real
@pytest.mark.parametrize("path", ["itrace-gazel-demo/js/core.xml", "exports/itrace/js_core.xml"])
def test_real_session(shared_data, path):
    source = Source(shared_data / path)
    rec = itrace.read(source)
    text = source.path.read_text(encoding="utf-8-sig")
    rows = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in text.split("<response")[1:]]
    assert len(rec) == len(rows) == 5_386
    for eye, lost in (("left", 160 + 49), ("right", 218 + 49)):
        plain = [row[f"{eye}_validation"] == "0" for row in rows]
        assert rec.samples[eye].lost.tolist() == plain
        assert sum(plain) == lost
    assert rec.provenance["left_out"]["neither_eye_valid"] == 49
    assert rec.provenance["editor"] == {
        "rows": 4_256,
        "joined": 4_256,
        "without_core": 0,
        "core_without_editor": 1_130,
        "off_text": 18,
    }
    ticks = np.array([int(row["tracker_time"]) for row in rows])
    assert (int(np.median(np.diff(ticks))), int(np.diff(ticks).min())) == (66_918, 19_447)
    np.testing.assert_allclose(rec.gaze.t_ms, (ticks - ticks[0]) / 1e4, atol=1e-9)
    rate = 1000 / np.median(np.diff(rec.gaze.t_ms))
    print(f"{path}: {rate:.1f} Hz, {rec.duration_ms / 1000:.3f} s; {rec.provenance['clock']}")
    assert rate == pytest.approx(149.4, abs=0.05)
    assert rec.start_ns == (int(rows[0]["event_id"]) - itrace.FILETIME_EPOCH) * 100


@pytest.mark.real
def test_real_editor_positions(shared_data):
    folder = shared_data / "itrace-gazel-demo" / "js"
    at = ide_positions(folder / "core.xml")
    rows = [
        dict(re.findall(r'(\w+)="([^"]*)"', line))
        for line in (folder / "plugin.xml").read_text().split("<response")[1:]
    ]
    plain = {
        int(r["event_id"]): (int(r["source_file_line"]), int(r["source_file_col"])) for r in rows
    }
    assert (np.diff(at["t_ms"]) > 0).all()
    assert sorted(plain) == sorted(at["event_id"].tolist())
    for i, line, column in zip(at["event_id"], at["line"], at["column"], strict=True):
        row, col = plain[int(i)]
        assert (line, column) == ((-1, -1) if row == -1 else (row - 1, col))
    assert int((at["line"] < 0).sum()) == 18
    assert set(at["target"]) == {"Sample-Data.js"}

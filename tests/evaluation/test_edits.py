"""The table of sessions with an edit log: on a made session, and on gazel's own."""

import json

import pytest

from gazecode.errors import DataError, FormatError
from gazecode.evaluation.edits import edit_table

START_MS = 1_622_128_602_604
FILETIME_1970 = 116_444_736_000_000_000
N = 60


@pytest.fixture
def session(tmp_path):
    """Sixty samples at 100 Hz on `foo`; at 300 ms it becomes `fooo`; ten rows have no answer."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "a.js").write_bytes(b"foo = 1;\r\nbar;\r\n")
    (folder / "modifiedSourceFile-1.js").write_bytes(b"fooo = 1;\r\nbar;\r\n")
    edit = {"type": "insert", "offset": 3, "text": "o", "len": 1, "timestamp": START_MS + 300}
    (folder / "changelog.json").write_text(json.dumps({"log": [edit, {}]}))
    ids = [FILETIME_1970 + (START_MS + 10 * i) * 10_000 for i in range(N)]
    gaze = "".join(
        f'<response event_id="{number}" core_time="0" tracker_time="{10_000 * i}" x="5" y="5" '
        f'left_x="5" left_y="5" left_pupil_diameter="3" left_validation="{int(i != 59)}" '
        f'right_x="5" right_y="5" right_pupil_diameter="3" right_validation="{int(i != 59)}"/>'
        for i, number in enumerate(ids)
    )
    (folder / "core.xml").write_text(
        f'<itrace_core session_id="1" session_date_time="{START_MS}"><environment '
        f'screen_width="1920" screen_height="1080"/><gazes>{gaze}</gazes></itrace_core>'
    )
    answers = "".join(
        f'<response event_id="{number}" plugin_time="{START_MS + 10 * i}" gaze_target="a.js" '
        f'gaze_target_type="js" source_file_path="a.js" '
        f'source_file_line="{-1 if i == 0 else 1}" source_file_col="{-1 if i == 0 else 3}"/>'
        for i, number in enumerate(ids[:50])
    )
    (folder / "plugin.xml").write_text(
        f'<itrace_plugin session_id="{START_MS}"><environment plugin_type="ATOM"/>'
        f"<gazes>{answers}</gazes></itrace_plugin>"
    )
    return folder


def test_a_made_session(session):
    (row,) = edit_table(session.parent)
    assert row["session"] == "made"
    assert (row["replay"], row["versions"], row["edits"], row["deletions"]) == (True, 2, 1, 0)
    # Column 3 is the blank after `foo` until the edit, and `fooo` from then on.
    assert (row["off_text"], row["blank"], row["on_token"]) == (1, 29, 20)
    assert (row["no_answer"], row["lost"], row["kept"]) == (9, 1, 1.0)
    assert (row["tokens_start"], row["tokens_end"], row["ids"]) == (6, 6, 6)
    assert (row["untouched"], row["same_id"]) == (2, 1.0)
    assert (row["fixations"], row["while_typing"]) == (1, 1)
    assert edit_table(session) == [row]


def test_what_differs_is_said(session):
    (session / "modifiedSourceFile-1.js").write_bytes(b"foooo = 1;\r\nbar;\r\n")
    assert edit_table(session)[0]["replay"] is False
    (session / "modifiedSourceFile-1.js").unlink()
    assert edit_table(session)[0]["replay"] is None


def test_edits_of_other_files_are_left_aside(session):
    log = json.loads((session / "changelog.json").read_text())["log"]
    log[0]["filename"] = "C:\\work\\a.js"
    other = {**log[0], "filename": "b.js", "offset": 999}
    (session / "changelog.json").write_text(json.dumps({"log": [other, *log]}))
    assert edit_table(session)[0]["replay"] is True


def test_missing_files_are_named(session):
    with pytest.raises(FormatError, match=r"no changelog\.json in"):
        edit_table(session / "none")
    (session / "b.js").write_text("")
    with pytest.raises(FormatError, match="holds 2 source files"):
        edit_table(session)
    (session / "b.js").unlink()
    (session / "core.xml").unlink()
    with pytest.raises(FormatError, match="no iTrace core file"):
        edit_table(session)


def test_a_log_of_another_file_is_refused(session):
    edit = {"type": "delete", "offset": 0, "text": "baz", "len": 3, "timestamp": START_MS}
    (session / "changelog.json").write_text(json.dumps({"log": [edit]}))
    with pytest.raises(DataError, match="deletes 'baz' at 0"):
        edit_table(session)


@pytest.mark.real
def test_the_demonstration(shared_data):
    (row,) = edit_table(shared_data / "itrace-gazel-demo")
    assert row["replay"] is True
    assert (row["edits"], row["deletions"], row["versions"]) == (65, 14, 66)
    assert (row["samples"], row["kept"]) == (5386, 1.0)
    assert (row["untouched"], row["same_id"]) == (338, 1.0)
    assert (row["deleted"], row["absorbed"]) == (4, 0)
    # Atom answers for gaze below its window too, with the last line it shows.
    assert (row["off_screen"], row["lost"], row["past_text"]) == (545, 49, 0)

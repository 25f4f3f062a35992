"""What else a CodeGRITS session holds: archives, visible areas, typing."""

from collections import Counter

import pytest

from gazecode.errors import FormatError
from gazecode.readers.codegrits import archives, typing_ms, visible_areas

from .makers import codegrits as makers

FIRST = makers.FIRST_MS


@pytest.fixture
def session(tmp_path):
    makers.write_eyes(tmp_path, 30)
    return tmp_path


def log(folder, *lists, scale='scale_x="1.25" scale_y="1.5" screen_size="(1536,864)"'):
    (folder / "ide_tracking.xml").write_text(
        f"<ide_tracking><environment {scale}/>{''.join(lists)}</ide_tracking>", encoding="utf-8"
    )


def archive(t, path="/src/Main.java", kind="fileArchive", remark="contentChanged"):
    return f'<archive id="{kind}" path="{path}" remark="{remark}" timestamp="{FIRST + t}"/>'


def keep(folder, t, code):
    (folder / "archives").mkdir(exist_ok=True)
    (folder / "archives" / f"{FIRST + t}.archive").write_bytes(code)


def test_archives_are_whole_files_in_order_of_time(session):
    log(
        session,
        "<archives>",
        archive(200),
        archive(-50, remark="fileOpened"),
        archive(90, path="other.py"),
        archive(95, kind="consoleArchive"),
        archive(300),
        "</archives>",
    )
    keep(session, 200, b"class A { int b; }")
    keep(session, -50, b"class A { }")
    keep(session, 90, b"x = 1\n")
    left_out = Counter()
    found = archives(session, left_out=left_out)
    assert [(a.t_ms, a.code, a.remark) for a in found["/src/Main.java"]] == [
        (-50.0, b"class A { }", "fileOpened"),
        (200.0, b"class A { int b; }", "contentChanged"),
    ]
    assert [a.code for a in found["other.py"]] == [b"x = 1\n"]
    assert left_out == {"console": 1, "missing": 1}
    assert archives(session / "eye_tracking.xml") == found


def test_archives_are_followed_as_snapshots(session):
    from gazecode.source.edits import follow_snapshots

    log(session, "<archives>", archive(0), archive(200), "</archives>")
    keep(session, 0, b"class A { }")
    keep(session, 200, b"class Ab { int c; }")
    (kept,) = archives(session).values()
    history = follow_snapshots([a.code for a in kept], [a.t_ms for a in kept], language="java")
    assert history.ids(1).tolist() == [0, 1, 2, 4, 5, 6, 3]


def test_no_path_of_the_log_is_opened(session):
    (session / "secret").write_text("secret")
    log(session, "<archives>", archive(5, path="../secret"), archive(6, path="/etc/passwd"), "</archives>")  # fmt: skip
    assert archives(session) == {}


def test_visible_areas_are_px_of_the_screen(session):
    rows = [
        f'<visible_area x="8" y="198" width="800" height="300" path="a" timestamp="{FIRST + 40}"/>',
        f'<visible_area x="0" y="0" width="800" height="300" path="b" timestamp="{FIRST + 20}"/>',
        f'<visible_area x="" y="0" width="800" height="300" path="b" timestamp="{FIRST + 60}"/>',
    ]
    log(session, "<visible_areas>", *rows, "</visible_areas>")
    found = visible_areas(session)
    assert {k: v.tolist() for k, v in found.items()} == {
        "t_ms": [20.0, 40.0],
        "top": [0.0, 297.0],
        "left": [0.0, 10.0],
        "height": [450.0, 450.0],
        "width": [1000.0, 1000.0],
        "path": ["b", "a"],
    }
    log(session, scale="")
    assert len(visible_areas(session)["t_ms"]) == 0


def test_typing_in_order(session):
    rows = [f'<typing character="a" line="1" column="2" timestamp="{FIRST + t}"/>' for t in (9, 4)]
    log(session, "<typings>", *rows, "</typings>")
    assert typing_ms(session).tolist() == [4.0, 9.0]


def test_without_its_log_a_session_says_what_is_missing(session):
    with pytest.raises(FormatError, match=r"no ide_tracking\.xml in .*; expected the IDE's log"):
        archives(session)


def test_an_archive_that_is_no_source_file_is_refused(session, monkeypatch):
    from gazecode.readers.codegrits import session as module

    log(session, "<archives>", archive(5), "</archives>")
    keep(session, 5, b"x" * 100)
    monkeypatch.setattr(module, "MAX_ARCHIVE_BYTES", 99)
    with pytest.raises(FormatError, match="holds over 99 bytes"):
        archives(session)

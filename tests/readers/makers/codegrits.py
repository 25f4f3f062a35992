"""CodeGRITS: the two XML files of a session, after the example in its documentation."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .maker import Maker

FIRST_MS = 1_696_224_370_377
LEVELS = (
    ("PsiIdentifier:println", "2:19", "2:26"),
    ("PsiMethodCallExpression:println(&quot;a&quot;)", "2:8", "2:42"),
    ("PsiMethod:main", "1:4", "3:5"),
    ("PsiClass:Main", "0:0", "4:1"),
)


def stamps(rows: int) -> list[int]:
    i = np.arange(rows)
    return (FIRST_MS + np.round(i * 1000 / 60).astype(np.int64)).tolist()


def eye(side: str, x: str, y: str, valid: int) -> str:
    return (
        f'            <{side}_eye gaze_point_x="{x}" gaze_point_y="{y}" '
        f'gaze_validity="{valid}.0" pupil_diameter="{"2.5" if valid else "nan"}" '
        f'pupil_validity="{valid}.0"/>\n'
    )


def place(i: int) -> str:
    """A place in the text; its tree in full at first, then said to be the same."""
    where = f'            <location column="{i % 40}" line="{i % 25}" path="/src/Main.java" '
    where += f'x="{820 + i % 9}" y="150"/>\n'
    if i % 10 != 1:
        return where + (
            '            <ast_structure remark="Same (Last Successful AST)" token="println" '
            'type="IDENTIFIER"/>\n'
        )
    levels = "".join(
        f'                <level end="{end}" start="{start}" tag="{tag}"/>\n'
        for tag, start, end in LEVELS
    )
    return (
        f'{where}            <ast_structure token="println" type="IDENTIFIER">\n{levels}'
        "            </ast_structure>\n"
    )


def gazes(rows: int) -> Iterator[str]:
    x = (0.4 + 0.2 * np.sin(np.arange(rows) / 50)).tolist()
    for i, stamp in enumerate(stamps(rows)):
        left = i % 20 != 4
        remark = "" if left and i % 20 != 8 else ' remark="Fail | Out of Text Editor"'
        if not left:
            remark = ' remark="Fail | Invalid Gaze Point"'
        px = f"{x[i]:.16f}"
        yield f'        <gaze{remark} timestamp="{stamp}">\n'
        yield eye("left", px if left else "nan", "0.25" if left else "nan", int(left))
        yield eye("right", px, "0.3", 1)
        yield ("" if remark else place(i)) + "        </gaze>\n"


def write_eyes(folder: Path, rows: int) -> Path:
    path = folder / "eye_tracking.xml"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(
            '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<eye_tracking>\n'
            '    <setting eye_tracker="Tobii Pro Fusion" sample_frequency="60.0"/>\n    <gazes>\n'
        )
        file.writelines(gazes(rows))
        file.write("    </gazes>\n</eye_tracking>\n")
    return path


def write_log(folder: Path) -> Path:
    t = [FIRST_MS + 100 * i for i in range(-1, 8)]
    path = folder / "ide_tracking.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<ide_tracking>\n'
        '    <environment ide_name="IntelliJ IDEA" ide_version="2022.2.5" java_version="17.0.6" '
        'os_name="Windows 10" project_name="Made" project_path="C:/made" scale_x="1.25" '
        'scale_y="1.25" screen_size="(1536,864)"/>\n'
        f'    <archives><archive id="fileArchive" path="/src/Main.java" remark="fileOpened" '
        f'timestamp="{t[0]}"/></archives>\n'
        f'    <actions><action id="EditorEnter" path="/src/Main.java" timestamp="{t[1]}"/></actions>\n'
        f'    <typings><typing character="S" column="8" line="3" path="/src/Main.java" '
        f'timestamp="{t[2]}"/></typings>\n'
        f'    <files><file id="fileOpened" path="/src/Main.java" timestamp="{t[3]}"/></files>\n'
        f'    <mouses><mouse id="mouseMoved" path="" timestamp="{t[4]}" x="6" y="7"/>'
        f'<mouse id="mouseClicked" path="" timestamp="{t[4]}" x="6" y="7"/></mouses>\n'
        f'    <carets><caret column="18" id="caretPositionChanged" line="0" path="/src/Main.java" '
        f'timestamp="{t[5]}"/></carets>\n'
        f'    <selections><selection end_position="0:18" id="selectionChanged" path="/src/Main.java" '
        f'selected_text="F {{" start_position="0:15" timestamp="{t[6]}"/></selections>\n'
        f'    <visible_areas><visible_area height="277" id="visibleAreaChanged" path="/src/Main.java" '
        f'timestamp="{t[7]}" width="883" x="0" y="198"/></visible_areas>\n</ide_tracking>\n',
        encoding="utf-8",
    )
    return path


def make(folder: Path, rows: int) -> Path:
    write_log(folder)
    return write_eyes(folder, rows)


MAKERS = {
    "codegrits": Maker(reader="codegrits", kind="xml", make=make),
    "codegrits_without_log": Maker(reader="codegrits", kind="xml", make=write_eyes),
}

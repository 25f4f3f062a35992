"""iTrace core and the files of its plug-ins, each as its writer writes it, well-formed or not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from .maker import Maker

FIRST_ID = 132_666_022_026_050_242
SESSION, STARTED = "637577254025712529", "1622128602571"
ROOT = (
    f'<itrace_core session_id="{SESSION}" session_date_time="{STARTED}" task_name="made" '
    'researcher="" participant_id="P1">\n'
)


def clock(rows: int) -> tuple[list[int], list[int], list[int]]:
    """Arrival in bursts of three; the tracker's own µs; Unix ms."""
    i = np.arange(rows, dtype=np.int64)
    tracker = 59_136_347_559 + i * 16_667
    arrival = FIRST_ID + (i - i % 3) * 166_670 + (i % 3) * 830
    return arrival.tolist(), tracker.tolist(), (1_622_128_602_604 + (i - i % 3) * 17).tolist()


def points(rows: int) -> tuple[list[int], list[int]]:
    i = np.arange(rows)
    return (900 + 400 * np.sin(i / 50)).astype(int).tolist(), (300 + i % 200).tolist()


def validity(i: int) -> tuple[int, int]:
    """One eye lost at times, and both."""
    return {5: (1, 0), 7: (0, 1), 8: (0, 0)}.get(i % 20, (1, 1))


def core_rows(rows: int) -> Iterator[str]:
    for i, (event, ticks, unix, x, y) in enumerate(zip(*clock(rows), *points(rows), strict=True)):
        left, right = validity(i)
        yield (
            f'    <response event_id="{event}" core_time="{unix}" tracker_time="{ticks}" x="{x}" '
            f'y="{y}" left_x="{x - 6}.25" left_y="{y + 3}.5" left_pupil_diameter="3.1" '
            f'left_validation="{left}" right_x="{x + 6}.25" right_y="{y - 3}.5" '
            f'right_pupil_diameter="3.2" right_validation="{right}" user_left_x="-0.04" '
            'user_left_y="-0.02" user_left_z="0.64" user_right_x="0.02" user_right_y="-0.01" '
            'user_right_z="0.59" />\n'
        )


def environment(tracker: str) -> str:
    return (
        f'  <environment screen_width="1920" screen_height="1080" tracker_type="{tracker}" '
        'tracker_serial_number="1" screen_recording_start="0" />\n'
    )


CALIBRATION = (
    '  <calibration timestamp="1622128500000">\n    <calibration_point x="0.5" y="0.5">\n'
    '      <sample left_x="0.51" left_y="0.5" left_validity="1" right_x="0.5" right_y="0.52" '
    'right_validity="1" />\n'
    '      <sample left_x="0" left_y="0" left_validity="-1" right_x="0.5" right_y="0.52" '
    'right_validity="1" />\n    </calibration_point>\n  </calibration>\n'
)
ERRORS = (
    '  <calibration timestamp="1622128500000">\n    <calibration_point targetId="3">\n'
    '      <sample left_x="0.3" left_y="0.4" left_validity="1" right_x="0.0" right_y="0.0" '
    'right_validity="0" />\n    </calibration_point>\n  </calibration>\n'
)


def write_core(folder: Path, rows: int, *, smart_eye: bool = False) -> Path:
    path = folder / "itrace_core-1.xml"
    head, lines = environment("Tobii") + CALIBRATION, core_rows(rows)
    if smart_eye:
        head = environment("Smart Eye Pro") + ERRORS
        # The machine's locale is German.
        lines = (
            row.replace(".", ",").replace(" />", ' intersection_name="Screen1" />') for row in lines
        )
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n' + ROOT + head + "  <gazes>\n")
        file.writelines(lines)
        file.write("  </gazes>\n</itrace_core>")
    return path


def place(i: int, editor: str) -> tuple[int, int]:
    if i % 25 == 3:
        return -1, -1
    return 1 + i % 30, i % 40 + (editor != "ATOM")


def plugin_rows(rows: int, editor: str, *, name: str = "Made.java") -> Iterator[str]:
    blank = "" if editor == "NOTEPAD++" else " "
    events, _, unix = clock(rows)
    for i, (event, ms, x, y) in enumerate(zip(events, unix, *points(rows), strict=True)):
        # The plug-in misses some, and its order is its own.
        if i % 11 == 6:
            continue
        line, column = place(i, editor)
        stamp = ms // 1000 if editor == "SUBLIME" else ms
        values = {
            "event_id": event,
            "plugin_time": stamp,
            "x": x,
            "y": y,
            "gaze_target": name,
            "gaze_target_type": "java",
            "source_file_path": f"C:\\made\\{name}",
            "source_file_line": line,
            "source_file_col": column,
            "editor_line_height": 28 if editor == "ATOM" else 19,
            "editor_font_height": 42 if editor == "ATOM" else 15,
            "editor_line_base_x": "",
            "editor_line_base_y": "",
        }
        cells = blank.join(f'{key}="{value}"' for key, value in values.items())
        yield f"        <response {cells}/>\n"


def write_plugin(folder: Path, rows: int, editor: str, *, name: str = "Made.java") -> Path:
    path = folder / f"itrace_{editor.lower().replace('+', 'p')}-1.xml"
    session = STARTED if editor == "ATOM" else SESSION
    closing = (
        "    <gazes/>\n<itrace_plugin/>\n"
        if editor in ("SUBLIME", "NOTEPAD++")
        else "    </gazes>\n</itrace_plugin>\n"
    )
    # These write in the code page of the machine and say no encoding.
    bad = editor in ("SUBLIME", "NOTEPAD++", "INTELLIJ")
    with path.open("w", encoding="cp1252" if bad else "utf-8", newline="") as file:
        file.write(
            f'<?xml version="1.0"?>\n<itrace_plugin session_id="{session}">\n    <environment '
            f'screen_width="1920" screen_height="1080" plugin_type="{editor}"/>\n    <gazes>\n'
        )
        file.writelines(plugin_rows(rows, editor, name=name))
        file.write(closing)
    return path


def make_core(folder: Path, rows: int) -> Path:
    write_plugin(folder, rows, "eclipse")
    return write_core(folder, rows)


def make_smart_eye(folder: Path, rows: int) -> Path:
    return write_core(folder, rows, smart_eye=True)


def with_core(editor: str, name: str = "Made.java") -> Callable[[Path, int], Path]:
    def make(folder: Path, rows: int) -> Path:
        write_core(folder, rows)
        return write_plugin(folder, rows, editor, name=name)

    return make


def alone(folder: Path, rows: int) -> Path:
    return write_plugin(folder, rows, "MSVS")


MAKERS = {
    name: Maker(reader="itrace", kind="xml", make=make)
    for name, make in {
        "itrace_core": make_core,
        "itrace_smart_eye": make_smart_eye,
        "itrace_atom": with_core("ATOM"),
        "itrace_sublime": with_core("SUBLIME", "Größe.java"),
        "itrace_notepad": with_core("NOTEPAD++"),
        "itrace_jetbrains": with_core("INTELLIJ", "A<T>&B.java"),
        "itrace_plugin_alone": alone,
    }.items()
}

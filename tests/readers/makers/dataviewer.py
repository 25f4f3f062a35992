"""Data Viewer reports: fixations without and with times, saccades, samples; interest areas beside."""

from collections.abc import Callable
from pathlib import Path

from .maker import Maker

AREAS = (
    "\ufeff# EyeLink Interest Area Set created by hand\n# Interest Period: none\n"
    "RECTANGLE\t1\t300.0\t0.0\t700.0\t500.0\tclass\nRECTANGLE\t2\t700.0\t0.0\t990.0\t500.0\tNode:\n"
    "ELLIPSE\t3\t300.0\t500.0\t700.0\t600.0\tpass\n"
)
PER_TRIAL = 200


def write(folder: Path, name: str, header: str, rows: int, row: Callable[[int], str]) -> Path:
    areas = folder / "IAs"
    areas.mkdir(exist_ok=True)
    (areas / "IA-A34-6.ias").write_text(AREAS, encoding="utf-8")
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header)
        for begin in range(0, rows, 10_000):
            file.write("".join(row(i) for i in range(begin, min(begin + 10_000, rows))))
    return path


def place(i: int) -> tuple[str, str, str, str]:
    """x, y, interest area, areas: a third of the fixations lie in none."""
    x = 320 + (37 * i) % 960
    area = "1" if x < 700 else "2" if x < 990 else "."
    return f"{x}.5", f"{40 + i % 400}.2", area, f"[ {area}]" if area != "." else "[ ]"


def make_fixations(folder: Path, rows: int) -> Path:
    """As a study exported it through pandas: a nameless first column, no times."""
    header = (
        "\tRECORDING_SESSION_LABEL\tTRIAL_INDEX\tCURRENT_FIX_DURATION\tCURRENT_FIX_INDEX\t"
        "CURRENT_FIX_INTEREST_AREAS\tCURRENT_FIX_INTEREST_AREA_ID\tCURRENT_FIX_PUPIL\t"
        "CURRENT_FIX_X\tCURRENT_FIX_Y\tcode_snippet_id\ttrack_id\n"
    )

    def row(i: int) -> str:
        x, y, area, areas = place(i)
        trial, k = i // PER_TRIAL + 1, i % PER_TRIAL + 1
        stimulus = "A34-6" if trial % 2 else "10-117-V2"
        return (
            f"{i}\tP901\t{trial}\t{120 + i % 90}\t{k}\t{areas}\t{area}\t{400 + i % 9}\t{x}\t{y}\t"
            f"{stimulus}\t4\n"
        )

    return write(folder, "fix_report_P901 2.txt", header, rows, row)


def make_timed(folder: Path, rows: int) -> Path:
    """Times of each trial and of the trials; decimal commas, CRLF, called ``.xls``."""
    header = (
        "RECORDING_SESSION_LABEL\tTRIAL_LABEL\tTRIAL_START_TIME\tEYE_USED\tCURRENT_FIX_START\t"
        "CURRENT_FIX_END\tCURRENT_FIX_DURATION\tCURRENT_FIX_X\tCURRENT_FIX_Y\t"
        "CURRENT_FIX_INTEREST_AREA_ID\timage\r\n"
    )

    def row(i: int) -> str:
        x, y, area, _ = place(i)
        trial, k = i // PER_TRIAL, i % PER_TRIAL
        start = 250 * k
        return (
            (
                f"P902\tTrial: {trial + 1}\t{7_000_000 + 60_000 * trial}\tRIGHT\t{start}\t{start + 198}\t"
                f"200\t{x}\t{y}\t{area}\tA34-6\r\n"
            )
            .replace(".5\t", ",5\t")
            .replace(".2\t", ",2\t")
        )

    return write(folder, "fixreport_P902.xls", header, rows, row)


def make_saccades(folder: Path, rows: int) -> Path:
    header = (
        "RECORDING_SESSION_LABEL\tTRIAL_INDEX\tCURRENT_SAC_START_TIME\tCURRENT_SAC_END_TIME\t"
        "CURRENT_SAC_DURATION\tCURRENT_SAC_START_X\tCURRENT_SAC_START_Y\tCURRENT_SAC_END_X\t"
        "CURRENT_SAC_END_Y\tCURRENT_SAC_CONTAINS_BLINK\tcode_snippet_id\n"
    )

    def row(i: int) -> str:
        x, y, _, _ = place(i)
        end = f"{x}\t{y}" if i % 7 else ".\t."
        start = 250 * (i % PER_TRIAL) + 200
        return f"P903\t{i // PER_TRIAL + 1}\t{start}\t{start + 48}\t50\t{x}\t{y}\t{end}\tfalse\tA34-6\n"

    return write(folder, "sac_report_P903.txt", header, rows, row)


def make_samples(folder: Path, rows: int) -> Path:
    header = (
        "RECORDING_SESSION_LABEL\tTRIAL_INDEX\tTIMESTAMP\tLEFT_GAZE_X\tLEFT_GAZE_Y\tLEFT_PUPIL_SIZE\t"
        "LEFT_IN_BLINK\tRIGHT_GAZE_X\tRIGHT_GAZE_Y\tRIGHT_PUPIL_SIZE\tRIGHT_IN_BLINK\t"
        "SAMPLE_MESSAGE\tcode_snippet_id\n"
    )

    def row(i: int) -> str:
        x, y, _, _ = place(i // 50)
        trial = i // 2000 + 1
        t = f"{5_529_512 + 2 * i + 3000 * trial}.00"
        if i % 500 > 480:
            left, right = ".\t.\t.\t1", ".\t.\t.\t0"
        else:
            left, right = f"{x}\t{y}\t610.00\t{int(i % 500 > 470)}", f"{x}\t{y}\t640.00\t0"
        message = "DISPLAY ON" if i % 2000 == 3 else "."
        return f"P904\t{trial}\t{t}\t{left}\t{right}\t{message}\tA34-6\n"

    return write(folder, "sample_report_P904.txt", header, rows, row)


MAKERS = {
    f"dataviewer-{name}": Maker(reader="dataviewer", kind="text", make=make)
    for name, make in (
        ("fixations", make_fixations),
        ("timed", make_timed),
        ("saccades", make_saccades),
        ("samples", make_samples),
    )
}

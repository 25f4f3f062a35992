"""Pupil Cloud exports: 19-digit stamps, ids that start again, glasses taken off, triple quotes."""

import json
from pathlib import Path

from .maker import Maker

IDS = tuple(f"{c * 8}-2785-4cdd-8c64-2ac845121c0{i}" for i, c in enumerate("abc"))
SECTIONS = tuple(f"{c * 8}-4bb2-9163-cf27-1b87b236000{i}" for i, c in enumerate("def"))
ORIGIN_NS = 1_754_690_230_077_095_946
STEP_NS = 5_000_013
PAUSE_NS = 3_600_000_000_000
"""Between two recordings of one file."""
RAW_HEADER = (
    "section id,recording id,timestamp [ns],gaze x [px],gaze y [px],worn,fixation id,blink id,"
    "azimuth [deg],elevation [deg]"
)
SURFACE_HEADER = (
    "section id,recording id,timestamp [ns],gaze detected on surface,"
    "gaze position on surface x [normalized],gaze position on surface y [normalized],fixation id"
)
SPAN_HEADER = "start timestamp [ns],end timestamp [ns],duration [ms]"
SURFACE_FIXATION_HEADER = (
    f"section id,recording id,fixation id,{SPAN_HEADER},fixation detected on surface,"
    "fixation x [normalized],fixation y [normalized]"
)
SACCADE_HEADER = "amplitude [px],amplitude [deg],mean velocity [px/s],peak velocity [px/s]"


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows, ""]))
    return path


def spans(rows: int) -> list[tuple[int, int]]:
    """First and last row of each fixation: 20 rows of 25."""
    return [(i, min(i + 20, rows - 1)) for i in range(0, max(rows - 1, 1), 25)]


def raw(folder: Path, rows: int) -> Path:
    who = f"{SECTIONS[0]},{IDS[0]}"
    t = [ORIGIN_NS + i * STEP_NS for i in range(rows + 1)]
    listed = spans(rows)
    place = "fixation x [px],fixation y [px],azimuth [deg],elevation [deg]"
    write(
        folder / "fixations.csv",
        f"section id,recording id,fixation id,{SPAN_HEADER},{place}",
        [
            f"{who},{k + 1},{t[a]},{t[b]},{(t[b] - t[a]) // 10**6},{700 + k}.25,512.5,-1.5,2.25"
            for k, (a, b) in enumerate(listed)
        ],
    )
    write(
        folder / "saccades.csv",
        f"section id,recording id,saccade id,{SPAN_HEADER},{SACCADE_HEADER}",
        [f"{who},{k + 1},{t[b]},{t[b] + 30 * 10**6},30,99,6,2510,5485" for k, (_, b) in
         enumerate(listed[:-1])],
    )  # fmt: skip
    write(
        folder / "blinks.csv",
        f"section id,recording id,blink id,{SPAN_HEADER}",
        [f"{who},1,{t[1]},{t[1] + 250 * 10**6},250"],
    )
    write(
        folder / "events.csv",
        "recording id,timestamp [ns],name,type",
        [
            f"{IDS[0]},{ORIGIN_NS - 2 * 10**9},recording.begin,recording",
            f'{IDS[0]},{t[rows // 2]},"page 1, top",cloud',
            f"{IDS[1]},{t[0]},of another recording,cloud",
        ],
    )
    write(
        folder / "3d_eye_states.csv",
        "section id,recording id,timestamp [ns],pupil diameter left [mm],pupil diameter right [mm]",
        [f"{who},{t[i]},3.5,{4 + i % 2}.5" for i in range(min(rows, 1000))],
    )
    info = {
        "recording_id": IDS[0],
        "android_device_id": "made",
        "data_format_version": "2.3",
        "gaze_mode": "binocular",
        "gaze_frequency": 200,
        "wearer_name": "made1",
        "wearer_id": IDS[2],
        "start_time": ORIGIN_NS - 2 * 10**9,
    }
    (folder / "info.json").write_text(json.dumps(info))
    number = {i: k + 1 for k, (a, b) in enumerate(listed) for i in range(a, b)}
    lines = [
        f"{who},{t[i]},{800 + i % 311}.125,{600 + i % 97}.75,{'0.0' if i % 50 == 49 else '1.0'},"
        f"{number.get(i, '')},,-0.{i % 9}75,12.5"
        for i in range(rows)
    ]
    return write(folder / "gaze.csv", RAW_HEADER, lines)


def surface(folder: Path, rows: int) -> Path:
    """Three recordings of one wearer, hours apart; ids of fixations start again in each."""
    gaze, fixations, sections = [], [], []
    for part in range(3):
        who, n = f"{SECTIONS[part]},{IDS[part]}", rows // 3 + (part < rows % 3)
        start = ORIGIN_NS + part * PAUSE_NS
        t = [start + i * STEP_NS for i in range(n + 1)]
        listed = spans(n)
        fixations += [
            f"{who},{k + 253},{t[a]},{t[b]},{(t[b] - t[a]) // 10**6},{str(k % 2 == 0).lower()},"
            f"{0.2 + k % 12 / 10:.3f},0.921271"
            for k, (a, b) in enumerate(listed)
            if b > a
        ]
        number = {i: k + 253 for k, (a, b) in enumerate(listed) for i in range(a, b)}
        for i in range(n):
            x = 0.3497979938983917 + i % 14 / 20
            # Where the surface was not found there are no coordinates.
            xy = "," if i % 40 == 39 else f"{x!r},0.9363359808921814"
            on = str(x <= 1 and i % 40 != 39).lower()
            gaze.append(f"{who},{t[i]},{on},{xy},{number.get(i, '')}")
        # A section begins with its event, a little after its first gaze.
        sections.append(
            f"{who},2025-08-09_06:55:0{part},{IDS[2]},TB,{start + 4 * 10**6},{t[-1]},Begin,End"
        )
    write(
        folder / "fixations.csv",
        SURFACE_FIXATION_HEADER,
        fixations,
    )
    write(
        folder / "sections.csv",
        "section id,recording id,recording name,wearer id,wearer name,section start time [ns],"
        "section end time [ns],start event name,end event name",
        sections,
    )
    write(
        folder / "surface_positions.csv",
        "section id,recording id,timestamp [ns],detected marker IDs,tl x [px],tl y [px],tr x [px],"
        "tr y [px],br x [px],br y [px],bl x [px],bl y [px]",
        [
            f'{SECTIONS[0]},{IDS[0]},{ORIGIN_NS},"""0;1;2;3""",307.5,301.6,836.2,620.5,902.8,656.2,9.8,6',
            f'{SECTIONS[0]},{IDS[0]},{ORIGIN_NS + 1},"""0;1;2;3""",,,836.2,620.5,902.8,656.2,9.8,6',
        ],
    )
    (folder / "enrichment_info.txt").write_text(
        "marker-mapper export\nFind detailed documentation here: "
        "https://docs.pupil-labs.com/neon/pupil-cloud/enrichments/marker-mapper/ \nVersion 2"
    )
    return write(folder / "gaze.csv", SURFACE_HEADER, gaze)


def fixations(folder: Path, rows: int) -> Path:
    """Fixations alone, of two recordings whose ids are the same."""
    lines = []
    for i in range(rows):
        part, k = 2 * i // rows, i % ((rows + 1) // 2)
        start = ORIGIN_NS + part * 24 * PAUSE_NS + k * 60 * STEP_NS
        end = start + 40 * STEP_NS
        lines.append(
            f"{SECTIONS[part]},{IDS[part]},{k},{start},{end},{(end - start) // 10**6},"
            f"{str(k % 2 == 0).lower()},{0.2 + k % 12 / 10:.3f},0.921271"
        )
    return write(folder / "fixations.csv", SURFACE_FIXATION_HEADER, lines)


MAKERS = {
    "neon_cloud": Maker(reader="neon_cloud", kind="text", make=raw),
    "neon_cloud_surface": Maker(reader="neon_cloud", kind="text", make=surface),
    "neon_cloud_fixations": Maker(reader="neon_cloud", kind="text", make=fixations),
}

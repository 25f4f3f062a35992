"""EMTK tables: fixations with the tokens they hit, one in twenty-five with two; a frame of events."""

from pathlib import Path

from .maker import Maker

CORRECTED = (
    "Unnamed: 0,trial,participant,code_file,code_language,timestamp,duration,x_cord,y_cord,aoi_x,"
    "aoi_y,aoi_width,aoi_height,token,length,srcML,quality,line,part"
)
EVENTS = (
    ",eye_tracker,experiment_id,participant_id,filename,trial_id,stimuli_module,stimuli_name,"
    "timestamp,duration,x0,y0,x1,y1,token,pupil,amplitude,peak_velocity,eye_event_type"
)
TOKENS = ("String", '","', "producer", '""""', "i", "class")


def make_corrected(folder: Path, rows: int) -> Path:
    lines = [CORRECTED]
    time = 3_060_646_014
    n = 0
    while len(lines) <= rows:
        length = 60 + n * 13 % 300
        time += (length + 20 + n % 40) * 1000
        x, y = 600 + n * 37 % 700 + 0.5, 180 + n % 20 * 28
        for hit in range(2 if n % 25 == 24 else 1):
            box = (n + hit) % 24
            lines.append(
                f"{9000 + len(lines)},2,26,made_java2.jpg,made_java2.jpg,{time},{length},{x},{y},"
                f"{600 + box * 30},{180 + box % 4 * 28},24,16,{TOKENS[box % 6]},6,"
                f"class->block->decl,65,{box % 4 + 1},{box // 4 + 1}"
            )
        n += 1
    path = folder / "participant26_trial2_made_java2.csv"
    path.write_text("\n".join(lines[: rows + 1]) + "\n", encoding="utf-8", newline="")
    return path


def make_events(folder: Path, rows: int) -> Path:
    lines = [EVENTS]
    time = 336_398
    for i in range(rows):
        kind = ("fixation", "saccade", "fixation", "blink")[i % 4]
        length = {"fixation": 210, "saccade": 36, "blink": 120}[kind] + i % 9
        end = f"{700 + i % 80}.5,{300 + i % 90}.25" if kind == "saccade" else ","
        lines.append(
            f"{i},EyeLink 1000,1,7,P7.asc,{i * 2 // max(rows, 1)},datasets/made/,stim{i * 2 // max(rows, 1)}.jpg,"
            f"{time},{length},{600 + i % 99}.5,{200 + i % 70}.5,{end},,{900 + i % 50},,,{kind}"
        )
        time += length + 3
    path = folder / "events.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return path


MAKERS = {
    "emtk-corrected": Maker(reader="emtk", kind="text", make=make_corrected),
    "emtk-events": Maker(reader="emtk", kind="text", make=make_events),
}

"""BeGaze 3.6 raw tables: of a remote tracker with two eyes, and of glasses."""

from pathlib import Path

from .maker import Maker

NAMES = (
    "RecordingTime [ms];Trial;Stimulus;Participant;Category Right;Category Left;"
    "Pupil Diameter Right [mm];Pupil Diameter Left [mm];Point of Regard Right X [px];"
    "Point of Regard Right Y [px];Point of Regard Left X [px];Point of Regard Left Y [px];Content"
)
LABELS = ("Fixation", "Fixation", "Saccade", "Blink")


def remote(folder: Path, rows: int) -> Path:
    """Semicolons, decimal comma; ``-`` and 0 for lost; separators and user events between."""
    path = folder / "made1 raw.txt"
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(NAMES + "\r\n")
        for i in range(rows):
            t = f"{2_554_850.763 + i * 4:.3f}"
            page = "one.jpg" if i < rows // 2 else "two.jpg"
            label = LABELS[i // 25 % 4]
            if i == rows // 2:
                label, values, text = "Separator", "-;-;-;-;-;-", "-"
            elif i == rows // 3:
                label, values, text = "User Event", "-;-;-;-;-;-", "UE-keypress Space"
            elif label == "Blink":
                values, text = "0.0;0.0;0.0;0.0;0.0;0.0", "-"
            else:
                x, y = 300 + i * 11 % 1200, 150 + i // 110 % 25 * 28
                values, text = f"3.5;3.6;{x}.25;{y}.5;{x + 8}.75;{y}.25", "-"
            row = f"{t};Trial{page[:3]};{page};made1;{label};{label};{values};{text}"
            file.write(row.replace(".", ",").replace(",jpg", ".jpg") + "\r\n")
    return path


GLASSES = (
    "RecordingTime [ms],Video Time [h:m:s:ms],Frame Number,Content,Category Binocular,"
    "Point of Regard Binocular X [px],Point of Regard Binocular Y [px],Stimulus,Participant"
)


def glasses(folder: Path, rows: int) -> Path:
    path = folder / "made2-etg.txt"
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(GLASSES + "\n")
        for i in range(rows):
            t = f"{1_000 + i * 16.5:.4f},00:00:{i // 60 % 60:02d}:000,{i // 2}"
            if i == rows // 2:
                row = "Align #1,User Event,-,-"
            else:
                label = ("Visual Intake", "Saccade", "Blink")[i // 20 % 3]
                lost = label == "Blink"
                row = f"-,{label},{0.0 if lost else 500 + i % 90},{0.0 if lost else 300 + i % 50}.5"
                row = row.replace("0.0.5", "0.0")
            file.write(f"{t},{row},made2-recording.avi,made2\n")
    return path


MAKERS = {
    "smi_raw_table": Maker(reader="smi_raw_table", kind="text", make=remote),
    "smi_raw_glasses": Maker(reader="smi_raw_table", kind="text", make=glasses),
}

"""iView X raw text: µs stamps, one mean in both eyes' columns, 0.00 for lost, image messages."""

from pathlib import Path

import numpy as np

from .maker import Maker

IVIEW_HEADER = (
    "## [iView]\n## Sample Rate:\t60\n## Subject:\tmade1\n## Number of Samples:\t{rows}{pad}\n"
    "## Calibration Area:\t1920\t1080\n## Stimulus Dimension [mm]:\t344\t194\n"
    "## Head Distance [mm]:\t700\n## Bilateral:\tTrue\n## \n"
)
IVIEW_COLUMNS = (
    "Time\tType\tTrial\tL Mapped Diameter [mm]\tR Mapped Diameter [mm]\tL POR X [px]"
    "\tL POR Y [px]\tR POR X [px]\tR POR Y [px]\tL Validity\tR Validity\tAux1\n"
)
BEGAZE_COLUMNS = (
    "Time\tType\tTrial\tL POR X [px]\tL POR Y [px]\tR POR X [px]\tR POR Y [px]\tTiming"
    "\tPupil Confidence\tL Plane\tR Plane\tFrame\tAux1\tL Event Info\tR Event Info\tStimulus\n"
)


def gaze(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stamps in µs and positions in px of a reader who returns at every line's end."""
    i = np.arange(rows)
    t = 110_266_603 + np.cumsum(np.where(i % 7 == 3, 16_721, 16_690))
    return t, 300 + (i * 11) % 1200 + i % 3 * 0.25, 150 + (i // 110) % 25 * 28.79


def iview(folder: Path, rows: int) -> Path:
    path = folder / "1_rawdata.tsv"
    t, x, y = gaze(rows)
    with path.open("w", newline="") as file:
        file.write(IVIEW_HEADER.format(rows=rows, pad=" " * 300) + IVIEW_COLUMNS)
        for i in range(rows):
            if i in (0, rows // 2):
                image = "vehicle_java2" if i else "rectangle_java2"
                file.write(f"{t[i] - 500}\tMSG\t1\t# Message: {image}.jpg\n")
            if i == rows // 3:
                file.write(f"{t[i] - 300}\tMSG\t1\t# Message: UE-mouseclick left x=412 y=347\n")
            if i % 20 == 4:
                cells = "0.00\t0.00\t0.00\t0.00\t0.00\t0.00\t0\t0"
            elif i % 20 == 9:
                at = f"{x[i] / 2:.2f}\t{y[i] / 2:.2f}"
                cells = f"3.50\t0.00\t{at}\t{at}\t1\t0"
            else:
                at = f"{x[i]:.2f}\t{y[i]:.2f}"
                cells = f"3.50\t3.75\t{at}\t{at}\t1\t1"
            file.write(f"{t[i]}\tSMP\t1\t{cells}\t\n")
    return path


def begaze(folder: Path, rows: int) -> Path:
    """Blanked header, decimal comma, two eyes, a label per sample."""
    path = folder / "begaze_raw.txt"
    t, x, y = gaze(rows)
    with path.open("w", newline="") as file:
        file.write("##\r\n##\r\n" + BEGAZE_COLUMNS.replace("\n", "\r\n"))
        for i in range(rows):
            label = ("Fixation", "Fixation", "Fixation", "Saccade", "Blink")[i // 25 % 5]
            eyes = f"{x[i]:.2f}\t{y[i]:.2f}\t{x[i] + 8:.2f}\t{y[i] - 3:.2f}"
            eyes = "0.00\t0.00\t0.00\t0.00" if label == "Blink" else eyes
            page = "one.bmp" if i < rows // 2 else "two.bmp"
            row = f"{t[i]}\tSMP\t1\t{eyes}\t0\t3\t1\t1\t-1\t\t{label}\t{label}\t{page}\r\n"
            file.write(row.replace(".", ",").replace(",bmp", ".bmp"))
    return path


MAKERS = {
    "smi_iview": Maker(reader="smi", kind="text", make=iview),
    "smi_begaze_raw": Maker(reader="smi", kind="text", make=begaze),
}

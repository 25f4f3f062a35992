"""eyeCode XML: two programs, 300 Hz in steps of 3, 3, 4 ms, lost samples absent, vendor events."""

import base64
from pathlib import Path

import numpy as np

from .maker import Maker

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\nmade up").decode()


def stamps(rows: int) -> np.ndarray:
    t = np.cumsum(np.resize([3, 3, 4], rows)) - 3
    # A blink in the middle: its samples are not in the file.
    return t + 400 * (np.arange(rows) > rows // 2)


def trial(number: int, started: int, rows: int) -> tuple[str, int]:
    t = stamps(rows)
    ended = started + int(t[-1]) + 500 if rows else started + 500
    x = (700 + 300 * np.sin(np.arange(rows) / 40)).astype(int)
    gaze = "".join(
        f'        <gaze y="{300 + i % 40}" start="{a}" end="{a + 103}" id="{i}" x="{b}"/>\n'
        for i, (a, b) in enumerate(zip(t.tolist(), x.tolist(), strict=True))
    )
    fixations = "".join(
        f'<fixation start="{a}" end="{a + 60}" x="{b}.5" y="310" pupil_left="3.1" '
        f'pupil_right="3.2"/>\n'
        for a, b in zip(t[::30].tolist(), x[::30].tolist(), strict=True)
    )
    text = (
        f'    <trial screen-width="1920" screen-height="1080" language="python" base="made" '
        f'version="v{number}" font-width="14" font-height="25" line-offset="5" id="{number}" '
        f'started="{started}" ended="{ended}" grade-value="10">\n'
        "      <code><![CDATA[x = 1\nprint x < 2\n]]></code>\n"
        f'      <screenshot format="base64 png"><![CDATA[{PNG}]]></screenshot>\n'
        f"      <gazes>\n{gaze}      </gazes>\n      <fixations>{fixations}</fixations>\n"
        '      <saccades><saccade x1="700" y1="300" x2="707" y2="301" start="3" end="6"/></saccades>\n'
        '      <fixation-offsets><offset kind="manual experiment" x="0" y="-30"/></fixation-offsets>\n'
        '      <areas-of-interest><aoi kind="line" name="line 1" x="10" y="70" width="70" height="29"/>'
        '<aoi kind="syntax" name="variable" x="10" y="70" width="14" height="29"/>'
        "</areas-of-interest>\n    </trial>\n"
    )
    return text, ended


def make(folder: Path, rows: int) -> Path:
    first, ended = trial(1, 6000, rows // 2)
    second, _ = trial(2, ended + 1000, rows - rows // 2)
    path = folder / "01.xml"
    path.write_text(
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<experiment created="made" id="1" name="made" recording_offset="0">\n'
        f"  <questions/>\n  <trials>\n{first}{second}  </trials>\n</experiment>\n"
    )
    return path


MAKERS = {"eyecode": Maker(reader="eyecode", kind="xml", make=make)}

"""Published figures that ours stand beside."""

from typing import Any

__all__ = ["HUMANS", "PUBLISHED"]

HUMANS = "coder MN"

_KAPPAS = {
    # Fixation, saccade, oscillation after a saccade; img/dots/video. Andersson et al. 2017, as in
    # the authors' own table of results.
    "coder MN": (".918/.807/.829", ".953/.908/.936", ".881/.816/.833"),
    "coder RA": (".922/.839/.819", ".953/.906/.938", ".880/.804/.811"),
    "CDT": (".384/.063/.111", "", ""),
    "Engbert-Kliegl": ("", ".635/.657/.667", ""),
    "I-DT": (".356/.005/.033", ".447/.261/.383", ""),
    "I-KF": (".634/.031/.137", ".575/.459/.586", ""),
    "I-MST": (".381/.005/.031", ".538/.304/.521", ""),
    "I-HMM": (".674/.030/.127", ".686/.603/.710", ""),
    "I-VT": (".667/.030/.128", ".750/.626/.756", ""),
    "Nyström-Holmqvist": (".517/-.198/.010", ".667/.599/.676", ".244/.195/.249"),
    "BIT": (".672/.027/.136", "", ""),
    "LNS (Larsson)": ("", ".807/.750/.806", ".639/.591/.626"),
}

PUBLISHED: list[dict[str, Any]] = [
    {"method": name, "fixation": fixation, "saccade": saccade, "pso": pso}
    for name, (fixation, saccade, pso) in _KAPPAS.items()
]

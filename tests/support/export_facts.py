"""What each public export holds, counted by other means than a reader: rows, events, rates.

The counts are those that stand beside the recordings (their SOURCE.md): made by plain counting of
lines and by the vendors' own events. `seen` says the same of a recording that was read.
"""

from typing import Any

import numpy as np

from gazecode.model import Recording

EYELINK = {
    # file: samples, first and last ms, Hz, EFIX, ESACC, EBLINK, MSG
    "almadi_006_crlf.asc": (55_711, 336398, 1358766, 1000, 215, 200, 1, 582),
    "bino1000.asc.gz": (3_467, 7427362, 7436443, 1000, 24, 16, 0, 196),
    "bino500.asc.gz": (1_745, 6185399, 6195771, 500, 19, 11, 0, 197),
    "binoRemote250.asc.gz": (5_125, 12605302, 12630450, 250, 8, 0, 0, 166),
    "eyelink_binocular_example.asc": (368, 1408660, 1409027, 1000, 4, 2, 2, 109),
    "eyelink_monocular_2khz_example.asc": (16, 2154556.5, 2339291, None, 2, 1, 0, 102),
    "eyelink_monocular_example.asc": (16, 2154556, 2339291, None, 2, 1, 0, 102),
    "eyelink_monocular_no_dummy_example.asc": (297, 643197, 651287, 500, 2, 2, 2, 57),
    "mono1000.asc.gz": (3_619, 7709679, 7719283, 1000, 10, 6, 0, 150),
    "mono2000.asc.gz": (8_976, 8258957, 8269282.5, 2000, 13, 9, 0, 150),
    "mono250.asc.gz": (914, 5885949, 5896117, 250, 9, 5, 0, 149),
    "monoRemote250.asc.gz": (5_129, 12976172, 13001176, 250, 4, 0, 0, 119),
    "opensesame_PP04A_first8trials.asc": (37_099, 1030724, 1079274, 1000, 31, 24, 1, 1_355),
    "raccoons.asc": (433, 147946, 148378, 1000, 1, 1, 1, 56),
    "test_eyelink_HREF.asc": (1_001, 7451288, 7452288, 1000, 4, 4, 0, 69),
}

FACTS: dict[str, dict[str, Any]] = {
    f"exports/eyelink_asc/{name}": {
        "samples": n,
        "duration_ms": last - first,
        "rate_hz": rate,
        "fixations": fixations,
        "saccades": saccades,
        "blinks": blinks,
        "messages": messages,
    }
    for name, (n, first, last, rate, fixations, saccades, blinks, messages) in EYELINK.items()
}
FACTS |= {
    "exports/itrace/js_core.xml": {"samples": 5_386, "rate_hz": 149.4, "screen": (1920, 1080)},
    "exports/smi_iview/46_rawdata.tsv": {
        "samples": 11_222,
        "rate_hz": 1e6 / 16_693,
        "duration_ms": 420_319.409,
        "screen": (1920, 1080),
    },
    "exports/smi_iview/didec_example.txt": {"samples": 15, "rate_hz": 1e6 / 3_991.5},
    "exports/smi_begaze_events/SMI_Sample_67_Events.txt": {
        "fixations": 5_271 + 5_272,
        "saccades": 5_180 + 5_299,
        "blinks": 181 + 228,
        "messages": 416,
    },
    "exports/tobii_prolab/gazeplotter_prolab_mobile.tsv": {"samples": 27},
    "exports/tobii_studio/d2lab_data.tsv": {"rate_hz": 120, "fixations": 74},
    "exports/tobii_studio/fh_Rec_01.tsv": {"rate_hz": 50, "screen": (1280, 1024)},
    "exports/tobii_studio/fh_Rec_04-All-Data-2stimuli.tsv": {"rate_hz": 50},
    "exports/tobii_studio/fh_J07.csv": {"rate_hz": 50},
    "exports/tobii_studio/P61-Fixation-Data.tsv": {"fixations": 4_664},
    "exports/tobii_studio/P61-Event-Data.tsv": {"messages": 1_285},
    # Its 454th row breaks off before the left point and the stamp.
    "exports/tobii_sdk/4Ctest.csv": {"samples": 453},
    "exports/tobii_sdk/4Ctest_fixation.csv": {"fixations": 14, "saccades": 14},
    "exports/tobii_sdk/i2mc_participant1_1.tsv": {
        "samples": 651,
        "rate_hz": 1e6 / 3_351,
        "lost": {"left": 9, "right": 9},
    },
    "exports/gazepoint/User 1_all_gaze.csv": {"samples": 1_165, "duration_ms": 19_123.69},
    "exports/gazepoint/User 1_fixations.csv": {"fixations": 48},
    "exports/gazepoint/User 2_all_gaze.csv": {"samples": 340, "duration_ms": 5_569.14},
    "exports/gazepoint/sotis_all_gaze_6col.csv": {"samples": 6_953, "lost": {"both": 2_323}},
    "exports/pupil_core/t10_gaze_positions.csv": {"samples": 2_054},
    "exports/pupil_core/wc_gaze_positions.csv": {"samples": 775},
    "exports/pupil_core/t10_blinks.csv": {"blinks": 3},
    "exports/pupil_core/wc_fixations_empty.csv": {"fixations": 0},
    "exports/neon_cloud/gaze.csv": {"samples": 3_917, "rate_hz": 200, "fixations": 41},
    "exports/neon_cloud/fixations.csv": {"fixations": 41},
    "exports/neon_native/gaze ps1.raw": {
        "samples": 1_788,
        "rate_hz": 200,
        # Of the 45 rows of its fixation stream 22 are saccades.
        "fixations": 23,
        "saccades": 22,
        "blinks": 2,
        "messages": 2,
    },
    "exports/bids_eyetrack/sub-EP10_ses-01_task-dots_run-01_recording-eye1_physio.tsv.gz": {
        "samples": 51
    },
    "exports/bids_eyetrack/draft_with_header_eyetrack_first20000.tsv.gz": {
        "samples": 20_000,
        "rate_hz": 1000,
    },
    "exports/psychopy_iohub/events_2013_sessions5.hdf5": {
        "samples": 6_070,
        "rate_hz": 60,
        "messages": 6_139,
    },
    "exports/imotions/ET_Emotiv_FACET_Shimmer.txt": {"samples": 458},
    "exports/labvanced/timeseries_data.csv": {"samples": 12_208},
    "linearity-peitek2020/**/GazeData_24aed847*.csv": {"samples": 32_092},
    "linearity-peitek2020/**/GazeData_1f8beed4*.csv": {"samples": 28_145},
    "linearity-peitek2020/**/GazeData_0fed8025*.csv": {"samples": 23_195},
    "linearity-peitek2020/**/GazeData_e4ad195b*.csv": {"samples": 2_855},
    "linearity-peitek2020/**/GazeData_7f9dd148*.csv": {"samples": 169},
    "eyecode-hansen2012/xml/07.xml.gz": {"samples": 94_142, "fixations": 1_268, "saccades": 2_166},
    "eyecode-hansen2012/xml/11.xml.gz": {"samples": 86_908, "fixations": 1_052},
    "eyecode-hansen2012/xml/20.xml.gz": {"samples": 65_167, "fixations": 860},
    "emip-bednarik2020/rawdata/134_rawdata.tsv": {"samples": 15_925, "rate_hz": 250},
}
"""File (or pattern of one) → facts; a rate holds within 3 %."""


def seen(recording: Recording) -> dict[str, Any]:
    """The same facts of a recording."""
    events = recording.device_events
    count = {k: int((events.kind == k).sum()) for k in ("fixation", "saccade", "blink")}
    screen = recording.screen
    return {
        "samples": len(recording),
        "duration_ms": recording.duration_ms,
        "rate_hz": recording.provenance["rate_hz"],
        "eyes": list(recording.samples),
        "lost": dict(recording.provenance["n_lost"]),
        "trials": len(recording.trials),
        "messages": len(recording.messages),
        "fixations": count["fixation"],
        "saccades": count["saccade"],
        "blinks": count["blink"],
        "screen": None if screen is None else (screen.width_px, screen.height_px),
        "plane": recording.plane,
    }


def differences(facts: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Facts that do not hold, in words."""
    wrong = []
    for key, expected in facts.items():
        got = found[key]
        if expected is None:
            continue
        if key == "rate_hz":
            holds = got is not None and abs(got / expected - 1) < 0.03
        elif key == "duration_ms":
            holds = bool(np.isclose(got, expected, atol=0.01))
        elif key == "lost":
            holds = all(got.get(eye) == n for eye, n in expected.items())
        else:
            holds = got == expected
        if not holds:
            wrong.append(f"{key} is {got}, expected {expected}")
    return wrong

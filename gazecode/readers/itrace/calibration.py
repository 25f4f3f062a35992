"""What an iTrace core file says of the calibration: how well it fits its own points.

Tobii and Gazepoint write where gaze fell while a point was shown, as fractions of the screen;
Smart Eye writes errors, not positions, for points it only numbers (`targetId`). Either is the fit
to the points the calibration was made on: it says nothing of accuracy, and is no validation.
"""

from typing import Any

import numpy as np

from gazecode.model import Screen
from gazecode.readers.tools.xml import Group, Kind

__all__ = ["CALIBRATION_ROWS", "calibration"]

CALIBRATION_ROWS: dict[str, dict[str, Kind]] = {
    "calibration_point": {"xy": ("x", "y"), "targetId": "text"},
    "sample": {
        "point": "in:calibration_point",
        "left": ("left_x", "left_y"),
        "right": ("right_x", "right_y"),
        "left_validity": "flag",
        "right_validity": "flag",
    },
}


def calibration(document: Group, screen: Screen | None) -> dict[str, Any]:
    """Provenance of a calibration, empty where the file has none."""
    points, samples = document.tables["calibration_point"], document.tables["sample"]
    if not len(points["xy"]):
        return {}
    errors = not np.isfinite(points["xy"]).all(axis=1).any()
    said: dict[str, Any] = {
        "points": len(points["xy"]),
        "samples": len(samples["point"]),
        "holds": "errors in the tracker's own unit" if errors else "positions on the screen",
    }
    for eye in ("left", "right"):
        used = samples[f"{eye}_validity"] & (samples["point"] >= 0)
        said[f"used_{eye}"] = int(used.sum())
        off = samples[eye][used]
        if not errors:
            off = off - points["xy"][samples["point"][used]]
            off = off * ([screen.width_px, screen.height_px] if screen is not None else np.nan)
        size = np.hypot(off[:, 0], off[:, 1])
        size = size[np.isfinite(size)]
        key = f"median_error_{eye}" if errors else f"median_residual_{eye}_px"
        said[key] = round(float(np.median(size)), 3) if len(size) else None
    said["note"] = "fit to the points it was made on, no validation: accuracy is unknown"
    return {"calibration": said}

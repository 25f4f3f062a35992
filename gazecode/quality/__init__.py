"""Is this gaze usable? Loss, rate, jitter, gaps, precision, disparity; gates that judge them.

Accuracy is not here: it takes a validation (targets of known place), and without one it is
unknown, however precise gaze is.
"""

from gazecode.quality.gates import Gates
from gazecode.quality.precision import bcea, moving_precision, rms_s2s, std
from gazecode.quality.report import QualityReport, TrialQuality, assess

__all__ = [
    "Gates",
    "QualityReport",
    "TrialQuality",
    "assess",
    "bcea",
    "moving_precision",
    "rms_s2s",
    "std",
]

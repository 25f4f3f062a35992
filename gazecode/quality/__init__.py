"""Is this gaze usable? Accuracy, precision, loss, rate, eyes, drift; gates that judge them.

Accuracy takes targets of known place: a validation in the file, or targets a study names. Without
them it is unknown, however precise gaze is.
"""

from gazecode.quality.accuracy import Target, accuracy, measured_on
from gazecode.quality.fixations import precision_within
from gazecode.quality.gates import Gates
from gazecode.quality.methods import methods_paragraph
from gazecode.quality.people import ParticipantQuality, assess_participants
from gazecode.quality.precision import bcea, rms_s2s, std
from gazecode.quality.report import QualityReport, TrialQuality, assess
from gazecode.quality.resolvability import Resolver, line_share, simulated_shares
from gazecode.quality.windows import Precision, moving_precision

__all__ = [
    "Gates",
    "ParticipantQuality",
    "Precision",
    "QualityReport",
    "Resolver",
    "Target",
    "TrialQuality",
    "accuracy",
    "assess",
    "assess_participants",
    "bcea",
    "line_share",
    "measured_on",
    "methods_paragraph",
    "moving_precision",
    "precision_within",
    "rms_s2s",
    "simulated_shares",
    "std",
]

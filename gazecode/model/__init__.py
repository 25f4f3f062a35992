"""The types that stages meet in. Frozen, slotted, keyword-only; checked when created.

Conventions, said once: time is float64 ms from the recording's start; intervals are half-open;
text positions are UTF-8 bytes; the screen is px from the top left; lost gaze is NaN; angles are
degrees. Types hold data, functions elsewhere do the work.
"""

from gazecode.model.batch import TokenBatch
from gazecode.model.events import KINDS, Events
from gazecode.model.examples import ExampleBatch
from gazecode.model.eyes import join_eyes, mean_of_eyes, runs
from gazecode.model.labels import LABELS, N_LABELS, label_codes, label_names
from gazecode.model.path import ScanPath
from gazecode.model.planes import PLANES, require_screen_px
from gazecode.model.priors import LabelPriors, NgramTable
from gazecode.model.recording import Message, Recording, Screen, Stimulus, Trial
from gazecode.model.samples import Samples
from gazecode.model.scores import MERGES, ModelScores
from gazecode.model.source import STATUSES, Hits, Layout, SourceTokens
from gazecode.model.transitions import Transitions
from gazecode.model.validation import Validation
from gazecode.model.weights import Example, TokenWeights

__all__ = [
    "KINDS",
    "LABELS",
    "MERGES",
    "N_LABELS",
    "PLANES",
    "STATUSES",
    "Events",
    "Example",
    "ExampleBatch",
    "Hits",
    "LabelPriors",
    "Layout",
    "Message",
    "ModelScores",
    "NgramTable",
    "Recording",
    "Samples",
    "ScanPath",
    "Screen",
    "SourceTokens",
    "Stimulus",
    "TokenBatch",
    "TokenWeights",
    "Transitions",
    "Trial",
    "Validation",
    "join_eyes",
    "label_codes",
    "label_names",
    "mean_of_eyes",
    "require_screen_px",
    "runs",
]

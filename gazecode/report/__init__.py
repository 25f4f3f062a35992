"""The page a run leaves behind, and the picture of gaze on code: data in, text out."""

from gazecode.report.page import picture, render_report, write_report
from gazecode.report.plots import loss_timeline, main_sequence, step_histogram
from gazecode.report.priors import LabelView, PriorsView, render_priors, write_priors_page
from gazecode.report.views import (
    FailureView,
    Histogram,
    RecordingView,
    SaccadeView,
    StudyView,
    SubwordView,
    TrialView,
)

__all__ = [
    "FailureView",
    "Histogram",
    "LabelView",
    "PriorsView",
    "RecordingView",
    "SaccadeView",
    "StudyView",
    "SubwordView",
    "TrialView",
    "loss_timeline",
    "main_sequence",
    "picture",
    "render_priors",
    "render_report",
    "step_histogram",
    "write_priors_page",
    "write_report",
]

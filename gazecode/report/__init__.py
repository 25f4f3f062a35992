"""The page a run leaves behind, and the picture of gaze on code: data in, text out."""

from gazecode.report.agreement import AgreementView, write_agreement_page
from gazecode.report.maps import Extent, MapView, gaze_map, precision_map
from gazecode.report.page import picture, render_report, write_report
from gazecode.report.plots import loss_timeline, main_sequence, step_histogram
from gazecode.report.priors import LabelView, PriorsView, render_priors, write_priors_page
from gazecode.report.quality import (
    FigureGroup,
    QualityPage,
    QualityView,
    TableView,
    render_quality,
    write_quality_page,
)
from gazecode.report.two_maps import two_maps
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
    "AgreementView",
    "Extent",
    "FailureView",
    "FigureGroup",
    "Histogram",
    "LabelView",
    "MapView",
    "PriorsView",
    "QualityPage",
    "QualityView",
    "RecordingView",
    "SaccadeView",
    "StudyView",
    "SubwordView",
    "TableView",
    "TrialView",
    "gaze_map",
    "loss_timeline",
    "main_sequence",
    "picture",
    "precision_map",
    "render_priors",
    "render_quality",
    "render_report",
    "step_histogram",
    "two_maps",
    "write_agreement_page",
    "write_priors_page",
    "write_quality_page",
    "write_report",
]

"""Human and model attention compared: do models look where people look.

`compare` takes people's maps and a model's scores over the same units and says how well they agree,
beside chance, baselines, intervals and how far people agree with each other. The figures it is made
of are functions of two maps (`spearman`, `iou`, `auc`, ...) or of raters (`krippendorff_alpha`).

Two rooms: `gazecode.agreement.programs`, small functions as hypotheses of where people look, and
`gazecode.agreement.kou`, the published study of marked key words.

To read `compare`: ``inputs`` makes items of what is given, ``baselines`` adds rows, ``stacks`` lays
items end to end. ``measures`` says what a figure is made of (``rank_measures``, ``map_measures``,
``choice_measures``; ``segments`` and ``terms`` are their sums). ``scoring`` asks them for every
reading, under ``chance`` and ``bootstrap``; ``figures`` and ``cautions`` say what came of it in a
``comparison``, which ``table`` prints. ``metrics`` has the same figures as plain functions.
"""

from gazecode.agreement.baselines import BASELINES
from gazecode.agreement.compare import compare
from gazecode.agreement.comparison import Comparison, Difference, Figure
from gazecode.agreement.item import Item, Marks
from gazecode.agreement.measures import Measure
from gazecode.agreement.metrics import (
    Overlap,
    auc,
    binary_alpha,
    binary_kappa,
    cohen_kappa,
    emd,
    entropy,
    fleiss_kappa,
    in_top_k,
    iou,
    iou_at_k,
    js,
    kl,
    krippendorff_alpha,
    mid_ranks,
    nss,
    overlap_at_k,
    partial_spearman,
    pearson,
    sim,
    spearman,
    token_overlap,
    top_k,
)
from gazecode.agreement.registry import DEFAULT_METRICS, METRICS

__all__ = [
    "BASELINES",
    "DEFAULT_METRICS",
    "METRICS",
    "Comparison",
    "Difference",
    "Figure",
    "Item",
    "Marks",
    "Measure",
    "Overlap",
    "auc",
    "binary_alpha",
    "binary_kappa",
    "cohen_kappa",
    "compare",
    "emd",
    "entropy",
    "fleiss_kappa",
    "in_top_k",
    "iou",
    "iou_at_k",
    "js",
    "kl",
    "krippendorff_alpha",
    "mid_ranks",
    "nss",
    "overlap_at_k",
    "partial_spearman",
    "pearson",
    "sim",
    "spearman",
    "token_overlap",
    "top_k",
]

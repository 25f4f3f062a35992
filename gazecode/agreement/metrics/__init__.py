"""Figures of agreement between two maps over the same units, one concept a file.

Human first, model second. The last axis holds the units (tokens, lines); leading axes are items,
people or rows, and broadcast. NaN marks a unit that is missing: it is left out pairwise. A figure
that is undefined is NaN, never 0 and never a warning. Vectors give a Python float.
"""

from gazecode.agreement.metrics.alpha import binary_alpha, krippendorff_alpha
from gazecode.agreement.metrics.correlation import partial_spearman, pearson, spearman
from gazecode.agreement.metrics.divergence import entropy, js, kl
from gazecode.agreement.metrics.fixated import auc, nss
from gazecode.agreement.metrics.kappa import binary_kappa, cohen_kappa, fleiss_kappa
from gazecode.agreement.metrics.overlap import Overlap, token_overlap
from gazecode.agreement.metrics.ranks import mid_ranks
from gazecode.agreement.metrics.similarity import iou, sim
from gazecode.agreement.metrics.topk import in_top_k, iou_at_k, overlap_at_k, top_k
from gazecode.agreement.metrics.transport import emd

__all__ = [
    "Overlap",
    "auc",
    "binary_alpha",
    "binary_kappa",
    "cohen_kappa",
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

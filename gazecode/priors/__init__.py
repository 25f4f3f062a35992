"""Human-attention priors: fitted, merged, stored; and the paths simulated from them."""

from gazecode.priors.cells import participant_id
from gazecode.priors.fit import Rules
from gazecode.priors.intervals import Intervals
from gazecode.priors.paths import path_batch, pseudo_scan_path
from gazecode.priors.priors import Priors
from gazecode.priors.published import PRESETS, decode_labels, decode_row
from gazecode.priors.reading import Reading

__all__ = [
    "PRESETS",
    "Intervals",
    "Priors",
    "Reading",
    "Rules",
    "decode_labels",
    "decode_row",
    "participant_id",
    "path_batch",
    "pseudo_scan_path",
]

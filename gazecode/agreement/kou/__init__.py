"""The data and the figures of Kou et al. 2024.

"Do Large Language Models Pay Similar Attention Like Human Programmers When Generating Code?", FSE
2024, doi:10.1145/3660807.
Their files are read without executing them; `kou_figures` gives their numbers, and corrected ones.
"""

from gazecode.agreement.kou.data import Kou2024, LabelledPrompt, PublishedScores, ScoredTokens
from gazecode.agreement.kou.figures import KouFigures, kou_figures
from gazecode.agreement.kou.human import load_human
from gazecode.agreement.kou.inert_pickle import read_pickle
from gazecode.agreement.kou.inputs import as_comparison_inputs, rows_by_units
from gazecode.agreement.kou.locate import locate
from gazecode.agreement.kou.scores import load_kou2024, load_scores
from gazecode.agreement.kou.units import COMPAT, LocatedRow, locate_row

__all__ = [
    "COMPAT",
    "Kou2024",
    "KouFigures",
    "LabelledPrompt",
    "LocatedRow",
    "PublishedScores",
    "ScoredTokens",
    "as_comparison_inputs",
    "kou_figures",
    "load_human",
    "load_kou2024",
    "load_scores",
    "locate",
    "locate_row",
    "read_pickle",
    "rows_by_units",
]

"""Weights for a whole corpus: files in, shards out, on one core or many machines."""

from gazecode.corpus.blocks import BlockRule
from gazecode.corpus.drawing import draw_and_weigh
from gazecode.corpus.inputs import open_corpus
from gazecode.corpus.job import CorpusSummary, Progress, WeighProgress
from gazecode.corpus.records import ReadOptions, Record
from gazecode.corpus.repair import RepairReport, eyemulator_weights, repair
from gazecode.corpus.run import weigh_corpus
from gazecode.corpus.settings import AlignRule, WeighSettings
from gazecode.corpus.work import Worked, weigh_block

__all__ = [
    "AlignRule",
    "BlockRule",
    "CorpusSummary",
    "Progress",
    "ReadOptions",
    "Record",
    "RepairReport",
    "WeighProgress",
    "WeighSettings",
    "Worked",
    "draw_and_weigh",
    "eyemulator_weights",
    "open_corpus",
    "repair",
    "weigh_block",
    "weigh_corpus",
]

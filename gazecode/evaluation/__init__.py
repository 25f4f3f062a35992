"""What people labelled against what the package finds: the tables of ``gazecode evaluate``.

The data are other people's and lie where the user says; nothing of them is part of the package.
"""

from gazecode.evaluation.tables import EVALUATIONS, Evaluation, Table, evaluate

__all__ = ["EVALUATIONS", "Evaluation", "Table", "evaluate"]

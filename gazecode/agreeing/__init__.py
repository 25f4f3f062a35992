"""Human and model attention brought together: files in, a comparison, its page and its table out.

The stages know nothing of each other's files. Here weights and scores meet over the same tokens.
What asks a real model stands outside (`gazecode.attention`, `gazecode.commands.agreement`).
"""

from gazecode.agreeing.compared import (
    Agreed,
    Draws,
    agree_on_gaze,
    agree_on_published,
    as_dict,
    as_view,
    metric_words,
)
from gazecode.agreeing.explained import what_explains
from gazecode.agreeing.programs import PROGRAMS, program_rows, sources_of
from gazecode.agreeing.published import Published, is_published, read_published
from gazecode.agreeing.rows import ModelRows, chosen_rows, read_rows, rows_of
from gazecode.agreeing.texts import Humans, HumanText, read_gaze
from gazecode.export.scores import ScoredText, iter_scores, read_scores, to_scores
from gazecode.report.agreement import write_agreement_page

__all__ = [
    "PROGRAMS",
    "Agreed",
    "Draws",
    "HumanText",
    "Humans",
    "ModelRows",
    "Published",
    "ScoredText",
    "agree_on_gaze",
    "agree_on_published",
    "as_dict",
    "as_view",
    "chosen_rows",
    "is_published",
    "iter_scores",
    "metric_words",
    "program_rows",
    "read_gaze",
    "read_published",
    "read_rows",
    "read_scores",
    "rows_of",
    "sources_of",
    "to_scores",
    "what_explains",
    "write_agreement_page",
]

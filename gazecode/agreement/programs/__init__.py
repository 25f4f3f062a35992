"""Small functions as hypotheses of where people look, ranked on people and files held out.

A program is a function of a file's tokens, ``(tokens, known) -> (m,)`` numbers of at least 0: how
much of the looking each token gets. `PROGRAMS` holds about forty by name, `TRANSITION_PROGRAMS`
those of saccades, ``(tokens, known) -> (m, m)``. What they may know of people is `Known`, learnt
from other people and files. The idea is that of Hayes, Li & Andreas (arXiv 2606.19317), who let
programs explain attention heads; here they meet gaze first, beside chance and a human ceiling.
"""

from gazecode.agreement.programs.checking import check_program
from gazecode.agreement.programs.known import Known, learn
from gazecode.agreement.programs.observed import Observed
from gazecode.agreement.programs.ranking import explain, score_programs
from gazecode.agreement.programs.registry import PROGRAMS, TRANSITION_PROGRAMS, Program
from gazecode.agreement.programs.result import ExplanationTable, ProgramScores, explanation_table
from gazecode.agreement.programs.saccades import explain_transitions, score_transitions

__all__ = [
    "PROGRAMS",
    "TRANSITION_PROGRAMS",
    "ExplanationTable",
    "Known",
    "Observed",
    "Program",
    "ProgramScores",
    "check_program",
    "explain",
    "explain_transitions",
    "explanation_table",
    "learn",
    "score_programs",
    "score_transitions",
]

"""Honest splits: who and what is held out together, and what leaks in spite of it.

A model that saw a near copy of a test source, another reading by a test participant, or a prior
fitted on a test source has seen the answer.
"""

from gazecode.splitting.duplicates import near_duplicates
from gazecode.splitting.leaks import Leak, find_leaks
from gazecode.splitting.split import BY, FRACTIONS, assign_parts, split

__all__ = ["BY", "FRACTIONS", "Leak", "assign_parts", "find_leaks", "near_duplicates", "split"]

"""The ids of labels in the rows that EyeMulator released, recovered from the rows themselves.

Facts, not types; here because both the labels of a source and the priors are put beside those rows.
Inside the package labels are words or places in `gazecode.model.LABELS`, never these ids.
"""

from collections.abc import Mapping

__all__ = ["NGRAM_IDS", "SEMANTIC_IDS"]

SEMANTIC_IDS: Mapping[int, str] = {
    0: "",
    1: "argument",
    2: "assignment",
    3: "comment",
    4: "conditional block",
    5: "conditional statement",
    6: "exception handling",
    7: "external class",
    8: "externally defined variable or function",
    9: "function call",
    10: "function declaration",
    11: "index operation",
    12: "literal",
    13: "loop",
    14: "operation",
    15: "operator",
    16: "parameter",
    17: "return",
    19: "variable",
    20: "variable declaration",
}
"""Recovered: `semantic_token_sequence` of the released rows to label. 18 is never used."""

NGRAM_IDS: Mapping[int, str] = {
    1: "function declaration",
    2: "externally defined variable or function",
    3: "external class",
    4: "argument",
    5: "return",
    6: "parameter",
    7: "variable",
    8: "function call",
    9: "assignment",
    10: "conditional statement",
    11: "variable declaration",
    12: "exception handling",
    13: "conditional block",
    14: "loop",
    15: "operator",
    16: "operation",
    19: "index operation",
}
"""Recovered: `ngram_indices` of windows of one token to label. Longer windows: `decode_row`."""

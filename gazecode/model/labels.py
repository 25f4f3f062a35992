"""The vocabulary of semantic labels, and its numbers inside the package.

The 19 labels of the EyeTrans and EyeMulator line of work (Zhang et al., doi:10.1145/3643732). They
are strings wherever people or files see them; arrays over a whole corpus hold their place in
`LABELS` instead. The ids of the published rows are another numbering and stay with the code that
reads those rows.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gazecode.errors import DataError

__all__ = ["LABELS", "N_LABELS", "CodeArray", "label_codes", "label_names"]

CodeArray = npt.NDArray[np.int8]

LABELS = (
    "",
    "argument",
    "assignment",
    "comment",
    "conditional block",
    "conditional statement",
    "exception handling",
    "external class",
    "externally defined variable or function",
    "function call",
    "function declaration",
    "index operation",
    "literal",
    "loop",
    "operation",
    "operator",
    "parameter",
    "return",
    "variable",
    "variable declaration",
)
"""Code 0 is no label: punctuation, and what no role fits."""

N_LABELS = len(LABELS)
"""Codes there are, "no label" included: arrays over labels have this length."""

_CODES = {label: code for code, label in enumerate(LABELS)}
_NAMES = np.array(LABELS, dtype=object)


def label_codes(labels: Iterable[str]) -> CodeArray:
    """Numbers of labels.

    Raises
    ------
    DataError
        A label outside the vocabulary, with its name.

    Examples
    --------
    >>> label_codes(["loop", "", "loop"])
    array([13,  0, 13], dtype=int8)
    """
    try:
        return np.array([_CODES[label] for label in labels], dtype=np.int8)
    except KeyError as error:
        raise DataError(
            f"{error.args[0]!r} is not a semantic label; expected one of: {', '.join(LABELS[1:])}"
        ) from None


def label_names(codes: CodeArray) -> npt.NDArray[np.object_]:
    """Labels of numbers, an object array of the same shape.

    >>> label_names(np.array([13, 0], dtype=np.int8)).tolist()
    ['loop', '']
    """
    names: npt.NDArray[np.object_] = _NAMES[codes]
    return names

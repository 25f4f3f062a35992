"""Where the tokens of a published list lie in their prompt.

Kou et al. 2024 (doi:10.1145/3660807) publish token texts without places. Their evaluation walks
the list and searches each text from the end of the one before; what is not found is dropped. Two
of its rows are searched in the prompt without its blanks, and the places used as if it had them:
an ``if`` tests the whole prompt where a character is meant.
"""

from collections.abc import Iterable

import numpy as np

from gazecode.model.checks import BoolArray, IntArray

__all__ = ["locate"]


def locate(
    prompt: str, tokens: Iterable[str], *, shifted: bool = False
) -> tuple[IntArray, BoolArray]:
    """Characters of the tokens in a prompt, and which tokens were found.

    Parameters
    ----------
    prompt
        The text.
    tokens
        In their order, without blanks around them.
    shifted
        Search in the prompt without its blanks and leave the places as they are, wrong by the
        number of blanks before them: how two rows of the published table were made.

    Returns
    -------
    span
        ``(n, 2)`` characters, half-open, of the tokens that were found.
    found
        ``(t,)`` whether each token was.

    Examples
    --------
    >>> span, found = locate("sort the list", ["sort", "teh", "list"])
    >>> span
    array([[ 0,  4],
           [ 9, 13]])
    >>> found
    array([ True, False,  True])
    >>> locate("sort the list", ["sort", "list"], shifted=True)[0]
    array([[ 0,  4],
           [ 7, 11]])
    """
    text = prompt.replace(" ", "") if shifted else prompt
    cursor, spans, found = 0, [], []
    for token in tokens:
        start = text.find(token, cursor)
        found.append(start >= 0)
        if start >= 0:
            cursor = start + len(token)
            spans.append((start, cursor))
    return np.array(spans, dtype=np.int64).reshape(-1, 2), np.array(found, dtype=bool)

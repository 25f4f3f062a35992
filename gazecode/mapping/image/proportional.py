"""How wide text is in a proportional font: the advances of Helvetica, and what a picture says.

Helvetica's metrics are those of Arial and Liberation Sans. Other fonts differ by character; a
ridge regression of measured word widths on the characters of the words (A. E. Hoerl and R. W.
Kennard 1970, doi:10.1080/00401706.1970.10488634) draws the advances towards the font shown.
"""

from collections.abc import Sequence

import numpy as np

from gazecode.model.checks import FloatArray

__all__ = ["SPACE", "Advances"]

# Thousandths of the font's size, characters 32 to 126 (Adobe font metrics of Helvetica).
_HELVETICA = (
    "278 278 355 556 556 889 667 222 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 "
    "556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 "
    "722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 222 556 556 500 556 "
    "556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 "
    "260 334 584"
)
_FIRST = 32
_OTHER = 0.556  # letters beyond ASCII
_WIDE = 1.0  # East Asian
SPACE = 0.278
_RIDGE = 4.0  # words that must say so before an advance moves half the way


class Advances:
    """Advance of each character in font sizes."""

    def __init__(self, table: dict[str, float] | None = None) -> None:
        widths = [int(width) / 1000 for width in _HELVETICA.split()]
        base = {chr(_FIRST + i): width for i, width in enumerate(widths)}
        self._table = base | (table or {})

    def of(self, text: str) -> FloatArray:
        """Advances of the characters of a text, ``(n,)``."""
        return np.array([self._table.get(char, _guess(char)) for char in text])

    def learnt(self, words: Sequence[str], widths: FloatArray) -> "Advances":
        """Advances drawn towards measured widths of words (in font sizes)."""
        chars = sorted(set("".join(words)))
        counts = np.array([[word.count(char) for char in chars] for word in words], dtype=float)
        prior = self.of("".join(chars))
        # The longer a word, the less its side bearings count.
        weight = 1 / np.sqrt(counts.sum(axis=1))
        a = counts * weight[:, None]
        b = (widths - counts @ prior) * weight
        change = np.linalg.solve(a.T @ a + _RIDGE * np.eye(len(chars)), a.T @ b)
        change = np.clip(change, -0.4 * prior, 0.6 * prior)
        return Advances(self._table | dict(zip(chars, (prior + change).tolist(), strict=True)))


def _guess(char: str) -> float:
    import unicodedata

    return _WIDE if unicodedata.east_asian_width(char) in {"W", "F"} else _OTHER

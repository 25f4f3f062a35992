"""What Kou et al. published: key words that people marked in prompts, and scores of model tokens.

B. Kou, S. Chen, Z. Wang, L. Ma and T. Zhang 2024, doi:10.1145/3660807. Where key words of MBPP end
was published twice over: the last character is named in 969 of its prompts, the one after it in
HumanEval and in one prompt of MBPP, and the study's own figures take both for the latter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gazecode.errors import DataError
from gazecode.model.checks import FloatArray, IntArray, column

__all__ = ["Kou2024", "LabelledPrompt", "PublishedScores", "ScoredTokens"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPrompt:
    """A prompt and the key words that people marked in it.

    Attributes
    ----------
    text
        The prompt.
    source
        ``humaneval`` or ``mbpp``.
    span
        ``(h, 2)`` characters, as published: duplicates and empty spans are kept.
    label
        What kind of key word each is, as published; empty where the file does not say.
    """

    text: str
    source: str
    span: IntArray
    label: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        span = column(self, "span", np.int64, width=2)
        beyond = span[:, 1] > len(self.text)
        late = np.flatnonzero((span[:, 0] < 0) | (span[:, 1] < span[:, 0]) | beyond)
        if len(late):
            start, end = span[late[0]]
            raise DataError(
                f"span {late[0]} of {self.text[:40]!r} is {start} to {end}; expected 0 <= start "
                f"<= end <= {len(self.text)}, characters of the prompt"
            )

    @property
    def ends_inclusive(self) -> bool:
        """Whether `span` names the last character of a key word instead of the one after it.

        It does in MBPP, but not where that character would be a blank: key words end in none.

        >>> text = "Write a function to sort."
        >>> LabelledPrompt(text=text, source="mbpp", span=[[20, 24]]).ends_inclusive
        True
        >>> LabelledPrompt(text=text, source="mbpp", span=[[0, 5]]).ends_inclusive
        False
        """
        if self.source != "mbpp":
            return False
        ends = self.span[:, 1].tolist()
        return not any(end >= len(self.text) or self.text[end].isspace() for end in ends)

    @property
    def word_span(self) -> IntArray:
        """``(h, 2)`` half-open spans of the whole key words.

        >>> text = "Write a function to sort."
        >>> prompt = LabelledPrompt(text=text, source="mbpp", span=[[20, 24]])
        >>> [text[start:end] for start, end in prompt.word_span]
        ['sort.']
        """
        return self.span + np.array([0, 1]) if self.ends_inclusive else self.span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredTokens:
    """Tokens of one prompt in their order, stripped of blanks, and ``(t,)`` a score of each."""

    text: tuple[str, ...]
    score: FloatArray

    def __post_init__(self) -> None:
        score = column(self, "score", np.float64)
        if len(score) != len(self.text):
            raise DataError(f"{len(self.text)} tokens and {len(score)} scores; expected as many")

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PublishedScores:
    """One row of the study's table: a model and a method, and its scores of every prompt."""

    model: str
    method: str
    prompts: Mapping[str, ScoredTokens]

    @property
    def name(self) -> str:
        """Of the row.

        >>> PublishedScores(model="polycoder", method="saliency_coding", prompts={}).name
        'polycoder saliency_coding'
        """
        return f"{self.model} {self.method}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kou2024:
    """The study's data: labelled prompts by their text, and the rows."""

    human: Mapping[str, LabelledPrompt]
    scores: tuple[PublishedScores, ...]

"""Source code to tokens: the leaves of a syntax tree with their place and semantic label."""

from gazecode.model import LABELS
from gazecode.source.batch import parse_batch
from gazecode.source.grammars import LANGUAGES, known_language, language_of
from gazecode.source.language import Language
from gazecode.source.parsing import parse
from gazecode.source.stream import published_stream

__all__ = [
    "LABELS",
    "LANGUAGES",
    "Language",
    "known_language",
    "language_of",
    "parse",
    "parse_batch",
    "published_stream",
]

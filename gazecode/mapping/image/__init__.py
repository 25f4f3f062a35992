"""Layouts from pictures: where a known text stands on a screenshot, found by its ink."""

from gazecode.mapping.image.found import TextGrid
from gazecode.mapping.image.layout import MIN_LIKENESS, MIN_SCORE, find_text, image_layout

__all__ = ["MIN_LIKENESS", "MIN_SCORE", "TextGrid", "find_text", "image_layout"]

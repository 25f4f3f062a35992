"""Raw gaze of programmers in, subword-aligned attention weights out."""

__version__ = "0.1.0"

"""Raw gaze of programmers in, subword-aligned attention weights out."""

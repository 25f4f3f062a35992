"""CodeGRITS: eye and IDE tracking of JetBrains editors."""

from gazecode.readers.codegrits.export import ide_positions

__all__ = ["ide_positions"]

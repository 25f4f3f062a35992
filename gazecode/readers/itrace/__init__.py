"""iTrace: core and plug-in XML in all dialects, the older generations, the Toolkit database."""

from gazecode.readers.itrace.core import ide_positions

__all__ = ["ide_positions"]

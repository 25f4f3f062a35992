"""SR Research: EyeLink text (asc) and Data Viewer reports."""

from gazecode.readers.eyelink.dataviewer import interest_areas

__all__ = ["interest_areas"]

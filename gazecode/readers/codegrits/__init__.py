"""CodeGRITS: gaze and the IDE's log of a session, the places in the text, archives and scroll."""

from gazecode.readers.codegrits.export import ide_positions
from gazecode.readers.codegrits.session import Archive, archives, typing_ms, visible_areas

__all__ = ["Archive", "archives", "ide_positions", "typing_ms", "visible_areas"]

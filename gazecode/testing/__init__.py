"""For tests of code that uses gazecode: checks of plug-ins, and hypothesis strategies for types.

`check_reader`, `check_detector` and `check_program` are what every built-in reader, detector and
program passes; a package that adds one through the entry-point groups ``gazecode.readers``,
``gazecode.detectors``, ``gazecode.programs`` and ``gazecode.transition_programs`` runs them over
its own. The strategies make valid objects of the public types, with the traps that real
recordings hold: irregular clocks, gaps, lost stretches. hypothesis is imported when a strategy is
asked for.
"""

from gazecode.agreement.programs import check_program
from gazecode.testing.detectors import check_detector
from gazecode.testing.readers import check_reader
from gazecode.testing.strategies import events, recordings, samples, screens

__all__ = [
    "check_detector",
    "check_program",
    "check_reader",
    "events",
    "recordings",
    "samples",
    "screens",
]

"""EyeLink text (``.asc``) as SR Research's edf2asc writes it.

Format: SR Research, EyeLink User Manual, chapter "ASC file format"; what real files do beyond it
was measured. A sample line is a number followed by a TAB; every other line is a message, an event
or a header, and the continuation lines of ``!CAL`` messages are neither, though they hold numbers.

**Clock.** ms of the tracker, from the first sample. At 2000 Hz some files write each millisecond
twice: the second sample is put half a millisecond later, and the provenance says so.

**Trials.** A block ``START`` .. ``END`` is a trial. It is named by the last ``TRIALID`` message
before it (where a file has none: ``start_trial``, as OpenSesame writes it), or by the only one
inside. Where a block holds more of them each begins a trial, which ends at ``TRIAL_RESULT``,
``stop_trial``, ``end_trial``, the next one, or the block's end. A block without a message
continues the last trial, as "name (2)"; without any it is "block 1", "block 2", ...
A trial's stimulus is the file of its last ``!V IMGLOAD`` message.

**Device events.** ``EFIX``, ``ESACC``, ``EBLINK`` of each eye; their last sample is inclusive in
the file and the interval half-open here, so one sample interval is added.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gazecode.errors import FormatError
from gazecode.model import Events, Message, Recording, Screen, Trial
from gazecode.readers.build import samples_of_eyes
from gazecode.readers.eyelink_text import SampleTable, Text, read_samples, split_lines

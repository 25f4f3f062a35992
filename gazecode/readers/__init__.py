"""Recordings from the files of trackers and experiments, one format a module.

`read` recognises a file by its first bytes, hands it to the reader that knows it, and fills in
what every recording's provenance says. The table `READERS` is open: another package adds a
`Reader` through an entry point of the group ``gazecode.readers``.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gazecode.errors import DataError, FormatError, GazecodeError, ParameterError, UnknownFormat
from gazecode.model import Events, Recording, Samples, Screen
from gazecode.readers import eyecode, eyelink, eyex, itrace, smi, table
from gazecode.readers.reader import Reader
from gazecode.readers.source import Source
from gazecode.registry import Registry, check_parameters, takes
from gazecode.units import step_ms

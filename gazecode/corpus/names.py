"""Names of the files of a job: what has another name is not its own."""

import re

__all__ = ["CORPUS", "FAILED_RUN", "FAILURES", "HIDDEN", "is_output", "is_shard"]

FAILURES = "failures.csv"
CORPUS = "corpus.json"
FAILED_RUN = "failures-of-failed-run.csv"
"""Failures of a run without a single weight, where an earlier result is left as it was."""
HIDDEN = ".gazecode-"
"""How the names of its hidden files and folders begin."""

_SHARD = re.compile(r"weights-[0-9]{5,}\.parquet")


def is_shard(name: str) -> bool:
    """Whether a job gives its shards such names; any other file is somebody else's.

    >>> is_shard("weights-00012.parquet"), is_shard("weights-final.parquet")
    (True, False)
    """
    return _SHARD.fullmatch(name) is not None


def is_output(name: str) -> bool:
    """Whether a name in the folder that a job writes to is one of its outputs."""
    return name in (FAILURES, CORPUS, FAILED_RUN) or name.startswith(HIDDEN) or is_shard(name)

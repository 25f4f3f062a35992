"""Names of the shards of a job: what has another name is not its own."""

import re

__all__ = ["is_shard"]

_SHARD = re.compile(r"weights-[0-9]{5,}\.parquet")


def is_shard(name: str) -> bool:
    """Whether a job gives its shards such names; any other file is somebody else's.

    >>> is_shard("weights-00012.parquet"), is_shard("weights-final.parquet")
    (True, False)
    """
    return _SHARD.fullmatch(name) is not None

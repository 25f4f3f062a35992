"""Code that was edited while it was read: its versions, and one id per token through all of them.

`read_changelog` reads what iTrace's Atom plug-in logs (gazel), `replay` applies it, and
`follow_edits` or `follow_snapshots` gives the `TokenHistory`. What happens to an id when its token
is changed, cut or swallowed is said in `gazecode.source.edits.identity`.

Fakhoury et al. 2021, gazel: supporting source code edits in eye-tracking studies,
doi:10.1109/ICSE-Companion52605.2021.00038.
"""

from gazecode.source.edits.changelog import Edit, clock_ms, read_changelog
from gazecode.source.edits.changes import Changes
from gazecode.source.edits.history import TokenHistory, follow_edits, follow_snapshots
from gazecode.source.edits.replay import Splice, find_splices, replay, splices_between

__all__ = [
    "Changes",
    "Edit",
    "Splice",
    "TokenHistory",
    "clock_ms",
    "find_splices",
    "follow_edits",
    "follow_snapshots",
    "read_changelog",
    "replay",
    "splices_between",
]

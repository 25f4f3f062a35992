"""Is this gaze usable? Files or a whole study assessed, told as rows, JSON, a paragraph, a page.

What `gazecode quality` is made of: `gazecode.quality` measures and judges one recording, here the
recordings are opened, what they showed is laid out, and the answers are put into words.
"""

from gazecode.verdict.assessed import (
    Assessed,
    Job,
    Wanted,
    gates_of,
    jobs_of_files,
    jobs_of_study,
    notes_of_study,
    target_of,
)
from gazecode.verdict.told import document, page_of, participant_rows, table_rows, told_warnings
from gazecode.verdict.view import view_of

__all__ = [
    "Assessed",
    "Job",
    "Wanted",
    "document",
    "gates_of",
    "jobs_of_files",
    "jobs_of_study",
    "notes_of_study",
    "page_of",
    "participant_rows",
    "table_rows",
    "target_of",
    "told_warnings",
    "view_of",
]

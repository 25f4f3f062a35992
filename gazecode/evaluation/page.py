"""The tables as a page of Markdown."""

import math
from collections.abc import Sequence
from typing import Any

from gazecode.evaluation.tables import EVALUATIONS, Table
from gazecode.version import __version__

__all__ = ["page"]


def page(found: Sequence[tuple[str, Table | str]]) -> str:
    """One section an evaluation, one table a table; the date is for the reader to add."""
    lines = [f"Printed by `gazecode evaluate`, gazecode {__version__}.", ""]
    before = ""
    for name, table in found:
        if name != before:
            lines += [f"## {EVALUATIONS[name].title}", ""]
            before = name
        lines += [table, ""] if isinstance(table, str) else [*_table(table), ""]
    return "\n".join(lines)


def _table(table: Table) -> list[str]:
    if not table.rows:
        return [f"### {table.title}", "", table.said]
    names = list(table.rows[0])
    return [
        f"### {table.title}",
        "",
        table.said,
        "",
        f"| {' | '.join(names)} |",
        f"| {' | '.join('---' for _ in names)} |",
        *(f"| {' | '.join(_cell(row.get(name)) for name in names)} |" for row in table.rows),
    ]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.3f}"
    return "–" if value is None else str(value).replace("|", "\\|")

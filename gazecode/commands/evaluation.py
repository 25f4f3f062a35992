"""The command that measures the package on what people labelled."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gazecode.commands.shell import AsJson, app, print_json, progress_bar, say, show, writing
from gazecode.disk import printable
from gazecode.errors import ParameterError

__all__ = ["evaluate"]

WIDTH = 180
"""Of a table that no terminal bounds."""


@app.command()
def evaluate(
    data: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Holds the data sets, a folder each.")
    ] = Path("../shared/data"),
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="One evaluation by name; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The tables as a page of Markdown (.md).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure detectors, line assignment, token hits and more on what people labelled.

    The data are other people's and not part of the package; `docs/evaluation.md` names them and
    holds the tables as they were measured.
    """
    from gazecode.evaluation.page import page
    from gazecode.evaluation.tables import EVALUATIONS, Table
    from gazecode.evaluation.tables import evaluate as tables

    if out is not None:
        _check_page(out)
    found: list[tuple[str, Table | str]] = []
    with progress_bar() as bar:
        task = bar.add_task("evaluating", total=len(only or EVALUATIONS))
        seen: set[str] = set()
        for name, table in tables(data, only or ()):
            if name not in seen:
                seen.add(name)
                bar.update(task, description=name, completed=len(seen) - 1)
            found.append((name, table))
            if not as_json:
                _show(name, table)
    if as_json:
        print_json(
            {
                f"{name}: {table.title}": [_plain(row) for row in table.rows]
                for name, table in found
                if isinstance(table, Table)
            }
            | {"left_out": {name: why for name, why in found if isinstance(why, str)}}
        )
    if out is not None:
        with writing(out):
            out.write_text(page(found), encoding="utf-8")
        print(f"tables: {printable(str(out))}", file=sys.stderr if as_json else sys.stdout)


def _check_page(out: Path) -> None:
    """Before the work, not after it."""
    if out.suffix != ".md" or not out.parent.is_dir():
        raise ParameterError(f"--out is {out}; expected a .md file in a folder that is there")


def _show(name: str, table: Any) -> None:
    if isinstance(table, str):
        say(f"{name}: {table}")
        return
    if not table.rows:
        say(f"{table.title}: nothing to count")
        return
    rows = [{key: _short(value) for key, value in row.items()} for row in table.rows]
    first, *rest = table.rows[0]
    numbers = [first, *(key for key in rest if not isinstance(table.rows[0][key], str))]
    show(rows, as_json=False, title=table.title, whole=numbers, piped_width=WIDTH)
    say(table.said)
    print()


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no NaN: what is undefined is null."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}


def _short(value: Any) -> Any:
    """Three digits are what such figures are good for."""
    if not isinstance(value, float):
        return value
    return "–" if math.isnan(value) else f"{value:.3f}"

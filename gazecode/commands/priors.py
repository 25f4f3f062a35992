"""Commands on human-attention priors: count them, look at them, add them up."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gazecode.commands.shell import AsJson, app, print_json, show
from gazecode.errors import GazecodeWarning

if TYPE_CHECKING:
    from gazecode.priors import Priors

__all__ = ["fit", "load_priors", "merge", "priors", "show_priors"]

priors = typer.Typer(no_args_is_help=True, help="Human-attention priors: fit, show, merge.")
app.add_typer(priors, name="priors")

Preset = Annotated[
    str | None,
    typer.Option(help="Which of several published sets: combined (default), reading, writing."),
]


@priors.command()
def fit(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders that `gazecode run` wrote.")
    ],
    out: Annotated[Path, typer.Option(help="The priors, as JSON.")],
    task: Annotated[str | None, typer.Option(help="Only readings of this task.")] = None,
    group: Annotated[str | None, typer.Option(help="Only participants of this group.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A participant to leave out; may be repeated.")
    ] = None,
    min_exposure_ms: Annotated[
        float, typer.Option(min=0, help="A token shown for less is missing, not a miss.")
    ] = 200.0,
    name: Annotated[str, typer.Option(help="What outputs call these priors.")] = "fitted",
    share: Annotated[
        bool, typer.Option("--share", help="Pool people and sources; leave their ids out.")
    ] = False,
) -> None:
    """Count which labels people looked at, and which followed which, over any number of runs.

    One trial is participant × reading × token on the screen for at least 200 ms; a success is at
    least one fixation. Beside every share stands what gaze at chance over the same code gives.
    """
    from gazecode.priors import Priors, Rules

    found = Priors.fit_runs(
        runs,
        task=task,
        group=group,
        leave_out=leave_out or None,
        rules=Rules(min_exposure_ms=min_exposure_ms),
        name=name,
    )
    found.save(out, share=share)
    print(
        f"{_people(found)}, {len(found.sources)} sources, {found.shown.sum():.0f} tokens shown, "
        f"{found.hit.sum():.0f} looked at → {out}"
    )


@priors.command("show")
def show_priors(
    file: Annotated[Path, typer.Argument(metavar="PRIORS", help="A file, or a published folder.")],
    preset: Preset = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a page: Beta densities and the transition graph.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What priors say, label by label, beside chance; `--out` draws it.

    theta is the posterior share of exposed tokens looked at, with its 95 % interval over people and
    sources; chance is what circularly shifted gaze gives; enriched is the difference of their
    logits: above 0, people look more than chance.
    """
    from gazecode.describe import priors_page

    found = load_priors(file, preset)
    intervals = found.intervals()
    rows = found.rows(intervals)
    if as_json:
        print_json({"name": found.name, "n_people": found.n_people, "labels": _plain(rows)})
    else:
        listed = sorted(rows, key=lambda row: -float(row["n"] and row["theta"]))
        table = [_cells(row) for row in listed]
        title = f"{found.name or file.name}: {_people(found)}"
        show(table, as_json=False, title=title, whole=[*table[0]][1:-1])
        print(intervals.note)
    if out is not None:
        priors_page(found, intervals, out)
        print(f"page: {out}", file=sys.stderr)


@priors.command()
def merge(
    files: Annotated[list[Path], typer.Argument(metavar="PRIORS...", help="Priors to add up.")],
    out: Annotated[Path, typer.Option(help="The sum, as JSON.")],
    name: Annotated[str, typer.Option(help="What outputs call these priors.")] = "",
) -> None:
    """Add priors up: counts, chance and people; the order does not matter."""
    from gazecode.priors import Priors

    with _said_once():
        found = Priors.merge([load_priors(file) for file in files], name=name)
    found.save(out)
    print(f"{_people(found)}, {found.shown.sum():.0f} tokens shown → {out}")


def load_priors(file: Path, preset: str | None = None) -> "Priors":
    """Load priors; what is odd about them is a note, once."""
    from gazecode.priors import Priors

    with _said_once():
        return Priors.load(file, preset)


@contextmanager
def _said_once() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", GazecodeWarning)
        yield
    for words in dict.fromkeys(str(w.message) for w in caught):
        print(f"note: {words}", file=sys.stderr)


def _people(found: "Priors") -> str:
    return f"{found.n_people} people" if found.n_people else "people not known"


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    """A row as people read it: chance beside theta, whatever is NaN unknown."""
    known = {k: "unknown" if v != v else v for k, v in row.items()}  # noqa: PLR0124 - NaN
    figures = {k: f"{v:.3f}" if isinstance(v, float) else str(v) for k, v in known.items()}
    bounds = "unknown" if known["low"] == "unknown" else f"{figures['low']}–{figures['high']}"
    return {
        "label": row["label"],
        "n": row["n"],
        "theta": figures["theta"],
        "95 %": bounds,
        "chance": figures["theta_null"],
        "enriched": figures["enrichment"],
        "flag": row["flag"],
    }


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """JSON has no NaN: null is unknown."""
    return [{k: None if v != v else v for k, v in row.items()} for row in rows]  # noqa: PLR0124

"""Commands on a whole study: the bundled one, and one's own."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gazecode.commands.shell import RESUME, Jobs, Resume, app, progress_bar, writing
from gazecode.errors import ParameterError

if TYPE_CHECKING:
    from gazecode.study import RunSummary

__all__ = ["demo", "run"]

SHOWN = (
    *("weights.parquet", "weights.h5", "fixations.parquet", "hits.parquet", "tokens.parquet"),
    *("card.md", "report.html"),
)
"""Outputs that are named when a run is done, the one to look at last."""

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="People under pseudonyms: a hash of their names keyed with the bytes of this file.",
    ),
]
NewKey = Annotated[
    Path | None,
    typer.Option(
        "--new-key", metavar="FILE", help="The same with a new key, written there (32 bytes)."
    ),
]
Share = Annotated[
    bool,
    typer.Option(
        "--share",
        help="Only what may be given away: sources pooled over at least five people.",
    ),
]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it leaves.")] = Path("demo"),
    jobs: Jobs = 1,
) -> None:
    """Run the bundled study end to end: quality, fixations on tokens, weights, a page.

    The gaze is synthetic (it says so everywhere): six readings of two programs, written by the
    package's own simulator in two vendors' formats.
    """
    from gazecode.demo import demo_study

    print("The bundled study is synthetic: simulated gaze on two short programs.")
    _run(demo_study(), out, jobs=jobs, advice="")


@app.command()
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")],
    out: Annotated[Path, typer.Option(help="Folder for the outputs.")],
    jobs: Jobs = 1,
    resume: Resume = False,
    key: KeyFile = None,
    new_key: NewKey = None,
    share: Share = False,
) -> None:
    """Run a whole study: recordings in, weights out.

    Leaves fixations, hits, tokens and weights (Parquet; weights in HDF5, too), quality.json,
    report.html, failures.csv and a dataset card (card.md). `docs/studies/` holds worked study
    files.
    """
    if new_key is not None:
        key = _made_key(new_key, key, out)
    _run(study, out, jobs=jobs, resume=resume, key=key, share=share)


def _made_key(path: Path, other: Path | None, out: Path) -> Path:
    from gazecode.study.pseudonyms import new_key

    if other is not None:
        raise ParameterError("--key and --new-key name two keys; give one of them")
    made = new_key(path, out=out)
    print(f"new key: {path}; keep it, and keep it apart from the outputs", file=sys.stderr)
    return made


def _run(
    study: Path,
    out: Path,
    *,
    jobs: int,
    resume: bool = False,
    key: Path | None = None,
    share: bool = False,
    advice: str = RESUME,
) -> None:
    """Run a study with a bar, say what it left, leave with 3 if something failed."""
    from gazecode.study import run_study

    with writing(out), progress_bar(advice=advice) as bar:
        task = bar.add_task("recordings", total=None)

        def tell(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        done = run_study(study, out, jobs=jobs, resume=resume, progress=tell, key=key, share=share)
    print(
        f"{done.n_recordings} recordings, {done.n_trials} trials, {done.n_fixations} fixations "
        f"→ {done.n_examples} examples in {done.out}"
    )
    print(f"weight_reach: {_reach(done.reach)}")
    for name in (n for n in SHOWN if n in done.files):
        print(f"  {done.out / name}{'  ← open this one' if name == 'report.html' else ''}")
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    if done.n_no_signal:
        print(f"note: {done.n_no_signal} examples hold no gaze signal", file=sys.stderr)
    if done.reach.get("n_inert"):
        print(
            f"note: {done.reach['n_inert']} examples have a weight_reach of 0: training on them "
            "is training without gaze",
            file=sys.stderr,
        )
    if done.n_failed_recordings or done.n_failed_trials:
        print(
            f"{done.n_failed_recordings} recordings and {done.n_failed_trials} single trials "
            f"could not be used: {_why(done)}",
            file=sys.stderr,
        )
        raise typer.Exit(3)


def _why(done: "RunSummary") -> str:
    if "failures.csv" in done.files:
        return f"{done.out / 'failures.csv'} says why"
    return "a run without --share says why"


def _reach(reach: Mapping[str, float | int]) -> str:
    """How much of the weight reaches the loss, over all examples, in a line."""
    points = [f"{name} {reach[name]:.3g}" for name in ("min", "median", "max") if name in reach]
    n, neutral = reach.get("n", 0), reach.get("n_neutral", 0)
    return ", ".join([f"{n} examples", *points, f"{neutral} neutral"])

"""Commands on a whole study: the bundled one, and one's own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gazecode.commands.shell import RESUME, Jobs, Resume, app, progress_bar

__all__ = ["demo", "run"]


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
    _run(demo_study(), out, jobs=jobs, resume=False)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")],
    out: Annotated[Path, typer.Option(help="Folder for the outputs.")],
    jobs: Jobs = 1,
    resume: Resume = False,
) -> None:
    """Run a whole study: recordings in, weights out.

    Leaves fixations, hits, tokens and weights (Parquet; weights in HDF5, too), quality.json,
    report.html and failures.csv. `docs/studies/` holds worked study files.
    """
    _run(study, out, jobs=jobs, resume=resume)


def _run(study: Path, out: Path, *, jobs: int, resume: bool) -> None:
    """Run a study with a bar, say what it left, leave with 3 if something failed."""
    from gazecode.study import run_study

    with progress_bar(advice=RESUME) as bar:
        task = bar.add_task("recordings", total=None)

        def tell(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        done = run_study(study, out, jobs=jobs, resume=resume, progress=tell)
    print(
        f"{done.n_recordings} recordings, {done.n_trials} trials, {done.n_fixations} fixations "
        f"→ {done.n_examples} examples in {done.out}"
    )
    for name in (
        "weights.parquet",
        "weights.h5",
        "fixations.parquet",
        "hits.parquet",
        "tokens.parquet",
    ):
        print(f"  {done.out / name}")
    print(f"  {done.out / 'report.html'}  ← open this one")
    for note in done.notes:
        print(f"note: {note}", file=sys.stderr)
    if done.n_no_signal:
        print(f"note: {done.n_no_signal} examples hold no gaze signal", file=sys.stderr)
    if done.n_failed_recordings or done.n_failed_trials:
        print(
            f"{done.n_failed_recordings} recordings and {done.n_failed_trials} single trials "
            f"could not be used: {done.out / 'failures.csv'} says why",
            file=sys.stderr,
        )
        raise typer.Exit(3)

"""The command line: ``gazecode --help``.

Exit status: 0 done; 1 bad data (one line says what was found, expected, and what to do);
2 wrong usage; 3 finished, but some recordings or trials failed (named in ``failures.csv``).
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gazecode.errors import GazecodeError, ParameterError
from gazecode.version import __version__

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""
Raw gaze of programmers in, subword-aligned attention weights out.

**New here?** `gazecode demo` runs a bundled study in seconds and leaves a page to look at.

**Your own recordings:** `gazecode info FILE` says what a tracker's file holds, `gazecode quality
FILE` whether it is usable, `gazecode run STUDY.toml --out DIR` writes the weights.

Exit status: 0 done · 1 bad data · 2 wrong usage · 3 finished, some recordings failed.
""",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Recorded = Annotated[Path, typer.Argument(metavar="FILE", help="A tracker's own export.")]
Format = Annotated[
    str | None,
    typer.Option("--format", help="Name the reader instead of sniffing; see `gazecode formats`."),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of the reader (JSON); may be repeated."
    ),
]
ScreenSize = Annotated[
    str | None,
    typer.Option(metavar="W,H[,WMM,HMM,DMM]", help="Screen px, then mm and distance mm."),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes to work in.")]
Resume = Annotated[bool, typer.Option("--resume", help="Take up an interrupted run.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gazecode {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of an error.")
    ] = False,
) -> None:
    del version
    if debug:
        os.environ["GAZECODE_DEBUG"] = "1"


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
def formats(as_json: AsJson = False) -> None:
    """List the formats that can be read."""
    from gazecode.readers import READERS

    rows = [
        {"name": r.name, "suffixes": " ".join(r.suffixes), "title": r.title}
        for r in READERS.values()
    ]
    _show(rows, as_json=as_json, title="Formats")


@app.command()
def info(
    file: Recorded,
    format: Format = None,  # noqa: A002
    options: Options = None,
    as_json: AsJson = False,
) -> None:
    """What is in a recording: format, rate, eyes, loss, trials, events."""
    from gazecode.describe import describe

    facts = describe(_read(file, format, None, options))
    if as_json:
        _print_json(facts)
        return
    trials = facts.pop("trials")
    rows = [{"what": k, "value": _cell(v)} for k, v in facts.items()]
    _show(rows, as_json=False, title=file.name)
    _show(trials, as_json=False, title=f"{len(trials)} trials")


@app.command()
def quality(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.")],
    format: Format = None,  # noqa: A002
    screen: ScreenSize = None,
    options: Options = None,
    out: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Is this gaze usable? Loss, precision, rate, and the reasons in words.

    Exit status 3 if a recording is not usable.
    """
    from gazecode.describe import quality_page, quality_row

    found, broken = _assess(files, format, screen, options)
    if as_json:
        _print_json({str(file): report.to_dict() for file, _, report in found})
    elif found:
        rows = [quality_row(str(file), report) for file, _, report in found]
        _show(rows, as_json=False, title="Quality")
        for file, _, report in found:
            for reason in report.reasons:
                print(f"{file}: {reason}")
    if out is not None and found:
        quality_page(found, out)
        print(f"page: {out}", file=sys.stderr)
    for line in broken:
        print(f"error: {line}", file=sys.stderr)
    if broken:
        raise typer.Exit(1)
    if not all(report.usable for _, _, report in found):
        raise typer.Exit(3)


@app.command()
def detect(
    file: Recorded,
    out: Annotated[Path, typer.Option(help="Events as .csv or .parquet.")],
    method: Annotated[str, typer.Option("--method", "-m", help="Name of the detector.")] = "ivt",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter; may be repeated."),
    ] = None,
    format: Format = None,  # noqa: A002
    screen: ScreenSize = None,
    options: Options = None,
) -> None:
    """Find fixations and saccades; none crosses a gap or the border of a trial."""
    from gazecode.describe import write_events
    from gazecode.pipeline import Steps, find_events

    recording = _read(file, format, screen, options)
    params = dict(_setting(text) for text in settings or ())
    events = find_events(recording, Steps(detect=method, detect_params=params))
    write_events(events, out)
    print(f"{len(events.of('fixation'))} fixations, {len(events)} events: {out}")


@app.command()
def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A source file.")],
    language: Annotated[str | None, typer.Option(help="Instead of telling by the suffix.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tokens and labels of a source file."""
    from gazecode.describe import read_source
    from gazecode.source import language_of
    from gazecode.source import parse as parse_code

    code = read_source(file)
    tokens = parse_code(code, language or language_of(file.name), source_id=file.name)
    rows = tokens.to_frame().astype(object).to_dict(orient="records")
    _show([{str(k): v for k, v in row.items()} for row in rows], as_json=as_json, title=file.name)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.")],
    out: Annotated[Path, typer.Option(help="Folder for the outputs.")],
    jobs: Jobs = 1,
    resume: Resume = False,
) -> None:
    """Run a whole study: recordings in, weights out.

    Leaves fixations.parquet, hits.parquet, weights.parquet, weights.h5, quality.json, report.html
    and failures.csv. `docs/studies/` holds worked study files.
    """
    _run(study, out, jobs=jobs, resume=resume)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Weights to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help=".parquet, .h5 or .jsonl")],
) -> None:
    """Convert weights between Parquet, HDF5 and JSONL; nothing is lost on the way."""
    from gazecode.export import convert as convert_file

    convert_file(source, target)
    print(f"{source.name} → {target}")


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Weights in any of the formats.")],
    as_json: AsJson = False,
) -> None:
    """Check a file of weights against the written schema (docs/schema.md)."""
    from gazecode.describe import validation_rows
    from gazecode.export import validate as validate_file

    report = validate_file(file)
    rows = validation_rows(report)
    if as_json:
        _print_json({"ok": report.ok, "problems": rows})
    elif rows:
        _show(rows, as_json=False, title=f"{file.name}: problems")
    else:
        print(f"{file.name}: valid")
    if not report.ok:
        raise typer.Exit(1)


def _run(study: Path, out: Path, *, jobs: int, resume: bool) -> None:
    """Run a study with a bar, say what it left, leave with 3 if something failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gazecode.study import run_study

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("recordings", total=None)

        def tell(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, description=name)

        done = run_study(study, out, jobs=jobs, resume=resume, progress=tell)
    print(
        f"{done.n_recordings} recordings, {done.n_trials} trials, {done.n_fixations} fixations "
        f"→ {done.n_examples} examples in {done.out}"
    )
    for name in ("weights.parquet", "weights.h5", "fixations.parquet", "hits.parquet"):
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


def _assess(
    files: list[Path],
    format: str | None,  # noqa: A002
    screen: str | None,
    options: list[str] | None,
) -> tuple[list[tuple[Path, Any, Any]], list[str]]:
    """Files with recording and report, and what is wrong with the others."""
    from gazecode.quality import assess

    found: list[tuple[Path, Any, Any]] = []
    broken: list[str] = []
    for file in files:
        try:
            recording = _read(file, format, screen, options)
            found.append((file, recording, assess(recording)))
        except GazecodeError as error:
            broken.append(_one_line(error))
    return found, broken


def _read(
    file: Path,
    format: str | None,  # noqa: A002
    screen: str | None,
    options: list[str] | None,
) -> Any:
    from gazecode.describe import parse_screen
    from gazecode.readers import read

    given = dict(_setting(text, "--option") for text in options or ())
    return read(file, format=format, screen=parse_screen(screen), **given)


def _setting(text: str, flag: str = "--set") -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ParameterError(f"{flag} {text}: expected NAME=VALUE, as in max_speed_deg_s=40")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)


def _show(rows: list[dict[str, Any]], *, as_json: bool, title: str) -> None:
    """A table for people, or JSON."""
    if as_json:
        _print_json(rows)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left")
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold")
    for row in rows:
        # Names come from files: shown as they are, never read as markup.
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    Console().print(table)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}; check the path"
    return " ".join(str(error).split())


def main() -> None:
    """Entry point: one line for an expected error, a traceback only when asked for."""
    try:
        app()
    except (GazecodeError, OSError) as error:
        if os.environ.get("GAZECODE_DEBUG"):
            raise
        print(f"error: {_one_line(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted; `gazecode run ... --resume` goes on from here", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()

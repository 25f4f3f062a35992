"""Commands on one recording: what is in it, is it usable, which events does it hold."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from gazecode.commands.shell import (
    AsJson,
    Settings,
    app,
    cell,
    one_line,
    print_json,
    progress_bar,
    say,
    setting,
    show,
    writing,
)
from gazecode.disk import printable
from gazecode.errors import GazecodeError

if TYPE_CHECKING:
    from gazecode.study.sections import Study
    from gazecode.verdict import Assessed, Wanted

__all__ = ["detect", "formats", "info", "quality"]

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


@app.command()
def formats(as_json: AsJson = False) -> None:
    """List the formats that can be read."""
    from gazecode.readers import READERS

    rows = [
        {"name": r.name, "suffixes": " ".join(r.suffixes), "title": r.title}
        for r in READERS.values()
    ]
    show(rows, as_json=as_json, title="Formats")


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
        print_json(facts)
        return
    trials = facts.pop("trials")
    rows = [{"what": k, "value": cell(v)} for k, v in facts.items()]
    show(rows, as_json=False, title=file.name)
    show(trials, as_json=False, title=f"{len(trials)} trials")


EXAMPLES = """
**Examples**

`gazecode quality P01.asc P02.asc --out quality.html` – a verdict, and a page with plots

`gazecode quality P01.asc --gate max_loss=0.2 --gate max_std_deg=false` – stricter, and without one

`gazecode quality P01.asc --target 960,540,500,1500 --line-height 29` – accuracy is measured on a
cross that was looked at from 0.5 to 1.5 s; can lines 29 px high be told from each other?

`gazecode quality --study study.toml --methods` – with the gates, layouts and targets of a study,
and a paragraph for the paper

Accuracy is known only where people looked at places that are known: a validation in the file, or
targets. How precise gaze is says nothing of it.

Exit status: 0 all usable · 1 a file cannot be read · 3 a recording is not usable.
"""


@app.command(epilog=EXAMPLES)
def quality(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Recordings.")
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="STUDY.toml",
            help="A study in place of files: its recordings, screen, gates, layouts, targets.",
        ),
    ] = None,
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", metavar="NAME=VALUE", help="A limit; false: none. May be repeated."),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="X,Y,ONSET_MS,OFFSET_MS",
            help="Where people looked (px), and when. May be repeated.",
        ),
    ] = None,
    line_height: Annotated[
        float | None,
        typer.Option(metavar="PX", help="Height of a line of code: can lines be told?"),
    ] = None,
    format: Format = None,  # noqa: A002
    screen: ScreenSize = None,
    options: Options = None,
    out: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    methods: Annotated[
        bool, typer.Option("--methods", help="Print a methods paragraph to paste.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Is this gaze usable? Accuracy, precision, loss, rate, and the reasons in words."""
    from gazecode.report import write_quality_page
    from gazecode.verdict import Wanted, gates_of, notes_of_study, page_of, target_of

    if (study is None) == (not files):
        raise typer.BadParameter("name recordings, or a study with --study; one of both")
    if study is not None and (format or screen or options):
        raise typer.BadParameter("--format, --screen and --option: a study says them itself")
    wanted = Wanted(
        gates=gates_of([setting(text, "--gate") for text in gates or ()]),
        targets=[target_of(text) for text in targets or ()],
        line_height_px=line_height,
        drawn=out is not None,
    )
    found, broken, told = _assess(files, study, wanted, format, screen, options)
    notes = [] if told is None else notes_of_study(told, found)
    _tell(found, broken, notes, methods=methods, as_json=as_json)
    if out is not None:
        title = "Quality of gaze" if told is None else f"Quality of gaze: {told.study.name}"
        with writing(out):
            write_quality_page(page_of(title, found, broken, notes), out)
        print(f"page: {out}", file=sys.stderr)
    for _, why in broken:
        print(f"error: {printable(why)}", file=sys.stderr)
    if broken:
        raise typer.Exit(1)
    if not all(one.report.usable for one in found):
        raise typer.Exit(3)


def _assess(
    files: list[Path] | None,
    study: Path | None,
    wanted: "Wanted",
    format: str | None,  # noqa: A002
    screen: str | None,
    options: list[str] | None,
) -> tuple[list["Assessed"], list[tuple[str, str]], "Study | None"]:
    """What was assessed; what cannot be read, and why; the study, if there is one."""
    from gazecode.describe import parse_screen
    from gazecode.verdict import jobs_of_files, jobs_of_study

    told = None
    if study is not None:
        told, jobs = jobs_of_study(study, wanted)
    else:
        given = dict(setting(text, "--option") for text in options or ())
        jobs = jobs_of_files(
            files or [], wanted, format=format, screen=parse_screen(screen), options=given
        )
    found: list[Assessed] = []
    broken: list[tuple[str, str]] = []
    with progress_bar() as bar:
        task = bar.add_task("", total=len(jobs), visible=len(jobs) > 1)
        for job in jobs:
            bar.update(task, description=escape(job.name))
            try:
                found.append(job.run())
            except (GazecodeError, OSError) as error:
                broken.append((job.name, one_line(error)))
            bar.advance(task)
    return found, broken, told


def _tell(
    found: list["Assessed"],
    broken: list[tuple[str, str]],
    notes: list[str],
    *,
    methods: bool,
    as_json: bool,
) -> None:
    """Print what was found: as JSON, or as tables with the reasons below."""
    from gazecode.quality import methods_paragraph
    from gazecode.verdict import document, participant_rows, table_rows, told_warnings

    if as_json:
        print_json(document(found, broken, notes))
        return
    if not found:
        return
    whole = ("usable", "Hz", "lost", "trials")
    show(table_rows(found), as_json=False, title="Quality", whole=whole)
    if people := participant_rows(found):
        show(people, as_json=False, title="Each person, over all recordings", whole=whole)
    for one in found:
        for reason in one.report.reasons:
            say(f"{one.short}: {reason}")
    for warning in [*told_warnings(found), *notes]:
        say(f"note: {warning}")
    if methods:
        print()
        say(methods_paragraph([one.report for one in found]))


@app.command()
def detect(
    file: Recorded,
    out: Annotated[Path, typer.Option(help="Events as .csv or .parquet.")],
    method: Annotated[str, typer.Option("--method", "-m", help="Name of the detector.")] = "ivt",
    settings: Settings = None,
    format: Format = None,  # noqa: A002
    screen: ScreenSize = None,
    options: Options = None,
) -> None:
    """Find fixations and saccades; none crosses a gap or the border of a trial."""
    from gazecode.describe import write_events
    from gazecode.finding import AUTO, find_events, said_of_detector

    recording = _read(file, format, screen, options)
    params = dict(setting(text) for text in settings or ())
    events = find_events(recording, method, params)
    write_events(events, out)
    if method == AUTO:
        say(said_of_detector(recording, method, params))
    print(f"{len(events.of('fixation'))} fixations, {len(events)} events: {out}")


def _read(
    file: Path,
    format: str | None,  # noqa: A002
    screen: str | None,
    options: list[str] | None,
) -> Any:
    from gazecode.describe import parse_screen
    from gazecode.readers import read

    given = dict(setting(text, "--option") for text in options or ())
    return read(file, format=format, screen=parse_screen(screen), **given)

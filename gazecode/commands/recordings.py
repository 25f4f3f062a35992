"""Commands on one recording: what is in it, is it usable, which events does it hold."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gazecode.commands.shell import AsJson, Settings, app, cell, one_line, print_json, setting, show
from gazecode.errors import GazecodeError

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
        print_json({str(file): report.to_dict() for file, _, report in found})
    elif found:
        rows = [quality_row(str(file), report) for file, _, report in found]
        show(rows, as_json=False, title="Quality")
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
    settings: Settings = None,
    format: Format = None,  # noqa: A002
    screen: ScreenSize = None,
    options: Options = None,
) -> None:
    """Find fixations and saccades; none crosses a gap or the border of a trial."""
    from gazecode.describe import write_events
    from gazecode.pipeline import Steps, find_events

    recording = _read(file, format, screen, options)
    params = dict(setting(text) for text in settings or ())
    events = find_events(recording, Steps(detect=method, detect_params=params))
    write_events(events, out)
    print(f"{len(events.of('fixation'))} fixations, {len(events)} events: {out}")


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
            broken.append(one_line(error))
    return found, broken


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

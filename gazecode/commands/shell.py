"""What all commands share: the program itself, options of one name, tables and JSON."""

import errno
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gazecode.disk import printable
from gazecode.errors import ParameterError
from gazecode.version import __version__

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = [
    "RESUME",
    "AsJson",
    "Jobs",
    "Resume",
    "Settings",
    "app",
    "cell",
    "one_line",
    "print_json",
    "progress_bar",
    "say",
    "setting",
    "show",
    "writing",
]

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

**Code nobody looked at:** `gazecode priors fit DIR --out priors.json` counts where people look,
`gazecode weigh CORPUS --priors priors.json --tokenizer tokenizer.json --out OUT` does the rest.

**Do models look where people look?** `gazecode agree out/weights.parquet MODEL` compares both,
beside chance and how far people agree.

Exit status: 0 done · 1 bad data · 2 wrong usage · 3 finished, some recordings or sources failed.
""",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes to work in.")]
RESUME = "the same command with --resume goes on from here"
Resume = Annotated[bool, typer.Option("--resume", help="Take up an interrupted run.")]


Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A parameter; may be repeated."),
]


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


def setting(text: str, flag: str = "--set") -> tuple[str, Any]:
    """``NAME=VALUE`` as a pair; the value is JSON where it can be, else text."""
    name, sign, value = text.partition("=")
    if not sign:
        raise ParameterError(f"{flag} {text}: expected NAME=VALUE, as in max_speed_deg_s=40")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


# JSON escapes the control characters of ASCII itself; a terminal obeys others, too.
_COMMANDING = re.compile(
    "[\x7f-\x9f\xad\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def print_json(value: Any) -> None:
    """JSON for programs."""
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    # All of these can stand in strings alone, where their escapes mean the same.
    print(_COMMANDING.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items()) or "–"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value)) or "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)


def show(
    rows: list[dict[str, Any]],
    *,
    as_json: bool,
    title: str,
    whole: Sequence[str] = (),
    piped_width: int | None = None,
) -> None:
    """A table for people, or JSON; cells of the columns in `whole` are never broken.

    A terminal's width is its own; a file or a pipe takes `piped_width` characters, 80 by default.
    """
    if as_json:
        print_json(rows)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(title)), box=box.SIMPLE_HEAD, title_justify="left")
    for name in rows[0] if rows else ():
        table.add_column(name, overflow="fold", no_wrap=name in whole)
    for row in rows:
        # Names come from files: never read as markup, and commanding no terminal.
        table.add_row(*(Text(printable(cell(value))) for value in row.values()))
    console = Console()
    if piped_width and not console.is_terminal:
        console = Console(width=piped_width)
    console.print(table)


def say(text: str) -> None:
    """Print a line that may hold what a file says."""
    print(printable(text))


def one_line(error: BaseException) -> str:
    """An expected error as its one line."""
    return printable(_said(error))


def _said(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        # Python gives no reason, numpy and Arrow say how much they asked for.
        said = f" ({one_line(Exception(str(error)))})" if str(error) else ""
        return f"out of memory{said}{_limit()}; give smaller files or more memory"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        if not _is_full(error):
            return f"{where}{error.strerror.lower()}; check the path"
        # Libraries put words of their own around those of the system.
        said = os.strerror(error.errno or 0).lower()
        then = "".join(getattr(error, "__notes__", ())) or "run it again"
        return f"{where}{said}; make room, then {then}"
    return " ".join(str(error).split())


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _limit() -> str:
    """The limit on memory that this process was given, where it was given one."""
    try:
        import resource
    except ImportError:  # Windows has none
        return ""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return "" if soft == resource.RLIM_INFINITY else f", the limit is {soft / 2**30:.3g} GiB"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name what is being written if there is no room for it."""
    try:
        yield
    except OSError as error:
        if _is_full(error) and not error.filename:
            error.filename = str(path)
        raise


@contextmanager
def progress_bar(*columns: Any, advice: str = "") -> Iterator["Progress"]:
    """A bar on a terminal's standard error, with further columns; silent elsewhere.

    An interrupt ends the program with status 130 and `advice`; a full disk gives it, too.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    shown = (BarColumn(), MofNCompleteColumn(), *columns, TimeElapsedColumn())
    bar = Progress(
        TextColumn("{task.description}"),
        *shown,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        with bar:
            yield bar
    except KeyboardInterrupt:
        print(f"interrupted{advice and '; '}{advice}", file=sys.stderr)
        raise typer.Exit(130) from None
    except OSError as error:
        if advice and _is_full(error):
            error.add_note(advice)
        raise

"""Commands on source files and on files of weights."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gazecode.commands.shell import AsJson, app, print_json, progress_bar, show
from gazecode.errors import ParameterError

__all__ = ["convert", "parse", "split", "validate"]


@app.command()
def parse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A source file.")],
    language: Annotated[str | None, typer.Option(help="Instead of telling by the suffix.")] = None,
    compat: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Labels of names (JSON), fitted to published rows."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tokens and labels of a source file."""
    from gazecode.describe import read_source
    from gazecode.source import language_of
    from gazecode.source import parse as parse_code

    code = read_source(file)
    spoken = language or language_of(file.name)
    tokens = parse_code(code, spoken, source_id=file.name, compat=compat)
    rows = tokens.to_frame().astype(object).to_dict(orient="records")
    show([{str(k): v for k, v in row.items()} for row in rows], as_json=as_json, title=file.name)


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
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Weights in any of the formats.")
    ],
    by: Annotated[
        str | None, typer.Option(help="What a split holds out: source, participant or both.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check weights against the written schema (docs/schema.md), and a split for leaks.

    Files given together are the parts of one split, training first: no source, near copy of a
    source, participant or source of a prior may be in two of them. A folder stands for the weights
    in it.
    """
    from gazecode.heldout import check_files

    reports, leaks = check_files(files, by=by)
    broken = [r for r in reports if not r.ok]
    if as_json:
        found = [{"file": r.path.name, **row} for r in reports for row in _problems(r)]
        said = [{**asdict(leak), "problem": str(leak)} for leak in leaks]
        print_json({"ok": not (broken or leaks), "problems": found, "leaks": said})
    for report in () if as_json else reports:
        if rows := _problems(report):
            show(rows, as_json=False, title=f"{report.path.name}: problems")
        else:
            print(f"{report.path.name}: valid")
    if leaks and not as_json:
        rows = [{"kind": k.kind, "what": k.name, "parts": ", ".join(k.parts)} for k in leaks]
        show(rows, as_json=False, title=f"{len(leaks)} leaks")
    if broken or leaks:
        raise typer.Exit(1)


def _problems(report: Any) -> list[dict[str, Any]]:
    return [{"row": p.row, "column": p.column, "problem": p.message} for p in report.problems]


@app.command()
def split(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Weights to split.")],
    out: Annotated[Path, typer.Option(help="Folder for train, valid and test.parquet.")],
    by: Annotated[
        str, typer.Option(help="What is held out: source, participant or both.")
    ] = "source",
    fractions: Annotated[
        str, typer.Option(metavar="NAME=SHARE,...", help="Parts and their shares, training first.")
    ] = "train=0.8,valid=0.1,test=0.1",
    seed: Annotated[int, typer.Option(help="Which groups go where.")] = 0,
) -> None:
    """Split weights so that nothing held out is known: no copy, no person, no prior's source."""
    from gazecode.heldout import write_parts

    shares = dict(_share(part) for part in fractions.split(","))
    with progress_bar() as bar:
        task = bar.add_task("splitting", total=None)
        counts = write_parts(
            inputs,
            out,
            by=by,
            fractions=shares,
            seed=seed,
            tell=lambda words: bar.update(task, description=words),
        )
    left_out = counts.pop("")
    print(", ".join(f"{name} {n}" for name, n in counts.items()) + f" examples in {out}")
    if left_out:
        print(f"note: {left_out} examples pair people and sources of two parts and are left out")


def _share(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise ParameterError(
            f"--fractions {text!r}: expected NAME=SHARE, as in train=0.8,test=0.2"
        ) from None

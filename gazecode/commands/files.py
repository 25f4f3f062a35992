"""Commands on source files and on files of weights."""

from pathlib import Path
from typing import Annotated

import typer

from gazecode.commands.shell import AsJson, app, print_json, show

__all__ = ["convert", "parse", "validate"]


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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Weights in any of the formats.")],
    as_json: AsJson = False,
) -> None:
    """Check a file of weights against the written schema (docs/schema.md)."""
    from gazecode.describe import validation_rows
    from gazecode.export import validate as validate_file

    report = validate_file(file)
    rows = validation_rows(report)
    if as_json:
        print_json({"ok": report.ok, "problems": rows})
    elif rows:
        show(rows, as_json=False, title=f"{file.name}: problems")
    else:
        print(f"{file.name}: valid")
    if not report.ok:
        raise typer.Exit(1)

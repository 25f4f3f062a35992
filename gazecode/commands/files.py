"""Commands on source files and on files of weights."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gazecode.commands.shell import AsJson, app, print_json, progress_bar, show, writing
from gazecode.errors import ParameterError

__all__ = ["card", "convert", "parse", "split", "validate"]


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
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="Weights in any container, told by content.")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help=".parquet, .h5 (.hdf5, .nc), .jsonl, .safetensors or .eyemulator.jsonl",
        ),
    ],
) -> None:
    """Convert weights between Parquet, HDF5, JSONL and safetensors; nothing is lost on the way.

    A file of an older schema becomes one of the current version. OUT.eyemulator.jsonl gives rows
    in the form that EyeMulator published: less than a weights file holds, and not read back as one.
    """
    from gazecode.export import convert as convert_file

    with writing(target):
        convert_file(source, target)
    print(f"{source.name} → {target}")


@app.command()
def validate(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Parquet, HDF5, JSONL or safetensors.")
    ],
    by: Annotated[
        str | None, typer.Option(help="What a split holds out: source, participant or both.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check weights against the written schema (docs/schema.md), and a split for leaks.

    Every container and every version is checked by its own rules, row by row, digests included.
    Files given together are the parts of one split, training first: no source, near copy of a
    source, participant or source of a prior may be in two of them. A folder stands for the weights
    in it.
    """
    from gazecode.heldout import check_files
    from gazecode.splitting.split import held_out

    reports, leaks = check_files(files, by=None if by is None else held_out(by))
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
def card(
    weights: Annotated[
        list[Path], typer.Argument(metavar="WEIGHTS...", help="Weights, or folders of them.")
    ],
    study: Annotated[
        Path | None,
        typer.Option(metavar="STUDY.toml", help="Whose [card] says consent, licence and so on."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=TEXT", help="A field of [card]; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The card, as Markdown; printed if not given.")
    ] = None,
) -> None:
    """Make a dataset card: what, from whom, consent and licence, parameters, quality, limits.

    What no file says is called "not stated". quality.json and corpus.json beside the weights are
    read, too.
    """
    from gazecode.export import replacing
    from gazecode.export.places import weights_files
    from gazecode.study.card import card_of_files

    said = dict(text_setting(text) for text in settings or ())
    text = card_of_files(weights_files(weights), study=study, settings=said)
    if out is None:
        print(text, end="")
        return
    with writing(out), replacing(out) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    print(f"card: {out}", file=sys.stderr)


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
    with writing(out), progress_bar() as bar:
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


def text_setting(text: str) -> tuple[str, str]:
    """``NAME=TEXT`` as a pair; the text is kept as it is typed."""
    name, sign, value = text.partition("=")
    if not sign:
        raise ParameterError(f'--set {text}: expected NAME=TEXT, as in license="CC-BY-4.0"')
    return name, value


def _share(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise ParameterError(
            f"--fractions {text!r}: expected NAME=SHARE, as in train=0.8,test=0.2"
        ) from None

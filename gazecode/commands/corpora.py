"""Commands on code nobody looked at: weigh a corpus, repair published rows."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gazecode.commands.priors import Preset, load_priors
from gazecode.commands.shell import (
    RESUME,
    AsJson,
    Jobs,
    Resume,
    Settings,
    app,
    print_json,
    progress_bar,
    setting,
    writing,
)
from gazecode.errors import ParameterError

__all__ = ["repair", "weigh"]

RATE = "{task.fields[rate]}"
MOST_FAILURES = 10
"""Lines of a broken file that are named one by one."""

PriorsFile = Annotated[
    Path, typer.Option("--priors", help="Of `gazecode priors fit`, or a published folder.")
]


@app.command()
def weigh(
    corpus: Annotated[
        list[Path],
        typer.Argument(metavar="CORPUS...", help="JSONL, Parquet, source files or folders."),
    ],
    priors: PriorsFile,
    tokenizer: Annotated[Path, typer.Option(help="Any tokenizer.json.")],
    out: Annotated[Path, typer.Option(help="A folder for shards, or one file .parquet.")],
    scheme: Annotated[str, typer.Option(help="eyemulator, salience, rarity or a control.")] = (
        "eyemulator"
    ),
    settings: Settings = None,
    other_priors: Annotated[
        Path | None,
        typer.Option(help="Of other people, for control_other_people: a file or folder."),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option("--path", metavar="NAME=VALUE", help="Of the pseudo path; may be repeated."),
    ] = None,
    align: Annotated[
        list[str] | None,
        typer.Option("--align", metavar="NAME=VALUE", help="Of the alignment; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the pseudo scan paths.")] = 0,
    preset: Preset = None,
    field: Annotated[str | None, typer.Option(help="Column that holds the code.")] = None,
    language: Annotated[str | None, typer.Option(help="Of all sources.")] = None,
    answer: Annotated[
        str | None,
        typer.Option(help="Column of what a model should answer: {answer} in the template."),
    ] = None,
    answer_language: Annotated[
        str, typer.Option(help="Of the answers, if they are code.")
    ] = "prose",
    template: Annotated[
        str | None, typer.Option(help="Text around {code} and {answer}; \\n is a new line.")
    ] = None,
    route: Annotated[
        str | None,
        typer.Option(help="source_lm, answer_prior, copy or attention: how weight meets the loss."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(min=8, help="Cut longer texts into windows of so many subwords.")
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(min=0, help="Subwords that windows share: an eighth if not said.")
    ] = None,
    id_field: Annotated[str | None, typer.Option(help="Column that names a source.")] = None,
    max_bytes: Annotated[int, typer.Option(min=1, help="Longer sources are reported.")] = 1_000_000,
    max_line_bytes: Annotated[
        int, typer.Option(min=1, help="Sources with longer lines are reported.")
    ] = 100_000,
    max_error_share: Annotated[
        float, typer.Option(min=0, max=1, help="Most of a source's bytes in syntax errors.")
    ] = 0.25,
    jobs: Jobs = 1,
    engine: Annotated[str, typer.Option(help="local, or dask for a cluster.")] = "local",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDR", help="Of dask, e.g. tcp://host:8786.")
    ] = None,
    resume: Resume = False,
) -> None:
    r"""Weigh code nobody looked at, by what is known of where people look.

    Reads EyeMulator, CodeSearchNet and CodeXGLUE rows, plain `code` fields, Parquet and folders of
    source files. Every source gets a pseudo scan path drawn from the priors, weights by the scheme,
    and its subwords theirs. The outputs are the same bytes whatever --jobs and --engine; sources
    that cannot be weighed are named in failures.csv (exit status 3).

    For a task, name the column of its answers: `--answer summary --template
    "Summarize:\n{code}\nSummary: {answer}" --route copy`. The loss then lies on the answer, and
    weights that cannot reach it are refused.

    Try `--set preset=paper` for the weights of the write-up, `--align mean_one=true` to compare
    them with plain training, `--scheme control_permuted` for a control.
    """
    from rich.progress import TextColumn

    from gazecode.corpus import AlignRule, ReadOptions, weigh_corpus

    given = dict(setting(text, "--align") for text in align or ())
    if answer is None and answer_language != "prose":
        raise ParameterError(
            "--answer-language says what answers are, and no --answer names them; give both"
        )
    named: dict[str, Any] = {
        "template": template and template.replace("\\n", "\n"),
        "route": route,
        "max_length": max_length,
        "overlap": overlap,
    }
    named = {name: value for name, value in named.items() if value is not None}
    if twice := named.keys() & given.keys():
        raise ParameterError(f"{', '.join(sorted(twice))}: given twice, also by --align; give one")
    given |= named
    try:
        rule = AlignRule(**given)
    except TypeError:
        names = ", ".join(AlignRule.__dataclass_fields__)
        raise ParameterError(f"--align {', '.join(given)}: expected one of {names}") from None
    params = dict(setting(text) for text in settings or ())
    if other_priors is not None:
        params["other_priors"] = load_priors(other_priors)
    with writing(out), progress_bar(TextColumn(RATE), advice=RESUME) as bar:
        task = bar.add_task("sources", total=None, rate="")

        def tell(now: Any) -> None:
            rate = f"{now.bytes_per_s / 1e6:.2f} MB/s"
            bar.update(task, completed=now.n_sources + now.n_failed, rate=rate)

        done = weigh_corpus(
            corpus,
            priors=load_priors(priors, preset),
            tokenizer=tokenizer,
            out=out,
            scheme=scheme,
            params=params,
            path_params=dict(setting(text, "--path") for text in path or ()),
            align=rule,
            seed=seed,
            jobs=jobs,
            engine=engine,
            scheduler=scheduler,
            resume=resume,
            options=ReadOptions(
                field=field,
                language=language,
                id_field=id_field,
                answer=answer,
                max_bytes=max_bytes,
                max_line_bytes=max_line_bytes,
            ),
            answer_language=answer_language,
            max_error_share=max_error_share,
            progress=tell,
        )
    shards = _counted(len(done.shards), "shard")
    print(f"{_counted(done.n_sources, 'source')} → {shards} in {done.out}")
    print(f"  {done.corpus}  ← what was done, counted")
    print(f"  {_reach(done.document)}")
    if rule.learn_end:
        ends = done.document["counts"]["sources_whose_end_counts"]
        print(f"  the end of the text counts in {ends} of {_counted(done.n_sources, 'source')}")
    if done.n_failed:
        print(
            f"{_counted(done.n_failed, 'source')} could not be weighed: {done.failures} says why",
            file=sys.stderr,
        )
        raise typer.Exit(3)


@app.command()
def repair(
    rows: Annotated[Path, typer.Argument(metavar="ROWS.jsonl", help="Rows of EyeMulator.")],
    priors: PriorsFile,
    out: Annotated[Path, typer.Option(help="The same rows with right weights.")],
    settings: Settings = None,
    preset: Preset = None,
    as_json: AsJson = False,
) -> None:
    """Weigh the published rows of EyeMulator again: by labels, not by the index that decodes none.

    Every row keeps what it holds and gains `weights`, `labels` and `window`. Exit status 3 if a
    line could not be read.
    """
    from dataclasses import asdict

    from gazecode.corpus import repair as repair_file

    params = dict(setting(text) for text in settings or ())
    if taken := {"priors", "path_in", "path_out"} & params.keys():
        raise ParameterError(f"--set {', '.join(sorted(taken))}: has an option of its own")
    report = repair_file(rows, out, load_priors(priors, preset), **params)
    if as_json:
        said = asdict(report)
        # JSON has no NaN, which stands for weights on no path.
        print_json({k: None if v != v else v for k, v in said.items()})  # noqa: PLR0124
    else:
        print(
            f"{report.repaired} of {_counted(report.rows, 'row')} → {out}: {report.on_path} of "
            f"{_counted(report.tokens, 'token')} on a path, mean weight {report.mean:.3f} "
            f"({report.lowest:.3f} to {report.highest:.3f})"
        )
    for broken in report.failures[:MOST_FAILURES]:
        print(f"{rows.name}:{broken.line}: {broken.reason}", file=sys.stderr)
    if (more := len(report.failures) - MOST_FAILURES) > 0:
        print(f"and {more} more lines that could not be read", file=sys.stderr)
    if report.failures:
        raise typer.Exit(3)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _reach(document: Mapping[str, Any]) -> str:
    """How much of the weight lies where the loss counts, over all examples."""
    reach = document["weight_reach"]
    if not reach["examples"]:
        return "weight_reach: every weight is neutral"
    tenths = ", ".join(f"{share}: {n}" for share, n in reach["by_tenths"].items())
    return f"weight_reach: mean {reach['mean']:.3f}, least {reach['min']:.3f} ({tenths})"

"""The command that asks whether models look where people look."""

import inspect
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gazecode.commands.shell import AsJson, app, print_json, progress_bar, say, show, writing
from gazecode.disk import printable, replacing
from gazecode.errors import ParameterError

if TYPE_CHECKING:
    from gazecode.agreeing import Agreed, Draws, Humans, ModelRows, ScoredText
    from gazecode.agreement.comparison import Figure
    from gazecode.agreement.programs import ExplanationTable

__all__ = ["agree"]

SCORES = "scores.parquet"
READING = (
    "attention_first_reading",
    "attention_last_reading",
    "attention_all_reading",
    "rollout",
)
"""What a model is asked unless told otherwise: what it attends to while it reads, no answer."""
WIDTH = 150
"""Of a table that no terminal bounds."""


@app.command()
def agree(
    human: Annotated[
        Path,
        typer.Argument(
            metavar="HUMAN",
            help="A run's folder, its weights (.parquet, .h5, .jsonl), or data of Kou et al. 2024.",
        ),
    ],
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="scores.parquet, a folder with a model of transformers, `programs`, or scores of "
            "Kou et al. 2024.",
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="spearman, iou, js, f1@10, ...; may be repeated."),
    ] = None,
    permutations: Annotated[int, typer.Option(min=0, help="Within each text, for chance.")] = 1000,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Draws of people and texts, for intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of both.")] = 0,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What to ask the model (attention of first, last and all layers while reading, "
            "rollout), or which scores of a file; may be repeated.",
        ),
    ] = None,
    answer_tokens: Annotated[
        int, typer.Option(min=1, metavar="N", help="Longest answer that a method asks for.")
    ] = 64,
    filler: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Masked language model (with its tokenizer.json) that masked_lm fills gaps by.",
        ),
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this row, or program; may be repeated."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also rank the programs against people and each row.")
    ] = False,
    compat: Annotated[
        str | None, typer.Option(metavar="NAME", help="kou2024: the figures as published.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER|page.html", help="agreement.json, agreement.html, scores."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where the model runs: cpu, cuda, mps.")] = "cpu",
    as_json: AsJson = False,
) -> None:
    """Do models look where people look? Each figure with its interval, chance and human ceiling.

    Gaze of a run beside small programs (token length, identifiers only, line starts, ...), learnt
    from other people and other files:

        gazecode agree results programs --out agreement

    beside a model on this machine, whose scores are kept, so that it is asked once:

        gazecode agree results models/tiny --method rollout --method shap --out agreement

        gazecode agree results agreement/scores.parquet --metric spearman --metric iou@10
    """
    from gazecode import agreeing

    _check_out(out)
    draws = agreeing.Draws(
        metrics=tuple(metric or ()), permutations=permutations, bootstrap=bootstrap, seed=seed
    )
    draws.check()
    if explain and (model == agreeing.PROGRAMS or agreeing.is_published(human)):
        raise ParameterError("--explain needs gaze and the scores of a model; leave it out here")
    asked, rows = tuple(method or ()), tuple(row or ())
    question = _Question(asked, answer_tokens=answer_tokens, filler=filler, device=device)
    with progress_bar() as bar:
        steps = _Steps(bar)
        if agreeing.is_published(human):
            agreed = _published(human, Path(model), draws, asked, rows, compat, steps)
        elif model == agreeing.PROGRAMS:
            _refuse_unused(compat, asked)
            humans, found = agreeing.program_rows(agreeing.read_gaze(human), rows, seed=seed)
            agreed = agreeing.agree_on_gaze(
                humans, found, draws, ranked=True, progress=steps.of("permuting")
            )
        else:
            _refuse_unused(compat)
            humans = agreeing.read_gaze(human)
            found = _rows(humans, Path(model), question, out, steps)
            chosen = agreeing.chosen_rows(found, rows)
            agreed = agreeing.agree_on_gaze(humans, chosen, draws, progress=steps.of("permuting"))
            if explain:
                report = steps.of("explaining")
                table = agreeing.what_explains(humans, chosen, draws, progress=report)
                agreed = replace(agreed, explained=table)
    inputs = {"human": human.resolve().name, "model": Path(model).resolve().name}
    _print(agreed, inputs, as_json=as_json)
    if out is not None:
        _write(agreed, inputs, out, quiet=as_json)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a model is asked, and how."""

    methods: tuple[str, ...]
    answer_tokens: int
    filler: Path | None
    device: str

    def parameters(self) -> dict[str, dict[str, Any]]:
        """Methods with the parameters of each, the usual ones if none are named."""
        from gazecode.attention.methods import method_named

        asked: dict[str, dict[str, Any]] = {}
        for name in self.methods or READING:
            fills = "filler" in inspect.signature(method_named(name).function).parameters
            if fills and self.filler is None:
                raise ParameterError(
                    f"--method {name} needs --filler FOLDER: a masked language model with its "
                    "tokenizer.json, as save_pretrained of transformers writes them"
                )
            asked[name] = {"filler": str(self.filler)} if fills else {}
        if self.filler is not None and not any(asked.values()):
            raise ParameterError("--filler is of methods that fill gaps: add --method masked_lm")
        return asked


class _Steps:
    """One bar for one step after the other."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=None)

    def of(self, words: str) -> Callable[..., None]:
        """What a step reports to: done, total and, if it says, what was done."""

        def report(done: int, total: int, what: str = "") -> None:
            said = f"{words} {printable(what, 60)}".strip()
            self._bar.update(self._task, description=said, completed=done, total=total)

        return report


def _check_out(out: Path | None) -> None:
    """Before the work, not after it."""
    if out is None:
        return
    if out.suffix == ".html":
        if not out.parent.is_dir():
            raise ParameterError(f"--out {out}: no folder {out.parent} to write to; make it first")
        return
    if out.exists() and not out.is_dir():
        raise ParameterError(f"--out {out}: expected a folder, or a page that ends in .html")


def _refuse_unused(compat: str | None, methods: Sequence[str] = ()) -> None:
    if methods:
        raise ParameterError("--method is what to ask a model; choose programs with --row")
    if compat:
        raise ParameterError(f"--compat {compat} is of the data of Kou et al. 2024 alone")


def _published(
    human: Path,
    model: Path,
    draws: "Draws",
    methods: Sequence[str],
    rows: Sequence[str],
    compat: str | None,
    steps: _Steps,
) -> "Agreed":
    from gazecode import agreeing

    if not agreeing.is_published(model):
        raise ParameterError(
            f"{human.name} is of the data of Kou et al. 2024, whose units are tokens of prompts; "
            f"expected their scores as MODEL, found {model.name}: METHOD_MODEL.pkl, "
            "attention.parquet, or the folder of them"
        )
    found = agreeing.read_published(human, model, methods=methods, rows=rows, compat=compat)
    return agreeing.agree_on_published(found, draws, progress=steps.of("permuting"))


def _rows(
    humans: "Humans",
    model: Path,
    question: _Question,
    out: Path | None,
    steps: _Steps,
) -> "ModelRows":
    """Scores that are there, or those of a model that is asked now."""
    from gazecode import agreeing

    if any((model / name).is_file() for name in ("config.json", "adapter_config.json")):
        asked = _asked(humans, model, question, steps)
        return agreeing.rows_of(_kept(asked, model, out), humans, name=model.name)
    file = model / SCORES if (model / SCORES).is_file() else model
    if file.exists() and agreeing.is_published(file):
        raise ParameterError(
            f"{model.name} scores the prompts of Kou et al. 2024; give what people marked in them "
            "as HUMAN: human.parquet, mbpp.csv, or the folder of the data"
        )
    if not file.is_file():
        raise ParameterError(
            f"{model}: no scores and no model; expected {SCORES}, a folder with the config.json of "
            f"a model, or the word {agreeing.PROGRAMS}"
        )
    return agreeing.read_rows(file, humans, methods=question.methods)


def _asked(
    humans: "Humans", folder: Path, question: _Question, steps: _Steps
) -> "Iterator[ScoredText]":
    """Ask a model of transformers about every text, one method after the other."""
    from gazecode import agreeing, attention

    sources = agreeing.sources_of(humans)
    methods = question.parameters()
    model = attention.load_model(folder)
    try:
        model = model.to(question.device)
    except (RuntimeError, AssertionError) as error:
        said = " ".join(str(error).split())[:120]
        raise ParameterError(
            f"--device {question.device}: {said}; take cpu, or a device that is there"
        ) from error
    scored = attention.attend_many(
        model,
        folder,
        sources,
        methods,
        max_new_tokens=question.answer_tokens,
        progress=steps.of("asking"),
    )
    order = [source for source in sources for _ in methods]
    for source, scores in zip(order, scored, strict=True):
        yield agreeing.ScoredText(source.source_id, source.code.decode(), scores, source.language)


def _kept(asked: "Iterator[ScoredText]", model: Path, out: Path | None) -> "Iterator[ScoredText]":
    """The scores, written on the way where there is a folder for them: nobody asks twice."""
    from gazecode import agreeing

    if out is None or out.suffix == ".html":
        print("note: the model's scores are not kept; --out FOLDER keeps them", file=sys.stderr)
        return asked
    out.mkdir(parents=True, exist_ok=True)
    path = out / SCORES
    with writing(path):
        agreeing.to_scores(asked, path, provenance={"asked": model.name})
    return agreeing.iter_scores(path)


def _print(agreed: "Agreed", inputs: Mapping[str, str], *, as_json: bool) -> None:
    from gazecode import agreeing

    if as_json:
        print_json(agreeing.as_dict(agreed, inputs))
        return
    first = agreed.comparisons[0].parameters
    for metric, figures in agreed.figures.items():
        said = agreeing.metric_words(agreed, metric)
        show(
            [_line(figure) for figure in figures],
            as_json=False,
            title=f"{metric}: {_ceiling(figures[0])}",
            whole=tuple(_line(figures[0]))[1:],
            piped_width=WIDTH,
        )
        if said:
            say(said)
        print()
    if agreed.explained is not None:
        _print_explained(agreed.explained)
    say(
        f"per item: mean over texts, 95 % over {first['bootstrap']:,} draws of {first['drawn']}; "
        f"chance: {first['permutations']:,} permutations within the text; seed {first['seed']}"
    )
    for line in agreed.warnings:
        say(f"note: {line}")


def _print_explained(table: "ExplanationTable") -> None:
    rows = [
        {"program": row["program"], **{name: _digits(row[name]) for name in table.readers}}
        for row in table.rows
    ]
    title = f"what explains whom: {table.metric} of every program"
    show(rows, as_json=False, title=title, whole=("program",), piped_width=WIDTH)


def _line(figure: "Figure") -> dict[str, Any]:
    undefined = sum(figure.undefined.values())
    return {
        "row": figure.row,
        "per item": _ranged(figure.mean, figure.low, figure.high),
        "chance": _ranged(figure.chance, figure.chance_low, figure.chance_high),
        "above": _digits(figure.above_chance),
        "pooled": _digits(figure.pooled),
        "at chance": _digits(figure.pooled_chance),
        "texts/units/people": f"{figure.n_items}/{figure.n_units}/{figure.n_people}",
        "undefined": undefined or "",
    }


def _ceiling(figure: "Figure") -> str:
    if math.isnan(figure.ceiling):
        return "no human ceiling (one person a text)"
    return f"human ceiling {_ranged(figure.ceiling, figure.ceiling_low, figure.ceiling_high)}"


def _ranged(value: float, low: float, high: float) -> str:
    beside = "" if "–" in (_digits(low), _digits(high)) else f" [{_digits(low)}, {_digits(high)}]"
    return _digits(value) + beside


def _digits(value: float) -> str:
    """Three decimals are what such figures are good for."""
    return "–" if math.isnan(value) else f"{value + 0.0:.3f}".replace("-0.000", "0.000")


def _write(agreed: "Agreed", inputs: Mapping[str, str], out: Path, *, quiet: bool) -> None:
    from gazecode import agreeing

    page = out if out.suffix == ".html" else out / "agreement.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    if page != out:
        path = out / "agreement.json"
        with writing(path), replacing(path) as beside:
            text = json.dumps(agreeing.as_dict(agreed, inputs), indent=1)
            beside.write_text(text + "\n", encoding="utf-8", newline="\n")
    with writing(page):
        agreeing.write_agreement_page(agreeing.as_view(agreed, inputs), page)
    print(f"page: {printable(str(page))}", file=sys.stderr if quiet else sys.stdout)

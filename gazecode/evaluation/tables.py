"""All evaluations by name, each a few tables: what ``gazecode evaluate`` prints and writes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazecode.errors import FormatError, ParameterError

__all__ = ["EVALUATIONS", "Evaluation", "Table", "evaluate"]

Rows = list[dict[str, Any]]

DETECTORS_SCORED = (
    *("ivt", "ivt_hysteresis", "idt", "engbert_kliegl", "ihmm"),
    *("nystrom_holmqvist", "larsson", "remodnav", "i2mc"),
)
DETECTORS_SHOWN = ("ivt", "ivt_hysteresis", "larsson")
"""Told in full: by every way to count, and at lower rates."""
FOR_CODE = ("jumps", "register")
"""Line methods made for code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one kind, what they are called, and a sentence on how to read them."""

    title: str
    said: str
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Some tables, and the data sets (folders) they are made of; any of `needs` will do."""

    title: str
    needs: Sequence[str]
    tables: Callable[[Path], Iterator[Table]]


def _detection(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.detection import found_by, rate_table, score, variant_table
    from gazecode.evaluation.handlabels import STIMULI, recordings
    from gazecode.evaluation.marks import HUMANS, PUBLISHED

    labelled = folder / "andersson2017-handlabels"
    held = {stimulus: list(recordings(labelled, [stimulus])) for stimulus in STIMULI}
    for stimulus, some in held.items():
        rows: Rows = [{"method": HUMANS, **row} for row in score(some, "MN")]
        for method in DETECTORS_SCORED:
            rows += [{"method": method, **row} for row in score(some, found_by(method))]
        yield Table(
            title=f"Detectors on {stimulus}: {len(some)} recordings",
            said="kappa: all samples, one class against the rest; mean: over recordings, with a "
            "95 % interval from a bootstrap over people. f1: events, intersection over union above "
            "one half; first: first overlap; by event: kappa of matched events. Times in ms.",
            rows=[_shown(row) for row in rows if row["n_found"]],
        )
    yield Table(
        title="Published kappas (Andersson et al. 2017), img / dots / video",
        said="Against the pooled pair of coders, all 34 recordings: not to be compared digit by "
        "digit.",
        rows=PUBLISHED,
    )
    for method in DETECTORS_SHOWN:
        yield Table(
            title=f"{method} on img: what is counted",
            said="kappa. common: without what the coder calls blink, pursuit or undefined.",
            rows=variant_table(held["img"], found_by(method)),
        )
        yield Table(
            title=f"{method} on img at lower rates",
            said="Decimated, with white noise added.",
            rows=rate_table(held["img"], found_by(method)),
        )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `score` in fewer, narrower columns."""
    return {
        "method": row["method"],
        "of": f"{row['kind']} {row['coder']}",
        "kappa": row["kappa"],
        "mean": f"{row['mean_kappa']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
        "f1": row["f1"],
        "first": row["f1_first"],
        "by event": row["event_kappa"],
        "onset": f"{row['onset_ms']:+.1f} ± {row['onset_sd_ms']:.1f}",
        "offset": f"{row['offset_ms']:+.1f} ± {row['offset_sd_ms']:.1f}",
        "n": f"{row['n_found']}/{row['n_coder']}",
        "mean ms": f"{row['mean_ms_found']:.0f}/{row['mean_ms_coder']:.0f}",
    }


def _hits(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.hits import hit_table

    yield Table(
        title="Fixations on tokens",
        said="Share of the fixations for which the data set names a token that fall on that token, "
        "and on its line; the median share of a soft hit on it, of all and of what lies on tokens.",
        rows=hit_table(folder),
    )


def _lines(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.code_lines import code_trials
    from gazecode.evaluation.line_table import line_table
    from gazecode.evaluation.prose import line_accuracy_table
    from gazecode.mapping.lines import LINE_METHODS

    if (folder / "carr2022-drift").is_dir():
        yield Table(
            title="Lines of prose (Carr et al. 2022): share of fixations on the line of the gold",
            said="Fixations that the gold discards are not scored; they are counted.",
            rows=line_accuracy_table(folder),
        )
    rows = line_table(code_trials(folder), list(LINE_METHODS))
    by_set: dict[str, Rows] = {}
    for row in rows:
        by_set.setdefault(row["set"], []).append(row)
    yield Table(
        title="Lines of code (busjahn2014 is prose): share of fixations on the right line",
        said="No method abstains here. EMIP's trials as they were corrected by hand, then with "
        "drift and noise put in (deg); eyeCode by the offset set by hand.",
        rows=[
            {"set": name, "n": held[0]["fixations"], **{r["method"]: r["accuracy"] for r in held}}
            for name, held in by_set.items()
        ],
    )
    yield Table(
        title="Lines of code: the methods for code beside the best other",
        said="sure: of the nine tenths a method is most sure of. margin: that minus the best "
        "other, in points. above .5: what a fixed threshold keeps, and how often it is right. "
        "calibration: mean difference of probability and accuracy.",
        rows=[_beside_best(held, method) for held in by_set.values() for method in FOR_CODE],
    )


def _beside_best(held: Rows, method: str) -> dict[str, Any]:
    """A method for code beside the best of the others on the same set."""
    ours = next(row for row in held if row["method"] == method)
    others = [row for row in held if row["method"] not in FOR_CODE]
    best = max(others, key=lambda row: float(row["accuracy"]))
    return {
        "set": ours["set"],
        "method": method,
        "readers": ours["readers"],
        "accuracy": f"{ours['accuracy']:.3f} ({ours['low']:.2f} to {ours['high']:.2f})",
        "sure": ours["accuracy_sure"],
        "best other": f"{best['method']} {best['accuracy']:.3f}",
        "margin": f"{100 * (ours['accuracy_sure'] - best['accuracy']):+.1f}",
        "above .5": f"{ours['accuracy_at']:.3f} of {1 - ours['abstained_at']:.2f}",
        "calibration": ours["calibration"],
    }


def _images(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.images import busjahn_table, emip_table, hansen_table, image_table

    for name, title, rows_of in (
        ("linearity-peitek2020", "Peitek et al. 2020, against the measured grids", image_table),
        ("emip-bednarik2020", "EMIP, against boxes of lines and words", emip_table),
        ("busjahn2013-eyecode", "Busjahn et al. 2013 (Arial), against boxes", busjahn_table),
        ("eyecode-hansen2012", "eyeCode's screenshots, against font and boxes", hansen_table),
    ):
        if (folder / name).is_dir():
            rows = [
                {k: v for k, v in row.items() if k != "seconds"} for row in rows_of(folder / name)
            ]
            yield Table(title=title, said="px, or % of the expected pitch.", rows=rows)


def _edits(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.edits import edit_table

    yield Table(
        title="An editing session replayed (iTrace, gazel's demonstration)",
        said="Every sample has a version of the text, and a token's id or a reason for none.",
        rows=[
            {"what": key.replace("_", " "), "value": str(value)}
            for row in edit_table(folder / "itrace-gazel-demo")
            for key, value in row.items()
        ],
    )


def _linearity(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.linearity import linearity_table, order_table

    yield Table(
        title="Linearity of reading",
        said="Shares of pairs of successive fixations on the text (Busjahn et al. 2015); n is "
        "their number.",
        rows=linearity_table(folder),
    )
    yield Table(
        title="Story order and execution order",
        said="Needleman-Wunsch of the lines fixated with the lines in that order.",
        rows=order_table(folder),
    )


def _agreement(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.kou import kou_tables

    yield from kou_tables(folder)


def _hypotheses(folder: Path) -> Iterator[Table]:
    from gazecode.evaluation.hypotheses import hypothesis_tables

    yield from hypothesis_tables(folder)


EVALUATIONS: Mapping[str, Evaluation] = {
    "detection": Evaluation(
        title="Detection",
        needs=["andersson2017-handlabels"],
        tables=_detection,
    ),
    "lines": Evaluation(
        title="Lines",
        needs=[
            *("carr2022-drift", "busjahn2013-eyecode", "busjahn2014-eyecode"),
            *("emip-bednarik2020", "eyecode-hansen2012"),
        ],
        tables=_lines,
    ),
    "hits": Evaluation(
        title="Token hits",
        needs=["eyecode-hansen2012", "emip-bednarik2020"],
        tables=_hits,
    ),
    "images": Evaluation(
        title="Text found in pictures",
        needs=[
            *("linearity-peitek2020", "emip-bednarik2020"),
            *("busjahn2013-eyecode", "eyecode-hansen2012"),
        ],
        tables=_images,
    ),
    "edits": Evaluation(
        title="Edits",
        needs=["itrace-gazel-demo"],
        tables=_edits,
    ),
    "linearity": Evaluation(
        title="Linearity",
        needs=["busjahn2013-eyecode", "busjahn2014-eyecode", "linearity-peitek2020"],
        tables=_linearity,
    ),
    "agreement": Evaluation(
        title="Agreement of models with marked words",
        needs=["kou2024"],
        tables=_agreement,
    ),
    "hypotheses": Evaluation(
        title="Programs as hypotheses",
        needs=["eyecode-hansen2012", "linearity-peitek2020", "emip-bednarik2020"],
        tables=_hypotheses,
    ),
}


def evaluate(folder: Path, names: Sequence[str] = ()) -> Iterator[tuple[str, Table | str]]:
    """The tables of the evaluations named, or of all: each with its evaluation's name.

    A string instead of a table says why an evaluation was left out.

    Raises
    ------
    ParameterError
        An evaluation nobody knows.
    FormatError
        None of the data sets is in the folder.
    """
    for name in names:
        if name not in EVALUATIONS:
            raise ParameterError.unknown("evaluations", name, EVALUATIONS)
    chosen = {name: EVALUATIONS[name] for name in names or EVALUATIONS}
    present = {
        name: any((folder / need).is_dir() for need in one.needs) for name, one in chosen.items()
    }
    if not any(present.values()):
        sets = sorted({need for one in chosen.values() for need in one.needs})
        raise FormatError(
            f"{folder} holds none of the data sets: {', '.join(sets)}; name the folder they lie in"
        )
    for name, one in chosen.items():
        if not present[name]:
            yield name, f"left out: none of {', '.join(one.needs)} is in {folder.name}"
            continue
        for table in one.tables(folder):
            yield name, table

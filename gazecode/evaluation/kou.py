"""Key words that people marked and the tokens a model scores highest: Kou et al. 2024.

doi:10.1145/3660807. What their paper prints, the same recomputed from their files, the figures with
whole key words and right places, and what scores permuted within every prompt reach.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gazecode.agreement.compare import compare
from gazecode.agreement.comparison import Comparison
from gazecode.agreement.kou import (
    Kou2024,
    KouFigures,
    as_comparison_inputs,
    kou_figures,
    load_kou2024,
    rows_by_units,
)
from gazecode.evaluation.tables import Table

__all__ = ["PUBLISHED", "chance_table", "figure_table", "kou_tables"]

FOLDER = "kou2024"
CHOSEN = (5, 10, 20)
"""Tokens chosen in a prompt, as in the paper."""
READINGS: Mapping[str, str | None] = {"as published": "kou2024", "whole key words": None}
"""How key words and places are read, and what `kou_figures` calls it."""
ALPHAS = tuple(f"alpha@{k}" for k in CHOSEN)
METRICS = (*(f"f1@{k}" for k in CHOSEN), *ALPHAS)

PUBLISHED: Mapping[tuple[str, str, int], tuple[str, str, str, str]] = {
    ("polycoder", "shap_perturbation", 5): ("34.4", "28.9", "31.4", "0.12"),
    ("polycoder", "shap_perturbation", 10): ("33.5", "56.2", "42.0", "0.19"),
    ("polycoder", "shap_perturbation", 20): ("33.2", "87.2", "48.1", "0.16"),
    ("polycoder", "saliency_coding", 5): ("36.7", "29.0", "32.4", "0.13"),
    ("polycoder", "saliency_coding", 10): ("35.3", "55.6", "43.2", "0.21"),
    ("polycoder", "saliency_coding", 20): ("35.0", "87.0", "50.0", "0.22"),
    ("codegen", "bert_perturbation", 5): ("51.8", "43.2", "47.1", "0.29"),
    ("codegen", "bert_perturbation", 10): ("41.8", "68.9", "52.0", "0.27"),
    ("codeparrot", "coding_last", 10): ("48.5", "73.6", "58.4", "0.45"),
    ("incoder", "inputxgradient_coding", 20): ("35.6", "52.8", "42.5", "0.28"),
}
"""Precision, recall and F1 (%) and alpha, as the paper's Table 2 prints them; a part of it."""


def kou_tables(folder: Path, *, permutations: int = 1000, seed: int = 0) -> Iterator[Table]:
    """The study's figures, and the same beside chance.

    Parameters
    ----------
    folder
        The folder of all data sets; it holds ``kou2024``, a copy of the study's repository or its
        data as Parquet.
    permutations, seed
        Of chance.

    Raises
    ------
    FormatError
        As `load_kou2024`.
    """
    study = load_kou2024(folder / FOLDER)
    yield Table(
        title="Key words and the tokens a model scores highest (Kou et al. 2024)",
        said="Precision / recall / F1 (%) of the k highest tokens / Krippendorff's alpha, prompts "
        "pooled. Published: Table 2 of the paper; recomputed: the same definition on the study's "
        "files; whole key words: with the last character of MBPP's key words, which the published "
        "figures cut off, and every token at its place.",
        rows=figure_table(study),
    )
    rows, said = chance_table(study, permutations=permutations, seed=seed)
    yield Table(
        title="The same beside chance: labels permuted within the prompt",
        said=said,
        rows=rows,
    )


def figure_table(study: Kou2024) -> list[dict[str, Any]]:
    """Every row at every k: published, recomputed, and with whole key words.

    Returns
    -------
    list of dict
        row, k, published (printed digits, None where they are not in `PUBLISHED`), recomputed,
        same (whether the recomputed figures round to the published), whole key words, kappa
        (Cohen's, recomputed), prompts, tokens (located of published).
    """
    rows = []
    for scores in study.scores:
        for k in CHOSEN:
            theirs = kou_figures(study.human, scores, k=k, compat="kou2024")
            right = kou_figures(study.human, scores, k=k)
            printed = PUBLISHED.get((scores.model, scores.method, k))
            rows.append(
                {
                    "row": scores.name,
                    "k": k,
                    "published": " / ".join(printed) if printed else None,
                    "recomputed": " / ".join(_printed(theirs, more=1)),
                    "same": None if printed is None else _yes(_printed(theirs) == printed),
                    "whole key words": " / ".join(_printed(right, more=1)),
                    "kappa": theirs.cohen_kappa,
                    "prompts": theirs.n_prompts,
                    "tokens": f"{theirs.tokens_located}/{theirs.tokens_total}",
                }
            )
    return rows


def _yes(held: object) -> str:
    return "yes" if held else "no"


def _printed(figures: KouFigures, *, more: int = 0) -> tuple[str, str, str, str]:
    """As the paper prints them, or with more digits."""
    shares = (figures.precision, figures.recall, figures.f1)
    precision, recall, f1 = (f"{share:.{1 + more}%}".rstrip("%") for share in shares)
    return precision, recall, f1, f"{figures.alpha:.{2 + more}f}"


def chance_table(
    study: Kou2024, *, permutations: int = 1000, seed: int = 0
) -> tuple[list[dict[str, Any]], str]:
    """F1 and alpha of every row at every k beside what they are at chance, and a sentence on it.

    Returns
    -------
    rows
        row, k, key words (how they are read); pooled F1 and alpha and the mean over prompts of
        alpha, each with its 95 % interval over prompts, and its mean and 95 % range at chance;
        prompts, and those where alpha is undefined.
    said
        How far pooled alpha is from 0 at chance, as measured.
    """
    found: list[dict[str, Any]] = []
    for reading, compat in READINGS.items():
        for group in rows_by_units(study.human, study.scores, compat=compat):
            marks, model = as_comparison_inputs(study.human, group, compat=compat)
            compared = compare(
                marks,
                model,
                metrics=METRICS,
                permutations=permutations,
                seed=seed,
                baselines=False,
            )
            found += [_beside(compared, row, k, reading) for row in model for k in CHOSEN]
    order = {scores.name: i for i, scores in enumerate(study.scores)}
    found.sort(key=lambda row: (order[row["row"]], row["k"]))
    return [_shown(row) for row in found], _said(found, permutations)


def _beside(compared: Comparison, row: str, k: int, reading: str) -> dict[str, Any]:
    f1, alpha = compared.figure(row, f"f1@{k}"), compared.figure(row, f"alpha@{k}")
    return {"row": row, "k": k, "key words": reading, "f1": f1, "alpha": alpha}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    f1, alpha = row["f1"], row["alpha"]
    return {
        "row": row["row"],
        "k": row["k"],
        "key words": row["key words"],
        "F1": _range(f1.pooled, f1.pooled_low, f1.pooled_high),
        "F1 at chance": _range(f1.pooled_chance, f1.pooled_chance_low, f1.pooled_chance_high),
        "alpha": _range(alpha.pooled, alpha.pooled_low, alpha.pooled_high),
        "alpha at chance": _range(
            alpha.pooled_chance, alpha.pooled_chance_low, alpha.pooled_chance_high
        ),
        "alpha per prompt": _range(alpha.mean, alpha.low, alpha.high),
        "its chance": _range(alpha.chance, alpha.chance_low, alpha.chance_high),
        "prompts": alpha.n_items,
        "undefined": sum(alpha.undefined.values()),
    }


def _range(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def _said(found: list[dict[str, Any]], permutations: int) -> str:
    """The warning, with the values measured: which k, how far from 0, and what does not rise."""
    published = [row for row in found if row["key words"] == next(iter(READINGS))]

    def spread(name: str, k: int) -> str:
        values = [getattr(row["alpha"], name) for row in published if row["k"] == k]
        ends = sorted({f"{value:.2f}" for value in (min(values), max(values))}, key=float)
        return " to ".join(ends)

    pooled = ", ".join(f"{spread('pooled_chance', k)} at k = {k}" for k in CHOSEN)
    alone = ", ".join(f"{spread('chance', k)} at k = {k}" for k in CHOSEN)
    return (
        f"Pooled alpha is not 0 at chance: permuted {permutations:,} times within every prompt, "
        f"and read as published, it is {pooled}, because short prompts have larger shares both of "
        f"key words and of chosen tokens. The mean over prompts is {alone}: below 0 where k is "
        "most of a prompt. Brackets: 95 % over prompts, and 95 % of permutations."
    )

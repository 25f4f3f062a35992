"""The measures by name, and those that a comparison makes unless told otherwise."""

from collections.abc import Iterable

from gazecode.agreement.choice_measures import AT_K, AUC, NSS, at_k
from gazecode.agreement.map_measures import IOU, JS, KL, SIM
from gazecode.agreement.measures import Measure
from gazecode.agreement.rank_measures import PARTIAL, PEARSON, SPEARMAN
from gazecode.errors import ParameterError
from gazecode.registry import Registry

__all__ = ["DEFAULT_METRICS", "METRICS", "chosen_measures"]

METRICS: Registry[Measure] = Registry(
    "metrics",
    {m.name: m for m in (SPEARMAN, PARTIAL, PEARSON, IOU, SIM, JS, KL, AUC, NSS)},
    group="gazecode.metrics",
    families={f"{name}@": at_k for name in AT_K},
)
"""Name → measure; ``iou@5``, ``precision@5``, ``recall@5``, ``f1@5``, ``alpha@5``, ``kappa@5``
and so on for any number of units."""

DEFAULT_METRICS = ("spearman", "partial_spearman", "iou", "js", "auc", "nss")


def chosen_measures(metrics: Iterable[str | Measure]) -> list[Measure]:
    """The measures asked for, each once.

    Raises
    ------
    ParameterError
        For an unknown name, a name alone instead of a list, or nothing.
    """
    if isinstance(metrics, str):
        raise ParameterError(f"metrics is {metrics!r}; expected a list of names: [{metrics!r}]")
    if not isinstance(metrics, Iterable):
        raise ParameterError(f"metrics is {metrics!r}; expected a list of names: ['spearman']")
    found = [m if isinstance(m, Measure) else METRICS[m] for m in metrics]
    if not found:
        raise ParameterError("no metric is asked for; expected at least one, such as 'spearman'")
    return list({measure.name: measure for measure in found}.values())

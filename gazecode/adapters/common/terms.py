"""The terms that a trainer's loss is made of: what each needs, sums, divides by and logs.

A term hands over a sum and what to divide it by, so that both are added up over all parts of a
batch before they are divided: a mean of means would be wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from gazecode.adapters.common.losses import (
    check_normalization,
    empty_denominator,
    human_rows,
    two_sided,
)
from gazecode.adapters.common.torch_losses import (
    TORCH,
    attention_alignment_loss,
    loss_denominator,
    path_margin_loss,
    weighted_causal_loss,
)
from gazecode.errors import DataError, ParameterError

__all__ = ["COLUMNS", "Sums", "Term", "Terms", "terms_of"]

TARGET = ("attention_target", "attention_queries", "attention_keys")
COLUMNS = ("labels", "loss_weight", "on_path", "human_attention", *TARGET)
"""Columns of a batch that the loss takes and the model never sees."""

Batch = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a loss.

    Attributes
    ----------
    columns
        Those of the batch that it needs.
    count
        From a batch: what the sum over it is divided by, in the end.
    total
        From the model's outputs, a batch and the logits of a reference: the sum, and what is to be
        logged, summed too.
    factor
        What its mean is multiplied by.
    refusal
        Makes the error for a batch of which nothing counts; without it the term is 0 there.
    unit, means
        What it counts, and which of the logged sums are divided by that.
    """

    columns: tuple[str, ...]
    count: Callable[[Batch], Tensor]
    total: Callable[[Any, Batch, Tensor | None], tuple[Tensor, dict[str, Any]]]
    factor: float = 1.0
    refusal: Callable[[], DataError] | None = None
    unit: str = ""
    means: tuple[str, ...] = ()

    def divisor(self, count: Tensor, *, check: bool) -> Tensor:
        """The count of a whole batch as it divides."""
        if check and self.refusal and not count > 0:
            raise self.refusal()
        return torch.where(count > 0, count, torch.nan if self.refusal else 1.0)

    def logs(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Means over what was used, and the count of what was not."""
        if self.unit not in sums:
            return {}
        used = float(sums[self.unit])
        means = {k: float(sums[k]) / used if used else torch.nan for k in self.means}
        return means | {f"skipped_{self.unit}": float(sums[f"skipped_{self.unit}"])}


def _weighted(normalization: str) -> Term:
    """Cross-entropy with a weight per predicted token."""
    check_normalization(normalization)

    def count(batch: Batch) -> Tensor:
        labels, weight = batch["labels"], batch["loss_weight"]
        if normalization == "sum":
            # Nothing is divided, however many parts there are.
            return weight.new_zeros(())
        return loss_denominator(labels, weight, normalization, batch.get("on_path"))

    def total(outputs: Any, batch: Batch, _: Any) -> tuple[Tensor, dict[str, Any]]:
        labels, weight = batch["labels"], batch["loss_weight"]
        return weighted_causal_loss(_own(outputs, batch), labels, weight, denominator=1.0), {}

    return Term(
        columns=("labels", "loss_weight", *["on_path"] * (normalization == "path")),
        count=count,
        total=total,
        refusal=None if normalization == "sum" else partial(empty_denominator, normalization),
    )


def _margin(factor: float, beta: float) -> Term:
    """Preference for output tokens on the path."""

    def count(batch: Batch) -> Tensor:
        return two_sided(TORCH, batch["labels"], batch["on_path"]).sum()

    def total(outputs: Any, batch: Batch, reference: Any) -> tuple[Tensor, dict[str, Any]]:
        found = path_margin_loss(
            _own(outputs, batch),
            batch["labels"],
            batch["on_path"],
            reference_logits=reference,
            beta=beta,
        )
        return found.loss * found.n_used, {
            "sequences": found.n_used,
            "skipped_sequences": found.n_skipped,
            "off_path_nll": found.off_path_nll * found.n_used if found.n_used else 0.0,
        }

    return Term(
        columns=("labels", "on_path"),
        count=count,
        total=total,
        factor=factor,
        unit="sequences",
        means=("off_path_nll",),
    )


def _alignment(factor: float, layers: Sequence[int] | None) -> Term:
    """Supervision of the model's attention."""

    def count(batch: Batch) -> Tensor:
        human, _ = human_rows(TORCH, *(batch[name] for name in TARGET))
        return (human.sum(-1) > 0).sum()

    def total(outputs: Any, batch: Batch, _: Any) -> tuple[Tensor, dict[str, Any]]:
        # A model with another kernel gives None, or no layers, or layers of None.
        given = getattr(outputs, "attentions", None)
        found = attention_alignment_loss(given, *(batch[name] for name in TARGET), layers=layers)
        return found.loss * found.n_rows, {
            "rows": found.n_rows,
            "skipped_rows": found.n_skipped,
            "attention_kl": found.loss * found.n_rows,
            "sink_share": found.sink_share * found.n_rows if found.n_rows else 0.0,
        }

    return Term(
        columns=("labels", *TARGET),
        count=count,
        total=total,
        factor=factor,
        unit="rows",
        means=("attention_kl", "sink_share"),
    )


def _own(outputs: Any, batch: Batch) -> Tensor:
    """Logits of the batch: prompt tuning puts positions of its own before them."""
    return outputs.logits[:, -batch["labels"].shape[1] :]


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms of a loss: counts and sums of a batch are ``(n_terms,)``."""

    terms: tuple[Term, ...]

    def __len__(self) -> int:
        return len(self.terms)

    def columns(self, batch: Batch) -> dict[str, Any]:
        """The columns of gaze in a batch; refuse one without those that the terms need."""
        needed = dict.fromkeys(name for term in self.terms for name in term.columns)
        missing = [name for name in needed if name not in batch]
        if missing:
            target = "(target=...)" if TARGET[0] in needed else ""
            raise DataError(
                f"the batch has no {', '.join(missing)}; found {', '.join(batch)}. Make it with "
                f"gazecode.adapters.torch.Collator{target}"
            )
        return {name: batch[name] for name in COLUMNS if name in batch}

    def counts(self, batch: Batch) -> Tensor:
        """What the terms are divided by, for a part of a batch."""
        gaze = self.columns(batch)
        return torch.stack([term.count(gaze).float() for term in self.terms])

    def divisors(self, counts: Tensor, *, check: bool = True) -> Tensor:
        """Counts as they divide, once they are added up over a whole batch."""
        pairs = zip(self.terms, counts, strict=True)
        return torch.stack([term.divisor(count, check=check) for term, count in pairs])

    def totals(self, outputs: Any, gaze: Batch, reference: Tensor | None, seen: "Sums") -> Tensor:
        """The sums over a part of a batch; what is to be logged goes to `seen`."""
        found = [term.total(outputs, gaze, reference) for term in self.terms]
        for _, logged in found:
            seen.add(**logged)
        return torch.stack([total for total, _ in found])

    def loss(self, totals: Tensor, divisors: Tensor) -> Tensor:
        """Every term divided, times its factor, added up."""
        factors = totals.new_tensor([term.factor for term in self.terms])
        return (factors * totals / divisors).sum()

    def logs(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """What is logged beside the loss."""
        return {f"gaze/{k}": v for term in self.terms for k, v in term.logs(sums).items()}


def terms_of(
    normalization: str,
    *,
    path_margin: float,
    beta: float,
    attention: float,
    layers: Sequence[int] | None,
) -> Terms:
    """The weighted loss, and the terms whose factor is above 0."""
    terms = [_weighted(normalization)]
    for name, value in {"path_margin": path_margin, "beta": beta, "attention": attention}.items():
        if not (isfinite(value) and value >= 0):
            raise ParameterError(f"{name} is {value}; expected a finite number of 0 or more")
    if not beta:
        raise ParameterError("beta is 0, which leaves no preference; expected more than 0")
    if path_margin:
        terms.append(_margin(path_margin, beta))
    if attention:
        terms.append(_alignment(attention, layers))
    return Terms(tuple(terms))


class Sums:
    """Running sums by name, kept on the device until they are asked for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def add(self, **values: Any) -> None:
        """Add to each name its number or array."""
        for name, value in values.items():
            number = torch.as_tensor(value, dtype=torch.float32).detach()
            self._sums[name] = self._sums[name] + number if name in self._sums else number

    def over_processes(self, accelerator: Any) -> dict[str, Tensor]:
        """The sums over all processes, all of which have to ask."""
        device = accelerator.device
        return {k: accelerator.reduce(v.to(device), "sum") for k, v in self._sums.items()}

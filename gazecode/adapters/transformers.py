"""A `transformers.Trainer` whose loss is weighted by gaze; the model stays as it is.

Any causal language model, PEFT and LoRA models included: the model is called without labels and
without the columns of gaze, the loss is made here from its logits.

Checked against transformers 4.50, 4.57 and 5.23. What it relies on there: `get_batch_samples` sees
all micro-batches of a step before the first is run; what it returns second reaches `compute_loss`
as `num_items_in_batch`; a loss made from it is not divided by the number of accumulation steps
again; gradients are averaged over processes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any

from gazecode.adapters.arrays import IGNORED, NORMALIZATIONS
from gazecode.adapters.reference import empty_denominator
from gazecode.errors import DataError, ParameterError

try:
    import torch
    from transformers import Trainer
except ImportError as error:
    raise ImportError(
        "gazecode.adapters.transformers needs transformers, accelerate and torch: "
        "pip install 'gazecode[transformers]'"
    ) from error

from gazecode.adapters.torch import (
    attention_alignment_loss,
    loss_denominator,
    path_margin_loss,
    weighted_causal_loss,
)

__all__ = ["GazeTrainer"]

TARGET = ("attention_target", "attention_queries", "attention_keys")
COLUMNS = ("labels", "loss_weight", "on_path", "human_attention", *TARGET)
"""Columns of a batch that the loss takes and the model never sees."""


@dataclass(frozen=True, slots=True)
class _Totals:
    """Denominators of the three terms over everything one optimizer step sees, ``(3,)``."""

    divisors: torch.Tensor


class GazeTrainer(Trainer):
    """Train a causal language model with a weight per predicted token.

    Takes what `transformers.Trainer` takes, in the same places, and by keyword what follows. The
    batches are those of `gazecode.adapters.torch.Collator`, which has to be given as
    `data_collator`. The loss is::

        weighted + path_margin * margin + attention * alignment

    The numerator and the denominator of each term are summed over all micro-batches of a step and
    all processes before they are divided (`average_tokens_across_devices` is not asked), so that
    accumulating gradients gives the gradient of the one big batch. ``eval_loss`` is the same loss
    over the whole evaluation set, whatever the batch size; on several processes the examples that
    fill up the last batch count twice.

    Parameters
    ----------
    normalization
        What the weighted sum is divided by, one of `gazecode.adapters.torch.NORMALIZATIONS`.
    path_margin
        Factor of the preference term (`path_margin_loss`, unverified); 0 leaves it out. The paper
        has 0.1.
    beta
        Sharpness of the preference term.
    reference_model
        Frozen model the preference term compares with. A PEFT model needs none: its base, adapters
        switched off, is the reference.
    attention
        Factor of the supervision of attention (`attention_alignment_loss`); 0 leaves it out.
        Needs a model with ``attn_implementation="eager"`` and a `Collator` with a `target`.
    attention_layers
        Layers that are supervised; all by default.

    Raises
    ------
    ParameterError
        An option out of its range; no collator; no reference for a preference term; what would
        replace the loss (`compute_loss_func`, `label_smoothing_factor`) or cut sequences.
    DataError
        While training: a batch without the columns of gaze, a model without attention weights.

    Notes
    -----
    Beside the loss it logs, where the term is on, ``gaze/off_path_nll`` and
    ``gaze/skipped_sequences`` (nothing on or nothing off the path), ``gaze/attention_kl``,
    ``gaze/sink_share`` and ``gaze/skipped_rows`` (no human attention on a key); the same with
    ``eval_`` before them after an evaluation. It sets ``args.remove_unused_columns`` to False.
    """

    loss_is_scaled_for_ga = True

    def __init__(
        self,
        model: Any = None,
        args: Any = None,
        data_collator: Any = None,
        *rest: Any,
        normalization: str = "active",
        path_margin: float = 0.0,
        beta: float = 0.1,
        reference_model: Any = None,
        attention: float = 0.0,
        attention_layers: Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        _check(normalization, path_margin=path_margin, beta=beta, attention=attention)
        if data_collator is None:
            raise ParameterError(
                "GazeTrainer has no data_collator; give it gazecode.adapters.torch.Collator("
                "pad_id=...), which makes the batches it takes"
            )
        super().__init__(model, args, data_collator, *rest, **options)
        self.normalization = normalization
        self.path_margin = path_margin
        self.beta = beta
        self.attention = attention
        self.attention_layers = attention_layers
        self.reference_model = self._frozen(reference_model)
        self._refuse_other_losses()

        # The collator makes columns out of fields that no model knows.
        self.args.remove_unused_columns = False
        self.label_names = ["labels"]
        # Before there was `loss_is_scaled_for_ga`, this said that the loss is divided once only.
        self.model_accepts_loss_kwargs = True
        self._seen = {"train": _Seen(), "eval": _Seen()}

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> tuple[list[Any], _Totals]:
        """All micro-batches of one step, and the denominators of the loss over all of them."""
        batches, _ = super().get_batch_samples(*args, **kwargs)
        counts = torch.zeros(3, device=self.args.device)
        for batch in batches:
            counts += self._denominators(batch).to(counts.device)
        counts = self.accelerator.reduce(counts, "sum")
        # A run that is taken up asks once more when an epoch is over, and gets no batch.
        return batches, _Totals(self._divisors(counts, check=bool(batches)))

    def compute_loss(
        self,
        model: Any,
        inputs: Mapping[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the trainer's signature
        num_items_in_batch: Any = None,
    ) -> Any:
        """The weighted loss of one micro-batch, as its part of the whole step.

        `num_items_in_batch` are the denominators of `get_batch_samples`; whatever else is there
        (an evaluation has the number of labels) is not used, the batch stands for itself.
        """
        gaze = self._columns(inputs)
        # Under `use_liger_kernel` an evaluation asks for no logits: they are all that is wanted.
        plain = {k: v for k, v in inputs.items() if k not in (*COLUMNS, "skip_logits")}
        reference = self._reference_logits(model, plain) if self.path_margin else None
        if self.attention:
            plain["output_attentions"] = True
        outputs = model(**plain)

        seen = self._seen["train" if model.training else "eval"]
        part = self._numerators(outputs, gaze, reference, seen)
        if isinstance(num_items_in_batch, _Totals):
            # Gradients are averaged over processes; the denominators are those of all of them.
            loss = self._joined(part, num_items_in_batch.divisors) * self.accelerator.num_processes
        else:
            counts = self._denominators(gaze).to(part.device)
            seen.add(part=part, counts=counts)
            loss = self._joined(part, self._divisors(counts, check=model.training))
        if not return_outputs:
            return loss
        return loss, _without_attentions(outputs) if self.attention else outputs

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,  # noqa: FBT001 - the trainer's signature
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """The trainer's own, with a loss over the whole set in place of a mean over batches."""
        self._seen["eval"] = seen = _Seen()
        output = super().evaluation_loop(
            dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )
        sums = seen.summed(self.accelerator)
        if "part" in sums:
            loss = self._joined(sums["part"], self._divisors(sums["counts"]))
            logs = {"loss": float(loss), **_logs(sums)}
            output.metrics.update({f"{metric_key_prefix}_{k}": v for k, v in logs.items()})
        return output

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """The trainer's own; a line of training gets what the terms of gaze have to say."""
        # Every process logs its loss, so that all of them meet here to sum.
        if "loss" in logs:
            logs.update(_logs(self._seen["train"].summed(self.accelerator)))
            self._seen["train"] = _Seen()
        super().log(logs, *args, **kwargs)

    def _columns(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of gaze in a batch; refuse one without those that the terms need."""
        needed = ["labels", "loss_weight"]
        if self.path_margin or self.normalization == "path":
            needed += ["on_path"]
        if self.attention:
            needed += TARGET
        missing = [name for name in needed if name not in inputs]
        if missing:
            raise DataError(
                f"the batch has no {', '.join(missing)}; found {', '.join(inputs)}. Make it with "
                "gazecode.adapters.torch.Collator" + ("(target=...)" if self.attention else "")
            )
        return {name: inputs[name] for name in COLUMNS if name in inputs}

    def _denominators(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        """What the three terms are divided by, for one micro-batch, ``(3,)``."""
        gaze = self._columns(inputs)
        labels, on_path = gaze["labels"], gaze.get("on_path")
        counts = torch.zeros(3, device=labels.device)
        counts[0] = loss_denominator(labels, gaze["loss_weight"], self.normalization, on_path)
        if self.path_margin:
            counts[1] = _two_sided(labels, on_path)
        if self.attention:
            counts[2] = _rows_with_mass(*(gaze[name] for name in TARGET))
        return counts

    def _divisors(self, counts: torch.Tensor, *, check: bool = True) -> torch.Tensor:
        """Denominators as they divide, once they are added up over a whole batch."""
        divisors = counts.clone()
        if self.normalization == "sum":
            divisors[0] = 1.0
        elif check and not divisors[0] > 0:
            raise empty_denominator(self.normalization)
        # A term without a sequence, or without a row, is 0.
        divisors[1:].clamp_(min=1.0)
        return divisors

    def _joined(self, part: torch.Tensor, divisors: torch.Tensor) -> torch.Tensor:
        factors = part.new_tensor([1.0, self.path_margin, self.attention])
        return (factors * part / divisors).sum()

    def _numerators(
        self, outputs: Any, gaze: dict[str, Any], reference: Any, seen: "_Seen"
    ) -> torch.Tensor:
        """The three terms of one micro-batch before they are divided, ``(3,)``."""
        labels = gaze["labels"]
        # Prompt tuning puts positions of its own before those of the batch.
        logits = outputs.logits[:, -labels.shape[1] :]
        loss = weighted_causal_loss(logits, labels, gaze["loss_weight"], denominator=1.0)
        margin = alignment = loss.new_zeros(())
        if self.path_margin:
            margin = self._margin(logits, gaze, reference, seen)
        if self.attention:
            alignment = self._alignment(outputs, gaze, seen)
        return torch.stack([loss, margin, alignment])

    def _margin(
        self, logits: torch.Tensor, gaze: dict[str, Any], reference: Any, seen: "_Seen"
    ) -> torch.Tensor:
        found = path_margin_loss(
            logits, gaze["labels"], gaze["on_path"], reference_logits=reference, beta=self.beta
        )
        seen.add(
            sequences=found.n_used,
            skipped_sequences=found.n_skipped,
            off_path_nll=found.off_path_nll * found.n_used if found.n_used else 0.0,
        )
        return found.loss * found.n_used

    def _alignment(self, outputs: Any, gaze: dict[str, Any], seen: "_Seen") -> torch.Tensor:
        # A model with another kernel gives None, or no layers, or layers of None.
        attentions = getattr(outputs, "attentions", None)
        if not attentions or any(layer is None for layer in attentions):
            raise DataError(
                "the model gave no attention weights, which attention > 0 supervises; load it with "
                'attn_implementation="eager" or call model.set_attn_implementation("eager")'
            )
        found = attention_alignment_loss(
            attentions, *(gaze[name] for name in TARGET), layers=self.attention_layers
        )
        seen.add(
            rows=found.n_rows,
            skipped_rows=found.n_skipped,
            attention_kl=found.loss * found.n_rows,
            sink_share=found.sink_share * found.n_rows if found.n_rows else 0.0,
        )
        return found.loss * found.n_rows

    def _frozen(self, reference: Any) -> Any:
        """The reference model where the batches are, without gradients."""
        if reference is None:
            if self.path_margin and not hasattr(self.model, "disable_adapter"):
                raise ParameterError(
                    "path_margin has no reference; give reference_model, a copy of the model as it "
                    "is before training, or train a PEFT model, whose base is the reference"
                )
            return None
        if getattr(reference, "hf_device_map", None) is None:
            reference.to(self.args.device)
        return reference.eval().requires_grad_(requires_grad=False)

    def _reference_logits(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        with torch.no_grad():
            if self.reference_model is not None:
                return self.reference_model(**inputs).logits
            with self.accelerator.unwrap_model(model).disable_adapter(), _evaluating(model):
                return model(**inputs).logits

    def _refuse_other_losses(self) -> None:
        if self.compute_loss_func is not None or self.args.label_smoothing_factor:
            raise ParameterError(
                "compute_loss_func and label_smoothing_factor would replace the weighted loss; "
                "leave them out"
            )
        pieces = getattr(self.accelerator, "parallelism_config", None)
        if getattr(pieces, "cp_enabled", False) or getattr(pieces, "sp_enabled", False):
            raise ParameterError(
                "context and sequence parallelism cut sequences into pieces, whose gaze would be "
                "lost at the cuts; use data or tensor parallelism"
            )


class _Seen:
    """Running sums of what is to be logged, by name; kept on the device until then."""

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}

    def add(self, **values: Any) -> None:
        for name, value in values.items():
            number = torch.as_tensor(value, dtype=torch.float32).detach()
            self._sums[name] = self._sums[name] + number if name in self._sums else number

    def summed(self, accelerator: Any) -> dict[str, torch.Tensor]:
        """The sums over all processes, all of which have to ask."""
        device = accelerator.device
        return {k: accelerator.reduce(v.to(device), "sum") for k, v in self._sums.items()}


def _logs(sums: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """What the trainer logs beside the loss: means over what was used, counts of what was not."""
    logs: dict[str, float] = {}
    for count, means in (("sequences", ["off_path_nll"]), ("rows", ["attention_kl", "sink_share"])):
        if count in sums:
            used = float(sums[count])
            logs |= {f"gaze/{k}": float(sums[k]) / used if used else float("nan") for k in means}
            logs[f"gaze/skipped_{count}"] = float(sums[f"skipped_{count}"])
    return logs


def _check(normalization: str, **factors: float) -> None:
    if normalization not in NORMALIZATIONS:
        raise ParameterError.unknown("normalizations", normalization, NORMALIZATIONS)
    for name, value in factors.items():
        if not (isfinite(value) and value >= 0):
            raise ParameterError(f"{name} is {value}; expected a finite number of 0 or more")
    if not factors["beta"]:
        raise ParameterError("beta is 0, which leaves no preference; expected more than 0")


def _two_sided(labels: torch.Tensor, on_path: torch.Tensor) -> torch.Tensor:
    """How many sequences have targets on and off the path: `path_margin_loss` uses those."""
    target, on = labels[:, 1:] != IGNORED, on_path[:, 1:].bool()
    return ((target & on).any(dim=1) & (target & ~on).any(dim=1)).sum()


def _rows_with_mass(
    target: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor
) -> torch.Tensor:
    """How many queries have human attention on a key that a causal model has."""
    rows = target if target.dim() == 3 else target[:, None, :].expand(-1, target.shape[1], -1)
    mass = (rows * keys[:, None, :]).tril().sum(dim=-1)
    return ((mass > 0) & queries.bool()).sum()


def _without_attentions(outputs: Any) -> Any:
    """What the model gave without its attention, which nobody but the loss asked for."""
    return type(outputs)(**{k: v for k, v in outputs.items() if k != "attentions"})


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Switch dropout off: a reference has none."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)

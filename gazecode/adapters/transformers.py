"""A `transformers.Trainer` whose loss is weighted by gaze; the model stays as it is.

Any causal language model, PEFT and LoRA models included: the model is called without labels and
without the columns of gaze, the loss is made here from its logits. What the loss is made of is in
`gazecode.adapters.common.terms`.

Checked against transformers 4.50, 4.57 and 5.23. What it relies on there: `get_batch_samples` sees
all micro-batches of a step before the first is run; what it returns second reaches `compute_loss`
as `num_items_in_batch`; a loss made from it is not divided by the number of accumulation steps
again; gradients are averaged over processes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gazecode.errors import ParameterError

try:
    import torch
    from transformers import Trainer
except ImportError as error:
    raise ImportError(
        "gazecode.adapters.transformers needs transformers, accelerate and torch: "
        "pip install 'gazecode[transformers]'"
    ) from error

from gazecode.adapters.common.terms import COLUMNS, Sums, terms_of

__all__ = ["GazeTrainer"]


@dataclass(frozen=True, slots=True)
class _Totals:
    """Divisors of the terms over everything one optimizer step sees, ``(n_terms,)``."""

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
        self.terms = terms_of(
            normalization,
            path_margin=path_margin,
            beta=beta,
            attention=attention,
            layers=attention_layers,
        )
        if data_collator is None:
            raise ParameterError(
                "GazeTrainer has no data_collator; give it gazecode.adapters.torch.Collator("
                "pad_id=...), which makes the batches it takes"
            )
        super().__init__(model, args, data_collator, *rest, **options)
        self.wants_reference, self.wants_attention = bool(path_margin), bool(attention)
        self.reference_model = self._frozen(reference_model)
        _refuse_other_losses(self)

        # The collator makes columns out of fields that no model knows.
        self.args.remove_unused_columns = False
        self.label_names = ["labels"]
        # Before there was `loss_is_scaled_for_ga`, this said that the loss is divided once only.
        self.model_accepts_loss_kwargs = True
        self._seen = {"train": Sums(), "eval": Sums()}

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> tuple[list[Any], _Totals]:
        """All micro-batches of one step, and the denominators of the loss over all of them."""
        batches, _ = super().get_batch_samples(*args, **kwargs)
        counts = torch.zeros(len(self.terms), device=self.args.device)
        for batch in batches:
            counts += self.terms.counts(batch).to(counts.device)
        counts = self.accelerator.reduce(counts, "sum")
        # A run that is taken up asks once more when an epoch is over, and gets no batch.
        return batches, _Totals(self.terms.divisors(counts, check=bool(batches)))

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
        gaze = self.terms.columns(inputs)
        # Under `use_liger_kernel` an evaluation asks for no logits: they are all that is wanted.
        plain = {k: v for k, v in inputs.items() if k not in (*COLUMNS, "skip_logits")}
        reference = self._reference_logits(model, plain) if self.wants_reference else None
        if self.wants_attention:
            plain["output_attentions"] = True
        outputs = model(**plain)

        seen = self._seen["train" if model.training else "eval"]
        part = self.terms.totals(outputs, gaze, reference, seen)
        if isinstance(num_items_in_batch, _Totals):
            # Gradients are averaged over processes; the denominators are those of all of them.
            loss = self.terms.loss(part, num_items_in_batch.divisors)
            loss = loss * self.accelerator.num_processes
        else:
            counts = self.terms.counts(gaze).to(part.device)
            seen.add(part=part, counts=counts)
            loss = self.terms.loss(part, self.terms.divisors(counts, check=model.training))
        if not return_outputs:
            return loss
        return loss, _without_attentions(outputs) if self.wants_attention else outputs

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,  # noqa: FBT001 - the trainer's signature
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> Any:
        """The trainer's own, with a loss over the whole set in place of a mean over batches."""
        self._seen["eval"] = seen = Sums()
        output = super().evaluation_loop(
            dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )
        sums = seen.over_processes(self.accelerator)
        if "part" in sums:
            divisors = self.terms.divisors(sums["counts"])
            logs = {"loss": float(self.terms.loss(sums["part"], divisors)), **self.terms.logs(sums)}
            output.metrics.update({f"{metric_key_prefix}_{k}": v for k, v in logs.items()})
        return output

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """The trainer's own; a line of training gets what the terms of gaze have to say."""
        # Every process logs its loss, so that all of them meet here to sum.
        if "loss" in logs:
            logs.update(self.terms.logs(self._seen["train"].over_processes(self.accelerator)))
            self._seen["train"] = Sums()
        super().log(logs, *args, **kwargs)

    def _frozen(self, reference: Any) -> Any:
        """The reference model where the batches are, without gradients."""
        if reference is None:
            if self.wants_reference and not hasattr(self.model, "disable_adapter"):
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


def _refuse_other_losses(trainer: Trainer) -> None:
    if trainer.compute_loss_func is not None or trainer.args.label_smoothing_factor:
        raise ParameterError(
            "compute_loss_func and label_smoothing_factor would replace the weighted loss; "
            "leave them out"
        )
    pieces = getattr(trainer.accelerator, "parallelism_config", None)
    if getattr(pieces, "cp_enabled", False) or getattr(pieces, "sp_enabled", False):
        raise ParameterError(
            "context and sequence parallelism cut sequences into pieces, whose gaze would be "
            "lost at the cuts; use data or tensor parallelism"
        )


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

"""The methods by name; what one needs of torch loads when it is asked for.

The twelve of Kou et al. (FSE 2024) as they are described, attention of layers and heads by number
(``attention_reading``, ``attention_generation``), attention rollout, and under ``kou2024:`` what
the study's code computes instead. Other packages add theirs through the entry
points ``gazecode.attention``: a function ``(model, prompt, *, answer_ids, **parameters) -> Scored``
or a `Method`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from gazecode.attention.prompt import DROPS, Scored
from gazecode.errors import ParameterError
from gazecode.registry import Registry

__all__ = ["METHODS", "Method", "method_named"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """Where a method is, and what it is asked for.

    Attributes
    ----------
    place
        ``module:function``, or the function.
    fixed
        Parameters that make the name.
    needs_answer
        Whether the model's answer is asked for (generated where none is given).
    received
        Whether a position's score is a sum over rows, to which every window of a long text adds.
    merge
        How subwords become tokens if nobody says.
    drop
        What is taken out if nobody says.

    Examples
    --------
    >>> METHODS["rollout"].place
    'gazecode.attention.rollout:rollout'
    """

    place: str | Callable[..., Scored]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    needs_answer: bool = False
    received: bool = False
    merge: str = "sum"
    drop: tuple[str, ...] = DROPS

    @cached_property
    def function(self) -> Callable[..., Scored]:
        """The function itself, its module imported."""
        if not isinstance(self.place, str):
            return self.place
        module, _, name = self.place.partition(":")
        try:
            found: Callable[..., Scored] = getattr(import_module(module), name)
        except ImportError as error:
            raise ParameterError(
                f"{self.place} needs {error.name}: pip install 'gazecode[transformers]'"
            ) from error
        return found


_HERE = "gazecode.attention"
_LAYERS = ("first", "last", "all")
_STEPS = ("reading", "generation")
_SPECIAL = ("special",)
"""What is dropped where no attention is parked on the first position."""


def _attention() -> dict[str, Method]:
    chosen = {
        f"attention_{layers}_{steps}": Method(
            place=f"{_HERE}.self_attention:self_attention",
            fixed={"layers": layers, "steps": steps},
            needs_answer=steps == "generation",
            received=True,
        )
        for layers in _LAYERS
        for steps in _STEPS
    }
    by_number = {
        f"attention_{steps}": Method(
            place=f"{_HERE}.self_attention:self_attention",
            fixed={"steps": steps},
            needs_answer=steps == "generation",
            received=True,
        )
        for steps in _STEPS
    }
    return chosen | by_number


def _gradients() -> dict[str, Method]:
    return {
        f"{name}_{steps}": Method(
            place=f"{_HERE}.gradients:{name}",
            fixed={"steps": steps},
            needs_answer=steps == "generation",
            drop=_SPECIAL,
        )
        for name in ("saliency", "input_x_gradient")
        for steps in _STEPS
    }


def _substitution() -> dict[str, Method]:
    return {
        name: Method(place=f"{_HERE}.{place}", needs_answer=True, drop=_SPECIAL)
        for name, place in (("shap", "shapley:shap"), ("masked_lm", "substitution:masked_lm"))
    }


def _published() -> dict[str, Method]:
    """What the code of the study computes; the one token of its "reading" is a generated one."""
    rows: dict[str, tuple[str, dict[str, Any], bool]] = {
        f"{row}_{heads}": ("kou2024:published_attention", {"row": row, "heads": heads}, True)
        for row in ("READING", "CODING")
        for heads in _LAYERS
    }
    gradients: dict[str, tuple[str, dict[str, Any], bool]] = {
        f"{name}_{stage}": (
            f"gradients:{function}",
            {"steps": "generation", "only": only, "normalise": True, **own},
            False,
        )
        for name, function, own in (
            ("Saliency", "saliency", {"norm": "l2"}),
            ("InputXGradient", "input_x_gradient", {"collapse": "l2"}),
        )
        for stage, only in (("reading", "first"), ("coding", "last"))
    }
    masked = {"fill": "single", "difference": "bleu", "words_only": True}
    plain = {"smoothing": "method0", "short": False}
    others: dict[str, tuple[str, dict[str, Any], bool]] = {
        "SHAP": ("kou2024:published_shap", {}, False),
        "BERT_masking": ("substitution:masked_lm", {**masked, **plain}, False),
    }
    return {
        f"kou2024:{name}": Method(
            place=f"{_HERE}.{place}", fixed=fixed, needs_answer=True, received=received, drop=()
        )
        for name, (place, fixed, received) in {**rows, **gradients, **others}.items()
    }


METHODS: Registry[Method] = Registry(
    "attention methods",
    {
        **_attention(),
        **_gradients(),
        **_substitution(),
        "rollout": Method(place=f"{_HERE}.rollout:rollout", received=True),
        **_published(),
    },
    group="gazecode.attention",
)


def method_named(name: str) -> Method:
    """A method by name; a bare function of another package as one.

    Raises
    ------
    ParameterError
        There is none of this name; the message lists them.
    """
    found: Any = METHODS[name]
    return found if isinstance(found, Method) else Method(place=found)

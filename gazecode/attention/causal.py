"""Whether a model can be asked how likely a text is: it reads forwards and scores next subwords.

A model that reads in both directions gives numbers, too, where a causal one is meant. They depend
on how many steps share a pass, since every step sees what it should predict.
"""

from typing import Any

from gazecode.attention.hooks import each_layer
from gazecode.attention.model import device_of
from gazecode.errors import ParameterError

__all__ = ["check_causal"]


def check_causal(model: Any) -> None:
    """Refuse a model whose first position sees the second, or that has an encoder.

    Parameters
    ----------
    model
        In evaluation mode. One without attention modules passes: what it sees cannot be read off.

    Raises
    ------
    ParameterError
        Saying what such a model can be asked.
    """
    name = type(model).__name__
    if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        raise ParameterError(
            f"a {name} reads its prompt in an encoder, and such answers are not scored; take "
            "attention of reading steps or rollout, or a causal model"
        )
    if _first_sees_second(model):
        raise ParameterError(
            f"a {name} reads in both directions and predicts no next subword; take attention of "
            "reading steps or rollout, or load a causal model with AutoModelForCausalLM"
        )


def _first_sees_second(model: Any) -> bool:
    import torch

    if not any("Attention" in type(module).__name__ for module in model.modules()):
        return False
    padding = getattr(getattr(model, "config", None), "pad_token_id", None)
    two = [i for i in range(3) if i != padding][:2]
    ahead: list[bool] = []

    def see(_: int, weights: Any, __: Any) -> None:
        ahead.append(bool((weights[:, 0, 1] > 0).any()))

    try:
        each_layer(model, torch.as_tensor(two, device=device_of(model)), see)
    except ParameterError:  # attention whose weights no module gives
        return False
    return any(ahead)

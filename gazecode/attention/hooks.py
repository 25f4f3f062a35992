"""Every layer's attention in turn, none of it kept: hooks on the attention modules of a model.

transformers can return all layers' attention at once (``output_attentions``), which for 2,048
positions, 32 layers and 32 heads is 17 GB. Here a hook takes the weights of one layer as its module
returns them, hands them over, and leaves None in their place, so that they are gone before the next
layer computes its own. The model's own "eager" attention is what runs: sinks, soft caps, windows
and biases are as the model has them.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from gazecode.errors import ParameterError

__all__ = ["ROW_TOLERANCE", "Seen", "each_layer"]

Seen = Callable[[int, Any, Any], None]
"""Gets the layer's number, its weights ``(heads, q, k)`` and which keys each row may see
(``(1 or heads, q, k)`` bool; None for all): tensors on the model's device."""

ROW_TOLERANCE = {2: 2e-2, 4: 1e-3, 8: 1e-6}
"""How far a row of attention may sum above 1, by bytes of a number."""
MASK_NAMES = ("attention_mask", "mask")
SWITCH = "output_attentions"


def each_layer(model: Any, ids: Any, see: Seen) -> int:
    """Run a model over one text and hand over the attention of every layer, first to last.

    Parameters
    ----------
    model
        A model of transformers in evaluation mode; of an encoder-decoder, the encoder runs.
    ids
        ``(n,)`` int64 tensor on the model's device.
    see
        Called once per layer; what it holds on to stays in memory.

    Returns
    -------
    int
        How many layers there were.

    Raises
    ------
    ParameterError
        No module of the model gives weights ``(heads, n, n)``.
    """
    import torch

    body = _body(model)
    watcher = _Watcher(see, len(ids))
    with torch.no_grad(), _eager(body), _hooked(body, watcher):
        body(ids[None], **_quiet_arguments(body))
    if not watcher.n_layers:
        raise ParameterError(
            f"a {type(model).__name__} gives no attention weights of {len(ids)} rows by "
            f"{len(ids)} keys; expected a model of transformers whose attention modules return "
            "them: load it with attn_implementation='eager', or take another model"
        )
    return watcher.n_layers


class _Watcher:
    """What the hooks share: whom to tell, and how many layers went by."""

    def __init__(self, see: Seen, n: int) -> None:
        self.see, self.n, self.n_layers = see, n, 0

    def before(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ask a module for its weights where it has a switch for them."""
        kind: Any = type(module)
        if SWITCH not in _parameters(kind):
            return None
        bound = inspect.signature(module.forward).bind_partial(*args, **kwargs)
        bound.arguments[SWITCH] = True
        return bound.args, bound.kwargs

    def after(self, module: Any, args: tuple[Any, ...], kwargs: Any, output: Any) -> Any:
        """Take the weights out of what a module returns."""
        if not isinstance(output, tuple):
            return None
        at = [i for i, part in enumerate(output) if self._is_attention(part)]
        if not at:
            return None
        weights = output[at[-1]][0]
        self.see(self.n_layers, weights, _allowed(module, args, kwargs, weights))
        self.n_layers += 1
        return (*output[: at[-1]], None, *output[at[-1] + 1 :])

    def _is_attention(self, part: Any) -> bool:
        import torch

        if not isinstance(part, torch.Tensor) or part.ndim != 4 or not part.is_floating_point():
            return False
        if part.shape[0] != 1 or tuple(part.shape[2:]) != (self.n, self.n):
            return False
        # A position bias has this shape, too; attention is not negative and its rows end at 1.
        most = part.sum(-1, dtype=torch.float32).max()
        low = float(part.min())
        return low >= 0 and 0 < float(most) <= 1 + ROW_TOLERANCE[part.element_size()]


def _allowed(module: Any, args: tuple[Any, ...], kwargs: Any, weights: Any) -> Any:
    """Which keys each row may see: what the mask says, never less than what the weights show."""
    import torch

    n = weights.shape[-1]
    bound = inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments
    given = {**bound, **bound.get("kwargs", {})}
    mask = next((given[name] for name in MASK_NAMES if given.get(name) is not None), None)
    allowed: Any = None
    if isinstance(mask, torch.Tensor) and mask.ndim == 4 and mask.shape[-1] >= n:
        mask = mask[0, :, :, :n]
        allowed = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
        allowed = allowed.expand(-1, n, -1)
        # MPT marks what is hidden, all others what is seen.
        if mask.dtype == torch.bool and bool(((weights > 0) & ~allowed).any()):
            allowed = ~allowed
    # Local attention of GPT-Neo: a mask of the module's own.
    own = getattr(module, "bias", None)
    if isinstance(own, torch.Tensor) and own.dtype == torch.bool and own.ndim == 4:
        own = own[0, :, :n, :n]
        allowed = own if allowed is None else allowed & own
    if allowed is None or bool(allowed.all()):
        return None
    shown = weights > 0 if allowed.shape[0] == len(weights) else weights.sum(0, keepdim=True) > 0
    return allowed | shown


@lru_cache(maxsize=256)
def _parameters(kind: Any) -> frozenset[str]:
    return frozenset(inspect.signature(kind.forward).parameters)


def _body(model: Any) -> Any:
    """What of a model attends: no logits are made, which can be larger than the attention."""
    config = getattr(model, "config", None)
    if getattr(config, "is_encoder_decoder", False):
        return model.get_encoder()
    return getattr(model, "base_model", model)


def _quiet_arguments(body: Any) -> dict[str, Any]:
    quiet = {"use_cache": False, "output_attentions": False, "output_hidden_states": False}
    known = inspect.signature(body.forward).parameters
    return {name: value for name, value in quiet.items() if name in known}


@contextmanager
def _hooked(body: Any, watcher: _Watcher) -> Iterator[None]:
    handles = []
    try:
        for module in body.modules():
            if "Attention" in type(module).__name__:
                handles += [
                    module.register_forward_pre_hook(watcher.before, with_kwargs=True),
                    module.register_forward_hook(watcher.after, with_kwargs=True),
                ]
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _eager(body: Any) -> Iterator[None]:
    """Let a model compute attention in steps, and put back what it did before."""
    configs = {id(c): c for m in body.modules() if (c := getattr(m, "config", None)) is not None}
    names = ("_attn_implementation_internal", "output_attentions", "_output_attentions")
    before = [
        (config, {name: vars(config)[name] for name in names if name in vars(config)})
        for config in configs.values()
    ]
    try:
        for config, kept in before:
            for name in kept:
                vars(config)[name] = "eager" if name == names[0] else False
        yield
    finally:
        for config, kept in before:
            vars(config).update(kept)

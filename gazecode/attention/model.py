"""Models of transformers: loaded from a local folder, checked before they run, held at rest."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gazecode.errors import ParameterError
from gazecode.model.checks import IntArray

__all__ = [
    "at_rest",
    "check_ids",
    "check_length",
    "context_limit",
    "device_of",
    "load_model",
    "model_name",
]

INSTALL = "pip install 'gazecode[transformers]'"
LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")


def load_model(path: str | Path, *, masked: bool = False) -> Any:
    """Load a model from a folder; nothing is ever fetched and no code of the folder is run.

    Parameters
    ----------
    path
        What ``save_pretrained`` wrote.
    masked
        Whether a masked language model is wanted, and no other will do.

    Returns
    -------
    transformers.PreTrainedModel
        A causal model, or a masked one where the folder says so; in evaluation mode, with
        attention in steps ("eager").

    Raises
    ------
    ParameterError
        transformers is missing, or the folder holds no whole model that it can load.

    Examples
    --------
    >>> load_model("nowhere")
    Traceback (most recent call last):
    gazecode.errors.ParameterError: nowhere: no config.json in it; give a folder that ...
    """
    folder = Path(path)
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            raise ParameterError(
                f"{folder}: an adapter without its model; merge them (merge_and_unload of peft), "
                "save the result and give that folder"
            )
        raise ParameterError(
            f"{folder}: no config.json in it; give a folder that save_pretrained of transformers "
            "wrote (nothing is fetched: get a model first)"
        )
    try:
        import torch  # noqa: F401 - transformers imports without it and fails later
        import transformers
    except ImportError as error:
        raise ParameterError(f"models need torch and transformers: {INSTALL}") from error
    offline = {"local_files_only": True, "trust_remote_code": False}
    shown = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **offline)
        model, report = _loader(config, folder, masked=masked).from_pretrained(
            folder, attn_implementation="eager", output_loading_info=True, **offline
        )
    except ParameterError:
        raise
    except Exception as error:  # a broken file may fail in any library that reads one
        line = " ".join(str(error).split())[:300]
        raise ParameterError(
            f"{folder}: transformers cannot load a model from it: {line}; save it again with "
            "save_pretrained"
        ) from error
    finally:
        if shown:
            transformers.utils.logging.enable_progress_bar()
    # transformers makes up what is missing, at random. A pooler stands beside what attends.
    missing = sorted(name for name in report["missing_keys"] if "pooler" not in name)
    if missing:
        raise ParameterError(
            f"{folder}: no weights for {missing[0]} and {len(missing) - 1} more; give a folder "
            "that holds the whole model"
        )
    return model.eval()


def _loader(config: Any, folder: Path, *, masked: bool) -> Any:
    import transformers

    if masked:
        if type(config) not in transformers.MODEL_FOR_MASKED_LM_MAPPING:
            raise ParameterError(
                f"{folder}: {config.model_type} is no masked language model; give the folder of "
                "one such as BERT or RoBERTa"
            )
        return transformers.AutoModelForMaskedLM
    named = " ".join(getattr(config, "architectures", None) or [])
    if "MaskedLM" in named:
        return transformers.AutoModelForMaskedLM
    if getattr(config, "is_encoder_decoder", False):
        return transformers.AutoModelForSeq2SeqLM
    causal = "CausalLM" in named or "LMHead" in named or not named
    return transformers.AutoModelForCausalLM if causal else transformers.AutoModel


def model_name(model: Any) -> str:
    """What to call a model: the last part of where it came from, or its class."""
    known = getattr(getattr(model, "config", None), "_name_or_path", "") or ""
    return Path(str(known)).name or type(model).__name__


def context_limit(model: Any) -> int | None:
    """Most positions a model can have at once; None where its config names none.

    Positions that count from a padding id on (RoBERTa) have that many fewer.
    """
    config: Any = getattr(model, "config", None)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    limit = next((v for name in LIMITS if isinstance(v := getattr(text, name, None), int)), None)
    if limit is None or limit <= 0:
        return None
    for name, module in model.named_modules():
        padding = getattr(module, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            return limit - int(padding) - 1
    return limit


def check_ids(model: Any, ids: IntArray, *, what: str) -> None:
    """Refuse ids that a model has no embedding for: they are another model's.

    Raises
    ------
    ParameterError
        Naming the id and the size of the vocabulary.
    """
    layer = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
    size = getattr(layer, "num_embeddings", None)
    high = int(ids.max(initial=-1))
    if size is not None and high >= size:
        raise ParameterError(
            f"{what} has id {high}, the model's vocabulary {size} entries; take the tokenizer "
            "that belongs to the model"
        )


@contextmanager
def at_rest(model: Any) -> Iterator[None]:
    """Hold a model in evaluation mode, its weights without gradients; afterwards all is as before.

    Gradients that the weights carry stay untouched: nothing is added to them.
    """
    training = [(module, module.training) for module in model.modules()]
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    try:
        model.eval()
        for weight in learned:
            weight.requires_grad_(False)  # noqa: FBT003 - torch has no keyword for it
        yield
    finally:
        for module, was in training:
            module.training = was
        for weight in learned:
            weight.requires_grad_(True)  # noqa: FBT003


def device_of(model: Any) -> Any:
    """Where the model's input goes; the processor where it has no weights."""
    import torch

    weight = next(iter(model.parameters()), None)
    return torch.device("cpu") if weight is None else weight.device


def check_length(model: Any, length: int) -> None:
    """Refuse more positions than a model has.

    Raises
    ------
    ParameterError
        Naming both numbers.
    """
    limit = context_limit(model)
    if limit is not None and length > limit:
        raise ParameterError(
            f"prompt and answer are {length} subwords, the model has {limit} positions; "
            "give a shorter text or a shorter answer"
        )

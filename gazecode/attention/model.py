"""Models of transformers from a local folder, and what is asked of them before they run."""

from pathlib import Path
from typing import Any

from gazecode.errors import ParameterError
from gazecode.model.checks import IntArray

__all__ = ["check_ids", "context_limit", "load_model", "model_name"]

INSTALL = "pip install 'gazecode[transformers]'"
LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")


def load_model(path: str | Path) -> Any:
    """Load a model from a folder; nothing is ever fetched and no code of the folder is run.

    Parameters
    ----------
    path
        What ``save_pretrained`` wrote.

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
        model, report = _loader(config).from_pretrained(
            folder, attn_implementation="eager", output_loading_info=True, **offline
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError) as error:
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


def _loader(config: Any) -> Any:
    import transformers

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

"""What a language model attends to, as scores of AST tokens (extra ``transformers``).

`attend` asks one model about one source, `attend_many` about many; `METHODS` are the ways to ask.
Nothing here loads torch until a model is asked.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gazecode.attention.attend import attend, attend_many
    from gazecode.attention.methods import METHODS, Method
    from gazecode.attention.model import context_limit, load_model
    from gazecode.attention.prompt import Prompt, Scored, prompt_of

__all__ = [
    "METHODS",
    "Method",
    "Prompt",
    "Scored",
    "attend",
    "attend_many",
    "context_limit",
    "load_model",
    "prompt_of",
]

_MODULES = {
    **dict.fromkeys(("METHODS", "Method"), "methods"),
    **dict.fromkeys(("Prompt", "Scored", "prompt_of"), "prompt"),
    **dict.fromkeys(("attend", "attend_many"), "attend"),
    **dict.fromkeys(("context_limit", "load_model"), "model"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

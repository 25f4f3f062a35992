"""What paths and weights of priors are asked with: refused by name where it is something else."""

from gazecode.errors import ParameterError
from gazecode.model import LabelPriors, ScanPath, SourceTokens, TokenBatch

__all__ = ["check_batch", "check_path", "check_priors", "check_tokens"]


def check_priors(priors: object, name: str) -> None:
    """Refuse what are no priors, such as the folder they lie in.

    >>> check_priors("folder", "repair")
    ... # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gazecode.errors.ParameterError: repair needs priors, found str; pass priors=gazecode.Priors...
    """
    if not isinstance(priors, LabelPriors):
        raise ParameterError(
            f"{name} needs priors, found {type(priors).__name__}; "
            "pass priors=gazecode.Priors.load(...)"
        )


def check_tokens(tokens: object, name: str) -> None:
    """Refuse what are not the tokens of one source, such as its text."""
    if not isinstance(tokens, SourceTokens):
        raise ParameterError(
            f"{name} needs the tokens of a source, found {type(tokens).__name__}; "
            "pass tokens=gazecode.parse(code, language)"
        )


def check_batch(batch: object, name: str) -> None:
    """Refuse what are not the tokens of many sources, laid end to end."""
    if not isinstance(batch, TokenBatch):
        raise ParameterError(
            f"{name} needs a TokenBatch, found {type(batch).__name__}; "
            "pass batch=gazecode.source.parse_batch(codes, language)"
        )


def check_path(path: object, name: str) -> None:
    """Refuse what is no pseudo scan path."""
    if not isinstance(path, ScanPath):
        raise ParameterError(
            f"{name} takes a path, found {type(path).__name__}; "
            "make one with gazecode.pseudo_scan_path(tokens, priors)"
        )

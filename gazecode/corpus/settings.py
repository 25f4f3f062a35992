"""All that a block's weights depend on, in one value that can travel to another machine.

It carries the tokenizer and the priors themselves, not their paths: a worker of a cluster need not
see the file system of whoever started the job.
"""

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gazecode.alignment import fim_template, load_tokenizer
from gazecode.alignment.templates.template import as_template
from gazecode.errors import GazecodeError, ParameterError
from gazecode.model import LABELS, LabelPriors
from gazecode.priors import path_batch
from gazecode.registry import check_values
from gazecode.version import __version__
from gazecode.weighting import SCHEMES

__all__ = [
    "PROSE",
    "AlignRule",
    "WeighSettings",
    "check_version",
    "priors_digest",
    "read_tokenizer",
]

PROSE = "prose"
"""Answers that are no code: their words can only be copied from the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignRule:
    """How values of tokens become weights of subwords: the parameters of ``align``.

    `learn_end` is that of `gazecode.alignment.Template`: the end of the text counts in the loss.
    `fim` names a layout of `FIM_LAYOUTS` in which every source is cut, by the job's seed, in place
    of a template.
    """

    template: str | None = None
    policy: str = "inherit"
    strength: float | None = None
    per: str = "character"
    max_ratio: float = 5.0
    mean_one: bool = False
    route: str | None = None
    allow_inert: bool = False
    learn_end: bool = False
    max_length: int | None = None
    overlap: int | None = None
    fim: str | None = None
    fim_order: str = "psm"

    def __post_init__(self) -> None:
        check_values(AlignRule, asdict(self), name="align")
        if self.fim is not None and self.template is not None:
            raise ParameterError("align: fim lays the code out itself; give it or a template")

    def arguments(self, codes: Sequence[bytes], seed: int) -> dict[str, Any]:
        """What `align_batch` takes for these sources."""
        given = asdict(self)
        learn_end, fim, order = (given.pop(name) for name in ("learn_end", "fim", "fim_order"))
        if fim is not None:
            given["template"] = [
                fim_template(code, layout=fim, order=order, seed=seed) for code in codes
            ]
        elif learn_end:
            given["template"] = replace(as_template(self.template), learn_end=True)
        return given


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeighSettings:
    """What is done to every block.

    Attributes
    ----------
    tokenizer_json
        Bytes of the ``tokenizer.json``, and their SHA-256.
    scheme, scheme_params, path_params
        Name of the weighting scheme, its parameters, and those of the pseudo scan path.
    max_error_share
        A source with a larger share of its bytes in syntax errors is reported, not weighed.
    answer
        What the answers are: ``"prose"`` or a language; empty for a corpus without any.
    package_version
        Of whoever started the job: a worker of another version would write other bytes.
    """

    priors: LabelPriors
    tokenizer_json: bytes
    tokenizer_sha256: str
    scheme: str = "eyemulator"
    scheme_params: Mapping[str, Any] = field(default_factory=dict)
    path_params: Mapping[str, Any] = field(default_factory=dict)
    align: AlignRule = field(default_factory=AlignRule)
    seed: int = 0
    max_error_share: float = 0.25
    answer: str = ""
    package_version: str = __version__

    def __post_init__(self) -> None:
        given = {"seed": self.seed, "max_error_share": self.max_error_share}
        check_values(WeighSettings, given, name="weigh_corpus")
        if not isinstance(self.align, AlignRule):
            raise ParameterError(
                f"weigh_corpus: align is {type(self.align).__name__}; expected AlignRule(...)"
            )
        if not 0 <= self.max_error_share <= 1:
            raise ParameterError(
                f"max_error_share is {self.max_error_share}; expected a share from 0 to 1"
            )

    def described(self) -> dict[str, Any]:
        """What a file says about how it was made: every parameter, those left alone included."""
        return {
            "scheme": self.scheme,
            "scheme_params": _settled(SCHEMES[self.scheme], self.scheme_params),
            "path_params": _settled(path_batch, self.path_params),
            "align": asdict(self.align),
            "seed": self.seed,
            "max_error_share": self.max_error_share,
            "answer": self.answer,
            "priors": {
                "name": self.priors.name,
                "sha256": priors_digest(self.priors),
                "n_people": self.priors.n_people,
                "n_sources": len(self.priors.sources),
            },
        }


def _settled(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they are, defaults included; those given elsewhere are left out."""
    elsewhere = ("priors", "drawn", "like", *(() if "seed" in given else ("seed",)))
    whole = {
        p.name: given.get(p.name, p.default)
        for p in inspect.signature(function).parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name not in elsewhere
    }
    return {
        name: {"priors_sha256": priors_digest(value)} if isinstance(value, LabelPriors) else value
        for name, value in whole.items()
    }


def read_tokenizer(path: str | Path) -> tuple[bytes, str]:
    """Bytes of a ``tokenizer.json`` that loads, and their SHA-256.

    Raises
    ------
    TokenizerError
        No such file, or the library cannot read it.
    """
    load_tokenizer(path)
    file = Path(path)
    raw = (file / "tokenizer.json" if file.is_dir() else file).read_bytes()
    return raw, hashlib.sha256(raw).hexdigest()


def priors_digest(priors: LabelPriors) -> str:
    """SHA-256 over what priors say, whatever file they came from."""
    by_label = {
        name: {
            label: None if math.isnan(value) else value
            for label, value in zip(LABELS, getattr(priors, name).tolist(), strict=True)
        }
        for name in ("hit", "shown", "theta_null")
    }
    tables = [
        {
            "order": order,
            "is_sorted": table.is_sorted,
            "counts": sorted([list(key), count] for key, count in table.counts.items()),
        }
        for order, table in sorted(priors.ngrams.items())
    ]
    whole = {
        **by_label,
        "ngrams": tables,
        "vocabulary": sorted(map(list, priors.vocabulary)),
        "sources": sorted(priors.sources),
        "n_people": priors.n_people,
    }
    return hashlib.sha256(_json(whole)).hexdigest()


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"a parameter does not fit into JSON ({error}); give texts, finite numbers, lists and "
            "mappings with text keys"
        ) from error


def check_version(settings: WeighSettings) -> None:
    """Refuse to work for another version of the package: its bytes would differ."""
    if settings.package_version != __version__:
        raise GazecodeError(
            f"this worker runs gazecode {__version__}, the job {settings.package_version}; "
            "install the same version everywhere"
        )

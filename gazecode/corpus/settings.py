"""All that a block's weights depend on, in one value that can travel to another machine.

It carries the tokenizer and the priors themselves, not their paths: a worker of a cluster need not
see the file system of whoever started the job.
"""

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from gazecode.alignment import align_batch, load_tokenizer
from gazecode.corpus.drawing import draw_and_weigh
from gazecode.errors import GazecodeError, ParameterError
from gazecode.model import LABELS, LabelPriors
from gazecode.priors import Priors, path_batch
from gazecode.registry import check_parameters, check_values
from gazecode.source import parse_batch
from gazecode.version import __version__
from gazecode.weighting import SCHEMES, control_priors
from gazecode.weighting.base import GAZE, default_of

__all__ = [
    "AlignRule",
    "WeighSettings",
    "check_version",
    "checked_settings",
    "priors_digest",
    "read_tokenizer",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignRule:
    """How values of tokens become weights of subwords: the parameters of ``align``."""

    template: str | None = None
    policy: str = "inherit"
    strength: float | None = None
    per: str = "character"
    max_ratio: float = 5.0
    mean_one: bool = False

    def __post_init__(self) -> None:
        check_values(AlignRule, asdict(self), name="align")


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
            "priors": {
                "name": self.priors.name,
                "sha256": priors_digest(self.priors),
                "n_people": self.priors.n_people,
                "n_sources": len(self.priors.sources),
            },
        }


def checked_settings(
    *,
    priors: LabelPriors | str | Path,
    tokenizer: str | Path,
    scheme: str,
    scheme_params: Mapping[str, Any],
    path_params: Mapping[str, Any],
    align: AlignRule,
    seed: int,
    max_error_share: float,
) -> WeighSettings:
    """Load what is named, and try the parameters on one token: what is wrong is said at once.

    Raises
    ------
    DataError, FormatError
        The priors cannot be read.
    ParameterError
        An unknown scheme or parameter, or a value of another kind or out of its range.
    TokenizerError
        The tokenizer cannot be loaded.
    """
    raw, digest = read_tokenizer(tokenizer)
    function = SCHEMES[scheme]
    check_parameters(function, scheme_params, name=scheme, reserved=("priors", "drawn"))
    _must_not_weigh_gaze(scheme_params.get("of"))
    _must_not_weigh_gaze(scheme)
    check_parameters(path_batch, path_params, name="pseudo_scan_path", reserved=("seed", "like"))
    loaded = priors if isinstance(priors, LabelPriors) else Priors.load(priors)
    if scheme.startswith("control_"):
        of = default_of(None, scheme_params.get("of"))
        scheme_params = {"seed": seed, **scheme_params, "of": of}
        # Checked here, where the priors still say who was counted.
        control_priors(scheme, loaded, other_priors=scheme_params.get("other_priors"))
        scheme_params |= {k: _bare(v) for k, v in scheme_params.items() if k == "other_priors"}
    settings = WeighSettings(
        priors=_bare(loaded),
        tokenizer_json=raw,
        tokenizer_sha256=digest,
        scheme=scheme,
        scheme_params=dict(scheme_params),
        path_params=dict(path_params),
        align=align,
        seed=seed,
        max_error_share=max_error_share,
    )
    _try(settings, tokenizer)
    return settings


def _must_not_weigh_gaze(scheme: str | None) -> None:
    if scheme in GAZE:
        raise ParameterError(
            f"{scheme} weighs gaze; a corpus has none: "
            "choose eyemulator, salience, rarity or a control"
        )


def _bare(priors: LabelPriors) -> LabelPriors:
    """What paths and weights ask for, without the people and readings it was counted from."""
    kept = [f.name for f in fields(LabelPriors) if f.name != "details"]
    return LabelPriors(**{name: getattr(priors, name) for name in kept})


def _try(settings: WeighSettings, tokenizer: str | Path) -> None:
    batch = parse_batch([b"x = 1\n"], "python")
    _, weights = draw_and_weigh(
        batch,
        settings.priors,
        settings.scheme,
        seed=settings.seed,
        params=settings.scheme_params,
        path_params=settings.path_params,
    )
    align_batch(
        weights,
        batch,
        load_tokenizer(tokenizer),
        source_id=("x",),
        language="python",
        **asdict(settings.align),
    )


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

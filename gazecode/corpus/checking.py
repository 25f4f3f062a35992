"""What is wrong with the settings of a job is said before anything is read."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gazecode.alignment import load_tokenizer
from gazecode.alignment.templates.template import ANSWER, CODE, as_template
from gazecode.corpus.settings import PROSE, AlignRule, WeighSettings, read_tokenizer
from gazecode.corpus.steps import make_examples
from gazecode.errors import ParameterError
from gazecode.model import LabelPriors
from gazecode.priors import Priors, path_batch
from gazecode.registry import check_parameters
from gazecode.source import known_language
from gazecode.weighting import SCHEMES, control_priors
from gazecode.weighting.base import GAZE, default_of

__all__ = ["checked_settings"]


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
    answer: str = "",
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
        answer=answer if answer in ("", PROSE) else known_language(answer),
    )
    if align.fim is None:
        _fits_together(settings)
    elif settings.answer:
        raise ParameterError("fim fills a gap in the code itself; leave --answer or fim out")
    _must_arrive(settings)
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


def _fits_together(settings: WeighSettings) -> None:
    """Refuse answers without a place, and a place or a route without answers."""
    rule = settings.align
    names = as_template(rule.template).names
    own = [name for name in names if name not in (CODE, ANSWER)]
    if own:
        raise ParameterError(
            f"the template has {{{own[0]}}}, for which a corpus has no text; write the text itself "
            "into the template (--template)"
        )
    if settings.answer and ANSWER not in names:
        raise ParameterError(
            "there are answers (--answer), and the template has no place for them; give a template "
            "with {code} and {answer} (--template)"
        )
    if settings.answer in ("", PROSE) and rule.route == "answer_prior":
        raise ParameterError(
            "route answer_prior weighs answers that are code; name their column and language "
            "(--answer, --answer-language)"
        )
    if not settings.answer and (ANSWER in names or rule.route == "copy"):
        raise ParameterError(
            "the template or the route speaks of answers, and the corpus is read without any; name "
            "their column (--answer)"
        )


def _must_arrive(settings: WeighSettings) -> None:
    """Refuse a job in which not one weight can reach a loss."""
    route = settings.align.route or ("source_lm" if settings.answer == PROSE else "")
    if settings.answer and route == "source_lm" and not settings.align.allow_inert:
        raise ParameterError(
            "the loss lies on the answers and the weights on the sources: weight_reach 0 "
            "everywhere; choose the route copy, answer_prior or attention (--route), or allow it "
            "with allow_inert (--align allow_inert=true)"
        )


def _try(settings: WeighSettings, tokenizer: str | Path) -> None:
    answers = [b"x = 1\n"] if settings.answer else None
    make_examples(
        ["x"], [b"x = 1\n"], "python", settings, load_tokenizer(tokenizer), answers=answers
    )

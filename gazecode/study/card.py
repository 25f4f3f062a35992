"""The dataset card of weights: what they are, from whom, how made, how good, what they are not.

Nothing is invented: what no file and no study says is "not stated".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gazecode.errors import ParameterError, SchemaError
from gazecode.report.card import Section, card_text, front_matter
from gazecode.report.words import flatten, number, percent, plural
from gazecode.study.facts import WeightsFacts, count_weights
from gazecode.study.limits import known_limits, left_out
from gazecode.study.pseudonyms import nameless
from gazecode.study.sections import CardTable
from gazecode.study.settings import load_study
from gazecode.study.summary import FIGURES, summarised

__all__ = ["CardSource", "card_of_files", "make_card"]

NOT_STATED = "not stated"
STATED = ("consent", "ethics", "license", "contact", "funding")
MOST_FILES = 40
VALIDATE = (
    "The command gazecode validate checks a file against the schema and recomputes the digest of "
    "every row."
)
_LICENSE = "abcdefghijklmnopqrstuvwxyz0123456789.-+"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSource:
    """All that a card is made of.

    Attributes
    ----------
    facts
        What the weights files hold.
    quality
        What `gazecode.study.summary.over_people` says of the recordings; empty if unknown.
    failures
        Failures by stage: of a study beside those in `quality`, or of a corpus.
    name, description
        Of the study.
    """

    facts: WeightsFacts
    card: CardTable = field(default_factory=CardTable)
    quality: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    name: str = ""
    description: str = ""


def card_of_files(
    files: Sequence[Path],
    *,
    study: Path | str | None = None,
    settings: Mapping[str, str] | None = None,
) -> str:
    """The card of weights files, from what they say and what lies beside the first of them.

    Parameters
    ----------
    files
        Weights files; each is read once, batch by batch.
    study
        A study file, for its name, its description and its ``[card]``. Where the files hold no
        names, those of its participants are taken out of its words.
    settings
        Fields of ``[card]``, set anew.

    Raises
    ------
    ParameterError
        An unknown field.
    SchemaError
        Files that are not weights, or not of one making.
    """
    facts = count_weights(files)
    source = CardSource(facts=facts)
    if study is not None:
        told = load_study(study)
        if "shared" in facts.said or "people" in facts.said:
            told = nameless(told)[0]
        said = told.study
        source = replace(source, card=told.card, name=said.name, description=said.description)
    quality, failures = _beside(files[0])
    card = _with(source.card, settings or {})
    return make_card(replace(source, card=card, quality=quality, failures=failures))


def _with(card: CardTable, settings: Mapping[str, str]) -> CardTable:
    for name in settings:
        if name not in CardTable.model_fields:
            raise ParameterError.unknown("the fields of a card", name, CardTable.model_fields)
    return card.model_copy(update=dict(settings))


def _beside(weights: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Quality over people, and failures by stage, from what a run or a corpus left in a folder."""
    quality = summarised(_json_of(weights.parent / "quality.json"))
    if quality:
        return quality, {}
    return {}, _json_of(weights.parent / "corpus.json").get("failures", {})


def _json_of(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SchemaError(f"{path.name} is not JSON; run the study again") from error
    if not isinstance(found, dict):
        raise SchemaError(f"{path.name} is no JSON object; run the study again")
    return found


def make_card(source: CardSource) -> str:
    """The card as Markdown; the same bytes for the same files and words."""
    facts, card = source.facts, source.card
    title = card.title or source.name or str(facts.said.get("study", "")) or "Gaze weights of code"
    intro = [source.description] if source.description else []
    if source.quality.get("synthetic"):
        intro.append(
            "Simulated gaze: no eye was recorded for "
            f"{source.quality['synthetic']} of {plural(source.quality['recordings'], 'recording')}."
        )
    sections = [
        _what(facts),
        _from_whom(source),
        Section(
            title="Consent, licence, contact",
            facts=[(name, getattr(card, name) or NOT_STATED) for name in STATED],
        ),
        _how(facts),
        _quality(source),
        _arrives(source),
        _splits(facts),
        Section(title="Known limits", sentences=known_limits(facts, source.quality)),
        _verify(facts, card),
    ]
    return card_text(title, intro, sections, front_matter(_front(title, source)))


def _front(title: str, source: CardSource) -> dict[str, object]:
    """Only what is known; the keys are those of dataset hubs."""
    facts = source.facts
    tags = ["eye-tracking", "gaze", "attention", "source-code"]
    fields: dict[str, object] = {
        "pretty_name": title,
        # Hubs list languages people speak; "code" is their word for the others.
        "language": ["code"],
        **_license(source.card.license),
        "tags": tags + sorted(name for name in facts.languages if name),
        "size_categories": [_size(facts.n["rows"])],
    }
    return fields


def _license(said: str) -> dict[str, object]:
    if not said:
        return {}
    if not set(said.lower()) - set(_LICENSE):
        return {"license": said.lower()}
    return {"license": "other", "license_name": said}


def _size(rows: int) -> str:
    """Name the power of ten as dataset hubs do.

    >>> _size(12), _size(1000), _size(2_000_000)
    ('n<1K', '1K<n<10K', '1M<n<10M')
    """
    names = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M")
    return names[min(max(len(str(rows)) - 3, 0), len(names) - 1)]


def _what(facts: WeightsFacts) -> Section:
    n, said = facts.n, facts.said
    units = said.get("units", {})
    rows = [
        ("rows", f"{n['rows']}, one per example" + _windows(facts)),
        ("sources", f"{facts.sources} different texts of code"),
        ("languages (rows)", _counts(facts.languages)),
        ("subwords", f"{n['positions']}, of which {n['in_loss']} count in the loss"),
        ("AST tokens", str(n["tokens"])),
        ("routes from gaze to the loss (rows)", _counts(facts.routes) or NOT_STATED),
        ("unit of a token's value", str(units.get("token_value", "1"))),
        ("tokenizer, SHA-256", str(said.get("tokenizer_sha256") or "not known")),
        ("schema", f"version {said.get('schema_version')}"),
        ("containers", ", ".join(sorted({container for _, container, _ in facts.files}))),
    ]
    if n["paired"]:
        rows.insert(3, ("rows of pairs of answers", str(n["paired"])))
    return Section(title="What", facts=rows)


def _windows(facts: WeightsFacts) -> str:
    if not facts.n["cut"]:
        return ""
    return f"; {facts.n['texts']} texts, {facts.n['cut']} of them cut into windows"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'unknown'} {n}" for name, n in sorted(counts.items()))


def _from_whom(source: CardSource) -> Section:
    facts, quality = source.facts, source.quality
    rows = [("people", _people(facts, quality)), ("names", _names(facts))]
    if quality:
        rows += [
            ("recordings", f"{quality['recordings']}, with {quality['trials']} usable trials"),
            ("what they did", ", ".join(quality["tasks"]) or NOT_STATED),
            ("formats", ", ".join(quality["formats"]) or "not known"),
            ("trackers", ", ".join(quality["trackers"]) or "not named by the recordings"),
            ("screens", "; ".join(quality["screens"]) or "not known"),
        ]
    rows.append(("population", source.card.population or NOT_STATED))
    return Section(title="From whom", facts=rows)


def _people(facts: WeightsFacts, quality: Mapping[str, Any]) -> str:
    low, high = facts.people_per_row
    priors = facts.said.get("parameters", {}).get("priors")
    if priors:
        return f"nobody read these texts; priors of {priors.get('n_people') or 'unknown'} people"
    each = str(low) if low == high else f"{low} to {high}"
    if len(facts.people) == 0:
        in_all = f"{quality['people']} recorded; " if quality else ""
        return f"{in_all}pooled, {each} behind a row"
    return f"{facts.people} in all, {each} behind a row"


def _names(facts: WeightsFacts) -> str:
    if "shared" in facts.said:
        return "left out, with every row that is one person's"
    if facts.said.get("people") == "pseudonyms":
        return "pseudonyms (keyed hash); the key is not in these files"
    return "as the study gives them" if len(facts.people) else "none"


def _how(facts: WeightsFacts) -> Section:
    parameters = facts.said.get("parameters", {})
    # Of the study, its task alone: what else it says of itself stands above.
    told = {k: v for k, v in (parameters.get("study") or {}).items() if k == "task"}
    rows = flatten({**parameters, **({"study": told} if told else {})})
    seeds = [f"{name} = {value}" for name, value in rows if name.split(".")[-1].endswith("seed")]
    made = [
        ("package", f"gazecode {facts.said.get('package_version', '')}"),
        ("seeds", ", ".join(seeds) or "none"),
        ("priors", _priors(facts)),
    ]
    return Section(
        title="How it was made",
        facts=made,
        columns=("parameter", "value"),
        rows=rows,
        sentences=left_out(facts),
    )


def _priors(facts: WeightsFacts) -> str:
    used = facts.said.get("parameters", {}).get("priors")
    if not used:
        return "none"
    return (
        f"{used.get('name') or 'without a name'}, SHA-256 {used.get('sha256')}, of "
        f"{used.get('n_people') or 'unknown'} people; {facts.prior_sources} sources of theirs "
        f"behind {facts.n['by_prior']} rows (column prior_sources)"
    )


def _quality(source: CardSource) -> Section:
    quality = source.quality
    failures = dict(quality.get("failures", {})) | dict(source.failures)
    rows = [("failures by stage", _counts(failures) or "none" if quality or failures else "")]
    if not quality:
        return Section(
            title="Quality",
            facts=[(n, v) for n, v in rows if v],
            sentences=["Nothing is known here of the recordings behind these weights."],
        )
    fixations = quality["fixations"]
    where = ", ".join(
        f"{status} {percent(count / max(fixations, 1))}"
        for status, count in quality["status"].items()
    )
    rows += [
        ("accuracy", _accuracy(quality)),
        ("warnings", _warnings(quality) or "none"),
        ("fixations", f"{fixations}: {where}" if fixations else "0"),
    ]
    return Section(
        title="Quality",
        facts=rows,
        columns=("over people", "people", "lower quartile", "median", "upper quartile"),
        rows=[
            (FIGURES[name], str(f["people"]), *(number(f[q]) for q in ("q25", "median", "q75")))
            for name, f in quality["figures"].items()
        ],
    )


def _accuracy(quality: Mapping[str, Any]) -> str:
    known = ", ".join(quality["accuracy"]) or "unknown"
    if quality["validated"]:
        return f"{known} (devices report validations of their own: {quality['validated']})"
    return known


def _warnings(quality: Mapping[str, Any]) -> str:
    """What puts the figures in doubt; a summary of an older run says nothing of it."""
    said: Mapping[str, int] = quality.get("warnings", {})
    return "; ".join(f"{text} ({n} of {quality['people']} people)" for text, n in said.items())


def _arrives(source: CardSource) -> Section:
    n, reach = source.facts.n, source.facts.reach
    spread = "no row has a weight other than 1"
    if len(reach):
        points = {"least": 0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
        spread = ", ".join(f"{k} {number(reach.quantile(q))}" for k, q in points.items())
        spread += f", greatest {number(reach.quantile(1))}"
    return Section(
        title="What of the weights arrives",
        facts=[
            ("weight_reach (share of the weight on positions of the loss)", spread),
            ("rows with a reach of 0", str(n["inert"])),
            ("rows where every weight is 1", str(n["neutral"])),
            ("rows without any gaze signal", str(n["no_signal"])),
            ("rows with transitions", str(n["transitions"])),
            ("saccades", _saccades(source)),
        ],
    )


def _saccades(source: CardSource) -> str:
    pooled = "" if len(source.facts.people) else ", means over people"
    kept = f"{number(source.facts.saccades)} in the rows{pooled}"
    known = source.quality.get("saccades")
    if not known:
        return kept
    dropped = known["all"] - known["on_tokens"]
    return (
        f"{known['all']} in all readings; left out {dropped} from or to no token; lost "
        f"{number(known['lost'])} on tokens without a subword; {kept}"
    )


def _splits(facts: WeightsFacts) -> Section:
    said: list[str] = []
    split = facts.said.get("split")
    if split:
        said.append(f"This is the part {split.get('part')} of a split by {split.get('by')}.")
    if len(facts.people):
        said.append("Hold out people by participant_group, not rows: rows of a person are alike.")
    else:
        said.append("Rows belong to no single person: only sources can be held out.")
    known = f"source_group ({facts.groups}) keeps near copies together"
    unknown = "near copies are not marked here, the command gazecode split finds them"
    said.append(f"Of the sources: {known if len(facts.groups) else unknown}.")
    if facts.n["by_prior"]:
        said.append("No source in prior_sources may be tested on: a prior has seen it.")
    said.append("The command gazecode split makes parts, gazecode validate finds leaks in them.")
    return Section(title="Splitting", sentences=said)


def _verify(facts: WeightsFacts, card: CardTable) -> Section:
    shown: Sequence[tuple[str, str, str]] = facts.files[:MOST_FILES]
    rest = len(facts.files) - len(shown)
    inputs = str(facts.said.get("inputs_sha256", ""))
    return Section(
        title="Verify and cite",
        facts=[
            ("citation", card.citation or NOT_STATED),
            ("digest over all inputs, SHA-256", inputs or "left out"),
        ],
        columns=("file", "container", "SHA-256"),
        rows=[*shown, *([(f"and {rest} more", "", "")] if rest else [])],
        sentences=[VALIDATE],
    )

"""What weights of gaze do not mean, and what was left out of them: the limits a card names."""

from collections.abc import Mapping
from typing import Any

from gazecode.report.words import plural
from gazecode.study.facts import WeightsFacts

__all__ = ["known_limits", "left_out"]

SHARED = (
    "Made to be shared: raw samples, pupil, fixations, saccades between tokens, digests of the "
    "recordings, times and every row of one person are left out."
)
WITHHELD = (
    "Sources that fewer than {least} people read with any signal are withheld: {sources_withheld} "
    "of {sources}. {tokens} that fewer people had on their screen are taken as not shown."
)
STEPS = (
    "Token values are in steps of 1/{value_steps} of the largest of their source, weights follow "
    "from these: exact ones would tell which tokens the same person looked at."
)
MEANING = (
    "A weight says where people looked, or where priors say they would; not what they understood, "
    "and not what a model should attend to. Whether training profits is a question for controls."
)
CHANCE = (
    "Tokens take up different room and stand at different places: gaze at chance hits long and "
    "central tokens more often. Nothing here is salient by its weight alone."
)
IDENTITY = (
    "Gaze identifies people, whatever they are called: give these files only to whom consent "
    "allows."
)
PSEUDONYMS = (
    "Names are a keyed hash: a pseudonym, no anonymity. Who holds the key and a list of "
    "participants can undo it."
)
POOLED = (
    "Pooling hides who looked where, it does not prove that nobody can tell: a token that one "
    "person alone looked at still shows in the sum, and two releases of almost the same people "
    "show the difference."
)


def known_limits(facts: WeightsFacts, quality: Mapping[str, Any]) -> list[str]:
    """Sentences; those first that put numbers in doubt."""
    return [*_of_gaze(quality), *_of_weights(facts), *_of_privacy(facts), MEANING, CHANCE, IDENTITY]


def _of_gaze(quality: Mapping[str, Any]) -> list[str]:
    if not quality:
        return []
    said = []
    if quality["synthetic"]:
        said.append(
            f"Simulated gaze ({quality['synthetic']} of {quality['recordings']} recordings): "
            "nothing follows from it about people."
        )
    if quality["accuracy"] in ([], ["unknown"]):
        said.append(
            "Accuracy is unknown: no validation was given. Precision is not accuracy, and an "
            "offset moves gaze to a wrong line; output per token is to be read with that doubt."
        )
    if quality["degrees_assumed"]:
        said.append(
            f"A degree is an assumption for {quality['degrees_assumed']} of "
            f"{quality['recordings']} recordings: their screen's size or distance is unknown."
        )
    if "writing" in quality["tasks"]:
        said.append("Some people wrote code: gaze while writing follows the caret.")
    return said


def _of_weights(facts: WeightsFacts) -> list[str]:
    n = facts.n
    said = []
    if facts.said.get("parameters", {}).get("priors"):
        said.append(
            "Nobody looked at these texts: scan paths are drawn from priors, and mean no more than "
            "the priors do."
        )
    if n["inert"]:
        said.append(
            f"In {n['inert']} rows no weight reaches the loss: training on them is training "
            "without gaze."
        )
    if n["no_signal"]:
        said.append(f"{n['no_signal']} rows hold no gaze signal; their weights are all 1.")
    if n["transitions"]:
        said.append(
            "A causal model cannot look at later tokens: of the transitions, those that go forward "
            "have no place in its attention and must be left out of a target."
        )
    return said


def _of_privacy(facts: WeightsFacts) -> list[str]:
    pseudonyms = [PSEUDONYMS] if facts.said.get("people") == "pseudonyms" else []
    return [*pseudonyms, *([POOLED] if "shared" in facts.said else [])]


def left_out(facts: WeightsFacts) -> list[str]:
    """Sentences: what was taken out of files before they were given away."""
    shared = facts.said.get("shared")
    if not shared:
        return []
    least, tokens = shared["min_people"], plural(shared["tokens_withheld"], "token")
    steps = [STEPS.format(**shared)] if "value_steps" in shared else []
    return [SHARED, WITHHELD.format(least=least, tokens=tokens, **shared), *steps]

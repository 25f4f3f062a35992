"""Small programs as rows: what each says of a text, learnt from other people and other texts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gazecode.agreeing.rows import ModelRows
from gazecode.agreeing.texts import Humans, HumanText, token_problem
from gazecode.agreement.programs import registry
from gazecode.agreement.programs.answers import ask_all
from gazecode.agreement.programs.hold_out import Plan, plan
from gazecode.agreement.programs.observed import Observed, by_file
from gazecode.errors import DataError
from gazecode.model import SourceTokens
from gazecode.model.scores import ModelScores
from gazecode.source import parse

__all__ = ["PROGRAMS", "program_rows", "readings_of", "sources_of"]

PROGRAMS = "programs"
"""What the model of their rows is called, and the word that asks for them."""


def sources_of(humans: Humans) -> list[SourceTokens]:
    """Parse every text that people read, with the tokens that their files have.

    Raises
    ------
    DataError
        A text without a language, or one that the grammar cuts into other tokens now.
    """
    return [_parsed(text) for text in humans.texts.values()]


def _parsed(text: HumanText) -> SourceTokens:
    if not text.language:
        raise DataError(
            f"{text.name}: its rows name no language; expected one, to parse the text: run the "
            "study again with a language of the stimulus"
        )
    tokens = parse(text.code, text.language, source_id=text.name)
    problem = token_problem(text.span, tokens.span)
    if problem:
        raise DataError(
            f"{text.name}: its rows and the grammar of {text.language} cut the text into "
            f"{problem}; make the rows again with this version, of whole files instead of windows"
        )
    return tokens


def program_rows(
    humans: Humans, names: Sequence[str] = (), *, seed: int = 0
) -> tuple[Humans, ModelRows]:
    """What programs say of every text, and the people they are scored on.

    A program may know something of people: only what it learnt from others, on other texts. Where
    everybody read everything, one half of the people teaches and the other half alone is left.

    Parameters
    ----------
    names
        Of `gazecode.agreement.programs.PROGRAMS`; all if empty.
    seed
        Decides the halves.

    Raises
    ------
    DataError
        As `sources_of`.
    ParameterError
        No such program.
    """
    programs = registry.chosen(list(names) or None, registry.PROGRAMS)
    tokens = {source.source_id: source for source in sources_of(humans)}
    planned = plan(readings_of(humans, tokens), "both", seed)
    said = ask_all(programs, {name: tokens[name] for name in planned.known}, planned.known)
    rows = {
        program: {
            name: ModelScores(model=PROGRAMS, method=program, span=tokens[name].span, value=value)
            for name, value in maps.items()
        }
        for program, maps in said.items()
    }
    notes = (_sentence(planned),)
    facts = {"held_out": planned.rule, "readings_that_only_taught": planned.n_teachers_only}
    return _scored_people(humans, planned), ModelRows(rows=rows, notes=notes, facts=facts)


def readings_of(humans: Humans, tokens: Mapping[str, SourceTokens]) -> list[Observed]:
    """Who looked where, one for each person and text."""
    return [
        Observed(
            person=person,
            source=text.name,
            tokens=tokens[text.name],
            value=value,
            group=text.group,
        )
        for text in humans.texts.values()
        for person, value in zip(text.people, text.maps, strict=True)
    ]


def _sentence(planned: Plan) -> str:
    people = {(known.n_people, known.n_files) for known in planned.known.values()}
    least, _ = min(people, default=(0, 0))
    more = "" if least else " For some texts nobody is left to learn from."
    return f"Held out: {planned.rule}.{more}"


def _scored_people(humans: Humans, planned: Plan) -> Humans:
    """The people's maps without those of whoever taught."""
    kept = {}
    for name, readings in by_file(planned.scored).items():
        text = humans.texts[name]
        people = {reading.person for reading in readings}
        there = np.array([person in people for person in text.people])
        kept[name] = replace(
            text,
            people=tuple(person for person in text.people if person in people),
            maps=text.maps[there],
        )
    return replace(humans, texts=kept)

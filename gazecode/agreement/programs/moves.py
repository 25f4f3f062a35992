"""Programs of saccades: from each token (row) to each token (column).

A program gives numbers of at least 0; whoever scores divides each row by its sum, and a row of
zeros says "nowhere". Programs that send every row to the same columns are the baselines of
attention heads (validity 14; Hayes, Li & Andreas, arXiv 2606.19317): a sink, a random column.
"""

import numpy as np

from gazecode.agreement.programs.known import Known
from gazecode.agreement.programs.lines import first_of_line, widths
from gazecode.agreement.programs.roles import label_theta
from gazecode.agreement.programs.shapes import lengths
from gazecode.agreement.programs.token_classes import identifiers, text_numbers
from gazecode.agreement.seeding import text_generator
from gazecode.model import SourceTokens
from gazecode.model.checks import BoolArray, FloatArray

__all__ = ["MOVES"]


def uniform(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Anywhere alike, the token itself included."""
    return np.ones((len(tokens), len(tokens)))


def previous_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To the token before."""
    return np.eye(len(tokens), k=-1)


def next_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To the token after."""
    return np.eye(len(tokens), k=1)


def same_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Stay: refixations."""
    return np.eye(len(tokens))


def nearby(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Halved with every token further away, both ways, the token itself included."""
    return np.asarray(0.5 ** np.abs(_steps(tokens)))


def nearby_forward(tokens: SourceTokens, _known: Known) -> FloatArray:
    """As `nearby`, to later tokens alone."""
    steps = _steps(tokens)
    return np.where(steps > 0, 0.5 ** steps.clip(0), 0.0)


def nearby_on_screen(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Falls with the distance on screen: a line counts as five characters, the scale is ten."""
    middle = tokens.column + widths(tokens) / 2
    across, down = _difference(middle), 5.0 * _difference(tokens.row)
    return np.asarray(np.exp(-np.hypot(across, down) / 10.0))


def same_line(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To the other tokens of the line."""
    return _others(tokens.row[:, None] == tokens.row)


def line_start(tokens: SourceTokens, _known: Known) -> FloatArray:
    """Back to the start of the line."""
    return _to_start(tokens, 0)


def next_line_start(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To the start of the next line that has tokens."""
    return _to_start(tokens, 1)


def previous_line_start(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To the start of the line before."""
    return _to_start(tokens, -1)


def next_lines(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To any token of the next line that has tokens."""
    line = _line(tokens)
    return np.asarray(line == line[:, None] + 1, dtype=np.float64)


def same_identifier(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To other places of the same name."""
    return _others(_same_name(tokens))


def next_same_identifier(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To the next place of the same name."""
    number = np.where(identifiers(tokens), text_numbers(tokens), -1)
    return _next_in(number)


def previous_same_identifier(tokens: SourceTokens, known: Known) -> FloatArray:
    """Back to the last place of the same name."""
    return next_same_identifier(tokens, known).T


def next_identifier(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From anywhere to the next name, over whatever stands between."""
    m, name = len(tokens), np.flatnonzero(identifiers(tokens))
    there = np.searchsorted(name, np.arange(m), side="right")
    return _cells(m, np.flatnonzero(there < len(name)), name[there[there < len(name)]])


def definition_to_use(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From where a name is defined to where it is used."""
    return _cells(len(tokens), *tokens.links.T)


def use_to_definition(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From where a name is used back to where it is defined."""
    return _cells(len(tokens), *tokens.links[:, ::-1].T)


def same_label(tokens: SourceTokens, _known: Known) -> FloatArray:
    """To other tokens of the same semantic label."""
    label = tokens.label.astype(str)
    return _others((label[:, None] == label) & (label != ""))


def first_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From everywhere to the first token: an attention sink."""
    return _column(np.arange(len(tokens)) == 0)


def random_token(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From everywhere to one token, drawn by the text of the file: a random column."""
    return _column(
        np.arange(len(tokens)) == text_generator(tokens.code).integers(max(len(tokens), 1))
    )


def random_targets(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From everywhere the same random row, drawn by the text of the file."""
    return _column(text_generator(tokens.code).random(len(tokens)))


def long_tokens(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From everywhere by the length of the target: what gaze at chance does."""
    return _column(lengths(tokens))


def any_identifier(tokens: SourceTokens, _known: Known) -> FloatArray:
    """From everywhere to any name."""
    return _column(identifiers(tokens))


def salient_label(tokens: SourceTokens, known: Known) -> FloatArray:
    """From everywhere by ``E[theta]`` of the target's label, learnt from others."""
    return _column(label_theta(tokens, known))


def _steps(tokens: SourceTokens) -> FloatArray:
    """Tokens from row to column, at most 1,000: halved so often, nothing is left."""
    return _difference(np.arange(len(tokens))).clip(-1000, 1000)


def _difference(place: np.ndarray) -> FloatArray:
    return np.asarray(place - place[:, None], dtype=np.float64)


def _line(tokens: SourceTokens) -> np.ndarray:
    """``(m,)`` number of the line, lines without a token not counted."""
    return np.cumsum(first_of_line(tokens)) - 1


def _to_start(tokens: SourceTokens, ahead: int) -> FloatArray:
    line, start = _line(tokens), np.flatnonzero(first_of_line(tokens))
    there = line + ahead
    known = np.flatnonzero((there >= 0) & (there < len(start)))
    known = known[start[there[known]] != known]
    return _cells(len(tokens), known, start[there[known]])


def _same_name(tokens: SourceTokens) -> BoolArray:
    number = text_numbers(tokens)
    return np.asarray((number[:, None] == number) & identifiers(tokens))


def _next_in(number: np.ndarray) -> FloatArray:
    """From each token to the next of the same number; -1 belongs to none."""
    order = np.argsort(number, kind="stable")
    here, there = order[:-1], order[1:]
    joined = (number[here] == number[there]) & (number[here] >= 0)
    return _cells(len(number), here[joined], there[joined])


def _others(chosen: BoolArray) -> FloatArray:
    matrix = chosen.astype(np.float64)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _column(target: np.ndarray) -> FloatArray:
    return np.tile(np.asarray(target, dtype=np.float64), (len(target), 1))


def _cells(m: int, origin: np.ndarray, target: np.ndarray) -> FloatArray:
    matrix = np.zeros((m, m))
    matrix[origin, target] = 1.0
    return matrix


MOVES = {
    program.__name__: program
    for program in (
        *(uniform, first_token, random_token, random_targets),
        *(previous_token, next_token, same_token, nearby, nearby_forward, nearby_on_screen),
        *(same_line, line_start, next_line_start, previous_line_start, next_lines),
        *(same_identifier, next_same_identifier, previous_same_identifier, next_identifier),
        *(definition_to_use, use_to_definition, same_label),
        *(long_tokens, any_identifier, salient_label),
    )
}

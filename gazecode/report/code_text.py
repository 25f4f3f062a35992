"""Source and subwords as running text, cut into pieces that each have one shade."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gazecode.report.colour import LEVELS
from gazecode.report.reading import Reading
from gazecode.report.views import SubwordView, TrialView
from gazecode.report.words import number, printable

__all__ = ["Piece", "SubwordText", "source_pieces", "subword_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of text; `kind` is a class of the style sheet, "" for plain text."""

    text: str
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordText:
    """Subwords in order, and how many had no text of their own (special tokens)."""

    pieces: list[Piece]
    n_subwords: int
    n_special: int
    n_counted: int
    low: str
    high: str


def source_pieces(view: TrialView, reading: Reading) -> list[Piece]:
    """Cut the whole source into shaded tokens and all text between them."""
    exposed = view.weights.exposed
    pieces: list[Piece] = []
    for token, raw in _cut(view.tokens.code, view.tokens.span.tolist()):
        text = printable(raw.decode("utf-8", "replace"))
        if token < 0:
            pieces.append(Piece(text=text))
        elif reading.levels[token]:
            kind = f"w{reading.levels[token]}"
            pieces.append(
                Piece(text=text, kind=kind, title=number(float(view.weights.value[token])))
            )
        elif exposed is not None and not exposed[token]:
            pieces.append(Piece(text=text, kind="unseen", title="never on the screen"))
        else:
            pieces.append(Piece(text=text))
    return _joined(pieces)


def subword_text(view: SubwordView) -> SubwordText:
    """Boxes of subwords: above 1 in the hue of weight, below 1 in the other, outside the loss grey.

    Steps are in equal ratios: the last one above is the largest weight, the last one below its
    inverse.
    """
    counted = view.weight[view.loss_mask]
    shown = counted[np.isfinite(counted)]
    log = np.log2(np.clip(view.weight, 2.0**-6, 2.0**6))
    reach = float(np.abs(log[view.loss_mask]).max()) if shown.size else 0.0
    level = np.round(np.abs(log) / max(reach, 1e-9) * LEVELS).astype(np.int64)
    owned = np.flatnonzero(view.span[:, 1] > view.span[:, 0])
    pieces = []
    for k, raw in _cut(view.text, view.span[owned].tolist()):
        text = printable(raw.decode("utf-8", "replace"))
        if k < 0:
            pieces.append(Piece(text=text))
            continue
        i = int(owned[k])
        pieces.append(
            Piece(
                text=text,
                kind=_subword_kind(view, i, log=float(log[i]), level=int(level[i])),
                title=number(float(view.weight[i]))
                + ("" if view.loss_mask[i] else ", not in the loss"),
            )
        )
    return SubwordText(
        pieces=pieces,
        n_subwords=len(view.span),
        n_special=len(view.span) - len(owned),
        n_counted=int(view.loss_mask.sum()),
        low=number(float(shown.min())) if shown.size else "—",
        high=number(float(shown.max())) if shown.size else "—",
    )


def _subword_kind(view: SubwordView, i: int, *, log: float, level: int) -> str:
    if not view.loss_mask[i]:
        return "out"
    if not level:
        return ""
    return f"{'w' if log > 0 else 'n'}{min(level, LEVELS)}"


def _cut(code: bytes, spans: list[list[int]]) -> Iterator[tuple[int, bytes]]:
    """All bytes in order: index of the span, or -1 for what lies between spans."""
    done = 0
    for i, (a, b) in enumerate(spans):
        if a > done:
            yield -1, code[done:a]
        yield i, code[a:b]
        done = b
    if done < len(code):
        yield -1, code[done:]


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours without a shade become one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and not piece.kind and not joined[-1].kind:
            joined[-1] = Piece(text=joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined

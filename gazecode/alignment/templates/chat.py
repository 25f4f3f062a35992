"""Chat templates as templates of ours: where each content lies in what a tokenizer renders.

The contents are rendered once as marks that no text has, and the rendered text is cut there. So no
chat format is known here, and none has to be: every filled text is compared with what the same
renderer gives for the real contents, and refused if they differ.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gazecode.alignment.templates.template import ANSWER, Mark, Pieces, Slot, Template, Trim, parsed
from gazecode.errors import ParameterError

__all__ = ["chat_template"]

Message = Mapping[str, Any]
_AROUND = ("\n ", " \n")
"""Blanks around a mark that tell whether a template takes them off."""


def chat_template(
    messages: Sequence[Message],
    render: Callable[[list[dict[str, Any]]], str],
    *,
    loss: Sequence[str] = (ANSWER,),
    learn_end: bool = True,
) -> Template:
    r"""Make a template of messages and what renders them.

    Parameters
    ----------
    messages
        Each with a ``role`` and a ``content`` whose gaps are those of `Template.of`: ``{code}``
        once in all, ``{answer}``, others at will; ``{{`` and ``}}`` stand for braces.
    render
        Gives the text of messages, such as
        ``lambda m: tokenizer.apply_chat_template(m, tokenize=False)``. It is called again for every
        text that is filled.
    loss
        Names of the gaps whose text counts in the loss.
    learn_end
        Whether the first special token after such a text (end of turn) counts in the loss, with
        weight 1.0, and blanks between: otherwise the model never learns to stop. The same goes for
        a baseline, since it is in `loss_mask`.

    Returns
    -------
    Template
        It spells its special tokens itself, so that the tokenizer adds none. Blanks around a
        content that the chat template takes off are no part of a segment.

    Raises
    ------
    ParameterError
        A content is no text, ``{code}`` is not there once, or a content with gaps is rendered not
        once, or not as it is.

    Examples
    --------
    >>> def render(messages):
    ...     return "".join(f"<|{m['role']}|>{m['content'].strip()}<|end|>" for m in messages)
    >>> template = chat_template(
    ...     [
    ...         {"role": "user", "content": "Explain:\n{code}"},
    ...         {"role": "assistant", "content": "{answer}"},
    ...     ],
    ...     render,
    ... )
    >>> template.fill({"code": "x = 1\n", "answer": " It sets x."})[0]
    '<|user|>Explain:\nx = 1<|end|><|assistant|>It sets x.<|end|>'
    """
    contents = [_content(message) for message in messages]
    open_ones = [i for i, pieces in enumerate(contents) if _has_gaps(pieces)]
    marks = _marks(messages, open_ones)
    bare = render(_with(messages, contents, marks))
    around = {i: mark.join(_AROUND) for i, mark in marks.items()}
    blank = render(_with(messages, contents, around))
    order = sorted(open_ones, key=lambda i: _place(bare, marks[i], messages[i]))
    pieces: list[Any] = []
    trims: list[Trim] = []
    at = 0
    for i in order:
        place = _place(bare, marks[i], messages[i])
        left, right = _taken_off(blank, marks[i], messages[i])
        pieces.append(bare[at:place])
        first = len(pieces)
        pieces += contents[i]
        if left or right:
            trims.append(Trim(first, len(pieces), left, right))
        at = place + len(marks[i])
    pieces.append(bare[at:])

    def whole(values: Mapping[str, str]) -> str:
        filled = {i: _filled(contents[i], values) for i in open_ones}
        return render(_with(messages, contents, filled))

    return Template(
        pieces=tuple(pieces),
        loss=tuple(loss),
        learn_end=learn_end,
        special_tokens=False,
        trims=tuple(trims),
        render=whole,
    )


def _content(message: Message) -> Pieces:
    content = message.get("content")
    if not isinstance(content, str):
        raise ParameterError(
            f"the content of the {message.get('role')} message is a {type(content).__name__}; "
            "expected a text"
        )
    return parsed(content)


def _has_gaps(pieces: Pieces) -> bool:
    return any(isinstance(piece, Slot) for piece in pieces)


def _marks(messages: Sequence[Message], numbers: Sequence[int]) -> dict[int, str]:
    """Texts that stand nowhere else: letters and digits, which templates leave alone."""
    digest = hashlib.sha256(repr([dict(m) for m in messages]).encode()).hexdigest()[:12]
    return {i: f"gap{digest}n{i}e" for i in numbers}


def _with(
    messages: Sequence[Message], contents: Sequence[Pieces], texts: Mapping[int, str]
) -> list[dict[str, Any]]:
    """The messages with other contents."""
    return [
        {**message, "content": texts[i] if i in texts else _filled(pieces, {})}
        for i, (message, pieces) in enumerate(zip(messages, contents, strict=True))
    ]


def _filled(pieces: Pieces, values: Mapping[str, str]) -> str:
    return "".join(
        piece
        if isinstance(piece, str)
        else piece.text
        if isinstance(piece, Mark)
        else values[piece.name]
        for piece in pieces
    )


def _place(rendered: str, mark: str, message: Message) -> int:
    found = rendered.count(mark)
    if found != 1:
        raise ParameterError(
            f"the chat template renders the content of the {message.get('role')} message {found} "
            "times; expected once: put the gaps into a message that it renders once"
        )
    return rendered.index(mark)


def _taken_off(rendered: str, mark: str, message: Message) -> tuple[bool, bool]:
    """Whether blanks before and after a content are taken off."""
    at = _place(rendered, mark, message)
    before, after = _AROUND
    return (
        not rendered[:at].endswith(before),
        not rendered[at + len(mark) :].startswith(after),
    )

"""What a reader is: two functions and a header line."""

from collections.abc import Callable
from dataclasses import dataclass

from gazecode.model import Recording
from gazecode.readers.source import Source

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """One format: how to recognise it and how to read it.

    Another package adds a format by an entry point of the group ``gazecode.readers`` that names
    an object of this type; nothing has to be subclassed.

    Attributes
    ----------
    name
        What `format=` takes.
    title
        One line for people: device, software, file.
    sniff
        ``sniff(source) -> bool``, decided on `Source.head`, the name and siblings; cheap, and
        False for whatever it cannot make sense of.
    read
        ``read(source, *, <its own options>) -> Recording``. Bad data may raise anything:
        `gazecode.read` turns it into one `FormatError` that names file and reader. Its
        `Recording.provenance` says `clock` (which column, from where), `left_out` (what was left
        out, with counts) and `notes` (what was assumed); the rest is filled in for every reader.
        An option called ``screen`` is given the `Screen` the caller passed, or None.
    suffixes
        Usual endings of such files, for the listing only; content decides.
    priority
        Among several readers that recognise a file the highest wins; a tie is an error.
    any_file
        Whether it reads files it does not recognise when it is asked for by name.

    Examples
    --------
    >>> from gazecode.readers import READERS
    >>> READERS["eyelink"].suffixes
    ('.asc', '.asc.gz')
    """

    name: str
    title: str
    sniff: Callable[[Source], bool]
    read: Callable[..., Recording]
    suffixes: tuple[str, ...] = ()
    priority: int = 0
    any_file: bool = False

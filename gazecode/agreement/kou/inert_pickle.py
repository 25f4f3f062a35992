"""Values of a pickle, by a machine that knows only data: nothing in the file can be called.

A pickle is a program. Python's own unpickler runs it, and even with names refused its memo can be
made to ask for gigabytes. This one walks the opcodes (Python's ``pickletools`` describes them) and
knows dicts, lists, tuples, texts, bytes and numbers; every name is an inert marker, and of calls
only the few that numpy writes around one number are understood, here and not in numpy. Whatever
else occurs is refused before anything is done with it.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gazecode.agreement.kou.inert_machine import Machine
from gazecode.errors import FormatError, TooLarge

__all__ = ["MAX_BYTES", "MAX_STEPS", "read_pickle"]

MAX_BYTES = 64 << 20
"""Larger files are refused unread; the study's score files hold a megabyte or two."""
MAX_STEPS = 2_000_000
"""Opcodes in one file: each makes at most one small object, which bounds the memory (to 1 GB)."""
MAX_DIGITS = 64
"""Characters of a number, however it is written."""

SCALAR, DTYPE, ENCODE = "numpy scalar", "numpy dtype", "latin-1 encode"
NAMES: Mapping[tuple[str, str], str] = {
    ("numpy.core.multiarray", "scalar"): SCALAR,
    ("numpy._core.multiarray", "scalar"): SCALAR,
    ("numpy", "dtype"): DTYPE,
    ("_codecs", "encode"): ENCODE,
}
"""What numpy writes around one number; the names are never looked up."""
NUMBERS: Mapping[str, str] = {"f2": "e", "f4": "f", "f8": "d", "b1": "?"} | dict(
    zip(("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"), "bhiqBHIQ", strict=True)
)
"""Type codes of numpy and of `struct`."""


class _Name(NamedTuple):
    """A name in the file: a marker, never the thing it names."""

    kind: str


@dataclass(slots=True)
class _Number:
    """numpy's description of one number: code and byte order, nothing more."""

    code: str
    order: str = "<"


def read_pickle(path: str | Path) -> Any:
    """The dicts, lists, tuples, texts, bytes and numbers of a pickle file, without executing it.

    Numbers of numpy become Python's. Lists that the file shares are shared.

    Parameters
    ----------
    path
        Of the file, of any pickle protocol.

    Raises
    ------
    TooLarge
        More than `MAX_BYTES` bytes or `MAX_STEPS` instructions.
    FormatError
        A name other than those around one numpy number, a call, a persistent id, a file that is
        cut off or no pickle.

    Examples
    --------
    >>> import pickle, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scores.pkl"
    ...     _ = path.write_bytes(pickle.dumps({"Sort it.": [("Sort", 0.5)]}))
    ...     read_pickle(path)
    {'Sort it.': [('Sort', 0.5)]}
    """
    path = Path(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TooLarge(
            f"{path.name}: {size:,} bytes of pickle; at most {MAX_BYTES:,} are read, because a "
            "pickle unpacks to many times its size: write it as Parquet"
        )
    machine = Machine(path.name, path.read_bytes())
    try:
        return _run(machine)
    except (ValueError, TypeError, OverflowError, struct.error) as error:
        # The wording of Python's own errors may hold text of the file: only its kind is said.
        kind = type(error).__name__
        raise FormatError(
            f"{path.name}: broken near byte {machine.at} ({kind}); expected a pickle of dicts, "
            "lists, texts and numbers: fetch the file again"
        ) from error


def _run(machine: Machine) -> Any:
    for _ in range(MAX_STEPS):
        code = machine.take(1)
        if code == b".":
            return machine.pop()[0]
        step = STEPS.get(code)
        if step is None:
            machine.bad(_refused(code))
        step(machine)
    raise TooLarge(
        f"{machine.name}: more than {MAX_STEPS:,} pickle instructions; expected score files of "
        "this study, which hold a few hundred thousand: split it, or write it as Parquet"
    )


def _refused(code: bytes) -> str:
    names = {b"i": "INST", b"o": "OBJ", b"\x81": "NEWOBJ", b"\x92": "NEWOBJ_EX"}
    names |= {b"P": "PERSID", b"Q": "BINPERSID", b"\x82": "EXT1", b"\x83": "EXT2", b"\x84": "EXT4"}
    return f"refused: instruction {names.get(code, f'0x{code[0]:02x}')}"


# Pushing values.


def _skip(n: int) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        machine.take(n)

    return step


def _value(read: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        machine.stack.append(read(machine))

    return step


def _fresh(kind: Callable[[], Any]) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        machine.stack.append(kind())

    return step


def _counted(width: int, decode: Callable[[bytes], Any]) -> Callable[[Machine], None]:
    return _value(lambda machine: decode(machine.take(machine.size(width))))


def _utf8(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _latin1(raw: bytes) -> str:
    return raw.decode("latin-1")


def _signed(raw: bytes) -> int:
    if len(raw) > MAX_DIGITS:
        raise ValueError(len(raw))
    return int.from_bytes(raw, "little", signed=True)


def _written(machine: Machine) -> bytes:
    text = machine.line()
    if len(text) > MAX_DIGITS:
        machine.bad(f"a number of {len(text)} digits")
    return text


def _integer(machine: Machine) -> int | bool:
    text = _written(machine).rstrip(b"L")
    # Protocols 0 and 1 write True and False so.
    return text == b"01" if text in {b"00", b"01"} else int(text)


def _double(raw: bytes) -> float:
    return float(struct.unpack(">d", raw)[0])


# Building dicts, lists and tuples.


def _mark(machine: Machine) -> None:
    machine.marks.append(len(machine.stack))


def _last(n: int) -> Callable[[Machine], None]:
    return _value(lambda machine: tuple(machine.pop(n)))


def _append(machine: Machine) -> None:
    (value,) = machine.pop()
    _top(machine, list).append(value)


def _appends(machine: Machine) -> None:
    values = machine.since_mark()
    _top(machine, list).extend(values)


def _put_in(machine: Machine, values: list[Any]) -> None:
    into = _top(machine, dict)
    if len(values) % 2:
        machine.bad("a key without a value")
    for key in values[::2]:
        if not isinstance(key, str):
            machine.bad(f"a key that is a {type(key).__name__}")
    into.update(zip(values[::2], values[1::2], strict=True))


def _dict(machine: Machine) -> None:
    values = machine.since_mark()
    machine.stack.append({})
    _put_in(machine, values)


def _top(machine: Machine, kind: type) -> Any:
    (value,) = machine.pop()
    if type(value) is not kind:
        machine.bad(f"a {type(value).__name__} where a {kind.__name__} is filled")
    machine.stack.append(value)
    return value


# The memo.


def _memoize(machine: Machine, key: int) -> None:
    (value,) = machine.pop()
    machine.stack.append(value)
    machine.memo[key] = value


def _recall(machine: Machine, key: int) -> None:
    if key not in machine.memo:
        machine.bad("a value that was never kept")
    machine.stack.append(machine.memo[key])


# Names and calls: only those around one number of numpy.


def _named(machine: Machine, module: object, name: object) -> None:
    kind = NAMES.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
    if kind is None:
        # What is named may be anything: it is shown as text, shortened, on one line.
        machine.bad(f"refused: the name {f'{module}.{name}'[:80]!r}")
    machine.stack.append(_Name(kind))


def _global(machine: Machine) -> None:
    _named(machine, _utf8(machine.line()), _utf8(machine.line()))


def _stack_global(machine: Machine) -> None:
    module, name = machine.pop(2)
    if not (isinstance(module, str) and isinstance(name, str)):
        machine.bad("refused: a name that is no text")
    _named(machine, module, name)


def _reduce(machine: Machine) -> None:
    what, given = machine.pop(2)
    if not isinstance(what, _Name) or not isinstance(given, tuple):
        machine.bad(f"refused: a call of a {type(what).__name__}")
    if what.kind == DTYPE and given and isinstance(given[0], str) and given[0] in NUMBERS:
        machine.stack.append(_Number(given[0]))
    elif what.kind == ENCODE and len(given) == 2 and given[1] == "latin1":
        machine.stack.append(_encoded(machine, given[0]))
    elif what.kind == SCALAR and len(given) == 2:
        machine.stack.append(_number(machine, *given))
    else:
        machine.bad(f"refused: a {what.kind} that is not one number")


def _encoded(machine: Machine, text: object) -> bytes:
    # One text could be encoded over and over: only what may be the bytes of a number is.
    if not isinstance(text, str) or len(text) > MAX_DIGITS:
        machine.bad(f"refused: a {ENCODE} of what is not one number")
    return text.encode("latin-1")


def _number(machine: Machine, dtype: object, raw: object) -> float | int | bool:
    if not isinstance(dtype, _Number) or not isinstance(raw, (bytes, str)):
        machine.bad("refused: a numpy scalar that is not one number")
    held = raw if isinstance(raw, bytes) else raw.encode("latin-1")
    value: float | int | bool = struct.unpack(dtype.order + NUMBERS[dtype.code], held)[0]
    return value


def _build(machine: Machine) -> None:
    """The state of a dtype: of it only the byte order means something for one number."""
    dtype, state = machine.pop(2)
    if not isinstance(dtype, _Number) or not isinstance(state, tuple) or len(state) < 2:
        machine.bad(f"refused: the state of a {type(dtype).__name__}")
    if state[1] not in {"<", ">", "|", "="}:
        machine.bad("refused: a number of unknown byte order")
    dtype.order = ">" if state[1] == ">" else "<"
    machine.stack.append(dtype)


STEPS: Mapping[bytes, Callable[[Machine], None]] = {
    b"\x80": _skip(1),  # the protocol
    b"\x95": _skip(8),  # the length of a frame
    b"N": _fresh(lambda: None),
    b"\x88": _fresh(lambda: True),
    b"\x89": _fresh(lambda: False),
    b"K": _value(lambda m: m.size(1)),
    b"M": _value(lambda m: m.size(2)),
    b"J": _value(lambda m: _signed(m.take(4))),
    b"\x8a": _counted(1, _signed),
    b"\x8b": _counted(4, _signed),
    b"I": _value(_integer),
    b"L": _value(_integer),
    b"G": _value(lambda m: _double(m.take(8))),
    b"F": _value(lambda m: float(_written(m))),
    b"\x8c": _counted(1, _utf8),
    b"X": _counted(4, _utf8),
    b"\x8d": _counted(8, _utf8),
    b"V": _value(lambda m: m.line().decode("raw-unicode-escape")),
    b"U": _counted(1, _latin1),
    b"T": _counted(4, _latin1),
    b"C": _counted(1, bytes),
    b"B": _counted(4, bytes),
    b"\x8e": _counted(8, bytes),
    b"}": _fresh(dict),
    b"]": _fresh(list),
    b")": _fresh(tuple),
    b"(": _mark,
    b"t": _value(lambda m: tuple(m.since_mark())),
    b"l": _value(lambda m: m.since_mark()),
    b"d": _dict,
    b"\x85": _last(1),
    b"\x86": _last(2),
    b"\x87": _last(3),
    b"a": _append,
    b"e": _appends,
    b"s": lambda m: _put_in(m, m.pop(2)),
    b"u": lambda m: _put_in(m, m.since_mark()),
    b"\x94": lambda m: _memoize(m, len(m.memo)),
    b"q": lambda m: _memoize(m, m.size(1)),
    b"r": lambda m: _memoize(m, m.size(4)),
    b"p": lambda m: _memoize(m, int(_written(m))),
    b"h": lambda m: _recall(m, m.size(1)),
    b"j": lambda m: _recall(m, m.size(4)),
    b"g": lambda m: _recall(m, int(_written(m))),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"b": _build,
}
"""Every instruction that is understood; all others are refused."""

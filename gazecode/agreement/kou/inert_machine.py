"""Stack, marks and memo of a pickle that is read as data, as `inert_pickle` does."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

from gazecode.errors import FormatError

__all__ = ["Machine"]


@dataclass(slots=True)
class Machine:
    """Stack, marks and memo of a pickle that is being read."""

    name: str
    data: bytes
    at: int = 0
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def bad(self, what: str) -> NoReturn:
        """Refuse the file."""
        raise FormatError(
            f"{self.name}: {what} at byte {self.at}; expected a pickle of dicts, lists, texts and "
            "numbers, and nothing in this file was executed: convert it where you trust it"
        )

    def take(self, n: int) -> bytes:
        """The next `n` bytes; nothing is set aside for bytes that are only announced."""
        start, end = self.at, self.at + n
        if end > len(self.data):
            self.bad(f"cut off: {n} bytes are announced and {len(self.data) - start} are left")
        self.at = end
        return self.data[start:end]

    def size(self, n: int) -> int:
        """A count written in `n` bytes."""
        return int.from_bytes(self.take(n), "little")

    def line(self) -> bytes:
        """Up to the end of the line."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            self.bad("cut off inside a line")
        text = self.data[self.at : end]
        self.at = end + 1
        return text

    def pop(self, n: int = 1) -> list[Any]:
        """The last `n` values, none from below the last mark."""
        floor = self.marks[-1] if self.marks else 0
        if len(self.stack) - floor < n:
            self.bad("an instruction finds too few values")
        values = self.stack[len(self.stack) - n :]
        del self.stack[len(self.stack) - n :]
        return values

    def since_mark(self) -> list[Any]:
        """All values above the last mark, and the mark."""
        if not self.marks:
            self.bad("an instruction finds no mark")
        start = self.marks.pop()
        values = self.stack[start:]
        del self.stack[start:]
        return values

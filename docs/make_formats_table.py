"""Write the table of public recordings into formats.md: what opening each one gives.

    python docs/make_formats_table.py FOLDER

FOLDER holds the recordings; they are not part of this repository. A test compares the table with
what reading gives, wherever they are.
"""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from export_facts import FACTS, differences, seen  # noqa: E402

from gazecode.errors import GazecodeError  # noqa: E402
from gazecode.readers import read  # noqa: E402

BEGIN, END = "<!-- recordings: written by docs/make_formats_table.py -->", "<!-- /recordings -->"
HEADS = ("file", "format", "samples", "Hz", "eyes", "lost", "events", "plane", "checked")
WORDS = {"fixations": "fixations", "saccades": "saccades", "blinks": "blinks"}


def files_of(folder: Path) -> list[Path]:
    """Every export, and the raw recordings of studies that `FACTS` names."""
    found = [p for p in sorted((folder / "exports").rglob("*")) if p.is_file()]
    found = [p for p in found if p.name != "SOURCE.md"]
    for pattern in FACTS:
        if not pattern.startswith("exports/"):
            found += sorted(folder.glob(pattern))
    return found


def facts_of(path: Path, folder: Path) -> dict[str, Any]:
    """What is known of a file by other means."""
    name = path.relative_to(folder)
    return next((facts for pattern, facts in FACTS.items() if matches(name, pattern)), {})


def matches(name: Path, pattern: str) -> bool:
    """Whether a pattern of `FACTS` means this file."""
    if "*" not in pattern:
        return str(name) == pattern
    first, *_, last = pattern.split("/")
    return name.parts[0] == first and name.match(last)


def row(path: Path, folder: Path) -> list[str]:
    """One line of the table; raises where a fact does not hold."""
    name = f"`{path.relative_to(folder).as_posix().removeprefix('exports/')}`"
    try:
        recording = read(path)
    except GazecodeError as error:
        said = str(error).split("; ")[-1]
        return [name, "–", "", "", "", "", "", "", f"answered: {said}"]
    found, facts = seen(recording), facts_of(path, folder)
    if wrong := differences(facts, found):
        raise ValueError(f"{name}: {'; '.join(wrong)}")
    lost = sum(found["lost"].values()) / max(len(found["lost"]) * found["samples"], 1)
    events = [f"{found[key]} {word}" for key, word in WORDS.items() if found[key]]
    events += [f"{found['trials']} trials"] if found["trials"] else []
    checked = [key.replace("_", " ") for key, value in facts.items() if value is not None]
    return [
        name,
        str(recording.provenance["format"]),
        str(found["samples"]),
        "" if found["rate_hz"] is None else f"{found['rate_hz']:.4g}",
        ", ".join(found["eyes"]) if found["samples"] else "",
        f"{100 * lost:.3g} %" if found["samples"] else "",
        ", ".join(events),
        str(found["plane"]),
        ", ".join(checked) or "opens",
    ]


def line(cells: list[str]) -> str:
    """One row as Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(folder: Path) -> str:
    """The whole table, as Markdown."""
    rows = [list(HEADS), ["---"] * len(HEADS), *(row(path, folder) for path in files_of(folder))]
    return "\n".join(map(line, rows))


def main(folder: Path) -> None:
    """Put the table between its marks."""
    page = HERE / "formats.md"
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n\n{table(folder)}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

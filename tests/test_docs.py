"""The pages say what is so: every name, every command, every link, every table, every block."""

import dataclasses
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pydantic
import pytest
import typer

import gazecode
from gazecode.__main__ import app
from gazecode.agreement import METRICS
from gazecode.agreement.programs import PROGRAMS, TRANSITION_PROGRAMS
from gazecode.attention import METHODS
from gazecode.detection import DETECTORS, RULES, EventMeasures
from gazecode.evaluation import EVALUATIONS
from gazecode.mapping import LINE_METHODS, MAPPERS
from gazecode.measures import Linearity, ReadingMeasures
from gazecode.quality import Gates
from gazecode.readers import READERS
from gazecode.study import sections, stimulus_tables
from gazecode.study.outputs import OUTPUTS
from gazecode.version import __version__

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]
INTERNAL = {
    *("__main__", "agreeing", "commands", "describe", "demo", "disk", "resolver", "verdict"),
    *("version", "workers"),
}
"""Modules whose names no user types: the command line and what it prints."""
MODULES = ["gazecode"] + [
    f"gazecode.{module.name}"
    for module in pkgutil.iter_modules(gazecode.__path__)
    if module.name not in INTERNAL | {"adapters"}
]
ROOMS = [
    *(f"gazecode.mapping.{name}" for name in ("histories", "image", "lines", "positions")),
    *("gazecode.mapping.rows", "gazecode.mapping.scroll", "gazecode.source.edits"),
    *("gazecode.agreement.kou", "gazecode.agreement.programs"),
]
"""Parts of stages that users import from; each has a table in its stage's section."""
ADAPTERS = ["arrays", "torch", "transformers", "jax", "datasets"]
"""Each is its own face, and may lack what it needs."""
COMMAND = typer.main.get_command(app)


def flat(group, prefix=""):
    """Every command by the words one types for it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from flat(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


COMMANDS = dict(flat(COMMAND))


def text_of(page):
    return (DOCS / page).read_text(encoding="utf-8")


def section(text, heading):
    """What stands under a heading, to the next of its level."""
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def code_spans(text):
    """What stands in backticks outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def sections_of_modules():
    """Module → its part of the reference, by the name in the heading."""
    parts = re.split(r"^## (.*)$", text_of("reference.md"), flags=re.MULTILINE)
    titled = dict(zip(parts[1::2], parts[2::2], strict=True))
    named = {spans[0]: body for title, body in titled.items() if (spans := code_spans(title))}
    said = set(MODULES) | {"gazecode.adapters"}
    assert set(named) == said, "the reference has a section for each module, and no other"
    return named


def names_in(part):
    return {re.split(r"[(\s]", span)[0] for span in code_spans(part)}


def test_every_module_has_a_section_and_every_name_a_line():
    sections = sections_of_modules()
    missing = {
        module: sorted(absent)
        for module in MODULES
        if (absent := set(importlib.import_module(module).__all__) - names_in(sections[module]))
    }
    assert not missing


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_adapter_stands_in_the_reference(name):
    try:
        module = importlib.import_module(f"gazecode.adapters.{name}")
    except ImportError:
        pytest.skip(
            f"what adapters.{name} needs is not installed: pip install 'gazecode[adapters]'"
        )
    part = sections_of_modules()["gazecode.adapters"]
    assert not set(module.__all__) - names_in(part)
    written = set(code_spans(part))
    for public in module.__all__:
        function = getattr(module, public)
        if inspect.isfunction(function) and name != "jax":
            assert signature_of(function) in written or public == "to_examples"


def signature_of(function):
    """Parameters as the reference writes them: names, stars and defaults."""
    parts, keyword_only = [], False
    for p in inspect.signature(function).parameters.values():
        if p.kind is p.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        default = "KINDS" if p.default is gazecode.model.KINDS else repr(p.default)
        star = "**" if p.kind is p.VAR_KEYWORD else ""
        parts.append(star + p.name + ("" if p.default is p.empty else f"={default}"))
    return f"{function.__name__}({', '.join(parts)})"


FUNCTIONS = [
    pytest.param(module, name, id=f"{module}.{name}")
    for module in MODULES[1:]
    for name in importlib.import_module(module).__all__
    if inspect.isfunction(getattr(importlib.import_module(module), name))
]


@pytest.mark.parametrize(("module", "name"), FUNCTIONS)
def test_the_reference_writes_a_function_as_it_is(module, name):
    written = [s for s in code_spans(sections_of_modules()[module]) if s.startswith(f"{name}(")]
    assert written[:1] == [signature_of(getattr(importlib.import_module(module), name))]


def test_the_reference_names_nothing_that_is_not_there():
    """The first column of each table of names holds public names only."""
    for module in MODULES:
        part = sections_of_modules()[module]
        public = set(importlib.import_module(module).__all__)
        for table in re.findall(r"^\| name \|.*?(?=\n\n|\Z)", part, re.MULTILINE | re.DOTALL):
            for row in table.splitlines()[2:]:
                said = names_in(row.split(" | ")[0])
                assert said <= public, f"{module}: {sorted(said - public)}"


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_stands_with_its_names_and_signatures(name):
    stage = name.rpartition(".")[0]
    part = sections_of_modules()[stage]
    table = re.search(rf"^\| in `{re.escape(name)}` \|.*?(?=\n\n|\Z)", part, re.M | re.S)
    assert table, f"no table of {name}"
    first = "\n".join(row.split(" | ")[0] for row in table[0].splitlines()[2:])
    room = importlib.import_module(name)
    assert names_in(first) == set(room.__all__)
    above = set(importlib.import_module(stage).__all__)
    functions = [getattr(room, public) for public in set(room.__all__) - above]
    assert {signature_of(f) for f in functions if inspect.isfunction(f)} <= set(code_spans(first))


@pytest.mark.parametrize(
    ("page", "names"),
    [
        pytest.param("detection.md", [*DETECTORS, *RULES], id="detectors"),
        pytest.param("detection.md", EventMeasures.__dataclass_fields__, id="event measures"),
        pytest.param("lines.md", LINE_METHODS, id="line methods"),
        pytest.param("measures.md", ReadingMeasures.__dataclass_fields__, id="reading measures"),
        pytest.param(
            "measures.md",
            [n for n, v in vars(Linearity).items() if isinstance(v, property)],
            id="linearity",
        ),
    ],
)
def test_a_page_names_everything_of_its_subject(page, names):
    whole = {"kind", "onset_ms", "offset_ms", "unit", "number", "exposed", "ranked"}
    words = {word for span in code_spans(text_of(page)) for word in re.findall(r"\w+", span)}
    # A row may say the first of two names whole, and of the second the end alone.
    ends = {word for word in words if word.startswith("_")}
    missing = [n for n in names if n not in words | whole and not n.endswith(tuple(ends) or "\0")]
    assert not missing


@pytest.mark.parametrize(
    ("head", "names"),
    [
        pytest.param("| function | what it is | undefined | in `compare` |", METRICS, id="metrics"),
        pytest.param("| method | what it is |", METHODS, id="attention methods"),
        pytest.param("| program | a token weighs |", PROGRAMS, id="programs"),
        pytest.param(
            "| program | from a token the eyes go |", TRANSITION_PROGRAMS, id="transition programs"
        ),
    ],
)
def test_the_tables_of_agreement_name_all_there_is(head, names):
    found = re.search(
        rf"^{re.escape(head)}\n(.*?)(?=\n\n|\Z)", text_of("agreement.md"), re.M | re.S
    )
    assert found, f"no table {head}"
    column = -1 if names is METRICS else 0
    cells = [row.strip("| ").split(" | ")[column] for row in found[1].splitlines()[1:]]
    said = code_spans("\n".join(cells))
    if names is METRICS:
        # Of a family the table has one: `f1@5`.
        assert all(name in METRICS for name in said)
        said = [name for name in said if "@" not in name]
    assert sorted(said) == sorted(names)


def test_the_line_methods_stand_with_their_parameters():
    part = sections_of_modules()["gazecode.mapping"]
    for name, method in LINE_METHODS.items():
        params = inspect.signature(method).parameters.values()
        (row,) = re.findall(rf"^\| `{name}` \|.*$", part, re.MULTILINE)
        assert [p.name for p in params if p.kind is p.KEYWORD_ONLY] == code_spans(row)[1:]


def test_the_evaluations_stand_in_the_reference():
    assert set(EVALUATIONS) <= names_in(sections_of_modules()["gazecode.evaluation"])


def test_the_gates_stand_with_their_defaults():
    part = sections_of_modules()["gazecode.quality"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", part, re.MULTILINE))
    said = {field.name: field.default for field in dataclasses.fields(Gates)}
    assert rows == {k: "off" if v is None else f"{v:g}" for k, v in said.items()}


def test_the_mappers_stand_with_their_parameters():
    part = sections_of_modules()["gazecode.mapping"]
    for name, mapper in MAPPERS.items():
        params = inspect.signature(mapper).parameters.values()
        own = [p.name for p in params if p.kind is p.KEYWORD_ONLY]
        assert {name, *own} <= names_in(part)


def test_every_setting_of_a_study_stands_in_the_reference():
    part = section(text_of("reference.md"), "## The study file")
    words = {word for span in code_spans(part) for word in re.findall(r"\w+", span)}
    tables = [
        table
        for table in (vars(sections) | vars(stimulus_tables)).values()
        if isinstance(table, type) and issubclass(table, pydantic.BaseModel)
    ]
    assert len(tables) > 20
    keys = {key for table in tables for key in table.model_fields}
    assert not keys - words
    assert set(OUTPUTS) <= set(code_spans(part))


def test_every_command_and_option_stands_in_the_reference():
    part = section(text_of("reference.md"), "## Command line")
    rows = {
        re.match(r"gazecode ([a-z ]*[a-z])", row[1])[1]: row[0]
        for row in re.finditer(r"^\| `(gazecode \w+[^`]*)` .*$", part, re.MULTILINE)
    }
    assert set(rows) == set(COMMANDS)
    for name, command in COMMANDS.items():
        options = {o for p in command.params for o in p.opts if o.startswith("--")}
        said = {span for span in code_spans(rows[name]) if span.startswith("--")}
        assert said == options - {"--help"}, name
    for option in (o for p in COMMAND.params for o in p.opts if o.startswith("--")):
        assert option in part


def test_help_lists_the_same_commands():
    done = subprocess.run(
        [sys.executable, "-m", "gazecode", "--help"], capture_output=True, check=True
    )
    shown = done.stdout.decode("utf-8")
    assert all(name in shown for name in COMMAND.commands)


def slug(heading):
    """Anchor of a heading, as forges make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def anchors(page):
    fenced = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return {slug(title) for title in re.findall(r"^#+ (.*)$", fenced, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    prose = re.sub(r"`[^`\n]*`\((?!#)", "", prose)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name}: {target}"


def test_there_are_links_to_check():
    assert sum(len(re.findall(r"\]\([^)\s]+\)", p.read_text(encoding="utf-8"))) for p in PAGES) > 30


def fenced_blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("heading", ["## Run it", "## Test it"])
def test_a_heading_of_the_readme_holds_one_command_line(heading):
    part = section((ROOT / "README.md").read_text(encoding="utf-8"), heading)
    assert len(re.findall(r"^```", part, re.MULTILINE)) == 2
    (block,) = fenced_blocks(part, "bash")
    (line,) = block.splitlines()
    assert line.startswith("python3 -m venv .venv && ")


def test_the_python_of_the_readme_runs(tmp_path):
    (block,) = fenced_blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")
    assert '"fixtures/' in block
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (example,) = gazecode.read_examples(tmp_path / "weights.parquet")
    assert example.on_path.any()
    assert example.weight_reach == 1


def table_of_formats():
    rows = ["| format | what | usual endings | options |", "| --- | --- | --- | --- |"]
    for name, reader in READERS.items():
        options = [
            p.name
            for p in inspect.signature(reader.read).parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.name != "screen"
        ]
        endings = " ".join(f"`{suffix}`" for suffix in reader.suffixes)
        listed = " ".join(f"`{option}`" for option in options) or "none"
        rows.append(f"| [`{name}`](#{name}) | {reader.title} | {endings} | {listed} |")
    return "\n".join(rows)


def test_the_table_of_formats_is_that_of_the_readers():
    found = re.search(
        r"<!-- formats:.*?-->\n\n(.*?)\n\n<!-- /formats -->", text_of("formats.md"), re.S
    )
    assert found[1] == table_of_formats()


def test_every_format_has_a_section_with_its_options():
    for name, reader in READERS.items():
        part = section(text_of("formats.md"), f"## {name}")
        options = {
            p.name
            for p in inspect.signature(reader.read).parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.name != "screen"
        }
        words = {word for span in code_spans(part) for word in re.findall(r"\w+", span)}
        assert options <= words, name


def test_the_evidence_is_of_this_version():
    assert f"gazecode {__version__}" in text_of("evidence.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root|Users|opt)\b", text)

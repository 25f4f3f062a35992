"""Links in Python against the compiler's own symbol tables."""

import ast
import bisect
import importlib.util
import re
import symtable
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import tree_sitter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gazecode.source import LANGUAGES, parse
from gazecode.source.grammars import load_grammar
from gazecode.source.links import definitions


def links_by_byte(code, language):
    """Where each token that has a definition begins → where its definition begins."""
    tokens = parse(code, language)
    tree = tree_sitter.Parser(load_grammar(language)).parse(tokens.code)
    start = tokens.span[:, 0].tolist()
    defined = definitions(tree, LANGUAGES[language], tokens.span).tolist()
    return {start[i]: None if d < 0 else start[d] for i, d in enumerate(defined)}


@dataclass
class Scope:
    table: symtable.SymbolTable
    above: "Scope | None"
    bound: dict = field(default_factory=lambda: defaultdict(list))
    children: dict = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self):
        for child in self.table.get_children():
            self.children[child.get_name(), child.get_lineno()].append(child)

    def enter(self, name, line):
        return Scope(self.children[name, line].pop(0), self)


class Names(ast.NodeVisitor):
    """Collects, scope by scope, where names are bound and where they are used."""

    def __init__(self, code):
        self.code = code.encode()
        self.lines = [0]
        for line in self.code.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.root = self.scope = Scope(symtable.symtable(code, "code", "exec"), None)
        self.uses, self.attributes = [], set()
        self.visit(ast.parse(code))

    def byte(self, line, column):
        return self.lines[line - 1] + column

    def bind(self, name, byte, scope=None):
        scope = scope or self.scope
        scope.bound[name].append(byte)
        self.uses.append((name, byte, scope))

    def after(self, word, name, byte):
        """Where `name` stands after `word`."""
        found = re.compile(rb"\b%s\s+(%s)\b" % (word.encode(), name.encode())).search(
            self.code, byte
        )
        return found.start(1)

    def inside(self, scope, *nodes):
        self.scope, outer = scope, self.scope
        for node in nodes:
            self.visit(node)
        self.scope = outer

    def visit_Name(self, node):
        byte = self.byte(node.lineno, node.col_offset)
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, byte)
        else:
            self.uses.append((node.id, byte, self.scope))

    def visit_Attribute(self, node):
        self.attributes.add(node.attr)
        self.generic_visit(node)

    def visit_JoinedStr(self, node):
        """Its names are not tokens."""

    def visit_arg(self, node):
        self.bind(node.arg, self.byte(node.lineno, node.col_offset))

    def visit_alias(self, node):
        name = node.asname or node.name.partition(".")[0]
        if name == "*":
            return
        end = self.byte(node.end_lineno, node.end_col_offset)
        start = self.byte(node.lineno, node.col_offset)
        self.bind(name, end - len(name.encode()) if node.asname else start)

    def visit_ExceptHandler(self, node):
        if node.type:
            self.visit(node.type)
        if node.name:
            end = self.byte(node.type.end_lineno, node.type.end_col_offset)
            self.bind(node.name, self.after("as", node.name, end))
        for child in node.body:
            self.visit(child)

    def visit_MatchAs(self, node):
        if getattr(node, "pattern", None):
            self.visit(node.pattern)
        if node.name:
            end = self.byte(node.end_lineno, node.end_col_offset)
            self.bind(node.name, end - len(node.name.encode()))

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_NamedExpr(self, node):
        scope = self.scope
        while scope.table.get_name() in ("listcomp", "setcomp", "dictcomp", "genexpr"):
            scope = scope.above
        self.bind(node.target.id, self.byte(node.target.lineno, node.target.col_offset), scope)
        self.visit(node.value)

    def function(self, node, name, body):
        args = node.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        every = [a for a in every if a]
        for outside in [*args.defaults, *args.kw_defaults, *(a.annotation for a in every)]:
            if outside:
                self.visit(outside)
        for outside in [*getattr(node, "decorator_list", []), getattr(node, "returns", None)]:
            if outside:
                self.visit(outside)
        self.inside(self.scope.enter(name, node.lineno), *every, *body)

    def visit_FunctionDef(self, node):
        self.bind(node.name, self.after("def", node.name, self.byte(node.lineno, node.col_offset)))
        self.function(node, node.name, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node):
        self.function(node, "lambda", [node.body])

    def visit_ClassDef(self, node):
        self.bind(
            node.name, self.after("class", node.name, self.byte(node.lineno, node.col_offset))
        )
        for outside in [*node.bases, *node.keywords, *node.decorator_list]:
            self.visit(outside)
        self.inside(self.scope.enter(node.name, node.lineno), *node.body)

    def comprehension(self, node, name):
        first, *others = node.generators
        self.visit(first.iter)
        value = [node.key, node.value] if name == "dictcomp" else [node.elt]
        self.inside(self.scope.enter(name, node.lineno), first.target, *first.ifs, *others, *value)

    def visit_ListComp(self, node):
        self.comprehension(node, "listcomp")

    def visit_SetComp(self, node):
        self.comprehension(node, "setcomp")

    def visit_DictComp(self, node):
        self.comprehension(node, "dictcomp")

    def visit_GeneratorExp(self, node):
        self.comprehension(node, "genexpr")

    def home(self, name, scope):
        """The scope a name belongs to, as the compiler sees it."""
        while scope is not self.root:
            symbol = scope.table.lookup(name)
            if symbol.is_global():
                return self.root
            if symbol.is_local():
                return scope
            scope = scope.above
            while scope is not self.root and scope.table.get_type() == "class":
                scope = scope.above
        return scope

    def expected(self):
        """Byte of each name → byte of its definition, None where there is none."""
        # Names that are mangled are other names to the compiler.
        self.uses = [use for use in self.uses if not use[0].startswith("__")]
        first = {}
        for name, _, scope in self.uses:
            for byte in scope.bound.get(name, ()):
                home = self.home(name, scope)
                key = (id(home), name)
                first[key] = min(byte, first.get(key, byte))
        found = {}
        for name, byte, scope in self.uses:
            home = self.home(name, scope)
            definition = first.get((id(home), name))
            in_class = home is not self.root and home.table.get_type() == "class"
            # A class body is read in order, and its names are members as well.
            if not in_class or not (byte < (definition or 0) or name in self.attributes):
                found[byte] = definition
        return found


def check_python(code):
    expected, found = Names(code).expected(), links_by_byte(code, "python")
    missing = {byte for byte in expected if byte not in found}
    assert len(missing) <= len(expected) // 20  # inside tokens that are kept whole
    wrong = {b: (d, found[b]) for b, d in expected.items() if b in found and found[b] != d}
    lines = code.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    assert not wrong, [
        (
            f"line {bisect.bisect(starts, b)}",
            code.encode()[b : b + 20],
            *(d if d is None else f"line {bisect.bisect(starts, d)}" for d in pair),
        )
        for b, pair in list(wrong.items())[:5]
    ]
    return len(expected)


@pytest.mark.parametrize(
    "module",
    [
        "argparse",
        "ast",
        "contextlib",
        "dataclasses",
        "enum",
        "functools",
        "inspect",
        "typing",
        "tarfile",
    ],
)
def test_the_standard_library_agrees_with_the_compiler(module):
    path = Path(importlib.util.find_spec(module).origin)
    assert check_python(path.read_text("utf-8")) > 500


NAME = st.sampled_from("abc")
EXPRESSION = st.recursive(
    NAME,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("({0[0]} + {0[1]})".format),
        st.tuples(inner, NAME, inner).map("[{0[0]} for {0[1]} in {0[2]}]".format),
        st.tuples(inner, NAME, inner, NAME, inner).map(
            "{{{0[0]}: 1 for {0[1]} in {0[2]} for {0[3]} in {0[4]}}}".format
        ),
        st.tuples(NAME, inner, inner).map("(lambda {0[0]}={0[1]}: {0[2]})".format),
        st.tuples(NAME, inner).map("({0[0]} := {0[1]})".format),
    ),
    max_leaves=5,
)


def indent(lines):
    return [f" {line}" for line in lines] or [" pass"]


def block(inner):
    return st.lists(inner, max_size=4).map(lambda parts: [line for part in parts for line in part])


STATEMENT = st.recursive(
    st.one_of(
        st.tuples(NAME, EXPRESSION).map(lambda s: [f"{s[0]} = {s[1]}"]),
        EXPRESSION.map(lambda e: [e]),
        st.tuples(st.sampled_from(["global", "nonlocal"]), NAME).map(lambda s: [" ".join(s)]),
        st.tuples(NAME, NAME, EXPRESSION).map(lambda s: [f"{s[0]}, *{s[1]} = {s[2]}"]),
    ),
    lambda inner: st.one_of(
        st.tuples(NAME, NAME, NAME, EXPRESSION, block(inner)).map(
            lambda s: [f"def {s[0]}({s[1]}: {s[2]}, d={s[3]}):", *indent(s[4])]
        ),
        st.tuples(NAME, EXPRESSION, block(inner)).map(
            lambda s: [f"class {s[0]}({s[1]}):", *indent(s[2])]
        ),
        st.tuples(NAME, EXPRESSION, block(inner)).map(
            lambda s: [f"for {s[0]} in {s[1]}:", *indent(s[2])]
        ),
    ),
    max_leaves=10,
)


@given(block(STATEMENT))
@settings(max_examples=100)
def test_generated_python_agrees_with_the_compiler(lines):
    code = "\n".join(lines) + "\n"
    try:
        symtable.symtable(code, "code", "exec")
    except SyntaxError:
        assume(False)
    check_python(code)

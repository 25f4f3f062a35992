"""Which identifier is defined where: definition → use links, by scope, from one query a language.

The name binding of a language is a tree-sitter query in ``queries/<language>.scm`` (or the text
in `Language.locals`); `definitions` resolves what it captures. The captures are those commonly
called *locals*, with words that say how the name behaves:

``@local.scope``
    Names defined inside are not seen outside. ``function``: where ``at-function`` definitions go.
    ``class``: what ``of-class`` references look into. ``receiver``: ``this`` is not the class
    around. ``hoisted``: its names are seen in all of it, not only after their definition.
    ``closed``: its names are not seen from scopes within (Python's class). ``outside``: this part
    belongs to the scope around the innermost one (a default value of a parameter).
``@local.definition``
    The other words are namespaces; ``var parameter function constant import macro field`` all
    mean ``value``. Where it goes: ``at-outer`` the scope around the innermost one, ``at-function``,
    ``at-class``, ``at-root``. ``hoisted``: seen in all of its scope. ``after``: seen from the end
    of the ``@local.extent`` around it. ``fresh``: hides earlier definitions of its scope.
    ``overload``: stands beside others of its name. ``weak``: only a declaration, a use of the
    definition that is not weak if there is one.
``@local.reference``
    A use; its words are the namespaces to look in, in this order (none: ``value``). ``of-class``:
    only members of the class around. ``always``: not a definition, whatever else captured it.
``@local.none``
    A name that other rules decide (a label, a keyword argument); it gets no link. ``next``: the
    token after this one (that of a dot, ``other.x``).
``@local.pattern``
    Defined by the ``@local.binding`` around it (which takes the words of a definition), else used.
``@local.list``
    Parameters or arguments: their number tells overloads apart.
``@local.global``, ``@local.nonlocal``
    From here on this name belongs to the root, or to the scope around.

Where two references capture one node the name that comes later in the query wins; definitions win
over references and add up. A first line ``; inherits: other`` puts another packaged query first.

What it does: the first definition of a name in its scope is *the* definition, and later ones are
uses of it (``x = 1; x = 2`` in Python, ``a, err := f(); b, err := g()`` in Go). Names in braces
hide outer ones from where they are defined on; functions, types and class members are seen in all
of their scope, as is every name in Python and JavaScript. A constructor's name is a use of its
class. An import defines the name it brings. A function defined once wins over its prototypes.

What a syntax tree cannot tell, and is therefore left without link (-1): members reached through
anything but ``this`` or ``self`` (`other.x`, Go's receivers, ``Type.member``, ``super.x``),
inherited members, names from other files, struct keys and map keys (Go), out-of-class members
(C++ ``A::f``), ``using namespace``, calls that several overloads with equally many parameters
fit, and names inside tokens the tokenizer keeps whole (f-strings). Known to be approximate:
``self`` and ``cls`` are known by their name; an unqualified name that a base class defines links to
an outer definition if there is one; ``enum class`` members are seen around their enum; a JavaScript
function in a block stays in the block (strict mode); names inside macros are not expanded;
re-opened namespaces and partial classes are separate scopes; anonymous unions keep their members.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from gazecode.errors import SourceError
from gazecode.model.checks import IntArray
from gazecode.source.bindings import Chain, Entry, make_chain
from gazecode.source.language import Language
from gazecode.source.scopes import NEVER, NONE, Rule, find_scopes, read_rule

if TYPE_CHECKING:
    from tree_sitter import Language as Grammar
    from tree_sitter import Node, Query, Tree

__all__ = ["definitions"]

_USES = frozenset({"reference", "none", "pattern", "global", "nonlocal"})


def definitions(tree: "Tree", language: Language, span: IntArray) -> IntArray:
    r"""Return, per token, the number of the token that defines its identifier, ``(m,)``.

    A token that is a definition has its own number; -1 stands for every other token, for names
    without a definition in this source, and for all tokens of a language without a query.

    Parameters
    ----------
    tree
        What the parser of the language made of the source.
    language
        Its `locals` (or the packaged query of its `name`) says which nodes bind names.
    span
        ``(m, 2)`` bytes of the tokens, sorted and disjoint. A name inside a longer token (a string,
        say) belongs to no token and is left out.

    Raises
    ------
    SourceError
        The query does not fit the grammar.

    Examples
    --------
    >>> import numpy as np, tree_sitter, tree_sitter_python
    >>> from gazecode.source.languages.python import PYTHON
    >>> grammar = tree_sitter.Language(tree_sitter_python.language())
    >>> tree = tree_sitter.Parser(grammar).parse(b"a = 1\nb = a")
    >>> spans = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]])
    >>> definitions(tree, PYTHON, spans)
    array([ 0, -1, -1,  3, -1,  0])
    """
    found = np.full(len(span), NONE, dtype=np.int64)
    query = _query(tree.language, language.locals or _packaged(language.name), language.name)
    if query is None or not len(span):
        return found
    from tree_sitter import QueryCursor

    captured = QueryCursor(query).captures(tree.root_node)
    names = [query.capture_name(i) for i in range(query.capture_count)]
    rules = [read_rule(name, captured.get(name, [])) for name in names if name.startswith("local.")]
    _Resolver(tree.root_node, rules, span, found).resolve()
    return found


@cache
def _packaged(name: str) -> str:
    """The packaged query of a language; empty if there is none."""
    path = files("gazecode.source") / "queries" / f"{name}.scm"
    if not path.is_file():
        return ""
    text = path.read_text("utf-8")
    first = text.partition("\n")[0]
    if first.startswith("; inherits:"):
        return _packaged(first.partition(":")[2].strip()) + text
    return text


@cache
def _query(grammar: "Grammar", text: str, name: str) -> "Query | None":
    from tree_sitter import Query, QueryError

    if not text:
        return None
    try:
        return Query(grammar, text)
    except QueryError as error:
        raise SourceError(
            f"{name}: its query of locals does not fit its grammar ({error}); "
            "expected node and field names of this grammar; correct Language.locals"
        ) from error


class _Resolver:
    """One source being resolved; `resolve` fills `found`."""

    def __init__(
        self, root: "Node", rules: Sequence[Rule], span: IntArray, found: IntArray
    ) -> None:
        self.rules, self.span, self.found = rules, span, found
        self.scopes = find_scopes(root, rules)
        stretch = self.scopes.at(span[:, 0])
        self.scope: list[int] = self.scopes.scope[stretch].tolist()
        self.limit, self.binding = self.scopes.limit[stretch], self.scopes.binding[stretch]
        self.start: list[int] = span[:, 0].tolist()
        self.end: list[int] = span[:, 1].tolist()
        self.text, self.shift = root.text or b"", root.start_byte
        self.lists = {n.start_byte: n for r in rules if r.kind == "list" for n in r.nodes}
        self.entries: dict[tuple[str, bytes], dict[int, Entry]] = {}
        self.chains: dict[tuple[str, bytes], Chain] = {}
        self.users: dict[bytes, set[int]] = {}
        self.moved: dict[tuple[int, bytes], str] = {}

    def resolve(self) -> None:
        role, defined = self._roles()
        tokens = np.flatnonzero(role >= 0)
        uses: list[tuple[int, Rule]] = []
        for token, number in zip(tokens.tolist(), role[tokens].tolist(), strict=True):
            rule = self.rules[number]
            bound = int(self.binding[token]) if rule.kind == "pattern" else NONE
            if bound >= 0:
                defined.append((token, self.rules[bound]))
            elif rule.kind != "none":
                uses.append((token, rule))
            if rule.kind in ("global", "nonlocal"):
                self.moved[self.scope[token], self._name(token)] = rule.kind
        for token, rule in sorted(defined, key=lambda row: row[0]):
            if not self._define(token, rule):
                uses.append((token, rule))
        self._settle()
        known = {name for _, name in self.entries}
        uses = [(t, rule) for t, rule in uses if self.found[t] < 0 and self._name(t) in known]
        for token, _ in uses:
            self.users.setdefault(self._name(token), set()).add(self.scope[token])
        # Last use first: see `Chain.seen`.
        for token, rule in sorted(uses, key=lambda row: -row[0]):
            if self.found[token] < 0:
                self.found[token] = self._look_up(token, rule)

    def _roles(self) -> tuple[IntArray, list[tuple[int, Rule]]]:
        """Which rule uses each token (-1: none), and which tokens are defined by which rule."""
        role = np.full(len(self.span), NONE, dtype=np.int64)
        definite, bound = np.zeros((2, len(self.span)), dtype=bool)
        defined: list[tuple[int, Rule]] = []
        for number, rule in enumerate(self.rules):
            if rule.kind in _USES:
                tokens = _tokens(rule.nodes, self.span)
                if "next" in rule.words:
                    tokens = np.minimum(tokens + 1, len(role) - 1)
                role[tokens] = number
                definite[tokens] |= "always" in rule.words
                bound[tokens] |= rule.kind == "pattern"
        for rule in self.rules:
            if rule.kind == "definition":
                tokens = np.unique(_tokens(rule.nodes, self.span))
                tokens = tokens[~definite[tokens]]
                role[tokens[~bound[tokens]]] = NONE
                defined.extend((token, rule) for token in tokens.tolist())
        return role, defined

    def _name(self, token: int) -> bytes:
        return self.text[self.start[token] - self.shift : self.end[token] - self.shift]

    def _define(self, token: int, rule: Rule) -> bool:
        """Enter a definition where it belongs; False if it is a use after all."""
        name, scope = self._name(token), self._home(token, rule.words)
        moved = self.moved.get((scope, name)) if self.moved else None
        if moved == "nonlocal":
            return False
        if scope < 0:  # a member outside of any class
            return True
        scope = 0 if moved == "global" else scope
        visible = self.start[token]
        if "hoisted" in rule.words or "hoisted" in self.scopes.words[scope]:
            visible = 0
        elif "at-class" in rule.words:
            visible = NEVER
        elif "after" in rule.words:
            visible = int(self.limit[token])
        for space in rule.spaces:
            here = self.entries.setdefault((space, name), {})
            here.setdefault(scope, Entry()).add(token, visible, rule.words)
        return True

    def _home(self, token: int, words: frozenset[str]) -> int:
        scope = self.scope[token]
        if "at-outer" in words:
            return max(self.scopes.parent[scope], 0)
        if "at-function" in words:
            return self.scopes.function[scope]
        if "at-class" in words:
            return self.scopes.owner[scope]
        return 0 if "at-root" in words else scope

    def _settle(self) -> None:
        """Choose the defining token of every entry; the other definitions are uses of it."""
        for here in self.entries.values():
            for entry in here.values():
                for token, head in zip(entry.tokens, self._heads(entry), strict=True):
                    if head == token:
                        entry.heads.append(token)
                    if head == token or self.found[token] < 0:
                        self.found[token] = head
        for (scope, name), kind in self.moved.items():
            here = self.entries.get(("value", name), {})
            if kind == "global" and 0 in here:
                here[scope] = here[0]

    def _heads(self, entry: Entry) -> list[int]:
        tokens = entry.tokens
        strong = [t for t, weak in zip(tokens, entry.weak, strict=True) if not weak]
        if "fresh" in entry.words:
            return tokens
        if "overload" not in entry.words:
            return [(strong or tokens)[0]] * len(tokens)
        alike = self._by_count(strong)
        heads: list[int] = []
        for token, weak in zip(tokens, entry.weak, strict=True):
            head = alike.get(self._count(token), NONE) if weak else token
            heads.append(head if head >= 0 else token)
        return heads

    def _by_count(self, tokens: Iterable[int]) -> dict[int, int]:
        """The only one of these with so many parameters; -1 where there are several."""
        only: dict[int, int] = {}
        for token in tokens:
            count = self._count(token)
            only[count] = NONE if count in only else token
        return only

    def _count(self, token: int) -> int:
        """How many parameters or arguments follow a name; -1 if no list does."""
        after = self.start[token + 1] if token + 1 < len(self.start) else NEVER
        node = self.lists.get(after)
        return NONE if node is None else sum(not c.is_extra for c in node.named_children)

    def _look_up(self, token: int, rule: Rule) -> int:
        name = self._name(token)
        for space in rule.spaces:
            here = self.entries.get((space, name))
            if here is None:
                continue
            members = "of-class" in rule.words
            head = self._member(here, token) if members else self._outward(here, space, name, token)
            if head >= 0:
                return head
        return NONE

    def _member(self, here: dict[int, Entry], token: int) -> int:
        scope = self.scopes.owner[self.scope[token]]
        # A class whose header binds members too (a record) is two scopes, one in the other.
        while scope >= 0 and "class" in self.scopes.words[scope]:
            if scope in here:
                return self._pick(here[scope], token, byte=NEVER)
            scope = self.scopes.parent[scope]
        return NONE

    def _outward(self, here: dict[int, Entry], space: str, name: bytes, token: int) -> int:
        """The innermost scope that defines the name and lets this token see it."""
        if (space, name) not in self.chains:
            self.chains[space, name] = make_chain(here, self.users[name], self.scopes.last)
        chain, scope, byte = self.chains[space, name], self.scope[token], self.start[token]
        i = chain.seen(chain.innermost[scope], byte)
        while i >= 0:
            around = chain.scopes[i]
            if scope == around or "closed" not in self.scopes.words[around]:
                return self._pick(chain.entries[i], token, byte=byte)
            i = chain.seen(chain.up[i], byte)
        return NONE

    def _pick(self, entry: Entry, token: int, *, byte: int) -> int:
        """The definition a use means; -1 if several fit."""
        if "fresh" in entry.words:
            return entry.latest(byte)
        if len(entry.heads) == 1:
            return entry.heads[0]
        if not entry.by_count:
            entry.by_count = self._by_count(entry.heads)
        return entry.by_count.get(self._count(token), NONE)


def _tokens(nodes: "Sequence[Node]", span: IntArray) -> IntArray:
    """The tokens that are exactly these nodes."""
    if not nodes:
        return np.empty(0, dtype=np.int64)
    bounds = np.array([node.byte_range for node in nodes], dtype=np.int64)
    place = np.minimum(np.searchsorted(span[:, 0], bounds[:, 0]), len(span) - 1)
    exact: IntArray = place[(span[place] == bounds).all(axis=1)]
    return exact

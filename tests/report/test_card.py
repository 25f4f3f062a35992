"""A card shows texts as they are, whatever is in them; a Markdown parser is the judge."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gazecode.report.card import Section, card_text, clean, front_matter, plain

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text(r"`*_[]()|\<>&#~$!-+=.1:/ha" + "\n\r\t\x00\u202e", max_size=20),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "| a |",
            "[x](javascript:alert(1))",
            "![x](http://x/y.png)",
            "---",
            "# head",
            "1. one",
            "- - -",
            "```\ncode",
            "&lt;",
            "a\\",
            "<!-- x",
            "| --- |",
            "===",
            "+ x",
            "12) x",
            "~~~",
            "\\|",
            "`|`",
        ]
    ),
)


def shown(markup):
    """Text of HTML, tags out."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


@given(HOSTILE)
def test_a_text_in_a_line_is_shown_as_it_is(text):
    markup = READER.renderInline(f"x{plain(text)}x")
    assert "<" not in markup
    assert html.unescape(markup) == f"x{clean(text)}x"


@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=4), st.lists(HOSTILE, max_size=3))
def test_nothing_breaks_out_of_its_line_cell_or_point(pairs, sentences):
    section = Section(
        title="What",
        facts=[(f"n{a}", b) for a, b in pairs],
        sentences=[s for s in sentences if clean(s)],
        columns=("name", "value"),
        rows=[(f"n{a}", b) for a, b in pairs],
    )
    tokens = READER.parse(card_text("T", ["I"], [section], ""))
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") == 2
    assert kinds.count("tr_open") == len(pairs) + 1
    assert kinds.count("td_open") == 2 * len(pairs)
    assert kinds.count("list_item_open") == len(pairs) + len(section.sentences)
    assert kinds.count("bullet_list_open") == 1 + bool(section.sentences)
    wrong = {"html_block", "html_inline", "link_open", "image", "fence", "hr", "blockquote_open"}
    inner = [child.type for token in tokens for child in token.children or ()]
    assert not wrong & {*kinds, *inner}
    cells = [
        shown(READER.renderer.render([tokens[i + 1]], READER.options, {}))
        for i, kind in enumerate(kinds)
        if kind == "td_open"
    ]
    wanted = [clean(cell) for a, b in pairs for cell in (f"n{a}", b)]
    assert [c.strip() for c in cells] == [w.strip() for w in wanted]


@given(HOSTILE, st.lists(HOSTILE, max_size=3))
def test_front_matter_is_yaml(title, tags):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install pyyaml")
    text = front_matter({"pretty_name": title, "tags": tags, "license": ""})
    assert text.startswith("---\n")
    assert text.endswith("\n---")
    assert text.count("\n---") == 1
    said = yaml.safe_load(text.removeprefix("---\n").removesuffix("\n---")) or {}
    assert said.get("pretty_name", "") == clean(title)
    assert said.get("tags", []) == [clean(tag) for tag in tags]


def test_digests_and_names_of_parameters_stand_in_their_own_type():
    text = card_text("T", [], [Section(title="S", facts=[("a", "ab" * 32), ("b", "map.x_px")])], "")
    assert f"- a: `{'ab' * 32}`\n- b: `map.x_px`\n" in text

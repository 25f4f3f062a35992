from dataclasses import replace

import numpy as np
import pytest

from gazecode.report.glyphs import char_width_px, place

CELL = 13.467


def placed(make, code):
    tokens = make.tokens(code)
    layout = make.layout(tokens)
    return tokens, layout, place(tokens, layout, cell_px=CELL, font_px=20.0)


def test_width_of_a_character_is_found(make):
    tokens = make.tokens("alpha beta(gamma)")
    assert char_width_px(tokens, make.layout(tokens)) == pytest.approx(CELL)


def test_padding_of_short_boxes_does_not_widen_characters(make):
    tokens = make.tokens("identifier ( ) ; ,")
    layout = make.layout(tokens)
    boxes = layout.boxes.copy()
    boxes[1:, 2] += 10
    assert char_width_px(tokens, replace(layout, boxes=boxes)) == pytest.approx(CELL)


def test_text_fills_its_box(make):
    _, layout, glyphs = placed(make, "int alpha = 3;")
    alpha = glyphs[1][0]
    assert alpha.text == "alpha"
    assert float(alpha.x) == pytest.approx(layout.boxes[1, 0], abs=0.05)
    assert float(alpha.length) == pytest.approx(5 * CELL, abs=0.05)


def test_short_text_in_a_padded_box_keeps_its_width(make):
    tokens = make.tokens("x")
    layout = make.layout(tokens)
    boxes = layout.boxes + np.array([-20, 0, 20, 0])
    (glyph,) = place(tokens, replace(layout, boxes=boxes), cell_px=CELL, font_px=20.0)[0]
    assert glyph.length == ""
    assert float(glyph.x) == pytest.approx(layout.boxes[0, 0], abs=0.05)


def test_lines_of_a_comment_go_to_their_boxes(make):
    _, layout, glyphs = placed(make, "/* one\n\n   two */ x")
    lines = glyphs[0]
    assert [g.text for g in lines] == ["/* one", "two */"]
    assert float(lines[1].x) == pytest.approx(layout.boxes[2, 0], abs=0.05)


def test_box_that_begins_with_indentation_has_its_text_at_the_right(make):
    tokens = make.tokens("/* one\n   two */")
    layout = make.layout(tokens)
    boxes = layout.boxes.copy()
    boxes[1, 0] -= 3 * CELL
    lines = place(tokens, replace(layout, boxes=boxes), cell_px=CELL, font_px=20.0)[0]
    assert float(lines[1].x) == pytest.approx(layout.boxes[1, 0], abs=0.05)


def test_token_cut_by_the_editor_is_cut_into_its_boxes(make):
    tokens = make.tokens('"abcdefghij"')
    layout = make.layout(tokens)
    halves = np.array([[0.0, 0, 80, 20], [0, 20, 80, 40]])
    layout = replace(layout, boxes=halves, token=[0, 0], line=[0, 1])
    lines = place(tokens, layout, cell_px=CELL, font_px=20.0)[0]
    assert "".join(g.text for g in lines) == '"abcdefghij"'
    assert len(lines) == 2


def test_token_never_shown_has_no_glyphs(make):
    tokens = make.tokens("a b")
    layout = make.layout(tokens)
    layout = replace(layout, boxes=layout.boxes[:1], token=[0], line=[0])
    assert [len(g) for g in place(tokens, layout, cell_px=CELL, font_px=20.0)] == [1, 0]

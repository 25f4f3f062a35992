"""Pictures that studies showed: grids measured and boxes drawn by others."""

import numpy as np
import pytest

from gazecode.evaluation.images import busjahn_table, emip_table, hansen_table, image_table
from gazecode.mapping import box_layout
from gazecode.mapping.image import find_text, image_layout
from gazecode.source import parse

pytestmark = pytest.mark.real

PEITEK = "linearity-peitek2020"


@pytest.fixture
def peitek(shared_data):
    def held(size, name, *, edited=False):
        folder = shared_data / PEITEK
        code = folder / "1_stimuli" / "Snippets" / f"{name}{'_edited' * edited}.java"
        return folder / "images" / size / f"{name}.png", code.read_text(encoding="utf-8")

    return held


def test_lines_that_differ_do_not_move_the_grid(peitek):
    image, code = peitek("1080", "Rectangle", edited=True)
    found = find_text(image, code)
    # The picture says print where the text says println; the font is that of the other pictures.
    assert [code.split("\n")[row].strip() for row in found.unmatched] == [
        "System.out.println(rect1.area());",
        "System.out.println(rect2.area());",
    ]
    assert abs(found.char_width_px - 13.497) < 0.01
    assert found.n_missing == 4
    tokens = parse(code, language="java")
    layout = image_layout(tokens, image)
    assert layout.unmatched == {"differing_lines": 2}


def test_a_scrambled_variant_is_no_other_text_but_says_so(peitek, shared_data):
    image, _ = peitek("1080", "Vehicle", edited=True)
    folder = shared_data / PEITEK / "1_stimuli" / "Snippets"
    other = (folder / "Vehicle_scrambled93.java").read_text(encoding="utf-8")
    found = find_text(image, other)
    assert len(found.unmatched) > 0.6 * len(found.row)


@pytest.mark.parametrize("name", ["Calculation", "SumArray", "Student"])
def test_texts_on_other_pictures_are_refused(peitek, name):
    image, _ = peitek("1080", "Vehicle", edited=True)
    _, other = peitek("1080", name)
    with pytest.raises(Exception, match="not on the picture"):
        find_text(image, other)


def test_word_processor_lines(shared_data):
    folder = shared_data / "emip-bednarik2020"
    code = (folder / "emip_stimulus_programs" / "Rectangle.java").read_text(encoding="utf-8")
    found = find_text(folder / "stimuli" / "rectangle_java.jpg", code)
    assert found.kind == "lines"
    assert found.unmatched == ()
    tokens = parse(code, language="java")
    layout = image_layout(tokens, folder / "stimuli" / "rectangle_java.jpg")
    assert layout.unmatched == {}
    boxes = emip_boxes(folder / "stimuli" / "rectangle_java.csv", code)
    theirs = box_layout(tokens, boxes)
    ours = dict(zip(layout.token.tolist(), layout.boxes, strict=True))
    middle = [
        (ours[t][[0, 2]].mean(), box[0], box[2])
        for t, box in zip(theirs.token.tolist(), theirs.boxes, strict=True)
    ]
    x, left, right = np.array(middle).T
    assert ((x > left) & (x < right)).mean() > 0.98


def emip_boxes(path, code):
    import pandas as pd

    frame = pd.read_csv(path)
    frame = frame[frame.level == "element"].rename(
        columns={"x1": "x0", "y1": "y0", "x2": "x1", "y2": "y1"}
    )
    return frame.assign(text=code.split())


@pytest.mark.slow
def test_all_of_peitek(shared_data):
    rows = image_table(shared_data / PEITEK)
    assert len(rows) == 20
    for row in rows:
        assert row["kind"] == "grid"
        assert row["score"] > 0.99
        if row["expected_pitch_px"] is not None:
            assert row["y_error_px"] < 2
            if "Rectangle" not in row["image"]:
                assert abs(row["pitch_error_percent"]) < 0.5
                assert row["differing"] == []


@pytest.mark.slow
def test_all_of_emip(shared_data):
    for row in emip_table(shared_data / "emip-bednarik2020"):
        assert row["lines"].split(" of ")[0] == row["lines"].split(" of ")[1]
        assert row["line_y_px"] < 2
        assert row["line_y_max_px"] < 4
        assert row["inside"] > 0.99
        assert row["words_left_out"] == (22 if row["image"] == "rectangle_scala" else 0)


@pytest.mark.slow
def test_all_of_hansen(shared_data):
    for row in hansen_table(shared_data / "eyecode-hansen2012"):
        assert abs(row["pitch_error_percent"]) < 0.05
        assert abs(row["x_error_px"]) < 0.5
        assert row["y_error_px"] < 1
        assert row["differing"] == []


def test_a_proportional_font(shared_data):
    for row in busjahn_table(shared_data / "busjahn2013-eyecode"):
        assert row["line_y_max_px"] < 2
        assert row["word_px"] < 1
        assert row["inside"] > 0.99

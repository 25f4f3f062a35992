"""A known text is found on a page drawn at known places, and is not found where it is not."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pages import CODE, Page, draw

from gazecode.errors import DataError, FormatError, ParameterError, TooLarge
from gazecode.mapping import grid_layout
from gazecode.mapping.image import find_text, image_layout
from gazecode.mapping.image.picture import MAX_PIXELS, find_ink, open_picture
from gazecode.source import parse

PAGE = Page(origin_px=(60, 20), char_px=9.3, line_px=21.4, size_px=15)


def encoded(page, form, **options):
    from PIL import Image

    held = io.BytesIO()
    picture = Image.fromarray(page)
    if form == "grey palette":
        picture, form = picture.convert("L").convert("P"), "PNG"
    picture.save(held, form, **options)
    return held.getvalue()


def off_by(found, page):
    """Largest distance of any cell's edge and any line's middle from where they were drawn."""
    wrong = []
    for column in (0, 45):
        drawn = page.origin_px[0] + page.char_px * column
        wrong.append(abs(found.origin_px[0] + found.char_width_px * column - drawn))
    middle = page.origin_px[1] + page.line_px * (found.row + 0.5)
    return max(wrong), float(np.abs(found.middle_px - middle).max())


@st.composite
def pages(draw_from):
    size = draw_from(st.floats(8, 30))
    char = size * draw_from(st.floats(0.58, 0.65))
    line = size * draw_from(st.floats(1.18, 2.2))
    left, top = draw_from(st.floats(45, 70)), draw_from(st.floats(4, 40))
    shape = (int(line * 15 + top + 20), int(char * 43 + left + 20))
    dark = draw_from(st.booleans())
    return Page(
        origin_px=(left, top), char_px=char, line_px=line, size_px=size, dark=dark, shape=shape
    )


@settings(max_examples=12)
@given(page=pages(), gutter=st.booleans())
@example(page=PAGE, gutter=True)
def test_any_grid_is_found_to_a_fraction_of_a_pixel(page, gutter):
    gutter = gutter and page.origin_px[0] > 2.5 * page.char_px + 4
    found = find_text(draw(CODE, page, gutter=gutter), CODE)
    x, y = off_by(found, page)
    assert found.kind == "grid"
    assert x < 0.3
    # A line's middle is a matter of the font: 0.03 x-heights between ours and this one's.
    assert y < 0.5 + 0.006 * page.size_px
    assert found.score > 0.97
    assert found.unmatched == ()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("form", "options"), [("JPEG", {"quality": 50}), ("PNG", {}), ("grey palette", {})]
)
def test_the_file_format_does_not_matter(tmp_path, dark, form, options):
    page = replace(PAGE, dark=dark)
    data = encoded(draw(CODE, page), form, **options)
    path = tmp_path / "page.img"
    path.write_bytes(data)
    for image in (data, path, str(path)):
        assert max(off_by(find_text(image, CODE), page)) < 0.5


@pytest.mark.parametrize("side", ["left", "right", "above"])
def test_panels_around_the_text_do_not_hide_it(side):
    panel = "import os\n\ndef f(a):\n    return a\n\nprint(f(1))\n# end\n" * 2
    other = draw(panel, Page(origin_px=(20, 31), char_px=10.2, line_px=24.2, size_px=17, dark=True))
    ours = draw(CODE, PAGE)
    height, width = ours.shape[:2]
    page, axis = {
        "right": ((ours, other), 1),
        "left": ((other, ours), 1),
        "above": ((other, ours), 0),
    }[side]
    moved = (width if side == "left" else 0, height if side == "above" else 0)
    found = find_text(np.concatenate(page, axis=axis), CODE)
    there = replace(PAGE, origin_px=(PAGE.origin_px[0] + moved[0], PAGE.origin_px[1] + moved[1]))
    assert max(off_by(found, there)) < 0.5


def test_a_region_gives_the_same_places():
    page = draw(CODE, PAGE)
    whole, part = find_text(page, CODE), find_text(page, CODE, region_px=(40, 10, 600, 400))
    np.testing.assert_allclose(part.span_px, whole.span_px, atol=0.1)
    np.testing.assert_allclose(part.middle_px, whole.middle_px, atol=0.1)


@pytest.mark.parametrize("text", ["int x = foo(bar, 12);", "int x;\n  return y + 1;", "hello"])
def test_short_texts(text):
    found = find_text(draw(text, PAGE), text)
    assert abs(found.origin_px[0] - 60) < 0.5
    assert abs(found.char_width_px - 9.3) < 0.05
    assert abs(found.middle_px[0] - 30.7) < 0.5


def test_found_twice_alike():
    page = draw(CODE, PAGE)
    one, two = find_text(page, CODE), find_text(page, CODE)
    assert one.span_px.tobytes() == two.span_px.tobytes()


def test_boxes_are_those_of_the_grid():
    code = CODE.replace("    ", "\t")
    tokens = parse(code, language="java")
    ours = image_layout(tokens, draw(code, PAGE), tab_width=4)
    grid = grid_layout(
        tokens, origin_px=PAGE.origin_px, char_width_px=9.3, line_height_px=21.4, tab_width=4
    )
    np.testing.assert_array_equal(ours.token, grid.token)
    np.testing.assert_array_equal(ours.line, grid.line)
    np.testing.assert_allclose(ours.boxes, grid.boxes, atol=0.5)
    assert ours.unmatched == {}


def test_rows_that_are_shown_and_those_that_are_not():
    tokens = parse(CODE, language="java")
    part = "\n".join(CODE.split("\n")[3:12])
    layout = image_layout(tokens, draw(part, PAGE), first_row=3, last_row=11)
    shown = (tokens.row >= 3) & (tokens.row <= 11)
    assert set(layout.token.tolist()) == set(np.flatnonzero(shown).tolist())
    assert layout.unmatched == {"outside_rows": int((~shown).sum())}
    assert layout.line.min() == 0


def test_the_text_as_shown():
    tokens = parse(CODE, language="java")
    shown = CODE.replace("spokes != 0) {", "spokes\n  != 0) {").replace("(", "( ")
    layout = image_layout(tokens, draw(shown, PAGE), displayed=shown)
    assert set(layout.token.tolist()) == set(range(len(tokens)))
    with pytest.raises(DataError, match="non-blank character 6: 'Wagon"):
        image_layout(tokens, draw(CODE, PAGE), displayed=CODE.replace("class Wheel", " Wagon"))


def test_another_text_is_not_found():
    page = draw(CODE, PAGE)
    other = "\n".join(CODE.split("\n")[::-1])
    with pytest.raises(DataError, match=r"not on the picture: agreement 0\.\d+, expected"):
        find_text(page, other)


def test_another_text_of_the_same_shape_is_not_found():
    page = draw(CODE, PAGE)
    rng = np.random.default_rng(5)
    letters = "abcdefghijklmnopqrstuvwxyz"
    other = "".join(
        letters[int(rng.integers(26))] if c.isalpha() and rng.random() < 0.9 else c for c in CODE
    )
    with pytest.raises(DataError, match="of this shape"):
        find_text(page, other)


@pytest.mark.parametrize(
    "page",
    [
        np.full((300, 400), 255, dtype=np.uint8),
        np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8),
    ],
    ids=["blank", "noise"],
)
def test_no_text_at_all(page):
    with pytest.raises(DataError, match="check that picture and text belong together"):
        find_text(page, CODE)


def png(width, height):
    """A PNG that claims a size and holds nothing."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (b"no picture", FormatError, "cannot be opened as a picture"),
        (b"", FormatError, "cannot be opened as a picture"),
        (png(100, 100), FormatError, "cannot be opened as a picture"),
        (png(20_000, 5_000), TooLarge, "pixels"),
        (png(60_000, 60_000), TooLarge, "pixels"),
        (png(2, 2), DataError, "2 x 2 pixels"),
        ("no/such/file.png", FormatError, "there is no file"),
        (np.zeros((20, 20), dtype=np.float64), DataError, "float64; expected"),
        (np.zeros((20, 20, 2), dtype=np.uint8), DataError, "expected"),
        (np.zeros((3, 20), dtype=np.uint8), DataError, "at least 8 x 8"),
    ],
)
def test_what_is_no_picture(image, error, message):
    with pytest.raises(error, match=message) as caught:
        open_picture(image)
    assert "\n" not in str(caught.value)


def test_a_picture_cut_short_is_refused():
    data = encoded(draw(CODE, PAGE), "PNG")
    with pytest.raises(FormatError, match="export it again"):
        open_picture(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"region_px": (700, 0, 900, 100)}, "region_px"),
        ({"tab_width": 0}, "tab_width"),
    ],
)
def test_parameters_that_make_no_sense(options, message):
    with pytest.raises(ParameterError, match=message):
        find_text(draw(CODE, PAGE), CODE, **options)


def test_a_blank_text_is_refused():
    with pytest.raises(DataError, match="no visible character"):
        find_text(draw(CODE, PAGE), " \n\t\n")


def test_sixteen_bit_grey_and_transparency():
    from PIL import Image

    page = draw(CODE, PAGE)
    deep = Image.fromarray(page[:, :, 1].astype(np.uint16) * 257)
    held = io.BytesIO()
    deep.save(held, "PNG")
    assert max(off_by(find_text(held.getvalue(), CODE), PAGE)) < 0.5
    clear = np.dstack([np.zeros_like(page), 255 - page[:, :, 1]])
    assert max(off_by(find_text(clear, CODE), PAGE)) < 0.5


def test_ink_is_none_on_flat_grounds_and_filled_areas():
    page = np.full((200, 300, 3), 250, dtype=np.uint8)
    page[:, :90] = (40, 44, 52)
    page[60:120, 150:250] = (0, 90, 200)
    page[150] = 0
    ink = find_ink(page)
    assert ink[76:104, 166:234].sum() == 0  # inside the panel
    assert ink[20:44, 106:290].sum() == 0  # beside it
    assert ink[20:140, 10:74].sum() == 0


def test_the_bound_on_pixels_is_above_any_screen():
    assert MAX_PIXELS > 7680 * 4320

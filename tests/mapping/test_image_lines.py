"""Lines on no common grid, lines that differ, proportional fonts."""

from pathlib import Path

import numpy as np
import pytest
from pages import CODE, Page, draw

from gazecode.errors import DataError
from gazecode.mapping.image import find_text, image_layout
from gazecode.mapping.image.bands import bands_of_rows, cut_bands
from gazecode.mapping.image.glyphs import align
from gazecode.mapping.image.proportional import Advances
from gazecode.source import parse

PAGE = Page(origin_px=(60, 20), char_px=9.3, line_px=21.4, size_px=15, shape=(420, 800))
SPACED = CODE.replace("(", " ( ").replace(")", " ) ").replace(";", " ;").replace(",", " ,")


def drawn_spans(shown):
    """Left and right edge and row of every non-blank character as drawn."""
    spans, rows = [], []
    for row, line in enumerate(shown.split("\n")):
        for column, char in enumerate(line):
            if char != " ":
                left = PAGE.origin_px[0] + PAGE.char_px * column
                spans.append((left, left + PAGE.char_px))
                rows.append(row)
    return np.array(spans), np.array(rows)


@pytest.mark.parametrize(
    "shown",
    [
        SPACED,
        "\n".join(line for line in CODE.split("\n") if line.strip()),
        "\n".join(" " * (5 * i % 7) + line.strip() for i, line in enumerate(CODE.split("\n"))),
    ],
    ids=["blanks around signs", "no blank lines", "other indents"],
)
def test_white_space_may_differ(shown):
    found = find_text(draw(shown, PAGE), CODE)
    spans, rows = drawn_spans(shown)
    assert found.kind == "lines"
    assert found.unmatched == ()
    np.testing.assert_allclose(found.span_px, spans, atol=0.5)
    order = np.unique(rows, return_index=True)[0]
    drawn = PAGE.origin_px[1] + PAGE.line_px * (order + 0.5)
    # Lines of brackets alone have no letter to say where the baseline is.
    assert np.abs(found.middle_px - drawn).max() < 2


def test_lines_that_differ_are_named_and_laid_by_their_looks():
    shown = CODE.replace("spokes != 0", "spokes != 10").replace("return load", "ret load")
    found = find_text(draw(shown, PAGE), CODE)
    assert found.kind == "grid"
    assert found.unmatched == (9, 10)
    assert abs(found.char_width_px - 9.3) < 0.02
    # "urn" is not shown, and what follows stands three cells to the left.
    spans, rows = drawn_spans(shown)
    theirs, ours = spans[rows == 10], found.span_px[found.place_row == 10]
    assert found.n_missing == 3
    np.testing.assert_allclose(ours[~np.isnan(ours[:, 0])], theirs, atol=0.5)
    # In the other line one more cell holds ink; the bracket and the brace stand after it.
    theirs, ours = spans[rows == 9], found.span_px[found.place_row == 9]
    np.testing.assert_allclose(ours[-2:], theirs[-2:], atol=0.5)


def test_a_layout_counts_lines_that_differ_and_tokens_not_shown():
    tokens = parse(CODE, language="java")
    shown = CODE.replace("double tension", "tension")
    layout = image_layout(tokens, draw(shown, PAGE))
    assert layout.unmatched == {"not_in_picture": 1, "differing_lines": 1}
    missing = set(range(len(tokens))) - set(layout.token.tolist())
    assert [tokens.text(i) for i in missing] == ["double"]


def proportional(text, font, line_px):
    import matplotlib as mpl
    from PIL import Image, ImageDraw, ImageFont

    face = ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"), 15)
    canvas = Image.new("RGB", (700, 500), (255, 255, 255))
    pen = ImageDraw.Draw(canvas)
    boxes = []
    for row, line in enumerate(text.split("\n")):
        y = 20 + line_px * row
        pen.text((50, y), line, font=face, fill=(0, 0, 0))
        for start, word in words(line):
            x = 50 + face.getlength(line[:start])
            boxes.append((x, x + face.getlength(word), row))
    return np.asarray(canvas), np.array(boxes)


def words(line):
    place = 0
    for word in line.split():
        place = line.index(word, place)
        yield place, word
        place += len(word)


@pytest.mark.parametrize("font", ["DejaVuSans", "DejaVuSerif", "DejaVuSans-Bold"])
@pytest.mark.parametrize("line_px", [18, 24, 31])
def test_proportional_fonts_by_words(font, line_px):
    page, boxes = proportional(CODE, font, line_px)
    found = find_text(page, CODE, monospace=False)
    starts = np.flatnonzero(
        (np.diff(found.place, prepend=-2) > 1) | (np.diff(found.place_row, prepend=-1) != 0)
    )
    ends = np.append(starts[1:], len(found.place)) - 1
    ours = np.stack([found.span_px[starts, 0], found.span_px[ends, 1]], axis=1)
    assert found.kind == "words"
    assert np.abs(ours.mean(axis=1) - boxes[:, :2].mean(axis=1)).max() < 2.5
    assert np.abs(np.diff(found.middle_px) - line_px * np.diff(found.row)).max() < 2


def test_another_text_in_a_proportional_font_is_not_found():
    page, _ = proportional(CODE, "DejaVuSans", 24)
    other = "\n".join(f"value_{i} = compute(a, {i * 37})" * (i % 3) for i in range(15))
    with pytest.raises(DataError, match="monospace=True"):
        find_text(page, other, monospace=False)


def test_advances_learn_the_font():
    words_seen = ["width", "height", "return", "public", "this", "area", "double", "int"] * 6
    true = dict.fromkeys("widthegrnpublcsaou", 0.7)
    widths = np.array([sum(true[c] for c in word) for word in words_seen])
    learnt = Advances().learnt(words_seen, widths)
    before = np.abs([Advances().of(w).sum() for w in words_seen] - widths).mean()
    after = np.abs([learnt.of(w).sum() for w in words_seen] - widths).mean()
    assert after < 0.5 * before


def test_bands_keep_dots_with_their_letters():
    ink = np.zeros((60, 40))
    ink[10:20, 5:30] = 1
    ink[7:9, 8:10] = 1
    ink[40:50, 5:30] = 1
    assert cut_bands(ink).tolist() == [[7, 20], [40, 50]]
    assert cut_bands(np.zeros((20, 20))).shape == (0, 2)


def brute_pairs(cost, rows, bands):
    """The cheapest pairing by trying all."""
    from itertools import combinations

    best = np.inf
    n, m = cost.shape
    for k in range(min(n, m) + 1):
        for a in combinations(range(n), k):
            for b in combinations(range(m), k):
                price = sum(cost[i, j] for i, j in zip(a, b, strict=True))
                price += rows.sum() - rows[list(a)].sum()
                price += 0.15 * (bands.sum() - bands[list(b)].sum())
                best = min(best, price)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_pairs_of_rows_and_bands_are_the_cheapest(seed):
    rng = np.random.default_rng(seed)
    rows, bands = rng.uniform(1, 20, 4), rng.uniform(1, 20, 5)
    cost = np.minimum(1.5 * np.abs(rows[:, None] - bands), 1.2 * rows[:, None])
    band = bands_of_rows(cost, rows, bands)
    on = band >= 0
    price = cost[on, band[on]].sum() + rows[~on].sum()
    price += 0.15 * (bands.sum() - bands[band[on]].sum())
    assert np.isclose(price, brute_pairs(cost, rows, bands))
    assert (np.diff(band[on]) > 0).all()


def test_characters_left_out_and_put_in():
    looks = {char: np.eye(5)[i] for i, char in enumerate("abcde")}
    cells = np.stack([looks[c] for c in "acde"])
    assert align(list("abcde"), cells, looks).tolist() == [0, -1, 1, 2, 3]
    cells = np.stack([looks[c] for c in "aebcde"])
    assert align(list("abcde"), cells, looks).tolist() == [0, 2, 3, 4, 5]

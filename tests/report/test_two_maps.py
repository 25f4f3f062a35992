"""Both maps over the code: shades that mean the same, texts that stay texts, a page that is still."""

import hypothesis.strategies as st
import numpy as np
import pytest
from defusedxml import ElementTree
from hypothesis import given
from scipy.stats import rankdata

from gazecode.errors import DataError, ParameterError
from gazecode.report.agreement import (
    MAX_MAPS,
    AgreementView,
    FigureView,
    MapsView,
    MetricView,
    render_agreement,
    write_agreement_page,
)
from gazecode.report.colour import LEVELS
from gazecode.report.two_maps import (
    MAX_LINES,
    map_pieces,
    map_titles,
    shade_levels,
    shading,
    two_maps,
)

NS = "{http://www.w3.org/2000/svg}"
CODE = "int größe = 1;\n\treturn größe; // 漢字\n"
WORDS = ("int", "größe", "=", "1", ";", "return", "größe", ";", "// 漢字")
BAD = (
    '</pre></style><script>document.title="owned"</script><img src=x onerror=alert(1)>'
    "\x00\x1b[31m\u202eevil\u2066 ]]> &amp; {{ 7*7 }}"
)


def spans(code, words):
    raw, at, found = code.encode("utf-8", "surrogatepass"), 0, []
    for word in words:
        size = word.encode("utf-8", "surrogatepass")
        a = raw.index(size, at)
        at = a + len(size)
        found.append([a, at])
    return raw, np.array(found, dtype=np.int64).reshape(-1, 2)


RAW, SPAN = spans(CODE, WORDS)
HUMAN = np.array([0, 4, 0, 1, 0, 2, 4, 0, np.nan])
MODEL = np.array([9, 1, 1, 1, 1, 1, 2, 1, 0.5])


def values(*, low=0.0):
    number = st.floats(low, 1e6, allow_subnormal=False) | st.just(0.0) | st.just(float("nan"))
    return st.lists(number, max_size=40).map(np.array)


@given(values())
def test_ranks_are_eighths_of_the_tokens(value):
    level = shade_levels(value)
    known = np.isfinite(value)
    found = value[known]
    assert (level[~known] == 0).all()
    if found.size:
        eighths = np.ceil(rankdata(found) / found.size * LEVELS - 1e-9)
        assert (level[known] == np.where(found == 0, 0, eighths)).all()


@given(values(), st.floats(0.01, 100))
def test_shades_ignore_the_unit(value, factor):
    for shade in ("rank", "share"):
        once, again = (shade_levels(v, shade=shade) for v in (value, value * factor))
        assert np.abs(once - again).max(initial=0) <= (0 if shade == "rank" else 1)


@given(values(low=-1e6))
def test_shares_keep_their_sign(value):
    level = shade_levels(value, shade="share")
    known = np.isfinite(value)
    assert (np.sign(level[known]) == np.sign(value[known])).all()
    assert (np.abs(level) <= LEVELS).all()


def test_where_values_are_negative_zero_is_a_value():
    assert shade_levels(np.array([-1.0, 0.0, 1.0])).tolist() == [3, 6, 8]


def test_an_unknown_shade_lists_the_choices():
    with pytest.raises(ParameterError, match="rank, share"):
        shade_levels(np.ones(2), shade="heat")


def test_titles_say_value_share_and_rank():
    titles = map_titles(HUMAN, unit="ms", beside=["x"] * 9)
    assert titles[1] == "4 ms · 36.4 % of all · rank 1.5 of 8 · x"
    assert titles[8] == "not known · x"
    assert "of all" not in map_titles(np.array([-1.0, 2.0]))[1]


def test_pieces_are_the_whole_text():
    pieces = map_pieces(RAW, SPAN, shading(HUMAN, name="people"))
    assert "".join(p.text for p in pieces) == CODE
    shaded = [p for p in pieces if p.title]
    assert [p.text for p in shaded] == list(WORDS)
    assert shaded[1].kind == shaded[6].kind == "w8"
    assert shaded[8].kind == "unseen"
    assert shaded[0].kind == ""


def marks(svg):
    root = ElementTree.fromstring(svg)
    halves = root.findall(f"{NS}svg")
    assert len(halves) == 2
    return root, halves


def test_the_picture_has_every_token_twice():
    root, halves = marks(two_maps(CODE, SPAN, HUMAN, MODEL, names=("people", "a <model>")))
    names = [t.text for t in root.iter(f"{NS}text") if t.get("class") == "name"]
    assert names == ["people", "a <model>"]
    for half in halves:
        assert len(half.findall(f"{NS}rect")) == len(WORDS)
        assert [t.text for t in half.iter(f"{NS}text")] == list(WORDS)
    first = halves[0].findall(f"{NS}rect")[1]
    assert first.get("class") == "t w8"
    assert "36.4 %" in first.find(f"{NS}title").text


def test_cells_are_those_of_a_terminal():
    """A tab goes to the next multiple of four, wide characters take two cells."""
    _, (half, _) = marks(two_maps(CODE, SPAN, HUMAN, MODEL))
    rect = half.findall(f"{NS}rect")
    assert [float(r.get("x")) / 7.2 for r in rect][5] == pytest.approx(4)
    assert float(rect[8].get("width")) / 7.2 == pytest.approx(3 + 4, abs=0.02)
    assert [r.get("y") for r in rect] == ["0"] * 5 + ["17"] * 4


def test_long_lines_are_broken_and_long_texts_cut():
    code = "x" * 250 + "\n" * 500 + "y"
    raw, span = spans(code, ["x" * 250, "y"])
    svg = two_maps(raw, span, [1, 2], [2, 1])
    _, (half, _) = marks(svg)
    widths = [float(r.get("width")) for r in half.findall(f"{NS}rect")]
    assert widths == pytest.approx([720, 720, 360])
    assert f"{503 - MAX_LINES} further lines not drawn" in svg


@pytest.mark.parametrize("code", ["", "\n", BAD, "\ud800 \ufffe", "\u05d0\u05d1 = 1"])
def test_any_text_gives_a_well_formed_picture(code):
    _, span = spans(code, code.split())
    value = np.arange(len(span), dtype=float)
    svg = two_maps(code, span, value, value[::-1], title=code, names=(code, code))
    root = ElementTree.fromstring(svg)
    assert not list(root.iter(f"{NS}script"))
    assert not any(c in svg for c in "\x00\x1b\u202e\u2066\ufffe\ud800")


@pytest.mark.parametrize(
    ("span", "human", "model", "said"),
    [
        (SPAN, HUMAN[:-1], MODEL, "9 tokens and 8 values"),
        (SPAN, HUMAN, MODEL[:-1], "people have 9 values, the model 8"),
        (SPAN[::-1], HUMAN, MODEL, "run backward"),
        (SPAN + 40, HUMAN, MODEL, "leave the text"),
    ],
)
def test_what_does_not_fit_is_refused(span, human, model, said):
    with pytest.raises(DataError, match=said):
        two_maps(CODE, span, human, model)


def test_the_same_maps_give_the_same_bytes():
    assert two_maps(CODE, SPAN, HUMAN, MODEL) == two_maps(CODE, SPAN, HUMAN, MODEL)


def figure(row="rollout", **change):
    fields = {
        "value": 0.3,
        "low": 0.2,
        "high": 0.4,
        "pooled": 0.35,
        "chance": 0.01,
        "chance_low": -0.1,
        "chance_high": 0.1,
        "above": 0.29,
        "ceiling": 0.6,
        "units": 18,
        "items": 2,
        "people": 6,
    }
    return FigureView(row=row, **fields | change)


def maps(name="Basket", code=CODE, words=WORDS, rows=2):
    raw, span = spans(code, words)
    value = np.arange(len(span), dtype=float)
    return MapsView(
        name=name,
        text=raw,
        span=span,
        human=value,
        looked=np.ones(len(span), dtype=int),
        people=6,
        rows=[(f"row {i} of {name}", value[::-1]) for i in range(rows)],
    )


def view(**change):
    fields = {
        "title": "Agreement",
        "metrics": [
            MetricView(
                name="spearman", rows=[figure(), figure("shap", undefined=3)], words="mid-ranks"
            )
        ],
        "warnings": ["Attention favours early tokens."],
        "maps": [maps(), maps("median", rows=1)],
        "n_texts": 4,
        "figures": {"people": 6},
        "details": {"seed": 0},
    }
    return AgreementView(**fields | change)


def test_no_figure_stands_alone():
    html = render_agreement(view())
    assert "rollout: 0.300 [0.200, 0.400] · chance 0.010 [-0.100, 0.100] · ceiling 0.600" in html
    assert "undefined in 3 readings" in html
    assert "2 further texts are in the figures, but not drawn here" in html
    assert "Attention favours early tokens." in html
    assert "1 of 6 people looked" in html


def test_what_is_unknown_is_not_drawn_as_zero():
    nan = float("nan")
    empty = figure(value=nan, low=nan, high=nan, chance=nan, chance_low=nan, chance_high=nan)
    html = render_agreement(view(metrics=[MetricView(name="kl", rows=[empty])], maps=[]))
    assert "rollout: — · chance not known" in html
    assert "<circle cx" not in html.split("<table")[1].split("</table>")[0]


def test_the_page_is_bounded():
    many = [maps(f"t{i}") for i in range(MAX_MAPS + 5)]
    html = render_agreement(view(maps=many, n_texts=50))
    assert html.count("<article") == MAX_MAPS
    assert f"{50 - MAX_MAPS} further texts" in html
    large = maps("large", code="a " * 9_000, words=["a"] * 9_000, rows=3)
    html = render_agreement(view(maps=[large, maps()], n_texts=2))
    assert html.count("<article") == 1
    assert "1 further text is" in html
    assert len(html) < 6_000_000


def test_an_empty_page_is_a_page():
    html = render_agreement(AgreementView(title="nothing"))
    assert "<section" not in html


def test_a_map_of_other_tokens_is_refused():
    wrong = maps()
    with pytest.raises(DataError, match="9 tokens and 3 values"):
        render_agreement(
            view(
                maps=[
                    MapsView(
                        name="x",
                        text=wrong.text,
                        span=wrong.span,
                        human=wrong.human,
                        rows=[("r", np.ones(3))],
                    )
                ]
            )
        )


@pytest.fixture(scope="module")
def hostile():
    figures = [figure(BAD), figure("x")]
    return view(
        title=BAD,
        warnings=[BAD],
        figures={BAD: BAD},
        details={BAD: BAD},
        metrics=[MetricView(name=BAD, rows=figures, words=BAD)],
        maps=[maps(BAD, code=BAD + CODE, words=("script", *WORDS))],
    )


def test_hostile_text_stays_text(hostile):
    html = render_agreement(hostile)
    assert "<script" not in html
    assert "<img" not in html
    assert not any(c in html for c in "\x00\x1b\u202e\u2066")
    assert "49" not in html.split("<body>")[1].split("</h1>")[0]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_quiet_and_fits(browser, tmp_path, hostile, width, scheme):
    for which in (view(), hostile):
        browser.open(write_agreement_page(which, tmp_path / "a.html"), width=width, scheme=scheme)
        assert browser.value("document.documentElement.scrollWidth") == width
        assert browser.value("document.scripts.length + document.images.length") == 0
        assert browser.value("document.title") != "owned"
        assert browser.problems() == []


def test_a_row_is_chosen_without_a_script(browser, tmp_path):
    browser.open(write_agreement_page(view(), tmp_path / "a.html"), width=1280)
    shown = (
        "[...document.querySelectorAll('.row-map')].filter(f => "
        "getComputedStyle(f).display != 'none').map(f => f.querySelector('figcaption').textContent)"
    )
    assert browser.value(shown) == ["row 0 of Basket", "row 0 of median"]
    browser.value("document.getElementById('m1-2').click()")
    assert browser.value(shown) == ["row 1 of Basket", "row 0 of median"]


def test_the_picture_stands_alone(browser, tmp_path):
    path = tmp_path / "two.svg"
    path.write_text(two_maps(CODE, SPAN, HUMAN, MODEL), encoding="utf-8")
    browser.open(path, width=1280)
    assert browser.value("document.documentElement.tagName") == "svg"
    assert browser.problems() == []

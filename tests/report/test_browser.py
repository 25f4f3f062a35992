"""The page in a real browser: nothing in the console, no request, no sideways scrolling."""

from pathlib import Path

import pytest

from gazecode.report import StudyView, picture, write_report


@pytest.fixture(scope="module")
def page(study, tmp_path_factory) -> Path:
    return write_report(study, tmp_path_factory.mktemp("page") / "report.html")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_quiet_and_fits(browser, page, width, scheme):
    browser.open(page, width=width, scheme=scheme)
    assert browser.value("document.documentElement.scrollWidth") == width
    assert browser.problems() == []
    paper = browser.value("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(252, 251, 248)", "dark": "rgb(21, 22, 26)"}[scheme]


def test_page_fits_paper(browser, page):
    """A4 without margins of the browser's own is 718 px wide."""
    browser.open(page, width=718, scheme="dark", media="print")
    assert browser.value("document.documentElement.scrollWidth") == 718
    assert (
        browser.value("getComputedStyle(document.querySelector('.sw + label')).display") == "none"
    )
    ink = browser.value("getComputedStyle(document.body).color")
    assert ink == "rgb(31, 30, 27)"


def test_problems_are_seen(browser, tmp_path):
    path = tmp_path / "noisy.html"
    path.write_text('<img src="http://127.0.0.1:9/x.png"><script>console.error("oh")</script>')
    browser.open(path, width=390)
    found = " ".join(browser.problems())
    assert "oh" in found
    assert "request for http://127.0.0.1:9/x.png" in found


def test_hostile_page_runs_nothing(browser, make, tmp_path):
    bad = '</title></style><script>document.title="owned"</script><img src=x onerror=alert(1)>'
    study = StudyView(title=bad, trials=[make.trial(bad + "\nint x;", name=bad)])
    browser.open(write_report(study, tmp_path / "bad.html"), width=390)
    assert browser.value("document.title") != "owned"
    assert browser.value("document.scripts.length + document.images.length") == 0
    assert browser.value("document.documentElement.scrollWidth") == 390
    assert browser.problems() == []


def test_checkbox_hides_a_layer(browser, page):
    browser.open(page, width=1280)
    shown = "getComputedStyle(document.querySelector('.gaze')).display"
    assert browser.value(shown) != "none"
    browser.value("document.getElementById('t1-gaze').click()")
    assert browser.value(shown) == "none"


def test_gaze_lies_on_the_text_of_its_token(browser, page, trial):
    """What the browser paints for a token fills the box the layout gives it."""
    browser.open(page, width=1280)
    boxes = browser.value(
        "[...document.querySelector('article .glyphs').querySelectorAll('text')].map(t => "
        "[t.textContent, t.getBBox().x, t.getBBox().x + t.getBBox().width])"
    )
    drawn = next(b for b in boxes if b[0] == "accelerate")
    token = trial.tokens.texts.index("accelerate")
    expected = trial.layout.boxes[list(trial.layout.token).index(token)]
    assert drawn[1] == pytest.approx(expected[0], abs=1.0)
    assert drawn[2] == pytest.approx(expected[2], abs=1.5)


def test_picture_stands_alone(browser, trial, tmp_path):
    path = tmp_path / "picture.svg"
    path.write_text(picture(trial), encoding="utf-8")
    browser.open(path, width=1280)
    assert browser.value("document.documentElement.tagName") == "svg"
    assert browser.problems() == []

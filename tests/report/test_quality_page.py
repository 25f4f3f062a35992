"""The page of quality: everything escaped, nothing left out, quiet in a browser."""

import re

import numpy as np
import pytest

from gazecode.model import Samples
from gazecode.report import QualityPage, QualityView, RecordingView, write_quality_page
from gazecode.report.maps import Extent, gaze_map, precision_map
from gazecode.report.plots import loss_timeline, step_histogram
from gazecode.report.quality import FigureGroup, TableView, render_quality
from gazecode.report.views import SaccadeView

BAD = '</title></style><script>document.title="owned"</script><img src=x onerror=alert(1)>\x00'


def page_of(name: str = "P01.asc", word: str = "precise") -> QualityPage:
    rng = np.random.default_rng(3)
    t = np.arange(2000) * 4.0
    xy = np.cumsum(rng.normal(0, 6, (2000, 2)), axis=0) + np.array([800, 500])
    xy[300:420] = np.nan
    gaze = Samples(t_ms=t, xy_px=xy)
    amplitude = rng.uniform(0.3, 12, 90)
    screen = Extent(width=1600, height=1000, words=word)
    view = QualityView(
        recording=RecordingView(
            participant=word,
            file=name,
            format="eyelink",
            rate_hz=250.0,
            duration_ms=8000.0,
            lost_share=0.06,
            usable=False,
            reasons=[word],
            steps_ms=step_histogram(gaze),
            loss=loss_timeline(gaze),
        ),
        warnings=[word],
        figures=[FigureGroup(title=word, rows=[("loss", "6 %", word), ("rate", "250 Hz", "")])],
        tables=[TableView(title=word, heads=["trial", "loss"], rows=[(word, "6 %")], note=word)],
        maps=[gaze_map(gaze, screen, title=word)],
        precision=precision_map(xy[::20], np.ones(100), screen, value_unit="deg"),
        saccades=SaccadeView(amplitude_deg=amplitude, duration_ms=21 + 2.2 * amplitude),
    )
    table = TableView(title="pooled", heads=["participant"], rows=[(word,)])
    return QualityPage(
        title=word, recordings=[view, view], participants=table, methods=word, broken=[(name, word)]
    )


def test_every_plot_is_there_and_the_same_data_give_the_same_bytes():
    html = render_quality(page_of())
    for words in ("Gaze over", "Loss over time", "Precision over", "Rate:", "Main sequence"):
        assert words in html
    assert html == render_quality(page_of())


def test_names_and_words_are_text_wherever_they_stand():
    html = render_quality(page_of(name=BAD, word=BAD))
    assert "<script" not in html
    assert "<img" not in html
    assert "\x00" not in html
    assert html.count("&lt;script&gt;") >= 15


def test_a_page_of_nothing_is_a_page():
    assert "0" in render_quality(QualityPage(title="nothing"))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_quiet_and_fits(browser, tmp_path, width, scheme):
    for page in (page_of(), page_of(name="a" * 90 + ".asc", word=BAD)):
        path = write_quality_page(page, tmp_path / "quality.html")
        browser.open(path, width=width, scheme=scheme)
        assert browser.value("document.documentElement.scrollWidth") == width
        assert browser.problems() == []
        assert browser.value("document.title") != "owned"
        assert browser.value("document.scripts.length + document.images.length") == 0
        paper = browser.value("getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(252, 251, 248)", "dark": "rgb(21, 22, 26)"}[scheme]


def test_the_page_asks_for_nothing():
    html = render_quality(page_of())
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:)", html)
    assert "default-src 'none'" in html

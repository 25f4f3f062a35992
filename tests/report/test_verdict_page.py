"""The page of quality as `gazecode quality --out` writes it, in a real browser."""

import re
from dataclasses import replace

import numpy as np
import pytest

import gazecode as gc
from gazecode.model import Recording, Samples, Screen, Stimulus, Trial
from gazecode.report import QualityPage, write_quality_page
from gazecode.verdict import Wanted, jobs_of_files, page_of, view_of

BAD = '</title></style><script>document.title="owned"</script><img src=x onerror=alert(1)>\x00'


def opens(browser, path):
    """In light and dark, wide and narrow: nothing in the console, no request, nothing too wide."""
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            browser.open(path, width=width, scheme=scheme)
            assert browser.value("document.documentElement.scrollWidth") == width
            assert browser.problems() == []
            assert browser.value("document.scripts.length + document.images.length") == 0
            paper = browser.value("getComputedStyle(document.body).backgroundColor")
            assert paper == {"light": "rgb(252, 251, 248)", "dark": "rgb(21, 22, 26)"}[scheme]


def hostile(plane="screen_px"):
    rng = np.random.default_rng(2)
    xy = np.repeat(rng.uniform(0, 900, (20, 2)), 50, axis=0) + rng.normal(0, 1, (1000, 2))
    samples = Samples(t_ms=np.arange(1000) * 4.0, xy_px=xy, eye="left")
    return Recording(
        samples={"left": samples},
        trials=[Trial(name=BAD, onset_ms=0, offset_ms=3000, stimulus=f"{BAD} shown")],
        stimuli={f"{BAD} shown": Stimulus(name=BAD, code=BAD, language="java", image=b"<svg>")},
        plane=plane,
        screen=Screen(width_px=900, height_px=900) if plane == "screen_px" else None,
        provenance={"participant": BAD, "format": BAD, "filter": BAD, "tracker": BAD},
    )


@pytest.mark.parametrize("plane", ["screen_px", "scene_px", "href"])
def test_every_name_of_a_file_is_text(browser, tmp_path, plane):
    recording = hostile(plane)
    report = gc.assess(recording)
    view = view_of(BAD, recording, report, notes=[BAD])
    methods = gc.quality.methods_paragraph([report])
    page = QualityPage(title=BAD, recordings=[view], methods=methods, notes=[BAD])
    path = write_quality_page(page, tmp_path / "bad.html")
    html = path.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<img" not in html
    assert "\x00" not in html
    for part in ("participant ", "<h4>", '<th scope="row">', "format "):
        assert f"{part}&lt;/title&gt;" in html, part
    opens(browser, path)
    assert browser.value("document.title") != "owned"


@pytest.mark.real
def test_the_page_of_a_real_recording(browser, shared_data, tmp_path):
    """eyeCode: ten trials over their screenshots, fixations of the device, accuracy unknown."""
    file = shared_data / "eyecode-hansen2012" / "xml" / "07.xml.gz"
    found = [job.run() for job in jobs_of_files([file], Wanted(drawn=True, line_height_px=29.0))]
    path = write_quality_page(page_of("Quality of gaze", found), tmp_path / "q.html")
    html = path.read_text(encoding="utf-8")
    for words in ("Gaze over", "Loss over time", "Precision over", "Rate:", "Main sequence"):
        assert words in html
    assert "accuracy is unknown" in html
    assert html.count("fixations as circles") == 10
    assert html.count('href="#image') == 10
    assert "Lines and tokens, by accuracy" in html
    assert str(shared_data) not in html
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:)", html)
    assert len(html) < 4_000_000
    opens(browser, path)


@pytest.mark.real
def test_the_page_of_a_recording_with_a_validation(browser, shared_data, tmp_path):
    file = shared_data / "exports" / "eyelink_asc" / "bino1000.asc.gz"
    found = [job.run() for job in jobs_of_files([file], Wanted(drawn=True, line_height_px=30.0))]
    path = write_quality_page(page_of("Quality of gaze", found), tmp_path / "q.html")
    html = path.read_text(encoding="utf-8")
    assert "stated by the device" in html
    assert "Accuracy at each target" in html
    assert html.count("<td>device GOOD</td>") == 26
    assert "Each eye" in html
    opens(browser, path)


def test_the_same_recording_gives_the_same_page(tmp_path):
    recording = hostile()
    again = replace(recording, joined=None)
    pages = [
        write_quality_page(
            QualityPage(title="t", recordings=[view_of("a", one, gc.assess(one))]),
            tmp_path / f"{i}.html",
        ).read_bytes()
        for i, one in enumerate([recording, again])
    ]
    assert pages[0] == pages[1]

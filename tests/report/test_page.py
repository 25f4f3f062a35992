import re
import struct
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from defusedxml import ElementTree

from gazecode.model import STATUSES
from gazecode.report import FailureView, StudyView, page, picture, render_report, write_report

VOID = {"meta", "link", "br", "input", "img", "hr"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title></svg><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "a\x00b\x07c\x1b[31m\x85\u202e\ud800\uffff",
]


class Outline(HTMLParser):
    """Every tag must be closed in order; keeps tags, attributes, headings and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if not {"style", "svg"} & set(self.stack):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


@pytest.fixture(scope="module")
def html(study) -> str:
    return render_report(study)


def test_tags_are_closed_in_order(html):
    outline = Outline(html)
    assert len(outline.tags) > 500


def test_nothing_is_requested(html):
    outline = Outline(html)
    assert not {"script", "iframe", "object", "embed"} & {tag for tag, _ in outline.tags}
    wanted = [v for name in ("src", "href", "xlink:href", "srcset") for v in outline.values(name)]
    assert wanted
    assert all(v.startswith(("#", "data:")) for v in wanted)
    assert "://" not in re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL)
    assert "@import" not in html
    assert "url(" not in html
    assert "default-src 'none'" in html
    assert not [a for _, attrs in outline.tags for a in attrs if a.startswith("on")]


def test_names_are_unique_and_reached(html):
    outline = Outline(html)
    names = outline.values("id")
    assert len(names) == len(set(names))
    targets = outline.values("for") + [v[1:] for v in outline.values("href") if v[0] == "#"]
    for name in ("aria-labelledby",):
        targets += " ".join(outline.values(name)).split()
    assert set(targets) <= set(names)


def test_reader_finds_the_way(html):
    outline = Outline(html)
    assert outline.tags[0] == ("html", {"lang": "en"})
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = np.diff(outline.headings)
    assert steps.max() <= 1
    images = [attrs for tag, attrs in outline.tags if attrs.get("role") == "img"]
    assert images
    assert all("aria-label" in a or "aria-labelledby" in a for a in images)
    hidden = [a for tag, a in outline.tags if tag == "svg" and a.get("class") == "bars"]
    assert all(a.get("aria-hidden") == "true" for a in hidden)


def test_all_counts_appear(study, html):
    text = Outline(html).text
    for recording in study.recordings:
        row = " ".join(str(recording.n_status[s]) for s in STATUSES)
        assert f"{recording.participant} {row} 12 431" in text
    trial = study.trials[0]
    assert "60 fixations of P01 on Vehicle, " in text
    counts = [int(np.sum(trial.hits.status == s)) for s in STATUSES]
    assert (
        f"{counts[0]} on a token, {counts[1]} between tokens, {counts[2]} off the code, "
        f"{counts[3]} lost." in text
    )
    assert "7 further trials are in the tables and files, but not drawn here." in text
    assert "raw/broken.csv all read no column gaze_x" in text
    assert "1293 fixations" not in text  # the number stands before its name, as a figure
    assert "fixations 1293" in text
    assert "41 % of samples are lost; at most 40 % are allowed" in text
    assert "detect.max_speed_deg_s 30" in text


def test_lost_fixation_is_counted_and_not_drawn(study, html):
    first = html[html.index('id="t1-h"') : html.index('id="t2-h"')]
    drawing = first[first.index("<svg class=") : first.index('<g class="key"')]
    n_circles = drawing.count("<circle")
    assert n_circles == 60 - 1
    assert "<title>23 · " in drawing
    assert "<title>24 · " not in drawing
    assert not re.search(r'"-?(nan|inf)', html)


def test_same_data_same_bytes(make):
    assert render_report(make.study()) == render_report(make.study())


@pytest.mark.parametrize(
    "bad", HOSTILE, ids=["script", "attribute", "close", "template", "control"]
)
def test_text_stays_text(make, bad):
    trial = make.trial(f"class A {{}} // {bad}\n/* {bad} */ {bad}", name=bad)
    label = np.array([bad] * len(trial.tokens), dtype=object)
    trial = replace(
        trial,
        participant=bad,
        stimulus=bad,
        tokens=replace(trial.tokens, label=label, language=bad),
        weights=replace(trial.weights, scheme=bad, unit=bad),
        layout=replace(trial.layout, unmatched={bad: 2}),
    )
    recording = make.recording(bad, 1, file=bad, format=bad, reasons=[bad], precision_unit=bad)
    study = StudyView(
        title=bad,
        intro=bad,
        figures={bad: bad},
        parameters={bad: bad},
        provenance={bad: [bad]},
        recordings=[recording],
        trials=[trial],
        failures=[FailureView(file=bad, error=bad, participant=bad, trial=bad, stage=bad)],
    )
    html = render_report(study)
    outline = Outline(html)
    allowed = {t for t, _ in Outline(render_report(make.study())).tags}
    assert {t for t, _ in outline.tags} <= allowed
    assert not [a for _, attrs in outline.tags for a in attrs if a.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", html)
    html.encode("utf-8")
    ElementTree.fromstring(picture(trial))


def test_empty_study_is_a_page():
    outline = Outline(render_report(StudyView(title="Nothing yet")))
    assert "Nothing yet" in outline.text
    assert "table" not in {tag for tag, _ in outline.tags}
    assert outline.headings == [1]


def test_quality_alone_is_a_page(make):
    view = make.recording("P01", 1, n_fixations=0, n_status={}, steps_ms=None, loss=[])
    text = Outline(render_report(StudyView(title="Quality", recordings=[view]))).text
    assert "P01 yes raw/GazeData_P01.csv" in text
    assert "Where the fixations went" not in text
    assert "Signal" not in text


def test_unknown_is_said(make):
    view = make.recording("P01", 1, usable=None, rms_s2s=None, std=None, lost_share=float("nan"))
    text = Outline(render_report(StudyView(title="Quality", recordings=[view]))).text
    assert "P01 not assessed" in text
    assert " — — — unknown 3" in text


def test_trials_without_drawing_are_said(make):
    text = Outline(render_report(StudyView(title="Many", n_trials=40))).text
    assert "40 trials, none drawn here." in text


def test_trial_without_gaze_fixations_or_tokens(make):
    trial = make.trial("", n=0)
    text = Outline(render_report(StudyView(title="Blank", trials=[trial]))).text
    assert "0 fixations of P01 on Vehicle, 0 s in all" in text
    assert "No token was looked at." in text


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(b"".join(b"\0" + b"\xdd" * width for _ in range(height)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_screenshot_is_embedded_once(make):
    trials = [make.trial(seed=i, n=5) for i in (1, 2)]
    shown = [replace(t, image=png(192, 108)) for t in trials]
    html = render_report(StudyView(title="Shots", trials=shown))
    Outline(html)
    assert html.count("data:image/png;base64,") == 1
    assert (
        html.count('<use class="shot" href="#image1" x="0" y="0" width="1920" height="1080"/>') == 2
    )


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (
            b"<svg onload=alert(1)>",
            "The screenshot is not PNG, JPEG, GIF or WebP and is not shown.",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(page.MAX_IMAGE_BYTES),
            "The screenshot (400008 bytes) is too large to embed.",
        ),
    ],
    ids=["not an image", "large"],
)
def test_screenshot_left_out_is_said(make, image, reason):
    html = render_report(StudyView(title="Shots", trials=[replace(make.trial(n=5), image=image)]))
    assert reason in Outline(html).text
    assert "base64" not in html


def test_screenshot_needs_a_place(make):
    trial = replace(make.trial(n=5), image=png(8, 8), screen=None)
    text = Outline(render_report(StudyView(title="Shots", trials=[trial]))).text
    assert "The screenshot is not shown: the screen's size is not known." in text


def test_twelve_full_trials_stay_small(make):
    code = "\n".join(
        f"int value{i} = compute(value{i - 1}, {i}); // step {i}" for i in range(1, 61)
    )
    trials = [make.trial(code, seed=i, n=300, name=f"T{i}") for i in range(12)]
    assert len(trials[0].tokens) > 600
    size = len(render_report(StudyView(title="Large", trials=trials)).encode())
    print(f"page of 12 trials, {len(trials[0].tokens)} tokens, 300 fixations each: {size} bytes")
    assert size < 3_000_000


def test_write_leaves_nothing_beside(make, tmp_path):
    path = write_report(make.study(), tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == render_report(make.study())
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_failed_write_keeps_the_old_page(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(AttributeError):
        write_report(StudyView(title="New", parameters=3), path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]

import re
from dataclasses import replace

import numpy as np
import pytest
from defusedxml import ElementTree

from gazecode.model import Events, Layout, Samples
from gazecode.report import StudyView, picture, render_report
from gazecode.report.code_view import MAX_GAZE_POINTS, draw, on_text, radius_px

SVG = "{http://www.w3.org/2000/svg}"


def test_all_boxes_lie_in_the_drawing(trial):
    d = draw(trial)
    x0, y0, w, h = d.view_box
    boxes = trial.layout.boxes
    assert (boxes[:, 0] > x0).all()
    assert (boxes[:, 1] > y0).all()
    assert (boxes[:, 2] < x0 + w).all()
    assert (boxes[:, 3] < y0 + h).all()


def test_fixations_stand_where_they_were(trial):
    d = draw(trial)
    for mark in d.fixations:
        if "edge" not in mark.status:
            expected = trial.fixations.xy_px[mark.n - 1]
            assert [float(mark.x), float(mark.y)] == pytest.approx(expected, abs=0.051)
    assert [m.status for m in d.fixations if m.n in (5, 12)] == ["between", "between"]


def test_far_fixations_stand_at_the_edge_and_are_counted(trial):
    d = draw(trial)
    x0, y0, w, h = d.view_box
    edge = [m for m in d.fixations if "edge" in m.status]
    assert [m.n for m in edge] == [18, 41]
    assert all(x0 < float(m.x) < x0 + w and y0 < float(m.y) < y0 + h for m in edge)
    assert "2 fixations beyond the edge, set at the edge" in d.notes


def test_lost_fixation_breaks_the_scan_path(trial):
    d = draw(trial)
    assert d.scan.count("M") == 2
    assert d.scan.count("L") == 60 - 1 - 2
    assert 24 not in [m.n for m in d.fixations]
    assert d.n_status == {"token": 55, "between": 2, "off": 2, "lost": 1}


def test_all_fixations_lost(trial):
    gone = replace(trial.fixations, xy_px=np.full((60, 2), np.nan))
    d = draw(replace(trial, fixations=gone))
    assert d.fixations == []
    assert d.scan == ""
    assert np.isnan(d.height).all()


def test_area_grows_with_duration():
    assert radius_px(800.0, 30.0) == pytest.approx(2 * radius_px(200.0, 30.0))
    assert radius_px(1e9, 30.0) == pytest.approx(36.0)
    assert radius_px(0.0, 30.0) > 0


def test_long_gaze_is_thinned_out_and_said(trial):
    n = 20_000
    xy = np.full((n, 2), 700.0)
    xy[:5_000] = np.nan
    d = draw(replace(trial, gaze=Samples(t_ms=np.arange(n), xy_px=xy)))
    assert d.gaze.count("M") == MAX_GAZE_POINTS
    assert d.notes[:2] == ["5000 of 20000 samples lost (25 %)", "one raw sample in 10 is drawn"]


def test_gaze_thinned_before_is_counted_as_it_was(trial):
    gaze = Samples(t_ms=np.arange(1000), xy_px=np.full((1000, 2), 700.0))
    d = draw(replace(trial, gaze=gaze, gaze_counts=(40_000, 10_000)))
    assert d.gaze.count("M") == 1000
    assert d.notes[:2] == ["10000 of 40000 samples lost (25 %)", "one raw sample in 30 is drawn"]


def test_nothing_runs_along_the_edge(trial):
    xy = trial.fixations.xy_px.copy()
    xy[40:44] = [1700.0, 900.0]
    d = draw(replace(trial, fixations=replace(trial.fixations, xy_px=xy)))
    assert d.scan.count("M") == 2 + 3


def test_scrolled_gaze_moves_to_the_text():
    layout = Layout(
        boxes=[[0, 0, 10, 10]],
        token=[0],
        line=[0],
        n_tokens=1,
        line_height_px=10,
        scroll_t_ms=[100.0, 200.0],
        scroll_px=[[0, 50], [5, 80]],
    )
    xy = np.array([[1.0, 1.0]] * 4)
    moved = on_text(xy, np.array([99.0, 100.0, 199.0, 200.0]), layout)
    assert moved.tolist() == [[1, 1], [1, 51], [1, 51], [6, 81]]


def test_scroll_is_said(trial):
    layout = replace(trial.layout, scroll_t_ms=[5000.0], scroll_px=[[0.0, 28.79]])
    d = draw(replace(trial, layout=layout))
    assert any("scrolled" in note for note in d.notes)
    late = [
        m for m in d.fixations if trial.fixations.onset_ms[m.n - 1] >= 5000 and m.status == "token"
    ]
    expected = trial.fixations.xy_px[late[0].n - 1, 1] + 28.79
    assert float(late[0].y) == pytest.approx(expected, abs=0.051)


def test_what_was_not_placed_is_said(trial):
    d = draw(replace(trial, layout=replace(trial.layout, unmatched={"folded": 4})))
    assert "not placed on the screen: folded 4" in d.notes


def test_gutter_numbers_lines_of_the_source(trial):
    assert [n for _, _, n in draw(trial).gutter] == [1, 3, 4, 5, 7, 8, 9, *range(11, 20)]


def test_drawing_of_no_boxes(make):
    trial = make.trial("", n=0)
    d = draw(trial)
    assert d.view_box == (0.0, 0.0, 640.0, 240.0)
    ElementTree.fromstring(picture(trial))


def test_picture_is_xml_with_every_token_and_fixation(trial):
    root = ElementTree.fromstring(picture(trial, width_px=800))
    assert root.tag == f"{SVG}svg"
    assert root.get("width") == "800"
    drawn = [e.text for g in root.iter(f"{SVG}g") if g.get("class") == "glyphs" for e in g]
    single = [t for t in trial.tokens.texts if "\n" not in t]
    assert [t for t in drawn if t in set(single)] == single
    titles = [e.text for e in root.iter(f"{SVG}title")]
    assert sum(" · at " in t for t in titles) == 59
    assert root.find(f"{SVG}desc").text.startswith("60 fixations of P01 on Vehicle")


def test_picture_asks_for_nothing(trial):
    svg = picture(trial)
    outside = re.sub(r'xmlns="[^"]*"', "", svg)
    assert "://" not in outside
    assert "href" not in outside
    assert "url(" not in outside
    assert svg == picture(trial)


def test_picture_has_unbroken_numbers(make):
    """No coordinate of any drawing is NaN or infinite."""
    for seed in range(5):
        svg = picture(make.trial(seed=seed, n=30))
        assert not re.search(r'="(nan|inf|-inf)', svg)


def test_one_fixation_on_one_token(make):
    trial = make.trial("x", n=1)
    fixations = Events(kind=["fixation"], onset_ms=[0], offset_ms=[200], xy_px=[[578, 100]])
    d = draw(replace(trial, fixations=fixations))
    assert d.scan.count("L") == 0
    render_report(StudyView(title="One", trials=[replace(trial, fixations=fixations)]))

"""Quality told: the same figures as the stages give, in words, with every unit."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import gazecode as gc
from gazecode.demo import demo_study
from gazecode.errors import ParameterError, StudyError
from gazecode.model import Events, Recording, Samples, Screen, Trial
from gazecode.quality import Gates, Target
from gazecode.study import run_study
from gazecode.verdict import (
    Wanted,
    document,
    gates_of,
    jobs_of_files,
    jobs_of_study,
    notes_of_study,
    page_of,
    participant_rows,
    table_rows,
    target_of,
    told_warnings,
    view_of,
)
from gazecode.verdict.drawn import MAX_MAPS, extent_of, gaze_maps, loss_over_time

DEMO = demo_study().parent
FILES = [DEMO / "recordings" / "P1.asc.gz", DEMO / "recordings" / "P4.tsv.gz"]


def reading(plane="screen_px", *, scale=1.0, n=3000, screen=None, trials=(), left=0.0):
    """Gaze that rests at ten places, with loss in between."""
    rng = np.random.default_rng(5)
    place = np.repeat(rng.uniform(0.1, 0.9, (n // 100, 2)), 100, axis=0)
    xy = (place + rng.normal(0, 0.001, (n, 2)) - left) * scale
    xy[25::50] = np.nan
    samples = Samples(t_ms=np.arange(n) * 4.0, xy_px=xy, eye="left")
    return Recording(samples={"left": samples}, plane=plane, screen=screen, trials=trials)


def told(recording, **asked):
    report = gc.assess(recording, **asked)
    return report, view_of("P1.asc", recording, report)


def test_files_are_assessed_as_gc_assess_does():
    gates = gates_of([("max_loss", 0.02), ("max_std_deg", False)])
    target = target_of("300,200,1000,2000")
    wanted = Wanted(gates=gates, targets=[target], line_height_px=32.0)
    one = jobs_of_files(FILES[:1], wanted)[0].run()
    alone = gc.assess(
        gc.read(FILES[0]),
        gates=Gates(max_loss=0.02, max_std_deg=None),
        targets=[target],
        line_height_px=32.0,
    )
    assert one.report.to_dict() == alone.to_dict()
    assert one.view is None
    assert one.report.recording["accuracy"] == "measured on targets"


def test_a_study_is_assessed_as_its_run_does(tmp_path):
    shutil.copytree(DEMO, tmp_path / "study")
    path = tmp_path / "study" / "study.toml"
    text = path.read_text(encoding="utf-8")
    text += '\n[[targets]]\nx_px = 300\ny_px = 200\ntrial = "Bask*"\n'
    path.write_text(text, encoding="utf-8")
    run = run_study(path, tmp_path / "out")
    rows = json.loads((run.out / "quality.json").read_text(encoding="utf-8"))["recordings"]
    study, jobs = jobs_of_study(path, Wanted())
    found = [job.run() for job in jobs]
    assert [one.report.to_dict() for one in found] == [row["quality"] for row in rows]
    assert [one.report.participant for one in found] == [row["participant"] for row in rows]
    assert notes_of_study(study, found) == []
    assert {"lines", "tokens"} <= set(table_rows(found)[0])


def test_a_wrong_study_names_the_key_and_the_line(tmp_path):
    shutil.copytree(DEMO, tmp_path / "study")
    path = tmp_path / "study" / "study.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("max_loss", "max_los"), encoding="utf-8")
    with pytest.raises(StudyError, match=r"quality.max_los \(line \d+\): unknown key"):
        jobs_of_study(path, Wanted())


def test_gates_and_targets_from_a_shell_are_checked_at_once():
    with pytest.raises(ParameterError, match="no 'max_los' in gates; choose from"):
        gates_of([("max_los", 1)])
    with pytest.raises(ParameterError, match="Gates.max_loss is 'a lot'"):
        gates_of([("max_loss", "a lot")])
    for text in ("1,2,3", "a,b,c,d", "1,2,3,inf", "1,2,9,3"):
        with pytest.raises(ParameterError, match=f"--target {text}"):
            target_of(text)


def test_recordings_of_one_person_are_pooled_and_everything_is_json():
    found = [job.run() for job in jobs_of_files(FILES, Wanted())]
    assert participant_rows(found) == []
    same = [replace(one, report=replace(one.report, participant="P")) for one in found]
    rows = participant_rows(same)
    assert [(row["participant"], row["files"], row["trials"]) for row in rows] == [
        ("P", "2/2", "4/4")
    ]
    said = json.loads(
        json.dumps(document(same, [("x.asc", "is empty")], ["a note"]), allow_nan=False)
    )
    assert set(said) == {"recordings", "participants", "not_readable", "notes", "methods"}
    assert list(said["recordings"]) == [str(file) for file in FILES]
    assert said["participants"][0]["n_recordings"] == 2
    assert said["not_readable"] == {"x.asc": "is empty"}
    assert "Data loss" in said["methods"]
    page = page_of("t", same, [("/home/me/x.asc", "/home/me/x.asc is empty")])
    assert page.participants is not None
    assert page.broken == [("x.asc", "x.asc is empty")]


def test_a_warning_is_said_once_with_its_recordings():
    found = [job.run() for job in jobs_of_files(FILES, Wanted())]
    warning = [line for line in told_warnings(found) if "accuracy is unknown" in line]
    assert len(warning) == 1
    assert warning[0].startswith("P1.asc.gz, P4.tsv.gz: accuracy is unknown")


def test_units_are_those_of_the_plane():
    deg = Screen(width_px=1000, height_px=1000, width_mm=300, height_mm=300, distance_mm=600)
    cases = (
        (reading(scale=1000, screen=deg), " deg", "px"),
        (reading(scale=1000), " px", "px"),
        (reading("screen_fraction"), " of the screen", "screen (fractions)"),
        (reading("scene_fraction"), " of the picture", "scene (fractions)"),
        (reading("scene_px", scale=1000), " px", "px of the scene camera"),
        (reading("href", scale=9000, left=0.5), " href", "href units"),
    )
    for recording, unit, extent in cases:
        report, view = told(recording)
        figures = {group.title: dict(row[:2] for row in group.rows) for group in view.figures}
        windows = next(rows for title, rows in figures.items() if "windows" in title)
        assert windows["RMS-S2S"].endswith(unit), (recording.plane, windows)
        assert windows["BCEA"].endswith(f"{unit}²")
        assert figures["Accuracy"] == {"accuracy": "unknown"}
        assert view.maps[0].extent.unit == extent
        assert view.maps[0].n == report.recording["n_valid"]
        assert view.maps[0].outside <= 0.02 * view.maps[0].n
        assert (view.saccades is not None) == (recording.plane == "screen_px")
        assert view.recording.precision_unit == unit.strip().replace(
            "of the screen", "fraction"
        ).replace("of the picture", "scene_fraction")


def test_an_extent_that_the_file_does_not_tell_is_said():
    for recording in (reading("href", scale=9000, left=0.5), reading(scale=1000)):
        extent = extent_of(recording, recording.gaze.xy_px)
        assert "the file does not tell" in extent.words
    scene = replace(reading("scene_px"), provenance={"scene_size_px": [1600, 1200]})
    extent = extent_of(scene, scene.gaze.xy_px)
    assert (extent.width, extent.height, extent.words) == (1600, 1200, "")
    nothing = np.full((3, 2), np.nan)
    assert extent_of(reading("href"), nothing) is None
    point = extent_of(reading("href"), np.full((3, 2), 7.0))
    assert point.width > 0
    line = extent_of(reading("href"), np.stack([np.arange(99.0), np.zeros(99)], axis=1))
    assert line.width <= 4.001 * line.height


def test_trials_beyond_twelve_are_counted():
    trials = [Trial(name=f"t{i}", onset_ms=i * 600, offset_ms=i * 600 + 500) for i in range(20)]
    recording = reading(scale=1000, trials=trials)
    maps, note = gaze_maps(recording, None, {}, most=MAX_MAPS)
    assert ([m.title for m in maps], note) == (
        [f"t{i}" for i in range(12)],
        "8 trials more not drawn.",
    )
    assert gaze_maps(recording, None, {}, most=0) == ([], "20 trials more not drawn.")


def test_images_lie_below_gaze_of_the_screen_alone():
    screen, trials = (
        Screen(width_px=1000, height_px=1000),
        [Trial(name="t", onset_ms=0, offset_ms=900)],
    )
    on = reading(scale=1000, screen=screen, trials=trials)
    assert gaze_maps(on, None, {"t": b"png"}, most=1)[0][0].image == b"png"
    for off in (replace(on, screen=None), reading("scene_fraction", trials=trials)):
        assert gaze_maps(off, None, {"t": b"png"}, most=1)[0][0].image is None


def test_loss_over_time_counts_rows_that_are_not_there():
    recording = reading(scale=1000)
    keep = np.ones(3000, dtype=bool)
    keep[1500:1800] = False
    gaze = recording.samples["left"]
    gap = Samples(
        t_ms=gaze.t_ms[keep], xy_px=np.nan_to_num(gaze.xy_px[keep], nan=500.0), eye="left"
    )
    share = loss_over_time(Recording(samples={"left": gap}), parts=10)
    np.testing.assert_allclose(share[[0, 4, 6, 9]], 0, atol=0.01)
    np.testing.assert_allclose(share[5], 1.0, atol=0.02)
    # The file has rows for lost gaze: that nothing is there is a pause.
    paused = Samples(t_ms=gaze.t_ms[keep], xy_px=gaze.xy_px[keep], eye="left")
    share = loss_over_time(Recording(samples={"left": paused}), parts=10)
    assert np.nanmax(share) < 0.05


def test_what_lies_between_trials_is_no_loss():
    t = np.concatenate([np.arange(500) * 4.0, 900_000 + np.arange(500) * 4.0])
    samples = Samples(t_ms=t, xy_px=np.full((1000, 2), 5.0), eye="left")
    trials = [Trial(name=str(a), onset_ms=a, offset_ms=a + 2000) for a in (0, 900_000)]
    share = loss_over_time(Recording(samples={"left": samples}, trials=trials), parts=10)
    np.testing.assert_array_equal(share, [0] + [np.nan] * 8 + [0])
    assert np.nanmax(loss_over_time(Recording(samples={"left": samples}), parts=10)) == 1.0


def test_fixations_alone_are_told_without_samples():
    onset = np.arange(40) * 250.0
    fixations = Events(
        kind=["fixation"] * 40,
        onset_ms=onset,
        offset_ms=onset + 200,
        xy_px=np.random.default_rng(1).uniform(0, 900, (40, 2)),
    )
    nothing = Samples(t_ms=[], xy_px=np.empty((0, 2)))
    recording = Recording(samples={"left": nothing}, device_events=fixations)
    report, _ = told(recording)
    view = view_of("a.xls", recording, report, events=fixations)
    assert view.maps[0].fixations is not None
    assert view.precision is None
    assert view.saccades is None
    rows = dict(row[:2] for group in view.figures for row in group.rows)
    assert rows["lost"] == "unknown"
    assert rows["how many"] == "40"


def test_targets_are_rows_of_a_table():
    screen = Screen(width_px=1000, height_px=1000, width_mm=300, height_mm=300, distance_mm=600)
    xy = np.tile([510.0, 500.0], (500, 1))
    samples = Samples(t_ms=np.arange(500) * 4.0, xy_px=xy, eye="left")
    recording = Recording(samples={"left": samples}, screen=screen)
    target = Target(x_px=500, y_px=500, onset_ms=400, offset_ms=1400)
    _, view = told(recording, targets=[target], line_height_px=30.0)
    table = next(t for t in view.tables if t.title == "Accuracy at each target")
    # 3 mm at 600 mm.
    assert table.rows == [
        ["0.4 s", "study", "left", "500, 500", "0.286 deg", "0.286 deg", "0 deg", "10, 0"]
    ]
    lines = next(t for t in view.tables if t.title.startswith("Lines and tokens"))
    assert [row[0] for row in lines.rows] == ["0 deg", "0.3 deg", "0.5 deg", "0.8 deg"]
    assert "tokens" not in lines.heads

"""Hand-labelled gaze: what the files hold, their faults, and the humans' agreement."""

import numpy as np
import pytest
from scipy.io import savemat

from gazecode.errors import FormatError
from gazecode.evaluation.detection import found_by, rate_table, score, variant_table
from gazecode.evaluation.handlabels import CODERS, decimated, read_coders, recordings


def made(folder, name="AB12_img_x", *, rows=500, stamps=None, cut=0):
    """A recording of two fixations and a saccade as the files hold it, by both coders."""
    (folder / "img").mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    t = np.arange(rows) * 2000.0 + 5e6 if stamps is None else stamps
    x = np.where(np.arange(rows) < rows // 2, 300.0, 600.0) + rng.normal(0, 0.3, rows)
    label = np.ones(rows)
    label[rows // 2 - 5 : rows // 2 + 5] = 2
    for coder, n in zip(CODERS, (rows, rows - cut), strict=True):
        pos = np.stack([t, np.full(rows, 4.0), np.full(rows, 4.0), x, x, label], axis=1)[:n]
        pos[20:30, 1:5] = 0
        data = {"pos": pos, "screenDim": [0.38, 0.3], "screenRes": [1024, 768]}
        data |= {"viewDist": 0.67, "sampFreq": 500}
        savemat(folder / "img" / f"{name}_labelled_{coder}.mat", {"ETdata": data})
    return folder / "img" / f"{name}_labelled_MN.mat"


def test_a_file_with_its_faults(tmp_path):
    one = read_coders(made(tmp_path, cut=3))
    assert (len(one.samples), one.person, one.stimulus) == (497, "AB12", "img")
    assert one.samples.t_ms[:3].tolist() == [0.0, 2.0, 4.0]
    assert one.samples.lost[20:30].all()
    assert int(one.samples.lost.sum()) == 10
    assert np.isnan(one.samples.pupil[20:30]).all()
    assert {len(labels) for labels in one.labels.values()} == {497}
    assert one.screen.width_mm == 380


@pytest.mark.parametrize(
    ("stamps", "step"),
    [
        (np.full(500, np.nan), 2.0),
        (np.arange(500) * 5000.0, 5.0),
        (np.append(np.arange(498) * 2000.0, [0.0, 0.0]), 2.0),
    ],
    ids=["none", "slower than the file says", "zeros at the end"],
)
def test_stamps_that_cannot_be_trusted(tmp_path, stamps, step):
    one = read_coders(made(tmp_path, stamps=stamps))
    assert np.diff(one.samples.t_ms) == pytest.approx(step)


def test_no_recordings_are_an_error_that_says_what_was_expected(tmp_path):
    with pytest.raises(FormatError, match=r"holds no hand-labelled recordings.*_labelled_MN"):
        list(recordings(tmp_path))
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "x_labelled_MN.mat").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="x_labelled_MN.mat is no hand-labelled recording"):
        list(recordings(tmp_path))


def test_decimated_keeps_every_kth_sample_with_its_label(tmp_path):
    one = read_coders(made(tmp_path))
    slower = decimated(one, 125.0, noise_deg=0.0, seed=0)
    assert slower.samples.t_ms.tolist() == one.samples.t_ms[::4].tolist()
    assert slower.labels["RA"].tolist() == one.labels["RA"][::4].tolist()
    assert slower.samples.xy_px[8:] == pytest.approx(one.samples.xy_px[32::4], nan_ok=True)
    noisy = decimated(one, 125.0, noise_deg=0.5, seed=1).samples.xy_px - slower.samples.xy_px
    per_deg = one.screen.px_per_deg
    assert np.nanstd(noisy) == pytest.approx(0.5 * per_deg, rel=0.15)
    again = decimated(one, 125.0, noise_deg=0.5, seed=1).samples.xy_px
    assert again[50].tolist() == (noisy + slower.samples.xy_px)[50].tolist()


def test_a_detector_that_says_what_the_coders_say_is_perfect(tmp_path):
    held = [read_coders(made(tmp_path))]
    for row in score(held, "MN", kinds=("fixation", "saccade")):
        assert (row["kappa"], row["mean_kappa"], row["f1"], row["f1_first"]) == (1, 1, 1, 1)
        assert (row["event_kappa"], row["onset_ms"], row["offset_sd_ms"]) == (1, 0, 0)
        assert row["n_coder"] == row["n_found"]
    good = {(r["kind"], r["coder"]): r for r in score(held, found_by("ivt"))}
    assert good["fixation", "MN"]["kappa"] > 0.8
    assert good["saccade", "MN"]["f1"] == 1.0
    table = variant_table(held, found_by("ivt"), kinds=("fixation",))
    assert [row["counted"] for row in table] == [
        "all",
        "common",
        "pso as fixation",
        "pso as saccade",
    ]
    rates = rate_table(held, found_by("ivt"), kinds=("fixation",))
    assert [(r["rate_hz"], r["coder"]) for r in rates[:2]] == [(250.0, "MN"), (250.0, "RA")]


@pytest.mark.real
def test_the_coders_agree_as_was_published(shared_data):
    """REMoDNaV paper, all 34 recordings: fixation .84/.65/.65, saccade .91/.81/.87; here 21."""
    folder = shared_data / "andersson2017-handlabels"
    for stimulus, fixation, saccade in (("img", 0.85, 0.91), ("dots", 0.74, 0.81)):
        rows = {r["kind"]: r for r in score(recordings(folder, [stimulus]), "MN")}
        print(stimulus, {k: round(r["kappa"], 3) for k, r in rows.items()})
        assert rows["fixation"]["kappa"] == pytest.approx(fixation, abs=0.01)
        assert rows["saccade"]["kappa"] == pytest.approx(saccade, abs=0.01)


@pytest.mark.real
def test_the_velocity_threshold_meets_the_bars_with_its_defaults(shared_data):
    held = list(recordings(shared_data / "andersson2017-handlabels", ["img"]))
    rows = {r["coder"]: r for r in score(held, found_by("ivt"), kinds=("fixation",))}
    print({c: (round(r["kappa"], 3), round(r["f1"], 3)) for c, r in rows.items()})
    assert rows["MN"]["kappa"] >= 0.82
    assert rows["RA"]["kappa"] >= 0.75
    assert rows["MN"]["f1"] >= 0.95
    assert rows["RA"]["f1"] >= 0.92

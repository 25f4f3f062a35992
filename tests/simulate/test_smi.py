"""SMI text: what the reader gets back is what was written; one-eye rows are gone."""

import numpy as np
import pytest

from gazecode.errors import DataError
from gazecode.model import Recording
from gazecode.readers import read
from gazecode.simulate import Tracker, simulate_session, write_smi_text

TRACKER = Tracker(
    rate_hz=60,
    eyes="binocular",
    disparity_deg=(0.4, 0.6),
    blinks_per_min=20,
    one_eye_per_min=12,
)


@pytest.fixture(scope="module")
def seen(layout, screen):
    texts = [("A", layout), ("B", layout)]
    return simulate_session(texts, seed=5, screen=screen, duration_ms=20000, tracker=TRACKER)


def test_round_trip(seen, tmp_path):
    write_smi_text(seen.recording, tmp_path / "P02.tsv", subject="P02")
    back = read(tmp_path / "P02.tsv")
    assert back.provenance["format"] == "smi"
    assert back.provenance["participant"] == "P02"
    mean = seen.recording.eye("mean")
    found = back.samples["both"]
    assert np.abs(found.t_ms - mean.t_ms).max() < 0.001
    assert np.array_equal(found.lost, mean.lost)
    # Two decimals.
    assert np.nanmax(np.abs(found.xy_px - mean.xy_px)) <= 0.005 + 1e-9
    left, right = (seen.recording.samples[eye].lost for eye in ("left", "right"))
    assert back.provenance["left_out"]["one_eye"] == (left != right).sum() > 0
    assert [(t.name, t.onset_ms) for t in back.trials] == [
        (t.name, t.onset_ms) for t in seen.recording.trials
    ]
    for name in ("width_px", "height_px", "width_mm", "height_mm", "distance_mm"):
        assert getattr(back.screen, name) == pytest.approx(
            getattr(seen.recording.screen, name), rel=1e-5
        )


def test_where_one_eye_is_lost_the_place_jumps_as_in_real_files(seen, tmp_path):
    write_smi_text(seen.recording, tmp_path / "P.tsv")
    rows = [line.split("\t") for line in (tmp_path / "P.tsv").read_text().splitlines()]
    one_eye = [row for row in rows if len(row) == 13 and row[10:12] in (["1", "0"], ["0", "1"])]
    both = [row for row in rows if len(row) == 13 and row[10:12] == ["1", "1"]]
    assert np.median([float(row[5]) for row in one_eye]) < 0.75 * np.median(
        [float(row[5]) for row in both]
    )


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_the_same_bytes(seen, tmp_path, name):
    write_smi_text(seen.recording, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    write_smi_text(seen.recording, tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    assert len(read(tmp_path / name)) == len(seen.recording)


def test_the_file_says_that_it_is_synthetic(seen, tmp_path):
    write_smi_text(seen.recording, tmp_path / "P.tsv")
    assert "synthetic gaze" in (tmp_path / "P.tsv").read_text()[:200]


def test_no_screen_is_refused(seen, tmp_path):
    with pytest.raises(DataError, match="without a screen cannot be written as SMI text"):
        write_smi_text(Recording(samples=seen.recording.samples), tmp_path / "P.tsv")

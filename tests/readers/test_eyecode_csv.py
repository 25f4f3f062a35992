"""eyeCode's fixation CSV: places moved by hand, quotes, a study's table; the real sets."""

import csv
import gzip

import pytest

from gazecode.errors import ParameterError
from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.testing import check_reader

READER = READERS["eyecode_csv"]
MOVED = (
    '"trial_id","start_ms","duration_ms","fix_x","fix_y","exp_id","end_ms","program",'
    '"fix_x_corrected","fix_y_corrected","fix_x_diff","fix_y_diff"\n'
)


def test_places_are_as_recorded_unless_the_corrected_ones_are_asked_for(tmp_path):
    path = tmp_path / "n4_nt1.csv"
    path.write_text(
        MOVED
        + '10,0,225,586,521,4,225,"nt1",586,521,0,0\n10,267,125,396,456,4,392,"nt1",396,470,0,14\n'
    )
    got = check_reader(READER, path, cuts=(0.5, 0.9))
    assert sniff_format(path) == "eyecode_csv"
    assert got.device_events.xy_px.tolist() == [[586, 521], [396, 456]]
    assert got.device_events.offset_ms.tolist() == [225, 392]
    assert got.provenance["n_moved"] == 1
    assert got.provenance["participant"] == "4"
    assert [(t.name, t.stimulus, t.offset_ms) for t in got.trials] == [("nt1", "nt1", 392)]
    assert read(path, corrected=True).device_events.xy_px[1].tolist() == [396, 470]


def test_a_studys_table_holds_trials_of_several_people(tmp_path):
    path = tmp_path / "raw_fixations.csv"
    path.write_text(
        "exp_id,trial_id,start_ms,end_ms,fix_x,fix_y,duration_ms\n"
        "7,61,61,291,22,202,230\n7,62,10,40,1,2,30\n11,61,5,15,1,2,10\n"
    )
    got = check_reader(READER, path, cuts=(0.5,))
    assert got.provenance["participants"] == {"61": "7", "62": "7", "61 (2)": "11"}
    assert [t.onset_ms for t in got.trials] == [0, 1291, 2331]
    assert len(read(path, participant="11").device_events) == 1
    with pytest.raises(ParameterError, match="no columns fix_x_corrected, fix_y_corrected"):
        read(path, corrected=True)
    with pytest.raises(ParameterError, match="choose from: 11, 7"):
        read(path, participant="8")


def test_tables_of_areas_and_saccades_are_not_recognised(tmp_path):
    path = tmp_path / "aois.csv"
    path.write_text("exp_id,trial_id,start_ms,end_ms,sacc_x1,sacc_y1\n1,2,3,4,5,6\n")
    assert not READER.sniff(Source(path))


@pytest.mark.real
def test_the_2014_set_has_its_published_counts(shared_data):
    files = sorted(shared_data.glob("busjahn2014-eyecode/raw/*.csv"))
    files += sorted(shared_data.glob("busjahn2014-eyecode/raw/e_orig/*.csv"))
    if not files:
        pytest.skip("no file of Busjahn 2014 in the shared data")
    total = moved = 0
    for path in files:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        got = read(path)
        assert got.provenance["format"] == "eyecode_csv"
        assert got.device_events.onset_ms.tolist() == sorted(float(r["start_ms"]) for r in rows)
        assert len(got.device_events) == len(rows)
        n = sum((r["fix_x_diff"], r["fix_y_diff"]) != ("0", "0") for r in rows)
        assert got.provenance["n_moved"] == n
        total, moved = total + len(rows), moved + n
    print(f"{len(files)} files, {total} fixations, {moved / total:.3f} moved")
    assert len(files) == 35


@pytest.mark.real
def test_study_tables_open_without_a_hint(shared_data):
    for pattern, n, people in (
        ("busjahn2013-eyecode/raw_fixations.csv", 698, 3),
        ("eyecode-hansen2012/csv/raw_fixations.csv.gz", 3180, 3),
    ):
        found = list(shared_data.glob(pattern))
        if not found:
            pytest.skip(f"no {pattern} in the shared data")
        got = check_reader(READER, found[0], cuts=(0.5,))
        raw = found[0].read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
        assert len(got.device_events) == n == len(text.strip().split("\n")) - 1
        assert len(set(got.provenance["participants"].values())) == people

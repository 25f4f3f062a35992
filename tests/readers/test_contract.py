"""Every reader over its real files: the rules, and each file opened by exactly its own reader."""

import pytest

from gazecode.readers import READERS, Source, read, sniff_format
from gazecode.testing import check_reader

REAL = {
    "bids": [
        "exports/bids_eyetrack/sub-*_physio.tsv.gz",
        "exports/bids_eyetrack/sub-*.json",
        "exports/bids_eyetrack/sub-*_events.tsv",
        "exports/bids_eyetrack/sub-*_physioevents.tsv.gz",
        "exports/bids_eyetrack/draft_*.tsv.gz",
    ],
    "emtk": ["emip-bednarik2020/corrected/*/*.csv"],
    "eyecode_csv": [
        "busjahn2014-eyecode/raw/**/*.csv",
        "busjahn2013-eyecode/*_fixations.csv",
        "eyecode-hansen2012/csv/*_fixations.csv*",
    ],
    "eyekit": ["carr2022-drift/fixations/*.json"],
    "fix8": ["emip-bednarik2020/fix8/**/*.json", "met-code-fix8/**/*.json"],
    "ogama": ["busjahn2013-eyecode/subject*.txt"],
    "eyelink": ["exports/eyelink_asc/*.asc*"],
    "dataviewer": [
        *("alakmeh2024*/raw_fixation_reports/*.txt", "alakmeh2024*/thesis_raw_data/*.xls"),
    ],
    "eyex": ["linearity-peitek2020/**/GazeData_*.csv", "indentation-bauer2019/**/GazeData_*.csv"],
    "smi": ["emip-bednarik2020/rawdata/*.tsv", "exports/smi_iview/*.t*"],
    "eyecode": ["eyecode-hansen2012/xml/*.xml*"],
    "itrace": ["exports/itrace/*.xml", "itrace-gazel-demo/**/*.xml"],
    "itrace_legacy": ["itrace-saner2020*/**/*.xml"],
    "tobii_research": ["vanderbilt*/gaze/*.csv"],
    "smi_begaze": ["exports/smi_begaze_events/*.txt"],
    "imotions": ["exports/imotions/*.txt"],
    "labvanced": ["exports/labvanced/*.csv"],
    "psychopy_iohub": ["exports/psychopy_iohub/*.hdf5"],
    "pupil_core": [
        *("exports/pupil_core/*positions.csv", "exports/pupil_core/*info*"),
        *("exports/pupil_core/*report.csv", "exports/pupil_core/*world_timestamps.csv"),
    ],
    "neon_cloud": ["exports/neon_cloud/[!f]*"],
    "neon_native": ["exports/neon_native/*"],
    "gazepoint": ["exports/gazepoint/*.csv"],
    "tobii_glasses2": ["exports/tobii_glasses2/*.json*"],
    "tobii_sdk": ["exports/tobii_sdk/4C*.csv"],
    "tobii_prolab": ["exports/tobii_prolab/*"],
    "tobii_studio": ["exports/tobii_studio/*"],
    "tobii_tx300": ["exports/tobii_sdk/i2mc*.tsv", "i2mc-example/**/*.tsv"],
}
OTHERS = [
    *(
        "carr2022-drift/manual_corrections/**/*",
        "met-code-fix8/*/*.jpg",
        "busjahn2013-eyecode/*.eaf",
    ),
    "andersson2017-handlabels/**/*.mat",
    *(
        "itrace-gazel-demo/**/*.js*",
        "kou2024/**/*",
        "emip-bednarik2020/token_syntax/*",
        "vanderbilt*/*",
    ),
    *("linearity-peitek2020/**/*.json", "linearity-peitek2020/**/GeneralInfo*.csv"),
]


def files_of(shared_data, patterns):
    found = {path for pattern in patterns for path in shared_data.glob(pattern)}
    return sorted(path for path in found if path.is_file() and path.suffix not in (".md", ".edf"))


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(REAL))
def test_rules_hold_on_real_files(shared_data, name):
    files = files_of(shared_data, REAL[name])
    if not files:
        pytest.skip(f"no recordings of {name} in the shared data")
    for path in files:
        got = check_reader(READERS[name], path, cuts=(0.5, 0.97))
        said = got.provenance
        print(name, path.name, said["n_samples"], said["rate_hz"], said["n_lost"], said["left_out"])
        assert said["n_samples"] > 0 or len(got.device_events)


def test_the_table_reader_keeps_the_rules(tmp_path):
    path = tmp_path / "P01.csv"
    rows = "".join(f"{i * 4},{i},{i + 1},,\n" for i in range(50))
    path.write_text("Time,X,Y,Page,Note\n" + rows)
    columns = {"t": ("Time", "ms"), "x": ("X", "px"), "y": ("Y", "px"), "message": "Note"}
    assert len(check_reader(READERS["table"], path, options={"columns": columns})) == 50
    read(path, "table", columns=columns).to_frame().to_csv(tmp_path / "own.csv", index=False)
    assert len(check_reader(READERS["table"], tmp_path / "own.csv")) == 50


@pytest.mark.real
def test_each_file_is_recognised_by_exactly_its_own_reader(shared_data):
    confusion = {}
    for own, patterns in REAL.items():
        for path in files_of(shared_data, patterns):
            for name in READERS:
                if READERS[name].sniff(Source(path)):
                    confusion[own, name] = confusion.get((own, name), 0) + 1
            assert sniff_format(path) == own
    print(confusion)
    assert set(confusion) == {(name, name) for name, _ in confusion}


@pytest.mark.real
def test_files_of_other_formats_are_recognised_by_none(shared_data):
    files = files_of(shared_data, OTHERS)
    wrong = [
        (path.name, name) for path in files for name in READERS if READERS[name].sniff(Source(path))
    ]
    print(f"{len(files)} files of other formats, {len(wrong)} recognised")
    assert files
    assert wrong == []

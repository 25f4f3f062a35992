"""The command line as people meet it: real processes, real exit statuses, one clear line."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from gazecode.__main__ import app
from gazecode.demo import demo_study
from gazecode.errors import ParameterError

DEMO = demo_study().parent
SCREEN = ("--screen", "1920,1080,509,286,650")


def gazecode(*args, cwd=None):
    env = {k: v for k, v in os.environ.items() if k != "GAZECODE_DEBUG"} | {"COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "gazecode", *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=env,
        check=False,
    )


def error_line(done):
    """The one line of an expected error."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 1, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: "), done.stderr
    return lines[0]


def test_help_teaches_and_lists_every_command():
    done = gazecode("--help")
    assert done.returncode == 0
    for word in (
        "demo",
        "formats",
        "info",
        "quality",
        "detect",
        "parse",
        "run",
        "convert",
        "validate",
    ):
        assert word in done.stdout
    assert "Exit status" in done.stdout
    assert gazecode("run", "--help").returncode == 0


def test_usage_is_exit_2():
    assert gazecode("no-such-command").returncode == 2
    assert gazecode("run").returncode == 2
    assert gazecode("run", demo_study(), "--out", "x", "--jobs", "0").returncode == 2


def test_version():
    assert gazecode("--version").stdout.startswith("gazecode ")


def test_demo_leaves_everything(tmp_path):
    done = gazecode("demo", "--out", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    assert "synthetic" in done.stdout
    names = {p.name for p in (tmp_path / "demo").iterdir()}
    assert names >= {"weights.parquet", "weights.h5", "report.html", "quality.json", "hits.parquet"}
    valid = gazecode("validate", tmp_path / "demo" / "weights.h5")
    assert valid.returncode == 0
    assert "valid" in valid.stdout


def test_formats_as_table_and_json():
    assert "eyelink" in gazecode("formats").stdout
    rows = json.loads(gazecode("formats", "--json").stdout)
    assert {"eyelink", "eyex", "smi", "eyecode", "itrace", "table"} <= {r["name"] for r in rows}


def test_info_says_what_is_in_a_file():
    done = gazecode("info", DEMO / "recordings" / "P1.asc.gz")
    assert done.returncode == 0, done.stderr
    assert "eyelink" in done.stdout
    assert "Basket" in done.stdout
    facts = json.loads(gazecode("info", DEMO / "recordings" / "P4.tsv.gz", "--json").stdout)
    assert facts["format"] == "smi"
    assert len(facts["trials"]) == 2


def test_quality_prints_and_writes_a_page(tmp_path):
    files = [DEMO / "recordings" / "P1.asc.gz", DEMO / "recordings" / "P4.tsv.gz"]
    done = gazecode("quality", *files, "--out", tmp_path / "q.html")
    assert done.returncode == 0, done.stderr
    assert "yes" in done.stdout
    assert "P4.tsv.gz" in (tmp_path / "q.html").read_text(encoding="utf-8")


@pytest.fixture
def quality():
    """The command in this process: a new one for each call would take seconds."""
    runner = CliRunner()

    def run(*args, status=0):
        done = runner.invoke(app, ["quality", *map(str, args)], env={"COLUMNS": "160"})
        assert done.exit_code == status, (done.output, done.exception)
        return done

    return run


def test_quality_as_json_says_everything(quality):
    files = [DEMO / "recordings" / name for name in ("P1.asc.gz", "P4.tsv.gz")]
    said = json.loads(quality(*files, *SCREEN, "--json", "--line-height", "32").stdout)
    assert list(said["recordings"]) == [str(file) for file in files]
    first = said["recordings"][str(files[0])]
    assert first["usable"] is True
    assert first["recording"]["fixation_std_deg"] > 0
    assert first["recording"]["lines"] == "unknown"
    assert first["recording"]["resolvability"]["table"][0]["line_share"] > 0.9
    assert "Gaze was recorded with" in said["methods"]
    assert len(said["participants"]) == 2


def test_quality_takes_gates_targets_and_gives_a_paragraph(quality):
    file = DEMO / "recordings" / "P1.asc.gz"
    asked = (*SCREEN, "--target", "300,200,500,2000", "--gate", "max_accuracy_deg=0.5")
    done = quality(file, *asked, "--methods", status=3)
    assert "NO" in done.stdout
    assert "P1.asc.gz: max_accuracy_deg fails in 2 of 2 trials" in done.stdout
    assert "Accuracy (measured on targets, mean of gaze per target" in done.stdout
    assert "Gaze was recorded with" not in quality(file, "--gate", "max_loss=false").stdout


def test_quality_of_a_study_pools_people_and_goes_on_after_a_broken_file(quality, study, tmp_path):
    text = study.read_text(encoding="utf-8").replace('participant = "P2"', 'participant = "P1"')
    study.write_text(text, encoding="utf-8")
    (study.parent / "recordings" / "P3.asc.gz").write_bytes(b"not a recording")
    done = quality("--study", study, "--out", tmp_path / "q.html", status=1)
    assert "Each person, over all recordings" in done.stdout
    assert "P3.asc.gz" in done.stderr
    html = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "Quality of gaze: gazecode demo" in html
    assert str(tmp_path) not in html
    assert "2/2" in html


def test_quality_is_told_what_to_assess_once(quality, study):
    file = DEMO / "recordings" / "P1.asc.gz"
    assert "one of both" in quality(status=2).stderr
    assert "one of both" in quality(file, "--study", study, status=2).stderr
    assert "says them itself" in quality("--study", study, "--screen", "1,1", status=2).stderr
    assert isinstance(quality(file, "--gate", "loss=1", status=1).exception, ParameterError)
    assert isinstance(quality(file, "--target", "1,2", status=1).exception, ParameterError)


def test_quality_teaches(quality):
    said = " ".join(quality("--help").stdout.split())
    for words in ("--study", "--gate", "--target", "--line-height", "--methods", "Exit status"):
        assert words in said
    assert "gazecode quality --study study.toml --methods" in said


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_detect_writes_events(tmp_path, suffix):
    out = tmp_path / f"events{suffix}"
    file = DEMO / "recordings" / "P1.asc.gz"
    done = gazecode("detect", file, "--out", out, "--set", "max_speed_deg_s=35")
    assert done.returncode == 0, done.stderr
    frame = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert {"kind", "onset_ms", "offset_ms", "duration_ms", "x_px", "y_px"} <= set(frame)
    assert (frame["kind"] == "fixation").sum() > 50


def test_detect_refuses_what_it_does_not_know(tmp_path):
    file = DEMO / "recordings" / "P1.asc.gz"
    line = error_line(gazecode("detect", file, "--out", tmp_path / "e.csv", "--method", "itv"))
    assert "no 'itv' in detectors; choose from" in line
    line = error_line(gazecode("detect", file, "--out", tmp_path / "e.csv", "--set", "speed=3"))
    assert "has no parameter speed" in line
    line = error_line(gazecode("detect", file, "--out", tmp_path / "e.xls"))
    assert "expected .csv or .parquet" in line
    assert list(tmp_path.iterdir()) == []


def test_parse_shows_tokens_and_labels():
    done = gazecode("parse", DEMO / "code" / "Basket.java")
    assert done.returncode == 0, done.stderr
    assert "discount" in done.stdout
    rows = json.loads(gazecode("parse", DEMO / "code" / "median.py", "--json").stdout)
    assert rows[0]["text"] == "def"
    assert {"start", "end", "text", "kind", "label", "row", "column"} <= set(rows[0])


def test_convert_round_trip(demo_weights, tmp_path):
    for name in ("w.jsonl", "w.h5", "w.parquet"):
        done = gazecode("convert", demo_weights, tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert gazecode("validate", tmp_path / name).returncode == 0
    line = error_line(gazecode("convert", demo_weights, tmp_path / "w.xyz"))
    assert ".parquet" in line


def test_validate_finds_an_edited_column(demo_weights, tmp_path):
    frame = pd.read_parquet(demo_weights)
    frame["participant"] = frame["participant"].to_numpy()[::-1]
    frame.to_parquet(tmp_path / "w.parquet")
    done = gazecode("validate", tmp_path / "w.parquet", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False


@pytest.mark.parametrize("name", ["fixations", "hits", "tokens"])
def test_another_table_of_a_run_is_told_from_weights(demo_weights, name):
    path = demo_weights.with_name(f"{name}.parquet")
    done = gazecode("validate", path, "--json")
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout)["problems"]
    words = f"{name}.parquet is another table of gazecode (its columns: file, participant, "
    assert problem["problem"].startswith(words)
    assert "give weights.parquet" in problem["problem"]
    assert words in error_line(gazecode("card", path))


def test_validate_refuses_to_hold_out_what_it_does_not_know(demo_weights):
    line = error_line(gazecode("validate", demo_weights, "--by", "bogus"))
    assert line == "error: no 'bogus' in by; choose from: both, participant, source"
    assert gazecode("validate", demo_weights, "--by", "sources").returncode == 0


def test_no_new_key_is_left_among_the_outputs(study, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    line = error_line(gazecode("run", study, "--out", out, "--new-key", out / "key"))
    assert "lies in the folder of the outputs" in line
    assert list(out.iterdir()) == []


def limited(kind, most, *args):
    """The program under a limit of the system."""
    resource = pytest.importorskip("resource", reason="this system sets no such limits")
    program = (
        f"import resource, signal; resource.setrlimit(resource.{kind}, ({most}, {most})); "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from gazecode.__main__ import main; main()"
    )
    assert resource
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("suffix", ["parquet", "h5", "jsonl", "safetensors"])
def test_a_full_disk_names_the_file_and_what_the_command_can_do(demo_weights, tmp_path, suffix):
    out = tmp_path / f"w.{suffix}"
    line = error_line(limited("RLIMIT_FSIZE", 4096, "convert", demo_weights, out))
    assert line == f"error: {out}: file too large; make room, then run it again"
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_met_a_full_disk_can_be_taken_up(study, tmp_path):
    line = error_line(limited("RLIMIT_FSIZE", 4096, "run", study, "--out", tmp_path / "out"))
    assert line.endswith(
        "file too large; make room, then the same command with --resume goes on from here"
    )
    line = error_line(limited("RLIMIT_FSIZE", 4096, "demo", "--out", tmp_path / "demo"))
    assert line.endswith("file too large; make room, then run it again")


def test_too_little_memory_is_one_line(tmp_path, demo_weights):
    path = tmp_path / "w.parquet"
    table = pq.read_table(demo_weights)
    # Five million on the average of the rows, all in one of them: next to nothing on the disk.
    n, rows = 60_000_000, table.num_rows
    ends = pa.array([0, n] + [n] * (rows - 1), pa.int32())
    field = table.schema.field("weight")
    ones = pa.array(np.ones(n, dtype=np.float32))
    large = pa.ListArray.from_arrays(ends, ones, type=field.type)
    number = table.schema.get_field_index("weight")
    pq.write_table(table.set_column(number, field, large), path, compression="zstd")
    assert path.stat().st_size < 100_000
    line = error_line(limited("RLIMIT_AS", 2**30, "validate", path))
    assert line.startswith("error: out of memory")
    assert line.endswith("the limit is 1 GiB; give smaller files or more memory")


@pytest.fixture(scope="module")
def demo_weights(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    assert gazecode("demo", "--out", out, "--jobs", "2").returncode == 0
    return out / "weights.parquet"


def broken_files(folder):
    (folder / "empty.asc").write_bytes(b"")
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 50)
    packed = (DEMO / "recordings" / "P1.asc.gz").read_bytes()
    (folder / "cut.asc.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "prose.txt").write_text("nothing to see here\n" * 50, encoding="utf-8")
    return ["empty.asc", "noise.bin", "cut.asc.gz", "prose.txt", ".", "absent.asc"]


@pytest.mark.parametrize("i", range(6))
def test_broken_recordings_are_one_clear_line(tmp_path, i):
    name = broken_files(tmp_path)[i]
    line = error_line(gazecode("info", name, cwd=tmp_path))
    assert len(line) > 40


def test_a_wrong_format_named(tmp_path):
    line = error_line(gazecode("info", DEMO / "recordings" / "P1.asc.gz", "--format", "smi"))
    assert "smi" in line
    line = error_line(gazecode("info", DEMO / "recordings" / "P1.asc.gz", "--format", "tobi"))
    assert "choose from" in line


@pytest.fixture
def study(tmp_path):
    shutil.copytree(DEMO, tmp_path / "study")
    return tmp_path / "study" / "study.toml"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[detect]", "[detekt]", "detekt (line"),
        ("code/Basket.java", "code/B.java", "code/B.java: no such file"),
        ('tokenizer = "tokenizer.json"', 'tokenizer = "study.toml"', "tokenizer"),
        ('participant = "P1"', "participant = 1", "recordings[0].participant (line"),
    ],
    ids=["key", "stimulus", "tokenizer", "type"],
)
def test_a_wrong_study_is_one_line_and_leaves_nothing(study, tmp_path, old, new, words):
    text = study.read_text(encoding="utf-8")
    assert old in text
    study.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = error_line(gazecode("run", study, "--out", tmp_path / "out"))
    assert words in line
    assert not (tmp_path / "out").exists()


def test_a_failed_recording_is_exit_3_and_the_others_complete(study, tmp_path):
    (study.parent / "recordings" / "P3.asc.gz").write_bytes(b"not a recording")
    done = gazecode("run", study, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "failures.csv" in done.stderr
    assert pd.read_csv(tmp_path / "out" / "failures.csv")["participant"].tolist() == ["P3"]
    assert len(pd.read_parquet(tmp_path / "out" / "weights.parquet")) == 10


def test_quality_goes_on_after_a_broken_file(tmp_path):
    (tmp_path / "empty.asc").write_bytes(b"")
    done = gazecode("quality", DEMO / "recordings" / "P1.asc.gz", tmp_path / "empty.asc")
    assert done.returncode == 1
    assert "yes" in done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_reader_options_and_screen_from_the_shell(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("T;X;Y\n" + "".join(f"{t * 4};0,5;0,5\n" for t in range(300)))
    columns = {"t": ["T", "ms"], "x": ["X", "fraction"], "y": ["Y", "fraction"]}
    args = ("--format", "table", "--option", f"columns={json.dumps(columns)}")
    facts = json.loads(gazecode("info", file, *args, "--json").stdout)
    assert facts["plane"] == "screen_fraction"
    done = gazecode("detect", file, *args, "--screen", "1000,500", "--out", tmp_path / "e.csv")
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(tmp_path / "e.csv")[["x_px", "y_px"]].to_numpy().tolist() == [[500.0, 250.0]]


def test_what_the_recording_gives_cannot_be_set(tmp_path):
    file = DEMO / "recordings" / "P1.asc.gz"
    done = gazecode("detect", file, "--out", tmp_path / "e.csv", "--set", "breaks_ms=[5]")
    assert "breaks_ms comes from the recording" in error_line(done)


def test_a_misspelt_stimulus_is_noted(study, tmp_path):
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("[stimuli.median]", "[stimuli.medain]"), encoding="utf-8")
    done = gazecode("run", study, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "6 trials show no stimulus of the study: median" in done.stderr
    assert "no usable trial shows medain, which the study names" in done.stderr


def test_a_killed_run_ends_its_workers_and_can_be_taken_up(study, tmp_path):
    command = [sys.executable, "-m", "gazecode", "run", study, "--out", tmp_path / "out", "-j", "2"]
    run = subprocess.Popen([*map(str, command)], start_new_session=True)
    parts = tmp_path / "out" / ".gazecode-parts"
    for _ in range(600):
        if parts.is_dir() and any(parts.iterdir()):
            break
        time.sleep(0.05)
    run.kill()
    run.wait()
    for _ in range(200):
        try:
            os.killpg(run.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("workers live on after their run was killed")
    done = gazecode("run", study, "--out", tmp_path / "out", "--resume")
    assert done.returncode == 0, done.stderr
    assert not parts.exists()


def test_debug_shows_the_traceback():
    done = gazecode("--debug", "info", "absent.asc")
    assert done.returncode == 1
    assert "Traceback" in done.stderr

"""Whole runs of the bundled study: files, resume, failures, identical bytes."""

import csv
import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from gazecode.demo import demo_study
from gazecode.errors import ParameterError, StudyError
from gazecode.export import iter_examples, read_metadata, validate
from gazecode.study import run as run_module
from gazecode.study import run_study
from gazecode.study.outputs import OUTPUTS


def edit(study, old, new):
    text = study.read_text(encoding="utf-8")
    assert old in text
    study.write_text(text.replace(old, new), encoding="utf-8")


def failures(out):
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bytes_of(out):
    return {name: (out / name).read_bytes() for name in OUTPUTS}


def test_every_file_is_there_valid_and_says_where_it_comes_from(demo_out):
    assert {p.name for p in demo_out.iterdir()} == set(OUTPUTS)
    assert validate(demo_out / "weights.parquet").ok
    assert validate(demo_out / "weights.h5").ok
    said = read_metadata(demo_out / "weights.parquet")
    units = said["units"]
    assert units["token_value"] == "ms"  # noqa: S105 - a column
    assert said["parameters"]["align"]["tokenizer"] == "tokenizer.json"
    assert len(said["inputs_sha256"]) == 64
    assert failures(demo_out) == []


def test_no_output_names_a_folder_of_this_machine(demo_out):
    here = str(demo_study().parent).encode()
    for name, content in bytes_of(demo_out).items():
        assert here not in content, name


def test_weights_have_mean_one_where_they_count(demo_out):
    for example in iter_examples(demo_out / "weights.parquet"):
        weighable = example.loss_mask & (example.token_index >= 0)
        assert example.weight[weighable].mean() == pytest.approx(1.0, abs=1e-5)
        assert (example.weight[~weighable] == 1.0).all()
        assert example.attention.sum() == pytest.approx(1.0, abs=1e-5)


def test_hits_and_fixations_agree_and_find_the_true_tokens(demo_out):
    truth = pd.read_csv(demo_study().parent / "truth.csv")
    fixations = pd.read_parquet(demo_out / "fixations.parquet")
    hits = pd.read_parquet(demo_out / "hits.parquet")
    key = ["participant", "trial", "fixation"]
    joined = fixations.merge(hits[[*key, "token"]], on=key)
    assert len(joined) == (fixations["status"] == "token").sum()
    found, right = 0, 0
    for (person, trial), mine in truth.groupby(["participant", "trial"]):
        seen = joined[(joined["participant"] == person) & (joined["stimulus"] == trial)]
        # The trial's clock starts at its first sample, the truth's at its first fixation.
        shift = seen["onset_ms"].min() - mine["onset_ms"].min()
        for row in mine[mine["duration_ms"] >= 100].itertuples():
            middle = (row.onset_ms + row.offset_ms) / 2 + shift
            inside = seen[(seen["onset_ms"] <= middle) & (middle < seen["offset_ms"])]
            found += len(inside)
            right += int((inside["token"] == row.token).sum())
    print(f"demo: {right / found:.3f} of {found} found fixations on the true token")
    assert found > 0.8 * (truth["duration_ms"] >= 100).sum()
    assert right > 0.6 * found


def test_tokens_hold_every_token_of_every_trial(demo_out):
    tokens = pd.read_parquet(demo_out / "tokens.parquet")
    hits = pd.read_parquet(demo_out / "hits.parquet")
    fixations = pd.read_parquet(demo_out / "fixations.parquet")
    key = ["file", "participant", "trial", "token"]
    assert not tokens.duplicated(key).any()
    assert set(tokens["task"]) == {"reading"}
    assert set(tokens["group"]) == {"eyelink", "smi"}
    # Hard hits: a row of hits is a fixation that counts, and its duration is dwell.
    whole = hits.merge(fixations, on=["file", "participant", "trial", "fixation"])
    by_token = whole.groupby(key).agg(n=("share", "size"), dwell=("duration_ms", "sum"))
    joined = tokens.set_index(key).join(by_token).fillna({"n": 0, "dwell": 0})
    assert (joined["n_fixations"] == joined["n"]).all()
    assert joined["dwell_ms"].to_numpy() == pytest.approx(joined["dwell"].to_numpy())
    for _, mine in tokens.groupby(["participant", "trial"]):
        assert mine["token"].tolist() == list(range(len(mine)))
        assert (mine["characters"] == mine["token_text"].str.len()).all()
    code = (demo_study().parent / "code" / "Basket.java").read_bytes()
    basket = tokens[tokens["stimulus"] == "Basket"]
    assert set(basket["source_sha256"]) == {hashlib.sha256(code).hexdigest()}
    first = basket.iloc[5]
    assert code[first["token_start"] : first["token_end"]].decode() == first["token_text"]
    # A cell of the grid is 14 x 32 px.
    one_line = ~basket["token_text"].str.contains("\n")
    area = basket["characters"] * 14 * 32
    assert basket["area_px2"][one_line].to_numpy() == pytest.approx(area[one_line].to_numpy())


def test_chance_is_a_share_and_grows_with_what_a_token_takes_up(demo_out):
    tokens = pd.read_parquet(demo_out / "tokens.parquet")
    shown = tokens[tokens["exposure_ms"] > 0]
    assert shown["chance"].between(0, 1).all()
    assert tokens["chance"][tokens["exposure_ms"] == 0].isna().all()
    each = [t["area_px2"].corr(t["chance"]) for _, t in shown.groupby(["participant", "trial"])]
    assert min(each) > 0.5
    units = read_metadata(demo_out / "tokens.parquet")["units"]
    assert {units[name] for name in ("token_start", "token_end")} == {"byte"}
    assert (units["exposure_ms"], units["area_px2"], units["chance"]) == ("ms", "px2", "1")
    assert read_metadata(demo_out / "tokens.parquet")["parameters"]["null"] == {
        "shifts": 200,
        "seed": 0,
    }


def test_the_null_can_be_switched_off_and_seeded(study, tmp_path, demo_out):
    def run(name, null):
        text = study.read_text(encoding="utf-8").split("[null]")[0]
        study.write_text(text + f"\n[null]\n{null}\n", encoding="utf-8")
        run_study(study, tmp_path / name)
        return pd.read_parquet(tmp_path / name / "tokens.parquet")

    none, other = run("none", "shifts = 0"), run("other", "seed = 1")
    same = pd.read_parquet(demo_out / "tokens.parquet")
    assert none["chance"].isna().all()
    assert none.drop(columns="chance").equals(same.drop(columns="chance"))
    assert not other["chance"].equals(same["chance"])
    assert (other["chance"] - same["chance"]).abs().mean() < 0.05


def test_chance_depends_on_the_recording_and_the_trial_not_on_the_others(study, tmp_path, demo_out):
    text = study.read_text(encoding="utf-8")
    a, b = (
        text.index('[[recordings]]\nfile = "recordings/P1'),
        text.index('[[recordings]]\nfile = "recordings/P3'),
    )
    study.write_text(text[:a] + text[b:], encoding="utf-8")
    run_study(study, tmp_path / "out")
    few = pd.read_parquet(tmp_path / "out" / "tokens.parquet")
    every = pd.read_parquet(demo_out / "tokens.parquet")
    mine = every[every["participant"].isin(few["participant"])].reset_index(drop=True)
    assert few.equals(mine)


def test_tasks_are_carried_through(study, tmp_path):
    edit(study, 'participant = "P1"', 'participant = "P1"\ntask = "writing"')
    run_study(study, tmp_path / "out")
    tokens = pd.read_parquet(tmp_path / "out" / "tokens.parquet")
    assert set(tokens["participant"][tokens["task"] == "writing"]) == {"P1"}
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert [r["task"] for r in quality["recordings"]] == ["writing"] + ["reading"] * 5


def test_a_source_may_be_a_cell_of_a_table(study, tmp_path, demo_out):
    code = (study.parent / "code" / "Basket.java").read_text(encoding="utf-8")
    quoted = code.replace('"', '""')
    table = f'id,text\n1,"class No {{}}"\n2,"{quoted}"\n'
    (study.parent / "code" / "all.csv").write_text(table, encoding="utf-8", newline="")
    said = 'code = "code/all.csv"\ncode_column = "text"\ncode_where = { id = 2 }\nlanguage = "java"'
    edit(study, 'code = "code/Basket.java"', said)
    run_study(study, tmp_path / "out")
    got, same = (pd.read_parquet(o / "tokens.parquet") for o in (tmp_path / "out", demo_out))
    assert got.equals(same)
    for old, new, message in (
        ("id = 2", "id = 3", "stimuli.Basket: 0 rows of all.csv where {'id': 3}; expected one"),
        ("id = 3", "id = 2", ""),
        ('"text"', '"txt"', "stimuli.Basket: no column txt in all.csv; found id, text"),
    ):
        edit(study, old, new)
        if message:
            with pytest.raises(StudyError, match=message):
                run_study(study, tmp_path / "not")


def test_two_processes_write_the_same_bytes(demo_out, tmp_path):
    run_study(demo_study(), tmp_path / "again", jobs=2)
    assert bytes_of(tmp_path / "again") == bytes_of(demo_out)


def test_another_place_writes_the_same_bytes(demo_out, study, tmp_path):
    run_study(study, tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(demo_out)


def test_an_interrupted_run_goes_on_where_it_stopped(demo_out, tmp_path, monkeypatch):
    calls = []
    process = run_module.process

    def stop_after_two(study, index, folder):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(index)
        process(study, index, folder)

    monkeypatch.setattr(run_module, "process", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        run_study(demo_study(), tmp_path / "out")
    assert not (tmp_path / "out" / "weights.parquet").exists()
    monkeypatch.setattr(run_module, "process", process)
    summary = run_study(demo_study(), tmp_path / "out", resume=True)
    assert summary.n_resumed == 2
    assert bytes_of(tmp_path / "out") == bytes_of(demo_out)


def test_resume_does_not_trust_parts_of_other_settings(study, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "write_outputs", lambda *_, **__: pytest.fail("stop here"))
    with pytest.raises(pytest.fail.Exception):
        run_study(study, tmp_path / "out")
    monkeypatch.undo()
    edit(study, 'method = "ivt"', 'method = "idt"')
    assert run_study(study, tmp_path / "out", resume=True).n_resumed == 0


@pytest.mark.parametrize(("per", "n", "people"), [("participant", 12, 1), ("source", 2, 6)])
def test_pooled_examples(study, tmp_path, per, n, people):
    edit(study, 'per = "trial"', f'per = "{per}"')
    run_study(study, tmp_path / "out")
    examples = list(iter_examples(tmp_path / "out" / "weights.parquet"))
    assert len(examples) == n
    assert {e.n_people for e in examples} == {people}
    assert len({e.participant for e in examples}) == (6 if per == "participant" else 1)


def test_pooling_over_people_equals_pooling_by_hand(study, tmp_path, demo_out):
    edit(study, 'per = "trial"', 'per = "source"')
    run_study(study, tmp_path / "out")
    pooled = {
        e.source_id: e.token_value for e in iter_examples(tmp_path / "out" / "weights.parquet")
    }
    for source, value in pooled.items():
        each = [
            e.token_value
            for e in iter_examples(demo_out / "weights.parquet")
            if e.source_id == source
        ]
        totals = np.array([v.sum() for v in each])
        by_hand = np.mean([v / v.sum() for v in each], axis=0) * totals.mean()
        assert value == pytest.approx(by_hand, rel=1e-5)


def test_a_broken_recording_fails_alone(study, tmp_path, demo_out):
    recordings = study.parent / "recordings"
    (recordings / "P2.asc.gz").write_bytes(b"")
    shutil.rmtree(recordings / "P5.tsv.gz", ignore_errors=True)
    (recordings / "P5.tsv.gz").unlink()
    (recordings / "P6.tsv.gz").write_bytes((recordings / "P6.tsv.gz").read_bytes()[:5000])
    summary = run_study(study, tmp_path / "out")
    assert summary.n_failed_recordings == 3
    rows = failures(tmp_path / "out")
    assert [row["participant"] for row in rows] == ["P2", "P5", "P6"]
    assert all(row["stage"] == "read" and row["reason"] for row in rows)
    assert all(str(tmp_path) not in row["reason"] for row in rows)
    good = {e.participant: e.weight for e in iter_examples(tmp_path / "out" / "weights.parquet")}
    assert set(good) == {"P1", "P3", "P4"}


def test_nothing_usable_is_an_error_and_leaves_no_weights(study, tmp_path):
    edit(study, "max_loss = 0.4", "min_rate_hz = 5000")
    out = tmp_path / "out"
    with pytest.raises(StudyError, match="none of the 6 recordings gave an example"):
        run_study(study, out)
    assert not (out / "weights.parquet").exists()
    assert len(failures(out)) == 6
    assert (
        json.loads((out / "quality.json").read_text(encoding="utf-8"))["study"] == "gazecode demo"
    )


def test_an_assumed_degree_is_called_assumed(study, tmp_path, demo_out):
    def degrees(out):
        quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
        return quality["recordings"][0]["degrees"]

    text = study.read_text(encoding="utf-8")
    a, b = text.index("[screen]"), text.index("[stimuli.Basket]")
    study.write_text(text[:a] + text[b:], encoding="utf-8")
    run_study(study, tmp_path / "out")
    assert degrees(tmp_path / "out") == {"px_per_deg": 40.0, "assumed": True}
    assert degrees(demo_out) == {"px_per_deg": 42.821, "assumed": False}


def test_a_trial_without_a_stimulus_is_named_not_failed(study, tmp_path):
    text = study.read_text(encoding="utf-8")
    a, b = text.index("[stimuli.median]"), text.index("[quality]")
    study.write_text(text[:a] + text[b:], encoding="utf-8")
    summary = run_study(study, tmp_path / "out")
    assert summary.n_trials == 6
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert all(r["without_stimulus"] for r in quality["recordings"])
    assert failures(tmp_path / "out") == []


WRONG = {
    "method": ('method = "ivt"', 'method = "itv"', r"detect.method \(line \d+\): no 'itv' in detectors"),
    "parameter": ('method = "ivt"', 'method = "ivt"\nspeed = 3', r"detect.speed \(line \d+\): ivt has no parameter speed; it has: px_per_deg"),
    "reserved": ('method = "ivt"', 'method = "ivt"\nbreaks_ms = [1]', r"detect.breaks_ms \(line \d+\): ivt has no parameter"),
    "value": ('method = "ivt"', 'method = "ivt"\nmax_speed_deg_s = -3', r"detect.max_speed_deg_s \(line \d+\): max_speed_deg_s is -3"),
    "type": ('method = "ivt"', 'method = "ivt"\nmax_speed_deg_s = "a"', r"detect.max_speed_deg_s \(line \d+\): ivt: max_speed_deg_s is 'a'"),
    "reach": ('method = "nearest"', 'method = "nearest"\nreach_px = -1', r"map.reach_px \(line \d+\): reach_px is -1"),
    "missing": ('method = "nearest"', 'method = "gaussian"', r"map \(line \d+\): .*sd_px"),
    "scheme": ('scheme = "duration"', 'sheme = "duration"', r"weigh.sheme \(line \d+\): duration has no parameter sheme"),
    "gate": ("max_loss = 0.4", "max_los = 0.4", r"quality.max_los \(line \d+\): unknown key; keys here: max_loss"),
    "gate value": ("max_loss = 0.4", "max_loss = -1", r"quality.max_loss \(line \d+\): Gates.max_loss is -1"),
    "template": ("strength = 0.5", 'strength = 0.5\ntemplate = "no code"', r"align.template \(line \d+\): .*expected {code} once"),
    "offset": ('participant = "P1"', 'participant = "P1"\noffset_px = [nan, 0]', r"recordings\[0\].offset_px\S* \(line \d+\)"),
    "person": ('participant = "P1"', 'participant = ""', r"recordings\[0\].participant \(line \d+\)"),
    "options": ('participant = "P1"', 'participant = "P1"\noptions = { path = "x" }', r"path has a key or table of its own"),
    "twice": ("recordings/P2.asc.gz", "recordings/P1.asc.gz", r"recordings\[1\].file \(line \d+\): P1.asc.gz is listed twice"),
    "stimulus": ("code/Basket.java", "code/Besket.java", "code/Besket.java: no such file"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_for_all_stops_before_anything_is_written(study, tmp_path, case):
    old, new, message = WRONG[case]
    edit(study, old, new)
    with pytest.raises(StudyError, match=message):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_recordings_of_the_same_name_are_told_apart(study, tmp_path):
    folder = study.parent / "recordings"
    (folder / "two").mkdir()
    (folder / "P2.asc.gz").rename(folder / "two" / "P1.asc.gz")
    edit(study, "recordings/P2.asc.gz", "recordings/two/P1.asc.gz")
    edit(study, 'participant = "P2"', 'participant = "P1"')
    run_study(study, tmp_path / "out")
    fixations = pd.read_parquet(tmp_path / "out" / "fixations.parquet")
    assert {"recordings/P1.asc.gz", "recordings/two/P1.asc.gz"} <= set(fixations["file"])
    assert not fixations.duplicated(["file", "participant", "trial", "fixation"]).any()
    assert validate(tmp_path / "out" / "weights.parquet").ok


def test_a_copied_recording_is_named_and_the_file_stays_valid(study, tmp_path):
    folder = study.parent / "recordings"
    shutil.copy(folder / "P1.asc.gz", folder / "P2.asc.gz")
    edit(study, 'participant = "P2"', 'participant = "P1"')
    run_study(study, tmp_path / "out")
    rows = failures(tmp_path / "out")
    assert [row["stage"] for row in rows] == ["align", "align"]
    assert "is the recording there twice?" in rows[0]["reason"]
    assert validate(tmp_path / "out" / "weights.parquet").ok


def test_provenance_holds_the_parameters_that_were_in_force(demo_out):
    for name in ("weights.parquet", "fixations.parquet", "weights.h5"):
        said = read_metadata(demo_out / name)["parameters"]
        assert said["detect"]["max_speed_deg_s"] == 30.0
        assert said["detect"]["px_per_deg"] == 40.0
        assert said["map"]["reach_px"] is None
        assert said["quality"]["min_rate_hz"] == 25.0


def test_what_alignment_reports_is_kept(demo_out, study, tmp_path):
    quality = json.loads((demo_out / "quality.json").read_text(encoding="utf-8"))
    assert len(quality["examples"]) == 12
    assert all(e["weight_reach"] == 1.0 and not e["no_signal"] for e in quality["examples"])
    edit(study, 'participant = "P1"', 'participant = "P1"\noffset_px = [5000, 0]')
    summary = run_study(study, tmp_path / "out")
    assert summary.n_no_signal == 2


def test_false_switches_a_gate_off(study, tmp_path):
    edit(study, "max_loss = 0.4", "max_loss = false\nmin_rate_hz = 5000")
    with pytest.raises(StudyError, match="rate is"):
        run_study(study, tmp_path / "out")
    edit(study, "min_rate_hz = 5000", "min_rate_hz = false")
    run_study(study, tmp_path / "out")
    said = read_metadata(tmp_path / "out" / "weights.parquet")["parameters"]["quality"]
    assert said["max_loss"] is None


def test_disparity_is_judged_in_lines_of_the_stimulus(study, tmp_path, demo_out):
    def lines(out):
        quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
        return quality["recordings"][0]["quality"]["trials"]["Basket"]["disparity_lines"]

    assert 0 < lines(demo_out) < 1
    edit(study, "max_loss = 0.4", "max_disparity_lines = 0.01")
    run_study(study, tmp_path / "out")
    assert {row["participant"] for row in failures(tmp_path / "out")} == {"P1", "P2", "P3"}


def test_a_second_run_into_the_same_folder_is_refused(study, tmp_path, monkeypatch):
    process = run_module.process

    def second(inner, index, folder):
        with pytest.raises(ParameterError, match="another run is writing into"):
            run_study(study, tmp_path / "out")
        process(inner, index, folder)

    monkeypatch.setattr(run_module, "process", second)
    run_study(study, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == set(OUTPUTS)


def test_what_else_lies_in_the_folder_stays(study, tmp_path):
    (tmp_path / "out" / ".parts").mkdir(parents=True)
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    run_study(study, tmp_path / "out")
    assert (tmp_path / "out" / ".parts").is_dir()
    assert (tmp_path / "out" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_screen_against_the_recordings_is_noted(study, tmp_path):
    edit(study, "width_mm = 509", "width_mm = 509\nwidth_px = 800")
    run_study(study, tmp_path / "out")
    quality = json.loads((tmp_path / "out" / "quality.json").read_text(encoding="utf-8"))
    assert quality["recordings"][0]["provenance"]["study_screen_ignored"]["width_px"] == 800


def test_a_broken_tokenizer_stops_before_anything_is_written(study, tmp_path):
    (study.parent / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(Exception, match="tokenizer"):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_devices_own_events_can_be_used(study, tmp_path):
    edit(study, 'method = "ivt"', 'method = "device"')
    summary = run_study(study, tmp_path / "out")
    # EyeLink writes its own fixations, SMI raw text does not.
    assert {row["participant"] for row in failures(tmp_path / "out")} == {"P4", "P5", "P6"}
    assert summary.n_examples == 6

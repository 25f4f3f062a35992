"""Whole runs of the bundled study: files, resume, failures, identical bytes."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from gazecode.demo import demo_study
from gazecode.errors import StudyError
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
    with pytest.raises(StudyError, match="none of the 6 recordings gave a trial that can be used"):
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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('method = "ivt"', 'method = "itv"', r"\[detect\]: no 'itv' in detectors; choose from"),
        (
            'method = "ivt"',
            'method = "ivt"\nmax_speed = 3',
            r"\[detect\]: ivt has no parameter max_speed",
        ),
        ("max_loss = 0.4", "max_los = 0.4", r"\[quality\] has no key max_los; it has: max_loss"),
        ("code/Basket.java", "code/Besket.java", "no such file: code/Besket.java"),
    ],
    ids=["method", "parameter", "gate", "stimulus"],
)
def test_what_is_wrong_for_all_stops_before_anything_is_written(study, tmp_path, old, new, message):
    edit(study, old, new)
    with pytest.raises(StudyError, match=message):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


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

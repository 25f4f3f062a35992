"""The folder of a run gives the same priors as the trials it was written from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gazecode.errors import FormatError, ParameterError
from gazecode.export import write_table
from gazecode.model import LABELS
from gazecode.priors import Priors


def write_run(folder, readings, *, study="study", without=(), said=None):
    folder.mkdir(exist_ok=True)
    tables = {"tokens": [], "hits": [], "fixations": []}
    for number, read in enumerate(readings):
        who = {
            "file": f"{read.participant}.asc",
            "participant": read.participant,
            "trial": f"trial {number}",
            "stimulus": read.source,
        }
        hits, m, f = read.hits, len(read.label), read.hits.n_fixations
        columns = {
            "tokens": {
                "group": [read.group] * m,
                "task": [read.task] * m,
                "source_sha256": [read.source] * m,
                "token": np.arange(m),
                "token_label": [LABELS[code] for code in read.label],
                "characters": read.characters.astype(int),
                "area_px2": read.area_px2,
                "exposure_ms": hits.exposure_ms,
                "chance": read.chance,
            },
            "hits": {"fixation": hits.fixation, "token": hits.token, "share": hits.share},
            "fixations": {
                "fixation": np.arange(f),
                "onset_ms": hits.onset_ms,
                "offset_ms": hits.onset_ms + hits.duration_ms,
                "status": hits.status.astype(str),
                "activity": read.activity.astype(str),
            },
        }
        for name, table in columns.items():
            n = len(next(iter(table.values())))
            if n:
                tables[name].append({**{k: [v] * n for k, v in who.items()}, **table})
    for name, parts in tables.items():
        if name not in without:
            write_table(parts, folder / f"{name}.parquet", {"study": study, **(said or {})})
    return folder


@pytest.fixture
def readings(make):
    rng = np.random.default_rng(0)
    labels = ["loop", "variable", "", "return", "variable"]
    return [
        make.reading(
            labels,
            []
            if number == 3
            else rng.integers(0, 5, 6).tolist() + (["off", "between"] * (number % 2)),
            participant=f"P{number % 3}",
            source=f"s{number % 2}",
            task="reading" if number < 5 else "writing",
            group="novices",
            study="study",
            chance=rng.random(5),
            area_px2=rng.random(5),
        )
        for number in range(7)
    ]


def test_a_run_is_its_trials(readings, tmp_path):
    run = Priors.fit_runs([write_run(tmp_path / "run", readings)])
    fit = Priors.fit(readings)
    assert run.save(tmp_path / "a").read_bytes() == fit.save(tmp_path / "b").read_bytes()
    assert run.studies == ("study",)


def test_many_runs_one_task_without_one(readings, tmp_path):
    folders = [
        write_run(tmp_path / "a", readings[:4]),
        write_run(tmp_path / "b", readings[4:]),
    ]
    both = Priors.fit_runs(folders)
    assert np.array_equal(both.cells.sums, Priors.fit(readings).cells.sums)
    assert both.n_people == 3
    less = Priors.fit_runs(folders, task="reading", leave_out="P1")
    wanted = Priors.fit([r for r in readings if r.task == "reading" and r.participant != "P1"])
    assert np.array_equal(less.cells.sums, wanted.cells.sums)
    assert "only task reading" in less.details["notes"]
    assert "P1" not in str(less.details)
    with pytest.raises(ParameterError, match="no 'dreaming' in the tasks of the readings"):
        Priors.fit_runs(folders[0], task="dreaming")
    with pytest.raises(ParameterError, match="no 'experts' in the groups of the readings"):
        Priors.fit_runs(folders, group="experts", task="reading")


def test_the_same_name_in_two_studies_is_two_people(readings, tmp_path):
    folders = [write_run(tmp_path / name, readings, study=name) for name in ("one", "two")]
    assert Priors.fit_runs(folders).n_people == 6


def test_missing_and_broken_tables(readings, tmp_path):
    with pytest.raises(FormatError, match="no tokens.parquet; expected the folder of a run"):
        Priors.fit_runs(write_run(tmp_path / "a", readings, without=("tokens",)))
    folder = write_run(tmp_path / "b", readings)
    (folder / "hits.parquet").write_bytes(b"PAR1 not parquet")
    with pytest.raises(FormatError, match="hits.parquet: not a Parquet file"):
        Priors.fit_runs(folder)
    folder = write_run(tmp_path / "c", readings)
    write_table({"file": ["x"]}, folder / "hits.parquet")
    with pytest.raises(FormatError, match="hits.parquet: no column participant"):
        Priors.fit_runs(folder)


def test_tables_of_different_runs(readings, tmp_path):
    folder, other = write_run(tmp_path / "a", readings[:3]), write_run(tmp_path / "b", readings)
    (folder / "hits.parquet").write_bytes((other / "hits.parquet").read_bytes())
    with pytest.raises(
        FormatError, match="hits.parquet has trial .* the tables are not of one run"
    ):
        Priors.fit_runs(folder)
    twice = write_run(tmp_path / "c", [readings[0]])
    table = pd.read_parquet(twice / "tokens.parquet")
    write_table(pd.concat([table, table]), twice / "tokens.parquet")
    with pytest.raises(FormatError, match="token numbers are not 0 to 9"):
        Priors.fit_runs(twice)


def test_batches_do_not_matter(readings, tmp_path, monkeypatch):
    folder = write_run(tmp_path / "a", readings)
    whole = Priors.fit_runs(folder)
    monkeypatch.setattr("gazecode.priors.runs._BATCH_ROWS", 2)
    monkeypatch.setattr("gazecode.priors.fit._BATCH", 2)
    assert np.array_equal(Priors.fit_runs(folder).cells.sums, whole.cells.sums)


def test_a_run_does_not_count_twice(readings, tmp_path):
    folder = write_run(tmp_path / "run", readings)
    for again in (folder, str(folder), folder / ".." / "run"):
        with pytest.raises(ParameterError, match="would count twice; give each run once") as error:
            Priors.fit_runs([folder, again])
        assert "\n" not in str(error.value)


def test_a_copy_of_a_run_does_not_count_twice(readings, tmp_path):
    made = {"inputs_sha256": "a" * 64, "parameters": {"detect": {"method": "ivt"}}}
    other = {**made, "parameters": {"detect": {"method": "idt"}}}
    folder = write_run(tmp_path / "a", readings[:2], said=made)
    copy = write_run(tmp_path / "b", readings[2:4], said=made)
    with pytest.raises(ParameterError, match="b is .*a again: its gaze would count twice"):
        Priors.fit_runs([folder, copy])
    assert len(
        Priors.fit_runs([folder, write_run(tmp_path / "c", readings[2:4], said=other)]).cells
    )


def test_a_reading_does_not_count_twice(readings, tmp_path):
    """Whatever the other run made of it; in one run files tell readings apart."""
    one = readings[0]
    more = replace(one, activity=np.full(len(one.activity), "unknown", dtype=object))
    a, b = write_run(tmp_path / "a", [one]), write_run(tmp_path / "b", [more])
    with pytest.raises(ParameterError, match="trial 'trial 0' of P0 is in .*a and in .*b"):
        Priors.fit_runs([a, b])
    b = write_run(tmp_path / "b", [more], study="another")
    assert Priors.fit_runs([a, b]).n_people == 2


@pytest.mark.parametrize(("shifts", "known"), [(10, False), (199, False), (200, True), (0, True)])
def test_too_few_shifts_are_no_null(readings, tmp_path, shifts, known):
    said = {"parameters": {"null": {"shifts": shifts, "seed": 0}}}
    pri = Priors.fit_runs(write_run(tmp_path / "run", readings, said=said))
    assert np.isfinite(pri.theta_null[pri.known]).any() == known
    spoken = [r for r in pri.details["remarks"] if "shifts" in r]
    if known:
        assert spoken == []
    else:
        (words,) = spoken
        assert words.startswith(f"chance of 7 readings was computed from {shifts} shifts: it is")
        assert all("chance unknown" in row["flag"] for row in pri.rows() if row["n"])

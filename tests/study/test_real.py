"""The worked studies of ``docs/studies`` run as they stand, on real recordings."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gazecode.export import read_examples, validate
from gazecode.mapping import map_to_tokens
from gazecode.model import Events, Screen
from gazecode.priors import Priors
from gazecode.readers import read
from gazecode.study import load_study, run_study
from gazecode.study.stimuli import StimulusFinder

STUDIES = Path(__file__).resolve().parents[2] / "docs" / "studies"
FILES = {
    "card.md",
    "fixations.parquet",
    "hits.parquet",
    "linearity.parquet",
    "measures.parquet",
    "tokens.parquet",
    "weights.parquet",
    "weights.h5",
    "quality.json",
    "report.html",
    "failures.csv",
}
NAMES = ("linearity-peitek2020", "emip-bednarik2020", "eyecode-hansen2012", "vanderbilt")
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def outs(shared_data, tmp_path_factory):
    assert shared_data.is_dir()
    made = {}
    for name in NAMES:
        out = tmp_path_factory.mktemp(name)
        made[name] = (run_study(STUDIES / f"{name}.toml", out), out)
    return made


def failures(out):
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", NAMES)
def test_a_study_leaves_every_file_and_they_agree(outs, name):
    summary, out = outs[name]
    assert {p.name for p in out.iterdir()} == FILES
    assert validate(out / "weights.parquet").ok
    assert validate(out / "weights.h5").ok
    fixations = pd.read_parquet(out / "fixations.parquet")
    assert len(fixations) == summary.n_fixations > 100
    assert set(fixations["status"]) <= {"token", "between", "off", "lost"}
    quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    accounted = [
        sum(trial[s] for s in ("token", "between", "off", "lost")) - trial["fixations"]
        for recording in quality["recordings"]
        for trial in recording["trials"]
    ]
    assert accounted == [0] * summary.n_trials
    assert len(list(read_examples(out / "weights.parquet"))) == summary.n_examples
    share = (fixations["status"] == "token").mean()
    print(f"{name}: {summary.n_trials} trials, {len(fixations)} fixations, {share:.3f} on a token")
    tokens = pd.read_parquet(out / "tokens.parquet")
    counted = tokens["n_fixations"].sum()
    assert counted == (fixations["status"] == "token").sum()
    shown = tokens[tokens["exposure_ms"] >= 200]
    print(
        f"{name}: {len(tokens)} tokens, {len(shown)} shown, {(shown['n_fixations'] > 0).mean():.3f} "
        f"fixated, {shown['chance'].mean():.3f} by chance"
    )
    assert shown["chance"].between(0, 1).all()


def test_degenerate_recordings_are_named_and_the_others_complete(outs):
    summary, out = outs["linearity-peitek2020"]
    failed = {r["participant"]: r for r in failures(out) if not r["trial"]}
    assert set(failed) == {"7f9dd148", "e4ad195b"}
    assert all(r["stage"] == "quality" and "loss" in r["reason"] for r in failed.values())
    assert summary.n_failed_recordings == 2
    people = {e.participant for e in read_examples(out / "weights.parquet")}
    assert people == {"24aed847", "1f8beed4", "0fed8025"}


def test_pooled_examples_say_how_many_people_they_rest_on(outs):
    _, out = outs["eyecode-hansen2012"]
    examples = list(read_examples(out / "weights.parquet"))
    assert {e.participant for e in examples} == {""}
    assert max(e.n_people for e in examples) > 1
    assert len({e.source_id for e in examples}) == len(examples)


def test_a_rerun_in_two_processes_is_byte_identical(outs, tmp_path):
    _, out = outs["emip-bednarik2020"]
    run_study(STUDIES / "emip-bednarik2020.toml", tmp_path / "again", jobs=2)
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes(), name


def test_vanderbilt_localisation_agrees_with_the_authors(shared_data):
    """Every sample the authors put on a token lies on that token here.

    They count fewer: their boxes' corners go crosswise, so that only the two triangles at the top
    and the bottom of each box are inside. Drawn so, ours are theirs sample for sample.
    """
    folder = shared_data / "vanderbilt-createServerChooser"
    study = load_study(STUDIES / "vanderbilt.toml")
    recording = read(study.recordings[0].file, screen=Screen(width_px=1920, height_px=1080))
    layout = StimulusFinder(study)(recording, recording.trials[0]).layout
    assert layout.unmatched == {"tokens": 41}
    gaze = recording.eye("mean")
    samples = np.flatnonzero(~gaze.lost)
    t = gaze.t_ms[samples]
    points = Events(
        kind=["fixation"] * len(t), onset_ms=t, offset_ms=t + 1, xy_px=gaze.xy_px[samples]
    )
    hits = map_to_tokens(points, layout, reach_px=0)
    mine = np.full(len(t), -1)
    mine[hits.fixation] = hits.token

    words = pd.read_csv(folder / "word_coordinates_split" / "createServerChooser.csv")
    words = words[~((words["word"] == "mainMenuBar") & (words["occurrence"] == 2))]
    corner = words[["tobii_x", "tobii_y"]].to_numpy() * [1920, 1080]
    size = words[["tobii_width", "tobii_height"]].to_numpy() * [1920, 1080]
    distance = np.abs(layout.boxes[None, :, :2] - corner[:, None]).sum(axis=2)
    assert distance.min(axis=1).max() < 1e-6
    token = layout.token[distance.argmin(axis=1)]

    annotated = pd.read_csv(next((folder / "annotated_gaze").glob("*.csv")))
    assert len(annotated) == len(t) == 8159
    names = [f"{w}.{o}" for w, o in zip(words["word"], words["occurrence"], strict=True)]
    theirs = annotated[names].fillna(0).to_numpy() == 1
    place = (points.xy_px[:, None] - corner) / size - 0.5
    in_box = (np.abs(place) <= 0.5).all(axis=2)
    crosswise = in_box & (np.abs(place[..., 1]) >= np.abs(place[..., 0]))
    assert np.array_equal(crosswise, theirs)
    where, which = np.nonzero(theirs)
    assert (mine[where] == token[which]).all()
    print(f"vanderbilt: {len(where)} samples on tokens by the authors, all on the same token here")
    print(f"vanderbilt: {(mine >= 0).sum()} samples in whole boxes")
    assert len(where) == 1054
    assert (mine >= 0).sum() > 1.7 * len(where)


def test_priors_from_raw_gaze_stand_beside_the_published_ones(outs, shared_data):
    """The table of docs/evidence.md: by language, with people, trials and chance behind each."""
    folders = {name: out for name, (_, out) in outs.items()}
    python = Priors.fit_runs(folders.pop("eyecode-hansen2012"), name="python")
    java = Priors.fit_runs(folders.values(), name="java")
    published = Priors.load(shared_data / "eyemulator" / "priors", "reading")
    for fitted, people, sources in ((java, 6, 12), (python, 3, 20)):
        assert (fitted.n_people, len(fitted.sources)) == (people, sources)
        assert not np.isnan(fitted.theta_null[fitted.known]).any()
        print(f"{fitted.name}: {people} people, {sources} sources, {fitted.shown.sum():.0f} trials")
        print(fitted.to_text())
    print(published.to_text())
    both = Priors.merge([java, python])
    assert both.n_people == 9
    assert both.shown.sum() == java.shown.sum() + python.shown.sum()

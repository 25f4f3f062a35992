"""What a run says of reading: measures of tokens and lines, linearity of each scan path."""

import numpy as np
import pandas as pd
import pytest

from gazecode.study import run_study


def test_measures_add_up_to_the_fixations_and_tokens_of_the_run(demo_out):
    measures = pd.read_parquet(demo_out / "measures.parquet")
    tokens = pd.read_parquet(demo_out / "tokens.parquet")
    keys = ["file", "trial"]
    for unit in ("token", "line"):
        some = measures[measures["unit"] == unit]
        assert (
            some.groupby(keys)["fixations"].sum().tolist()
            == tokens.groupby(keys)["n_fixations"].sum().tolist()
        )
    per_token = measures[measures["unit"] == "token"]
    assert per_token["number"].tolist() == tokens["token"].tolist()
    assert per_token["dwell_ms"].to_numpy() == pytest.approx(tokens["dwell_ms"].to_numpy())
    first = per_token["first_fixation_ms"].notna()
    assert (per_token.loc[first, "gaze_ms"] <= per_token.loc[first, "total_ms"] + 1e-9).all()
    assert set(measures["first_run"]) == {"visit"}


def test_linearity_counts_the_pairs_on_code(demo_out):
    found = pd.read_parquet(demo_out / "linearity.parquet")
    fixations = pd.read_parquet(demo_out / "fixations.parquet")
    pairs = found[(found["measure"] == "vertical next") & (found["of"] == "pairs")]
    for row in pairs.itertuples():
        here = fixations[(fixations["file"] == row.file) & (fixations["trial"] == row.trial)]
        on = (here["status"] == "token").to_numpy()
        assert row.total == int((on[1:] & on[:-1]).sum())
    known = found["total"] > 0
    assert found.loc[known, "share"].to_numpy() == pytest.approx(
        (found["count"] / found["total"])[known].to_numpy()
    )
    assert np.isnan(found.loc[~known, "share"]).all()


@pytest.mark.parametrize(
    "detect",
    [
        "min_duration_ms = 500",
        "min_duration_ms = 100000",
        'rules = ["drop_short"]\nmerge_gap_ms = 0',
    ],
)
def test_trials_without_fixations_are_part_of_a_run(study, tmp_path, detect):
    text = study.read_text(encoding="utf-8")
    head, _, rest = text.partition("[detect]")
    lines = rest.split("\n[", 1)
    tail = f"\n[{lines[1]}" if len(lines) > 1 else ""
    study.write_text(f'{head}[detect]\nmethod = "ivt"\n{detect}\n{tail}', encoding="utf-8")
    done = run_study(study, tmp_path / "out")
    measures = pd.read_parquet(tmp_path / "out" / "measures.parquet")
    assert done.n_trials == measures.groupby(["file", "trial"]).ngroups
    assert measures[measures["unit"] == "token"]["fixations"].sum() <= done.n_fixations

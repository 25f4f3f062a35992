"""The published scores of one model, against every figure recomputed from the artefact."""

import json

import numpy as np
import pytest

from gazecode.agreement.compare import compare
from gazecode.agreement.item import Marks

METHODS = {"SHAP": "shap_perturbation", "Saliency_coding": "saliency_coding"}


def located(prompt, tokens):
    spans, kept, cursor = [], [], 0
    for i, token in enumerate(tokens):
        at = prompt.find(token, cursor)
        if at >= 0:
            cursor = at + len(token)
            spans.append((at, cursor))
            kept.append(i)
    return spans, kept


def inputs(folder, method):
    import pyarrow.parquet as pq

    human = pq.read_table(folder / "human.parquet").to_pandas()
    said = pq.read_table(folder / "attention.parquet").to_pandas()
    said = said[said.method == method].sort_values(["prompt_id", "tok_idx"], kind="stable")
    tokens = dict(iter(said.groupby("prompt_id")))
    people, model = {}, {}
    for row in human.itertuples():
        part = tokens[row.prompt_id]
        spans, kept = located(row.prompt, part.token.tolist())
        marked = np.array([list(span) for span in row.spans], dtype=np.int64).reshape(-1, 2)
        people[str(row.prompt_id)] = Marks(unit=spans, marked=marked)
        model[str(row.prompt_id)] = part.score.to_numpy()[kept]
    return people, model


@pytest.mark.real
@pytest.mark.parametrize("method", ["shap_perturbation", "saliency_coding"])
def test_pooled_figures_are_the_published_ones(shared_data, method):
    folder = shared_data / "kou2024"
    expected = json.loads((folder / "expected.json").read_text())["rows"]
    people, model = inputs(folder, method)
    wanted = {row["k"]: row for row in expected if row["method"] == method}
    names = [
        f"{name}@{k}" for k in wanted for name in ("precision", "recall", "f1", "alpha", "kappa")
    ]
    found = compare(people, {method: model}, metrics=names, permutations=20, bootstrap=10)
    assert found.figure(method, names[0]).n_units == wanted[5]["n_tokens_located"]
    for k, row in wanted.items():
        want = {**row["recomputed"], "kappa": row["cohen_kappa"]}
        for name, value in want.items():
            if name in ("precision", "recall", "f1", "alpha", "kappa"):
                assert found.figure(method, f"{name}@{k}").pooled == pytest.approx(value, abs=1e-9)
    # Pooling long and short prompts creates agreement: measured .09-.12, .17-.21, .10-.21.
    for k, (low, high) in {5: (0.09, 0.12), 10: (0.17, 0.21), 20: (0.10, 0.21)}.items():
        assert low - 0.01 <= found.figure("random", f"alpha@{k}").pooled <= high + 0.01
    assert any("pooled alpha@10 is" in note and "not 0" in note for note in found.warnings)

"""Recordings of three studies: boxes find their tokens, and fixations the study's own token."""

import numpy as np
import pandas as pd
import pytest

from gazecode.mapping import box_layout, grid_layout, map_to_tokens, read_boxes
from gazecode.model import Events
from gazecode.source import parse

pytestmark = pytest.mark.real
SIDES = ["x0", "y0", "x1", "y1"]


def fixations(onset, offset, x, y):
    return Events(
        kind=["fixation"] * len(onset),
        onset_ms=np.asarray(onset, float),
        offset_ms=np.asarray(offset, float),
        xy_px=np.stack([np.asarray(x, float), np.asarray(y, float)], axis=1),
    )


def token_of(hits):
    found = np.full(hits.n_fixations, -1)
    found[hits.fixation] = hits.token
    return found


# ---- EMIP (Bednarik et al. 2020): the corrected fixations and the areas they were given


def corrected_trials(folder):
    rows = []
    for file in sorted((folder / "corrected").glob("*/*.csv")):
        frame = pd.read_csv(file, keep_default_na=False).assign(file=file.name)
        frame[["x1", "y1"]] = (
            frame[["aoi_x", "aoi_y"]].to_numpy() + frame[["aoi_width", "aoi_height"]].to_numpy()
        )
        rows.append(frame.rename(columns={"aoi_x": "x0", "aoi_y": "y0", "token": "text"}))
    return pd.concat(rows, ignore_index=True)


def emip_tokens(folder, stimulus):
    program = "Vehicle" if "vehicle" in stimulus else "Rectangle"
    file = folder / "emip_stimulus_programs" / f"{program}.java"
    return parse(file.read_bytes(), source_id=file.name), program.lower()


def agreement(layout, tokens, trials):
    """(fixations inside a recorded area, of them on a token that stands there and spells so)."""
    texts = np.array([text.strip('"') for text in tokens.texts], dtype=object)
    middle = np.full(len(tokens), np.nan)
    middle[layout.token] = (layout.boxes[:, 0] + layout.boxes[:, 2]) / 2
    inside = agreed = 0
    for _, trial in trials.groupby("file"):
        # About 4 % of the fixations have a row for each of two areas.
        first = trial.drop_duplicates("timestamp").sort_values("timestamp")
        onset = first["timestamp"] / 1000
        found = token_of(
            map_to_tokens(
                fixations(onset, onset + first["duration"], first["x_cord"], first["y_cord"]),
                layout,
            )
        )
        number = dict(zip(first["timestamp"], found.tolist(), strict=True))
        within = trial[
            trial["x_cord"].between(trial["x0"], trial["x1"])
            & trial["y_cord"].between(trial["y0"], trial["y1"])
        ]
        for stamp, rows in within.groupby("timestamp"):
            inside += 1
            token = number[stamp]
            here = (rows["x0"] - 5 < middle[token]) & (middle[token] < rows["x1"] + 5)
            agreed += token >= 0 and any(texts[token] in area for area in rows["text"][here])
    return inside, agreed


def test_emip_fixations_fall_on_the_token_the_data_set_names(shared_data):
    folder = shared_data / "emip-bednarik2020"
    trials = corrected_trials(folder)
    total = {"recorded areas": np.zeros(2), "padded stimulus boxes": np.zeros(2)}
    for stimulus, rows in trials.groupby("code_file"):
        tokens, program = emip_tokens(folder, stimulus)
        recorded = rows.drop_duplicates([*SIDES, "text", "line", "part"])
        padded = read_boxes(
            folder / "stimuli" / f"{stimulus.removesuffix('.jpg')}.csv",
            where={"level": "element"},
            texts=folder / "token_syntax" / f"{program}.tsv",
        )
        for name, boxes in (("recorded areas", recorded), ("padded stimulus boxes", padded)):
            layout = box_layout(tokens, boxes)
            inside, agreed = agreement(layout, tokens, rows)
            print(
                f"{stimulus} {name}: {len(boxes)} boxes, {len(tokens)} tokens, leftovers "
                f"{layout.unmatched}; {agreed}/{inside} inside agree"
            )
            assert "boxes" not in layout.unmatched
            total[name] += inside, agreed
        assert box_layout(tokens, padded).unmatched == {}
    for name, (inside, agreed) in total.items():
        print(f"EMIP {name}: {agreed / inside:.4f} of {inside:.0f} fixations inside their area")
        assert agreed / inside >= 0.99


# ---- eyeCode (Hansen, Lumsdaine & Goldstone 2012): Python 2, one area per token, no texts


def hansen_trials(folder):
    areas = pd.read_csv(folder / "csv" / "aois.csv.gz", keep_default_na=False)
    areas = areas[areas["kind"] == "syntax"]
    gaze = pd.read_csv(folder / "csv" / "all_fixations.csv.gz", keep_default_na=False)
    for (person, trial), boxes in areas.groupby(["exp_id", "trial_id"]):
        program = f"{boxes['base'].iloc[0]}_{boxes['version'].iloc[0]}.py"
        rows = gaze[(gaze["exp_id"] == person) & (gaze["trial_id"] == trial)]
        yield program, boxes, rows


def with_text(boxes, code):
    """Text of each area, cut from the program: cells of 14 x 30 px from the area's own corner."""
    lines = code.split("\n")
    left, top = boxes["x"].min(), boxes["y"].min()
    row = (boxes["y"] - top) // 30
    first = (boxes["x"] - left) // 14
    width = boxes["width"] // 14
    text = [lines[r][a : a + n] for r, a, n in zip(row, first, width, strict=True)]
    frame = boxes.assign(
        text=text, x0=boxes["x"], y0=boxes["y"],
        x1=boxes["x"] + boxes["width"], y1=boxes["y"] + boxes["height"],
    )  # fmt: skip
    return frame[~frame["name"].isin(["whitespace", "indentation"])]


def owner_of_areas(layout, boxes):
    """Token around each area's centre, by a plain search."""
    x, y = (boxes["x0"] + boxes["x1"]) / 2, (boxes["y0"] + boxes["y1"]) / 2
    b = layout.boxes
    inside = (
        (b[:, 0] <= x.to_numpy()[:, None])
        & (x.to_numpy()[:, None] < b[:, 2])
        & (b[:, 1] <= y.to_numpy()[:, None])
        & (y.to_numpy()[:, None] < b[:, 3])
    )
    assert (inside.sum(axis=1) == 1).all()
    return dict(zip(boxes["local_id"], layout.token[inside.argmax(axis=1)].tolist(), strict=True))


def test_hansen_fixations_fall_on_the_token_the_data_set_names(shared_data):
    folder = shared_data / "eyecode-hansen2012"
    methods = {"disc": {"radius_px": 20.0}, "nearest": {}}
    total = {(kind, m): np.zeros(2) for kind in ("boxes", "grid") for m in methods}
    n_boxes = n_trials = 0
    for program, boxes, rows in hansen_trials(folder):
        raw = (folder / "programs" / program).read_bytes()
        tokens = parse(raw, source_id=program)
        areas = with_text(boxes, raw.decode())
        layout = box_layout(tokens, areas)
        grid = grid_layout(
            tokens,
            origin_px=(boxes["x"].min(), boxes["y"].min()),
            char_width_px=14,
            line_height_px=30,
        )
        n_boxes, n_trials = n_boxes + len(areas), n_trials + 1
        assert layout.unmatched == {}
        assert layout.token.tolist() == grid.token.tolist()
        assert layout.boxes[:, [0, 2]] == pytest.approx(grid.boxes[:, [0, 2]])
        named = rows["hit_id_syntax"].map(owner_of_areas(layout, areas))
        events = fixations(rows["start_ms"], rows["end_ms"], rows["fix_x"], rows["fix_y"])
        known = named.notna().to_numpy()
        for kind, method in total:
            shown = layout if kind == "boxes" else grid
            found = token_of(map_to_tokens(events, shown, method, **methods[method]))
            total[kind, method] += known.sum(), (found == named.to_numpy())[known].sum()
    print(f"Hansen: {n_boxes} boxes of {n_trials} trials matched with tokens, none left over")
    for (kind, method), (known, agreed) in total.items():
        print(f"Hansen {kind} {method}: {agreed / known:.4f} of {known:.0f} named hits")
    assert total["boxes", "disc"][1] / total["boxes", "disc"][0] >= 0.98
    assert total["boxes", "nearest"][1] / total["boxes", "nearest"][0] >= 0.94


# ---- Peitek et al. 2020: the grid measured on the image against the study's line boxes


def test_peitek_grid_tokens_lie_on_the_lines_of_the_study(shared_data):
    import json

    folder = shared_data / "linearity-peitek2020"
    file = folder / "1_stimuli" / "Snippets" / "Vehicle_edited.java"
    tokens = parse(file.read_bytes(), source_id=file.name)
    assert "ERROR" not in set(tokens.kind)
    layout = grid_layout(
        tokens, origin_px=(575.2, 108.1 - 28.79 / 2), char_width_px=13.467, line_height_px=28.79
    )
    assert layout.unmatched == {}
    area = json.loads((folder / "aoi" / "Vehicle.json").read_text())
    base, lines = area["1080"], area["lines"]
    left, right, over = [], [], []
    for number, line in enumerate(lines):
        boxes = layout.boxes[layout.line == number]
        assert bool(len(boxes)) == bool(line)
        if not line:
            continue
        x0 = base["base_x"] + base["base_indent_x"] * line["indent_x"]
        y0 = base["base_y"] + base["base_indent_y"] * number
        left.append(boxes[0, 0] - x0)
        right.append(line.get("1080_end_x", x0 + line.get("width", 0)) - boxes[-1, 2])
        over.append((boxes[0, 1] + boxes[0, 3]) / 2 - y0 - base["base_indent_y"] / 2)
    print(
        f"Vehicle: {len(tokens)} tokens on {len(left)} lines; token minus study's line: left "
        f"{min(left):.1f}..{max(left):.1f}, centre {min(over):.1f}..{max(over):.1f} px; "
        f"the study's right margin {min(right):.0f}..{max(right):.0f} px"
    )
    assert np.abs(left).max() < 13.467
    assert np.abs(over).max() < 28.79 / 4
    assert min(right) > 0

"""Fixations on tokens against the hits that two data sets themselves name.

eyeCode (M. Hansen, R. Goldstone and A. Lumsdaine 2013, arXiv:1304.5257): Python, one area per
token; a fixation hits the area with the largest overlap with a disc of 20 px around it. EMIP (R.
Bednarik et al. 2020, doi:10.1016/j.scico.2020.102520) in the hand-corrected form: Java, one row per
fixation and area. Its rule, as its rows show it: an area reaches 12.5 px further to the left and
up, none to the right or down, and a point in two areas hits both.

The areas are also the layouts here: what is measured is the mapping, not where the text was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazecode.errors import FormatError
from gazecode.mapping import box_layout, map_to_tokens
from gazecode.model import Events, Hits, Layout, SourceTokens
from gazecode.model.checks import BoolArray, FloatArray, IntArray, repeated
from gazecode.source import parse

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NamedHits", "emip_trials", "eyecode_trials", "hit_table"]

CELL_PX = (14, 30)
"""Character and line pitch of eyeCode's screens."""
DISC_PX = 20.0
LEFT_AND_UP_PX = 12.5
OWN = "own rule"
SIDES = ("x0", "y0", "x1", "y1")
BLANK_AREAS = ("whitespace", "indentation")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedHits:
    """One trial: fixations, the layout, and the tokens the data set says they hit.

    Attributes
    ----------
    named
        ``(f, m)`` True where the data set names the token for the fixation; a fixation may have
        two areas, and an area several tokens.
    own
        Layout, method and parameters that are the data set's own rule.
    """

    set: str
    name: str
    fixations: Events
    tokens: SourceTokens
    layout: Layout
    named: BoolArray
    own: tuple[Layout, str, Mapping[str, Any]]


def hit_table(folder: Path, *, sd_px: Sequence[float] = (6.0, 12.0)) -> list[dict[str, Any]]:
    """Share of the named fixations that the package puts on the same token, and on the same line.

    Parameters
    ----------
    folder
        Holds ``eyecode-hansen2012`` and ``emip-bednarik2020``.
    sd_px
        Of the Gaussians whose share on the hit token is told: as it is, and of what lies on tokens
        at all.
    """
    rows = []
    for name, trials in (
        ("eyecode-hansen2012", eyecode_trials(folder / "eyecode-hansen2012")),
        ("emip-bednarik2020", emip_trials(folder / "emip-bednarik2020")),
    ):
        if not (folder / name).is_dir():
            continue
        held = list(trials)
        rows.append(_row(name, held, OWN, {}))
        rows.append(_row(name, held, "nearest", {}))
        rows += [_row(name, held, "gaussian", {"sd_px": sd}) for sd in sd_px]
    return rows


def _row(
    name: str, trials: list[NamedHits], method: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    columns: list[FloatArray] = []
    for trial in trials:
        areas, own, own_params = trial.own
        layout = trial.layout if method == "nearest" else areas
        chosen, given = (own, own_params) if method == OWN else (method, params)
        hits = map_to_tokens(trial.fixations, layout, chosen, **given)
        shares = _dense(hits)
        best, rows = shares.argmax(axis=1), np.arange(len(shares))
        found = np.isin(rows, hits.fixation)
        named = (shares * trial.named).sum(axis=1)
        kept = trial.named.any(axis=1)
        columns.append(
            np.stack(
                [
                    found & trial.named[rows, best],
                    _same_line(trial, best, found),
                    named,
                    named / np.maximum(shares.sum(axis=1), 1e-300),
                ]
            )[:, kept]
        )
    token, line, share, of_tokens = np.concatenate(columns, axis=1)
    return {
        "set": name,
        "method": " ".join([method, *(f"{k} {v:g}" for k, v in params.items())]),
        "n": len(token),
        "trials": len(trials),
        "token": float(token.mean()),
        "line": float(line.mean()),
        "share": float(np.median(share)),
        "of_tokens": float(np.median(of_tokens)),
    }


def _dense(hits: Hits) -> FloatArray:
    shares = np.zeros((hits.n_fixations, hits.n_tokens))
    shares[hits.fixation, hits.token] = hits.share
    return shares


def _same_line(trial: NamedHits, best: IntArray, found: BoolArray) -> BoolArray:
    """Whether the token found stands on a line of a token that is named."""
    line = np.full(trial.layout.n_tokens, -1)
    line[trial.layout.token] = trial.layout.line
    named_on = np.where(trial.named, line, -2)
    same: BoolArray = found & (named_on == line[best][:, None]).any(axis=1)
    return same


# ---- eyeCode


def eyecode_trials(folder: Path) -> Iterator[NamedHits]:
    """Each trial of each person, positions with the manual offset of the data set."""
    import pandas as pd

    areas = _table(folder / "csv" / "aois.csv.gz")
    areas = areas[areas["kind"] == "syntax"]
    gaze = _table(folder / "csv" / "all_fixations.csv.gz")
    for (person, trial), boxes in areas.groupby(["exp_id", "trial_id"]):
        program = f"{boxes['base'].iloc[0]}_{boxes['version'].iloc[0]}.py"
        raw = (folder / "programs" / program).read_bytes()
        tokens = parse(raw, "python", source_id=program)
        written = with_text(boxes, raw.decode())
        layout = box_layout(tokens, written)
        rows = gaze[(gaze["exp_id"] == person) & (gaze["trial_id"] == trial)]
        owner = _owner_of_areas(layout, written)
        token = rows["hit_id_syntax"].map(owner).fillna(-1).astype(int).to_numpy()
        named = np.zeros((len(rows), len(tokens)), dtype=bool)
        named[np.flatnonzero(token >= 0), token[token >= 0]] = True
        yield NamedHits(
            set=folder.name,
            name=f"{person}/{trial} {program}",
            fixations=_fixations(*(rows[c] for c in ("start_ms", "end_ms", "fix_x", "fix_y"))),
            tokens=tokens,
            layout=layout,
            own=(layout, "disc", {"radius_px": DISC_PX}),
            named=named[np.argsort(pd.to_numeric(rows["start_ms"]).to_numpy(), kind="stable")],
        )


def with_text(boxes: "pd.DataFrame", code: str) -> "pd.DataFrame":
    """Text of each area, cut from the program by cells from the first area's corner."""
    lines = code.split("\n")
    left, top = boxes["x"].min(), boxes["y"].min()
    row = (boxes["y"] - top) // CELL_PX[1]
    first = (boxes["x"] - left) // CELL_PX[0]
    width = boxes["width"] // CELL_PX[0]
    text = [lines[r][a : a + n] for r, a, n in zip(row, first, width, strict=True)]
    frame = boxes.assign(
        text=text,
        x0=boxes["x"],
        y0=boxes["y"],
        x1=boxes["x"] + boxes["width"],
        y1=boxes["y"] + boxes["height"],
    )
    return frame[~frame["name"].isin(BLANK_AREAS)]


def _owner_of_areas(layout: Layout, boxes: "pd.DataFrame") -> dict[str, int]:
    """The token around each area's centre."""
    x = ((boxes["x0"] + boxes["x1"]) / 2).to_numpy()[:, None]
    y = ((boxes["y0"] + boxes["y1"]) / 2).to_numpy()[:, None]
    b = layout.boxes
    inside = (b[:, 0] <= x) & (x < b[:, 2]) & (b[:, 1] <= y) & (y < b[:, 3])
    return dict(zip(boxes["local_id"], layout.token[inside.argmax(axis=1)].tolist(), strict=True))


# ---- EMIP, corrected by hand


def emip_trials(folder: Path) -> Iterator[NamedHits]:
    """Each corrected trial of a Java stimulus."""
    for stimulus, rows in _corrected(folder).groupby("code_file"):
        program = "vehicle" if "vehicle" in str(stimulus) else "rectangle"
        code = (folder / "emip_stimulus_programs" / f"{program.title()}.java").read_bytes()
        tokens = parse(code, "java", source_id=program)
        layout = box_layout(tokens, rows.drop_duplicates([*SIDES, "text", "line", "part"]))
        own = replace(layout, boxes=layout.boxes - [LEFT_AND_UP_PX, LEFT_AND_UP_PX, 0.0, 0.0])
        for name, trial in rows.groupby("file"):
            first = trial.drop_duplicates("timestamp").sort_values("timestamp")
            number = {stamp: i for i, stamp in enumerate(first["timestamp"])}
            named = np.zeros((len(first), len(tokens)), dtype=bool)
            for row in trial.itertuples():
                named[number[row.timestamp]] |= _spelled_there(layout, tokens, row)
            onset = first["timestamp"] / 1000
            yield NamedHits(
                set=folder.name,
                name=str(name),
                fixations=_fixations(
                    onset, onset + first["duration"], first["x_cord"], first["y_cord"]
                ),
                tokens=tokens,
                layout=layout,
                own=(own, "nearest", {"reach_px": 0.0}),
                named=named,
            )


def _corrected(folder: Path) -> "pd.DataFrame":
    """All rows of the corrected trials, sides of the areas by the usual names."""
    import pandas as pd

    files = sorted((folder / "corrected").glob("*/*.csv"))
    if not files:
        raise FormatError(f"{folder} holds no corrected/*/*.csv; expected corrected EMIP trials")
    rows = pd.concat([_table(file).assign(file=file.stem) for file in files], ignore_index=True)
    rows = rows.rename(columns={"aoi_x": "x0", "aoi_y": "y0", "token": "text"})
    return rows.assign(x1=rows["x0"] + rows["aoi_width"], y1=rows["y0"] + rows["aoi_height"])


def _spelled_there(layout: Layout, tokens: SourceTokens, row: Any) -> BoolArray:
    """Tokens whose middle lies in the row's area and that are part of its text, ``(m,)``."""
    middle = np.full((len(tokens), 2), np.nan)
    middle[layout.token] = (layout.boxes[:, :2] + layout.boxes[:, 2:]) / 2
    x, y = middle.T
    here = (row.x0 - 5 < x) & (x < row.x1 + 5) & (row.y0 - 5 < y) & (y < row.y1 + 5)
    spelled = np.array([text.strip('"') in row.text for text in tokens.texts])
    both: BoolArray = here & spelled
    return both


def _table(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        return pd.read_csv(path, keep_default_na=False)
    except OSError as error:
        raise FormatError(f"{path}: no such file; name the folder of the data sets") from error


def _fixations(onset: Any, offset: Any, x: Any, y: Any) -> Events:
    """Events by onset, from columns of a table."""
    columns = [np.asarray(c, dtype=np.float64) for c in (onset, offset, x, y)]
    start, end, at_x, at_y = (c[np.argsort(columns[0], kind="stable")] for c in columns)
    return Events(
        kind=repeated("fixation", len(start)),
        onset_ms=start,
        offset_ms=end,
        xy_px=np.stack([at_x, at_y], axis=1),
    )

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection import detect
from gazecode.errors import DataError, ParameterError
from gazecode.mapping import grid_layout, map_to_tokens
from gazecode.measures import label_transitions, link_following, transitions
from gazecode.measures.passes import find_passes
from gazecode.measures.reading import reading_measures
from gazecode.model import Events, Hits, Layout, SourceTokens
from gazecode.readers import read
from gazecode.source import parse


def hits_of(tokens_in_time, m, duration_ms=None):
    """One fixation each 250 ms; -1 is on no token."""
    n = len(tokens_in_time)
    on = [i for i, t in enumerate(tokens_in_time) if t >= 0]
    return Hits(
        fixation=on,
        token=[tokens_in_time[i] for i in on],
        share=[1.0] * len(on),
        onset_ms=np.arange(n) * 250.0,
        duration_ms=np.full(n, 100.0) if duration_ms is None else duration_ms,
        status=np.array(["token" if t >= 0 else "off" for t in tokens_in_time], dtype=object),
        exposure_ms=np.full(m, 9000.0),
    )


def test_a_sentence_by_hand(source):
    """0 0 2 1 2 3 (off) 3 1: token 1 is skipped at first, then regressed to."""
    tokens = source([0, 0, 0, 1, 1])
    spent = np.array([200.0, 100, 150, 180, 210, 120, 90, 80, 60])
    hits = hits_of([0, 0, 2, 1, 2, 3, -1, 3, 1], 5, spent)
    said = reading_measures(hits, tokens)
    nan = np.nan
    for name, expected in {
        "fixations": [2, 2, 2, 2, 0],
        "total_ms": [300, 240, 360, 200, 0],
        "dwell_ms": [300, 240, 360, 200, 0],
        "visits": [1, 2, 2, 2, 0],
        "revisits": [0, 1, 1, 1, 0],
        "first_fixation_ms": [200, nan, 150, 120, nan],
        "single_fixation_ms": [nan, nan, 150, 120, nan],
        "gaze_ms": [300, nan, 150, 120, nan],
        # From 2 over the regression to 1 and back to 2, until 3; 3 until the end.
        "go_past_ms": [300, nan, 540, 260, nan],
        "go_past_open": [False, False, False, True, False],
        "rereading_ms": [0, 240, 210, 80, 0],
        "skipped": [0, 1, 0, 0, 1],
        "passed": [True, True, True, False, False],
        "regressions_in": [0, 2, 0, 0, 0],
        "regressions_out": [0, 0, 1, 1, 0],
        # The fixation off the code hides where the eyes went after 3.
        "first_pass_regression": [0, nan, 1, nan, nan],
    }.items():
        np.testing.assert_array_equal(getattr(said, name), expected, err_msg=name)
    assert (said.unit, said.order) == ("token", "text")
    assert (said.fixations_all, said.fixations_on_token) == (9, 8)
    assert (said.steps, said.steps_broken) == (6, 2)
    account = said.account()
    assert (account["skip_rate"], account["skip_rate_passed"]) == (2 / 5, 1 / 3)
    assert account["regressions"] == 2
    assert (account["regression_rate"], account["regressions_per_forward"]) == (2 / 6, 2 / 3)
    assert said.defined["gaze_ms"] == 3


def test_lines_in_execution_order(source):
    """Rows 0, 1, 2; executed 2, 0. What is never executed has times and no first pass."""
    tokens = source([0, 0, 1, 2])
    hits = hits_of([3, 0, 1, 2, 3, 0], 4)
    text = reading_measures(hits, tokens, unit="line")
    run = reading_measures(hits, tokens, unit="line", order=[2, 0, 2, 0])
    assert run.order == "given"
    np.testing.assert_array_equal(run.ranked, [True, False, True])
    np.testing.assert_array_equal(text.skipped, [1, 1, 0])
    np.testing.assert_array_equal(run.skipped, [0, np.nan, 0])
    np.testing.assert_array_equal(run.gaze_ms, [200, np.nan, 100])
    np.testing.assert_array_equal(run.total_ms, [300, 100, 200])
    # Row 1 parts no step from a ranked line to another, it ends the chain.
    assert (run.steps, run.regressions_out.sum()) == (3, 0)
    np.testing.assert_array_equal(text.regressions_out, [0, 0, 2])


def test_an_order_ranks_tokens_within_their_lines(source):
    tokens = source([0, 0, 1, 1])
    hits = hits_of([2, 3, 0, 1], 4)
    said = reading_measures(hits, tokens, order=[1, 0])
    assert (said.skipped == 0).all()
    assert said.regressions_in.sum() == 0
    assert reading_measures(hits, tokens).regressions_in.sum() == 1


def by_hand(on, spent, rank, *, bridge, strict):
    """Lists and loops; one unit at a time."""
    path = [(u, d) for u, d in zip(on, spent, strict=True) if u >= 0 or not bridge]
    said = []
    for u, r in enumerate(rank):
        mine = [i for i, (v, _) in enumerate(path) if v == u]
        one = {"count": len(mine), "total_ms": sum(path[i][1] for i in mine), "has": False}
        one["visits"] = sum(1 for i in mine if i == 0 or path[i - 1][0] != u)
        one |= {"gaze_ms": math.nan, "first_ms": math.nan, "go_past_ms": math.nan, "length": 0}
        later = [i for i, (v, _) in enumerate(path) if v >= 0 and rank[v] > r]
        one["passed"] = bool(r >= 0 and later)
        if mine and r >= 0 and not (strict and any(i < mine[0] for i in later)):
            i = mine[0]
            later = [k for k in later if k > i]
            one |= {"has": True, "first_ms": path[i][1], "gaze_ms": 0.0}
            while i < len(path) and path[i][0] == u:
                one["gaze_ms"] += path[i][1]
                one["length"] += 1
                i += 1
            stop = later[0] if later else len(path)
            if r >= 0:
                one["go_past_ms"] = sum(d for v, d in path[mine[0] : stop] if v >= 0)
        steps = [
            (a, b)
            for (a, _), (b, _) in pairwise(path)
            if min(a, b) >= 0 and min(rank[a], rank[b]) >= 0
        ]
        one["regressions_in"] = sum(b == u and rank[a] > rank[b] for a, b in steps)
        one["regressions_out"] = sum(a == u and rank[a] > rank[b] for a, b in steps)
        said.append(one)
    return said


@given(
    st.integers(1, 5).flatmap(
        lambda m: st.tuples(
            st.lists(st.integers(-1, m - 1), max_size=15), st.permutations([*range(m)])
        )
    ),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
)
def test_passes_against_loops(path, n_unranked, bridge, strict):
    on, order = path
    rank = np.array(order) - n_unranked  # Some below 0.
    spent = np.random.default_rng(len(on)).integers(1, 9, len(on)).astype(float)
    found = find_passes(np.array(on, dtype=int), spent, rank, bridge=bridge, strict=strict)
    slow = by_hand(on, spent.tolist(), rank.tolist(), bridge=bridge, strict=strict)
    for u, one in enumerate(slow):
        for name, value in one.items():
            assert getattr(found, name)[u] == pytest.approx(value, nan_ok=True), (u, name)


@given(
    st.integers(0, 10**6),
    st.lists(st.integers(0, 4), min_size=1, max_size=7),
    st.sampled_from(["token", "line"]),
    st.sampled_from([None, [0, 1, 2, 3, 4], [2, 0, 2]]),
    st.tuples(st.booleans(), st.sampled_from(["order", "visit"])),
)
def test_laws(source, reading, seed, rows, unit, order, rules):  # noqa: PLR0917
    tokens = source(rows)
    hits = reading(seed, len(rows))
    bridge, first_run = rules
    said = reading_measures(
        hits, tokens, unit=unit, order=order, bridge=bridge, first_run=first_run
    )
    read_first = ~np.isnan(said.gaze_ms)
    # Total is the first pass and what was read again; no time is made or lost.
    np.testing.assert_allclose(said.total_ms, np.nan_to_num(said.gaze_ms) + said.rereading_ms)
    assert (said.rereading_ms >= -1e-9).all()
    on_token = (hits.status == "token").sum()
    assert said.fixations.sum() == said.fixations_on_token == on_token
    np.testing.assert_allclose(
        said.total_ms.sum(), hits.duration_ms[hits.status == "token"].sum(), atol=1e-9
    )
    np.testing.assert_allclose(
        said.dwell_ms.sum(), (hits.share * hits.duration_ms[hits.fixation]).sum(), atol=1e-9
    )
    # Skipped, or fixated in a first pass: one of the two, wherever it is defined.
    known = ~np.isnan(said.skipped)
    np.testing.assert_array_equal(known, said.exposed & said.ranked)
    np.testing.assert_array_equal((said.skipped == 0)[known], read_first[known])
    assert (said.first_fixation_ms[read_first] <= said.gaze_ms[read_first] + 1e-9).all()
    past = read_first & said.ranked
    assert (said.gaze_ms[past] <= said.go_past_ms[past] + 1e-9).all()
    if first_run == "visit":
        np.testing.assert_array_equal(read_first, (said.fixations > 0) & said.ranked)
    single = ~np.isnan(said.single_fixation_ms)
    np.testing.assert_array_equal(said.single_fixation_ms[single], said.gaze_ms[single])
    assert said.regressions_in.sum() == said.regressions_out.sum() <= said.steps
    assert (said.visits <= said.fixations).all()
    np.testing.assert_array_equal(said.visits - said.revisits, said.fixations > 0)
    if not bridge:
        assert said.steps + said.steps_broken == max(hits.n_fixations - 1, 0)
    frame = said.to_frame()
    assert len(frame) == len(said)


@given(st.integers(0, 10**6), st.lists(st.integers(0, 4), min_size=1, max_size=7))
def test_text_order_may_be_said(source, reading, seed, rows):
    tokens, hits = source(rows), reading(seed, len(rows))
    a = reading_measures(hits, tokens).to_frame()
    b = reading_measures(hits, tokens, order=range(5)).to_frame()
    assert a.drop(columns="order").equals(b.drop(columns="order"))


def test_where_the_eyes_landed():
    tokens = parse("int width = 10;\nint h;\n", language="java")
    layout = grid_layout(
        tokens, origin_px=(100, 50), char_width_px=10, line_height_px=20, tab_width=4
    )
    fixations = Events(
        kind=["fixation"] * 3,
        onset_ms=[0, 300, 600],
        offset_ms=[200, 500, 800],
        # On "width" (columns 4 to 9), then on "h" (column 4), then on "width" again.
        xy_px=[[165, 60], [145, 80], [141, 60]],
    )
    hits = map_to_tokens(fixations, layout, method="nearest")
    said = reading_measures(hits, tokens, fixations=fixations, layout=layout)
    width, h = tokens.texts.index("width"), tokens.texts.index("h")
    assert said.landing_chars[width] == pytest.approx(2.5)
    assert said.landing_share[width] == pytest.approx(0.5)
    assert said.landing_chars[h] == pytest.approx(0.5)
    assert said.defined["landing_chars"] == 2
    lines = reading_measures(hits, tokens, unit="line", fixations=fixations, layout=layout)
    np.testing.assert_allclose(lines.landing_chars, [6.5, 4.5])
    np.testing.assert_allclose(lines.landing_share, [6.5 / 15, 4.5 / 6])


def test_landing_under_a_scroll():
    from dataclasses import replace

    tokens = parse("width;\n", language="java")
    layout = grid_layout(tokens, origin_px=(0, 0), char_width_px=10, line_height_px=20, tab_width=4)
    layout = replace(layout, scroll_t_ms=[100.0], scroll_px=[[20.0, 0.0]])
    fixations = Events(kind=["fixation"], onset_ms=[200], offset_ms=[400], xy_px=[[5, 10]])
    hits = map_to_tokens(fixations, layout, method="nearest")
    said = reading_measures(hits, tokens, fixations=fixations, layout=layout)
    assert said.landing_chars[0] == pytest.approx(2.5)


def test_refusals(source):
    tokens, hits = source([0, 0]), hits_of([0], 2)
    with pytest.raises(ParameterError, match="no 'word' in units; choose from: line, token"):
        reading_measures(hits, tokens, unit="word")
    with pytest.raises(ParameterError, match="no 'any' in first runs; choose from: order, visit"):
        reading_measures(hits, tokens, first_run="any")
    with pytest.raises(DataError, match="hits are on 2 tokens, the source has 3"):
        reading_measures(hits, source([0, 0, 0]))
    with pytest.raises(DataError, match="order holds no line"):
        reading_measures(hits, tokens, order=[])
    with pytest.raises(DataError, match="need both fixations and layout"):
        reading_measures(hits, tokens, fixations=Events.empty())


def test_no_token_and_no_fixation(source):
    empty = source([])
    assert isinstance(empty, SourceTokens)
    assert len(reading_measures(hits_of([-1], 0), empty)) == 0
    said = reading_measures(hits_of([], 2), source([0, 0]), unit="line")
    assert said.skipped.tolist() == [1.0]
    assert said.account()["regression_rate"] is None


@pytest.mark.real
def test_a_reader_of_a_class(shared_data):
    """`Vehicle` of Peitek et al. 2020, on the grid measured in its images."""
    home = shared_data / "linearity-peitek2020"
    (file,) = home.glob("raw_data/*/Trial_24aed847*/GazeData_*.csv")
    recording = read(file)
    (trial,) = [t for t in recording.trials if t.name == "Vehicle"]
    code = home / "1_stimuli" / "Snippets" / "Vehicle_edited.java"
    tokens = parse(code.read_bytes(), language="java", source_id="Vehicle")
    layout = grid_layout(
        tokens,
        origin_px=(575.2, 93.7),
        char_width_px=13.467,
        line_height_px=28.79,
        tab_width=4,
    )
    events = detect(recording.gaze, "ivt", breaks_ms=[trial.onset_ms, trial.offset_ms])
    inside = (events.onset_ms >= trial.onset_ms) & (events.onset_ms < trial.offset_ms)
    fixations = events[inside].of("fixation")
    hits = map_to_tokens(fixations, layout, method="nearest")
    for unit in ("token", "line"):
        said = reading_measures(hits, tokens, unit=unit, fixations=fixations, layout=layout)
        np.testing.assert_allclose(
            said.total_ms.sum(), hits.duration_ms[hits.status == "token"].sum()
        )
        np.testing.assert_allclose(said.total_ms, np.nan_to_num(said.gaze_ms) + said.rereading_ms)
        account = said.account()
        # Code is read with jumps: hardly anything is read once and from top to bottom.
        assert 0.2 < account["regression_rate"] < 0.6
        assert account["regressions_per_forward"] > 0.6
        assert account["skip_rate"] > 0.3
        landed = said.landing_share[~np.isnan(said.landing_share)]
        assert len(landed) == said.defined["gaze_ms"]
        assert 0 < np.median(landed) < 1
    links = link_following(hits, tokens)
    assert links.steps == transitions(hits).count.sum()
    assert links.links == 2 * len(tokens.links) > 0
    labels = label_transitions(transitions(hits), tokens)
    assert labels.left_out + labels.transitions.count.sum() == links.steps


def test_no_fixation_at_all_leaves_every_measure_empty():
    nothing = Events.empty()
    tokens = SourceTokens(
        language="java",
        source_id="A",
        code=b"a b",
        span=[[0, 1], [2, 3]],
        row=[0, 0],
        column=[0, 2],
        kind=["identifier"] * 2,
        path=((),) * 2,
        label=[""] * 2,
    )
    layout = Layout(
        boxes=[[0, 0, 9, 9], [20, 0, 29, 9]],
        token=[0, 1],
        line=[0, 0],
        n_tokens=2,
        line_height_px=9,
    )
    hits = map_to_tokens(nothing, layout)
    for unit in ("token", "line"):
        found = reading_measures(hits, tokens, unit=unit, fixations=nothing, layout=layout)
        assert found.fixations.sum() == 0
        assert np.isnan(found.first_fixation_ms).all()


def test_a_unit_outside_the_order_has_no_first_pass_in_any_mode():
    tokens = SourceTokens(
        language="java",
        source_id="A",
        code=b"a\nb",
        span=[[0, 1], [2, 3]],
        row=[0, 1],
        column=[0, 0],
        kind=["identifier"] * 2,
        path=((),) * 2,
        label=[""] * 2,
    )
    hits = Hits(
        fixation=[0, 1],
        token=[0, 1],
        share=[1.0, 1.0],
        onset_ms=[0, 300],
        duration_ms=[200, 200],
        status=["token"] * 2,
        exposure_ms=[500, 500],
    )
    found = reading_measures(hits, tokens, order=[1], first_run="visit")
    assert np.isnan(found.first_fixation_ms).tolist() == [True, False]
    assert np.isnan(found.gaze_ms).tolist() == [True, False]

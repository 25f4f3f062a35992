"""The null: its laws, a loop as oracle, and what it costs."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError, ParameterError
from gazecode.mapping import chance_hits, map_to_tokens
from gazecode.model import Events, Hits, Layout
from gazecode.model.fixated import fixated, fixation_counts, largest_shares

METHODS = [("nearest", {}), ("nearest", {"reach_px": 3}), ("disc", {}), ("gaussian", {"sd_px": 15})]


def layout_of(words=6, lines=5, *, seed=0, **more):
    """Ragged lines of words of uneven length; the last token was never shown."""
    rng = np.random.default_rng(seed)
    boxes, line = [], []
    for row in range(lines):
        x = 100.0 + 30 * rng.integers(3)
        for _ in range(int(rng.integers(1, words + 1))):
            width = 12.0 * rng.integers(1, 9)
            boxes.append([x, 50.0 + 30 * row, x + width, 80.0 + 30 * row])
            line.append(row)
            x += width + 12 * rng.integers(0, 3)
    n = len(boxes)
    return Layout(
        boxes=boxes, token=np.arange(n), line=line, n_tokens=n + 1, line_height_px=30.0, **more
    )


def fixations_at(xy):
    onset = np.arange(len(xy)) * 300.0
    return Events(kind=["fixation"] * len(xy), onset_ms=onset, offset_ms=onset + 250, xy_px=xy)


def gaze_on(layout, n, seed=1):
    rng = np.random.default_rng(seed)
    low, high = layout.boxes[:, :2].min(axis=0), layout.boxes[:, 2:].max(axis=0)
    return fixations_at(low + rng.random((n, 2)) * (high - low))


def by_loop(fixations, layout, *, method, n_shifts, seed, **params):
    """One shift after the other through the mapper itself."""
    hits = map_to_tokens(fixations, layout, method, **params)
    window = layout.viewport_px
    if window is not None and len(layout.scroll_t_ms):
        low, high = np.array(window[:2]), np.array(window[2:])
    else:
        low, high = layout.boxes[:, :2].min(axis=0), layout.boxes[:, 2:].max(axis=0)
    on = np.isin(hits.status.astype(str), ["token", "between"])
    count = np.zeros(layout.n_tokens)
    for step in np.random.default_rng(seed).random((n_shifts, 2)) * (high - low):
        xy = np.where(on[:, None], np.clip(fixations.xy_px, low, high), np.nan)
        moved = (xy - low + step) % (high - low) + low
        shifted = map_to_tokens(replace(fixations, xy_px=moved), layout, method, **params)
        for token in range(layout.n_tokens):
            count[token] += _counts_for(shifted, token)
    return np.where(hits.exposed, count / n_shifts, np.nan)


def _counts_for(hits, token):
    for fixation in set(hits.fixation[hits.token == token].tolist()):
        mine = hits.fixation == fixation
        if hits.token[mine][np.argmax(hits.share[mine])] == token:
            return True
    return False


@pytest.mark.parametrize(("method", "params"), METHODS)
def test_it_equals_a_loop_over_shifts(method, params):
    layout = layout_of()
    xy = np.concatenate([gaze_on(layout, 25).xy_px, [[90, 45], [5, 5], [np.nan] * 2, [2000, 60]]])
    said = {"method": method, "n_shifts": 12, "seed": 3, **params}
    got = chance_hits(fixations_at(xy), layout, **said)
    assert np.array_equal(got, by_loop(fixations_at(xy), layout, **said), equal_nan=True)


@pytest.mark.parametrize(("method", "params"), METHODS)
def test_it_equals_a_loop_where_the_text_scrolls(method, params):
    layout = layout_of(
        lines=12,
        scroll_t_ms=[1000.0, 4000.0],
        scroll_px=[[0.0, 60.0], [0.0, 130.0]],
        viewport_px=(80.0, 40.0, 700.0, 190.0),
    )
    rng = np.random.default_rng(5)
    fixations = fixations_at(rng.random((25, 2)) * [700, 200] + [60, 20])
    said = {"method": method, "n_shifts": 8, "seed": 3, **params}
    got = chance_hits(fixations, layout, **said)
    expected = by_loop(fixations, layout, **said)
    # A loop through the mapper asks for the status again; the middle of a blank line is the same.
    assert np.array_equal(got, expected, equal_nan=True)
    assert 0 < np.nanmean(got) < 1


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_shares_between_0_and_1_and_nan_for_what_was_not_shown(seed, n):
    layout = layout_of(seed=seed % 7)
    got = chance_hits(gaze_on(layout, n, seed), layout, n_shifts=20, seed=seed)
    shown = got[:-1]
    assert np.isnan(got[-1])
    # Without a fixation nothing is known to have been on the screen.
    assert np.isnan(shown).all() if n == 0 else ((shown >= 0) & (shown <= 1)).all()


def test_uniform_gaze_gets_what_chance_gives():
    layout = layout_of()
    observed, chance = [], []
    for seed in range(300):
        fixations = gaze_on(layout, 12, seed)
        observed.append(fixated(map_to_tokens(fixations, layout)))
        chance.append(chance_hits(fixations, layout, n_shifts=50, seed=seed))
    got, expected = np.mean(observed, axis=0)[:-1], np.mean(chance, axis=0)[:-1]
    error = np.sqrt(expected * (1 - expected) / 300)
    print(f"uniform gaze: observed {got.mean():.4f}, chance {expected.mean():.4f}")
    assert got.mean() == pytest.approx(expected.mean(), abs=3 * error.mean() / np.sqrt(len(got)))
    assert (np.abs(got - expected) < 4 * error + 1e-3).all()


def test_it_depends_on_the_seed_alone_and_not_on_order():
    layout, other = layout_of(), layout_of(seed=4)
    fixations = gaze_on(layout, 20)
    first = chance_hits(fixations, layout, seed=11)
    chance_hits(gaze_on(other, 9), other, seed=5)
    assert np.array_equal(first, chance_hits(fixations, layout, seed=11), equal_nan=True)
    assert not np.array_equal(first, chance_hits(fixations, layout, seed=12), equal_nan=True)


def test_gaze_off_the_code_stays_off_and_adds_nothing():
    layout = layout_of()
    fixations = gaze_on(layout, 10)
    far = fixations_at(np.concatenate([fixations.xy_px, np.full((30, 2), 5000.0)]))
    one, more = (chance_hits(f, layout, seed=1) for f in (fixations, far))
    assert np.array_equal(one, more, equal_nan=True)
    nothing = chance_hits(fixations_at(np.full((3, 2), 5000.0)), layout)
    assert (nothing[:-1] == 0).all()


def test_a_layout_without_boxes_has_nothing_to_hit():
    empty = Layout(boxes=[], token=[], line=[], n_tokens=2, line_height_px=20)
    assert np.isnan(chance_hits(fixations_at([[1.0, 1.0]]), empty)).all()


def test_a_window_beside_the_text_shows_nothing_to_hit():
    layout = layout_of(viewport_px=(60.0, 20.0, 95.0, 49.0))
    assert np.isnan(chance_hits(fixations_at([[80.0, 45.0]]), layout)).all()


def test_a_window_on_text_that_stands_still_cuts_the_area_to_it():
    window = (100.0, 50.0, 220.0, 110.0)
    layout = layout_of(viewport_px=window)
    low = np.maximum(layout.boxes[:, :2], window[:2])
    high = np.minimum(layout.boxes[:, 2:], window[2:])
    seen = (low < high).all(axis=1)
    # The same text without what the window cuts off; off stays off either way.
    cut = replace(
        layout,
        boxes=np.concatenate([low, high], axis=1)[seen],
        token=layout.token[seen],
        line=layout.line[seen],
        viewport_px=None,
    )
    fixations = gaze_on(layout, 400)
    inside = fixations[
        ((fixations.xy_px >= window[:2]) & (fixations.xy_px < window[2:])).all(axis=1)
    ]
    got, expected = (chance_hits(inside, each, n_shifts=50) for each in (layout, cut))
    shown = np.isfinite(got) & np.isfinite(expected)
    assert shown.sum() > 1
    assert np.array_equal(got[shown], expected[shown])


def test_longer_tokens_are_hit_more_by_chance():
    layout = layout_of(words=8, lines=8)
    chance = chance_hits(gaze_on(layout, 15), layout, n_shifts=1000)[:-1]
    width = layout.boxes[:, 2] - layout.boxes[:, 0]
    assert np.corrcoef(width, chance)[0, 1] > 0.7


@pytest.mark.parametrize("n", [0, -3, 1.5, "many"])
def test_a_wrong_number_of_shifts_is_refused(n):
    with pytest.raises(ParameterError, match="expected a whole number of at least 1"):
        chance_hits(fixations_at([[1.0, 1.0]]), layout_of(), n_shifts=n)


def test_parameters_are_the_mappers():
    with pytest.raises(ParameterError, match="nearest has no parameter"):
        chance_hits(fixations_at([[1.0, 1.0]]), layout_of(), radius=3)


def test_a_trial_of_300_fixations_is_cheap():
    layout = layout_of(words=12, lines=30)
    fixations = gaze_on(layout, 300)
    chance_hits(fixations, layout)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        chance_hits(fixations, layout)
        times.append(time.perf_counter() - start)
    print(f"chance: {min(times) * 1e3:.0f} ms for 300 fixations, {len(layout)} boxes, 200 shifts")
    # 60 ms is the aim; a busy machine gets some room.
    assert min(times) < 0.18


def test_a_fixation_counts_once_for_the_largest_share_and_the_first_of_equals():
    hits = Hits(
        fixation=[0, 0, 1, 1, 3],
        token=[0, 2, 1, 2, 2],
        share=[0.4, 0.4, 0.1, 0.5, 0.2],
        onset_ms=[0, 1, 2, 3],
        duration_ms=[1] * 4,
        status=["token", "token", "off", "token"],
        exposure_ms=[9, 9, 9],
    )
    assert fixation_counts(hits).tolist() == [1, 0, 2]
    assert fixated(hits).tolist() == [True, False, True]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.1, 0.3])), unique_by=lambda r: r[:2]))  # fmt: skip
def test_largest_shares_equal_a_loop(rows):
    fixation, token, share = (np.array(c) for c in zip(*rows, strict=True)) if rows else ((np.empty(0, int),) * 3)  # fmt: skip
    got = {(int(fixation[i]), int(token[i])) for i in largest_shares(fixation, token, share)}
    best = {}
    for f, t, s in rows:
        if f not in best or (-s, t) < best[f]:
            best[f] = (-s, t)
    assert got == {(f, t) for f, (_, t) in best.items()}


@pytest.mark.parametrize("chance", [[0.5], [0.5, 1.5], [-0.1, 0.0]])
def test_hits_refuse_a_chance_that_is_no_share(chance):
    hits = map_to_tokens(fixations_at([[5.0, 5.0]]), Layout(boxes=[[0, 0, 9, 9]], token=[0], line=[0], n_tokens=2, line_height_px=9))  # fmt: skip
    with pytest.raises(DataError):
        replace(hits, chance=chance)
    assert replace(hits, chance=[0.5, np.nan]).chance[0] == 0.5

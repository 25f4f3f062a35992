"""Rules by name: against loops over events, with invariants, and worked examples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazecode.detection import RULES, apply_rules, detect
from gazecode.detection.rules import (
    absorb_short,
    drop_short,
    lay_blinks,
    merge_fixations,
    merge_saccades,
)
from gazecode.errors import DataError, ParameterError
from gazecode.model import Events, Samples

CLOCKS = ("regular", "rounded", "jittered", "gapped", "bursts")
KINDS = ("fixation", "saccade", "pso", "blink", "pursuit", "undefined")


def random_events(samples, parts, ends, seed):
    """Events over random stretches that cross no gap or break; some touch."""
    rng = np.random.default_rng(seed)
    n, at, rows = len(samples), 0, []
    while at < n:
        length = int(rng.integers(1, 12))
        stop = min(at + length, n)
        stop = next((j for j in range(at + 1, stop) if parts[j] != parts[at]), stop)
        lost = samples.lost
        if rng.random() < 0.8 and not lost[at] and not lost[stop - 1]:
            rows.append((str(rng.choice(KINDS, p=[0.4, 0.25, 0.1, 0.1, 0.05, 0.1])), at, stop))
        at = stop
    first, last = ([row[k] for row in rows] for k in (1, 2))
    return Events(
        kind=[row[0] for row in rows],
        onset_ms=samples.t_ms[first] if rows else [],
        offset_ms=[ends[b - 1] for b in last],
        xy_px=np.full((len(rows), 2), np.nan),
        first=first,
        last=last,
    )


def slow_parts(samples, breaks_ms):
    t = samples.t_ms
    usual = float(np.median(np.diff(t))) if len(t) > 1 else math.inf
    breaks = [*samples.breaks_ms.tolist(), *breaks_ms]
    part, number = [], 0
    for i in range(len(t)):
        if i:
            number += t[i] - t[i - 1] > max(3 * usual, 75.0) + 1e-6 or any(
                t[i - 1] < b <= t[i] for b in breaks
            )
        part.append(int(number))
    return part


@pytest.fixture(scope="session")
def case(clip, slow_runs):
    def make(seed, clock):
        samples = clip(seed, clock, "some")
        breaks = (
            [float(samples.t_ms[len(samples) // 2]) + 0.05] if len(samples) and seed % 3 else []
        )
        _, ends = slow_runs(samples, breaks)
        parts = slow_parts(samples, breaks)
        return samples, random_events(samples, parts, ends, seed), breaks, parts, ends

    return make


def rows_of(events):
    return list(zip(events.kind, events.first.tolist(), events.last.tolist(), strict=True))


def check_invariants(events, samples, parts, ends):
    for _, a, b in rows_of(events):
        assert 0 <= a < b <= len(samples)
        assert parts[a] == parts[b - 1]
    assert (events.first[1:] >= events.last[:-1]).all()
    assert events.onset_ms.tolist() == [samples.t_ms[a] for _, a, _ in rows_of(events)]
    assert events.offset_ms.tolist() == [ends[b - 1] for _, _, b in rows_of(events)]


def slow_merge_fixations(rows, samples, ends, parts, *, merge_gap_ms, merge_angle_deg):
    def mean(a, b):
        return np.nanmean(samples.xy_px[a:b], axis=0) / 40.0

    out = []
    for kind, a, b in rows:
        k = max((i for i, row in enumerate(out) if row[0] == "fixation"), default=None)
        joins = (
            kind == "fixation"
            and k is not None
            and not any(row[0] == "blink" for row in out[k + 1 :])
            and parts[out[k][1]] == parts[a]
            and samples.t_ms[a] - ends[out[k][2] - 1] <= merge_gap_ms + 1e-6
            and np.hypot(*(mean(a, b) - mean(*out[k][1:]))) <= merge_angle_deg + 1e-9
        )
        if joins:
            out[k:] = [("fixation", out[k][1], b)]
        else:
            out.append((kind, a, b))
    return out


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    merge_gap_ms=st.sampled_from([0.0, 30.0, 75.0]),
    merge_angle_deg=st.sampled_from([0.0, 0.5, 5.0]),
)
def test_merging_fixations_equals_a_loop(case, *, seed, clock, merge_gap_ms, merge_angle_deg):
    samples, events, breaks, parts, ends = case(seed, clock)
    limits = {"merge_gap_ms": merge_gap_ms, "merge_angle_deg": merge_angle_deg}
    merged = merge_fixations(events, samples, breaks_ms=breaks, **limits)
    check_invariants(merged, samples, parts, ends)
    assert rows_of(merged) == slow_merge_fixations(rows_of(events), samples, ends, parts, **limits)
    for (kind, a, b), place in zip(rows_of(merged), merged.xy_px, strict=True):
        if kind == "fixation":
            assert place == pytest.approx(np.nanmean(samples.xy_px[a:b], axis=0))


def slow_merge_saccades(rows, samples, ends, parts, merge_gap_ms):
    out = []
    for kind, a, b in rows:
        k = max((i for i, row in enumerate(out) if row[0] == "saccade"), default=None)
        joins = (
            kind == "saccade"
            and k is not None
            and all(row[0] in ("pso", "undefined") for row in out[k + 1 :])
            and parts[out[k][1]] == parts[a]
            and samples.t_ms[a] - ends[out[k][2] - 1] <= merge_gap_ms + 1e-6
        )
        if joins:
            out[k:] = [("saccade", out[k][1], b)]
        else:
            out.append((kind, a, b))
    return out


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    merge_gap_ms=st.sampled_from([0.0, 20.0, 60.0]),
)
def test_merging_saccades_equals_a_loop(case, *, seed, clock, merge_gap_ms):
    samples, events, breaks, parts, ends = case(seed, clock)
    merged = merge_saccades(events, samples, breaks_ms=breaks, merge_gap_ms=merge_gap_ms)
    check_invariants(merged, samples, parts, ends)
    expected = slow_merge_saccades(rows_of(events), samples, ends, parts, merge_gap_ms)
    assert rows_of(merged) == expected


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    kind=st.sampled_from(["saccade", "pso", "fixation"]),
    max_duration_ms=st.sampled_from([5.0, 20.0, 1e3]),
)
def test_absorbing_equals_a_loop(case, *, seed, clock, kind, max_duration_ms):
    samples, events, breaks, parts, ends = case(seed, clock)
    found = absorb_short(
        events, samples, breaks_ms=breaks, kind=kind, max_duration_ms=max_duration_ms
    )
    check_invariants(found, samples, parts, ends)
    rows = rows_of(events)
    expected = [rows[0]] if rows else []
    for i in range(1, len(rows)):

        def absorbed(j):
            if not 0 < j < len(rows) - 1:
                return False
            (before, _, end), (name, a, b), (after, begin, _) = rows[j - 1 : j + 2]
            return (
                name == kind != before == after != "blink"
                and (end, b) == (a, begin)
                and parts[end - 1] == parts[a] == parts[begin]
                and ends[b - 1] - samples.t_ms[a] <= max_duration_ms + 1e-6
            )

        if absorbed(i) or absorbed(i - 1):
            expected[-1] = (expected[-1][0], expected[-1][1], rows[i][2])
        else:
            expected.append(rows[i])
    assert rows_of(found) == expected


def slow_growth(shut, movers, parts):
    shut = [list(piece) for piece in shut]
    grew = True
    while grew:
        grew = False
        for piece in shut:
            for a, b in [*movers, *shut]:
                touches = a <= piece[1] and piece[0] <= b and parts[a] == parts[piece[0]]
                if touches and (a < piece[0] or b > piece[1]):
                    piece[:] = [min(piece[0], a), max(piece[1], b)]
                    grew = True
    return {tuple(piece) for piece in shut}


def slow_pieces(a, b, hidden, lost):
    """What is left of an event, sample by sample."""
    pieces = [[]]
    for i in range(a, b):
        if i in hidden:
            pieces.append([])
        else:
            pieces[-1].append(i)
    for piece in pieces:
        while piece and piece[0] != a and lost[piece[0]]:
            piece.pop(0)
        while piece and piece[-1] != b - 1 and lost[piece[-1]]:
            piece.pop()
    return [(piece[0], piece[-1] + 1) for piece in pieces if piece]


def slow_lay(rows, shut, samples, ends, parts, *, min_duration_ms):
    movers = [(a, b) for kind, a, b in rows if kind in ("saccade", "pso")]
    shut = slow_growth(shut, movers, parts)
    hidden = {i for a, b in shut for i in range(a, b)}
    out = [("blink", a, b) for a, b in shut]
    for kind, a, b in rows:
        if not hidden & set(range(a, b)):
            out.append((kind, a, b))
        elif kind not in ("saccade", "pso", "blink"):
            left = slow_pieces(a, b, hidden, samples.lost)
            out += [
                (kind, c, d)
                for c, d in left
                if ends[d - 1] - samples.t_ms[c] >= min_duration_ms - 1e-6
            ]
    return sorted(out, key=lambda row: row[1])


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(CLOCKS),
    min_duration_ms=st.sampled_from([0.0, 30.0]),
)
def test_laying_blinks_equals_a_loop(case, *, seed, clock, min_duration_ms):
    samples, events, breaks, parts, ends = case(seed, clock)
    other = random_events(samples, parts, ends, seed + 1)
    blinks = other[np.flatnonzero(other.kind == "saccade")]
    blinks = Events(
        kind=["blink"] * len(blinks),
        onset_ms=blinks.onset_ms,
        offset_ms=blinks.offset_ms,
        xy_px=blinks.xy_px,
        first=blinks.first,
        last=blinks.last,
    )
    found = lay_blinks(
        events, samples, blinks=blinks, breaks_ms=breaks, min_duration_ms=min_duration_ms
    )
    check_invariants(found, samples, parts, ends)
    shut = [row[1:] for row in rows_of(blinks)]
    expected = slow_lay(
        rows_of(events), shut, samples, ends, parts, min_duration_ms=min_duration_ms
    )
    assert rows_of(found) == expected


@given(seed=st.integers(0, 2**32 - 1), limit=st.sampled_from([0.0, 20.0, 50.0]))
def test_dropping_keeps_what_is_long_enough_and_all_other_kinds(case, *, seed, limit):
    samples, events, *_ = case(seed, "jittered")
    kept = drop_short(events, samples, kind="saccade", min_duration_ms=limit)
    mask = (events.kind != "saccade") | (events.duration_ms >= limit - 1e-6)
    assert rows_of(kept) == [row for row, stays in zip(rows_of(events), mask, strict=True) if stays]


def test_rules_run_in_order():
    x = np.repeat([0.0, 80.0, 0.0], [10, 4, 10])
    samples = Samples(t_ms=np.arange(24) * 5.0, xy_px=np.stack([x, x], axis=1))
    events = detect(samples, "ivt", merge_gap_ms=0.0, min_duration_ms=0.0)
    merge, drop = "merge_fixations", ("drop_short", {"min_duration_ms": 60.0})
    assert apply_rules(events, samples, [merge, drop]).of("fixation").last.tolist() == [24]
    assert len(apply_rules(events, samples, [drop, merge]).of("fixation")) == 0
    assert apply_rules(events, samples, []) is events


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_takes_no_events(name):
    nothing = Samples(t_ms=[], xy_px=np.empty((0, 2)))
    assert len(RULES[name](Events.empty(), nothing)) == 0


@pytest.mark.parametrize("method", ["ivt", "ivt_hysteresis"])
@pytest.mark.parametrize("name", sorted(RULES))
def test_rules_that_find_nothing_to_do_change_nothing(scene, name, method):
    """Two fixations more than a degree apart, no blink, nothing short."""
    truth = scene(5, 40)
    samples = truth.record(500, noise_deg=0.01)
    events = detect(samples, method, px_per_deg=truth.px_per_deg)
    same = RULES[name](events, samples, px_per_deg=truth.px_per_deg)
    assert same.to_frame().equals(events.to_frame())


def test_a_blink_takes_the_saccades_around_it():
    x = np.concatenate(
        [np.full(50, 300), [340, 380], np.full(30, np.nan), [380, 340], np.full(50, 300)]
    )
    samples = Samples(t_ms=np.arange(134) * 4.0, xy_px=np.stack([x, x], axis=1))
    events = detect(samples, "ivt")
    assert events.kind.tolist() == ["fixation", "saccade", "saccade", "fixation"]
    laid = lay_blinks(events, samples)
    assert laid.kind.tolist() == ["fixation", "blink", "fixation"]
    assert laid.first.tolist() == [0, *events.of("saccade").first[:1], events.last[2]]


def test_merging_never_crosses_a_break_or_a_blink():
    samples = Samples(t_ms=np.arange(60) * 5.0, xy_px=np.full((60, 2), 9.0))
    whole = detect(samples, "ivt", breaks_ms=[150.0], min_duration_ms=0.0)
    assert len(merge_fixations(whole, samples, breaks_ms=[150.0])) == 2
    assert len(merge_fixations(whole, samples)) == 1


def test_refuses_events_it_cannot_place():
    samples = Samples(t_ms=np.arange(10.0), xy_px=np.zeros((10, 2)))
    bare = Events(kind=["fixation"], onset_ms=[0.0], offset_ms=[5.0], xy_px=[[0, 0]])
    with pytest.raises(DataError, match="do not say which samples they hold"):
        merge_fixations(bare, samples)
    other = Events(
        kind=["fixation"], onset_ms=[0.5], offset_ms=[5.0], xy_px=[[0, 0]], first=[0], last=[5]
    )
    with pytest.raises(DataError, match="begin at other times than the samples"):
        merge_saccades(other, samples)
    both = Events(
        kind=["fixation"] * 2, onset_ms=[0, 3], offset_ms=[5, 6], xy_px=np.zeros((2, 2)),
        first=[0, 3], last=[5, 6],
    )  # fmt: skip
    with pytest.raises(DataError, match="events 0 and 1 overlap"):
        drop_short(both, samples)


def test_refuses_unknown_names_and_values_out_of_range():
    samples = Samples(t_ms=np.arange(10.0), xy_px=np.zeros((10, 2)))
    for rules in (["merge"], [("drop_short", {"min_ms": 3})], [("drop_short", {"kind": "nap"})]):
        with pytest.raises(ParameterError):
            apply_rules(Events.empty(), samples, rules)
    with pytest.raises(ParameterError, match="drop_short has no parameter screen"):
        apply_rules(Events.empty(), samples, [("drop_short", {"screen": None})])
    with pytest.raises(ParameterError, match="merge_gap_ms is -1; expected 0 or more"):
        merge_fixations(Events.empty(), samples, merge_gap_ms=-1)


@pytest.mark.parametrize("wrong", ["merge_fixations", ["x", 3], [("drop_short",)], None, 3])
def test_rules_that_are_no_list_of_rules_are_refused_in_one_line(wrong):
    samples = Samples(t_ms=np.arange(50) * 4.0, xy_px=np.full((50, 2), 300.0))
    with pytest.raises(ParameterError, match=r"rules is .*expected a list of names|no 'x' in"):
        detect(samples, rules=wrong)


def test_blinks_of_a_rule_are_events_and_huge_windows_are_no_crash():
    samples = Samples(t_ms=np.arange(50) * 4.0, xy_px=np.full((50, 2), 300.0))
    with pytest.raises(ParameterError, match="blinks is 'pupil'; expected events"):
        detect(samples, rules=[("lay_blinks", {"blinks": "pupil"})])
    with pytest.raises(ParameterError, match="breaks_ms is 'a'"):
        detect(samples, breaks_ms="a")
    for method in ("larsson", "ihmm", "nystrom_holmqvist", "engbert_kliegl", "ivt_hysteresis"):
        detect(samples, method, velocity_window_ms=1e300)

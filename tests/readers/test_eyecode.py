"""eyeCode XML: trials on one clock, vendor events half-open, text and boxes in the recording."""

import base64
import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from gazecode.errors import FormatError
from gazecode.readers.source import Source
from gazecode.readers.studies import eyecode

PNG = b"\x89PNG\r\n\x1a\nnot really"


def trial(started=1000, ended=1100, *, version="inorder", gaze=(0, 3, 7, 10), extra=""):
    rows = "".join(f'<gaze start="{t}" end="{t + 99}" x="{t}" y="5" id="1"/>' for t in gaze)
    return (
        f'<trial screen-width="1920" screen-height="1080" font-width="14" language="python" base="order" '
        f'version="{version}" started="{started}" ended="{ended}">'
        f"<code><![CDATA[print x < 1\n]]></code>"
        f'<screenshot format="base64 png"><![CDATA[{base64.b64encode(PNG).decode()}]]></screenshot>'
        '<fixations><fixation start="0" end="7" x="1" y="5"/></fixations>'
        '<saccades><saccade start="7" end="7" x1="7" y1="5" x2="7" y2="5"/></saccades>'
        f"<gazes>{rows}</gazes>"
        '<fixation-offsets><offset kind="manual experiment" x="0" y="-30"/></fixation-offsets>'
        '<areas-of-interest><aoi kind="syntax" name="keyword" x="10" y="70" width="70" '
        f'height="29"/><aoi kind="line" name="line 1" x="10" y="70" width="154" height="29"/>'
        f"</areas-of-interest>{extra}</trial>"
    )


def write(folder: Path, *trials: str) -> Source:
    path = folder / "01.xml"
    body = "".join(trials)
    path.write_text(
        f'<?xml version="1.0"?><experiment id="7"><questions/><trials>{body}</trials></experiment>'
    )
    return Source(path)


def test_worked_example(tmp_path):
    rec = eyecode.read(write(tmp_path, trial(), trial(2000, 2050, version="shuffled")))
    np.testing.assert_array_equal(rec.gaze.t_ms, [1000, 1003, 1007, 1010, 2000, 2003, 2007, 2010])
    assert [(t.name, t.stimulus, t.onset_ms, t.offset_ms) for t in rec.trials] == [
        ("order_inorder", "order_inorder", 1000.0, 1100.0),
        ("order_shuffled", "order_shuffled", 2000.0, 2050.0),
    ]
    frame = rec.device_events.to_frame()[:2]
    assert frame["kind"].tolist() == ["fixation", "saccade"]
    assert frame["onset_ms"].tolist() == [1000.0, 1007.0]
    # The fixation's end is the next sample's stamp; the saccade's is its own last sample's.
    assert frame["offset_ms"].tolist() == [1007.0, 1010.0]
    assert frame[["first", "last"]].to_numpy().tolist() == [[0, 2], [2, 3]]
    stimulus = rec.stimuli["order_inorder"]
    assert (stimulus.code, stimulus.language, stimulus.image) == ("print x < 1\n", "python", PNG)
    box = {name: values.tolist() for name, values in stimulus.boxes.items()}
    assert box == {
        "kind": ["syntax", "line"],
        "name": ["keyword", "line 1"],
        "text": ["print", ""],
        "x0": [10.0, 10.0],
        "y0": [70.0, 70.0],
        "x1": [80.0, 164.0],
        "y1": [99.0, 99.0],
    }
    assert rec.provenance["manual_offset_px"] == [0.0, -30.0]
    assert rec.provenance["clock"] == "<trial> started + <gaze> start, ms of the recording"
    assert (rec.screen.width_px, rec.screen.height_px) == (1920, 1080)


def test_overlapping_starts_are_laid_out_in_a_row(tmp_path):
    rec = eyecode.read(write(tmp_path, trial(1000, 1100), trial(1050, 1150)))
    assert [(t.onset_ms, t.offset_ms) for t in rec.trials] == [(0.0, 100.0), (1100.0, 1200.0)]
    assert [t.name for t in rec.trials] == ["order_inorder", "order_inorder (2)"]
    assert "trials follow one another with 1000 ms between" in rec.provenance["clock"]
    assert [len(rec.window(t)) for t in rec.trials] == [4, 4]


def test_repeated_and_backward_stamps_are_counted(tmp_path):
    rec = eyecode.read(write(tmp_path, trial(gaze=(0, 7, 3, 7, 10))))
    assert rec.provenance["left_out"] == {"unsorted": 1, "duplicate_time": 1}


def test_device_events_without_extent_are_counted(tmp_path):
    fixation = (
        '<fixations><fixation start="8" end="8" x="1" y="1"/><fixation start="9"/></fixations>'
    )
    rec = eyecode.read(write(tmp_path, trial(extra=fixation)))
    assert len(rec.device_events.of("fixation")) == 1
    assert rec.provenance["left_out"] == {"empty_device_events": 2}


def test_offsets_that_differ_are_given_by_trial(tmp_path):
    other = trial(2000, 2100, version="b").replace('y="-30"', 'y="-50"')
    said = eyecode.read(write(tmp_path, trial(), other)).provenance
    assert said["manual_offset_px"] is None
    assert said["manual_offset_px_by_trial"] == {"order_inorder": [0, -30], "order_b": [0, -50]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: t.index("<gaze start") + 130], "after 1 <fixation>, 1 <saccade>, 2 <gaze>"),
        (lambda t: re.sub("<trial .*</trial>", "", t, flags=re.S), "no <trial> in the experiment"),
        (lambda t: t.replace("<![CDATA[iVBOR", "<![CDATA[!"), "the screenshot is no base64"),
        (
            lambda t: t.replace("<experiment", '<!DOCTYPE a [<!ENTITY b "c">]><experiment'),
            "refused",
        ),
        (lambda t: t.replace('started="1000"', 'started="soon"'), "<trial> started is 'soon'"),
    ],
    ids=["cut", "no trial", "screenshot", "bomb", "started"],
)
def test_bad_files_are_one_clear_line(tmp_path, change, message):
    source = write(tmp_path, trial())
    source.path.write_text(change(source.path.read_text()))
    with pytest.raises(FormatError) as caught:
        eyecode.read(Source(source.path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda t: t.replace('<gaze start="3"', '<gaze start="1e20"'), "<gaze> start is 1e+20 ms"),
        (
            lambda t: t.replace('ended="1100"', 'ended="-1e99"'),
            "<trial> started or ended is -1e+99",
        ),
        (
            lambda t: t.replace('<fixation start="0" end="7"', '<fixation start="0" end="inf"'),
            "end",
        ),
    ],
    ids=["gaze", "trial", "fixation"],
)
def test_absurd_stamps_are_an_error_that_says_so(tmp_path, change, where):
    source = write(tmp_path, trial())
    source.path.write_text(change(source.path.read_text()))
    with pytest.raises(FormatError) as caught:
        eyecode.read(Source(source.path))
    assert where in str(caught.value)
    assert "expected times of one session" in str(caught.value)


def test_sniff(tmp_path):
    source = write(tmp_path, trial())
    assert eyecode.sniff(source)
    packed = tmp_path / "01.xml.gz"
    packed.write_bytes(gzip.compress(source.path.read_bytes()))
    assert eyecode.sniff(Source(packed))
    assert len(eyecode.read(Source(packed))) == 4
    other = tmp_path / "other.xml"
    other.write_text("<experiment/>")
    assert not eyecode.sniff(Source(other))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "gaze", "fixations", "offset"),
    [("07", 94_142, 1_268, 0), ("11", 86_908, 1_052, -30), ("20", 65_167, 860, -50)],
)
def test_real_counts_and_the_law_of_fixations(shared_data, name, gaze, fixations, offset):
    path = shared_data / "eyecode-hansen2012" / "xml" / f"{name}.xml.gz"
    rec = eyecode.read(Source(path))
    text = gzip.decompress(path.read_bytes()).decode()
    assert len(rec) == gaze == text.count("<gaze ")
    fix = rec.device_events.of("fixation")
    assert len(fix) == fixations
    assert len(rec.device_events.of("saccade")) == text.count("<saccade ")
    assert [len(rec.window(t)) for t in rec.trials] == [
        part.count("<gaze ") for part in text.split("<trial ")[1:]
    ]
    assert rec.provenance["manual_offset_px"] == [0.0, offset]
    assert rec.provenance["left_out"] == {}
    assert sum(len(s.boxes["x0"]) for s in rec.stimuli.values()) == text.count("<aoi ")
    assert all(s.image.startswith(b"\x89PNG") for s in rec.stimuli.values())

    xy, t = rec.gaze.xy_px, rec.gaze.t_ms
    # A fixation bridged over lost samples has no plain mean.
    whole = [
        np.diff(t[a : b + 1]).max(initial=0) < 5 for a, b in zip(fix.first, fix.last, strict=True)
    ]
    kept = fix[np.array(whole) & (fix.last > fix.first)]
    spans = list(zip(kept.first, kept.last, strict=True))
    off = np.abs(np.array([xy[a:b].mean(axis=0) for a, b in spans]) - kept.xy_px)
    closed = np.abs(np.array([xy[a : b + 1].mean(axis=0) for a, b in spans]) - kept.xy_px)
    per_ms = (kept.last - kept.first) / kept.duration_ms
    print(
        f"{name}: {len(kept)} of {len(fix)} fixations without a gap; |mean of samples - fixation| "
        f"median {np.median(off):.3f} px (end taken in: {np.median(closed):.3f}), "
        f"{(off.max(axis=1) <= 1.0).mean():.4f} within 1 px; {np.median(per_ms):.4f} samples per ms"
    )
    assert len(kept) > 0.5 * len(fix)
    assert np.median(off) < 0.3
    assert off.mean() < closed.mean()
    assert np.median(per_ms) == pytest.approx(0.3, abs=0.001)

    sac = rec.device_events.of("saccade")
    np.testing.assert_array_equal(xy[sac.first], sac.xy_px)
    np.testing.assert_array_equal(xy[sac.last - 1], sac.end_xy_px)

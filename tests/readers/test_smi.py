"""SMI iView raw text: image messages cut trials, one-eye rows are lost, 0.00 is lost."""

from pathlib import Path

import numpy as np
import pytest

from gazecode.errors import FormatError
from gazecode.readers.smi import iview as smi
from gazecode.readers.source import Source

HEADER = [
    "## [iView]",
    "## Sample Rate:\t250",
    "## Number of Samples:\t5" + " " * 300,
    "## Subject:\tP01",
    "## Calibration Area:\t1920\t1080",
    "## Stimulus Dimension [mm]:\t344\t194",
    "## Head Distance [mm]:\t700",
    "## Bilateral:\tTrue",
    "## ",
]
COLUMNS = (
    "Time\tType\tTrial\tL Mapped Diameter [mm]\tR Mapped Diameter [mm]\tL POR X [px]\tL POR Y [px]"
    "\tR POR X [px]\tR POR Y [px]\tL Validity\tR Validity\tAux1"
)


def smp(t_us, left, right=None, *, valid=(1, 1), pupil=(3.0, 4.0)):
    x, y = left
    u, v = left if right is None else right
    return (
        f"{t_us}\tSMP\t1\t{pupil[0]:.2f}\t{pupil[1]:.2f}\t{x:.2f}\t{y:.2f}\t{u:.2f}\t{v:.2f}"
        f"\t{valid[0]}\t{valid[1]}\t"
    )


def msg(t_us, text):
    return f"{t_us}\tMSG\t1\t# Message: {text}"


def write(folder: Path, rows, header=HEADER, end="\n") -> Source:
    path = folder / "1_rawdata.tsv"
    path.write_bytes((end.join([*header, COLUMNS, *rows]) + end).encode())
    return Source(path)


ROWS = [
    smp(5000, (100, 200)),
    msg(6000, "vehicle.jpg"),
    smp(9000, (101, 201)),
    msg(9500, "UE-mouseclick left x=412 y=347"),
    smp(13000, (700, 201), valid=(1, 0), pupil=(3.0, 0.0)),
    msg(15000, "C:\\stimuli\\vehicle.PNG"),
    smp(17000, (0, 0), valid=(0, 0)),
    smp(21000, (102, 202)),
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_worked_example(tmp_path, end):
    rec = smi.read(write(tmp_path, ROWS, end=end))
    both = rec.samples["both"]
    assert list(rec.samples) == ["both"]
    np.testing.assert_allclose(both.t_ms, [0, 4, 8, 12, 16])
    np.testing.assert_array_equal(
        both.xy_px, [[100, 200], [101, 201], [np.nan] * 2, [np.nan] * 2, [102, 202]]
    )
    np.testing.assert_array_equal(both.pupil, [3.5, 3.5, np.nan, 3.5, 3.5])
    assert rec.provenance["left_out"] == {"one_eye": 1, "lost": 1}
    assert [(t.name, t.stimulus, t.onset_ms, t.offset_ms) for t in rec.trials] == [
        ("vehicle", "vehicle", 1.0, 10.0),
        ("vehicle (2)", "vehicle", 10.0, 22.0),
    ]
    assert [(m.t_ms, m.text) for m in rec.messages] == [
        (1.0, "vehicle.jpg"),
        (4.5, "UE-mouseclick left x=412 y=347"),
        (10.0, "C:\\stimuli\\vehicle.PNG"),
    ]
    s = rec.screen
    assert (s.width_px, s.height_px, s.width_mm, s.height_mm, s.distance_mm) == (
        1920,
        1080,
        344,
        194,
        700,
    )


def test_two_eyes_are_kept_apart_each_by_its_own_validity(tmp_path):
    rows = [
        smp(0, (100, 200), (110, 210)),
        smp(4000, (101, 201), (111, 211), valid=(1, 0)),
        smp(8000, (0, 0), (112, 212), valid=(0, 1), pupil=(0.0, 4.0)),
    ]
    rec = smi.read(write(tmp_path, rows))
    assert set(rec.samples) == {"left", "right"}
    assert rec.samples["left"].lost.tolist() == [False, False, True]
    assert rec.samples["right"].lost.tolist() == [False, True, False]
    np.testing.assert_array_equal(rec.samples["left"].pupil, [3, 3, np.nan])
    assert rec.provenance["left_out"] == {"lost_left": 1, "lost_right": 1}


def test_identical_eyes_of_a_monocular_filter_stay_two(tmp_path):
    header = [line.replace("True", "False") for line in HEADER]
    rec = smi.read(write(tmp_path, [smp(0, (1, 2), valid=(1, 0)), smp(4000, (1, 2))], header))
    assert rec.samples["left"].lost.tolist() == [False, False]
    assert rec.samples["right"].lost.tolist() == [True, False]


def test_header_rate_is_not_the_rate_and_missing_samples_are_noted(tmp_path):
    rec = smi.read(write(tmp_path, ROWS[:3]))
    assert rec.provenance["header_rate_hz"] == 250
    assert rec.provenance["notes"] == [
        "the header states 5 samples, the file holds 2: part of it may be missing"
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("## Calibration Area:\t", None),
        ("## Calibration Area:\t0\t0", None),
        ("## Head Distance [mm]:\t", (1920, None)),
        ("## Head Distance [mm]:\t0", (1920, None)),
    ],
)
def test_an_empty_header_value_is_unknown(tmp_path, line, expected):
    key = line.split(":")[0]
    header = [line if h.startswith(key) else h for h in HEADER]
    screen = smi.read(write(tmp_path, ROWS, header)).screen
    assert (screen and (screen.width_px, screen.distance_mm)) == expected


def test_ragged_samples_and_repeated_stamps_are_counted(tmp_path):
    rec = smi.read(write(tmp_path, [*ROWS, "25000\tSMP\t1", smp(21000, (5, 5))]))
    assert rec.provenance["left_out"] == {
        "ragged_rows": 1,
        "one_eye": 1,
        "lost": 1,
        "duplicate_time": 1,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[:-30], "breaks off in its last row"),
        (lambda raw: raw.replace(b"POR", b"RAW"), "no column L POR X [px]"),
        (lambda raw: raw.replace(b"Time\t", b"When\t"), "no column Time"),
        (lambda raw: raw.replace(b"9500\tMSG", b"soon\tMSG"), "a message is stamped b'soon'"),
    ],
    ids=["cut", "no POR", "no Time", "bad message"],
)
def test_bad_files_are_one_clear_line(tmp_path, change, message):
    source = write(tmp_path, ROWS)
    source.path.write_bytes(change(source.path.read_bytes()))
    with pytest.raises(FormatError) as caught:
        smi.read(Source(source.path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_header_line_costs_nothing(tmp_path):
    """A header value padded with blanks must not make a pattern backtrack."""
    rec = smi.read(
        write(tmp_path, ROWS, [*HEADER, "## x" + " " * 500_000, "## y:" + " " * 500_000])
    )
    assert len(rec) == 5


def test_sniff(tmp_path):
    assert smi.sniff(write(tmp_path, ROWS))
    assert smi.sniff(write(tmp_path, ROWS, ["##", "##"]))
    other = tmp_path / "other.tsv"
    other.write_text("Time\tType\tTrial\tx\n")
    assert not smi.sniff(Source(other))


def plain(path: Path) -> dict:
    """Samples per image message, validities and coordinates, by plain splitting of lines."""
    trials: dict[str, int] = {}
    current, names, pairs, kept = None, [], [], []
    for line in path.read_text(encoding="ascii").splitlines():
        cells = line.split("\t")
        if line.startswith("Time\t"):
            names = cells
        elif len(cells) == 4 and cells[1] == "MSG" and cells[3].endswith(".jpg"):
            current = cells[3].removeprefix("# Message: ").removesuffix(".jpg")
        elif len(cells) > 4 and cells[1] == "SMP":
            value = dict(zip(names, cells, strict=True))
            pairs.append((value["L Validity"], value["R Validity"]))
            kept.append(pairs[-1] == ("1", "1") and value["L POR X [px]"] != "0.00")
            if current is not None:
                trials[current] = trials.get(current, 0) + 1
    return {"trials": trials, "pairs": pairs, "kept": kept}


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "n", "shown", "one_eye"),
    [("46", 11_222, (2_851, 2_390, 59.9), 172), ("134", 15_925, (2_946, 5_060, 249.8), 2_959)],
)
def test_real_emip(shared_data, name, n, shown, one_eye):
    vehicle, rectangle, rate = shown
    path = shared_data / "emip-bednarik2020" / "rawdata" / f"{name}_rawdata.tsv"
    rec = smi.read(Source(path))
    expected = plain(path)
    counted = {t.name: len(rec.window(t)) for t in rec.trials}
    assert len(rec) == n
    assert (counted["vehicle_java2"], counted["rectangle_java2"]) == (vehicle, rectangle)
    # The plain count has one entry per image, the reader one trial per message.
    assert sum(counted.values()) == sum(expected["trials"].values())
    assert rec.provenance["left_out"]["one_eye"] == one_eye
    assert sum(left != right for left, right in expected["pairs"]) == one_eye
    np.testing.assert_array_equal(~rec.gaze.lost, expected["kept"])
    found = 1000 / np.median(np.diff(rec.gaze.t_ms))
    assert found == pytest.approx(rate, abs=0.2)
    assert rec.provenance["participant"] == name
    speed = np.hypot(*np.diff(rec.gaze.xy_px, axis=0).T)
    print(
        f"{name}: {n} samples at {found:.1f} Hz (header {rec.provenance['header_rate_hz']:g}), "
        f"{one_eye} one-eye rows, {rec.gaze.lost.mean():.4f} lost, median step "
        f"{np.nanmedian(speed):.1f} px"
    )


@pytest.mark.real
def test_real_exports_copy_and_begaze_style(shared_data):
    folder = shared_data / "exports" / "smi_iview"
    rec = smi.read(Source(folder / "46_rawdata.tsv"))
    assert (len(rec), len(rec.messages)) == (11_222, 9)
    pairs = plain(folder / "46_rawdata.tsv")["pairs"]
    assert [pairs.count(p) for p in (("1", "1"), ("1", "0"), ("0", "1"), ("0", "0"))] == [
        10_565,
        138,
        34,
        485,
    ]
    small = smi.read(Source(folder / "didec_example.txt"))
    assert (len(small), len(small.messages), small.screen) == (15, 1, None)
    assert [(t.name, t.stimulus) for t in small.trials] == [("test", "test")]
    assert "no validity columns" in small.provenance["notes"][0]
    text = (folder / "didec_example.txt").read_text()
    kinds = [line.split("\t")[13] for line in text.splitlines() if "\tSMP\t" in line]
    left = small.device_events[np.asarray(small.device_events.eye == "left")]
    named = [kind.lower() for kind in kinds if kind != "-"]
    assert np.repeat(left.kind, left.last - left.first).tolist() == named
    assert len(named) > 0


@pytest.mark.real
def test_one_differing_cell_does_not_turn_off_the_one_eye_rule(shared_data, tmp_path):
    text = (shared_data / "exports" / "smi_iview" / "46_rawdata.tsv").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    i = next(k for k, line in enumerate(lines) if "\tSMP\t" in line)
    cells = lines[i].split("\t")
    cells[23] = f"{float(cells[23]) + 0.01:.2f}"  # R POR X
    lines[i] = "\t".join(cells)
    path = tmp_path / "46_rawdata.tsv"
    path.write_text("".join(lines), encoding="utf-8")
    rec = smi.read(Source(path))
    assert set(rec.samples) == {"both"}
    assert rec.provenance["left_out"]["one_eye"] == 172
    assert rec.provenance["left_out"]["unequal_points"] == 1


def test_begaze_raw_with_decimal_commas_and_category_columns(tmp_path):
    columns = "Time\tType\tTrial\tL POR X [px]\tL POR Y [px]\tR POR X [px]\tR POR Y [px]"
    path = tmp_path / "raw.txt"
    lines = [
        "## [BeGaze]",
        f"{columns}\tCategory Left\tCategory Right\tStimulus",
        "1000\tSMP\t1\t10,5\t20,25\t12,5\t21,25\tFixation\tFixation\tone.bmp",
        "3000\tMSG\t1\t# Message: go",
        "5000\tSMP\t1\t11,5\t20,25\t13,5\t21,25\tFixation\tSaccade\tone.bmp",
        "9000\tSMP\t1\t0,00\t0,00\t14,5\t21,25\tBlink\tSaccade\ttwo.bmp",
    ]
    path.write_text("\n".join(lines) + "\n")
    assert smi.sniff(Source(path))
    rec = smi.read(Source(path))
    np.testing.assert_array_equal(
        rec.samples["left"].xy_px, [[10.5, 20.25], [11.5, 20.25], [np.nan] * 2]
    )
    assert [(t.name, t.onset_ms) for t in rec.trials] == [("one", 0.0), ("two", 8.0)]
    assert [(m.t_ms, m.text) for m in rec.messages] == [(2.0, "go")]
    found = sorted(zip(rec.device_events.kind, rec.device_events.eye, strict=True))
    assert found == [
        ("blink", "left"),
        ("fixation", "left"),
        ("fixation", "right"),
        ("saccade", "right"),
    ]


def test_messages_and_header_lines_are_found_in_every_block(tmp_path, monkeypatch):
    source = write(tmp_path, ROWS)
    whole = smi.read(source)
    blocks = Source.blocks
    monkeypatch.setattr(Source, "blocks", lambda self, _: blocks(self, 64))
    parts = smi.read(Source(source.path))
    assert parts.to_frame().equals(whole.to_frame())
    assert parts.messages == whole.messages
    assert parts.provenance == whole.provenance

"""The example of the docs runs as it stands, and what it prints is so."""

import json
import math
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from gazecode.alignment import tokenizer_sha256
from gazecode.demo import demo_study
from gazecode.export import to_parquet

pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)
pytest.importorskip(
    "accelerate", reason="accelerate is not installed: pip install 'gazecode[transformers]'"
)

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "examples" / "fine_tune.py"
SIDES = ("all", "on path", "off path")


def run(*options):
    command = [sys.executable, str(SCRIPT), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def row(text, name, numbers):
    """The figures of one line of a table."""
    found = re.search(rf"^{re.escape(name)}((?: +[-+.\d,]+){{{numbers}}})$", text, re.MULTILINE)
    assert found, f"no row {name!r} with {numbers} figures in:\n{text}"
    return [float(figure.replace(",", "")) for figure in found[1].split()]


@pytest.mark.slow
def test_from_the_demo_to_a_finished_fine_tune(tmp_path):
    out = tmp_path / "out"
    done = run("--steps", 30, "--out", out)
    assert done.returncode == 0, done.stderr
    text = done.stdout

    # Two programs of six readings: one is trained on, the other is held out.
    parts = dict(re.findall(r"^(train|held out) +6 examples of 1 sources: (\w+)$", text, re.M))
    assert sorted(parts.values()) == ["Basket", "median"]
    assert "weight_reach min 1.00, median 1.00, max 1.00" in text
    assert "They prove nothing about gaze" in text

    training, held_out = json.loads((out / "figures.json").read_text()).values()
    for name in ("plain", "weighted"):
        first, last, seconds = row(text.split("held-out nats")[0], name, 3)
        assert first == pytest.approx(math.log(1024), rel=0.05)
        assert last < first - 0.5
        assert 0 < seconds < 60
        assert training[name]["last_loss"] == pytest.approx(last, abs=1e-4)
        assert (out / name / "model.safetensors").is_file()
    assert training["plain"]["last_loss"] != training["weighted"]["last_loss"]

    table = text.split("held-out nats")[1]
    n_all, n_on, n_off = row(table, "tokens", 3)
    assert n_all == n_on + n_off
    for name in ("untrained", "plain", "weighted"):
        every, on, off = row(table, name, 3)
        assert every == pytest.approx((n_on * on + n_off * off) / n_all, abs=2e-4)
        assert every == pytest.approx(held_out[name]["all"][1], abs=1e-4)
    gaps = row(table, "weighted - plain", 3)
    for gap, side in zip(gaps, SIDES, strict=True):
        expected = held_out["weighted"][side][1] - held_out["plain"][side][1]
        assert gap == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--steps", "0"], "error: --steps is 0; expected 1 or more"),
        (["--seed", "-1"], "error: --seed is -1; expected 0 to 4294967295"),
        (["--weights", "nowhere.parquet"], "error: .*nowhere.parquet"),
        (["--route", "nobody's"], 'error: .* has no example of route "nobody\'s"; found'),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_what_is_wrong_is_said_on_one_line(monkeypatch, options, says):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *options])
    with pytest.raises(SystemExit, match=says) as stopped:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert "\n" not in str(stopped.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_another_tokenizer_is_refused_where_the_weights_say_theirs(monkeypatch, tmp_path):
    own = demo_study().with_name("tokenizer.json")
    other = json.loads(own.read_text(encoding="utf-8"))
    # One more word: every id of the weights is there, too.
    other["model"]["vocab"]["zzzz"] = len(other["model"]["vocab"])
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    said = {"tokenizer_sha256": tokenizer_sha256(own)}
    to_parquet([], tmp_path / "weights.parquet", provenance=said)
    to_parquet([], tmp_path / "silent.parquet")
    check = runpy.run_path(str(SCRIPT))["check_tokenizer"]
    check(tmp_path / "weights.parquet", own)
    check(tmp_path / "silent.parquet", tmp_path / "other.json")
    with pytest.raises(SystemExit, match="was made with the tokenizer of SHA-256") as stopped:
        check(tmp_path / "weights.parquet", tmp_path / "other.json")
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [([], 1, "pip install 'gazecode[transformers]'"), (["--help"], 0, "--tokenizer")],
)
def test_without_a_trainer_it_says_what_to_install_and_helps(tmp_path, options, status, says):
    (tmp_path / "transformers.py").write_text("raise ImportError('No module named transformers')")
    program = (
        f"import runpy, sys; sys.path.insert(0, {str(tmp_path)!r}); "
        f"sys.argv[1:] = {options!r}; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    assert says in (done.stdout if status == 0 else done.stderr)
    assert "Traceback" not in done.stderr

"""The card says what the files hold, and nothing that nobody stated."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazecode.demo import demo_study
from gazecode.errors import ParameterError, SchemaError, StudyError
from gazecode.export import iter_examples, to_hdf5, to_jsonl, to_parquet, to_safetensors
from gazecode.study.card import CardSource, card_of_files, make_card
from gazecode.study.facts import Distinct, Spread, count_weights
from gazecode.study.sections import CardTable
from gazecode.study.settings import load_study
from gazecode.study.summary import over_people

STATED = ("consent", "ethics", "license", "contact", "funding", "population", "citation")


@pytest.fixture(scope="module")
def card(demo_out):
    return (demo_out / "card.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def examples(demo_out):
    return list(iter_examples(demo_out / "weights.parquet"))


def facts_of(examples, folder, **provenance):
    """What is counted in a file of these examples."""
    to_parquet(examples, folder / "weights.parquet", provenance=provenance or None)
    return count_weights([folder / "weights.parquet"])


def test_the_card_of_the_demo(card, demo_out):
    for line in (
        'pretty_name: "gazecode demo"',
        "# gazecode demo",
        "Simulated gaze: no eye was recorded for 6 of 6 recordings.",
        "- rows: 12, one per example",
        "- sources: 2 different texts of code",
        "- languages (rows): java 6, python 6",
        "- unit of a token's value: ms",
        "- containers: HDF5, Parquet",
        "- people: 6 in all, 1 behind a row",
        "- formats: eyelink, smi",
        "- screens: 1920 x 1080 px, 509 x 286 mm at 650 mm",
        "| `detect.max_speed_deg_s` | 30 |",
        "| `weigh.scheme` | duration |",
        "- seeds: null.seed = 0",
        "- priors: none",
        "- failures by stage: none",
        "- accuracy: unknown",
        "| rate, Hz | 6 | 60 | 155 | 250 |",
        "- rows with a reach of 0: 0",
        "- rows with transitions: 12",
    ):
        assert line in card.splitlines(), line
    assert "Accuracy is unknown: no validation was given" in card
    assert "Gaze identifies people" in card
    assert "nothing follows from it about people" in card
    # Nobody stated them, so nothing is said.
    for name in STATED:
        assert f"- {name}: not stated" in card.splitlines(), name
    assert "license:" not in card.split("---")[1]


def test_files_and_their_digests_stand_in_it(card, demo_out):
    import hashlib

    for name in ("weights.parquet", "weights.h5"):
        digest = hashlib.sha256((demo_out / name).read_bytes()).hexdigest()
        assert f"`{digest}` |" in card
    quality = json.loads((demo_out / "quality.json").read_text(encoding="utf-8"))
    assert quality["parameters"]["align"]["strength"] == 0.5
    assert "| `align.strength` | 0.5 |" in card


def test_a_card_made_later_is_the_same(card, demo_out):
    files = sorted(demo_out.glob("weights.*"))
    assert card_of_files(files, study=demo_study()) == card
    later = card_of_files(files[::-1], settings={"license": "CC-BY-4.0", "consent": "a <b> | c"})
    assert 'license: "cc-by-4.0"' in later
    assert "- license: CC-BY-4.0" in later
    assert r"- consent: a &lt;b&gt; \| c" in later
    with pytest.raises(ParameterError, match="no 'licence' in the fields of a card; choose from"):
        card_of_files(files, settings={"licence": "x"})


def test_counts_are_those_of_the_examples(examples, demo_out):
    for name in ("weights.parquet", "weights.h5"):
        facts = count_weights([demo_out / name])
        assert facts.n["rows"] == len(examples)
        assert facts.n["positions"] == sum(len(e) for e in examples)
        assert facts.n["in_loss"] == sum(e.loss_mask.sum() for e in examples)
        assert facts.n["tokens"] == sum(len(e.token_start) for e in examples)
        assert facts.saccades == pytest.approx(sum(e.transition_count.sum() for e in examples))
        assert str(facts.people) == "6"
        assert str(facts.sources) == "2"
        assert facts.people_per_row == (1, 1)
        assert facts.reach.quantile(0) == 1.0


def weighed(example, seed, *, inert):
    """The example with other weights, some of them where no loss is."""
    rng = np.random.default_rng(seed)
    weight = np.where(rng.random(len(example)) < 0.3, 1.0, rng.uniform(0, 3, len(example)))
    if seed % 5 == 0:
        weight[:] = 1.0
    mask = rng.random(len(example)) < 0.5
    if seed % 7 == 0:
        mask[:] = False
    weight = np.where(mask, weight, 1.0)
    return replace(
        example,
        example_id=f"e{seed}",
        weight=weight.astype(np.float32),
        loss_mask=mask,
        inert_weight=float(np.float32(inert)),
        window=seed % 3,
        n_windows=3,
        attention=example.attention if seed % 2 else np.zeros(len(example)),
    )


def test_reach_windows_and_signal_are_counted_row_by_row(examples, tmp_path):
    rng = np.random.default_rng(0)
    many = [
        weighed(examples[i % 12], i, inert=float(rng.uniform(0, 50)) * (i % 4 != 0))
        for i in range(60)
    ]
    facts = facts_of(many, tmp_path)
    reach = np.array([e.weight_reach for e in iter_examples(tmp_path / "weights.parquet")])
    assert facts.n["neutral"] == np.isnan(reach).sum() > 0
    assert facts.n["inert"] == (reach == 0).sum() > 0
    assert facts.n["no_signal"] == 30
    assert (facts.n["texts"], facts.n["cut"]) == (20, 20)
    known = np.sort(reach[~np.isnan(reach)])
    for q in (0, 0.25, 0.5, 0.75, 1):
        exact = np.quantile(known, q, method="inverted_cdf")
        assert facts.reach.quantile(q) == pytest.approx(exact, abs=6e-4)
    text = make_card(CardSource(facts=facts))
    assert "60, one per example; 20 texts, 20 of them cut into windows" in text
    assert f"In {facts.n['inert']} rows no weight reaches the loss" in text


@given(arrays(float, st.integers(1, 40), elements=st.floats(0, 1)), st.floats(0, 1))
def test_quantiles_are_right_to_a_thousandth(shares, q):
    spread = Spread()
    for part in np.array_split(shares, 3):
        spread.add(part)
    exact = np.quantile(shares, q, method="inverted_cdf")
    assert spread.quantile(q) == pytest.approx(exact, abs=1.0001e-3)
    assert (spread.quantile(0) == 0) == (shares.min() == 0)
    assert (spread.quantile(1) == 1) == (shares.max() == 1)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=6), st.integers(1, 9))
def test_different_names_are_counted_up_to_a_bound(parts, most):
    names = Distinct(most=most)
    for part in parts:
        names.add(part)
    n = len({name for part in parts for name in part})
    assert str(names) == (str(n) if n <= most else f"at least {most}")


def test_several_files_are_one_data_set_in_any_container(examples, tmp_path):
    to_parquet(examples[:5], tmp_path / "a.parquet", provenance={"inputs_sha256": "11"})
    to_hdf5(examples[5:9], tmp_path / "b.h5", provenance={"inputs_sha256": "22"})
    to_jsonl(examples[9:], tmp_path / "c.jsonl", provenance={"inputs_sha256": "22"})
    files = [tmp_path / name for name in ("a.parquet", "b.h5", "c.jsonl")]
    facts = count_weights(files)
    assert facts.n["rows"] == 12
    assert len(facts.said["inputs_sha256"]) == 64
    card = make_card(CardSource(facts=facts))
    assert "- containers: HDF5, JSONL, Parquet" in card
    assert "Nothing is known here of the recordings" in card
    assert card_of_files(files) == card
    to_parquet(examples, tmp_path / "d.parquet", provenance={"tokenizer_sha256": "33"})
    with pytest.raises(SchemaError, match="made with different tokenizers; make a card for each"):
        count_weights([*files, tmp_path / "d.parquet"])
    with pytest.raises(SchemaError, match="no weights file"):
        count_weights([])


def test_pooled_rows_and_rows_of_priors_say_so(examples, tmp_path):
    pooled = [
        replace(e, participant="", participant_group="", n_people=5 + i % 2, example_id=str(i))
        for i, e in enumerate(examples)
    ]
    card = make_card(CardSource(facts=facts_of(pooled, tmp_path)))
    assert "- people: pooled, 5 to 6 behind a row" in card
    assert "only sources can be held out" in card
    assert "- names: none" in card
    priors = {"name": "made | up", "sha256": "ab" * 32, "n_people": 12, "n_sources": 3}
    drawn = [replace(e, prior_sources=("s1", "s2")) for e in pooled]
    facts = facts_of(drawn, tmp_path, parameters={"priors": priors, "seed": 7, "scheme": "x"})
    card = make_card(CardSource(facts=facts, failures={"parse": 3}))
    assert "- people: nobody read these texts; priors of 12 people" in card
    assert rf"- priors: made \| up, SHA-256 {'ab' * 32}, of 12 people; 2 sources" in card
    assert "No source in prior\\_sources may be tested on" in card
    assert "- seeds: seed = 7" in card
    assert "- failures by stage: parse 3" in card
    assert "scan paths are drawn from priors" in card


def test_a_corpus_leaves_what_its_card_needs(tmp_path):
    weigh = pytest.importorskip("gazecode.corpus")
    from gazecode.model import LABELS, LabelPriors

    codes = np.arange(len(LABELS))
    priors = LabelPriors(
        hit=np.where(codes > 0, 30.0, 0.0),
        shown=np.where(codes > 0, 100.0, 0.0),
        theta_null=np.full(len(LABELS), np.nan),
        ngrams={},
        sources=("00" * 32,),
        n_people=3,
        name="made for a test",
    )
    rows = [
        {"id": f"m{i}", "language": "java", "code": f"int f{i}() {{ return {i}; }}"}
        for i in range(5)
    ]
    rows.append({"id": "broken", "language": "java"})
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    weigh.weigh_corpus(
        [corpus],
        priors=priors,
        tokenizer=demo_study().parent / "tokenizer.json",
        out=tmp_path / "out",
        scheme="salience",
    )
    card = card_of_files(sorted((tmp_path / "out").glob("*.parquet")))
    assert "- rows: 5, one per example" in card
    assert "priors of 3 people" in card
    assert "made for a test, SHA-256" in card
    assert "- failures by stage: " in card
    assert "none" not in next(row for row in card.splitlines() if "failures by stage" in row)


HOSTILE = ("<script>x</script>", "| a |", "\n# head\n", "`x`", "](http://x)", "--- ", "${x}")


@settings(max_examples=20)
@given(st.lists(st.sampled_from(HOSTILE), min_size=8, max_size=8))
def test_hostile_words_change_nothing_but_themselves(demo_out, words):
    facts = count_weights([demo_out / "weights.parquet"])
    table = CardTable(**dict(zip(CardTable.model_fields, words, strict=True)))
    plainly = CardTable(**dict.fromkeys(CardTable.model_fields, "x"))
    hostile, calm = (
        make_card(CardSource(facts=facts, card=one, name="n", description="d"))
        for one in (table, plainly)
    )
    assert "<script>" not in hostile
    shape = [[line[:2] for line in text.splitlines()] for text in (hostile, calm)]
    # A licence that is no word of the hub's has a line more.
    assert [start for start in shape[0] if start != "li"] == [s for s in shape[1] if s != "li"]


def test_a_broken_file_beside_the_weights_is_named(demo_out, tmp_path):
    (tmp_path / "weights.parquet").write_bytes((demo_out / "weights.parquet").read_bytes())
    for text, message in (("{", "quality.json is not JSON"), ("[]", "is no JSON object")):
        (tmp_path / "quality.json").write_text(text, encoding="utf-8")
        with pytest.raises(SchemaError, match=message):
            card_of_files([tmp_path / "weights.parquet"])
    (tmp_path / "quality.json").write_text("{}", encoding="utf-8")
    assert "Nothing is known here" in card_of_files([tmp_path / "weights.parquet"])


def test_a_figure_of_too_few_people_is_left_out(demo_out):
    quality = json.loads((demo_out / "quality.json").read_text(encoding="utf-8"))
    rows = quality["recordings"]
    every, some = over_people(rows), over_people(rows, min_people=4)
    assert set(every["figures"]) - set(some["figures"]) == {"disparity_lines"}
    assert (every["formats"], some["formats"]) == (["eyelink", "smi"], ["others"])
    assert (every["screens"], some["screens"]) == (every["screens"], every["screens"])
    loss = [r["quality"]["recording"]["loss"] for r in rows]
    assert every["figures"]["loss"]["median"] == pytest.approx(np.median(loss), abs=1e-6)
    # A person counts once, however many recordings.
    twice = [{**row, "participant": "one"} for row in rows[:3]] + rows[3:]
    means = [np.mean(loss[:3]), *loss[3:]]
    found = over_people(twice)["figures"]["loss"]
    assert found["people"] == 4
    assert found["median"] == pytest.approx(np.median(means), abs=1e-6)


def test_the_table_of_the_card_is_checked(study):
    text = study.read_text(encoding="utf-8")
    study.write_text(text + '\n[card]\nlicence = "x"\n', encoding="utf-8")
    with pytest.raises(StudyError, match=r"card.licence \(line \d+\): .* did you mean license\?"):
        load_study(study)


def gazecode(*args):
    return subprocess.run(
        [sys.executable, "-m", "gazecode", *map(str, args)],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )


def test_the_command_prints_or_writes(demo_out, tmp_path, card):
    done = gazecode("card", demo_out, "--study", demo_study(), "--set", "contact=a=b@c.org")
    assert done.returncode == 0
    assert done.stdout == card.replace("- contact: not stated", "- contact: a=b@c.org")
    done = gazecode("card", demo_out, "--study", demo_study(), "--out", tmp_path / "README.md")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == card
    for wrong in ("contact", "who=me"):
        done = gazecode("card", demo_out, "--set", wrong)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("column", "value"), [("weight", "NaN"), ("inert_weight", "NaN"), ("weight", "[]")]
)
def test_a_file_that_cannot_be_counted_is_refused_in_one_line(examples, tmp_path, column, value):
    to_safetensors(examples[:2], tmp_path / "w.safetensors")
    if value == "[]":
        to_jsonl(examples[:2], tmp_path / "w.jsonl")
        said, row, *_ = (tmp_path / "w.jsonl").read_text(encoding="utf-8").splitlines()
        row = json.dumps(json.loads(row) | {column: []})
        path = tmp_path / "uneven.jsonl"
        path.write_text(f"{said}\n{row}\n", encoding="utf-8")
    else:
        path = tmp_path / "w.safetensors"
        raw = bytearray(path.read_bytes())
        size = int.from_bytes(raw[:8], "little")
        at = json.loads(raw[8 : 8 + size])[column]["data_offsets"][0] + 8 + size
        raw[at : at + 4] = np.float32(np.nan).tobytes()
        path.write_bytes(raw)
    with pytest.raises(SchemaError, match=f"{column} ha|holds nan"):
        card_of_files([path])


@pytest.mark.parametrize(
    "said",
    [
        {"units": 5},
        {"parameters": "x"},
        {"parameters": {"priors": "x"}},
        {"parameters": {"study": [1]}},
        {"shared": {}},
        {"split": 1},
    ],
)
def test_metadata_of_another_shape_are_refused_in_one_line(examples, tmp_path, said):
    to_jsonl(examples[:1], tmp_path / "w.jsonl")
    head, row = (tmp_path / "w.jsonl").read_text(encoding="utf-8").splitlines()
    head = json.dumps({"gazecode": json.loads(head)["gazecode"] | said})
    (tmp_path / "w.jsonl").write_text(f"{head}\n{row}\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="of the metadata"):
        card_of_files([tmp_path / "w.jsonl"])

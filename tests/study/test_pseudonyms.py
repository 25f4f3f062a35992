"""With a key nobody's name is in any byte that a run leaves."""

import csv
import hashlib
import hmac
import json
import shutil
import stat

import pandas as pd
import pytest
from markupsafe import escape

from gazecode.demo import demo_study
from gazecode.errors import ParameterError
from gazecode.export import iter_examples, read_metadata, validate
from gazecode.report.card import plain
from gazecode.study import run as run_module
from gazecode.study import run_study
from gazecode.study.outputs import OUTPUTS
from gazecode.study.pseudonyms import load_key, new_key, pseudonym, pseudonymous
from gazecode.study.settings import load_study
from tests.study.everything import texts_of

KEY = bytes(range(32))
NAMES = {
    "P1": "anna.kovacs-77",
    "P2": "Großmann|<b>",
    "P3": "24aed847",
    "P4": "O'Neil",
    "P5": "user_0815",
    "P6": "李小龍6",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """The bundled study with people who have names, files called after them, one file broken."""
    folder = tmp_path_factory.mktemp("named") / "study"
    shutil.copytree(demo_study().parent, folder)
    path = folder / "study.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in NAMES.items():
        ending = ".asc.gz" if old < "P4" else ".tsv.gz"
        name = new.replace("|<b>", "_")
        (folder / "recordings" / (old + ending)).rename(folder / "recordings" / (name + ending))
        text = text.replace(f"recordings/{old}{ending}", f"recordings/{name}{ending}")
        text = text.replace(f'participant = "{old}"', f'participant = "{new}"')
    text = text.replace('group = "smi"', 'group = "smi of user_0815"')
    text = text.replace("(P1 to P3", "(anna.kovacs-77 to 24AED847").replace("P4 to P6", "others")
    text += '\n[card]\nconsent = "o\'neil asked to be left out"\nlicense = "CC-BY-4.0"\n'
    path.write_text(text, encoding="utf-8")
    broken = folder / "recordings" / "user_0815.tsv.gz"
    broken.write_bytes(b"nothing of a tracker")
    return path


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "key"
    path.write_bytes(KEY)
    return path


@pytest.fixture(scope="module")
def bare(named, tmp_path_factory):
    """What the same study leaves without a key."""
    out = tmp_path_factory.mktemp("bare")
    run_study(named, out)
    return out


@pytest.fixture(scope="module")
def out(named, key_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    run_study(named, out, key=key_file)
    return out


def test_a_pseudonym_is_the_hmac_of_the_name():
    name = NAMES["P6"]
    said = hmac.new(KEY, name.encode(), hashlib.sha256).hexdigest()
    assert pseudonym(KEY, name) == said[:16]
    assert pseudonym(KEY[:-1], name) != said[:16]


def test_no_name_is_in_any_byte(out):
    texts = texts_of(out)
    assert set(texts) == set(OUTPUTS)
    stems = [name.replace("|<b>", "") for name in NAMES.values()]
    forbidden = {
        form.casefold()
        for name in [*NAMES.values(), *stems, "kovacs", "0815"]
        for form in (name, json.dumps(name)[1:-1], str(escape(name)), plain(name))
    }
    for file, content in texts.items():
        folded = content.decode("utf-8", "replace").casefold()
        assert not [name for name in forbidden if name in folded], file
        # The SMI files name their person in their header, too.
        assert not any(f'"{p}"' in folded for p in ("p4", "p5", "p6")), file
        assert KEY not in content
        assert KEY.hex() not in folded


def test_the_search_finds_names_where_they_are(bare):
    """Without a key every name is found in every file that tells who read."""
    for file, content in texts_of(bare).items():
        folded = content.decode("utf-8", "replace").casefold()
        here = {n for n in NAMES.values() if n.casefold() in folded}
        here |= {n for n in NAMES.values() if str(escape(n)).casefold() in folded}
        if file in ("quality.json", "report.html"):
            assert len(here) == 6, file
        elif file.endswith((".parquet", ".h5")):
            assert len(here) >= 4, file


def test_everybody_has_one_pseudonym_in_every_table(out):
    expected = {pseudonym(KEY, name) for name in NAMES.values()} - {pseudonym(KEY, "user_0815")}
    for name in ("fixations", "hits", "tokens"):
        assert set(pd.read_parquet(out / f"{name}.parquet")["participant"]) == expected
    examples = list(iter_examples(out / "weights.parquet"))
    assert {e.participant for e in examples} == {e.participant_group for e in examples} == expected
    quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    assert {r["participant"] for r in quality["recordings"]} > expected
    assert not any("sha256" in r["provenance"] for r in quality["recordings"])
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["participant"] == pseudonym(KEY, "user_0815")
    assert row["file"] == pseudonym(KEY, "recording\0user_0815.tsv.gz")
    assert row["file"] in row["reason"]


def test_the_order_of_recordings_is_that_of_pseudonyms(out):
    quality = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    order = [r["participant"] for r in quality["recordings"]]
    assert order == sorted(order) != [pseudonym(KEY, name) for name in NAMES.values()]


def test_ids_of_examples_are_of_pseudonyms(out, bare):
    """Who has the texts and a list of names must not find the ids by trying."""
    named = {e.example_id for e in iter_examples(bare / "weights.parquet")}
    hidden = {e.example_id for e in iter_examples(out / "weights.parquet")}
    assert len(named) == len(hidden)
    assert not named & hidden
    # Nothing but names and what is drawn by them differs.
    values = [
        sorted(tuple(e.token_value) for e in iter_examples(folder / "weights.parquet"))
        for folder in (bare, out)
    ]
    assert values[0] == values[1]
    tokens = [
        pd.read_parquet(folder / "tokens.parquet")["chance"].dropna() for folder in (bare, out)
    ]
    # Draws seeded by a name would tell it.
    assert sorted(tokens[0]) != sorted(tokens[1])


def test_files_are_valid_and_say_that_names_are_pseudonyms(out):
    for name in ("weights.parquet", "weights.h5"):
        assert validate(out / name).ok
        assert read_metadata(out / name)["people"] == "pseudonyms"
    card = (out / "card.md").read_text(encoding="utf-8")
    assert "names: pseudonyms (keyed hash)" in card
    assert "a pseudonym, no anonymity" in card
    assert 'license: "cc-by-4.0"' in card
    assert "asked to be left out" in card


def test_another_key_gives_other_names_to_everybody(named):
    study = load_study(named)
    one, other = (pseudonymous(study, key)[0].recordings for key in (KEY, bytes(16)))
    assert not {r.participant for r in one} & {r.participant for r in other}
    assert not {r.name for r in one} & {r.name for r in other}
    assert {r.name: r for r in one} == {r.name: r for r in pseudonymous(study, KEY)[0].recordings}


def test_an_interrupted_run_goes_on_with_the_same_key_to_the_same_bytes(
    named, key_file, out, tmp_path, monkeypatch
):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "write_outputs", stop)
    with pytest.raises(KeyboardInterrupt):
        run_study(named, tmp_path / "out", key=key_file)
    monkeypatch.undo()
    other = pseudonymous(load_study(named), bytes(16))[0]
    there = {p.name for p in (tmp_path / "out" / run_module.PARTS).iterdir()}
    assert len(there) == 6
    assert not there & set(run_module._keys(other))
    summary = run_study(named, tmp_path / "out", key=key_file, resume=True)
    assert summary.n_resumed == 6
    assert texts_of(tmp_path / "out") == texts_of(out)


def test_a_new_key_is_random_private_and_never_replaced(tmp_path):
    path = new_key(tmp_path / "key")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(load_key(path)) == 32
    assert load_key(new_key(tmp_path / "other")) != load_key(path)
    with pytest.raises(ParameterError, match="is there already; use it with --key"):
        new_key(path)
    with pytest.raises(ParameterError, match="no key can be written there"):
        new_key(tmp_path / "none" / "key")
    (tmp_path / "out").mkdir()
    with pytest.raises(ParameterError, match="lies in the folder of the outputs"):
        new_key(tmp_path / "out" / "key", out=tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"short", "expected a key of 16 to 4096 bytes, found 5 bytes"),
        (b"", "found 0 bytes"),
        (bytes(5000), "found a longer file"),
        (None, "the key cannot be read .*no such file"),
    ],
)
def test_a_bad_key_stops_before_anything_is_written(named, tmp_path, content, message):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(ParameterError, match=message):
        run_study(named, tmp_path / "out", key=tmp_path / "key")
    assert not (tmp_path / "out").exists()


def test_a_key_among_the_outputs_is_refused(named, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "key").write_bytes(KEY)
    with pytest.raises(ParameterError, match="would be given away with them"):
        run_study(named, tmp_path / "out", key=tmp_path / "out" / "key")
    with pytest.raises(ParameterError, match="the key cannot be read"):
        load_key(tmp_path)

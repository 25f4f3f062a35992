import hashlib
import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from gazecode.alignment import align, load_tokenizer, tokenizer_sha256
from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.errors import TokenizerError

CODE = "int x = 10; // sum\n"


@pytest.fixture
def document(bundled_path):
    return json.loads(bundled_path.read_text(encoding="utf-8"))


def write(folder, document, name="tokenizer.json"):
    path = folder / name
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8")
    return path


def stale(document):
    """A file as training leaves it: with the padding and the truncation of its last batch."""
    truncation = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    padding = {
        "strategy": {"Fixed": 64},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 1,
        "pad_type_id": 0,
        "pad_token": "<|pad|>",
    }
    return document | {"truncation": truncation, "padding": padding}


def test_the_same_content_is_loaded_once_whatever_its_name(tmp_path, document):
    first = load_tokenizer(write(tmp_path, document))
    assert load_tokenizer(tmp_path) is first
    assert load_tokenizer(str(write(tmp_path, document, "copy.json"))) is first
    changed = write(tmp_path, document | {"version": "1.0", "decoder": None}, "other.json")
    assert load_tokenizer(changed) is not first


def test_what_somebody_did_to_the_shared_object_does_not_stay(tmp_path, document):
    path = write(tmp_path, document | {"decoder": None})
    load_tokenizer(path).enable_truncation(2)
    assert load_tokenizer(path).truncation is None
    load_tokenizer(path).add_tokens(["zzz"])
    assert load_tokenizer(path).token_to_id("zzz") is None


def test_stale_padding_and_truncation_are_switched_off(tmp_path, document, bundled, make):
    path = write(tmp_path, stale(document))
    loaded = load_tokenizer(path)
    assert (loaded.padding, loaded.truncation) == (None, None)
    assert loaded.encode(CODE).ids == bundled.encode(CODE).ids


def test_a_callers_tokenizer_is_never_changed(tmp_path, document, bundled, make):
    own = Tokenizer.from_file(str(write(tmp_path, stale(document))))
    before = own.to_str()
    tokens = make.source(CODE, make.words(CODE))
    weights = make.gaze(range(len(tokens)))
    example = align(weights, tokens, own)
    assert own.to_str() == before
    assert len(own.encode(CODE).ids) == 64
    assert example.input_ids.tolist() == bundled.encode(CODE).ids


def test_dropout_is_switched_off(tmp_path, document):
    model = document["model"] | {"dropout": 0.5}
    own = Tokenizer.from_file(str(write(tmp_path, document | {"model": model})))
    text = "public static int countWords(String text)"
    assert len({tuple(own.encode(text).ids) for _ in range(20)}) > 1
    ours = prepare(own)
    assert len({tuple(ours.encode(text).ids) for _ in range(20)}) == 1
    assert own.model.dropout == 0.5


def test_a_tokenizer_without_stale_state_is_used_as_it_is_and_prepared_once(bundled):
    assert prepare(bundled).tokenizer is bundled
    assert prepare(bundled) is prepare(bundled)


def test_a_tokenizer_changed_in_place_is_prepared_again(document):
    own = Tokenizer.from_str(json.dumps(document))
    before = prepare(own)
    own.add_special_tokens(["<|user|>"])
    after = prepare(own)
    assert own.token_to_id("<|user|>") in after.special_ids
    assert len(after.special_ids) == len(before.special_ids) + 1
    own.enable_padding(length=32)
    assert prepare(own).tokenizer is not own
    assert prepare(own) is prepare(own)


def test_runs_of_blanks_and_unknown_words_stand_for_text():
    own = Tokenizer(models.WordLevel({"[UNK]": 0, "x": 1}, "[UNK]"))
    own.pre_tokenizer = pre_tokenizers.Whitespace()
    own.add_special_tokens(["[UNK]", "    ", "[SEP]"])
    assert prepare(own).special_ids.tolist() == [own.token_to_id("[SEP]")]


def test_digest_of_a_file_and_of_an_object(tmp_path, document, bundled, bundled_path):
    expected = hashlib.sha256(bundled_path.read_bytes()).hexdigest()
    assert tokenizer_sha256(bundled_path) == expected
    assert tokenizer_sha256(bundled_path.parent) == expected
    assert tokenizer_sha256(bundled) == expected
    own = Tokenizer.from_str(json.dumps(document))
    assert tokenizer_sha256(own) == tokenizer_sha256(Tokenizer.from_str(json.dumps(document)))
    clean = tokenizer_sha256(own)
    own.enable_padding(length=8)
    assert tokenizer_sha256(own) == clean


def test_no_such_file(tmp_path):
    with pytest.raises(TokenizerError) as error:
        load_tokenizer(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'tokenizer.json'}: no such file; give a tokenizer.json or a folder that "
        "holds one (transformers writes it with save_pretrained of a fast tokenizer)"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "EOF while parsing a value at line 1 column 0", id="empty"),
        pytest.param("{}", "Model missing. at line 1 column 2", id="no model"),
        pytest.param("<html>", "expected value at line 1 column 1", id="no JSON"),
    ],
)
def test_a_broken_file_passes_on_what_the_library_says(tmp_path, content, said):
    path = write(tmp_path, content)
    with pytest.raises(TokenizerError) as error:
        load_tokenizer(path)
    assert str(error.value) == (
        f"{path} is no tokenizer.json that the tokenizers library can read: {said}; "
        "save it again with the library that made it"
    )


def test_every_way_to_break_a_part_is_one_line(tmp_path, document, capfd):
    """A panic of the library's Rust core (the bad character map) is one of them."""
    charsmap = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    documents = [document | {key: 17} for key in document if key != "version"]
    documents.append(document | {"normalizer": charsmap})
    for broken in documents:
        with pytest.raises(TokenizerError) as error:
            load_tokenizer(write(tmp_path, broken))
        assert "\n" not in str(error.value)


def test_not_text_at_all(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(TokenizerError, match="can't decode byte 0xff"):
        load_tokenizer(path)


def test_a_slow_tokenizer_is_refused_with_what_to_do():
    class SlowTokenizer:
        is_fast = False

    with pytest.raises(TokenizerError) as error:
        prepare(SlowTokenizer())
    assert str(error.value) == (
        "a SlowTokenizer gives no character offsets; expected a tokenizers.Tokenizer, a fast "
        "tokenizer of transformers or the path of a tokenizer.json: "
        "load it with AutoTokenizer.from_pretrained(..., use_fast=True)"
    )


def test_a_tokenizer_that_fails_on_a_text_says_so(make):
    own = Tokenizer(models.WordPiece({"x": 0}))
    tokens = make.source("y", [(0, 1)])
    with pytest.raises(TokenizerError, match=r"fails on this text: .*UNK"):
        align(make.gaze([1.0]), tokens, own)


def test_fast_tokenizers_of_transformers(tmp_path, document, bundled, make):
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed: its tokenizers are not tried"
    )
    path = write(tmp_path, stale(document))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_file=str(path))
    fast.add_special_tokens({"pad_token": "<|pad|>"})
    fast(CODE, padding="max_length", truncation=True, max_length=5)
    before = fast.backend_tokenizer.to_str()
    tokens = make.source(CODE, make.words(CODE))
    example = align(make.gaze(range(len(tokens))), tokens, fast)
    assert example.input_ids.tolist() == bundled.encode(CODE).ids
    assert fast.backend_tokenizer.to_str() == before
    assert len(fast(CODE, padding="max_length", max_length=40)["input_ids"]) == 40
    fast(CODE, padding="max_length", truncation=True, max_length=6)
    assert prepare(fast) is prepare(fast)


def test_slow_tokenizers_of_transformers_are_refused(make):
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed: its tokenizers are not tried"
    )
    with pytest.raises(TokenizerError, match="ByT5Tokenizer gives no character offsets"):
        align(make.gaze([1.0]), make.source("x", [(0, 1)]), transformers.ByT5Tokenizer())

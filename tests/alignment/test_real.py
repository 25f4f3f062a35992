"""Every tokenizer that is used in earnest, on texts that break naive code."""

import unicodedata

import numpy as np
import pytest

from gazecode.alignment import align, load_tokenizer, tokenizer_sha256
from gazecode.alignment.subwords.tokenizer import prepare
from gazecode.errors import TokenizerError

pytestmark = pytest.mark.real

NAMES = (
    *("bert-base-uncased", "codegen", "codellama", "codet5", "deepseek-coder", "gpt2", "llama2"),
    *("llama3", "roberta", "smollm", "starcoder2", "t5-small"),
)
PROBE = (
    'public int caf\u00e9(int x) {\r\n\tString 变量 = "na\u00efve 😀 e\u0301";\r\n'
    "\t\tfor (int i = 0; i < 1234; i++) {   }\r\n                return this.getUserName_v2();"
    "\r\n}\r\n"
)
TEXTS = {
    "probe": PROBE,
    "NFC": unicodedata.normalize("NFC", PROBE),
    "NFD": unicodedata.normalize("NFD", PROBE),
    "LF": PROBE.replace("\r\n", "\n"),
    "emoji": 's = "👩‍👩‍👧‍👦 🏳️‍🌈 😀😀"; // 🧪\U0001d518',
    "scripts": "变量名 = 가각 + नि * العربية + ไทย; 𠮷野家",
    "compatibility": "ﬁ … Ⅳ ① ㎏ Å Ω K ½ \u017f İ",
    "combining": "e\u0301 a\u0308\u0323 o\u0302\u0301 \u0301x",
    "invisible": "a\u200bb\u200dc\ufeffd\u00ade\u2060f\u00a0g\u3000h",
    "blanks": "if (x):\n" + " " * 37 + "y\n" + "\t" * 9 + "z\n" + "\t \t " * 5 + "w",
    "added tokens": 'a = "</s><s>[UNK][SEP]<unk><pad><|endoftext|><extra_id_0><|im_start|>";',
    "controls": "a\x00b\x07c\x1b[0m\x7f",
    "bytes of added tokens": "õ ÷ Á ý À ÿ",
    "only blanks after": "x    ",
    "one": "x",
}


@pytest.fixture(scope="module", params=NAMES)
def real(request, shared_data):
    return request.param, load_tokenizer(shared_data / "tokenizers" / request.param)


def test_mass_is_conserved_and_inheritance_follows_overlap(real, make):
    name, tokenizer = real
    worst, lost = 0.0, 0
    for text in TEXTS.values():
        spans = make.words(text)
        tokens = make.source(text, spans)
        value = 1.0 + np.random.default_rng(1).gamma(1.0, 250.0, size=len(spans))
        for template in (None, "Explain this:\n{code}\nAnswer: "):
            example = align(make.gaze(value), tokens, tokenizer, template=template)
            shift = len((template or "{code}").split("{code}")[0].encode())
            encoding = tokenizer.encode(example.text)
            assert example.input_ids.tolist() == encoding.ids
            index = make.oracle_inherit(example.text, encoding.offsets, spans, shift)
            np.testing.assert_array_equal(example.token_index, index)
            worst = max(worst, conserved(make, tokenizer, example, value, shift))
            lost += example.report["tokens_lost"]
            neutral(example, encoding)
    print(f"{name}: largest error of a subword's mass {worst:.1e}, tokens without text {lost}")
    assert worst < 1e-6


def conserved(make, tokenizer, example, value, shift):
    """Largest error of a subword's mass against shares found byte by byte.

    Each token's part of those sums to its value.
    """
    spans = make.words(example.text.encode()[shift:].decode())[: len(value)]
    shares = make.true_shares(tokenizer, example.text)
    owned = [
        [sum(f for byte, f in row.items() if a + shift <= byte < b + shift) for row in shares]
        for a, b in spans
    ]
    owned = np.array(owned)
    reached = owned.sum(axis=1) > 0
    assert example.report["tokens_lost"] == int((~reached).sum())
    assert example.report["mass_lost"] == pytest.approx(value[~reached].sum())
    per_token = value[reached, None] * owned[reached] / owned[reached].sum(axis=1, keepdims=True)
    mass = example.attention * value[reached].sum()
    np.testing.assert_allclose(per_token.sum(axis=1), value[reached], atol=1e-9)
    return float(np.abs(mass - per_token.sum(axis=0)).max())


def neutral(example, encoding):
    added = np.array(encoding.special_tokens_mask, dtype=bool)
    assert not example.loss_mask[added].any()
    off = added | (example.token_index < 0)
    assert (example.weight[off] == 1.0).all()
    empty = np.array([a == b for a, b in encoding.offsets])
    assert (example.token_index[empty] == -1).all()
    assert (example.attention[empty] == 0).all()


def test_each_token_alone_gets_its_value_back(real, make):
    name, tokenizer = real
    tokens = make.source(PROBE, make.words(PROBE))
    worst = 0.0
    for t in range(len(tokens)):
        value = np.zeros(len(tokens))
        value[t] = 240.0
        example = align(make.gaze(value), tokens, tokenizer, policy="share")
        on = example.attention > 0
        worst = max(worst, abs(float((example.weight * on).sum()) - 240.0))
    print(f"{name}: {len(tokens)} tokens, largest error {worst:.1e}")
    assert worst < 1e-6


def test_no_byte_is_owned_twice_and_what_is_covered_is_owned(real, make):
    name, tokenizer = real
    unowned = 0
    for text in TEXTS.values():
        pieces = make.encode_one(make.source(text, []), prepare(tokenizer), template=None).ownership
        owned = np.zeros(len(text.encode()))
        for a, b, f in zip(pieces.start, pieces.end, pieces.fraction, strict=True):
            owned[a:b] += f
        covered = np.zeros(len(owned), dtype=bool)
        for a, b in pieces.span:
            covered[a:b] = True
        np.testing.assert_allclose(owned, covered, atol=1e-12)
        unowned += int((~covered).sum())
    print(f"{name}: {unowned} bytes owned by no subword")


def test_what_the_probe_is_known_to_give(shared_data, make):
    """Counts that stand beside each tokenizer (special tokens aside)."""
    known = dict(zip(NAMES, (49, 65, 66, 74, 68, 81, 66, 48, 81, 64, 62, 67), strict=True))
    for name, count in known.items():
        tokenizer = load_tokenizer(shared_data / "tokenizers" / name)
        example = align(make.gaze([]), make.source(PROBE, []), tokenizer)
        added = sum(tokenizer.encode(PROBE).special_tokens_mask)
        assert len(example) - added == count, name


def test_one_pieces_of_an_emoji_gets_its_own_bytes(shared_data, make):
    """gpt2 writes " 😀" as two pieces: three of its four bytes with the blank, then one."""
    tokenizer = load_tokenizer(shared_data / "tokenizers" / "gpt2")
    tokens = make.source("x 😀", [(0, 1), (2, 6)])
    example = align(make.gaze([0, 4]), tokens, tokenizer)
    assert example.attention.tolist() == [0.0, 0.75, 0.25]
    assert example.weight.tolist() == [0.0, 4.0, 4.0]


def test_the_unloadable_one_passes_on_the_message(shared_data):
    with pytest.raises(TokenizerError, match="Merges text file invalid at line 18918"):
        load_tokenizer(shared_data / "tokenizers" / "llama2-unloadable")


def test_digests_tell_tokenizers_apart(shared_data):
    digests = {tokenizer_sha256(shared_data / "tokenizers" / name) for name in NAMES}
    assert len(digests) == len(NAMES)

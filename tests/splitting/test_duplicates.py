"""Near duplicates: MinHash beside the Jaccard similarity it estimates."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.errors import DataError
from gazecode.splitting.duplicates import RUN, cluster, near_duplicates, normalised, signature
from gazecode.splitting.words import KEYWORDS

WORDS = st.lists(st.sampled_from([f"w{i}" for i in range(30)]), max_size=80)


def runs(tokens):
    return {tuple(tokens[i : i + RUN]) for i in range(max(len(tokens) - RUN + 1, 1))}


def jaccard(a, b):
    return len(runs(a) & runs(b)) / len(runs(a) | runs(b))


@given(WORDS)
def test_a_text_is_like_itself(tokens):
    assert (signature(tokens) == signature(list(tokens))).all()


def test_the_estimate_is_near_the_truth():
    rng = random.Random(1)
    errors = []
    for _ in range(150):
        a = [f"w{rng.randrange(400)}" for _ in range(120)]
        b = [w if rng.random() > rng.choice([0.01, 0.05, 0.2]) else "changed" for w in a]
        errors.append((signature(a) == signature(b)).mean() - jaccard(a, b))
    assert abs(np.mean(errors)) < 0.01
    assert np.std(errors) < 0.05


def test_clusters_are_those_of_all_pairs():
    rng = random.Random(2)
    texts = []
    for _ in range(40):
        base = [f"w{rng.randrange(500)}" for _ in range(150)]
        texts.append(base)
        copies = range(rng.randrange(3))
        texts += [[w if rng.random() > 0.005 else "x" for w in base] for _ in copies]
    found = cluster(np.stack([signature(t) for t in texts]), 0.8)
    for i, a in enumerate(texts):
        for j, b in enumerate(texts):
            if jaccard(a, b) > 0.92:
                assert found[i] == found[j]
            if jaccard(a, b) < 0.3:
                assert found[i] != found[j]


def test_comments_blanks_and_literals_do_not_count(make_example):
    one = make_example('int f() { return g("a", 1); } // why')
    two = make_example('int f() {\n  /* because */ return g("b", 22);\n}')
    other = make_example("void h(int a) { while (a > 0) { a--; k(a); } }")
    assert normalised(one) == normalised(two)
    clusters = near_duplicates([one, other, two]).tolist()
    assert clusters[0] == clusters[2] != clusters[1]


def test_nothing_has_no_duplicates():
    assert len(near_duplicates([])) == 0


BODY = """int total(int[] prices, int limit) {
    int sum = 0;
    for (int i = 0; i < prices.length; i++) {
        if (prices[i] > limit + K) { sum += prices[i] * this.sum; }
    }
    return helper.round(sum, "EUR");
}"""


def methods(n):
    """Distinct bodies of more than thirty tokens, each with a local called `sum`."""
    rng = random.Random(3)
    lines = [
        "sum -= {0};",
        "if (sum > {0}) sum = {0};",
        "log.put(sum, {0});",
        "while (sum < {0}) sum++;",
    ]
    for number in range(n):
        extra = " ".join(rng.choice(lines).format(f"x{rng.randrange(50)}") for _ in range(4))
        yield BODY.replace("return", f"{extra} return").replace("K", f"k{number}")


def test_one_renamed_local_is_found(make_example):
    found = 0
    for code in methods(40):
        renamed = code.replace("sum", "gesamt").replace("this.gesamt", "this.sum")
        a, b = near_duplicates([make_example(code), make_example(renamed)]).tolist()
        found += a == b
    assert found == 40


def test_consistently_renamed_identifiers_are_found(make_example):
    words = sorted(set(re.findall(r"[A-Za-z_]\w*", BODY)) - KEYWORDS - {"EUR"})
    other = re.sub(
        r"[A-Za-z_]\w*", lambda m: f"n{words.index(m[0])}" if m[0] in words else m[0], BODY
    )
    stranger = BODY.replace("i < prices.length", "prices.length > i - 1").replace("+=", "-=")
    clusters = near_duplicates(map(make_example, [BODY, stranger, other])).tolist()
    assert clusters[0] == clusters[2] != clusters[1]


def test_short_sources_of_the_same_structure_are_no_copies(make_example):
    one, other = (
        make_example("int f(int a) { return a; }"),
        make_example("int g(int b) { return c; }"),
    )
    assert len(set(near_duplicates([one, other]).tolist())) == 2


def test_what_is_no_example_is_one_line():
    for wrong in ([1], 3, "ab"):
        with pytest.raises(DataError, match="found .*; expected|found .* among the examples") as e:
            near_duplicates(wrong)
        assert "\n" not in str(e.value)

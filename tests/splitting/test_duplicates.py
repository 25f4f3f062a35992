"""Near duplicates: MinHash beside the Jaccard similarity it estimates."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gazecode.splitting.duplicates import RUN, cluster, near_duplicates, normalised, signature

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

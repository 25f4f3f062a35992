"""A corpus whose sources have answers: routes, templates, windows, and weights that must arrive."""

import json

import numpy as np
import pytest

import gazecode as gc
from gazecode.corpus import AlignRule, ReadOptions, weigh_corpus
from gazecode.errors import ParameterError

TEMPLATE = "Summarize:\n{code}\nSummary: {answer}"
PROSE = "Multiplies value by the round, adds it to the total, and returns the total."


def method(i):
    return (
        f"public int scale{i}(int value, int total) {{\n"
        "    for (int round = 0; round < 9; round++) { total = total + value * round; }\n"
        f"    return total + {i};\n"
        "}\n"
    )


@pytest.fixture
def rows(tmp_path):
    """Java methods with a summary and a translation."""

    def write(**changed):
        path = tmp_path / "rows.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for i in range(3):
                code = method(i)
                row = {"id": f"m{i}", "language": "java", "code": code, "summary": PROSE}
                row |= {"other": code.replace("int", "long")} | changed
                file.write(json.dumps(row) + "\n")
        return path

    return write


@pytest.fixture
def weighed(rows, priors, tokenizer, tmp_path):
    def weigh(answer="summary", *, language="prose", jobs=1, out="out.parquet", given=None, **rule):
        done = weigh_corpus(
            given or rows(),
            priors=priors,
            tokenizer=tokenizer,
            out=tmp_path / out,
            align=AlignRule(**{"template": TEMPLATE} | rule),
            options=ReadOptions(answer=answer),
            answer_language=language,
            jobs=jobs,
        )
        return done, gc.read_examples(done.shards[0])

    return weigh


def test_weights_of_the_source_never_reach_an_answer(weighed):
    with pytest.raises(ParameterError, match="weight_reach 0"):
        weighed(route="source_lm")
    done, examples = weighed(route="source_lm", allow_inert=True)
    assert {e.weight_reach for e in examples} == {0.0}
    assert done.document["weight_reach"]["by_tenths"] == {"0": 3}


def test_copies_of_source_tokens_do(weighed):
    done, examples = weighed(route="copy")
    assert len(examples) == 3
    for example in examples:
        assert example.route == "copy"
        assert example.weight_reach > 0
        answer = example.in_segment("answer")
        assert example.loss_mask.any()
        assert not example.loss_mask[~answer].any()
        assert np.all(example.weight[~answer] == 1)
        assert example.attention[example.in_segment("code")].sum() == pytest.approx(1)
    assert done.document["weight_reach"]["examples"] == 3


def test_priors_weigh_an_answer_that_is_code(weighed):
    _, examples = weighed("other", language="java", route="answer_prior")
    for example in examples:
        assert example.weight_reach == pytest.approx(1)
        assert np.all(example.weight[~example.in_segment("answer")] == 1)
        assert (example.weight[example.in_segment("answer")] > 1).any()


def test_attention_alone_leaves_every_weight_neutral(weighed):
    _, examples = weighed(route="attention")
    for example in examples:
        assert np.all(example.weight == 1)
        assert np.isnan(example.weight_reach)
        assert example.attention.sum() == pytest.approx(1)


def test_the_end_of_the_text_can_be_learnt(weighed):
    for learn_end in (False, True):
        _, examples = weighed(route="copy", learn_end=learn_end)
        beyond = [(e.loss_mask & ~e.in_segment("answer")).sum() for e in examples]
        # The bundled tokenizer puts nothing behind a text; no more can be learnt than is there.
        assert max(beyond) <= learn_end


@pytest.mark.parametrize("jobs", [1, 2])
def test_bytes_do_not_depend_on_the_processes(weighed, jobs, tmp_path):
    done, _ = weighed(route="copy", out=f"out{jobs}.parquet", jobs=jobs)
    first, _ = weighed(route="copy", out="first.parquet")
    assert done.shards[0].read_bytes() == first.shards[0].read_bytes()


@pytest.mark.parametrize(
    ("answer", "rule", "message"),
    [
        ("summary", {"template": None, "route": "copy"}, "no place for them; .*--template"),
        (None, {"route": "source_lm"}, "read without any; name their column .--answer."),
        (None, {"template": None, "route": "copy"}, "read without any"),
        ("summary", {"route": "answer_prior"}, "--answer-language"),
        (None, {"template": "{instruction}{code}"}, "has .instruction., for which a corpus"),
    ],
)
def test_answers_and_their_place_belong_together(weighed, answer, rule, message):
    with pytest.raises(ParameterError, match=message):
        weighed(answer, **rule)


def test_how_many_ends_are_learnt_is_counted(weighed):
    done, _ = weighed(route="copy", learn_end=True)
    assert done.document["counts"]["sources_whose_end_counts"] in range(4)


def test_an_answer_that_cannot_be_used_is_named(weighed, rows):
    path = rows()
    lines = path.read_text(encoding="utf-8").splitlines()
    broken = [json.loads(line) for line in lines]
    broken[0]["summary"] = "  "
    del broken[1]["summary"]
    path.write_text("\n".join(map(json.dumps, broken)), encoding="utf-8")
    done, examples = weighed(route="copy", given=path)
    assert done.n_failed == 2
    assert [e.source_id for e in examples] == ["m2"]
    said = done.failures.read_text(encoding="utf-8")
    assert "the answer is empty or blank" in said
    assert "no column 'summary' with an answer" in said


def test_an_answer_that_is_no_code_of_its_language_is_refused(weighed):
    with pytest.raises(gc.errors.DataError, match="the answer: .* syntax errors as java"):
        weighed("summary", language="java", route="answer_prior")


def test_windows_of_long_sources(weighed):
    whole = weighed(None, template=None, out="whole.parquet")[1]
    done, cut = weighed(None, template=None, max_length=24, overlap=8)
    assert max(map(len, cut)) <= 24
    assert done.n_sources == 3
    for source in {e.source_id for e in whole}:
        one = next(e for e in whole if e.source_id == source)
        parts = [e for e in cut if e.source_id == source]
        assert [e.window for e in parts] == list(range(len(parts)))
        assert sum(e.loss_mask.sum() for e in parts) == one.loss_mask.sum()
        assert sum(e.attention_share for e in parts) == pytest.approx(1, abs=1e-5)


@pytest.mark.real
def test_sources_cut_to_fill_the_middle(weighed, shared_data, rows, priors, tmp_path):
    file = shared_data / "tokenizers" / "starcoder2" / "tokenizer.json"
    if not file.is_file():
        pytest.skip("no tokenizers beside the checkout (../shared/data/tokenizers)")

    def weigh(seed, out):
        done = weigh_corpus(
            rows(),
            priors=priors,
            tokenizer=file,
            out=tmp_path / out,
            align=AlignRule(fim="starcoder", allow_inert=True),
            seed=seed,
        )
        return gc.read_examples(done.shards[0])

    examples = weigh(1, "a.parquet")
    assert len(examples) == 3
    for example in examples:
        assert set(example.segment_name) >= {"middle"}
        assert example.text.startswith("<fim_prefix>")
        inside = example.in_segment("middle")
        assert not example.loss_mask[example.in_segment("prefix", "suffix")].any()
        assert (example.loss_mask & ~inside).sum() == 1
    assert [e.text for e in weigh(1, "b.parquet")] == [e.text for e in examples]
    assert [e.text for e in weigh(2, "c.parquet")] != [e.text for e in examples]

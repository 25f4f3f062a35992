"""The study's files in small: CSV, pickles of its structure, Parquet; what is wrong is said."""

import contextlib
import csv
import os
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazecode.agreement.kou import (
    LabelledPrompt,
    PublishedScores,
    ScoredTokens,
    human,
    kou_figures,
    load_human,
    load_kou2024,
    load_scores,
    scores,
)
from gazecode.agreement.kou.columns import parquet_columns
from gazecode.errors import DataError, FormatError, ParameterError, TooLarge, UnknownFormat

MBPP = "Write a function to sort a list."
TWICE = "Write a python function to find the minimum."
HUMANEVAL = 'def add(a, b):\n    """Add two numbers, "a" and b.\n    """\n'
SPANS = {
    MBPP: [(20, 23), (27, 31)],
    TWICE: [(27, 30), (27, 30), (36, 43)],
    HUMANEVAL: [(22, 25), (26, 37)],
}
SCORED = {
    MBPP: [("Write", 0.1), ("sort", np.float32(0.5)), ("list", np.float64(0.25)), (".", 1)],
    TWICE: [("Write", 0.0), ("find", np.float16(2.0))],
    HUMANEVAL: [("Add", 0.5), ("two", 0.25)],
}


def write_csv(path, head, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def mbpp_csv(folder):
    rows = [
        (0, 601, MBPP, "sort", "Operator", "(20, 23)"),
        (1, 601, MBPP, "list.", "Datatype", "(27, 31)"),
        (2, 602, TWICE, "", "", ""),
        (3, 602, TWICE, "find", "Operator", "(27, 30)"),
        (4, 700, TWICE, "", "", ""),
        (5, 700, TWICE, "find", "Operator", "(27, 30)"),
        (6, 700, TWICE, "minimum.", "Property", "(36, 43)"),
    ]
    return write_csv(
        folder / "mbpp.csv", ["", "prompt_id", "Prompt", "Word", "Label Type", "index"], rows
    )


def humaneval_csv(folder):
    rows = [
        (0, HUMANEVAL, "Add", "operator", "(22, 25)"),
        (0, HUMANEVAL, "two numbers", "property", "(26, 37)"),
    ]
    return write_csv(
        folder / "humaneval.csv", ["prompt_id", "prompt", "word", "label type", "index range"], rows
    )


def write_pickle(path, held, protocol=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(held, protocol=protocol))
    return path


def same_spans(human):
    return {text: [tuple(one) for one in prompt.span.tolist()] for text, prompt in human.items()}


def words(prompt):
    return [prompt.text[start:end] for start, end in prompt.word_span]


def test_both_csv_files_are_read_joined_by_prompt_and_blank_rows_mark_nothing(tmp_path):
    mbpp, humaneval = load_human(mbpp_csv(tmp_path)), load_human(humaneval_csv(tmp_path))
    assert load_human(tmp_path).keys() == SPANS.keys()
    assert same_spans(mbpp) | same_spans(humaneval) == SPANS
    assert mbpp[TWICE].label == ("Operator", "Operator", "Property")
    assert (mbpp[MBPP].source, humaneval[HUMANEVAL].source) == ("mbpp", "humaneval")
    assert words(mbpp[MBPP]) == ["sort", "list."]
    assert words(humaneval[HUMANEVAL]) == ["Add", "two numbers"]


def test_the_pickle_and_parquet_say_the_same_as_the_csv_files(tmp_path):
    pickled = load_human(write_pickle(tmp_path / "dataset.pkl", SPANS))
    listed = [[list(one) for one in spans] for spans in SPANS.values()]
    columns = {
        "prompt_id": [0, 1, 2],
        "source": ["mbpp", "mbpp", "humaneval"],
        "prompt": list(SPANS),
        "spans": listed,
    }
    pq.write_table(pa.table(columns), tmp_path / "human.parquet")
    held = load_human(tmp_path / "human.parquet")
    assert same_spans(pickled) == same_spans(held) == SPANS
    assert [p.source for p in pickled.values()] == [p.source for p in held.values()]


def test_a_key_word_that_would_end_in_a_blank_has_an_exclusive_end():
    prompt = LabelledPrompt(text=MBPP, source="mbpp", span=[(0, 5), (20, 24)])
    assert not prompt.ends_inclusive
    assert words(prompt) == ["Write", "sort"]
    past = LabelledPrompt(text=MBPP, source="mbpp", span=[(27, len(MBPP))])
    assert words(past) == ["list."]
    assert words(LabelledPrompt(text=MBPP, source="mbpp", span=[(6, 6)])) == ["a"]


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_of_scores_is_one_row(tmp_path, protocol):
    path = write_pickle(tmp_path / "saliency_coding_polycoder.pkl", SCORED, protocol)
    (row,) = load_scores(path)
    assert (row.model, row.method) == ("polycoder", "saliency_coding")
    assert list(row.prompts) == list(SCORED)
    assert row.prompts[MBPP].text == ("Write", "sort", "list", ".")
    assert row.prompts[MBPP].score.tolist() == [0.1, 0.5, 0.25, 1.0]


def attention_parquet(folder, **changes):
    columns = {
        "prompt_id": [7, 7, 3, 3],
        "model": ["polycoder"] * 4,
        "method": ["shap", "shap", "shap", "bert"],
        "tok_idx": [1, 0, 0, 0],
        "token": ["sort", "Write", "Write", "find"],
        "score": [0.5, 0.1, 0.3, 0.2],
    } | changes
    pq.write_table(pa.table(columns), folder / "attention.parquet")
    human = {"prompt_id": [7, 3], "source": ["mbpp"] * 2, "prompt": [MBPP, TWICE]}
    pq.write_table(pa.table(human | {"spans": [[[20, 23]], [[27, 30]]]}), folder / "human.parquet")
    return folder / "attention.parquet"


def test_parquet_holds_several_rows_and_its_tokens_are_put_in_order(tmp_path):
    rows = load_scores(attention_parquet(tmp_path))
    assert [row.name for row in rows] == ["polycoder shap", "polycoder bert"]
    assert rows[0].prompts[MBPP].text == ("Write", "sort")
    assert rows[0].prompts[MBPP].score.tolist() == [0.1, 0.5]
    assert list(rows[1].prompts) == [TWICE]


def repository(folder, *, spans=True):
    if spans:
        write_pickle(folder / "gradient_based" / "dataset.pkl", SPANS)
    (folder / "dataset").mkdir(parents=True)
    mbpp_csv(folder / "dataset")
    for name in ("saliency_coding_polycoder", "shap_perturbation_codegen"):
        write_pickle(folder / "experiment_result" / f"{name}.pkl", SCORED)
    return folder


def test_a_copy_of_the_repository_and_a_folder_of_parquet_are_read_whole(tmp_path):
    study = load_kou2024(repository(tmp_path / "clone"))
    assert study.human.keys() == SPANS.keys()
    assert [row.name for row in study.scores] == [
        "polycoder saliency_coding",
        "codegen shap_perturbation",
    ]
    attention_parquet(tmp_path)
    assert [row.method for row in load_kou2024(tmp_path).scores] == ["shap", "bert"]
    assert len(load_kou2024(tmp_path, methods=("bert",)).scores) == 1


def test_only_the_files_asked_for_are_read(tmp_path):
    folder, named = repository(tmp_path / "clone"), []
    (folder / "experiment_result" / "reading_all_incoder.pkl").write_bytes(b"broken")
    study = load_kou2024(folder, models=("codegen",), progress=named.append)
    assert named == ["shap_perturbation_codegen.pkl"]
    assert [row.model for row in study.scores] == ["codegen"]
    with pytest.raises(FormatError, match=r"reading_all_incoder\.pkl: "):
        load_kou2024(folder)
    with pytest.raises(ParameterError, match=r"no row of models \('gpt4',\) and methods any; it"):
        load_kou2024(folder, models=("gpt4",))


def test_without_its_pickle_the_spans_come_from_the_csv_files(tmp_path):
    study = load_kou2024(repository(tmp_path / "clone", spans=False))
    assert study.human.keys() == {MBPP, TWICE}
    assert kou_figures(study.human, study.scores[0], k=1).unlabelled == 1


@pytest.mark.parametrize("load", [load_human, load_scores])
def test_hostile_pickles_are_refused_by_every_loader(tmp_path, load):
    class Payload:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'executed'}",)

    path = write_pickle(tmp_path / "shap_perturbation_codegen.pkl", {MBPP: [("sort", Payload())]})
    with pytest.raises(FormatError, match=r"refused: the name '(posix|nt)\.system'") as found:
        load(path)
    assert "\n" not in str(found.value)
    assert not (tmp_path / "executed").exists()


WRONG_SCORES = [
    ([1, 2], "holds a list; expected a dict of prompts and tokens"),
    ({}, "holds a dict; expected a dict of prompts"),
    ({MBPP: None}, "a prompt has a NoneType"),
    ({MBPP: [("sort", "0.5")]}, "no pair of a text and a number"),
    ({MBPP: [("sort",)]}, "no pair of a text and a number"),
    ({MBPP: [(1, 0.5)]}, "no pair of a text and a number"),
    ({MBPP: [("sort", 10**600)]}, "ValueError"),
]


@pytest.mark.parametrize(("held", "match"), WRONG_SCORES)
def test_a_pickle_of_something_else_is_said(tmp_path, held, match):
    path = write_pickle(tmp_path / "shap_codegen.pkl", held)
    with pytest.raises(FormatError, match=match):
        load_scores(path)


@pytest.mark.parametrize(
    ("held", "match"),
    [
        ([1], "holds a list; expected a dict of prompts and spans"),
        ({MBPP: 3}, "a prompt has a int; expected its spans"),
        ({MBPP: [(1, 2, 3)]}, "a span is no pair of whole numbers"),
        ({MBPP: [(1, 2.5)]}, "a span is no pair of whole numbers"),
        ({MBPP: [(1, True)]}, "a span is no pair of whole numbers"),
        ({MBPP: [(9, 2)]}, "span 0 of 'Write a function to sort a list.' is 9 to 2"),
        ({MBPP: [(1, 2**70)]}, r"dataset\.pkl: "),
    ],
)
def test_a_pickle_of_other_spans_is_said(tmp_path, held, match):
    with pytest.raises(FormatError, match=match):
        load_human(write_pickle(tmp_path / "dataset.pkl", held))


def test_a_list_named_a_million_times_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "MAX_STEPS", 1000)
    tokens = [("sort", 0.5)] * 100
    path = write_pickle(tmp_path / "a_b.pkl", {str(i): tokens for i in range(20)})
    with pytest.raises(TooLarge, match="more than 1,000 tokens"):
        load_scores(path)


def test_files_of_other_kinds_and_broken_ones_are_said(tmp_path):
    for load in (load_human, load_scores):
        with pytest.raises(UnknownFormat, match=r"x\.json: no file of"):
            load(tmp_path / "x.json")
    with pytest.raises(UnknownFormat, match="names no row; expected METHOD_MODEL"):
        load_scores(tmp_path / "scores.pkl")
    with pytest.raises(UnknownFormat, match=r"neither mbpp\.csv nor humaneval\.csv"):
        load_human(tmp_path)
    with pytest.raises(UnknownFormat, match="neither a copy of the study's repository"):
        load_kou2024(tmp_path)
    (tmp_path / "human.parquet").write_bytes(b"PAR1")
    with pytest.raises(FormatError, match=r"human\.parquet: no Parquet file, or cut off"):
        load_human(tmp_path / "human.parquet")
    (tmp_path / "experiment_result").mkdir()
    with pytest.raises(UnknownFormat, match="neither a copy"):
        load_kou2024(tmp_path)


def test_columns_and_spans_of_csv_files_are_checked_where_they_stand(tmp_path):
    path = tmp_path / "mbpp.csv"
    write_csv(path, ["Prompt", "index"], [(MBPP, "(0, 4)")])
    with pytest.raises(FormatError, match="no column label; found Prompt, index"):
        load_human(path)
    head = ["Prompt", "Label Type", "index"]
    write_csv(path, head, [(MBPP, "a", "(0, 4)"), (MBPP, "a", "0 to 4")])
    with pytest.raises(FormatError, match=r"mbpp\.csv:3: span '0 to 4'; expected two numbers"):
        load_human(path)
    write_csv(path, head, [(MBPP, "a")])
    with pytest.raises(FormatError, match=r"mbpp\.csv:2: 2 fields; expected 3"):
        load_human(path)
    path.write_bytes(b"Prompt,Label Type,index\n\xff,a,b\n")
    with pytest.raises(FormatError, match=r"mbpp\.csv: no CSV file in UTF-8"):
        load_human(path)


def test_parquet_that_does_not_belong_together_is_said(tmp_path):
    path = attention_parquet(tmp_path, prompt_id=[7, 7, 3, 4])
    with pytest.raises(FormatError, match=r"prompt 4 is not in human\.parquet, which has 2"):
        load_scores(path)
    (tmp_path / "human.parquet").unlink()
    with pytest.raises(FormatError, match=r"no human\.parquet lies beside it"):
        load_scores(path)
    pq.write_table(pa.table({"prompt_id": [1]}), tmp_path / "human.parquet")
    with pytest.raises(FormatError, match=r"human\.parquet: no column prompt"):
        load_scores(path)


def test_one_list_of_spans_may_not_stand_for_thousands(tmp_path, monkeypatch):
    monkeypatch.setattr(human, "MAX_STEPS", 1_000)
    spans = [(0, 0)] * 100
    path = write_pickle(tmp_path / "dataset.pkl", {f"{i:03}": spans for i in range(20)})
    with pytest.raises(TooLarge, match="more than 1,000 spans"):
        load_human(path)


HUMAN = {
    "prompt_id": [0, 1],
    "source": ["mbpp", "humaneval"],
    "prompt": ["Sort it now.", "def f(): sort"],
    "spans": [[[0, 3]], [[0, 3], [4, 5]]],
}


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("prompt", [1, 2], "column prompt holds int64; expected text"),
        ("prompt", [[1], [2]], "column prompt holds list<.*>; expected text"),
        ("prompt", [None, "a"], "column prompt has 1 gaps; expected none"),
        ("source", [None, None], "column source holds null; expected text"),
        ("spans", ["(0, 3)", ""], "column spans holds string; expected spans"),
        ("spans", [[[0.0, 3.0]], []], "column spans holds list<.*double.*>; expected spans"),
        ("spans", [None, []], "column spans holds list<.*null.*>; expected spans"),
        ("spans", [[[0, 3, 4]], [[0, 1]]], "a span is no pair of whole numbers"),
        ("spans", [[[0, 30]], [[0, 1]]], "is 0 to 30; expected 0 <= start <= end <= 12"),
    ],
)
def test_columns_of_another_kind_are_said(tmp_path, column, values, said):
    path = tmp_path / "human.parquet"
    pq.write_table(pa.table(HUMAN | {column: values}), path)
    with pytest.raises(FormatError, match=rf"human\.parquet: .*{said}"):
        load_human(path)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("score", ["a", "b", "c", "d"], "column score holds string; expected number"),
        ("score", [None, 0.1, 0.2, 0.3], "column score has 1 gaps"),
        ("token", [None, "a", "b", "c"], "column token has 1 gaps"),
        ("tok_idx", [0, None, 2, 3], "column tok_idx has 1 gaps"),
        ("model", [["a"]] * 4, "column model holds list<.*>; expected text"),
    ],
)
def test_columns_of_scores_of_another_kind_are_said(tmp_path, column, values, said):
    path = attention_parquet(tmp_path, **{column: values})
    with pytest.raises(FormatError, match=rf"attention\.parquet: {said}"):
        load_scores(path)


def test_a_number_that_stands_for_two_prompts_is_said(tmp_path):
    path = attention_parquet(tmp_path)
    pq.write_table(pa.table(HUMAN | {"prompt_id": [1, 1]}), tmp_path / "human.parquet")
    with pytest.raises(FormatError, match="a prompt_id stands for two prompts"):
        load_scores(path)


def test_broken_parquet_is_refused_in_one_line_or_read(tmp_path):
    path, rng = tmp_path / "human.parquet", np.random.default_rng(0)
    for compression in ("snappy", "zstd", "none"):
        pq.write_table(pa.table(HUMAN), path, compression=compression)
        whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        for _ in range(60):
            broken = whole.copy()
            at = rng.integers(4, len(broken), 4)
            broken[at] = rng.integers(0, 256, 4)
            path.write_bytes(broken.tobytes())
            with contextlib.suppress(FormatError):
                load_human(path)


def test_parquet_that_unpacks_to_much_is_refused_unread(tmp_path):
    path = attention_parquet(tmp_path)
    n = 2_000_001
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array(np.zeros(n, dtype=np.int64))), path)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(TooLarge, match="2,000,001 rows"):
        load_scores(path)
    long = HUMAN | {"prompt": ["a" * (65 << 20), "b"]}
    pq.write_table(pa.table(long), tmp_path / "human.parquet", compression="zstd")
    with pytest.raises(TooLarge, match="2 rows of 68,"):
        load_human(tmp_path / "human.parquet")


def test_a_text_that_parquet_keeps_once_is_held_once(tmp_path):
    text = "a" * 50_000
    table = HUMAN | {"prompt": [text, text], "spans": [[[0, 3]], [[4, 5]]]}
    pq.write_table(pa.table(table), tmp_path / "human.parquet")
    held = parquet_columns(tmp_path / "human.parquet", {"prompt": "text"})["prompt"]
    assert held == [text, text]
    assert held[0] is held[1]


def test_a_prompt_that_would_be_searched_for_ever_is_refused():
    text = "a" * 200_000
    labelled = {text: LabelledPrompt(text=text, source="humaneval", span=[[0, 3]])}
    tokens = ScoredTokens(text=("zz",) * 1_000, score=[0.5] * 1_000)
    row = PublishedScores(model="m", method="a", prompts={text: tokens})
    with pytest.raises(TooLarge, match="1,000 tokens in a prompt of 200,000 characters"):
        kou_figures(labelled, row, k=5)


def test_types_check_themselves():
    with pytest.raises(DataError, match="2 tokens and 1 scores"):
        ScoredTokens(text=("a", "b"), score=[0.5])

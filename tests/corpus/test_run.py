import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gazecode as gc
from gazecode.corpus import AlignRule, BlockRule, ReadOptions
from gazecode.corpus.places import STAGED
from gazecode.disk import alone_in
from gazecode.errors import DataError, ParameterError
from gazecode.export import read_metadata, validate

from .conftest import everything_in, method, write_rows


def failures_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_shards(weigh, corpus):
    told = []
    done = weigh(corpus, progress=told.append)
    assert [path.name for path in done.shards] == [f"weights-{i:05d}.parquet" for i in range(5)]
    assert sorted(p.name for p in done.out.iterdir() if not p.name.startswith(".")) == [
        "corpus.json",
        "failures.csv",
        *(path.name for path in done.shards),
    ]
    assert (done.n_sources, done.n_failed, done.n_resumed) == (40, 0, 0)
    rows = [row for shard in done.shards for row in gc.read_examples(shard)]
    assert [row.source_id for row in rows] == [f"m{i}" for i in range(40)]
    assert [step.n_sources for step in told] == [8, 16, 24, 32, 40]
    assert told[-1].n_bytes == sum(len(method(i)) for i in range(40))
    assert told[-1].bytes_per_s > 0
    assert failures_of(done.failures) == []
    for shard in done.shards:
        assert validate(shard).ok


def test_shards_say_how_they_were_made(weigh, corpus, tokenizer):
    done = weigh(corpus, seed=3, path_params={"max_line_span": 2})
    said = read_metadata(done.shards[0])
    assert said["parameters"]["seed"] == 3
    assert said["parameters"]["path_params"]["max_line_span"] == 2
    assert said["parameters"]["priors"]["name"] == "made for a test"
    assert said["tokenizer_sha256"] == gc.alignment.tokenizer_sha256(tokenizer)
    assert said["inputs_sha256"] != read_metadata(done.shards[1])["inputs_sha256"]
    document = json.loads(done.corpus.read_text())
    assert document["counts"]["sources"] == 40
    assert document["languages"] == {"java": 40}
    assert document["parameters"]["blocks"] == {"rows": 8, "n_bytes": 100_000}
    assert document["shards"] == 5
    assert document["inputs_sha256"]
    assert str(corpus.parent) not in done.corpus.read_text()


def test_a_rerun_gives_the_same_bytes(weigh, corpus, tmp_path):
    one, two = weigh(corpus, tmp_path / "1").out, weigh(corpus, tmp_path / "2").out
    assert everything_in(one) == everything_in(two)
    three = weigh(corpus, tmp_path / "3", seed=1).out
    assert everything_in(one) != everything_in(three)


def test_one_file_holds_the_shards_as_row_groups(weigh, corpus, tmp_path):
    folder = weigh(corpus, tmp_path / "folder")
    done = weigh(corpus, tmp_path / "w.parquet")
    assert done.shards == (tmp_path / "w.parquet",)
    assert pq.ParquetFile(done.out).num_row_groups == 5
    whole = pq.read_table(done.out)
    parts = [pq.read_table(shard) for shard in folder.shards]
    assert whole.to_pylist() == [row for part in parts for row in part.to_pylist()]
    assert validate(done.out).ok
    assert sorted(p.name for p in tmp_path.iterdir() if "w." in p.name) == [
        "w.corpus.json",
        "w.failures.csv",
        "w.parquet",
    ]
    assert not list(tmp_path.glob(".*"))


def test_processes_give_the_same_bytes(weigh, corpus, tmp_path):
    one = weigh(corpus, tmp_path / "1", jobs=1)
    two = weigh(corpus, tmp_path / "2", jobs=2)
    assert everything_in(one.out) == everything_in(two.out)


HOSTILE = [
    ({"id": "good", "code": method(1)}, None),
    ({"id": "prose", "code": "This is prose. It says nothing to a compiler, at all."}, "parse"),
    ({"id": "empty", "code": ""}, "read"),
    ({"id": "blank", "code": " \n\t"}, "read"),
    ({"id": "nul", "code": "int x\0;"}, "read"),
    ({"id": "long", "code": "x" * 5_000_000}, "read"),
    ({"id": "line", "code": '"' + "y" * 200_000 + '"'}, "read"),
    ({"id": "none"}, "read"),
    ({"id": "cobol", "code": "x", "language": "cobol"}, "language"),
    ({"id": "surrogate", "code": "\ud83d"}, "read"),
    ({"id": "deep", "code": "class A { int x = " + "(" * 2000 + "1" + ")" * 2000 + "; }"}, None),
    ({"id": "emoji", "code": 'class A { String s = "\U0001f469\u200d\U0001f4bb"; }'}, None),
    ({"id": "crlf", "code": "class A {\r\n\tint x;\r\n}\r\n"}, None),
]


def test_what_cannot_be_weighed_is_reported_and_nothing_is_lost(weigh, tmp_path):
    rows = [{"language": "java"} | row for row, _ in HOSTILE]
    path = write_rows(tmp_path / "bad.jsonl", rows)
    with path.open("ab") as file:
        file.write(b'{"id": "latin", "code": "caf\xe9"}\n{"id": "cut')
    done = weigh(path)
    found = {row["id"]: row for row in failures_of(done.failures)}
    expected = {row["id"]: stage for row, stage in HOSTILE if stage}
    expected |= {"bad.jsonl:14": "read", "bad.jsonl:15": "read"}
    assert {name: row["stage"] for name, row in found.items()} == expected
    assert found["prose"]["where"] == "bad.jsonl:2"
    assert list(found) == sorted(found, key=lambda name: int(found[name]["where"].split(":")[1]))
    weighed = [row.source_id for shard in done.shards for row in gc.read_examples(shard)]
    assert weighed == [row["id"] for row, stage in HOSTILE if not stage]
    assert done.n_sources + done.n_failed == len(HOSTILE) + 2
    assert json.loads(done.corpus.read_text())["failures"] == {
        "language": 1,
        "parse": 1,
        "read": 9,
    }


@pytest.fixture
def bad(tmp_path):
    return write_rows(tmp_path / "bad.jsonl", [{"id": "a", "code": "", "language": "java"}])


def test_a_corpus_of_which_nothing_can_be_weighed(weigh, bad, corpus, tmp_path):
    out, one = tmp_path / "out", tmp_path / "one.parquet"
    for _ in range(2):
        with pytest.raises(DataError, match=r"first reason: a: .*; .*failures\.csv has them all"):
            weigh(bad)
    assert [row["id"] for row in failures_of(out / "failures.csv")] == ["a"]
    assert not (out / "corpus.json").exists()
    with pytest.raises(DataError, match="none of 1 sources could be weighed; first reason: a: "):
        weigh(bad, one)
    assert sorted(p.name for p in tmp_path.iterdir() if "one." in p.name) == ["one.failures.csv"]
    # Nothing of it stands in the way of a run that goes well.
    assert weigh(corpus).n_sources == weigh(corpus, one).n_sources == 40


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_fails_leaves_an_earlier_result_as_it_was(weigh, bad, corpus, tmp_path, resume):
    (tmp_path / "x").mkdir()
    places = {"x": tmp_path / "x", "w.parquet": tmp_path / "w.parquet"}
    for out in places.values():
        weigh(corpus, out)
    before = everything_in(tmp_path)
    reading = {"resume": resume}
    for out, name in (
        (places["x"], "x/failures-of-failed-run.csv"),
        (places["w.parquet"], "w.failures-of-failed-run.csv"),
    ):
        with pytest.raises(DataError, match=name.rsplit("/", 1)[-1]):
            weigh(bad, out, **reading)
        after = everything_in(tmp_path)
        assert [row["id"] for row in failures_of(tmp_path / name)] == ["a"]
        assert {k: v for k, v in after.items() if k != name} == before
        weigh(corpus, out, resume=resume)
        assert everything_in(tmp_path) == before


def test_a_folder_of_others_is_refused(weigh, corpus, tmp_path):
    for name in ("failures.csv", "corpus.json", "weights-00000.parquet"):
        out = tmp_path / name.split(".")[0]
        out.mkdir()
        (out / name).write_text("mine")
        for resume in (False, True):
            with pytest.raises(ParameterError, match=f"holds {name} of something else") as error:
                weigh(corpus, out, resume=resume)
            assert "\n" not in str(error.value)
        assert everything_in(out) == {name: b"mine"}


def test_only_shards_are_replaced(weigh, corpus, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    mine = ("weights-final.parquet", "weights-1.parquet", ".weights-mine.parquet", "weights-x.csv")
    for name in mine:
        (out / name).write_text("mine")
    few = write_rows(tmp_path / "few.jsonl", [{"id": "a", "code": method(1), "language": "java"}])
    for what in (corpus, few, corpus):
        weigh(what)
        weigh(what, resume=True)
        assert all((out / name).read_text() == "mine" for name in mine)
    assert weigh(few).shards == (out / "weights-00000.parquet",)
    assert len(list(out.glob("weights-0*.parquet"))) == 1


def test_out_may_not_be_an_input(weigh, tmp_path):
    rows = [{"id": "a", "code": method(1), "language": "java"}]
    data = tmp_path / "data"
    data.mkdir()
    mine = data / "mine.parquet"
    pq.write_table(pa.Table.from_pylist(rows), mine)
    (tmp_path / "link.parquet").symlink_to(mine)
    before = everything_in(tmp_path)
    for what, out in ((mine, mine), (mine, tmp_path / "link.parquet")):
        with pytest.raises(ParameterError, match="which is one of the inputs"):
            weigh(what, out)
    with pytest.raises(ParameterError, match="is no file of weights"):
        weigh(data, mine)
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_folder_of_data_may_hold_its_weights(weigh, tmp_path, kind):
    rows = [{"id": f"m{i}", "code": method(i), "language": "java"} for i in range(20)]
    data = tmp_path / "data"
    data.mkdir()
    if kind == "jsonl":
        write_rows(data / "a.jsonl", rows)
    else:
        pq.write_table(pa.Table.from_pylist(rows), data / "a.parquet")
    for out in (data, data / "inside", data / "inside" / "w.parquet", data / "inside" / "deep"):
        first = None
        for _ in range(3):
            done = weigh(data, out)
            assert (done.n_sources, done.n_failed) == (20, 0)
            first = first or everything_in(data)
            assert everything_in(data) == first
        shutil.rmtree(data / "inside", ignore_errors=True)
        for path in data.iterdir():
            if path.name != f"a.{kind}":
                path.unlink()
        (data / "inside").mkdir()


def test_weights_are_no_corpus(weigh, corpus, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    weigh(corpus, data / "one.parquet")
    write_rows(data / "a.jsonl", [{"id": "a", "code": method(1), "language": "java"}])
    done = weigh(data, data / "two.parquet")
    assert (done.n_sources, done.n_failed) == (1, 1)
    (row,) = failures_of(done.failures)
    assert (row["where"], row["stage"]) == ("one.parquet", "file")
    assert row["reason"].startswith("a file of weights")


def test_blocks_without_a_usable_source_leave_no_shard(weigh, tmp_path):
    rows = [{"id": f"b{i}", "code": "", "language": "java"} for i in range(20)]
    rows.append({"id": "good", "code": method(1), "language": "java"})
    done = weigh(write_rows(tmp_path / "a.jsonl", rows))
    assert [path.name for path in done.shards] == ["weights-00000.parquet"]
    assert done.n_failed == 20


def test_ids_that_repeat_are_made_unique_and_counted(weigh, tmp_path):
    rows = [{"id": "same", "code": method(i), "language": "java"} for i in range(3)]
    done = weigh(write_rows(tmp_path / "a.jsonl", rows))
    found = [row.source_id for row in gc.read_examples(done.shards[0])]
    assert found == ["same", "same#1", "same#2"]
    assert done.document["counts"]["ids_made_unique"] == 2


def test_strength_makes_the_mean_one(weigh, corpus):
    done = weigh(corpus, align=AlignRule(strength=0.5))
    example = gc.read_examples(done.shards[0])[0]
    assert example.weight[example.loss_mask].mean() == pytest.approx(1.0, abs=1e-5)


def test_resume_keeps_what_is_done(weigh, corpus, tmp_path):
    whole = everything_in(weigh(corpus, tmp_path / "whole").out)

    class Stop(Exception):
        pass

    def stop(step):
        if step.n_blocks == 3:
            raise Stop

    with pytest.raises(Stop):
        weigh(corpus, progress=stop)
    out = tmp_path / "out"
    assert len(list(out.glob("weights-*.parquet"))) == 3
    assert not (out / "corpus.json").exists()
    stamp = (out / "weights-00001.parquet").stat().st_mtime_ns
    done = weigh(corpus, resume=True)
    assert done.n_resumed == 3
    assert (out / "weights-00001.parquet").stat().st_mtime_ns == stamp
    assert everything_in(out) == whole


def test_resume_does_a_damaged_shard_again(weigh, corpus, tmp_path):
    out = weigh(corpus).out
    whole = everything_in(out)
    (out / "weights-00003.parquet").write_bytes(b"damaged")
    assert weigh(corpus, resume=True).n_resumed == 3
    assert everything_in(out) == whole


def test_resume_sees_a_changed_corpus(weigh, corpus, tmp_path):
    out = weigh(corpus).out
    rows = [{"id": f"m{i}", "language": "java", "code": method(i + (i > 20))} for i in range(30)]
    write_rows(corpus, rows)
    done = weigh(corpus, resume=True)
    assert done.n_resumed == 2
    assert everything_in(out) == everything_in(weigh(corpus, tmp_path / "new").out)


def test_resume_refuses_other_settings(weigh, corpus, tmp_path):
    weigh(corpus)
    with pytest.raises(ParameterError, match="was begun with other settings"):
        weigh(corpus, resume=True, seed=1)
    with pytest.raises(ParameterError, match="was begun with other settings"):
        weigh(corpus, resume=True, options=ReadOptions(max_bytes=10))


def test_resume_of_nothing_begins(weigh, corpus):
    assert weigh(corpus, resume=True).n_sources == 40


def test_a_folder_never_holds_two_runs(weigh, corpus, tmp_path):
    out = weigh(corpus).out
    first = everything_in(out)
    few = write_rows(
        tmp_path / "few.jsonl",
        [{"id": f"n{i}", "language": "java", "code": method(i)} for i in range(10)],
    )

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weigh(few, progress=stop)
    kept = {k: v for k, v in everything_in(out).items() if not k.startswith(STAGED)}
    assert kept == first
    assert weigh(few, resume=True).n_resumed == 1
    assert everything_in(out) == everything_in(weigh(few, tmp_path / "new").out)


def test_a_folder_inside_the_corpus_is_not_part_of_it(weigh, tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    (root / "A.java").write_text("class A { int x; }")
    for _ in range(2):
        assert weigh(root, root / "weights").n_sources == 1
    rows = [{"id": "a", "language": "java", "code": method(1)}]
    data = tmp_path / "data"
    data.mkdir()
    write_rows(data / "a.jsonl", rows)
    for _ in range(2):
        assert weigh(data, data / "w.parquet").n_sources == 1


def test_a_second_run_into_the_same_folder_is_refused(weigh, corpus, tmp_path):
    (tmp_path / "out").mkdir()
    with (
        alone_in(tmp_path / "out"),
        pytest.raises(ParameterError, match="another run is writing into"),
    ):
        weigh(corpus)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engine": "spark"}, "no 'spark' in engines"),
        ({"jobs": 0}, "jobs is 0"),
        ({"engine": "dask"}, "needs the address of a scheduler"),
        ({"scheduler": "tcp://a:1"}, "scheduler is for engine 'dask'"),
        ({"blocks": None, "scheme": "x"}, "no 'x' in weighting schemes"),
    ],
)
def test_wrong_usage_is_said(weigh, corpus, given, message):
    with pytest.raises(ParameterError, match=message):
        weigh(corpus, **given)


def test_out_may_not_be_some_other_file(weigh, corpus, tmp_path):
    (tmp_path / "file.txt").write_text("mine")
    with pytest.raises(ParameterError, match=r"file\.txt is a file"):
        weigh(corpus, tmp_path / "file.txt")
    with pytest.raises(ParameterError, match="no folder"):
        weigh(corpus, tmp_path / "nowhere" / "w.parquet")
    with pytest.raises(ParameterError, match="a block of 0 sources"):
        BlockRule(rows=0)


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import SMALL, TOKENIZER, make_priors
from gazecode.corpus import weigh_corpus
if __name__ == "__main__":
    weigh_corpus(
        sys.argv[2], priors=make_priors(), tokenizer=TOKENIZER, out=sys.argv[3], blocks=SMALL,
        jobs=int(sys.argv[4]), resume=True,
    )
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_job_killed_in_the_middle_is_taken_up(weigh, tmp_path, jobs):
    rows = [{"id": f"m{i}", "language": "java", "code": method(i) * 6} for i in range(600)]
    corpus = write_rows(tmp_path / "many.jsonl", rows)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    here = str(Path(__file__).parent)
    out = tmp_path / "out"
    command = [sys.executable, str(script), here, str(corpus), str(out), str(jobs)]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(out.glob("weights-*.parquet"))) < 4:
        assert process.poll() is None, "the job ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = weigh(corpus, resume=True)
    assert done.n_resumed >= 3
    assert everything_in(out) == everything_in(weigh(corpus, tmp_path / "whole").out)

import socket
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gazecode as gc
from gazecode.corpus import cluster, engines
from gazecode.corpus.engines import bisected
from gazecode.corpus.work import Worked
from gazecode.errors import ParameterError

from .conftest import everything_in, method, write_rows

HERE = str(Path(__file__).parent)


@given(st.sets(st.integers(0, 19)), st.sets(st.integers(0, 19)))
def test_those_that_kill_are_found_and_the_others_kept(killers, refused):
    table = pa.RecordBatch.from_pydict({"id": [str(i) for i in range(20)]})

    def attempt(some):
        rows = [int(name) for name in some.column("id").to_pylist()]
        if killers & set(rows):
            return None
        bad = {k: ("parse", f"{i}") for k, i in enumerate(rows) if i in refused}
        return Worked(shard=b"x", n_rows=len(rows) - len(bad), refused=bad)

    done = bisected(table, attempt)
    assert {i for i, (stage, _) in done.refused.items() if stage == "crash"} == killers
    said = {i: reason for i, (stage, reason) in done.refused.items() if stage == "parse"}
    assert said == {i: str(i) for i in refused - killers}
    assert done.n_rows == 20 - len(killers | refused)
    assert list(done.refused) == sorted(done.refused)


@pytest.fixture
def hostile(tmp_path):
    rows = [{"id": f"m{i}", "language": "java", "code": method(i)} for i in range(24)]
    rows[11]["code"] = "class KILL {}"
    return write_rows(tmp_path / "hostile.jsonl", rows)


@pytest.fixture
def murder(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    import hostile

    return hostile


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_source_that_kills_its_process_is_reported(weigh, hostile, murder, monkeypatch):
    monkeypatch.setattr(engines, "_work", murder.in_process)
    done = weigh(hostile, jobs=2)
    assert (done.n_sources, done.n_failed) == (23, 1)
    assert 'm11,hostile.jsonl:12,crash,"the process that worked on it' in done.failures.read_text()
    kept = [row.source_id for shard in done.shards for row in gc.read_examples(shard)]
    assert kept == [f"m{i}" for i in range(24) if i != 11]


@pytest.fixture(scope="module")
def scheduler():
    distributed = pytest.importorskip("distributed")
    import dask

    # Killed workers come back at once; one death is enough to call a block hostile.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.syspath_prepend(HERE)
        with distributed.LocalCluster(
            n_workers=2, processes=True, threads_per_worker=1, dashboard_address=":0"
        ) as local:
            yield local.scheduler_address


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes(weigh, corpus, tmp_path, scheduler):
    one = weigh(corpus, tmp_path / "1")
    two = weigh(corpus, tmp_path / "2", engine="dask", scheduler=scheduler)
    assert everything_in(one.out) == everything_in(two.out)
    assert two.n_sources == 40


@pytest.mark.slow
def test_a_cluster_takes_up_what_processes_began(weigh, corpus, tmp_path, scheduler):
    def stop(step):
        if step.n_blocks == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weigh(corpus, progress=stop)
    done = weigh(corpus, engine="dask", scheduler=scheduler, resume=True)
    assert done.n_resumed == 2
    assert everything_in(done.out) == everything_in(weigh(corpus, tmp_path / "1").out)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_source_that_kills_workers_is_reported(weigh, hostile, murder, monkeypatch, scheduler):
    monkeypatch.setattr(cluster, "weigh_block", murder.on_cluster)
    done = weigh(hostile, engine="dask", scheduler=scheduler)
    assert (done.n_sources, done.n_failed) == (23, 1)
    assert "m11,hostile.jsonl:12,crash," in done.failures.read_text()


@pytest.mark.parametrize(
    "address",
    [
        "nonsense", "tcp://", "tcp://host", "tcp://host:port", "tcp://host:0", "tcp://host:70000",
        "http://host:8786", "spark://host:1", "tcp://:8786", "://", "tcp://a b:1", "tcp://host:8786/x",
    ],
)  # fmt: skip
def test_what_is_no_address_is_said_at_once(weigh, corpus, tmp_path, address):
    pytest.importorskip("distributed")
    with pytest.raises(ParameterError, match="is no address of a scheduler; expected tcp://"):
        weigh(corpus, engine="dask", scheduler=address)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "tls://[::1]:9"])
def test_nobody_at_the_address_is_said(weigh, corpus, tmp_path, capfd, address):
    pytest.importorskip("distributed")
    with pytest.raises(ParameterError) as error:
        weigh(corpus, engine="dask", scheduler=address)
    assert str(error.value).startswith(f"no dask scheduler answers at {address} (")
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""
    assert not (tmp_path / "out").exists()


def test_who_answers_may_be_no_scheduler(weigh, corpus, tmp_path, capfd, monkeypatch):
    """The address of the dashboard, say."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ParameterError, match="no dask scheduler answers at .*timed out"):
            weigh(corpus, engine="dask", scheduler=address)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_scheduler_without_workers_is_said(weigh, corpus, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "WORKERS_S", 1)
    with (
        distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as local,
        pytest.raises(ParameterError, match="has had no worker for 1 s"),
    ):
        weigh(corpus, engine="dask", scheduler=local.scheduler_address)

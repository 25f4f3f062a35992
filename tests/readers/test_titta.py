"""Titta HDF5: pandas' fixed layout without PyTables, and a pickle that is never run."""

import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import titta as makers
from makers.tobii_sdk import gaze

from gazecode.errors import FormatError, TooLarge
from gazecode.readers.source import Source
from gazecode.readers.tobii import titta
from gazecode.readers.tobii.titta import pickled_texts


def test_gaze_flags_and_pupils(tmp_path):
    rec = titta.read(Source(makers.make(tmp_path, 90)))
    made = gaze(90)
    np.testing.assert_allclose(rec.samples["left"].t_ms, np.arange(90) * 11.103)
    for eye, shift in (("left", 0.0), ("right", 0.02)):
        got = rec.samples[eye]
        assert (~got.lost).tolist() == made[eye].tolist()
        np.testing.assert_allclose(got.xy_px[made[eye], 0], made["x"][made[eye]] + shift, atol=1e-6)
        assert got.pupil[made[eye]].tolist() == [3.125] * int(made[eye].sum())
    assert rec.provenance["left_out"] == {"invalid_left": 3, "invalid_right": 6}


def test_messages_trials_and_calibrations(tmp_path):
    rec = titta.read(Source(makers.make(tmp_path, 60)))
    assert [m.text for m in rec.messages] == makers.MESSAGES
    assert [m.t_ms for m in rec.messages] == [50.0, 140.0, 230.0, 320.0, 410.0]
    assert [(t.name, t.stimulus) for t in rec.trials] == [
        ("a.png", "a.png"),
        ("a.png (2)", "a.png"),
    ]
    # Two calibrations and no word on which was used: the last one.
    assert [(v.eye, v.mean_deg) for v in rec.validations] == [("left", 0.5), ("right", 0.75)]
    assert len(rec.provenance["calibrations"]) == 2


@given(
    texts=st.lists(st.text(max_size=300), min_size=1, max_size=300),
    protocol=st.integers(2, pickle.HIGHEST_PROTOCOL),
)
def test_texts_of_a_pickle_are_found_without_running_it(texts, protocol):
    texts += texts[:3]
    array = np.array(texts, dtype=object)
    assert pickled_texts(pickle.dumps(texts, protocol)) == texts
    assert pickled_texts(pickle.dumps(array, protocol)) == texts


class Bomb:
    def __reduce__(self):
        return (eval, ("__import__('pathlib').Path('ran').touch()",))


def test_a_pickle_that_runs_code_does_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = makers.make(tmp_path, 60)
    raw = pickle.dumps([*makers.MESSAGES[:4], Bomb()])
    with h5py.File(path, "a") as file:
        file["msg/block1_values"][0] = np.frombuffer(raw, dtype=np.uint8)
    rec = titta.read(Source(path))
    assert not (tmp_path / "ran").exists()
    assert rec.messages == ()
    assert any("msg cannot be read" in note for note in rec.provenance["notes"])


@given(st.binary(max_size=200))
def test_any_bytes_are_no_crash(raw):
    assert pickled_texts(raw) is None or isinstance(pickled_texts(raw), list)


def test_a_table_that_declares_far_more_than_the_file_holds_is_refused(tmp_path):
    path = makers.make(tmp_path, 20)
    with h5py.File(path, "a") as file:
        group = file["gaze"]
        for name in [n for n in group if n.endswith("_values")]:
            shape, dtype = group[name].shape, group[name].dtype
            del group[name]
            group.create_dataset(
                name, shape=(10**9, shape[1]), dtype=dtype, chunks=(1000, shape[1])
            )
    assert titta.sniff(Source(path))
    with pytest.raises(TooLarge, match="declares"):
        titta.read(Source(path))


def test_blocks_of_several_lengths_are_refused(tmp_path):
    path = makers.make(tmp_path, 20)
    with h5py.File(path, "a") as file:
        values = file["gaze/block0_values"][:10]
        del file["gaze/block0_values"]
        file["gaze/block0_values"] = values
    with pytest.raises(FormatError, match="2 lengths"):
        titta.read(Source(path))


def test_other_hdf5_is_not_recognised(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.create_group("gaze").create_dataset("block0_items", data=[1, 2])
        file["gaze"].create_dataset("block0_values", data=np.zeros((2, 2)))
    assert not titta.sniff(Source(path))
    path.write_bytes(path.read_bytes()[:100])
    assert not titta.sniff(Source(path))


def test_without_messages_or_history(tmp_path):
    path = makers.make(tmp_path, 30)
    with h5py.File(path, "a") as file:
        del file["msg"], file["calibration_history"]
    rec = titta.read(Source(path))
    assert (len(rec), rec.messages, rec.validations) == (30, (), ())

"""A part comes back as it was, thinned gaze aside."""

import dataclasses

import numpy as np

from gazecode.demo import demo_study
from gazecode.study.parts import load_part, save_part, thinned
from gazecode.study.process import process
from gazecode.study.settings import load_study


def equal(a, b):
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype != object)
    if dataclasses.is_dataclass(a):
        names = [f.name for f in dataclasses.fields(a)]
        return type(a) is type(b) and all(equal(getattr(a, n), getattr(b, n)) for n in names)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def test_a_part_comes_back(tmp_path):
    study = load_study(demo_study())
    process(study, 0, tmp_path / "one")
    first = load_part(tmp_path / "one")
    save_part(first, tmp_path / "two")
    assert equal(first, load_part(tmp_path / "two"))
    assert first.trials[0].gaze_counts[0] > len(first.trials[0].gaze)
    assert len(first.trials) == 2
    assert first.trials[0].hits.chance is not None


def test_a_part_without_chance_comes_back_without(tmp_path):
    study = load_study(demo_study())
    study = study.model_copy(update={"null": study.null.model_copy(update={"shifts": 0})})
    process(study, 0, tmp_path / "one")
    assert [t.hits.chance for t in load_part(tmp_path / "one").trials] == [None, None]


def test_thinning_keeps_at_most_the_limit_and_the_first_sample():
    study = load_study(demo_study())
    from gazecode.readers import read

    gaze = read(study.recordings[0].file).gaze
    few = thinned(gaze, 100)
    assert len(few) <= 100
    assert few.t_ms[0] == gaze.t_ms[0]
    assert thinned(few, 100) is few

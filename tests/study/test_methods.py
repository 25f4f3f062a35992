"""A study weighs gaze: what needs priors is refused at the key that asks for it."""

import pytest

from gazecode.errors import StudyError
from gazecode.study import run_study


@pytest.mark.parametrize(
    ("new", "key"),
    [
        ('scheme = "eyemulator"', "scheme"),
        ('scheme = "salience"', "scheme"),
        ('scheme = "control_other_people"', "scheme"),
        ('scheme = "control_permuted_labels"', "scheme"),
        ('scheme = "control_permuted"\nof = "rarity"', "of"),
    ],
)
def test_a_study_weighs_gaze(study, tmp_path, new, key):
    text = study.read_text(encoding="utf-8")
    assert 'scheme = "duration"' in text
    study.write_text(text.replace('scheme = "duration"', new), encoding="utf-8")
    with pytest.raises(StudyError, match=rf"weigh\.{key} \(line \d+\): .* a study weighs gaze"):
        run_study(study, tmp_path / "out")


def test_a_wrong_value_of_a_control_is_found_in_weigh(study, tmp_path):
    text = study.read_text(encoding="utf-8")
    new = 'scheme = "control_permuted_position"\nn_bins = 0'
    study.write_text(text.replace('scheme = "duration"', new), encoding="utf-8")
    with pytest.raises(StudyError, match=r"weigh\.n_bins \(line \d+\): n_bins is 0"):
        run_study(study, tmp_path / "out")

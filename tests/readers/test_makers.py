"""What is made up for tests reads as what it says it is, twice the same."""

import pytest
from makers import all_makers

from gazecode.readers import READERS, sniff_format
from gazecode.testing import check_reader

MAKERS = all_makers()


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_each_is_recognised_and_keeps_the_rules(name, tmp_path):
    path = MAKERS[name].make(tmp_path, 60)
    assert sniff_format(path) == MAKERS[name].reader
    recording = check_reader(READERS[MAKERS[name].reader], path)
    assert len(recording) or len(recording.device_events)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_the_same_rows_give_the_same_bytes(name, tmp_path):
    for part in ("one", "two"):
        (tmp_path / part).mkdir()
        MAKERS[name].make(tmp_path / part, 25)
    one, two = (
        {
            p.relative_to(tmp_path / part): p.read_bytes()
            for p in (tmp_path / part).rglob("*")
            if p.is_file()
        }
        for part in ("one", "two")
    )
    assert one == two

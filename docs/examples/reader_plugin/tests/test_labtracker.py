"""The reader is found by its entry point and keeps every rule of gazecode's own readers."""

import gazecode as gc
from gazecode.readers import READERS
from gazecode.testing import check_reader

ROWS = ["0,100,200,1,Vehicle", "8000,101,200,1,Vehicle", "16000,101,200,0,Vehicle"]
ROWS += [f"{24000 + 8000 * i},{300 + i},400,1,Rectangle" for i in range(40)]


def test_it_is_found_and_keeps_the_rules(tmp_path):
    path = tmp_path / "P01.txt"
    path.write_text("LABTRACKER 1\ntime,x,y,ok,page\n" + "\n".join(ROWS) + "\n")
    assert "labtracker" in READERS
    recording = check_reader(READERS["labtracker"], path)
    assert gc.read(path).provenance["format"] == "labtracker"
    assert [trial.name for trial in recording.trials] == ["Vehicle", "Rectangle"]
    assert recording.gaze.lost.tolist()[:4] == [False, False, True, False]
    assert recording.provenance["left_out"] == {"not_seen": 1}

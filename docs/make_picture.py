"""Draws ``docs/gaze-on-code.svg`` from the bundled study: ``python docs/make_picture.py``."""

import tempfile
from pathlib import Path

from gazecode.demo import demo_study
from gazecode.report import picture
from gazecode.study.page import PageMaker
from gazecode.study.parts import load_part
from gazecode.study.process import process
from gazecode.study.settings import load_study


def main() -> None:
    """Take the first trial of the first recording."""
    study = load_study(demo_study())
    with tempfile.TemporaryDirectory() as folder:
        process(study, 0, Path(folder) / "part")
        page = PageMaker(study)
        page.add(study.recordings[0], load_part(Path(folder) / "part"))
    svg = picture(page.trials[0], width_px=860)
    Path(__file__).with_name("gaze-on-code.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()

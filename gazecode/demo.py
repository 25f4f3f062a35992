"""Where the bundled study is: in the wheel, or in ``fixtures/`` of a checkout."""

from pathlib import Path

from gazecode.errors import GazecodeError

__all__ = ["demo_study"]


def demo_study() -> Path:
    """Path of the bundled study file.

    >>> demo_study().name
    'study.toml'
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "_demo", here.parent / "fixtures" / "demo"):
        if (folder / "study.toml").is_file():
            return folder / "study.toml"
    raise GazecodeError("the bundled study is not in this installation; install gazecode again")

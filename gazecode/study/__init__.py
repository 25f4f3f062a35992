"""A whole study: settings, the run over all recordings, and its files."""

from gazecode.study.outputs import RunSummary
from gazecode.study.run import run_study
from gazecode.study.settings import Study, load_study

__all__ = ["RunSummary", "Study", "load_study", "run_study"]

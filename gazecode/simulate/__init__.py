"""Gaze with known truth: a reader of code, an eye, a tracker, and files as vendors write them.

It stands just above the model, so that tests of every stage may use it. Nothing it makes is
measured gaze of anybody, and its recordings and files say so.
"""

from gazecode.simulate.eyelink import write_eyelink_asc
from gazecode.simulate.reading import ReadingModel
from gazecode.simulate.scene import Simulation, simulate, simulate_session
from gazecode.simulate.smi import write_smi_text
from gazecode.simulate.tracker import Tracker

__all__ = [
    "ReadingModel",
    "Simulation",
    "Tracker",
    "simulate",
    "simulate_session",
    "write_eyelink_asc",
    "write_smi_text",
]

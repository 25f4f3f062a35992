"""Registries: misses that help, plug-ins that fail alone."""

import importlib.metadata
from importlib.metadata import EntryPoint

import pytest

from gazecode.errors import ParameterError
from gazecode.registry import Registry, check_parameters


def test_a_miss_lists_the_choices():
    table = Registry("detectors", {"ivt": 1, "idt": 2})
    with pytest.raises(ParameterError, match="no 'itv' in detectors; choose from: idt, ivt"):
        table["itv"]
    assert table.get("itv") is None


def test_plugins_join_and_broken_ones_are_named(monkeypatch):
    points = [
        EntryPoint(name="good", value="math:sqrt", group="g"),
        EntryPoint(name="bad", value="no_such_module_xyz:thing", group="g"),
        EntryPoint(name="ivt", value="math:cos", group="g"),
    ]
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [p for p in points if p.group == group]
    )
    table = Registry("things", {"ivt": 1}, group="g")
    assert table["ivt"] == 1  # the package's own entry wins, and no plug-in was loaded for it
    assert table["good"](9.0) == 3.0
    assert set(table) == {"ivt", "good"}
    with pytest.raises(ParameterError, match="'bad' in things comes from a plug-in that fails"):
        table["bad"]


def test_unknown_parameter_names_the_known_ones():
    def method(x, *, a_ms=1, b_px=2): ...

    check_parameters(method, {"a_ms": 3}, name="m")
    with pytest.raises(ParameterError, match="m has no parameter a; it has: a_ms, b_px"):
        check_parameters(method, {"a": 3}, name="m")

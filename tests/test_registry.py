"""Registries: misses that help, plug-ins that fail alone, values of the annotated kind."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, wraps
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Literal, Optional

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazecode.detection import detect
from gazecode.errors import ParameterError
from gazecode.mapping import MAPPERS
from gazecode.model import Samples
from gazecode.registry import Registry, check_parameters, check_values
from gazecode.weighting import SCHEMES


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


def method(  # every kind of annotation that is judged, and some that are not
    x,
    *,
    ratio: float = 1.0,
    n: int = 1,
    flag: bool = True,
    name: str = "a",
    way: Literal["scan", "passes"] = "scan",
    base: float | None = None,
    sd: float | tuple[float, float] = 1.0,
    table: Mapping[str, int] | None = None,
    implicit: float = None,  # noqa: RUF013 - what a plug-in may say
    noted: Annotated[Optional[int], []] = None,  # noqa: UP045
    code: Literal[1, 2] | str = 1,
    path: "str | Path" = "",
    hidden: "KnownToACheckerAlone | None" = None,  # noqa: F821
    quoted: "float" = 1.0,
    free=None,
    whatever: Sequence[float] = (),
): ...


GOOD = [
    ("ratio", 3), ("ratio", 3.5), ("ratio", float("inf")), ("ratio", np.float32(2)),
    ("ratio", np.int64(2)), ("ratio", np.array(2.0)), ("ratio", Fraction(1, 2)),
    ("n", 10**30), ("n", np.int8(3)), ("flag", False), ("flag", np.bool_(False)),
    ("name", np.str_("x")), ("way", "passes"), ("base", None), ("base", 2),
    ("sd", [1, 2]), ("sd", (1.0, 2)), ("sd", np.ones(3)), ("table", {}), ("table", None),
    ("implicit", None), ("implicit", 3), ("noted", None), ("noted", 3), ("code", 2), ("code", "x"),
    ("path", Path("x")), ("path", 3), ("hidden", 3), ("quoted", 3), ("free", 3),
    ("whatever", np.ones(3)), ("whatever", "unjudged"),
]  # fmt: skip
BAD = [
    ("ratio", "3", "ratio is '3'; expected a number"),
    ("ratio", True, "ratio is True; expected a number"),
    ("ratio", np.bool_(True), "; expected a number"),
    ("ratio", None, "ratio is None; expected a number"),
    ("ratio", [1.0], "ratio is [1.0]; expected a number"),
    ("ratio", np.ones(2), "ratio is array([1., 1.]); expected a number"),
    ("ratio", 1j, "ratio is 1j; expected a number"),
    ("ratio", 10**400, f"ratio is 1{'0' * 78}…; expected a number"),
    ("n", 1.0, "n is 1.0; expected a whole number"),
    ("n", True, "n is True; expected a whole number"),
    ("flag", 1, "flag is 1; expected true or false"),
    ("flag", "True", "flag is 'True'; expected true or false"),
    ("name", b"a", "name is b'a'; expected a text"),
    ("name", 5, "name is 5; expected a text"),
    ("way", "x", "way is 'x'; choose from: scan, passes"),
    ("way", ["scan"], "way is ['scan']; choose from: scan, passes"),
    ("way", np.array(["scan", "x"]), "choose from: scan, passes"),
    ("base", "x\ny", r"base is 'x\ny'; expected a number"),
    ("sd", "ab", "sd is 'ab'; expected a number or a list"),
    ("sd", ["a", 1], "sd is ['a', 1]; expected a number or a list"),
    ("table", [1], "table is [1]; expected a mapping"),
    ("noted", 1.5, "noted is 1.5; expected a whole number"),
    ("code", 3, "code is 3; expected 1, 2 or a text"),
    ("quoted", "x", "quoted is 'x'; expected a number"),
]


@pytest.mark.parametrize(("key", "value"), GOOD)
def test_values_of_the_right_kind(key, value):
    check_parameters(method, {key: value}, name="m")


@pytest.mark.parametrize(("key", "value", "message"), BAD)
def test_values_of_another_kind(key, value, message):
    with pytest.raises(ParameterError) as error:
        check_parameters(method, {key: value}, name="m")
    assert str(error.value).startswith("m: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_whatever_can_be_called():
    @dataclass(kw_only=True)
    class Unhashable:
        __hash__ = None
        n: "int" = 1

        def __call__(self, *, seed: "int" = 0): ...

    @wraps(method)
    def wrapped(*args, **kwargs): ...

    for function, key in (
        (Unhashable, "n"),
        (Unhashable(), "seed"),
        (partial(method, n=3), "quoted"),
        (wrapped, "quoted"),
        (Registry("x", {}).get, "unknown to it"),
    ):
        check_values(function, {key: 2}, name="m")
        if key in ("n", "seed", "quoted"):
            with pytest.raises(ParameterError, match=f"m: {key} is 'x'; expected"):
                check_values(function, {key: "x"}, name="m")


@given(st.floats() | st.integers(-(2**60), 2**60) | st.booleans() | st.text() | st.none())
def test_a_number_is_what_a_float_holds(value):
    def number(*, x: float): ...

    good = type(value) in (int, float)
    with nullcontext() if good else pytest.raises(ParameterError):
        check_values(number, {"x": value}, name="m")


SAMPLES = Samples(t_ms=np.arange(20) * 8.0, xy_px=np.full((20, 2), 300.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: detect(SAMPLES, "ivt", max_speed_deg_s="abc"),
            "ivt: max_speed_deg_s is 'abc'; expected a number",
        ),
        (
            lambda: check_parameters(MAPPERS["gaussian"], {"sd_px": "abc"}, name="gaussian"),
            "gaussian: sd_px is 'abc'; expected a number or a list",
        ),
        (
            lambda: check_parameters(
                SCHEMES["control_permuted_position"], {"n_bins": "a"}, name="c"
            ),
            "c: n_bins is 'a'; expected a whole number",
        ),
        (
            lambda: check_parameters(SCHEMES["eyemulator"], {"smoothing": "maybe"}, name="e"),
            "e: smoothing is 'maybe'; expected true or false",
        ),
        (
            lambda: check_parameters(SCHEMES["control_uniform"], {"of_params": 5}, name="c"),
            "c: of_params is 5; expected a mapping",
        ),
    ],
)
def test_methods_are_served(call, message):
    with pytest.raises(ParameterError) as error:
        call()
    assert str(error.value) == message


def test_a_family_makes_entries_of_its_prefix_and_is_not_listed():
    made = []
    table = Registry(
        "tools", {"own": len}, families={"other:": lambda name: made.append(name) or abs}
    )
    assert "other:idt" in table
    assert table["other:idt"] is abs
    assert made == ["other:idt"]
    assert list(table) == ["own"]
    with pytest.raises(ParameterError, match="no 'nobody' in tools; choose from: other:NAME, own"):
        table["nobody"]

"""What a template is, and that braces which are no gap stay text."""

import pytest

from gazecode.alignment import Template, align
from gazecode.alignment.templates.template import Slot, as_template
from gazecode.errors import AlignmentError, ParameterError


def test_every_name_is_a_gap_and_doubled_braces_are_braces():
    template = Template.of('{{"q": "{instruction}"}} {code}{answer}')
    assert template.names == ("instruction", "code", "answer")
    text, gaps = template.fill({"instruction": "é{code}", "code": "{x}", "answer": "}"})
    assert text == '{"q": "é{code}"} {x}}'
    assert [text[g.start : g.end] for g in gaps] == ["é{code}", "{x}", "}"]


def test_a_plain_text_has_only_the_gaps_that_are_known():
    """Templates that look like JSON stay what they were before there were more gaps."""
    text = '{"a": {"b": "{code}"}} {{}} {x} { code } {0}'
    made = as_template(text)
    assert made.names == ("code",)
    assert made.fill({"code": "int"})[0] == '{"a": {"b": "int"}} {{}} {x} { code } {0}'
    assert as_template("{code} {x}", fields={"x": "1"}).names == ("code", "x")
    assert as_template("{{code}}").fill({"code": "y"})[0] == "{y}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "the template holds {code} 0 times; expected it exactly once"),
        ("{code}{code}", "the template holds {code} 2 times; expected it exactly once"),
        (
            "{code}{answer}{answer}",
            "the template holds {answer} 2 times; expected it at most once",
        ),
    ],
)
def test_gaps_that_are_not_there_once(text, message):
    for make in (Template.of, as_template):
        with pytest.raises(ParameterError) as error:
            make(text)
        assert str(error.value) == message


def test_what_counts_in_the_loss():
    assert Template.of("{code}").loss_names == ("code",)
    assert Template.of("{code}{answer}").loss_names == ("answer",)
    assert Template.of("{code}{answer}", loss=("code", "answer")).loss_names == ("code", "answer")
    with pytest.raises(ParameterError) as error:
        Template.of("{code}", loss=("answer",))
    assert str(error.value) == (
        "loss names 'answer', which is no segment of the template; it has: code"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"template": "{code}{answer}"},
            "the template asks for {answer}; give it with answer=...",
        ),
        (
            {"template": "{instruction}{code}"},
            "the template asks for {instruction}; give it with fields={'instruction': ...}",
        ),
        (
            {"template": "{code}", "answer": "x"},
            "the template has no {answer} for what was given; it has: code",
        ),
        (
            {"template": "{code}", "fields": {"x": "y"}},
            "the template has no {x} for what was given; it has: code",
        ),
        (
            {"template": "{code}", "fields": {"answer": "y"}},
            "fields names 'answer'; the code and the answer have their own parameters",
        ),
        (
            {"template": "{code}{x}", "fields": {"x": "y"}, "loss": ("y",)},
            "loss names 'y', which is no segment of the template; it has: code, x",
        ),
        ({"loss": "code"}, "loss is 'code'; expected names in a list, such as ['code']"),
        ({"template": 3}, "template is 3; expected a text with {code}, or Template.of(...)"),
        (
            {"template": "{code}{answer}", "answer": 3},
            "answer is a int; expected a text, or its tokens (parse(...))",
        ),
    ],
)
def test_what_is_missing_or_too_much(bundled, make, given, message):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    with pytest.raises(ParameterError) as error:
        align(make.gaze([1, 2]), tokens, bundled, **given)
    assert str(error.value) == message


def test_text_that_is_no_unicode(bundled, make):
    tokens = make.source("int x", [(0, 3), (4, 5)])
    with pytest.raises(AlignmentError) as error:
        align(make.gaze([1, 2]), tokens, bundled, template="{code}{answer}", answer="a\ud800")
    assert str(error.value) == (
        "the answer of Demo.java has half a surrogate pair at character 1; "
        "decode it anew from its bytes"
    )


def test_a_template_is_read_once_and_filled_often():
    template = Template.of("{instruction} {code}")
    assert template.pieces == (Slot("instruction"), " ", Slot("code"))
    assert hash(template) == hash(Template.of("{instruction} {code}"))

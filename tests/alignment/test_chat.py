"""Chat templates: the filled text is what they render, and every content is found in it."""

import jinja2
import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer

from gazecode.alignment import align, chat_template
from gazecode.errors import AlignmentError, ParameterError

LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + "
    "system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}"
    "{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
    "{{ '<s>' + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + '</s>' }}"
    "{% endif %}{% endfor %}"
)
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
)
LLAMA3 = (
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = '<|begin_of_text|>' + content %}{% endif %}"
    "{{ content }}{% endfor %}"
)
DEEPSEEK = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '### Instruction:\\n' + message['content'].rstrip() + '\\n' }}{% else %}"
    "{{ '### Response:\\n' + message['content'] + '\\n<|EOT|>\\n' }}{% endif %}{% endfor %}"
)
FORMATS = {
    "llama2": (LLAMA2, ("<s>", "</s>"), "</s>"),
    "chatml": (CHATML, ("<|im_start|>", "<|im_end|>"), "<|im_end|>"),
    "llama3": (
        LLAMA3,
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|eot_id|>",
    ),
    "deepseek": (DEEPSEEK, ("<|EOT|>",), "<|EOT|>"),
}
MESSAGES = (
    {"role": "system", "content": "Say it in {{short}}."},
    {"role": "user", "content": "Explain this:\n{code}"},
    {"role": "assistant", "content": "{answer}"},
)
CODE = "int total = 变量 + x;\n\n"


def rendering(source):
    template = jinja2.Environment(autoescape=False).from_string(source)  # noqa: S701 - no HTML
    return lambda messages: template.render(messages=messages)


@pytest.fixture(scope="module", params=FORMATS)
def chat(request, bundled):
    source, special, end = FORMATS[request.param]
    own = Tokenizer.from_str(bundled.to_str())
    own.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in special])
    return rendering(source), own, own.token_to_id(end)


@pytest.mark.parametrize("answer", ["It adds x.", "  It adds\n x.\n\n", "{code} </code>"])
def test_the_text_is_what_the_template_renders(chat, make, answer):
    render, tokenizer, end = chat
    tokens = make.source(CODE, make.words(CODE))
    template = chat_template(MESSAGES, render)
    example = align(
        make.gaze(2.0 + np.arange(len(tokens))),
        tokens,
        tokenizer,
        template=template,
        answer=answer,
        allow_inert=True,
    )
    contents = ("Say it in {short}.", f"Explain this:\n{CODE}", answer)
    real = [{**m, "content": c} for m, c in zip(MESSAGES, contents, strict=True)]
    assert example.text == render(real)
    assert example.input_ids.tolist() == tokenizer.encode(example.text).ids
    # Every token of the code lies where its text is; gaze is where it was.
    raw = example.text.encode()
    texts = [raw[a:b].decode() for a, b in zip(example.token_start, example.token_end, strict=True)]
    assert texts == tokens.texts
    assert example.attention[example.in_segment("code")].sum() == pytest.approx(1.0)
    assert example.report["tokens_lost"] == 0
    # The loss: text of the answer, then blanks, then the end of turn; no other special token.
    counted = example.input_ids[example.loss_mask]
    assert counted[-1] == end
    said = tokenizer.decode(counted[:-1].tolist(), skip_special_tokens=False)
    assert said.strip() == answer.strip()
    assert (example.weight[~example.loss_mask] == 1.0).all()
    assert example.weight[example.loss_mask][-1] == 1.0


def test_the_end_of_turn_may_be_left_out(chat, make):
    render, tokenizer, end = chat
    tokens = make.source("x", [(0, 1)])
    example = align(
        make.gaze([3]),
        tokens,
        tokenizer,
        template=chat_template(MESSAGES, render, learn_end=False),
        answer="It is x",
        allow_inert=True,
    )
    assert end not in example.input_ids[example.loss_mask]
    assert "end_learned" not in example.report
    np.testing.assert_array_equal(
        example.loss_mask, example.in_segment("answer") & (example.input_ids != end)
    )


def test_several_turns_count_with_their_ends(bundled, make):
    source, special, end = FORMATS["chatml"]
    own = Tokenizer.from_str(bundled.to_str())
    own.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in special])
    messages = [
        {"role": "user", "content": "{code}"},
        {"role": "assistant", "content": "{first}"},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "{answer}"},
    ]
    template = chat_template(messages, rendering(source), loss=("first", "answer"))
    example = align(
        make.gaze([3]),
        make.source("x", [(0, 1)]),
        own,
        template=template,
        answer="because",
        fields={"first": "a name"},
        allow_inert=True,
    )
    counted = example.input_ids[example.loss_mask]
    assert (counted == own.token_to_id(end)).sum() == 2
    assert own.decode(counted.tolist(), skip_special_tokens=True) == "a namebecause"


def test_blanks_that_a_template_takes_off_are_no_part(make, bundled):
    """Tokens keep their place when what stood before them is gone."""
    template = chat_template(MESSAGES[1:], rendering(LLAMA3))
    tokens = make.source("\n  x y \n", [(3, 4), (5, 6)])
    text, gaps = template.fill({"code": "\n  x y \n", "answer": " a "})
    assert [text[g.start : g.end] for g in gaps] == ["\n  x y", "a"]
    alone = chat_template(
        [{"role": "user", "content": "{code}"}], rendering(LLAMA3), loss=("code",)
    )
    example = align(make.gaze([1, 3]), tokens, bundled, template=alone)
    raw = example.text.encode()
    assert [raw[a:b] for a, b in zip(example.token_start, example.token_end, strict=True)] == [
        b"x",
        b"y",
    ]


def test_a_token_that_is_taken_off_is_counted(make, bundled):
    tokens = make.source("x  ", [(0, 1), (1, 3)])
    template = chat_template(
        [{"role": "user", "content": "{code}"}], rendering(LLAMA3), loss=("code",)
    )
    example = align(make.gaze([1, 4]), tokens, bundled, template=template)
    assert len(example.token_start) == 1
    assert example.report["tokens_lost"] == 1
    assert example.report["mass_lost"] == 4.0


def test_what_a_template_does_otherwise_is_refused(make, bundled):
    tokens = make.source("x", [(0, 1)])
    messages = [{"role": "user", "content": "{code}"}, {"role": "assistant", "content": "{answer}"}]
    shout = chat_template(messages, lambda m: "|".join(x["content"].replace("z", "Z") for x in m))
    with pytest.raises(AlignmentError) as error:
        align(make.gaze([3]), tokens, bundled, template=shout, answer="aza")
    assert str(error.value) == (
        "the chat template renders 'Za' at character 3, where its contents say 'za'; it changes "
        "contents by more than taking blanks off: use a template without such changes"
    )


@pytest.mark.parametrize(
    ("messages", "render", "message"),
    [
        (
            [{"role": "user", "content": "{code}"}],
            lambda _: "nothing",
            (
                "the chat template renders the content of the user message 0 times; expected once: "
                "put the gaps into a message that it renders once"
            ),
        ),
        (
            [{"role": "user", "content": ["{code}"]}],
            lambda _: "",
            "the content of the user message is a list; expected a text",
        ),
        (
            [{"role": "user", "content": "x"}],
            lambda _: "x",
            "the template holds {code} 0 times; expected it exactly once",
        ),
    ],
)
def test_messages_that_cannot_be_followed(messages, render, message):
    with pytest.raises(ParameterError) as error:
        chat_template(messages, render, loss=())
    assert str(error.value) == message


@pytest.mark.parametrize("answer", ["", " \n "])
def test_the_end_of_an_empty_answer_is_its_own(bundled, make, answer):
    """Not that of the user's turn, though the part before the answer ends there."""
    tokenizer = Tokenizer.from_str(bundled.to_str())
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True, normalized=False)])

    def render(messages):
        return "".join(f"{m['role']}: {m['content'].strip()}<|end|>" for m in messages)

    turns = [{"role": "user", "content": "{code}"}, {"role": "assistant", "content": "{answer}"}]
    example = align(
        make.gaze([3]),
        make.source("x", [(0, 1)]),
        tokenizer,
        template=chat_template(turns, render),
        answer=answer,
        allow_inert=True,
    )
    ends = np.flatnonzero(example.input_ids == tokenizer.token_to_id("<|end|>"))
    assert len(ends) == 2
    assert np.flatnonzero(example.loss_mask).tolist() == [ends[1]]
    assert example.report["end_learned"]

"""Tiny models of real families with random weights, and a source to read with the demo tokenizer."""

from pathlib import Path

import numpy as np
import torch
import transformers

import gazecode as gc

TOKENIZER = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "tokenizer.json"
VOCABULARY = 1024
CODE = """\
public int count(List<Item> items) {
    int total = 0;
    for (Item item : items) {
        total += item.getQuantity();
    }
    return total;
}
"""

_SHARED = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 256,
}
_ENDS = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}
_GROUPED = {"num_key_value_heads": 2}
_GPT2 = {"vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 3, "n_head": 4, "n_positions": 256}
_GPT_NEO = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 4,
    "attention_types": [[["global", "local"], 1]],
    "window_size": 6,
    "max_position_embeddings": 256,
}
_T5 = {
    "vocab_size": VOCABULARY,
    "d_model": 16,
    "d_kv": 4,
    "d_ff": 24,
    "num_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 1,
}
FAMILIES = {
    "llama": ("Llama", "ForCausalLM", {**_SHARED, **_GROUPED, **_ENDS}),
    "gpt2": ("GPT2", "LMHeadModel", {**_GPT2, **_ENDS}),
    "mistral": ("Mistral", "ForCausalLM", {**_SHARED, **_GROUPED, **_ENDS, "sliding_window": 5}),
    "qwen2": ("Qwen2", "ForCausalLM", {**_SHARED, **_GROUPED, **_ENDS}),
    "starcoder2": ("Starcoder2", "ForCausalLM", {**_SHARED, **_GROUPED, **_ENDS}),
    "gpt_neox": ("GPTNeoX", "ForCausalLM", {**_SHARED, **_ENDS}),
    "codegen": (
        "CodeGen",
        "ForCausalLM",
        {**_GPT2, **_ENDS, "n_embd": 32, "n_head": 4, "rotary_dim": 4},
    ),
    "gpt_neo": ("GPTNeo", "ForCausalLM", {**_GPT_NEO, **_ENDS}),
    "mpt": (
        "Mpt",
        "ForCausalLM",
        {"vocab_size": VOCABULARY, "d_model": 16, "n_layers": 2, "n_heads": 4, "max_seq_len": 256},
    ),
    "bert": ("Bert", "ForMaskedLM", {**_SHARED, "pad_token_id": 1}),
    "roberta": ("Roberta", "ForMaskedLM", {**_SHARED, **_ENDS}),
    "t5": ("T5", "ForConditionalGeneration", {**_T5, "pad_token_id": 1, "eos_token_id": 0}),
}
CAUSAL = (
    "llama",
    "gpt2",
    "mistral",
    "qwen2",
    "starcoder2",
    "gpt_neox",
    "codegen",
    "gpt_neo",
    "mpt",
)


def model_of(family="llama", *, seed=0, attention="eager", **options):
    """A model with random weights, large enough for its rows to be far from uniform."""
    torch.manual_seed(seed)
    name, kind, given = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(**{**given, **options})
    config._attn_implementation = attention
    model = getattr(transformers, f"{name}{kind}")(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim == 2:
                weight.mul_(8)
    return model


def source(code=CODE, name="Count.java"):
    return gc.parse(code, "java", source_id=name)


def all_attention(model, ids):
    """``(layers, heads, q, k)`` as transformers collects it: the oracle, all layers at once."""
    body = model.get_encoder() if model.config.is_encoder_decoder else model.base_model
    with torch.no_grad():
        found = body(torch.as_tensor(ids)[None], output_attentions=True).attentions
    return np.stack([layer[0].double().numpy() for layer in found])

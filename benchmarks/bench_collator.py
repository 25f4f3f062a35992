"""The collator beside a training step of a tiny Llama, on CPU: at most a twentieth of it.

The model is as small as models get (2 layers of 64, vocabulary of 1000), so that for any real one
the share is smaller by orders of magnitude. Both are timed in turn, in one run, with one thread
and in processor time, which others on the machine do not take; the median of each is taken.
"""

import statistics
import time

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)

import torch
import transformers

from gazecode.adapters.torch import Collator, attention_alignment_loss, weighted_causal_loss
from gazecode.model import Example

REACH = 0.05
ROUNDS = 15
ROWS, LENGTH, VOCABULARY = 8, 256, 1000


def example(number: int) -> Example:
    """A prompt with code and an answer, saccades included; lengths differ as in life."""
    rng = np.random.default_rng(number)
    n = LENGTH - 16 * (number % ROWS)
    half = n // 2
    mass = np.where(np.arange(n) < half, rng.random(n), 0.0)
    cells = np.unique(rng.integers(0, half, (300, 2)), axis=0)
    count = np.ones(len(cells))
    return Example(
        **dict.fromkeys(("source_id", "participant", "trial", "language", "text"), ""),
        **dict.fromkeys(("token_start", "token_end", "token_label", "token_value"), ()),
        example_id=str(number),
        input_ids=rng.integers(0, VOCABULARY, n),
        loss_mask=np.arange(n) >= half,
        weight=np.where(np.arange(n) >= half, 0.5 + rng.random(n), 1.0),
        attention=mass / mass.sum(),
        on_path=rng.random(n) < 0.3,
        token_index=np.where(np.arange(n) < half, np.arange(n), -1),
        segment_name=["code", "answer"],
        segment_start=[0, half],
        segment_end=[half, n],
        transition_from=cells[:, 0],
        transition_to=cells[:, 1],
        transition_count=count,
        transition_share=count / np.bincount(cells[:, 0], minlength=half)[cells[:, 0]],
    )


@pytest.fixture(scope="module")
def examples():
    return [example(i) for i in range(ROWS)]


@pytest.fixture(scope="module")
def step():
    """One step of plain training: forward, weighted loss, backward, update."""
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            vocab_size=VOCABULARY,
            max_position_embeddings=LENGTH,
            attn_implementation="eager",
        )
    )
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run(batch):
        wants = "attention_target" in batch
        out = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            output_attentions=wants,
        )
        loss = weighted_causal_loss(out.logits, batch["labels"], batch["loss_weight"])
        if wants:
            rows = (batch[f"attention_{name}"] for name in ("target", "queries", "keys"))
            loss = loss + attention_alignment_loss(out.attentions, *rows).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield run
    torch.set_num_threads(threads)


def took(call, *given):
    start = time.process_time()
    made = call(*given)
    return time.process_time() - start, made


@pytest.mark.parametrize("target", [None, "answer", "scan_path"])
def test_collator_beside_a_training_step(examples, step, target):
    collate = Collator(0, target=target)
    step(collate(examples))  # warm: the first of everything takes longer
    collating, training = [], []
    for _ in range(ROUNDS):
        seconds, batch = took(collate, examples)
        collating.append(seconds)
        training.append(took(step, batch)[0])
    ratio = statistics.median(collating) / statistics.median(training)
    print(
        f"\ntarget {target}: collator {statistics.median(collating) * 1e3:.2f} ms, step "
        f"{statistics.median(training) * 1e3:.1f} ms, share {ratio:.4f} (reach {REACH}, room "
        f"{REACH / ratio:.1f} ×)"
    )
    assert ratio <= REACH


@pytest.mark.parametrize("target", [None, "answer", "scan_path"])
def test_collate(benchmark, examples, target):
    batch = benchmark(Collator(0, target=target), examples)
    assert batch["labels"].shape == (ROWS, LENGTH)

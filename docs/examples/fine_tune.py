"""From weights to two finished fine-tunes, weighted and plain, in under two minutes on a CPU.

    python docs/examples/fine_tune.py
    python docs/examples/fine_tune.py --weights weights.parquet --tokenizer tokenizer.json
    python docs/examples/fine_tune.py --device cuda --steps 500 --out runs/tiny

Without ``--weights`` the bundled study is run first; its gaze is simulated. The model is a tiny
Llama with random parameters, so that nothing is downloaded: this shows how the parts go together,
and says nothing about gaze. With a model of your own, replace `new_model`.
"""

import argparse
import dataclasses
import json
import math
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import gazecode as gc
from gazecode.alignment import tokenizer_sha256
from gazecode.demo import demo_study
from gazecode.export import read_metadata
from gazecode.study import run_study

try:
    import torch
    from torch.nn.functional import cross_entropy
    from transformers import (
        LlamaConfig,
        LlamaForCausalLM,
        PrinterCallback,
        TrainerCallback,
        TrainingArguments,
    )

    from gazecode.adapters.torch import Collator, GazeDataset
    from gazecode.adapters.transformers import GazeTrainer
except ImportError as error:
    # Said once the options are read: --help needs nothing.
    MISSING, TrainerCallback = str(error), object
else:
    MISSING = ""

BATCH = 6
MOST_SEED = 2**32 - 1
SPLIT = {"train": 0.8, "held out": 0.2}


def main():
    options = arguments()
    check(options)
    with tempfile.TemporaryDirectory() as scratch:
        weights = options.weights or demo_weights(Path(scratch))
        examples = load(weights, options.route)
        parts = gc.split(examples, "source", fractions=SPLIT, seed=options.seed)
        describe(weights, examples, parts)

        check_tokenizer(weights, options.tokenizer)
        vocabulary = gc.load_tokenizer(options.tokenizer).get_vocab_size()
        check_vocabulary(examples, vocabulary, options.tokenizer)
        runs = {
            # The baseline has the same texts, the same mask and the same seed: strength 0.
            "plain": [dataclasses.replace(e, weight=np.ones(len(e))) for e in parts["train"]],
            "weighted": parts["train"],
        }
        model = new_model(vocabulary, options)
        count(model)
        figures, held_out = {}, {"untrained": nll(model, parts["held out"])}
        for name, train in runs.items():
            model = new_model(vocabulary, options)
            folder = (options.out or Path(scratch)) / name
            figures[name] = fine_tune(model, train, folder, options)
            held_out[name] = nll(model, parts["held out"])
    report(figures, held_out)
    if options.out:
        save(options.out, figures, held_out)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, help="weights file; default: the bundled study's")
    parser.add_argument(
        "--tokenizer",
        type=Path,
        default=demo_study().with_name("tokenizer.json"),
        help="tokenizer.json that the weights were made with; default: the bundled study's",
    )
    parser.add_argument("--route", help="train only on examples with weights by this route")
    parser.add_argument(
        "--steps", type=int, default=100, help="optimizer steps of each (default: 100)"
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--lora", action="store_true", help="train LoRA adapters only (needs peft)")
    parser.add_argument("--seed", type=int, default=0, help="of split, model and order")
    parser.add_argument("--out", type=Path, help="folder for both models and figures.json")
    return parser.parse_args()


def check(options):
    if MISSING:
        sys.exit(f"error: {MISSING}. This example needs pip install 'gazecode[transformers]'")
    if options.steps < 1:
        sys.exit(f"error: --steps is {options.steps}; expected 1 or more")
    if not 0 <= options.seed <= MOST_SEED:
        sys.exit(f"error: --seed is {options.seed}; expected 0 to {MOST_SEED}")
    # So small a model on a CPU spends its time on waiting for a second thread.
    torch.set_num_threads(1)
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: --device cuda, and torch sees no GPU; use --device cpu")


# Data


def demo_weights(folder):
    print("running the bundled study (simulated gaze on two short programs) ...")
    run_study(demo_study(), folder / "demo")
    return folder / "demo" / "weights.parquet"


def load(weights, route):
    examples = gc.read_examples(weights)
    found = Counter(e.route for e in examples)
    if route is not None:
        examples = [e for e in examples if e.route == route]
    if not examples:
        sys.exit(f"error: {weights} has no example of route {route!r}; found {dict(found)}")
    return examples


def describe(weights, examples, parts):
    print(f"weights    {weights}: {len(examples)} examples")
    for route, n in sorted(Counter(e.route for e in examples).items()):
        reach = [e.weight_reach for e in examples if e.route == route]
        # Not a number: every weight is 1, there is nothing that could reach the loss.
        some = sorted(r for r in reach if not math.isnan(r))
        print(f"route      {route or '(none named)'}: {n} examples, {n - len(some)} all neutral")
        if some:
            low, middle, high = some[0], statistics.median(some), some[-1]
            print(f"           weight_reach min {low:.2f}, median {middle:.2f}, max {high:.2f}")
    for name, part in parts.items():
        sources = sorted({e.source_id for e in part})
        some = ", ".join(sources[:4]) + (", ..." if len(sources) > 4 else "")
        print(f"{name:10} {len(part)} examples of {len(sources)} sources: {some}")


def check_tokenizer(weights, tokenizer):
    """Refuse another than that of the weights, where they say: ids would be other words."""
    said, given = read_metadata(weights).get("tokenizer_sha256"), tokenizer_sha256(tokenizer)
    if said and said != given:
        sys.exit(
            f"error: {weights} was made with the tokenizer of SHA-256 {said[:12]}..., {tokenizer} "
            f"has {given[:12]}...; give --tokenizer, the one they were made with"
        )


def check_vocabulary(examples, vocabulary, tokenizer):
    largest = max(int(e.input_ids.max()) for e in examples)
    if largest >= vocabulary:
        sys.exit(
            f"error: the weights have token {largest}, {tokenizer} has {vocabulary} tokens; give "
            "--tokenizer, the one they were made with"
        )


# Model and training


def new_model(vocabulary, options):
    """Make a tiny Llama with random parameters, the same for the same seed."""
    torch.manual_seed(options.seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
    )
    model = LlamaForCausalLM(config)
    return with_adapters(model) if options.lora else model


def with_adapters(model):
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        sys.exit("error: --lora needs peft: pip install 'gazecode[adapters]'")
    # A random model has learned nothing, so that its embeddings have to move as well.
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=8,
        target_modules="all-linear",
        modules_to_save=["embed_tokens", "lm_head"],
    )
    return get_peft_model(model, config)


def count(model):
    every = sum(p.numel() for p in model.parameters())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"model      a Llama with random parameters: {every:,}, of which {trained:,} are trained")


class StepTimer(TrainerCallback):
    """Seconds of each optimizer step; the collator's are not among them."""

    def __init__(self):
        self.seconds = []

    def on_step_begin(self, args, state, control, **rest):  # noqa: ARG002
        self.seconds.append(-time.perf_counter())

    def on_step_end(self, args, state, control, **rest):  # noqa: ARG002
        self.seconds[-1] += time.perf_counter()


def fine_tune(model, train, folder, options):
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=options.steps,
        per_device_train_batch_size=BATCH // 2,
        gradient_accumulation_steps=2,
        learning_rate=1e-3,
        lr_scheduler_type="cosine",
        seed=options.seed,
        use_cpu=options.device == "cpu",
        dataloader_pin_memory=options.device == "cuda",
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = GazeTrainer(model, arguments, Collator(pad_id=0), GazeDataset(train))
    timer = StepTimer()
    trainer.add_callback(timer)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    if options.out:
        trainer.save_model(str(folder))
    return {
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "seconds_per_step": statistics.median(timer.seconds),
    }


def nll(model, examples):
    """Unweighted nats per held-out token: all, on the scan path, off it."""
    model.eval()
    found = []
    for start in range(0, len(examples), BATCH):
        batch = Collator(pad_id=0)(examples[start : start + BATCH])
        inputs = {k: batch[k].to(model.device) for k in ("input_ids", "attention_mask")}
        with torch.no_grad():
            logits = model(**inputs).logits[:, :-1].float().cpu()
        target = batch["labels"][:, 1:]
        each = cross_entropy(logits.transpose(1, 2), target, reduction="none")
        counts = target != -100
        found.append((each[counts], batch["on_path"][:, 1:][counts]))
    each, on_path = (torch.cat(column).double() for column in zip(*found, strict=True))
    on = on_path.bool()
    sides = {"all": each, "on path": each[on], "off path": each[~on]}
    return {name: (len(side), side.mean().item()) for name, side in sides.items()}


# Report


def report(figures, held_out):
    print(f"\n{'training':22}{'first loss':>12}{'last loss':>12}{'s per step':>12}")
    for name, of in figures.items():
        print(
            f"{name:22}{of['first_loss']:12.4f}{of['last_loss']:12.4f}"
            f"{of['seconds_per_step']:12.3f}"
        )
    sides = ("all", "on path", "off path")
    print(f"\n{'held-out nats/token':22}" + "".join(f"{side:>12}" for side in sides))
    plain, weighted = held_out["plain"], held_out["weighted"]
    print(f"{'tokens':22}" + "".join(f"{plain[side][0]:12,}" for side in sides))
    for name, of in held_out.items():
        print(f"{name:22}" + "".join(f"{of[side][1]:12.4f}" for side in sides))
    gaps = (weighted[side][1] - plain[side][1] for side in sides)
    print(f"{'weighted - plain':22}" + "".join(f"{gap:+12.4f}" for gap in gaps))
    print(
        "\nA tiny model with random parameters, one seed and a split by source: these figures show "
        "that\nthe weights arrive. They prove nothing about gaze; that of the bundled study is "
        "simulated."
    )


def save(out, figures, held_out):
    document = {"training": figures, "held_out_nats_per_token": held_out}
    (out / "figures.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"\nwrote {out}: plain/, weighted/, figures.json")


if __name__ == "__main__":
    try:
        main()
    except gc.errors.GazecodeError as error:
        sys.exit(f"error: {error}")

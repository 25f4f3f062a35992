"""The trainer, driven by its real client: tiny Llama models through `transformers` and `peft`."""
# ruff: noqa: E402 - what is not installed is reported before it is imported
# ruff: noqa: ARG002, ARG005 - signatures of callbacks and hooks

import copy
import dataclasses
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gazecode[torch]'")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: pip install 'gazecode[transformers]'"
)
pytest.importorskip(
    "accelerate", reason="accelerate is not installed: pip install 'gazecode[transformers]'"
)

import gazecode as gc
from gazecode.adapters.common import terms
from gazecode.adapters.torch import NORMALIZATIONS, Collator, GazeStream, weighted_causal_loss
from gazecode.adapters.transformers import GazeTrainer
from gazecode.errors import DataError, ParameterError
from gazecode.model import Example

pytestmark = [
    # What other packages warn about is theirs to mend.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models this small spend their time on waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


OLD = int(transformers.__version__.split(".")[0]) < 5
AS_LOGGED = 1e-4 if OLD else 1e-6
"""transformers 4 rounds the loss that it logs."""

VOCABULARY = 48
LENGTHS = (9, 14, 5, 11, 7, 12)
NOBODY = dict.fromkeys(("source_id", "participant", "trial", "language"), "")


def example(n, *, seed, answer=0.5):
    """A text of `n` tokens: the first part is source that was read, the rest is the answer."""
    rng = np.random.default_rng(seed)
    start = max(1, int(n * (1 - answer)))
    counts = np.arange(n) >= start
    attention = np.where(counts, 0.0, rng.random(n))
    return Example(
        **NOBODY,
        example_id=f"example {seed}",
        text="",
        input_ids=rng.integers(1, VOCABULARY, n),
        loss_mask=counts,
        weight=np.where(counts, rng.uniform(0.2, 4.0, n), 1.0),
        attention=attention / attention.sum(),
        # One position on the path and one off it, so that every sequence has both sides.
        on_path=np.where(np.arange(n) >= n - 2, np.arange(n) == n - 1, rng.random(n) < 0.5),
        token_index=np.arange(n),
        token_start=np.arange(n),
        token_end=np.arange(n) + 1,
        token_label=np.full(n, ""),
        token_value=np.ones(n),
        segment_name=["code", "answer"],
        segment_start=[0, start],
        segment_end=[start, n],
    )


EXAMPLES = [example(n, seed=i) for i, n in enumerate(LENGTHS)]


def model_of(seed=0, *, vocabulary=VOCABULARY, attention="sdpa", **options):
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        pad_token_id=0,
        **options,
    )
    return transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention)


class Gradients(transformers.TrainerCallback):
    """Keeps the gradient of each optimizer step."""

    def __init__(self):
        self.steps = []

    def on_pre_optimizer_step(self, args, state, control, model=None, **kwargs):
        self.steps.append(gradients(model))


def gradients(model):
    return {
        name.removeprefix("module."): p.grad.clone()
        for name, p in model.named_parameters()
        if p.grad is not None
    }


def trainer_of(
    model, folder, *, examples=EXAMPLES, batch=6, accumulate=1, steps=1, cls=GazeTrainer, **options
):
    settings = {
        "learning_rate": 0.1,
        "optim": "sgd",
        "logging_steps": 1,
        "save_strategy": "no",
        **options.pop("args", {}),
    }
    args = transformers.TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=batch,
        gradient_accumulation_steps=accumulate,
        max_steps=steps,
        max_grad_norm=0.0,
        lr_scheduler_type="constant",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
        **settings,
    )
    if issubclass(cls, GazeTrainer):
        target = "answer" if options.get("attention") else None
        options.setdefault("data_collator", Collator(pad_id=0, target=target))
    made = cls(model=model, args=args, train_dataset=examples, **options)
    made.remove_callback(transformers.trainer_callback.PrinterCallback)
    return made


def stepped(trainer):
    """The gradient of the first step, and what was logged with it."""
    kept = Gradients()
    trainer.add_callback(kept)
    trainer.train()
    return kept.steps[0], trainer.state.log_history[0]


def assert_same(found, expected, *, atol=1e-6):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-5, atol=atol, msg=name)


def neutral(examples):
    return [dataclasses.replace(e, weight=np.ones(len(e))) for e in examples]


def only_the_models(features):
    """What an ordinary collator gives: the model's own columns, labels among them."""
    batch = Collator(pad_id=0)(features)
    return {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}


# Weights of 1 are plain training


@pytest.mark.parametrize(("batch", "accumulate"), [(6, 1), (2, 3), (4, 2)])
def test_weights_of_1_are_the_trainers_own_loss_and_gradients(tmp_path, batch, accumulate):
    options = {"batch": batch, "accumulate": accumulate, "examples": neutral(EXAMPLES)}
    plain = trainer_of(
        model_of(),
        tmp_path / "plain",
        cls=transformers.Trainer,
        data_collator=only_the_models,
        **options,
    )
    expected, their_log = stepped(plain)
    found, our_log = stepped(trainer_of(model_of(), tmp_path / "gaze", **options))
    assert_same(found, expected)
    assert our_log["loss"] == pytest.approx(their_log["loss"], abs=AS_LOGGED)


def test_weights_of_1_are_the_models_own_loss(tmp_path):
    model = model_of()
    trainer = trainer_of(model, tmp_path)
    batch = Collator(pad_id=0)(neutral(EXAMPLES))
    names = ("input_ids", "attention_mask", "labels")
    own = model(**{name: batch[name] for name in names}).loss
    assert trainer.compute_loss(model, batch).item() == pytest.approx(own.item(), abs=1e-6)
    assert set(batch) > set(names), "the batch is not changed"


# A weight scales the gradient of the token that is predicted


def scaled_by_weights(trainer, batch):
    """Gradients of the logits are those of plain training, each times its target's weight."""
    loss, outputs = trainer.compute_loss(trainer.model, batch, return_outputs=True)
    (weighted,) = torch.autograd.grad(loss, outputs.logits)
    ones = {**batch, "loss_weight": torch.ones_like(batch["loss_weight"])}
    loss, outputs = trainer.compute_loss(trainer.model, ones, return_outputs=True)
    (plain,) = torch.autograd.grad(loss, outputs.logits)
    # The logits at i predict token i + 1; those at the last position predict nothing.
    expected = plain[:, :-1] * batch["loss_weight"][:, 1:, None]
    torch.testing.assert_close(weighted[:, :-1], expected, rtol=1e-5, atol=1e-8)
    assert not weighted[:, -1].any()


def test_a_weight_scales_the_gradient_of_its_token(tmp_path):
    scaled_by_weights(trainer_of(model_of(), tmp_path), Collator(pad_id=0)(EXAMPLES))


@pytest.mark.parametrize("by", [-1, 1])
def test_a_shift_by_one_is_found(tmp_path, monkeypatch, by):
    def shifted(logits, labels, loss_weight, **options):
        return weighted_causal_loss(logits, labels, loss_weight.roll(by, dims=1), **options)

    monkeypatch.setattr(terms, "weighted_causal_loss", shifted)
    with pytest.raises(AssertionError, match="not close"):
        scaled_by_weights(trainer_of(model_of(), tmp_path), Collator(pad_id=0)(EXAMPLES))


def test_labels_shifted_by_one_are_found(tmp_path, monkeypatch):
    def shifted(logits, labels, loss_weight, **options):
        return weighted_causal_loss(logits, labels.roll(1, dims=1), loss_weight, **options)

    monkeypatch.setattr(terms, "weighted_causal_loss", shifted)
    with pytest.raises(AssertionError):
        test_weights_of_1_are_the_models_own_loss(tmp_path)


def test_what_is_outside_the_loss_changes_nothing(tmp_path):
    trainer = trainer_of(model_of(), tmp_path)
    batch = Collator(pad_id=0)(EXAMPLES)
    outside = batch["labels"] == -100
    loud = {**batch, "loss_weight": batch["loss_weight"].masked_fill(outside, 1e6)}
    loud["on_path"] = batch["on_path"] | outside
    found = []
    for each in (batch, loud):
        loss, outputs = trainer.compute_loss(trainer.model, each, return_outputs=True)
        found.append((loss, torch.autograd.grad(loss, outputs.logits)[0]))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    # Nor do logits that predict a token of the prompt.
    assert not found[0][1][:, :-1][outside[:, 1:]].any()


# Denominators are those of the whole step


ALL_TERMS = {"path_margin": 0.3, "beta": 2.0, "attention": 0.5}
LOGGED = ("loss", "gaze/off_path_nll", "gaze/attention_kl", "gaze/skipped_rows")


def trainer_with_all_terms(folder, normalization, **options):
    options = {"normalization": normalization, "reference_model": model_of(1), **options}
    return trainer_of(model_of(attention="eager"), folder, **ALL_TERMS, **options)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_accumulated_gradients_are_those_of_the_one_big_batch(tmp_path, normalization):
    expected, expected_log = stepped(trainer_with_all_terms(tmp_path, normalization))
    for batch, accumulate in ((2, 3), (1, 6), (4, 2)):
        options = {"batch": batch, "accumulate": accumulate}
        gradient, log = stepped(trainer_with_all_terms(tmp_path, normalization, **options))
        assert_same(gradient, expected)
        for name in LOGGED:
            assert log[name] == pytest.approx(expected_log[name], rel=1e-5, abs=AS_LOGGED), name


def test_a_mean_of_means_is_found(tmp_path):
    class MeanOfMeans(GazeTrainer):
        loss_is_scaled_for_ga = False

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            return super().compute_loss(model, inputs, return_outputs)

    expected, _ = stepped(trainer_of(model_of(), tmp_path))
    found, _ = stepped(trainer_of(model_of(), tmp_path, batch=1, accumulate=6, cls=MeanOfMeans))
    with pytest.raises(AssertionError):
        assert_same(found, expected)


def test_the_counts_made_ahead_are_those_of_the_losses(tmp_path):
    # Nobody looked: a sequence without two sides, and rows without a target.
    nothing = {"on_path": np.zeros(6, dtype=bool), "attention": np.zeros(6)}
    examples = [*EXAMPLES, dataclasses.replace(example(6, seed=7), **nothing)]
    trainer = trainer_with_all_terms(tmp_path, "active", examples=examples, batch=7)
    counts = trainer.terms.counts(trainer.data_collator(examples))
    _, log = stepped(trainer)
    n_queries = sum(int(e.loss_mask.sum()) for e in examples)
    assert counts.tolist() == [n_queries, 6, n_queries - log["gaze/skipped_rows"]]
    assert log["gaze/skipped_sequences"] == 1
    assert log["gaze/skipped_rows"] == examples[-1].loss_mask.sum()


DISTRIBUTED = """
    import os, sys
    sys.path.insert(0, {tests!r})
    import torch, test_transformers as t
    found = {{}}
    for normalization in t.NORMALIZATIONS:
        trainer = t.trainer_with_all_terms({folder!r}, normalization, batch=1, accumulate=3)
        found[normalization] = t.stepped(trainer)
    assert trainer.accelerator.num_processes == 2
    if trainer.is_world_process_zero():
        torch.save(found, {out!r})
    torch.distributed.barrier()
    # Torch's own threads sometimes abort a process that leaves through the interpreter's exit.
    os._exit(0)
"""


@pytest.mark.slow
def test_two_processes_give_the_gradient_of_one(tmp_path):
    out, script = tmp_path / "found.pt", tmp_path / "distributed.py"
    names = {"tests": str(Path(__file__).parent), "out": str(out), "folder": str(tmp_path)}
    script.write_text(textwrap.dedent(DISTRIBUTED).format(**names))
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [sys.executable, *launch, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = torch.load(out)
    assert set(found) == set(NORMALIZATIONS)
    for normalization, (gradient, log) in found.items():
        expected, expected_log = stepped(trainer_with_all_terms(tmp_path, normalization))
        assert_same(gradient, expected)
        for name in LOGGED:
            assert log[name] == pytest.approx(expected_log[name], rel=1e-5, abs=AS_LOGGED), name


# Evaluation


def test_eval_loss_is_the_loss_of_the_whole_set_whatever_the_batch(tmp_path):
    found = []
    for batch in (6, 4, 1):
        trainer = trainer_with_all_terms(tmp_path, "path", batch=batch, eval_dataset=EXAMPLES)
        found.append(trainer.evaluate())
    model = trainer.model
    for metrics in found[1:]:
        for name in ("eval_loss", "eval_gaze/off_path_nll", "eval_gaze/attention_kl"):
            assert metrics[name] == pytest.approx(found[0][name], rel=1e-5), name
    batch = Collator(pad_id=0, target="answer")(EXAMPLES)
    assert found[0]["eval_loss"] == pytest.approx(trainer.compute_loss(model, batch).item())
    # Without the terms it is the weighted loss, and nothing else is said.
    plain = trainer_of(model, tmp_path, batch=2, eval_dataset=EXAMPLES).evaluate()
    batch = Collator(pad_id=0)(EXAMPLES)
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    expected = weighted_causal_loss(logits, batch["labels"], batch["loss_weight"])
    assert plain["eval_loss"] == pytest.approx(expected.item(), rel=1e-6)
    assert not [name for name in plain if "gaze" in name]


def test_an_evaluation_batch_without_a_path_is_a_part_of_the_set(tmp_path):
    off = dataclasses.replace(EXAMPLES[0], on_path=np.zeros(len(EXAMPLES[0]), dtype=bool))
    trainer = trainer_of(
        model_of(), tmp_path, batch=1, eval_dataset=[off, EXAMPLES[1]], normalization="path"
    )
    assert math.isfinite(trainer.evaluate()["eval_loss"])
    with pytest.raises(DataError, match="no target with a loss lies on the scan path"):
        trainer.evaluate([off])


def test_predictions_are_logits_and_labels_and_no_attention(tmp_path):
    model = model_of(attention="eager")
    trainer = trainer_of(model, tmp_path, examples=EXAMPLES[:1], batch=1, attention=1.0)
    predicted = trainer.predict(EXAMPLES[:1])
    n = len(EXAMPLES[0])
    assert predicted.predictions.shape == (1, n, VOCABULARY)
    assert predicted.label_ids.shape == (1, n)
    assert "test_loss" in predicted.metrics


def test_evaluation_during_training_leaves_the_training_log_alone(tmp_path):
    args = {"eval_strategy": "steps", "eval_steps": 1}
    options = {"attention": 0.5, "batch": 3, "steps": 2, "args": {"logging_steps": 2}}
    logs = []
    for more in ({}, {"eval_dataset": EXAMPLES[:2]}):
        given = {**options, "args": {**options["args"], **(args if more else {})}}
        trainer = trainer_of(model_of(attention="eager"), tmp_path, **more, **given)
        trainer.train()
        logs.append([line for line in trainer.state.log_history if "loss" in line])
    assert logs[0][0]["gaze/attention_kl"] == logs[1][0]["gaze/attention_kl"]
    assert [line["step"] for line in trainer.state.log_history if "eval_loss" in line] == [1, 2]


# PEFT


def lora_of(model, **options):
    peft = pytest.importorskip(
        "peft", reason="peft is not installed: pip install 'gazecode[adapters]'"
    )
    torch.manual_seed(5)
    config = peft.LoraConfig(
        task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"], **options
    )
    return peft.get_peft_model(model, config)


def test_lora_trains_its_adapters_and_nothing_else(tmp_path):
    model = lora_of(model_of())
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trainer = trainer_of(model, tmp_path, batch=3, accumulate=2, steps=3)
    trainer.train()
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed == {name for name in before if "lora_" in name}
    trainer.save_model(str(tmp_path / "saved"))
    assert (tmp_path / "saved" / "adapter_config.json").is_file()
    assert not (tmp_path / "saved" / "model.safetensors").exists()


def test_lora_starts_with_the_loss_of_its_base(tmp_path):
    batch = Collator(pad_id=0)(EXAMPLES)
    base = model_of()
    expected = trainer_of(base, tmp_path).compute_loss(base, batch).item()
    model = lora_of(copy.deepcopy(base))
    assert trainer_of(model, tmp_path).compute_loss(model, batch).item() == pytest.approx(expected)


def test_the_base_of_a_peft_model_is_the_reference(tmp_path):
    base = model_of()
    # The reference has no dropout, though it is asked for in the middle of training.
    model = lora_of(copy.deepcopy(base), lora_dropout=0.5)
    batch = Collator(pad_id=0)(EXAMPLES)
    names = ("input_ids", "attention_mask")
    plain = {name: batch[name] for name in names}
    trainer = trainer_of(model, tmp_path, steps=3, path_margin=0.1, beta=0.5)
    trainer.train()
    model.train()
    reference = trainer._reference_logits(model, plain)
    assert torch.equal(reference, base.eval()(**plain).logits)
    assert model.training
    assert not torch.allclose(model.eval()(**plain).logits, reference)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {name for name, _ in model.named_parameters() if "lora_" in name}
    # Nothing has moved before the first step: every margin is that of the reference.
    whole, weighted = (
        trainer_of(lora_of(model_of()), tmp_path / "more", path_margin=gamma)
        for gamma in (0.1, 0.0)
    )
    whole, weighted = stepped(whole)[1], stepped(weighted)[1]
    assert whole["loss"] == pytest.approx(weighted["loss"] + 0.1 * math.log(2), abs=2 * AS_LOGGED)
    assert whole["gaze/off_path_nll"] > 0
    assert whole["gaze/skipped_sequences"] == 0


def test_the_margin_against_a_reference_model_rises(tmp_path):
    model = model_of()
    trainer = trainer_of(
        model, tmp_path, steps=6, path_margin=50.0, reference_model=copy.deepcopy(model)
    )
    trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert losses[-1] < losses[0]
    assert not any(p.requires_grad for p in trainer.reference_model.parameters())


def test_prompt_tuning_is_a_causal_model_like_any_other(tmp_path):
    peft = pytest.importorskip(
        "peft", reason="peft is not installed: pip install 'gazecode[adapters]'"
    )
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    model = peft.get_peft_model(model_of(), config)
    names = ("input_ids", "attention_mask", "labels")
    batch = Collator(pad_id=0)(neutral(EXAMPLES))
    own = model(**{name: batch[name] for name in names}).loss
    found = trainer_of(model, tmp_path).compute_loss(model, batch)
    assert found.item() == pytest.approx(own.item(), abs=1e-6)


# Attention


def test_supervised_attention_comes_nearer_to_that_of_people(tmp_path):
    model = model_of(attention="eager", initializer_range=0.2)
    trainer = trainer_of(
        model,
        tmp_path,
        steps=25,
        attention=5.0,
        args={"optim": "adamw_torch", "learning_rate": 1e-2},
    )
    trainer.train()
    logged = [line for line in trainer.state.log_history if "loss" in line]
    kl = [line["gaze/attention_kl"] for line in logged]
    assert kl[-1] < 0.5 * kl[0]
    assert all(0 < line["gaze/sink_share"] < 1 for line in logged)
    assert {line["gaze/skipped_rows"] for line in logged} == {0}


def test_only_the_layers_asked_for_are_supervised(tmp_path):
    gradient = {}
    for layers in ([0], [1], None):
        model = model_of(attention="eager")
        trainer = trainer_of(model, tmp_path, attention=1.0, attention_layers=layers)
        gradient[str(layers)], _ = stepped(trainer)
    last = "model.layers.1.self_attn.q_proj.weight"
    plain, _ = stepped(trainer_of(model_of(), tmp_path))
    torch.testing.assert_close(gradient["[0]"][last], plain[last], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(gradient["[1]"][last], plain[last], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(gradient["None"][last], plain[last], rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(OLD, reason="transformers 4 turns to eager attention by itself")
def test_a_model_without_attention_weights_is_told_how_to_give_them(tmp_path):
    trainer = trainer_of(model_of(attention="sdpa"), tmp_path, attention=1.0)
    with pytest.raises(DataError, match='attn_implementation="eager"'):
        trainer.train()


# Checkpoints, and the whole way from gaze


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    options = {"batch": 2, "steps": 4, "attention": 0.5}
    args = {"save_strategy": "steps", "save_steps": 2, "optim": "adamw_torch"}
    straight = model_of(attention="eager")
    trainer_of(straight, tmp_path, args=args, **options).train()
    resumed = model_of(seed=9, attention="eager")
    trainer = trainer_of(resumed, tmp_path, args=args, **options)
    trainer.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert trainer.state.global_step == 4
    for (name, p), q in zip(straight.named_parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(q, p, msg=name)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "checkpoint-4")
    ids = torch.arange(1, 9)[None]
    torch.testing.assert_close(loaded(ids).logits, resumed.eval()(ids).logits)


@pytest.fixture(scope="module")
def demo_weights(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    run = [sys.executable, "-m", "gazecode", "demo", "--out", str(out)]
    subprocess.run(run, check=True, capture_output=True)
    return out / "weights.parquet"


def test_weights_of_the_demo_train_a_model(tmp_path, demo_weights):
    examples = gc.read_examples(demo_weights)
    assert any((e.weight[e.loss_mask] != 1).any() for e in examples)
    trainer = trainer_of(
        model_of(vocabulary=1024),
        tmp_path,
        examples=examples,
        batch=4,
        accumulate=2,
        steps=10,
        args={"optim": "adamw_torch", "learning_rate": 5e-3},
    )
    trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert losses[0] == pytest.approx(math.log(1024), rel=0.05)
    assert losses[-1] < 0.8 * losses[0]


def test_a_stream_from_disk_trains_a_model(tmp_path, demo_weights):
    model = model_of(vocabulary=1024)
    trainer = trainer_of(model, tmp_path, examples=GazeStream(demo_weights), batch=4, steps=5)
    trainer.train()
    assert trainer.state.global_step == 5


# What is refused


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"normalization": "mean"}, "no 'mean' in"),
        ({"path_margin": -1.0}, "path_margin is -1.0; expected a finite number of 0 or more"),
        ({"attention": math.nan}, "attention is nan; expected"),
        ({"beta": 0.0}, "beta is 0, which leaves no preference"),
        ({"path_margin": 0.1}, "path_margin has no reference; give reference_model"),
        ({"data_collator": None}, "give it gazecode.adapters.torch.Collator"),
        ({"args": {"label_smoothing_factor": 0.1}}, "would replace the weighted loss"),
        ({"compute_loss_func": lambda *args: 0}, "would replace the weighted loss"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_training(tmp_path, options, says):
    with pytest.raises(ParameterError, match=says):
        trainer_of(model_of(), tmp_path, **options)


@pytest.mark.parametrize(
    ("dropped", "options", "says"),
    [
        ("loss_weight", {}, "the batch has no loss_weight; found input_ids, attention_mask"),
        ("on_path", {"normalization": "path"}, "the batch has no on_path"),
        ("attention_keys", {"attention": 1.0}, r"no attention_keys.*Collator\(target=\.\.\.\)"),
    ],
)
def test_a_batch_without_gaze_is_refused(tmp_path, dropped, options, says):
    def poor(features):
        batch = Collator(pad_id=0, target="answer")(features)
        del batch[dropped]
        return batch

    trainer = trainer_of(model_of(), tmp_path, data_collator=poor, **options)
    with pytest.raises(DataError, match=says):
        trainer.train()


def test_the_model_sees_nothing_of_gaze(tmp_path):
    model = model_of()
    seen = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(set(kwargs)), with_kwargs=True
    )
    trainer = trainer_of(model, tmp_path, eval_dataset=EXAMPLES)
    trainer.train()
    trainer.evaluate()
    assert seen
    assert set().union(*seen) <= {"input_ids", "attention_mask"}

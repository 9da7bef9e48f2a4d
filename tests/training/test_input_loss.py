"""The language-model loss on the DNA asked about, and batches padded to a few lengths."""

import copy
import math

import pytest
import torch

from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments
from dnahlm.training.answer_trainer import AnswerTrainer, answer_columns, dna_targets
from dnahlm.training.sft import SftArguments, SftDataArguments, run


@pytest.fixture(scope="module")
def checkpoint(tiny_model, tiny_tokenizer, tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("start") / "pretrain", copy.deepcopy(tiny_model)
    for name in ("attn_pdrop", "embd_pdrop", "resid_pdrop"):
        setattr(model.config, name, 0.0)
    model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def seen(monkeypatch):
    """Every batch the model is given while training: its inputs, and its loss."""
    batches, compute = [], AnswerTrainer.compute_loss

    def watched(self, model, inputs, *args, **kwargs):
        loss = compute(self, model, inputs, *args, **kwargs)
        if model.training:
            batches.append(({k: v.clone() for k, v in inputs.items()}, loss.item()))
        return loss

    monkeypatch.setattr(AnswerTrainer, "compute_loss", watched)
    return batches


def tune(checkpoint, instructions, output, **more):
    settings = {
        "max_steps": 1, "per_device_train_batch_size": 8, "learning_rate": 1e-3, "disable_tqdm": True,
        "precision": "fp32", "save_strategy": "no", "use_cpu": True, "activation_checkpointing": False,
        "logging_steps": 1, "train_sampling_strategy": "group_by_length",
    } | more  # fmt: skip
    data = SftDataArguments(str(checkpoint), str(instructions))
    return run(data, AdapterArguments(), SftArguments(output_dir=str(output), **settings))


def test_the_input_loss_is_that_of_the_dna_tokens_behind_dna_tokens(
    checkpoint, instructions, tmp_path, seen, tiny_tokenizer, tiny_model
):
    tune(checkpoint, instructions, tmp_path / "without")
    tune(checkpoint, instructions, tmp_path / "with", input_loss_weight=0.5)
    (inputs, without), (same, with_it) = seen
    assert torch.equal(inputs["input_ids"], same["input_ids"])
    with torch.no_grad():
        logits = tiny_model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    losses = []
    for row, ids in enumerate(inputs["input_ids"].tolist()):
        text = [tiny_tokenizer.decode([i]) for i in ids]
        for t in range(1, len(ids)):
            if set(text[t]) <= set("ACGTN") and set(text[t - 1]) <= set("ACGTN") and text[t] and text[t - 1]:
                losses.append(-logits[row, t - 1].log_softmax(-1)[ids[t]].item())
    assert len(losses) > 8 * 4
    assert with_it - without == pytest.approx(0.5 * sum(losses) / len(losses), rel=1e-4)


def test_the_input_loss_of_a_step_is_the_same_in_one_batch_or_two(checkpoint, instructions, tmp_path, seen):
    tune(checkpoint, instructions, tmp_path / "one", input_loss_weight=1.0)
    tune(
        checkpoint, instructions, tmp_path / "two", input_loss_weight=1.0, per_device_train_batch_size=4,
        gradient_accumulation_steps=2, train_sampling_strategy="sequential",
    )  # fmt: skip
    # Two micro-batches of four add up to one step; rows have about the same number of DNA tokens.
    assert seen[1][1] + seen[2][1] == pytest.approx(seen[0][1], rel=0.15)


def test_a_negative_weight_is_refused(checkpoint, instructions, tmp_path):
    with pytest.raises(InputError, match=r"input_loss_weight: -0\.1; must be 0"):
        tune(checkpoint, instructions, tmp_path / "sft", input_loss_weight=-0.1)


def test_a_letter_of_english_is_no_dna():
    is_dna = torch.tensor([False, True, True])
    assert (dna_targets(torch.tensor([[0, 1, 0, 2]]), is_dna) == -100).all()


def test_every_batch_is_padded_to_a_multiple_and_projects_a_multiple_of_columns(
    checkpoint, instructions, tmp_path, seen
):
    tune(checkpoint, instructions, tmp_path / "sft", max_steps=6, pad_to_multiple_of=16)
    for inputs, _ in seen:
        columns, _ = answer_columns(inputs["labels"], 16)
        assert inputs["input_ids"].shape[1] % 16 == 0
        assert (len(columns) + 1) % 16 == 0 and columns[0] % 16 == 0


def test_more_columns_give_the_same_loss(tiny_model):
    labels = torch.full((3, 16), -100)
    labels[0, 8:10], labels[1, 10:12], labels[2, 9] = torch.tensor([5, 6]), torch.tensor([7, 8]), 9
    losses = []
    for multiple in (None, 4, 16):
        columns, targets = answer_columns(labels, multiple)
        with torch.no_grad():
            logits = tiny_model(torch.arange(48).view(3, 16) + 20, logits_to_keep=columns).logits
        losses.append(torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100))
    assert losses[0].item() == pytest.approx(losses[1].item()) == pytest.approx(losses[2].item())
    assert math.isfinite(losses[0])


@pytest.mark.slow
def test_a_compiled_run_follows_the_loss_of_a_plain_one_in_few_shapes(checkpoint, instructions, tmp_path):
    from torch._dynamo.utils import counters

    plain, compiled = (
        tune(checkpoint, instructions, tmp_path / name, max_steps=6, pad_to_multiple_of=32, **more)
        for name, more in (("plain", {}), ("compiled", {"torch_compile": True}))
    )
    assert compiled["validation_loss"] == pytest.approx(plain["validation_loss"], abs=1e-3)
    assert 0 < counters["stats"]["unique_graphs"] <= 12

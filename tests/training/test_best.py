"""The step that is kept: the best on validation rows, told in manifest and card, never looked for on test rows."""

import json
import math
import shutil

import pytest
import torch

from dnahlm.evaluation.dev_score import dev_mcc
from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.spec import load_task
from dnahlm.training.answer_trainer import AnswerTrainer
from dnahlm.training.best import dev_sample
from dnahlm.training.sft import SftArguments, SftDataArguments, run

LOOKS = {"eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 2, "dev_rows": 10}


def tune(checkpoint, instructions, output, score=dev_mcc, adapter=None, **more):
    settings = {
        "max_steps": 8, "per_device_train_batch_size": 8, "learning_rate": 1e-3, "disable_tqdm": True,
        "precision": "fp32", "save_strategy": "no", "use_cpu": True, "activation_checkpointing": False,
    } | more  # fmt: skip
    args = SftArguments(output_dir=str(output), **settings)
    return run(SftDataArguments(str(checkpoint), str(instructions)), adapter or AdapterArguments(), args, score=score)


def scripted(values, weights):
    """A score that gives these values, and keeps the weights it was asked about."""
    left = iter(values)

    def score(model, tokenizer, specs, rows):
        weights.append({name: tensor.detach().clone() for name, tensor in model.state_dict().items()})
        return {task: next(left) for task in rows}

    return score


def saved(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def test_the_weights_of_the_best_evaluation_are_saved_and_the_card_says_which(checkpoint, instructions, tmp_path):
    weights = []
    score = scripted([0.1, 0.6, 0.3, 0.2, 0.6], weights)  # the last one is of the weights that were kept
    manifest = tune(checkpoint, instructions, tmp_path / "sft", score, load_best_model_at_end=True, **LOOKS)
    kept = manifest["kept"]
    assert (kept["step"], kept["steps"], kept["metric"], kept["value"]) == (4, 8, "mean_mcc", 0.6)
    assert kept["dev_rows"] == {"strength": 10}
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in saved(tmp_path / "sft").items())
    assert manifest["validation_mcc"] == {"mean_mcc": 0.6, "mcc_strength": 0.6}
    card = (tmp_path / "sft" / "README.md").read_text()
    assert "weights of step 4 of 8, the best on validation rows (mean_mcc 0.6000, 10 rows)" in card
    assert "| strength | 10 | 0.600 |" in card


def test_training_stops_early_when_nothing_gets_better(checkpoint, instructions, tmp_path):
    score = scripted([0.5, 0.4, 0.4, 0.5], [])
    settings = LOOKS | {"load_best_model_at_end": True, "early_stopping_patience": 2}
    kept = tune(checkpoint, instructions, tmp_path / "sft", score, **settings)["kept"]
    assert (kept["step"], kept["steps"], kept["stopped_early_of"]) == (2, 6, 8)


def test_without_a_best_step_the_last_is_kept_and_that_is_said(checkpoint, instructions, tmp_path):
    manifest = tune(checkpoint, instructions, tmp_path / "sft", max_steps=3)
    assert (manifest["kept"]["step"], manifest["kept"]["why"]) == (3, "the last step")
    assert "weights of step 3 of 3, the last step" in (tmp_path / "sft" / "README.md").read_text()


def test_the_score_is_that_of_the_label_scorer_on_validation_rows_only(checkpoint, instructions, tmp_path):
    from dnahlm.evaluation.metrics import mcc
    from dnahlm.inference.load import load
    from dnahlm.inference.scorer import score
    from dnahlm.tasks.prompt import render_prompts

    manifest = tune(checkpoint, instructions, tmp_path / "sft", max_steps=6, **LOOKS)
    loaded = load(tmp_path / "sft")
    (rows,) = dev_sample(read_instructions(instructions / "validation.jsonl"), loaded.tasks, 10, seed=42).values()
    prompts = render_prompts(loaded.tokenizer, [r["instruction"] for r in rows], [r["input"] for r in rows])
    best = score(loaded.model, loaded.tokenizer, prompts, ["strong", "weak"]).argmax(axis=1)
    expected = mcc([["strong", "weak"][k] for k in best], [r["output"] for r in rows])
    assert manifest["validation_mcc"]["mean_mcc"] == pytest.approx(expected)


def test_an_adapter_keeps_its_best_step_too(checkpoint, instructions, tmp_path):
    adapter = AdapterArguments(use_peft=True, lora_r=2)
    manifest = tune(
        checkpoint, instructions, tmp_path / "l", adapter=adapter, max_steps=4, load_best_model_at_end=True, **LOOKS
    )
    assert manifest["kept"]["metric"] == "mean_mcc" and (tmp_path / "l" / "adapter_config.json").is_file()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dev_rows": -1}, "dev_rows: -1 rows; must be 0"),
        ({**LOOKS, "early_stopping_patience": -2}, "early_stopping_patience: -2 evaluations; must be 0"),
        ({**LOOKS, "early_stopping_patience": 2}, "needs evaluations and a best one"),
        ({"dev_rows": 10}, "scored at evaluations"),
        ({**LOOKS, "dev_rows": 0, "load_best_model_at_end": True, "metric_for_best_model": "mean_mcc"}, "Set dev_rows"),
    ],
)
def test_settings_that_cannot_tell_a_best_step_are_refused(checkpoint, instructions, tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        tune(checkpoint, instructions, tmp_path / "sft", **settings)
    assert not list(tmp_path.iterdir())


def test_validation_rows_without_a_fixed_answer_are_refused(instructions):
    spec = load_task(instructions / "tasks" / "strength.yaml")
    spec.kind = "regression"
    with pytest.raises(InputError, match="no validation row of these instructions has a fixed answer"):
        dev_sample(read_instructions(instructions / "validation.jsonl"), {"strength": spec}, 5, 0)


def test_a_loss_that_becomes_nan_stops_the_run_and_keeps_the_last_good_checkpoint(
    checkpoint, instructions, tmp_path, monkeypatch
):
    compute = AnswerTrainer.compute_loss

    def broken(self, *args, **kwargs):
        loss = compute(self, *args, **kwargs)
        return loss * math.nan if self.state.global_step == 5 else loss

    monkeypatch.setattr(AnswerTrainer, "compute_loss", broken)
    often = {"save_strategy": "steps", "save_steps": 2, "max_steps": 8}
    with pytest.raises(InputError, match=r"step 6: the training loss is nan .*checkpoint-4 is the last good"):
        tune(checkpoint, instructions, tmp_path / "sft", **often)
    monkeypatch.setattr(AnswerTrainer, "compute_loss", compute)
    manifest = tune(checkpoint, instructions, tmp_path / "sft", resume_from_checkpoint="true", **often)
    assert manifest["counts"]["steps"] == 8


@pytest.mark.slow
def test_the_best_step_survives_a_resume(checkpoint, instructions, tmp_path):
    settings = LOOKS | {"load_best_model_at_end": True, "save_total_limit": 1}
    score = scripted([0.9, 0.1], [])

    def interrupted(model, tokenizer, specs, rows):
        try:
            return score(model, tokenizer, specs, rows)
        except (StopIteration, RuntimeError):
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        tune(checkpoint, instructions, tmp_path / "sft", interrupted, **settings)
    rest = scripted([0.2, 0.3, 0.9], [])
    kept = tune(checkpoint, instructions, tmp_path / "sft", rest, resume_from_checkpoint="true", **settings)["kept"]
    assert (kept["step"], kept["value"]) == (2, 0.9)


def test_a_class_with_one_validation_row_and_one_train_row_is_tuned_and_calibrated(checkpoint, instructions, tmp_path):
    from dnahlm.inference.calibrate_checkpoint import calibrate

    rare = tmp_path / "rare"
    shutil.copytree(instructions, rare)
    for split in ("train", "validation"):
        records = read_instructions(rare / f"{split}.jsonl")
        first = next(r for r in records if r["output"] == "weak")
        kept = [*[r for r in records if r["output"] == "strong"][:20], first]
        (rare / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in kept))
    manifest = tune(
        checkpoint, rare, tmp_path / "sft", max_steps=2, load_best_model_at_end=True, **LOOKS | {"dev_rows": 30}
    )
    assert manifest["kept"]["dev_rows"] == {"strength": 21} and math.isfinite(manifest["validation_mcc"]["mean_mcc"])
    assert calibrate(tmp_path / "sft", rare)["calibration"]["strength"]["rows"] == 21

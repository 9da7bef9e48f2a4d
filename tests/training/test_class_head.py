"""A class head per task on a checkpoint, evaluated in the same tables as the instructed model."""

import json

import pytest
import torch
from transformers import Lfm2Config, Lfm2ForCausalLM

from dnahlm.evaluation.protocol import EvaluateConfig
from dnahlm.evaluation.protocol import run as evaluate
from dnahlm.io import InputError
from dnahlm.training.class_head import HeadArguments, HeadDataArguments, run


@pytest.fixture(scope="module", params=["gpt2", "lfm2"])
def checkpoint(request, tiny_model, tiny_tokenizer, tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("start") / "pretrain", tiny_model
    if request.param == "lfm2":
        torch.manual_seed(0)
        shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
        config = Lfm2Config(
            vocab_size=len(tiny_tokenizer), intermediate_size=64, full_attn_idxs=[1], max_position_embeddings=256,
            eos_token_id=tiny_tokenizer.eos_token_id, pad_token_id=tiny_tokenizer.pad_token_id, **shape,
        )  # fmt: skip
        model = Lfm2ForCausalLM(config)
    model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


def train(checkpoint, instructions, output, task="strength", **more):
    settings = {
        "max_steps": 30, "per_device_train_batch_size": 16, "learning_rate": 5e-3, "disable_tqdm": True,
        "precision": "fp32", "save_strategy": "no", "use_cpu": True, "report_to": "none",
    } | more  # fmt: skip
    data = HeadDataArguments(str(checkpoint), str(instructions), task)
    return run(data, HeadArguments(output_dir=str(output), **settings))


def test_a_head_learns_its_task_and_stands_in_the_same_tables(checkpoint, instructions, tmp_path):
    manifest = train(checkpoint, instructions, tmp_path / "head")
    assert manifest["validation_mcc"] > 0.5
    suite = tmp_path / "s.yaml"
    suite.write_text("name: s\ndescription: d\nmax_rows: 20\nbaselines: [majority]\nn_bootstrap: 20\n")
    evaluate(EvaluateConfig([str(tmp_path / "head")], str(tmp_path / "eval"), str(suite), str(instructions)))
    (task,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert task["task"] == "strength" and task["metrics"]["scored"]["mcc"] > 0.5
    assert json.loads((tmp_path / "head" / "config.json").read_text())["id2label"] == {"0": "strong", "1": "weak"}


def test_a_task_that_is_not_in_the_instructions_is_refused(checkpoint, instructions, tmp_path):
    with pytest.raises(InputError, match=r"'strenght' is not in .* Did you mean 'strength'"):
        train(checkpoint, instructions, tmp_path / "head", task="strenght")
    assert not list(tmp_path.iterdir())


def test_the_head_of_the_best_step_is_kept(checkpoint, instructions, tmp_path):
    often = {"eval_strategy": "steps", "eval_steps": 10, "save_strategy": "steps", "save_steps": 10}
    manifest = train(checkpoint, instructions, tmp_path / "head", load_best_model_at_end=True, **often)
    rows = [json.loads(line) for line in (tmp_path / "head" / "loss.jsonl").read_text().splitlines()]
    best = max((row for row in rows if "eval_mcc" in row), key=lambda row: (row["eval_mcc"], -row["step"]))
    assert manifest["kept_step"] == best["step"]
    assert manifest["validation_mcc"] == pytest.approx(best["eval_mcc"])

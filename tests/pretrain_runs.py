"""A pretraining run of seconds: the model it makes and its settings."""

import json

from dnahlm.model.create import ModelArguments
from dnahlm.training.pretrain import PretrainArguments

SMALL = ModelArguments(hidden_size=32, num_hidden_layers=2, num_attention_heads=2)


def arguments(output, **more):
    settings = {
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "logging_steps": 2,
        "disable_tqdm": True,
        "precision": "fp32",
        "save_strategy": "no",
        "use_cpu": True,
        **more,
    }
    return PretrainArguments(output_dir=str(output), **settings)


def logged(folder):
    return [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]

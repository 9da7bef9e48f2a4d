"""A tiny model, tuned for seconds on two toy tasks, and what the whole protocol makes of it."""

import json
import shutil

import pytest
from toy_tasks import TASKS, tune, write_instructions

from dnahlm.evaluation.protocol import EvaluateConfig, run
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tokenizer.load import fingerprint


@pytest.fixture(scope="package")
def folders(tmp_path_factory, tiny_model, tiny_tokenizer):
    """instructions/ and the sft/ that was tuned on them, as the earlier stages write them."""
    root = tmp_path_factory.mktemp("runs")
    files = write_instructions(root / "instructions")
    sft = root / "sft"
    tuned = tune(tiny_model, tiny_tokenizer, files["train"])
    tuned.save_pretrained(sft)
    tiny_tokenizer.save_pretrained(sft)
    shutil.copytree(root / "instructions" / "tasks", sft / "tasks")
    facts = {"n_train": 90, "min_bases": 32, "max_bases": 32}
    (sft / "tasks.json").write_text(json.dumps(dict.fromkeys(TASKS, facts)))
    (sft / "calibration.json").write_text(
        json.dumps({"toy_promoter": {"temperature": 2.0}, "toy_splice": {"temperature": 1.0}})
    )
    (sft / "loss.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0, "learning_rate": 0.1}\n')
    inputs = {"instructions": root / "instructions"}
    write_manifest(sft, "sft", {"seed": 5}, StageClock(), inputs, {}, tokenizer_sha256=fingerprint(tiny_tokenizer))
    return root, tuned, files


@pytest.fixture(scope="package")
def evaluated(folders):
    root, _, _ = folders
    manifest = run(EvaluateConfig(model=str(root / "sft"), output=str(root / "eval")))
    report = json.loads((root / "eval" / "report.json").read_text())
    return root / "eval", manifest, {task["task"]: task for task in report["tasks"]}, report

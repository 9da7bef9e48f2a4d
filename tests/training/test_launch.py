"""The scripts as a user launches them: one plain process, and two under accelerate with DeepSpeed ZeRO-2."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPU = ROOT / "recipes" / "accelerate" / "cpu.yaml"
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None or shutil.which("g++") is None,
    reason="needs the deepspeed extra and a C++ compiler",
)
pytestmark = pytest.mark.slow


def launch(script, arguments, zero=False, expect=0):
    start = (
        [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(CPU)] if zero else [sys.executable]
    )
    command = [*start, str(ROOT / "recipes" / script), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert answer.returncode == expect, answer.stdout[-3000:] + answer.stderr[-3000:]
    return answer


def pretrain_arguments(blocks, output, batch):
    return [
        "--blocks",
        blocks,
        "--output_dir",
        output,
        "--hidden_size",
        32,
        "--num_hidden_layers",
        2,
        "--num_attention_heads",
        2,
        "--max_steps",
        4,
        "--per_device_train_batch_size",
        batch,
        "--learning_rate",
        1e-3,
        "--logging_steps",
        1,
        "--precision",
        "fp32",
        "--save_strategy",
        "no",
        "--disable_tqdm",
        "true",
        "--lr_scheduler_type",
        "constant",
    ]


def losses(folder):
    rows = [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@needs_deepspeed
def test_zero2_on_two_processes_follows_the_loss_of_one_plain_process(blocks, tmp_path):
    launch("pretrain.py", pretrain_arguments(blocks, tmp_path / "plain", 4))
    launch("pretrain.py", pretrain_arguments(blocks, tmp_path / "zero", 2), zero=True)
    plain, zero = manifest(tmp_path / "plain"), manifest(tmp_path / "zero")
    assert (plain["processes"], plain["zero_stage"]) == (1, None)
    assert (zero["processes"], zero["zero_stage"]) == (2, 2)
    assert plain["counts"]["tokens"] == zero["counts"]["tokens"]
    assert losses(tmp_path / "zero") == pytest.approx(losses(tmp_path / "plain"), abs=0.01)


@needs_deepspeed
def test_sft_under_zero2_writes_a_checkpoint_that_answers(blocks, instructions, tmp_path):
    from dnahlm.inference.load import load

    launch(
        "pretrain.py",
        [
            "--blocks",
            blocks,
            "--output_dir",
            tmp_path / "start",
            "--hidden_size",
            32,
            "--num_hidden_layers",
            1,
            "--num_attention_heads",
            2,
            "--max_steps",
            1,
            "--disable_tqdm",
            "true",
        ],
    )
    folder = tmp_path / "start"
    config = json.loads((folder / "config.json").read_text())
    assert config["n_positions"] == 64
    answer = launch(
        "sft.py",
        ["--model_name_or_path", folder, "--instructions", instructions, "--output_dir", tmp_path / "sft"],
        expect=2,
    )
    assert "the model sees 64" in answer.stderr and "Traceback" not in answer.stderr and not (tmp_path / "sft").exists()
    launch("sft.py", sft_arguments(instructions, wide_checkpoint(folder, tmp_path), tmp_path / "sft"), zero=True)
    made = manifest(tmp_path / "sft")
    assert (made["processes"], made["zero_stage"]) == (2, 2)
    assert set(load(tmp_path / "sft").calibration) == {"strength"}


def wide_checkpoint(folder, tmp_path):
    """The same tokenizer with a model whose context holds a question."""
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    tokenizer = AutoTokenizer.from_pretrained(folder)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=256, n_embd=32, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "wide")
    tokenizer.save_pretrained(tmp_path / "wide")
    return tmp_path / "wide"


def sft_arguments(instructions, checkpoint, output):
    return [
        "--model_name_or_path",
        checkpoint,
        "--instructions",
        instructions,
        "--output_dir",
        output,
        "--max_steps",
        3,
        "--per_device_train_batch_size",
        4,
        "--logging_steps",
        1,
        "--save_strategy",
        "no",
        "--disable_tqdm",
        "true",
    ]


def test_a_killed_run_resumes_from_its_last_complete_checkpoint(blocks, tmp_path):
    import signal
    import time

    from dnahlm.training.checkpoints import last_checkpoint

    settings = [*pretrain_arguments(blocks, tmp_path / "run", 2), "--save_strategy", "steps", "--save_steps", 5]
    settings[settings.index("--max_steps") + 1] = 4000
    command = [sys.executable, str(ROOT / "recipes" / "pretrain.py"), *map(str, settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part = tmp_path / "run.part"
    deadline = time.time() + 120
    while time.time() < deadline and not last_checkpoint(part):
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "run").exists()
    answer = launch("pretrain.py", settings, expect=2)
    assert "--resume_from_checkpoint true" in answer.stderr
    step = int(last_checkpoint(part).name.split("-")[1])
    cut_short = part / f"checkpoint-{step + 5}"  # as a kill in the middle of saving leaves one
    cut_short.mkdir(exist_ok=True)
    (cut_short / "model.safetensors").write_bytes(b"half")
    settings[settings.index("--max_steps") + 1] = step + 10
    launch("pretrain.py", [*settings, "--resume_from_checkpoint", "true"])
    assert manifest(tmp_path / "run")["counts"]["steps"] == step + 10


def test_a_damaged_checkpoint_is_one_message(blocks, tmp_path, tokenizer_folder):
    shutil.copytree(tokenizer_folder, tmp_path / "bad")
    (tmp_path / "bad" / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"not weights")
    answer = launch(
        "pretrain.py",
        ["--blocks", blocks, "--output_dir", tmp_path / "out", "--model_name_or_path", tmp_path / "bad"],
        expect=2,
    )
    assert "cannot be loaded" in answer.stderr and "Traceback" not in answer.stderr

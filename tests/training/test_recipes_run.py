"""The recipes from raw files to an evaluation, in miniature, with a tiny checkpoint in the place of a published one."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from published_layouts import BASES
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from dnahlm.config import load_yaml

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes"
pytestmark = pytest.mark.slow
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None or shutil.which("g++") is None,
    reason="needs the deepspeed extra and a C++ compiler",
)
FEW = ["--max_steps", "3", "--per_device_train_batch_size", "2", "--gradient_accumulation_steps", "1"]
FEW += ["--precision", "fp32", "--logging_steps", "1", "--eval_steps", "2", "--save_steps", "2"]


def put_published(folder, layout):
    """A checkpoint with random weights in the layout of a published one."""
    base = BASES[layout]()
    torch.manual_seed(0)
    if layout == "gpt2":
        shape = {"n_positions": 512, "n_embd": 32, "n_layer": 1, "n_head": 2}
        model = GPT2LMHeadModel(GPT2Config(vocab_size=len(base), bos_token_id=0, eos_token_id=0, **shape))
    else:
        shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
        shape |= {"num_key_value_heads": 2, "max_position_embeddings": 512}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(base), **shape))
    model.save_pretrained(folder)
    base.save_pretrained(folder)


@pytest.fixture
def route(corpus, instructions, tmp_path):
    """Run one stage of a recipe in a folder of raw data and tables; returns the manifest it wrote."""
    raw, tables = corpus.parent, instructions.parent
    for kind, file in (("genome", "genome.fa"), ("english", "english.txt")):
        (tmp_path / "data" / kind).mkdir(parents=True)
        shutil.copy(raw / file, tmp_path / "data" / kind)
    for file in ("train.csv", "dev.csv", "test.csv", "strength.yaml"):
        shutil.copy(tables / file, tmp_path / "data")

    def run(recipe, stage, *overrides, processes=0):
        file = next((RECIPES / recipe).glob(f"*_{stage}.yaml"))
        settings = load_yaml(file)
        script = {"pretrain": "pretrain.py", "sft": "sft.py", "head": "class_head.py"}.get(stage)
        command = [sys.executable, "-m", "dnahlm"]
        if processes:
            launch = RECIPES / "accelerate" / "cpu.yaml"
            command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(launch)]
            command += ["--num_processes", str(processes)]
        words = {"fit": ["model", "fit"], "merge": ["model", "merge"], "extend": ["tokenizer", "extend"]}
        words |= {"corpus": ["corpus", "build"], "pack": ["corpus", "pack"], "tokenizer": ["tokenizer", "train"]}
        words |= {"instructions": ["instructions", "build"], "evaluate": ["evaluate"], "distill": ["distill"]}
        if script:
            command = [*(command if processes else [sys.executable]), str(RECIPES / script)]
        else:
            command += words[stage]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
        command += ["--config", str(file), *map(str, overrides)]
        answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=500)
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-5000:]
        output = tmp_path / (settings.get("output") or settings["output_dir"])
        return json.loads((output / "manifest.json").read_text()), answer.stdout

    return run


def before_pretraining(route, recipe, validation=0.2):
    route(recipe, "corpus", "--data_root", "data", "--validation_share", validation)
    if (RECIPES / recipe / "2_tokenizer.yaml").is_file():
        route(recipe, "tokenizer", "--vocab_size", 600, "--prompt_share", 0)
    else:
        route(recipe, "extend", "--base", "published", "--dna_tokens", 60)
    route(recipe, "pack", "--block_size", 64)


def after_pretraining(route, recipe):
    route(recipe, "instructions", "--data_root", "data", "--tasks", "data/strength.yaml", "--max_validation_rows", 20)
    tuned, _ = route(recipe, "sft", *FEW, "--num_train_epochs", 1)
    scored, _ = route(recipe, "evaluate", "--suite", "smoke")
    assert scored["stage"] == "evaluate"
    return tuned


def test_gpt2_small_goes_from_raw_files_to_an_evaluation(route, tmp_path):
    put_published(tmp_path / "published", "gpt2")
    before_pretraining(route, "gpt2_small")
    made, said = route("gpt2_small", "pretrain", *FEW, "--model_name_or_path", "published")
    assert made["start"]["embedding_rows"]["new"] == 62  # tokens, the mark, the pad
    figures = made["forgetting"]
    assert figures["starting_checkpoint"] < figures["before_training"] != figures["after_training"]
    assert f"{figures['starting_checkpoint']:.4f}" in said
    tuned = after_pretraining(route, "gpt2_small")
    assert tuned["forgetting"]["before_training"] == pytest.approx(figures["after_training"], rel=0.01)
    assert (tmp_path / "runs/gpt2_small/sft/loss.png").stat().st_size > 5000


def test_llama_lora_goes_from_raw_files_to_an_evaluation(route, tmp_path):
    put_published(tmp_path / "published", "llama2")
    before_pretraining(route, "llama_lora")
    route("llama_lora", "fit", "--model_name_or_path", "published")
    made, _ = route("llama_lora", "pretrain", *FEW)
    counts = made["counts"]
    assert counts["trained_parameters"] < counts["parameters"] / 2
    assert made["validation"] != made["validation_before"]
    merged, _ = route("llama_lora", "merge")
    assert merged["inputs"]["checkpoint"]["path"] == "runs/llama_lora/fitted"
    tuned = after_pretraining(route, "llama_lora")
    assert tuned["forgetting"]["before_training"] == pytest.approx(made["forgetting"]["after_training"], rel=0.01)


@needs_deepspeed
def test_llama_lora_trains_under_zero2_on_two_processes(route, tmp_path):
    put_published(tmp_path / "published", "llama2")
    before_pretraining(route, "llama_lora")
    route("llama_lora", "fit", "--model_name_or_path", "published")
    made, _ = route("llama_lora", "pretrain", *FEW, processes=2)
    assert (made["processes"], made["zero_stage"]) == (2, 2)
    assert made["forgetting"]["after_training"] != made["forgetting"]["before_training"]


def test_gpt2_small_scratch_goes_from_raw_files_to_a_model(route):
    small = ["--hidden_size", 32, "--num_hidden_layers", 1, "--num_attention_heads", 2]
    before_pretraining(route, "gpt2_small_scratch")
    made, said = route("gpt2_small_scratch", "pretrain", *FEW, *small)
    assert made["start"]["from"] == "scratch" and made["forgetting"] == {}
    assert "trained from scratch: no earlier English to forget" in said


def test_small_cpu_goes_from_raw_files_to_an_evaluation_beside_a_class_head(route, tmp_path):
    route("small_cpu", "corpus", "--data_root", "data", "--text", "english/*.txt", "--validation_share", 0.2)
    route("small_cpu", "tokenizer", "--k", 3, "--vocab_size", 700, "--tasks", "data/strength.yaml")
    route("small_cpu", "pack", "--block_size", 128)
    small = ["--hidden_size", 32, "--num_hidden_layers", 4, "--num_attention_heads", 2]
    made, said = route("small_cpu", "pretrain", *FEW, *small)
    assert made["start"]["model_type"] == "lfm2" and "rows of 80 DNA tokens of more than one base start as sums" in said
    route("small_cpu", "instructions", "--data_root", "data", "--tasks", "data/strength.yaml")
    route("small_cpu", "distill", "--folds", 2, "--rows", 20, "--workers", 1)
    tuned, _ = route("small_cpu", "sft", *FEW, "--dev_rows", 10)
    assert tuned["kept"]["dev_rows"] == {"strength": 10}
    route("small_cpu", "head", "--task", "strength", "--num_train_epochs", 1, "--per_device_train_batch_size", 8)
    scored, _ = route("small_cpu", "evaluate", "--suite", "smoke")
    assert scored["stage"] == "evaluate"

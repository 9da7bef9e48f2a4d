"""Continuing a published checkpoint with an extended tokenizer under ZeRO-3, which parts every weight."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from published_layouts import BASES
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("deepspeed") is None or shutil.which("g++") is None,
        reason="needs the deepspeed extra and a C++ compiler",
    ),
]


def write_checkpoint(folder, layout):
    base = BASES[layout]()
    torch.manual_seed(0)
    if layout == "gpt2":  # tied, a table of positions
        shape = {"n_positions": 64, "n_embd": 32, "n_layer": 1, "n_head": 2}
        model = GPT2LMHeadModel(GPT2Config(vocab_size=len(base), bos_token_id=0, eos_token_id=0, **shape))
    else:  # a head of its own, rotary positions
        shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(base), max_position_embeddings=64, **shape))
    model.save_pretrained(folder)
    base.save_pretrained(folder)


def extended(corpus, folder, layout):
    """The checkpoint `start` and the tokenizer `tok` made from its own, in a folder."""
    from dnahlm.tokenizer.extend import ExtendConfig, run

    write_checkpoint(folder / "start", layout)
    run(ExtendConfig(base=str(folder / "start"), corpus=str(corpus), output=str(folder / "tok"), dna_tokens=100))
    return str(folder / "start"), str(folder / "tok")


def launch(folder, script, arguments, parted_at_load=False):
    """Run a script on two CPU processes under the shipped ZeRO-3 settings; returns the manifest of `folder/out`."""
    settings = yaml.safe_load((ROOT / "recipes" / "accelerate" / "zero3.yaml").read_text())
    settings |= {"num_processes": 2, "use_cpu": True}
    settings["deepspeed_config"]["zero3_init_flag"] = parted_at_load
    (folder / "zero3.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", folder / "zero3.yaml"]
    common = [
        "--output_dir",
        folder / "out",
        "--per_device_train_batch_size",
        2,
        "--max_steps",
        2,
        "--precision",
        "fp32",
    ]
    command += [ROOT / "recipes" / script, *arguments, *common, "--save_strategy", "no", "--seed", 42]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, timeout=500)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-9000:]
    made = read_manifest(folder / "out")
    assert (made["processes"], made["zero_stage"]) == (2, 3)
    return made


def read_manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.parametrize(
    ("layout", "longer_context", "parted_at_load"), [("gpt2", "copy", False), ("llama3", "interpolate", True)]
)
def test_zero3_starts_from_the_rows_of_one_plain_process(corpus, tmp_path, layout, longer_context, parted_at_load):
    from dnahlm.corpus.pack import PackConfig
    from dnahlm.corpus.pack import run as pack
    from dnahlm.model.fit import FitConfig
    from dnahlm.model.fit import run as fit

    start, tok = extended(corpus, tmp_path, layout)
    pack(PackConfig(corpus=str(corpus), tokenizer=tok, output=str(tmp_path / "blocks"), block_size=96))
    settings = {"context": 96, "longer_context": longer_context, "seed": 42}
    fit(FitConfig(model_name_or_path=start, tokenizer=tok, output=str(tmp_path / "plain"), **settings))
    arguments = ["--blocks", tmp_path / "blocks", "--model_name_or_path", start, "--longer_context", longer_context]
    made = launch(tmp_path, "pretrain.py", [*arguments, "--learning_rate", 0], parted_at_load)
    plain = read_manifest(tmp_path / "plain")
    assert made["start"]["embedding_rows"] == plain["start"]["embedding_rows"]
    assert made["start"]["context"] == 96
    english = made["start"]["english"]
    if longer_context == "copy":
        before = english["bits_per_byte_before"]
        assert english["bits_per_byte_after_among_old_tokens"] == pytest.approx(before, rel=1e-6)
    wanted, found = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("plain", "out"))
    for name in ("vocab_size", "max_position_embeddings", "eos_token_id", "pad_token_id"):
        assert getattr(found.config, name) == getattr(wanted.config, name), name
    if layout == "llama3":
        assert found.config.rope_parameters == wanted.config.rope_parameters
    for name, weight in wanted.state_dict().items():
        assert torch.equal(found.state_dict()[name], weight), name


def test_an_adapter_with_embedding_and_head_is_tuned_under_zero3_and_opens(corpus, instructions, tmp_path):
    from dnahlm.inference.load import load
    from dnahlm.model.fit import FitConfig, run
    from dnahlm.model.load import load_checkpoint

    start, tok = extended(corpus, tmp_path, "llama3")
    settings = {"context": 512, "longer_context": "interpolate"}
    run(FitConfig(model_name_or_path=start, tokenizer=tok, output=str(tmp_path / "fitted"), **settings))
    arguments = ["--model_name_or_path", tmp_path / "fitted", "--instructions", instructions, "--learning_rate", 0.01]
    launch(tmp_path, "sft.py", [*arguments, "--use_peft", "true", "--lora_modules_to_save", "embed_tokens", "lm_head"])
    before, after = load_checkpoint(str(tmp_path / "fitted")), load(tmp_path / "out").model
    for side in ("get_input_embeddings", "get_output_embeddings"):
        assert not torch.equal(getattr(before, side)().weight, getattr(after, side)().weight)

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
    if layout == "gpt2":  # tied
        shape = {"n_positions": 64, "n_embd": 32, "n_layer": 1, "n_head": 2}
        model = GPT2LMHeadModel(GPT2Config(vocab_size=len(base), bos_token_id=0, eos_token_id=0, **shape))
    else:
        shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(base), max_position_embeddings=64, **shape))
    model.save_pretrained(folder)
    base.save_pretrained(folder)


@pytest.mark.parametrize("parted_at_load", [False, True])
@pytest.mark.parametrize("layout", ["gpt2", "llama3"])
def test_zero3_on_two_processes_starts_from_the_rows_of_one_plain_process(corpus, tmp_path, layout, parted_at_load):
    from dnahlm.corpus.pack import PackConfig
    from dnahlm.corpus.pack import run as pack
    from dnahlm.model.fit import FitConfig
    from dnahlm.model.fit import run as fit
    from dnahlm.tokenizer.extend import ExtendConfig
    from dnahlm.tokenizer.extend import run as extend

    start, tok, blocks = (str(tmp_path / name) for name in ("start", "tok", "blocks"))
    write_checkpoint(start, layout)
    extend(ExtendConfig(base=start, corpus=str(corpus), output=tok, dna_tokens=100))
    pack(PackConfig(corpus=str(corpus), tokenizer=tok, output=blocks, block_size=64))
    fit(FitConfig(model_name_or_path=start, tokenizer=tok, output=str(tmp_path / "plain"), seed=42))

    settings = yaml.safe_load((ROOT / "recipes" / "accelerate" / "zero3.yaml").read_text())
    settings |= {"num_processes": 2, "use_cpu": True}
    settings["deepspeed_config"]["zero3_init_flag"] = parted_at_load
    (tmp_path / "zero3.yaml").write_text(yaml.safe_dump(settings))
    command = [
        *(sys.executable, "-m", "accelerate.commands.launch", "--config_file", tmp_path / "zero3.yaml"),
        *(ROOT / "recipes" / "pretrain.py", "--blocks", blocks, "--model_name_or_path", start),
        *("--output_dir", tmp_path / "out", "--learning_rate", 0, "--max_steps", 2, "--seed", 42),
        *("--per_device_train_batch_size", 2, "--precision", "fp32", "--save_strategy", "no"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, timeout=500)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-9000:]
    made, plain = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("out", "plain"))
    assert (made["processes"], made["zero_stage"]) == (2, 3)
    assert made["start"]["embedding_rows"] == plain["start"]["embedding_rows"]
    english = made["start"]["english"]
    assert english["bits_per_byte_after_among_old_tokens"] == pytest.approx(english["bits_per_byte_before"], rel=1e-6)
    wanted, found = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("plain", "out"))
    assert found.config.vocab_size == wanted.config.vocab_size
    for name, weight in wanted.state_dict().items():
        assert torch.equal(found.state_dict()[name], weight), name

"""Shared fixtures: a tiny real tokenizer and model, and the folder of real data when there is one."""

import os
import random
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ENGLISH = "Is this DNA sequence a promoter? Answer with promoter or non-promoter, donor, acceptor or neither. "


@pytest.fixture(scope="session", autouse=True)
def own_build_folder(tmp_path_factory):
    """DeepSpeed compiles into a folder of this run: a lock that a killed launch left elsewhere would stop every launch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path_factory.mktemp("torch_extensions")))
        yield


@pytest.fixture(scope="session")
def tiny_tokenizer():
    from dnahlm.tokenizer.bpe import train_bpe

    rng = random.Random(0)
    dna = ["".join(rng.choices("ACGT", k=200)) for _ in range(50)]
    return train_bpe([ENGLISH * 3, *dna], vocab_size=512, min_dna_run=8, max_dna_token=4)


@pytest.fixture(scope="session")
def tiny_model(tiny_tokenizer):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tiny_tokenizer),
        n_positions=256,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=tiny_tokenizer.eos_token_id,
        eos_token_id=tiny_tokenizer.eos_token_id,
        pad_token_id=tiny_tokenizer.pad_token_id,
    )
    return GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="session")
def data_root():
    root = Path(os.environ.get("DNAHLM_DATA", Path(__file__).parents[1] / "../shared/data")).resolve()
    if not (root / "manifest.json").exists():
        pytest.skip(f"no real data in {root}; set DNAHLM_DATA to a folder that holds it")
    return root


@pytest.fixture(scope="session")
def tuned_model(tiny_tokenizer):
    from tuned_folder import random_gpt2

    return random_gpt2(tiny_tokenizer)


@pytest.fixture(scope="session")
def tuned_folder(tmp_path_factory, tuned_model, tiny_tokenizer):
    """A checkpoint folder as tuning leaves it, with random weights."""
    from tuned_folder import write_tuned_folder

    return write_tuned_folder(tmp_path_factory.mktemp("sft"), tuned_model, tiny_tokenizer)


@pytest.fixture(scope="session")
def loaded(tuned_folder):
    from dnahlm.inference.load import load

    return load(tuned_folder)


@pytest.fixture(scope="session")
def world(tmp_path_factory, tiny_tokenizer, tuned_folder):
    """Raw files, corpus, tokenizer, instructions and a tuned model in one folder; copy what you damage."""
    from small_world import write_world

    return write_world(tmp_path_factory.mktemp("world"), tiny_tokenizer, tuned_folder)

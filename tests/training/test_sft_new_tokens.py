"""LoRA on a published checkpoint with an extended tokenizer, through the whole of fine-tuning."""

import pytest
import torch
from published_layouts import BASES
from transformers import GPT2Config, GPT2LMHeadModel

from dnahlm.model.adapters import AdapterArguments
from dnahlm.model.load import load_checkpoint


@pytest.fixture(scope="module")
def checkpoint(corpus, tmp_path_factory):
    from dnahlm.model.fit import FitConfig, run
    from dnahlm.tokenizer.extend import ExtendConfig
    from dnahlm.tokenizer.extend import run as extend

    root, base = tmp_path_factory.mktemp("published"), BASES["gpt2"]()
    torch.manual_seed(0)
    shape = {"n_positions": 512, "n_embd": 32, "n_layer": 1, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(base), bos_token_id=0, eos_token_id=0, **shape))
    model.save_pretrained(root / "gpt2")
    base.save_pretrained(root / "gpt2")
    extend(ExtendConfig(base=str(root / "gpt2"), corpus=str(corpus), output=str(root / "tok"), dna_tokens=60))
    run(FitConfig(model_name_or_path=str(root / "gpt2"), tokenizer=str(root / "tok"), output=str(root / "start")))
    return root / "start"


def test_only_the_rows_of_new_tokens_are_tuned_and_the_tuned_folder_answers(checkpoint, instructions, tmp_path):
    from dnahlm.inference.load import load
    from dnahlm.training.sft import SftArguments, SftDataArguments, run

    run(
        SftDataArguments(model_name_or_path=str(checkpoint), instructions=str(instructions)),
        AdapterArguments(use_peft=True, lora_r=4, train_new_tokens=True),
        SftArguments(
            output_dir=str(tmp_path / "sft"), max_steps=3, per_device_train_batch_size=4, learning_rate=0.01,
            disable_tqdm=True, precision="fp32", save_strategy="no", use_cpu=True, activation_checkpointing=False,
        ),
    )  # fmt: skip
    tuned = load(tmp_path / "sft")
    start = load_checkpoint(str(checkpoint))
    old, now = (model.get_input_embeddings().weight for model in (start, tuned.model))
    changed = (old != now).any(dim=1).nonzero().flatten()
    assert len(changed) and min(changed).item() >= 408  # the ids of the base
    assert tuned.model.get_output_embeddings().weight is now

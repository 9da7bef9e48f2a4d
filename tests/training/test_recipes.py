"""The recipes for GPUs: what their headers say of the model is what is built, here without weights."""

import re
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from dnahlm.config import load_yaml, parse
from dnahlm.model.adapters import AdapterArguments, adapted, lora_config
from dnahlm.model.create import ModelArguments, create_model
from dnahlm.tokenizer.graft import MARK
from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments

RECIPES = Path(__file__).parents[2] / "recipes"
# Shapes of what the recipes continue, as published.
PUBLISHED = {
    "openai-community/gpt2": (GPT2LMHeadModel, GPT2Config(n_embd=768, n_layer=12, n_head=12)),
    "openai-community/gpt2-medium": (GPT2LMHeadModel, GPT2Config(n_embd=1024, n_layer=24, n_head=16)),
    "TinyLlama/TinyLlama_v1.1": (
        LlamaForCausalLM,
        LlamaConfig(
            hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32,
            num_key_value_heads=4, vocab_size=32000, max_position_embeddings=2048,
        ),
    ),
}  # fmt: skip


def tokenizer_of(n_tokens, first_new=None):
    """A tokenizer with so many ids, new ones from `first_new` on; what they spell does not matter for a size."""
    names = [f"t{i}" for i in range(n_tokens)]
    if first_new is not None:
        names[first_new] = MARK
    backend = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="t0"))
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="t1", bos_token="t1", pad_token="t2")


def settings_of(path):
    classes = (PretrainDataArguments, ModelArguments, PretrainArguments, AdapterArguments)
    return parse(classes, ["--config", str(path), "--use_cpu", "true"], "recipes/pretrain.py")


def built(path):
    """The model of a pretraining recipe on the meta device."""
    data, model_args, args, adapter = settings_of(path)
    folder = path.parent
    with torch.device("meta"):
        if not model_args.model_name_or_path:
            vocab_size = load_yaml(folder / "2_tokenizer.yaml")["vocab_size"]
            context = load_yaml(folder / "3_pack.yaml")["block_size"]
            return create_model(model_args, tokenizer_of(vocab_size), context)
        extend = RECIPES / Path(data.blocks).parent.name / "2_extend.yaml"
        name = load_yaml(folder / "4_fit.yaml")["model_name_or_path"] if adapter.use_peft else None
        kind, config = PUBLISHED[name or model_args.model_name_or_path]
        base = config.vocab_size
        rows = base + load_yaml(extend)["dna_tokens"] + 2  # the mark before DNA, and a pad token of its own
        model = kind(config)
        model.resize_token_embeddings(rows, mean_resizing=False)
        if adapter.use_peft:
            tokenizer = tokenizer_of(rows, first_new=base)
            model = adapted(model, lora_config(adapter, model, tokenizer), args.activation_checkpointing)
        return model


GPU_RECIPES = sorted(path for path in RECIPES.glob("*/[0-9]_pretrain.yaml") if "tiny" not in path.parent.name)


@pytest.mark.parametrize("path", GPU_RECIPES, ids=lambda p: p.parent.name)
def test_the_model_of_a_recipe_is_as_large_as_its_header_says(path):
    model = built(path)
    said = [float(n.replace(",", "")) for n in re.findall(r"([\d,.]+) M (?:parameters|trained)", path.read_text())]
    found = [model.num_parameters() / 1e6, model.num_parameters(only_trainable=True) / 1e6]
    assert said == pytest.approx(found[: len(said)], abs=0.05)
    assert len(said) == (2 if "lora" in path.parent.name else 1)


@pytest.mark.parametrize("path", GPU_RECIPES, ids=lambda p: p.parent.name)
def test_the_blocks_of_a_recipe_fit_the_model_it_continues(path):
    data, *_ = settings_of(path)
    pack = load_yaml(RECIPES / Path(data.blocks).parent.name / "3_pack.yaml")
    assert pack["output"] == data.blocks
    assert pack["block_size"] <= built(path).config.max_position_embeddings


@pytest.mark.parametrize("path", GPU_RECIPES, ids=lambda p: p.parent.name)
def test_each_stage_of_a_recipe_reads_what_an_earlier_one_writes(path):
    written = {"data"}
    for file in sorted([*path.parent.glob("[0-9]_*.yaml"), *(RECIPES / "gpt2_small").glob("[0-9]_*.yaml")], key=str):
        recipe = load_yaml(file)
        written |= {recipe.get("output") or recipe["output_dir"]}
    for file in path.parent.glob("[0-9]_*.yaml"):
        read = {k: v for k, v in load_yaml(file).items() if isinstance(v, str) and v.startswith("runs/")}
        assert {v for k, v in read.items() if k not in ("output", "output_dir")} <= written, file

"""LoRA with rows of new tokens: only those change, saved, reopened and merged it gives the same logits."""

import itertools
import subprocess
import sys

import pytest
import torch
from peft import get_peft_model
from published_layouts import BASES
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments, is_tied, lora_config
from dnahlm.model.load import load_adapter, load_checkpoint
from dnahlm.tokenizer.extend import extend

LEARNT = ["".join(p) for k in (2, 3) for p in itertools.product("ACGT", repeat=k)]


@pytest.fixture(scope="module")
def pair():
    base = BASES["gpt2"]()
    return base, extend(base, LEARNT, 40, 8, "gpt2")


def make(kind, tied, rows):
    torch.manual_seed(0)
    if kind == "gpt2":
        shape = {"n_positions": 64, "n_embd": 16, "n_layer": 1, "n_head": 2}
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=rows, bos_token_id=0, eos_token_id=0, tie_word_embeddings=tied, **shape)
        )
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=rows, tie_word_embeddings=tied, **shape))


def trained(model, tokenizer, args):
    """The model under an adapter after a few steps on a text with DNA."""
    adapted = get_peft_model(model, lora_config(args, model, tokenizer))
    ids = torch.tensor(tokenizer(["The gene ACGTTGCAACGTACGT is read"])["input_ids"])
    optimizer = torch.optim.SGD([w for w in adapted.parameters() if w.requires_grad], lr=1.0)
    for _ in range(3):
        adapted(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return adapted.eval(), ids


def changed_rows(before, after):
    return set((before != after).any(dim=1).nonzero().flatten().tolist())


CASES = list(itertools.product(["gpt2", "llama"], [True, False], ["rows", "whole"]))


@pytest.mark.parametrize(("kind", "tied", "how"), CASES)
def test_an_adapter_with_rows_is_exact_when_saved_reopened_and_merged(pair, tmp_path, kind, tied, how):
    base, extended = pair
    model = make(kind, tied, len(extended))
    model.save_pretrained(tmp_path / "base")
    start = load_checkpoint(str(tmp_path / "base"))
    embedding = "wte" if kind == "gpt2" else "embed_tokens"
    rows = {"train_new_tokens": True} if how == "rows" else {"lora_modules_to_save": [embedding, "lm_head"]}
    model = load_checkpoint(str(tmp_path / "base"))
    adapted, ids = trained(model, extended, AdapterArguments(use_peft=True, lora_dropout=0.0, lora_r=4, **rows))
    with torch.no_grad():
        wanted = adapted(input_ids=ids).logits
    adapted.save_pretrained(tmp_path / "adapter")
    merged = load_adapter(tmp_path / "adapter").eval()
    with torch.no_grad():
        assert torch.allclose(merged(input_ids=ids).logits, wanted, atol=1e-5)
    merged.save_pretrained(tmp_path / "merged")
    reopened = load_checkpoint(str(tmp_path / "merged")).eval()
    with torch.no_grad():
        assert torch.allclose(reopened(input_ids=ids).logits, wanted, atol=1e-5)
        assert not torch.allclose(start(input_ids=ids).logits, wanted, atol=1e-2)
    assert is_tied(reopened) == tied == reopened.config.tie_word_embeddings
    for side in ("get_input_embeddings", "get_output_embeddings"):
        old, now = (getattr(m, side)().weight for m in (start, reopened))
        changed = changed_rows(old, now)
        assert changed, "the rows were trained"
        if how == "rows":
            assert min(changed) >= len(base)


def test_an_adapter_opens_in_a_new_process_with_the_same_logits(pair, tmp_path):
    _, extended = pair
    make("gpt2", True, len(extended)).save_pretrained(tmp_path / "base")
    model = load_checkpoint(str(tmp_path / "base"))
    adapted, ids = trained(model, extended, AdapterArguments(use_peft=True, lora_dropout=0.0, train_new_tokens=True))
    adapted.save_pretrained(tmp_path / "adapter")
    save_file({"ids": ids, "logits": adapted(input_ids=ids).logits.detach()}, tmp_path / "wanted.safetensors")
    code = (
        "import sys; from pathlib import Path; from safetensors.torch import load_file;"
        "from dnahlm.model.load import load_adapter; root = Path(sys.argv[1]);"
        "wanted = load_file(root / 'wanted.safetensors'); model = load_adapter(root / 'adapter').eval();"
        "print((model(input_ids=wanted['ids']).logits - wanted['logits']).abs().max().item() < 1e-5)"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "True"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"use_peft": False, "train_new_tokens": True}, "set use_peft too"),
        ({"lora_modules_to_save": ["embed_token"]}, "no module 'embed_token'.*Its rows are in wte"),
        ({"train_new_tokens": True, "lora_modules_to_save": ["wte"]}, "not both"),
        ({"lora_r": 0}, "lora_r 0, .*must be at least 1"),
        ({"lora_dropout": 1.0}, "lora_dropout 1: .*from 0 to below 1"),
    ],
)
def test_settings_that_would_do_nothing_or_clash_are_refused(pair, settings, said):
    model = make("gpt2", True, 50)
    with pytest.raises(InputError, match=said):
        lora_config(AdapterArguments(**{"use_peft": True, **settings}), model, pair[1])


def test_new_tokens_need_a_tokenizer_that_has_some(pair):
    with pytest.raises(InputError, match="not one that `dnahlm tokenizer extend` wrote"):
        lora_config(AdapterArguments(use_peft=True, train_new_tokens=True), make("gpt2", True, 50), pair[0])

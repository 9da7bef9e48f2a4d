"""Operations per token: of an ordinary model, and of one that only an adapter of is trained."""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from dnahlm.model.adapters import AdapterArguments, adapted, lora_config
from dnahlm.training import throughput
from dnahlm.training.throughput import flops_per_token

CONTEXT, LAYERS, WIDTH = 32, 2, 64


def llama():
    torch.manual_seed(0)
    shape = {"hidden_size": WIDTH, "intermediate_size": 128, "num_hidden_layers": LAYERS, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=100, **shape))


def multiplied(model):
    head = model.get_output_embeddings().weight.numel()
    return head + sum(w.numel() for name, w in model.model.layers.named_parameters() if w.ndim == 2)


def test_a_token_costs_six_operations_per_weight_that_multiplies_it_and_attention():
    model = llama()
    attention = 12 * LAYERS * WIDTH * CONTEXT
    assert flops_per_token(model, CONTEXT) == 6 * multiplied(model) + attention


def test_a_frozen_weight_costs_four_operations_and_an_unused_copy_none(tiny_tokenizer):
    model = llama()
    frozen = multiplied(model) - model.get_output_embeddings().weight.numel()
    attention = 12 * LAYERS * WIDTH * CONTEXT
    args = AdapterArguments(use_peft=True, lora_r=2, lora_modules_to_save=["lm_head"])
    model = adapted(model, lora_config(args, model, tiny_tokenizer), recompute=False)
    trained = sum(w.numel() for w in model.parameters() if w.requires_grad)  # adapter and head
    assert flops_per_token(model, CONTEXT) == 4 * frozen + 6 * trained + attention


def test_the_ceiling_of_a_machine_too_slow_for_large_matrices_is_measured_on_smaller_ones(monkeypatch):
    asked = []

    def emulated(side, device, dtype):
        asked.append(side)
        return 0.01 * (side / throughput.PROBE) ** 3  # as slow as bf16 on a CPU without it: 5 s for the largest

    monkeypatch.setattr(throughput, "fastest_product", emulated)
    ceiling = throughput.matrix_ceiling(torch.device("cpu"), torch.bfloat16)
    assert asked == [256, 1024]
    assert ceiling == 2 * throughput.PROBE**3 / 0.01

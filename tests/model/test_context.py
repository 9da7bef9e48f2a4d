import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from dnahlm.io import InputError
from dnahlm.model.context import lengthen

SMALL = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def gpt2():
    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(n_positions=8, bos_token_id=0, eos_token_id=0, **SMALL, attn_implementation="eager")
    ).eval()


def llama(**settings):
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(max_position_embeddings=8, intermediate_size=32, num_key_value_heads=2, **SMALL, **settings)
    ).eval()


def logits(model, length):
    with torch.no_grad():
        return model(input_ids=torch.arange(length)[None] % 50).logits[0]


def test_copied_positions_start_over_and_change_nothing_for_texts_that_fitted(tmp_path):
    model = gpt2()
    longer = lengthen(model, 20, "copy")
    assert torch.equal(logits(longer, 8), logits(model, 8))
    table = longer.transformer.wpe.weight
    assert table.shape == (20, 16)
    assert torch.equal(table[8:16], table[:8]) and torch.equal(table[16:], table[:4])
    longer.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert loaded.config.n_positions == 20
    assert torch.allclose(logits(loaded, 20), logits(longer, 20), atol=1e-5)
    assert loaded.lm_head.weight is loaded.transformer.wte.weight


def test_interpolated_positions_stretch_the_table_end_to_end():
    model = gpt2()
    old, table = model.transformer.wpe.weight, lengthen(model, 15, "interpolate").transformer.wpe.weight
    assert torch.allclose(table[::2], old, atol=1e-6)
    assert torch.allclose(table[1::2], (old[1:] + old[:-1]) / 2, atol=1e-6)


def test_rotary_positions_are_divided_by_the_factor(tmp_path):
    model = llama()
    longer = lengthen(model, 32, "interpolate")
    assert longer.config.max_position_embeddings == 32
    assert longer.config.rope_parameters["rope_type"] == "linear" and longer.config.rope_parameters["factor"] == 4
    positions = torch.arange(8)[None]
    with torch.no_grad():
        far = longer(input_ids=positions, position_ids=positions * 4).logits
        near = model(input_ids=positions, position_ids=positions).logits
    assert torch.allclose(far, near, atol=1e-5)
    longer.save_pretrained(tmp_path)
    assert torch.allclose(logits(AutoModelForCausalLM.from_pretrained(tmp_path).eval(), 32), logits(longer, 32))


@pytest.mark.parametrize(
    ("make", "way", "said"),
    [
        (gpt2, "interpolated", "Did you mean 'interpolate'"),
        (llama, "copy", "no table to copy. Use interpolate"),
        (lambda: lengthen(llama(), 16, "interpolate"), "interpolate", "rotary positions of type linear"),
        (
            lambda: OPTForCausalLM(OPTConfig(max_position_embeddings=8, ffn_dim=16, word_embed_proj_dim=16, **SMALL)),
            "copy",
            "positions of another kind",
        ),
    ],
)
def test_a_way_that_the_positions_do_not_allow_is_refused(make, way, said):
    with pytest.raises(InputError, match=said):
        lengthen(make(), 64, way)

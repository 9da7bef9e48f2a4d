import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Lfm2Config,
    Lfm2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.loss.loss_utils import ForCausalLMLoss

from dnahlm.model.isolation import packing_leak
from dnahlm.training import lean
from dnahlm.training.lean import few_pass_norms, last_mlp_where_asked, lighten, sliced_loss

CPU = torch.device("cpu")
SMALL = {"vocab_size": 64, "bos_token_id": 0, "eos_token_id": 0, "use_cache": False}


def gpt2():
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_positions=32, n_embd=32, n_layer=2, n_head=2, **SMALL))
    model.loss_type = "ForCausalLM"
    return model.eval()


def llama():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(LlamaConfig(**shape, **SMALL)).eval()


def lfm2():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "block_auto_adjust_ff_dim": False, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "full_attn_idxs": [1]}
    return Lfm2ForCausalLM(Lfm2Config(**shape, **heads, **SMALL)).eval()


def bloom():
    from transformers import BloomConfig, BloomForCausalLM

    torch.manual_seed(0)
    return BloomForCausalLM(BloomConfig(hidden_size=32, n_layer=2, n_head=2, **SMALL)).eval()


def batch():
    ids = torch.randint(0, 64, (3, 32), generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids, "labels": ids.masked_fill(ids % 7 == 0, -100)}


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 9),
    places=st.integers(2, 40),
    entries=st.integers(2, 50),
    items=st.sampled_from([None, 17, torch.tensor(5)]),
    ready=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_loss_in_slices_and_its_gradient_are_upstreams(rows, places, entries, items, ready, seed):
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, entries, (rows, places), generator=draw)
    labels[:, 1:][torch.rand(rows, places - 1, generator=draw) < 0.3] = -100
    labels[0, 1] = 0  # without any target upstream's mean is no number
    given = {"vocab_size": entries, "num_items_in_batch": items, "shift_labels": labels if ready else None}
    values = torch.randn(rows, places, entries, generator=draw)
    found = []
    for loss_function in (ForCausalLMLoss, sliced_loss):
        logits = values.clone().requires_grad_()
        loss = loss_function(logits, labels, **given)
        loss.backward()
        found.append((loss.detach(), logits.grad))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-5, atol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-5, atol=1e-7)


@pytest.fixture
def small_slices(monkeypatch):
    """So that a batch of the tests is more than one slice."""
    monkeypatch.setattr(lean, "SLICE", 1)
    monkeypatch.setattr(lean, "FEWEST_ROWS", 7)


@pytest.mark.parametrize("make", [gpt2, llama])
def test_a_lightened_model_has_the_loss_the_gradients_and_the_logits_it_had(make, small_slices):
    plain, light = make(), make()
    lighten(light, CPU)
    for model in (plain, light):
        model(**batch())["loss"].backward()
    assert torch.allclose(plain(**batch())["loss"], light(**batch())["loss"], atol=1e-6)
    for one, other in zip(plain.parameters(), light.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6)
    ids = batch()["input_ids"]
    assert torch.allclose(plain(input_ids=ids).logits, light(input_ids=ids).logits, atol=1e-5)


def test_asked_for_a_loss_it_returns_no_logits():
    model = gpt2()
    lighten(model, CPU)
    assert set(model(**batch())) == {"loss"}


def test_the_adapter_of_a_lightened_model_is_trained_on_the_same_loss(small_slices):
    from peft import LoraConfig, get_peft_model

    plain, light = (get_peft_model(gpt2(), LoraConfig(target_modules=["c_attn"], fan_in_fan_out=True)) for _ in "ab")
    lighten(light, CPU)
    assert torch.allclose(plain(**batch())["loss"], light(**batch())["loss"], atol=1e-6)


def test_documents_stay_apart_in_a_lightened_model():
    model = gpt2()
    lighten(model, CPU)
    assert packing_leak(model) < 1e-5


def test_a_lightened_model_is_saved_as_any_other(tmp_path):
    model = gpt2()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    lighten(model, CPU)
    model.save_pretrained(tmp_path)
    loaded = GPT2LMHeadModel.from_pretrained(tmp_path)
    assert loaded.config.activation_function == "gelu_new"
    assert all(torch.equal(before[name], value) for name, value in loaded.state_dict().items())


@pytest.mark.parametrize("make", [gpt2, llama, lfm2, bloom])
def test_a_last_mlp_at_the_asked_places_alone_gives_the_same_logits_and_gradients(make):
    columns, found = torch.tensor([3, 29, 30]), []
    for change in (None, last_mlp_where_asked):
        model = make()
        if change:
            change(model)
        logits = model(batch()["input_ids"], logits_to_keep=columns).logits
        logits.square().mean().backward()
        found.append((logits.detach(), {name: weight.grad for name, weight in model.named_parameters()}))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-5, atol=1e-6)
    assert found[0][1].keys() == found[1][1].keys()
    assert all(torch.allclose(found[0][1][name], found[1][1][name], rtol=1e-4, atol=1e-7) for name in found[0][1])


@pytest.mark.parametrize("make", [gpt2, llama, lfm2])
def test_a_model_asked_for_all_logits_after_some_computes_all(make):
    plain, changed = make(), make()
    last_mlp_where_asked(changed)
    changed(batch()["input_ids"], logits_to_keep=torch.tensor([1]))
    assert torch.equal(changed(batch()["input_ids"]).logits, plain(batch()["input_ids"]).logits)


def test_a_last_mlp_at_the_asked_places_sees_no_other_place():
    model = gpt2()
    last_mlp_where_asked(model)
    seen = []
    model.transformer.h[-1].mlp.c_fc.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape))
    model(batch()["input_ids"], logits_to_keep=torch.tensor([3, 29, 30]))
    assert seen == [(3, 3, 32)]


@pytest.mark.parametrize("make", [llama, lfm2])
def test_norms_in_few_passes_give_the_same_loss_and_gradients(make):
    found = []
    for change in (None, few_pass_norms):
        model = make()
        if change:
            change(model)
        loss = model(**batch()).loss
        loss.backward()
        found.append((loss.detach(), {name: weight.grad for name, weight in model.named_parameters()}))
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-6)
    assert found[0][1].keys() == found[1][1].keys()
    assert all(torch.allclose(found[0][1][name], found[1][1][name], rtol=1e-4, atol=1e-7) for name in found[0][1])


def test_norms_under_autocast_differ_from_upstreams_by_a_rounding_of_bfloat16():
    plain, changed = llama(), llama()
    few_pass_norms(changed)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(changed(**batch()).logits, plain(**batch()).logits, rtol=2**-7, atol=2**-8)


def test_a_model_with_norms_in_few_passes_is_saved_as_any(tmp_path):
    model = llama()
    few_pass_norms(model)
    model.save_pretrained(tmp_path)
    again = LlamaForCausalLM.from_pretrained(tmp_path)
    assert torch.allclose(again(**batch()).logits, model(**batch()).logits, atol=1e-6)

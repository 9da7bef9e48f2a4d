import copy
import json
import shutil

import pytest
import torch
from torch.optim import _muon

from dnahlm.model.create import ModelArguments
from dnahlm.training.muon import MuonWithAdamW, orthogonal_in_fp32, split_parameters
from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments, run

PYTORCHS = _muon._zeropower_via_newtonschulz


def stepped(model, optimizer, n):
    """n steps on the same small batch; returns the weights."""
    ids = torch.randint(3, 500, (8, 64), generator=torch.Generator().manual_seed(0))
    for _ in range(n):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return [p.detach().clone() for p in model.parameters()]


def fresh(tiny_model):
    model = copy.deepcopy(tiny_model)
    return model, MuonWithAdamW(*split_parameters(model), lr=1e-2, weight_decay=0.1)


def test_embeddings_the_head_norms_and_biases_are_left_to_adamw(tiny_model):
    matrices, others = split_parameters(tiny_model)
    names = {id(p): name for name, p in tiny_model.named_parameters()}
    assert {names[id(p)].split(".")[-2] for p in matrices} == {"c_attn", "c_proj", "c_fc"}
    assert {"transformer.wte.weight", "transformer.wpe.weight"} <= {names[id(p)] for p in others}
    assert len(matrices) + len(others) == len(list(tiny_model.parameters()))


@pytest.mark.parametrize("shape", [(16, 48), (48, 16)])
def test_in_float32_a_step_has_the_direction_of_pytorchs_own(shape):
    grad = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    settings = (_muon.DEFAULT_A, _muon.DEFAULT_B, _muon.DEFAULT_C), _muon.DEFAULT_NS_STEPS, _muon.EPS
    ours, theirs = orthogonal_in_fp32(grad, *settings), PYTORCHS(grad, *settings).float()
    assert (ours - theirs).norm() / theirs.norm() < 0.02


def test_a_matrix_moves_in_more_directions_than_under_adamw(tiny_model):
    def evenness(optimizer_of):
        """Strength of the median direction of the first update, as a share of the strongest."""
        model = copy.deepcopy(tiny_model)
        weight = model.transformer.h[0].mlp.c_fc.weight
        before = weight.detach().clone()
        stepped(model, optimizer_of(model), 1)
        strengths = torch.linalg.svdvals(weight.detach() - before)
        return (strengths.median() / strengths.max()).item()

    muon = evenness(lambda model: MuonWithAdamW(*split_parameters(model), lr=1e-2))
    adamw = evenness(lambda model: torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0))
    assert muon > 0.6 > 0.5 > adamw


def test_a_schedule_reaches_both_parts(tiny_model):
    _, optimizer = fresh(tiny_model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    assert [group["lr"] for part in optimizer.parts for group in part.param_groups] == [5e-3, 5e-3]
    assert schedule.get_last_lr() == [5e-3, 5e-3]


def test_a_saved_state_goes_on_exactly(tiny_model):
    model, optimizer = fresh(tiny_model)
    stepped(model, optimizer, 2)
    other = copy.deepcopy(model)
    restored = MuonWithAdamW(*split_parameters(other), lr=1.0)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for a, b in zip(stepped(model, optimizer, 2), stepped(other, restored, 2), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_training_run_with_muon_resumes_to_the_same_weights(blocks, tmp_path, monkeypatch):
    from safetensors.torch import load_file
    from transformers import Trainer

    def train(output, **more):
        args = PretrainArguments(
            output_dir=str(tmp_path / output), muon=True, max_steps=6, per_device_train_batch_size=4, precision="fp32",
            learning_rate=1e-3, save_steps=3, disable_tqdm=True, use_cpu=True, **more,
        )  # fmt: skip
        model = ModelArguments(hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
        run(PretrainDataArguments(blocks=str(blocks)), model, args)
        return load_file(tmp_path / output / "model.safetensors")

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    whole = train("whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "evaluate", stop)  # after the last step
        train("half")
    shutil.rmtree(tmp_path / "half.part" / "checkpoint-6")
    half = train("half", resume_from_checkpoint="true")
    for name, weights in whole.items():
        torch.testing.assert_close(weights, half[name], rtol=0, atol=0)
    manifest = json.loads((tmp_path / "half" / "manifest.json").read_text())
    assert manifest["config"]["training"]["muon"] is True

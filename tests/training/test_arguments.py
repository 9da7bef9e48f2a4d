"""What a training stage checks of the machine and the launch before it starts."""

import os

import pytest
import torch

from dnahlm.io import InputError
from dnahlm.training.arguments import require_devices, resolve_precision
from dnahlm.training.build_locks import tell_of_build_locks
from dnahlm.training.pretrain import PretrainArguments
from dnahlm.training.sft import SftArguments


def test_more_processes_than_gpus_are_refused_with_the_number_that_fits(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    with pytest.raises(InputError, match="starts 8 processes on this machine, which has 2 GPUs"):
        require_devices(use_cpu=False)


@pytest.mark.parametrize(("started", "gpus", "use_cpu"), [("2", 2, False), ("8", 0, False), ("8", 2, True)])
def test_as_many_processes_as_gpus_and_any_number_on_a_cpu_may_start(started, gpus, use_cpu, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", started)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: gpus)
    require_devices(use_cpu)


def test_bf16_on_a_machine_that_emulates_it_is_said_and_auto_takes_fp32_there(monkeypatch, capsys):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    assert resolve_precision("auto", use_cpu=True) is False and capsys.readouterr().out == ""
    assert resolve_precision("bf16", use_cpu=True) is True
    assert "emulated on this machine" in capsys.readouterr().out


def test_a_run_on_the_cpu_of_a_machine_with_a_gpu_takes_the_precision_of_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert resolve_precision("auto", use_cpu=True) is False
    assert resolve_precision("auto", use_cpu=False) is True


@pytest.mark.parametrize("stage", [PretrainArguments, SftArguments])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eval_steps", -5), ("save_steps", 0), ("logging_steps", -2), ("gradient_accumulation_steps", 0),
        ("per_device_train_batch_size", 0), ("learning_rate", float("nan")), ("learning_rate", -1.0),
        ("weight_decay", float("inf")), ("adam_beta2", 1.5), ("max_steps", 0), ("num_train_epochs", 0), ("seed", -1),
        ("save_total_limit", 0), ("max_grad_norm", -1.0), ("warmup_steps", float("nan")),
    ],
)  # fmt: skip
def test_a_number_no_training_can_be_done_with_is_refused_by_name(stage, name, value, tmp_path):
    with pytest.raises(InputError, match=rf"{name}: found .*; allowed: "):
        stage(output_dir=str(tmp_path), use_cpu=True, **{name: value})


def test_a_share_of_the_steps_minus_one_and_a_rate_of_zero_are_fine(tmp_path):
    args = PretrainArguments(output_dir=str(tmp_path), use_cpu=True, eval_steps=0.1, max_steps=-1, learning_rate=0)
    assert (args.eval_steps, args.max_steps, args.learning_rate) == (0.1, -1, 0)


@pytest.mark.parametrize("stage", [PretrainArguments, SftArguments])
def test_a_tracker_that_is_unknown_or_not_installed_is_refused(stage, tmp_path):
    with pytest.raises(InputError, match=r"report_to: found 'tensorbord'\. Did you mean 'tensorboard'"):
        stage(output_dir=str(tmp_path), use_cpu=True, report_to="tensorbord")
    with pytest.raises(InputError, match=r"the library of neptune is not installed\. `pip install neptune`"):
        stage(output_dir=str(tmp_path), use_cpu=True, report_to=["none", "neptune"])


def test_the_best_checkpoint_of_pretraining_needs_a_named_figure_and_fewer_bits_are_better(tmp_path):
    common = {"output_dir": str(tmp_path), "use_cpu": True, "load_best_model_at_end": True, "save_strategy": "steps"}
    with pytest.raises(InputError, match=r"Give metric_for_best_model, bits_per_base or bits_per_byte"):
        PretrainArguments(**common, eval_strategy="steps")
    args = PretrainArguments(**common, eval_strategy="steps", metric_for_best_model="bits_per_base")
    assert args.greater_is_better is False


def test_an_old_lock_of_a_killed_build_which_deepspeed_would_wait_for_is_told(tmp_path, monkeypatch, capsys):
    lock = tmp_path / "ext" / "py311_cpu" / "deepspeed_shm_comm" / "lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "ext"))
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    tell_of_build_locks()
    assert capsys.readouterr().out == "", "a launch that compiles just now"
    os.utime(lock, (1, 1))
    tell_of_build_locks()
    assert f"note: {lock} is" in capsys.readouterr().out

"""What a training stage checks of the machine and the launch before it starts."""

import pytest
import torch

from dnahlm.io import InputError
from dnahlm.training.arguments import require_devices


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

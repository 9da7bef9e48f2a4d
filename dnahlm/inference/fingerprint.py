"""What the answers of a run depend on, in a form that two runs can compare."""

import hashlib
from typing import Any

import torch

from dnahlm.inference.calibrate import calibration_of
from dnahlm.inference.load import Loaded
from dnahlm.manifest import sha256
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tokenizer.load import fingerprint

SAMPLES = 4096  # numbers of each tensor that are looked at one by one


def origin_of(loaded: Loaded, spec: TaskSpec, input: str, options: dict[str, Any]) -> dict[str, Any]:
    """Everything the rows of a prediction depend on: name -> hash or value."""
    calibration = calibration_of(loaded, spec)
    return {
        "model": weights_hash(loaded),
        "tokenizer": fingerprint(loaded.tokenizer),
        "task": sha256(spec.path),
        "calibration": [calibration.temperature, *calibration.bias],
        "input": sha256(input),
        "set of options": options,
    }


def weights_hash(loaded: Loaded) -> str:
    """Tells any two checkpoints apart, in a second also for a large one: names, shapes, sums and samples of tensors."""
    digest = hashlib.sha256()
    with torch.no_grad():
        for name, tensor in loaded.model.state_dict().items():
            flat = tensor.detach().flatten()
            some = flat[:: max(1, len(flat) // SAMPLES)].float().cpu()
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype} {flat.double().sum().item():.6e}".encode())
            digest.update(some.numpy().tobytes())
    return digest.hexdigest()

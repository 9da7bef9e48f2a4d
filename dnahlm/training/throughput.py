"""How fast a training run is, against what this machine can multiply: tokens per second, share of the ceiling, memory.

The floating point operations of one token, forward and backward, are 6 per weight that multiplies it and 12 x layers x
width x context for attention (Chowdhery et al. 2022, PaLM, appendix B). The ceiling is measured, not read from a data
sheet: the fastest of a few large matrix products in the precision of the run, on the same device and threads.
"""

import math
import resource
import sys
import time

import torch
from torch import nn
from transformers import PreTrainedModel

SIDE = {"cpu": 2048, "cuda": 8192}  # of the square matrices; large enough to fill either kind of device
PROBE = 256  # side of a product that is quick even where the precision is emulated
LONGEST = 1.0  # seconds of one product; a machine too slow for `SIDE` gets smaller matrices
TRIALS = 5
WARM_UP_SECONDS = 0.3


def flops_per_token(model: PreTrainedModel, context: int) -> float:
    """Operations to train on one token: forward and backward, recomputation not counted.

    A weight that an adapter leaves frozen costs 4 instead of 6: nothing is summed up for its own change.

    Args:
        model: its linear layers count, the head too; embedding rows are looked up, not multiplied.
        context: T, tokens per row; attention over the whole row counts, whatever a mask hides of it.
    """
    embeddings = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    # What peft trains a copy of stays behind unused, as `original_module`.
    used = {id(p): p for name, p in model.named_parameters() if ".original_module." not in name}
    head = model.get_output_embeddings()
    matrices = [p for key, p in used.items() if len(whole_shape(p)) >= 2 and key not in embeddings]
    if head is not None and id(head.weight) in embeddings:  # tied: looked up at one end, multiplied at the other
        matrices.append(head.weight)
    operations = sum((6.0 if p.requires_grad else 4.0) * math.prod(whole_shape(p)) for p in matrices)
    return operations + 12.0 * attention_layers(model) * model.config.hidden_size * context


def whole_shape(weight: nn.Parameter) -> torch.Size:
    """The shape of a weight that ZeRO-3 has parted, or that four bits hold packed."""
    packed = getattr(weight, "quant_state", None)
    return packed.shape if packed is not None else getattr(weight, "ds_shape", weight.shape)


def attention_layers(model: PreTrainedModel) -> int:
    """Layers with attention: all of them, or those a hybrid's config names so."""
    kinds = getattr(model.config, "layer_types", None)
    return sum("attention" in kind for kind in kinds) if kinds else model.config.num_hidden_layers


def matrix_ceiling(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large matrix product, the fastest of `TRIALS`; takes seconds at most."""
    side = SIDE.get(device.type, SIDE["cpu"])
    probe = fastest_product(PROBE, device, dtype)
    while side > PROBE and probe * (side / PROBE) ** 3 > LONGEST:
        side //= 2
    return 2.0 * side**3 / fastest_product(side, device, dtype)


def fastest_product(side: int, device: torch.device, dtype: torch.dtype) -> float:
    """Seconds of a product of two square matrices, the fastest of at least `TRIALS`."""
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    fastest, started = float("inf"), time.perf_counter()
    trials = 0
    while trials < TRIALS or time.perf_counter() - started < WARM_UP_SECONDS:
        before = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        fastest = min(fastest, time.perf_counter() - before)
        trials += 1
    return fastest


def peak_memory_mb(device: torch.device) -> float:
    """Most memory this process has held: of the GPU, or of the machine where there is none. Megabytes (10^6)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

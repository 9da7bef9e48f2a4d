"""Whole weights under ZeRO-3, which parts each of them among the processes."""

import contextlib
from collections.abc import Iterable, Iterator

import torch


@contextlib.contextmanager
def whole(weights: Iterable[torch.nn.Parameter]) -> Iterator[None]:
    """Inside, every process sees the weights whole; what process 0 writes into them is kept by all.

    Under ZeRO-3 weights are parted as soon as a checkpoint is opened, before there is an engine that would gather them
    for each layer. Nothing happens to weights that are not parted.
    """
    parted = [weight for weight in weights if hasattr(weight, "ds_id")]
    if not parted:
        yield
        return
    import deepspeed

    with deepspeed.zero.GatheredParameters(parted, modifier_rank=0):
        yield

"""Do packed documents see each other? Measured on the model itself, whatever its architecture."""

import contextlib

import torch
from transformers import PreTrainedModel

TOLERANCE = 1e-3  # of a logit; the two ways of computing differ by less than 1e-5 in float32


@torch.no_grad()
def packing_leak(model: PreTrainedModel, n_tokens: int = 16) -> float:
    """Largest change of a logit of a document when another one stands before it in the same packed block.

    0 up to rounding where attention follows `position_ids`. Architectures with convolutions or a recurrent state carry
    the last tokens of one document into the first ones of the next.

    Args:
        model: float32, on any device; ids 0 .. 2 n_tokens - 1 must be in its vocabulary.
        n_tokens: length of each of the two documents.
    """
    was_training = model.training
    model.eval()
    with whole_parameters(model):
        leak = _leak(model, n_tokens)
    model.train(was_training)
    return leak


def whole_parameters(model: PreTrainedModel) -> contextlib.AbstractContextManager:
    """Inside, every parameter is whole on every process, also where ZeRO-3 parted them when the model was made."""
    parted = [p for p in model.parameters() if hasattr(p, "ds_id")]
    if not parted:
        return contextlib.nullcontext()
    from deepspeed.runtime.zero.partition_parameters import GatheredParameters

    return GatheredParameters(parted)


def _leak(model: PreTrainedModel, n_tokens: int) -> float:
    second = torch.arange(n_tokens, 2 * n_tokens, device=model.device)[None]
    positions = torch.arange(n_tokens, device=model.device)[None]
    packed = torch.cat([second - n_tokens, second], dim=1)
    both = model(input_ids=packed, position_ids=torch.cat([positions, positions], dim=1), use_cache=False).logits
    alone = model(input_ids=second, position_ids=positions, use_cache=False).logits
    return (both[:, n_tokens:] - alone).abs().max().item()

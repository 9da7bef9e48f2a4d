"""Do packed documents see each other? Measured on the model itself, whatever its architecture."""

import torch
from transformers import PreTrainedModel

from dnahlm.model.partition import whole

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
    second = torch.arange(n_tokens, 2 * n_tokens, device=model.device)[None]
    positions = torch.arange(n_tokens, device=model.device)[None]
    packed = torch.cat([second - n_tokens, second], dim=1)
    with whole(model.parameters()):
        both = model(input_ids=packed, position_ids=torch.cat([positions, positions], dim=1), use_cache=False).logits
        alone = model(input_ids=second, position_ids=positions, use_cache=False).logits
    model.train(was_training)
    return (both[:, n_tokens:] - alone).abs().max().item()

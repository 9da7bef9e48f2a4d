"""A longer context for a pretrained checkpoint, without training."""

import copy

import torch
from torch.nn.functional import interpolate
from transformers import AutoModelForCausalLM, PreTrainedModel

from dnahlm.config import did_you_mean
from dnahlm.io import InputError
from dnahlm.model.create import context_of, name_loss
from dnahlm.model.partition import whole

LONGER_CONTEXTS = ("copy", "interpolate")


@torch.no_grad()
def lengthen(model: PreTrainedModel, context: int, longer_context: str) -> PreTrainedModel:
    """The model with room for `context` tokens; what it says to texts that fitted before changes only by `interpolate`.

    A learnt table of positions (GPT-2's `wpe`) gets more rows: `copy` starts over at the first row behind the last one,
    `interpolate` stretches the table linearly. Rotary positions have no rows to copy; `interpolate` divides them by the
    factor of lengthening (transformers' rope type `linear`; Chen et al. 2023, arXiv 2306.15595).

    Args:
        model: any causal model; it is not changed.
        context: T_new tokens, more than the model sees now.
        longer_context: `copy` or `interpolate`.

    Raises:
        InputError: an unknown way, or one the model's positions do not allow.
    """
    if longer_context not in LONGER_CONTEXTS:
        raise InputError(f"longer_context: found {longer_context!r}. {did_you_mean(longer_context, LONGER_CONTEXTS)}")
    length = context_of(model)
    config = copy.deepcopy(model.config)
    config.max_position_embeddings = context
    with whole(model.parameters()):
        state = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
    tables = tables_of_positions(model, length)
    if not tables:
        config.rope_parameters = stretched(config, context / length, longer_context)
    for name in tables:
        table = state[name]  # (T, D)
        if longer_context == "copy":
            state[name] = table[torch.arange(context) % length]
        else:
            state[name] = interpolate(table.T[None], size=context, mode="linear", align_corners=True)[0].T
    longer = AutoModelForCausalLM.from_config(
        config, dtype=model.dtype, attn_implementation=model.config._attn_implementation
    )
    with whole(longer.parameters()):
        longer.load_state_dict(state)
    longer.generation_config = model.generation_config
    longer.name_or_path = model.name_or_path
    name_loss(longer)
    return longer.train(model.training)


def tables_of_positions(model: PreTrainedModel, length: int) -> list[str]:
    """Names of the weights (T, D) with one row per position."""
    tokens = model.get_input_embeddings()
    return [
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding) and module is not tokens and module.num_embeddings == length
    ]


def stretched(config: object, factor: float, longer_context: str) -> dict[str, object]:
    """Rope parameters for a context `factor` times as long.

    Raises:
        InputError: no rotary positions, some that are stretched already, or `copy`.
    """
    rope = getattr(config, "rope_parameters", None)
    if not rope or rope.get("rope_type") != "default":
        found = f"rotary positions of type {rope.get('rope_type')}" if rope else "positions of another kind"
        raise InputError(
            f"longer_context: a {config.model_type} model has {found} and cannot be lengthened here. Pack blocks "
            "that fit its context."
        )
    if longer_context == "copy":
        raise InputError(
            f"longer_context: a {config.model_type} model has rotary positions, no table to copy. Use interpolate."
        )
    return {**rope, "rope_type": "linear", "factor": factor}

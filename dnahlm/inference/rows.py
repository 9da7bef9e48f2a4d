"""Forward passes for models whose layers the mask of `branches.py` cannot steer: each option in a row of its own.

`continued_scores` computes a prompt once and goes on from its cache, for models with convolutions (LFM2): no column in
front of a token is padding, so that a convolution sees what it would see alone. `plain_scores` needs nothing of a model
but that it is causal; it computes every prompt once per option.
"""

import numpy as np
import torch
from transformers import Cache, DynamicCache, PreTrainedModel

from dnahlm.inference.batches import Ids
from dnahlm.inference.branches import repeated, sums


def continued_scores(
    model: PreTrainedModel, prompts: list[Ids], options: list[list[Ids]], eos: int, shared: Cache | None = None
) -> np.ndarray:
    """(B, K) log-probabilities of options + EOS for prompts of one length.

    Args:
        model: its cache takes several tokens at once.
        prompts: B lists of the tokens after the shared beginning, all of one length.
        options: B lists of the tokens of K options.
        eos: the id that ends an answer.
        shared: the cache of the shared beginning, of batch size 1; it is not changed.
    """
    cache = repeated(shared, len(prompts), model.device) if shared else DynamicCache(config=model.config)
    ids = torch.tensor(prompts, device=model.device)
    after_prompt = model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
    flat = [option for row in options for option in row]
    longest = max(map(len, flat))
    # Right padding: what comes after an option's last token changes nothing before it.
    padded = torch.tensor([[*option, *[eos] * (longest - len(option))] for option in flat], device=model.device)
    n_options = len(options[0])
    cache.reorder_cache(torch.arange(len(prompts), device=model.device).repeat_interleave(n_options))
    after_options = model(padded, past_key_values=cache, use_cache=True).logits
    logits = torch.cat([after_prompt.repeat_interleave(n_options, dim=0), after_options], dim=1)
    return option_sums(logits, flat, [0] * len(flat), eos).reshape(len(prompts), n_options)


def plain_scores(model: PreTrainedModel, prompts: list[Ids], options: list[list[Ids]], eos: int) -> np.ndarray:
    """(B, K) log-probabilities from one right-padded row per (prompt, option): slower, for any causal model."""
    result = np.empty((len(prompts), len(options[0])))
    first = min(map(len, prompts)) - 1
    for k in range(len(options[0])):
        rows = [[*prompt, *row[k]] for prompt, row in zip(prompts, options, strict=True)]
        ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for b, row in enumerate(rows):
            ids[b, : len(row)] = torch.tensor(row)
            mask[b, : len(row)] = 1
        logits = model(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            logits_to_keep=ids.shape[1] - first,
            use_cache=False,
        ).logits
        starts = [len(prompt) - 1 - first for prompt in prompts]
        result[:, k] = option_sums(logits, [row[k] for row in options], starts, eos)
    return result


def option_sums(logits: torch.Tensor, options: list[Ids], starts: list[int], eos: int) -> np.ndarray:
    """Log-probability of one option per row; `starts` are the columns of `logits` (B, T, V) after each prompt, (B,)."""
    rows, columns, targets = [], [], []
    for b, (option, start) in enumerate(zip(options, starts, strict=True)):
        rows += [b] * (len(option) + 1)
        columns += range(start, start + len(option) + 1)
        targets += [*option, eos]
    return sums(logits, rows, columns, targets, rows, len(options))

"""The forward passes under the scorer: all options of a prompt in one row, or one plain row per option.

One row per prompt; its options hang on it as branches, so the prompt is computed once:

    columns   0 .. T-1              the prompt, left-padded: its last token is in column T-1 of every row
              T .. T+S-1            the tokens of option 1, option 2, ... one after the other (S in all)

A token of option k sees its prompt and the earlier tokens of option k, nothing else (a mask of shape (B, 1, T+S, T+S)),
and its position goes on from the prompt's length, so that every number is what the model gives for prompt + option
alone. Left padding is safe here because positions and mask are both given. Models whose attention this mask cannot
express take one right-padded row per (prompt, option), which is exact for every causal model.
"""

import numpy as np
import torch
from transformers import PreTrainedModel

# Full attention over the given mask, positions only through `position_ids`; a test holds each against plain rows.
BRANCHING_MODELS = ("gpt2", "llama", "qwen2", "qwen3")


def can_branch(model: PreTrainedModel) -> bool:
    """Whether all options of a prompt can share one row of this model."""
    config = model.config
    windowed = "sliding_attention" in (getattr(config, "layer_types", None) or ())
    return config.model_type in BRANCHING_MODELS and config._attn_implementation in ("sdpa", "eager") and not windowed


def branched_scores(
    model: PreTrainedModel, prompts: list[list[int]], options: list[list[list[int]]], eos: int
) -> np.ndarray:
    """(B, K) log-probabilities; the layout is drawn at the top of this file."""
    width = max(map(len, prompts))
    n_branch = max(sum(map(len, row)) for row in options)
    shape = (len(prompts), width + n_branch)
    ids, positions = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    # Id of the branch a column belongs to; 0 = prompt, -1 = padding, which sees and shows nothing but itself.
    branch = torch.full(shape, -1)
    for b, (prompt, row) in enumerate(zip(prompts, options, strict=True)):
        start, column = width - len(prompt), width
        ids[b, start:width] = torch.tensor(prompt)
        positions[b, start:width] = torch.arange(len(prompt))
        branch[b, start:width] = 0
        for k, option in enumerate(row, 1):
            ids[b, column : column + len(option)] = torch.tensor(option)
            positions[b, column : column + len(option)] = torch.arange(len(prompt), len(prompt) + len(option))
            branch[b, column : column + len(option)] = k
            column += len(option)
    query, key = branch[:, :, None], branch[:, None, :]
    sees = ((key == 0) | (key == query)) & (query >= 0) & torch.ones(shape[1], shape[1], dtype=torch.bool).tril()
    sees |= torch.eye(shape[1], dtype=torch.bool)
    mask = torch.zeros(sees.shape, dtype=model.dtype).masked_fill_(~sees, torch.finfo(model.dtype).min)
    logits = model(
        input_ids=ids.to(model.device),
        attention_mask=mask[:, None].to(model.device),
        position_ids=positions.to(model.device),
        logits_to_keep=n_branch + 1,  # the prompt's last token, then the branches
        use_cache=False,
    ).logits.float()
    return sum_branches(logits, options, eos)


def sum_branches(logits: torch.Tensor, options: list[list[list[int]]], eos: int) -> np.ndarray:
    """Add up what each option's tokens and EOS cost; `logits` is (B, 1 + S, V), column 0 after the prompt."""
    log_norm = logits.logsumexp(-1)
    columns, targets, owners = [], [], []  # each (B x terms): where, which token, which (row, option)
    for b, row in enumerate(options):
        column = 1
        for k, option in enumerate(row):
            places = [0, *range(column, column + len(option))]
            columns += [(b, place) for place in places]
            targets += [*option, eos]
            owners += [b * len(row) + k] * len(places)
            column += len(option)
    at = torch.tensor(columns, device=logits.device)
    terms = logits[at[:, 0], at[:, 1], torch.tensor(targets, device=logits.device)] - log_norm[at[:, 0], at[:, 1]]
    total = np.zeros(len(options) * len(options[0]))
    np.add.at(total, owners, terms.double().cpu().numpy())
    return total.reshape(len(options), len(options[0]))


def plain_scores(
    model: PreTrainedModel, prompts: list[list[int]], options: list[list[list[int]]], eos: int
) -> np.ndarray:
    """(B, K) log-probabilities from one right-padded row per (prompt, option): slower, for any causal model."""
    result = np.empty((len(prompts), len(options[0])))
    for k in range(len(options[0])):
        rows = [[*prompt, *row[k]] for prompt, row in zip(prompts, options, strict=True)]
        ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for b, row in enumerate(rows):
            ids[b, : len(row)] = torch.tensor(row)
            mask[b, : len(row)] = 1
        first = min(map(len, prompts)) - 1
        logits = model(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            logits_to_keep=ids.shape[1] - first,
            use_cache=False,
        ).logits.float()
        log_norm = logits.logsumexp(-1)
        for b, prompt in enumerate(prompts):
            targets = [*options[b][k], eos]
            at = torch.arange(len(prompt) - 1, len(prompt) - 1 + len(targets)) - first
            terms = logits[b, at, torch.tensor(targets)] - log_norm[b, at]
            result[b, k] = terms.double().sum().item()
    return result

"""The forward passes under the scorer: all options of a prompt in one row, behind a beginning that all rows share.

    cache     0 .. P-1                the beginning all prompts of the batch share, computed once
    columns   0 .. T-1                the rest of each prompt, left-padded: its last token is in column T-1 of every row
              T .. T+S-1              the tokens of option 1, option 2, ... one after the other (S in all)

A token of option k sees its prompt and the earlier tokens of option k, nothing else, by a mask of shape
(B, 1, T+S, P+T+S); its position goes on from the prompt's length. So every number is what the model gives for prompt +
option alone. Left padding is safe here because positions and mask are both given.
"""

import copy

import numpy as np
import torch
from transformers import Cache, DynamicCache, PreTrainedModel

from dnahlm.inference.batches import Ids


def branched_scores(
    model: PreTrainedModel, prompts: list[Ids], options: list[list[Ids]], eos: int, shared: Cache | None = None
) -> np.ndarray:
    """(B, K) log-probabilities of options + EOS; the layout is drawn at the top of this file.

    Args:
        model: full or sliding-window attention over the given mask, positions only through `position_ids`.
        prompts: B lists of the tokens after the shared beginning, at least one each.
        options: B lists of the tokens of K options.
        eos: the id that ends an answer.
        shared: keys and values of the shared beginning, of batch size 1; it is not changed.
    """
    width = max(map(len, prompts))
    n_branch = max(sum(map(len, row)) for row in options)
    n_shared = shared.get_seq_length() if shared else 0
    ids, positions, branch = layout(prompts, options, width, n_branch, n_shared)
    logits = model(
        input_ids=ids.to(model.device),
        attention_mask=mask_of(model, branch, positions, n_shared),
        position_ids=positions.to(model.device),
        logits_to_keep=n_branch + 1,  # the prompt's last token, then the branches
        past_key_values=repeated(shared, len(prompts), model.device) if shared else None,
        use_cache=shared is not None,
    ).logits
    return sum_branches(logits, options, eos)


def layout(
    prompts: list[Ids], options: list[list[Ids]], width: int, n_branch: int, n_shared: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids, positions and branch of every column, each (B, T+S).

    The branch of a column is the number of its option from 1, 0 in the prompt, -1 for padding.
    """
    shape = (len(prompts), width + n_branch)
    ids, positions, branch = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, -1)
    for b, (prompt, row) in enumerate(zip(prompts, options, strict=True)):
        start, column, end = width - len(prompt), width, n_shared + len(prompt)
        ids[b, start:width] = prompt
        positions[b, start:width] = np.arange(n_shared, end)
        branch[b, start:width] = 0
        for k, option in enumerate(row, 1):
            here = slice(column, column + len(option))
            ids[b, here] = option
            positions[b, here] = np.arange(end, end + len(option))
            branch[b, here] = k
            column += len(option)
    return torch.from_numpy(ids), torch.from_numpy(positions), torch.from_numpy(branch)


def mask_of(model: PreTrainedModel, branch: torch.Tensor, positions: torch.Tensor, n_shared: int) -> torch.Tensor:
    """What each column may see, (B, 1, T+S, P+T+S): 0 where it may, the lowest number where not."""
    branch, positions = branch.to(model.device), positions.to(model.device)
    beginning = torch.arange(n_shared, device=model.device).expand(len(branch), -1)
    query, key = branch[:, :, None], torch.cat([torch.zeros_like(beginning), branch], 1)[:, None, :]
    n_columns = branch.shape[1]
    earlier = torch.ones(n_columns, n_shared + n_columns, dtype=torch.bool, device=model.device).tril(n_shared)
    sees = ((key == 0) | (key == query)) & (query >= 0) & earlier
    if window := window_of(model):
        at = torch.cat([beginning, positions], 1)
        sees &= positions[:, :, None] - at[:, None, :] < window
    # Padding sees itself, for a row of the softmax must not be empty; nothing sees padding.
    sees |= torch.eye(n_columns, n_shared + n_columns, dtype=torch.bool, device=model.device).roll(n_shared, 1)
    mask = torch.zeros(sees.shape, dtype=model.dtype, device=model.device)
    return mask.masked_fill_(~sees, torch.finfo(model.dtype).min)[:, None]


def window_of(model: PreTrainedModel) -> int | None:
    """How many tokens back, itself included, a token of this model sees; None for all."""
    config = model.config
    return getattr(config, "sliding_window", None) if config.model_type == "mistral" else None


def shared_cache(model: PreTrainedModel, ids: Ids) -> Cache:
    """Keys, values and convolution states of a beginning, of batch size 1."""
    # Without its config no layer throws away what lies before a sliding window: the mask is what hides it.
    cache = DynamicCache(config=model.config if "conv" in layers_of(model) else None)
    whole = torch.tensor([ids], device=model.device)
    # Without a mask some models warn where a text begins with a token that is also their padding.
    seen = torch.ones_like(whole)
    model(whole, attention_mask=seen, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


def layers_of(model: PreTrainedModel) -> set[str]:
    """The kinds of layers a config names; empty when it names none."""
    return set(getattr(model.config, "layer_types", None) or ())


def repeated(cache: Cache, rows: int, device: torch.device) -> Cache:
    """A copy of a cache of batch size 1 for so many rows."""
    cache = copy.deepcopy(cache)  # a convolution's states are changed in place
    cache.reorder_cache(torch.zeros(rows, dtype=torch.long, device=device))
    return cache


def sum_branches(logits: torch.Tensor, options: list[list[Ids]], eos: int) -> np.ndarray:
    """Add up what each option's tokens and EOS cost; `logits` is (B, 1 + S, V), column 0 after the prompt."""
    rows, columns, targets, owners = [], [], [], []  # each (B x terms): where, which token, which (row, option)
    for b, row in enumerate(options):
        column = 1
        for k, option in enumerate(row):
            n_terms = len(option) + 1
            rows += [b] * n_terms
            columns += [0, *range(column, column + len(option))]
            targets += [*option, eos]
            owners += [b * len(row) + k] * n_terms
            column += len(option)
    return sums(logits, rows, columns, targets, owners, len(options) * len(options[0])).reshape(len(options), -1)


def sums(
    logits: torch.Tensor, rows: list[int], columns: list[int], targets: list[int], owners: list[int], n: int
) -> np.ndarray:
    """Sum of the log-probabilities of the targets of each owner, (n,)."""
    logits = logits.float()
    log_norm = logits.logsumexp(-1)
    at = torch.tensor([rows, columns, targets], device=logits.device)
    terms = logits[at[0], at[1], at[2]] - log_norm[at[0], at[1]]
    total = np.zeros(n)
    np.add.at(total, owners, terms.double().cpu().numpy())
    return total

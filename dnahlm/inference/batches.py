"""Which prompts are computed together: those with a common beginning, by length, within a budget of tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

Ids = list[int]
# Logits held at once; 64 M floats are 256 MB.
MAX_LOGITS = 64_000_000
# What one more group of prompts costs, in tokens: its batches are smaller, its beginning is computed for itself.
GROUP_COST = 256


@dataclass(frozen=True)
class Batch:
    """Rows computed at once; their first `n_shared` tokens are the same."""

    rows: list[int]
    n_shared: int


def plan(
    prompts: list[Ids], options: list[list[Ids]], batch_tokens: int, vocab_size: int, share: bool, one_length: bool
) -> Iterator[Batch]:
    """Yield batches that hold every row once, longest prompts first.

    Args:
        prompts: N lists of token ids.
        options: N lists of the ids of K options.
        batch_tokens: tokens computed at once, padding and options included.
        vocab_size: V; logits of a batch stay within `MAX_LOGITS`.
        share: whether a common beginning is computed once.
        one_length: whether all prompts of a batch must have one length.
    """
    for rows, n_shared in shared_beginnings(prompts) if share else [(list(range(len(prompts))), 0)]:
        order = sorted(rows, key=lambda i: -len(prompts[i]))
        runs = [list(run) for _, run in groupby(order, key=lambda i: len(prompts[i]))] if one_length else [order]
        for run in runs:
            lengths = [len(prompts[i]) - n_shared for i in run]
            branches = [sum(map(len, options[i])) for i in run]
            for start, end in cuts(lengths, branches, batch_tokens, vocab_size):
                yield Batch(run[start:end], n_shared)


def cuts(lengths: list[int], branches: list[int], batch_tokens: int, vocab_size: int) -> Iterator[tuple[int, int]]:
    """Cut rows, longest first, into batches within the budget; `branches` are the tokens of each row's options."""
    start = widest = 0
    for end in range(len(lengths)):
        widest = max(widest, branches[end])
        size = end - start + 1
        too_large = size * (lengths[start] + widest) > batch_tokens or size * (widest + 1) * vocab_size > MAX_LOGITS
        if end > start and too_large:
            yield start, end
            start, widest = end, branches[end]
    yield start, len(lengths)


def shared_beginnings(prompts: list[Ids]) -> list[tuple[list[int], int]]:
    """Part prompts into groups with a common beginning: (rows, tokens shared), so that few tokens are left to compute.

    The question of a task stands before the sequence, so rows asked in one wording share it. A group is parted further,
    by the token after its common beginning, where that saves more tokens than the new groups cost.

    >>> shared_beginnings([[1, 2, 3], [1, 2, 4], [1, 2, 5, 6]])
    [([0, 1, 2], 2)]
    """
    order = sorted(range(len(prompts)), key=prompts.__getitem__)
    groups, open_groups = [], [order]
    while open_groups:
        rows = open_groups.pop()
        common = common_length(prompts, rows)
        children = [list(rest) for _, rest in groupby(rows, key=lambda i: prompts[i][common : common + 1])]
        saved = [(len(child) - 1) * common_length(prompts, child) for child in children]
        if len(children) > 1 and sum(saved) - (len(rows) - 1) * common > GROUP_COST * len(children):
            open_groups += children
        else:
            groups.append((sorted(rows), common if len(rows) > 1 else 0))
    return groups


def common_length(prompts: list[Ids], rows: list[int]) -> int:
    """Tokens that all of these prompts, which are in sorted order, begin with; one token is always left to compute."""
    first, last = prompts[rows[0]], prompts[rows[-1]]
    shortest = min(len(prompts[i]) for i in rows) - 1
    return next((n for n in range(min(shortest, len(first))) if first[n] != last[n]), shortest)

"""Targets that are probabilities: what a teacher thinks of every answer a row may have, token by token.

The loss is that of Hinton, Vinyals and Dean (arXiv 1503.02531) at temperature 1: the cross-entropy with the teacher's
distribution over answers. An answer is a few tokens, so it is taken along one answer of the row: at each place where
answers that begin alike part, the next token's target is the share of each continuation. For answers of one token, and
in expectation for all, where the row's answer is drawn by the same probabilities, that is the distribution's own loss.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy, log_softmax

from dnahlm.tasks.prompt_encoder import PromptEncoder
from dnahlm.training.blocks import IGNORE_INDEX

PROBABILITIES = "probabilities"  # key of a record: answer -> probability
TOKENS, SHARES = "soft_tokens", "soft_shares"  # what a batch has beside `labels`
Target = tuple[int, int, float]  # place (from the start of the answer, or of the row), token, share


def soft_targets(answer: Sequence[int], others: Mapping[tuple[int, ...], float]) -> list[Target]:
    """Places of an answer with more than one possible token, those tokens and their shares.

    Args:
        answer: ids of the row's own answer, end of text included.
        others: ids of each possible answer -> its probability; `answer` is one of them.

    >>> soft_targets([7, 8, 0], {(7, 8, 0): 0.5, (7, 9, 0): 0.25, (5, 0): 0.25})
    [(0, 5, 0.25), (0, 7, 0.75), (1, 8, 0.6666666666666666), (1, 9, 0.3333333333333333)]
    """
    found: list[Target] = []
    for place in range(len(answer)):
        shares: dict[int, float] = defaultdict(float)
        for ids, probability in others.items():
            if len(ids) > place and ids[:place] == tuple(answer[:place]):
                shares[ids[place]] += probability
        total = sum(shares.values())
        if len(shares) > 1 and total > 0:
            found += [(place, token, shares[token] / total) for token in sorted(shares)]
    return found


def soft_targets_of(
    record: dict[str, Any], encoder: PromptEncoder, text: str, prompt: Sequence[int], answer: Sequence[int]
) -> list[Target]:
    """`soft_targets` of a record; none where it has no probabilities.

    Args:
        record: of the row; its answers are the keys of `probabilities`.
        encoder: of the model's tokenizer.
        text: the rendered prompt.
        prompt: ids before the answer.
        answer: ids of the row's own answer.
    """
    given = record.get(PROBABILITIES)
    if not given:
        return []
    others = {tuple(encoder.answer(text, prompt, other)): share for other, share in given.items()}
    return soft_targets(answer, others)


def as_tensors(rows: Sequence[Sequence[Target]]) -> dict[str, torch.Tensor]:
    """Targets of the rows of a batch: `soft_tokens`, (M, 3) row, place and token, and `soft_shares`, (M,)."""
    flat = [(row, *target) for row, targets in enumerate(rows) for target in targets]
    return {
        TOKENS: torch.tensor([target[:3] for target in flat], dtype=torch.long).reshape(-1, 3),
        SHARES: torch.tensor([target[3] for target in flat]),
    }


def answer_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    predicted: torch.Tensor,
    columns: torch.Tensor,
    tokens: torch.Tensor | None = None,
    shares: torch.Tensor | None = None,
) -> torch.Tensor:
    """The cross-entropy of a batch, summed over its targets.

    Args:
        logits: (N, V), of the N places that are predicted.
        targets: (B, C), -100 where there is no target.
        predicted: (B, C) bool, N of them true.
        columns: (C,), ascending; column c predicts the token at position columns[c] + 1.
        tokens: (M, 3), see `as_tensors`; these places' targets are `shares` instead.
        shares: (M,).
    """
    hard = targets[predicted]
    if tokens is None or shares is None:
        return cross_entropy(logits, hard, ignore_index=IGNORE_INDEX, reduction="sum")
    column = torch.searchsorted(columns, tokens[:, 1] - 1)
    number = (predicted.flatten().cumsum(dim=0) - 1).view_as(targets)[tokens[:, 0], column]  # (M,) rows of `logits`
    places, place = number.unique(return_inverse=True)
    chances = log_softmax(logits[places], dim=-1)[place, tokens[:, 2]]
    hard = hard.index_fill(0, places, IGNORE_INDEX)
    return cross_entropy(logits, hard, ignore_index=IGNORE_INDEX, reduction="sum") - chances @ shares.to(chances.dtype)

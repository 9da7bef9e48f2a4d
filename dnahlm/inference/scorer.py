"""Exact label probabilities: log P(option + EOS | prompt) for any number of multi-token options."""

from collections.abc import Iterator

import numpy as np
import torch
from scipy.special import softmax
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.inference.branches import branched_scores, can_branch, plain_scores
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.prompt import encode

# The answer's token boundary depends on the end of the prompt only; this covers "\n\n### Response:\n".
TAIL_CHARACTERS = 16
# Logits held at once; 64 M floats are 256 MB.
MAX_LOGITS = 64_000_000


def score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    prompts: list[str],
    options: list[str],
    batch_tokens: int = 2048,
    progress: str | None = None,
) -> np.ndarray:
    """Log-probability (natural log) of each option followed by EOS, given each prompt.

    Args:
        model: in evaluation mode.
        tokenizer: the model's own.
        prompts: N rendered prompts, as `tasks.prompt.render_prompt` makes them.
        options: K distinct answers; any number of tokens each, one may begin with another.
        batch_tokens: tokens computed at once, padding included; changes speed and memory, not the result (2,048 keeps
            a small model in the cache of a CPU; a GPU takes more).
        progress: name of the progress bar, None for no bar.

    Returns:
        (N, K) float64, in the order given.

    Raises:
        InputError: no options, an empty or repeated one; a prompt that with its longest option and EOS exceeds the
            model's context; a model that gives NaN.
    """
    if not options or not all(options) or len(set(options)) < len(options):
        raise InputError(f"options {options!r}: give one or more distinct, non-empty answers.")
    if not prompts:
        return np.zeros((0, len(options)))
    prompt_ids, option_ids = tokenize(tokenizer, prompts, options)
    check_lengths(prompt_ids, option_ids, context_of(model))
    forward = branched_scores if can_branch(model) else plain_scores
    result = np.empty((len(prompts), len(options)))
    with (
        torch.inference_mode(),
        tqdm(total=len(prompts), desc=progress, unit="row", disable=not progress or None) as bar,
    ):
        for rows in batches(prompt_ids, option_ids, batch_tokens, model.config.vocab_size):
            result[rows] = forward(
                model, [prompt_ids[i] for i in rows], [option_ids[i] for i in rows], tokenizer.eos_token_id
            )
            bar.update(len(rows))
    check_finite(result)
    return result


def tokenize(
    tokenizer: PreTrainedTokenizerFast, prompts: list[str], options: list[str]
) -> tuple[list[list[int]], list[list[list[int]]]]:
    """Token ids of N prompts, and for each the K lists of its options' ids, without EOS."""
    prompt_ids, _ = encode(tokenizer, prompts, [options[0]] * len(prompts))
    by_tail: dict[str, list[list[int]]] = {}
    for prompt in prompts:
        tail = prompt[-TAIL_CHARACTERS:]
        if tail not in by_tail:
            _, with_eos = encode(tokenizer, [prompt] * len(options), options)
            by_tail[tail] = [ids[:-1] for ids in with_eos]
    return prompt_ids, [by_tail[prompt[-TAIL_CHARACTERS:]] for prompt in prompts]


def check_lengths(prompt_ids: list[list[int]], option_ids: list[list[list[int]]], limit: int) -> None:
    """Raise `InputError` when a prompt with its longest option and EOS is longer than the context of `limit` tokens."""
    for index, (prompt, options) in enumerate(zip(prompt_ids, option_ids, strict=True)):
        answer = max(map(len, options)) + 1
        if len(prompt) + answer > limit:
            raise InputError(
                f"prompt {index + 1} of {len(prompt_ids)}: {len(prompt)} tokens and {answer} of the answer exceed the "
                f"{limit} tokens the model can see. Shorten the sequence; nothing was cut."
            )


def check_finite(scores: np.ndarray) -> None:
    """Raise `InputError` for a NaN or infinity among (N, K) log-probabilities."""
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad):
        raise InputError(
            f"prompt {bad[0] + 1} of {len(scores)}: the model gives {scores[bad[0]].tolist()} as log-probabilities. "
            "Its weights are broken (a training run that diverged?); use an earlier checkpoint."
        )


def batches(
    prompt_ids: list[list[int]], option_ids: list[list[list[int]]], batch_tokens: int, vocab_size: int
) -> Iterator[list[int]]:
    """Yield row numbers, longest prompts first, each batch within `batch_tokens` tokens and `MAX_LOGITS` logits."""
    order = sorted(range(len(prompt_ids)), key=lambda i: -len(prompt_ids[i]))
    rows: list[int] = []
    width = branches = 0
    for i in order:
        now = sum(map(len, option_ids[i]))
        # The first row is the longest prompt; only the options can still widen a batch.
        longest = max(width, len(prompt_ids[i])), max(branches, now)
        size = len(rows) + 1
        if rows and (size * sum(longest) > batch_tokens or size * (longest[1] + 1) * vocab_size > MAX_LOGITS):
            yield rows
            rows, longest = [], (len(prompt_ids[i]), now)
        rows.append(i)
        width, branches = longest
    yield rows


def probabilities(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Share of each option among all options, (N, K) -> (N, K); rows sum to 1.

    >>> probabilities(np.log([[0.2, 0.6]])).round(2).tolist()
    [[0.25, 0.75]]
    """
    return softmax(np.asarray(scores, dtype=np.float64) / temperature, axis=1)

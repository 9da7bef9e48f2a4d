"""Exact label probabilities: log P(option + EOS | prompt) for any number of multi-token options."""

import numpy as np
import torch
from scipy.special import softmax
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.inference.batches import Batch, Ids, plan
from dnahlm.inference.branches import branched_scores, layers_of, shared_cache
from dnahlm.inference.parallel import merged, progress_bar, share
from dnahlm.inference.rows import continued_scores, plain_scores
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.prompt import encode

# The answer's token boundary depends on the end of the prompt only; this covers "\n\n### Response:\n".
TAIL_CHARACTERS = 16
# All options of a prompt in one row; positions only through `position_ids`. A test holds each against single rows.
BRANCHING_MODELS = ("gpt2", "llama", "qwen2", "qwen3", "mistral")
# With convolutions: prompts of one length, each option continued from the prompt's cache.
CONTINUING_MODELS = ("lfm2",)


class PromptError(InputError):
    """One of N prompts cannot be scored; `row` is its place, from 0."""

    def __init__(self, row: int, n: int, problem: str) -> None:
        super().__init__(f"prompt {row + 1} of {n}: {problem}")
        self.row = row


def score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    prompts: list[str],
    options: list[str],
    batch_tokens: int | None = None,
    progress: str | None = None,
) -> np.ndarray:
    """Log-probability (natural log) of each option followed by EOS, given each prompt.

    Tokens that prompts have in common at their beginning are computed once, and each prompt once for all its options.
    In a process group (`accelerate launch`) every process must call this with the same arguments: each computes its
    share of the batches, and all get all results.

    Args:
        model: in evaluation mode.
        tokenizer: the model's own.
        prompts: N rendered prompts, as `tasks.prompt.render_prompt` makes them.
        options: K distinct answers; any number of tokens each, one may begin with another.
        batch_tokens: tokens computed at once, padding included; changes speed and memory, not the result. None: 1,024
            on a CPU, more of which gains nothing there, and 16,384 on a GPU.
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
    return score_ids(model, prompt_ids, option_ids, tokenizer.eos_token_id, batch_tokens, progress)


def score_ids(
    model: PreTrainedModel,
    prompt_ids: list[Ids],
    option_ids: list[list[Ids]],
    eos: int,
    batch_tokens: int | None = None,
    progress: str | None = None,
) -> np.ndarray:
    """`score` for N prompts and their K options that are token ids already (options without EOS), (N, K)."""
    check_lengths(prompt_ids, option_ids, context_of(model))
    result = np.zeros((len(prompt_ids), len(option_ids[0])))
    how, vocab_size = layout_for(model), model.config.vocab_size
    batch_tokens = batch_tokens or (1024 if model.device.type == "cpu" else 16_384)
    batches = plan(prompt_ids, option_ids, batch_tokens, vocab_size, how != "plain", how == "continued")
    own = share(list(batches))
    with torch.inference_mode(), progress_bar(sum(len(batch.rows) for batch in own), progress) as bar:
        score_batches(model, prompt_ids, option_ids, eos, own, result, bar)
    result = merged(result)
    check_finite(result)
    return result


def score_batches(
    model: PreTrainedModel,
    prompt_ids: list[Ids],
    option_ids: list[list[Ids]],
    eos: int,
    batches: list[Batch],
    result: np.ndarray,
    bar: tqdm,
) -> None:
    """Fill the rows of `result`, (N, K), that are in `batches`; those with one beginning follow each other."""
    how, cache, cached = layout_for(model), None, None
    for batch in batches:
        beginning = prompt_ids[batch.rows[0]][: batch.n_shared]
        if beginning != cached:
            cache, cached = shared_cache(model, beginning) if beginning else None, beginning
        prompts = [prompt_ids[i][batch.n_shared :] for i in batch.rows]
        options = [option_ids[i] for i in batch.rows]
        if how == "plain":
            result[batch.rows] = plain_scores(model, prompts, options, eos)
        else:
            forward = branched_scores if how == "branches" else continued_scores
            result[batch.rows] = forward(model, prompts, options, eos, cache)
        bar.update(len(batch.rows))


def layout_for(model: PreTrainedModel) -> str:
    """How the options of a prompt share its computation in this model: branches, continued or plain (not at all)."""
    config = model.config
    if config._attn_implementation in ("sdpa", "eager"):
        # Layers with and without a window in one model would need two masks.
        if config.model_type in BRANCHING_MODELS and "sliding_attention" not in layers_of(model):
            return "branches"
        if config.model_type in CONTINUING_MODELS:
            return "continued"
    return "plain"


def tokenize(
    tokenizer: PreTrainedTokenizerFast, prompts: list[str], options: list[str]
) -> tuple[list[Ids], list[list[Ids]]]:
    """Token ids of N prompts, and for each the K lists of its options' ids, without EOS."""
    prompt_ids, _ = encode(tokenizer, prompts, [options[0]] * len(prompts))
    by_tail: dict[str, list[Ids]] = {}
    for prompt in prompts:
        tail = prompt[-TAIL_CHARACTERS:]
        if tail not in by_tail:
            _, with_eos = encode(tokenizer, [prompt] * len(options), options)
            by_tail[tail] = [ids[:-1] for ids in with_eos]
    return prompt_ids, [by_tail[prompt[-TAIL_CHARACTERS:]] for prompt in prompts]


def check_lengths(prompt_ids: list[Ids], option_ids: list[list[Ids]], limit: int) -> None:
    """Raise `PromptError` when a prompt with its longest option and EOS exceeds the context of `limit` tokens."""
    for index, (prompt, options) in enumerate(zip(prompt_ids, option_ids, strict=True)):
        answer = max(map(len, options)) + 1
        if len(prompt) + answer > limit:
            raise PromptError(
                index,
                len(prompt_ids),
                f"{len(prompt)} tokens and {answer} of the answer exceed the {limit} tokens the model can see. Shorten "
                "the sequence; nothing was cut.",
            )


def check_finite(scores: np.ndarray) -> None:
    """Raise `PromptError` for a NaN or infinity among (N, K) log-probabilities."""
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad):
        raise PromptError(
            int(bad[0]),
            len(scores),
            f"the model gives {scores[bad[0]].tolist()} as log-probabilities. Its weights are broken (a training run "
            "that diverged?); use an earlier checkpoint.",
        )


def probabilities(scores: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Share of each option among all options, (N, K) -> (N, K); rows sum to 1.

    >>> probabilities(np.log([[0.2, 0.6]])).round(2).tolist()
    [[0.25, 0.75]]
    """
    return softmax(np.asarray(scores, dtype=np.float64) / temperature, axis=1)

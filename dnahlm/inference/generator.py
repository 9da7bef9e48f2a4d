"""Greedy generation: free or held to given options in batches, and token by token for a chat."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.inference.batches import Ids
from dnahlm.inference.constrained import Trie, allowed_tokens, trie_of
from dnahlm.inference.parallel import merged, progress_bar, share
from dnahlm.inference.scorer import check_lengths, tokenize
from dnahlm.io import InputError
from dnahlm.model.create import context_of


@dataclass(frozen=True)
class Generated:
    """What the model wrote, without special tokens, and whether it ended by itself (EOS) or was cut off."""

    text: str
    stopped: bool


def generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    prompts: list[str],
    max_new_tokens: int,
    batch_size: int = 64,
    progress: str | None = None,
    options: list[str] | None = None,
) -> list[Generated]:
    """Continue each prompt greedily until EOS, `max_new_tokens`, or the end of the model's context.

    In a process group (`accelerate launch`) every process must call this with the same arguments: each continues its
    share of the batches, and all get all answers.

    Args:
        model: in evaluation mode.
        tokenizer: the model's own.
        prompts: N rendered prompts.
        max_new_tokens: tokens an answer may have, EOS among them; with `options`, their longest when that is more.
        batch_size: prompts continued at once; changes speed and memory only.
        progress: name of the progress bar, None for no bar.
        options: when given, every answer is one of these and ends: at each step only tokens that lead to one are
            allowed. The step by step choice is greedy; `score` tells which option is the likeliest as a whole.

    Returns:
        N answers in the order given; none depends on the other prompts of its batch.

    Raises:
        InputError: a prompt fills the model's context, so that no token (or not the longest option) can follow.
    """
    ids = [encode_prompt(model, tokenizer, prompt) for prompt in prompts]
    limit, tries = context_of(model), [None] * len(prompts)
    if options and prompts:
        _, option_ids = tokenize(tokenizer, prompts, options)
        check_lengths(ids, option_ids, limit)
        tries = [trie_of(row, tokenizer.eos_token_id) for row in option_ids]
        max_new_tokens = max(len(option) + 1 for row in option_ids for option in row)
    # A prompt near the end of the context may write less; such prompts go apart so that no other row writes less.
    room = [min(max_new_tokens, limit - len(row)) for row in ids]
    order = sorted(range(len(ids)), key=lambda i: (room[i], len(ids[i])))
    batches = []
    for _, group in itertools.groupby(order, key=room.__getitem__):
        members = list(group)
        batches += [members[start : start + batch_size] for start in range(0, len(members), batch_size)]
    own = share(batches)
    written = np.zeros((len(ids), max_new_tokens), dtype=np.int64)  # ids + 1; 0 = nothing
    with progress_bar(sum(map(len, own)), progress) as bar:
        for rows in own:
            new = _batch(model, tokenizer, [ids[i] for i in rows], room[rows[0]], [tries[i] for i in rows])
            written[rows, : new.shape[1]] = new + 1
            bar.update(len(rows))
    return [_until_eos(tokenizer, (row[row > 0] - 1).tolist()) for row in merged(written)]


def _batch(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    rows: list[Ids],
    max_new_tokens: int,
    tries: list[Trie | None],
) -> np.ndarray:
    """New token ids of B prompts, (B, n), by greedy search; left-padded, `generate` derives positions from the mask."""
    width = max(map(len, rows))
    pad, eos = tokenizer.pad_token_id, tokenizer.eos_token_id
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    # Every setting that changes a greedy answer is named here: a checkpoint's own generation config must not.
    settings = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        eos_token_id=eos,
        pad_token_id=eos,  # fills rows that have ended; of the pad token upstream warns that it has no mask
    )
    allowed = allowed_tokens(tries, width, eos) if tries[0] else None
    with torch.inference_mode():
        output = model.generate(ids, attention_mask=mask, generation_config=settings, prefix_allowed_tokens_fn=allowed)
    return output[:, width:].cpu().numpy()


def _until_eos(tokenizer: PreTrainedTokenizerFast, new_ids: list[int]) -> Generated:
    """Text before the first EOS; rows that end early are filled with EOS after it."""
    stopped = tokenizer.eos_token_id in new_ids
    kept = new_ids[: new_ids.index(tokenizer.eos_token_id)] if stopped else new_ids
    return Generated(decode(tokenizer, kept), stopped)


def stream(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str, max_new_tokens: int
) -> Iterator[str | Generated]:
    """Yield the greedy answer piece by piece as text, and at last the whole as `Generated`; the same as `generate`.

    Raises:
        InputError: the prompt fills the model's context.
    """
    ids = encode_prompt(model, tokenizer, prompt)
    new_ids: list[int] = []
    shown, stopped, cache = "", False, None
    step = torch.tensor([ids], device=model.device)
    seen: torch.Tensor | None = torch.ones_like(step)  # said once: a prompt may begin with what is also the pad token
    for _ in range(min(max_new_tokens, context_of(model) - len(ids))):
        with torch.inference_mode():
            output = model(input_ids=step, attention_mask=seen, past_key_values=cache, use_cache=True, logits_to_keep=1)
        seen = None
        cache, token = output.past_key_values, int(output.logits[0, -1].argmax())
        if token == tokenizer.eos_token_id:
            stopped = True
            break
        new_ids.append(token)
        step = torch.tensor([[token]], device=model.device)
        text = decode(tokenizer, new_ids)
        # A letter of several bytes is shown once its last byte is there.
        if not text.endswith("\ufffd") and len(text) > len(shown):
            yield text[len(shown) :]
            shown = text
    text = decode(tokenizer, new_ids)
    if len(text) > len(shown):
        yield text[len(shown) :]
    yield Generated(text, stopped)


def encode_prompt(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str) -> list[int]:
    """Token ids of a rendered prompt; at least one more token fits behind it.

    Raises:
        InputError: the prompt fills the model's context.
    """
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    limit = context_of(model)
    if len(ids) >= limit:
        raise InputError(
            f"the prompt has {len(ids)} tokens; the model sees {limit}, and the answer needs some of them. "
            "Shorten the sequence; nothing was cut."
        )
    return ids


def decode(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    """Text of token ids, spaces as written, special tokens left out."""
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)

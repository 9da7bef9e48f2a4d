"""What pretraining starts from: a fresh model or a checkpoint fitted to the blocks, and what English costs it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.config import did_you_mean
from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments, quantization
from dnahlm.model.base_rows import DNA_TOKEN_INITS, start_from_bases
from dnahlm.model.create import ModelArguments, check_attention, context_of, create_model
from dnahlm.model.fit import fit
from dnahlm.model.fit import summary as summary_of_fit
from dnahlm.model.load import load_checkpoint
from dnahlm.tokenizer.load import fingerprint, read_tokenizer
from dnahlm.training.arguments import is_main_process
from dnahlm.training.blocks import read_blocks
from dnahlm.training.forgetting import Forgetting


def starting_model(
    args: ModelArguments,
    adapter: AdapterArguments,
    tokenizer: PreTrainedTokenizerFast,
    tokenizer_path: str,
    english: list[str],
    block_size: int,
    seed: int,
    bf16: bool,
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model a run begins with, and where it came from.

    A checkpoint that was trained with another vocabulary gets new embedding rows (`model.fit`).

    Raises:
        InputError: LoRA from scratch, or on a checkpoint that had to be fitted: the adapter would lie on a base that is
            nowhere on the disk.
    """
    if not args.model_name_or_path:
        if adapter.use_peft:
            raise InputError("use_peft: LoRA adapts a checkpoint. Give model_name_or_path, or train all weights.")
        return from_scratch(args, tokenizer, block_size), {"from": "scratch", "model_type": args.model_type}
    check_attention(args.attn_implementation)
    model = load_checkpoint(args.model_name_or_path, args.attn_implementation, quantization(adapter, bf16))
    if adapter.use_peft:
        require_fitted(args.model_name_or_path, model, tokenizer, block_size)
    model, facts = fit(
        model, args.model_name_or_path, tokenizer, tokenizer_path, block_size, args.longer_context,
        args.new_token_init, english, seed,
    )  # fmt: skip
    if is_main_process():
        print(summary_of_fit(facts))
    return model, {"from": args.model_name_or_path, "model_type": model.config.model_type, **facts}


def from_scratch(args: ModelArguments, tokenizer: PreTrainedTokenizerFast, block_size: int) -> PreTrainedModel:
    """A randomly initialised model, the rows of its DNA tokens as `dna_token_init` says.

    Raises:
        InputError: no such way, or a standard deviation that is none.
    """
    if args.dna_token_init not in DNA_TOKEN_INITS:
        raise InputError(
            f"dna_token_init: found {args.dna_token_init!r}. {did_you_mean(args.dna_token_init, DNA_TOKEN_INITS)}"
        )
    if not 0 < args.embedding_std < math.inf:
        raise InputError(f"embedding_std: found {args.embedding_std:g}; must be above 0, such as 0.3.")
    model = create_model(args, tokenizer, context=block_size)
    if args.dna_token_init == "bases":
        n = start_from_bases(model, tokenizer, args.embedding_std)
        if is_main_process():
            print(f"rows of {n:,} DNA tokens of more than one base start as sums over their bases")
    return model


def require_fitted(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, block_size: int) -> None:
    """Raise `InputError` when a checkpoint needs rows or positions before an adapter can be trained on it."""
    if fingerprint(read_tokenizer(name)) != fingerprint(tokenizer) or block_size > context_of(model):
        raise InputError(
            f"{name}: was not made for the tokenizer or the length of these blocks, and LoRA keeps a checkpoint as it "
            "is. Fit it first: `dnahlm model fit`, then give that folder as model_name_or_path."
        )


def forgetting_from(start: dict[str, Any], english: list[str], tokenizer: PreTrainedTokenizerFast) -> Forgetting:
    """The measure of English with what the fit of the starting checkpoint noted; without figures from scratch."""
    noted = start.get("english")
    if noted is None:
        return Forgetting([], tokenizer, 0)
    forgetting = Forgetting(english, tokenizer, noted["window_tokens"])
    forgetting.figures = {
        "english_bytes": noted["bytes"],
        "starting_checkpoint": noted["bits_per_byte_before"],
        "before_training": noted["bits_per_byte_after"],
    }
    return forgetting


def english_of(blocks: Path, tokenizer: PreTrainedTokenizerFast) -> Iterator[str]:
    """Yield the held-out English of packed blocks, none where they hold none."""
    if not (blocks / "validation" / "text").is_dir():
        return
    for row in read_blocks(blocks / "validation" / "text"):
        for ids in np.split(row["input_ids"], np.flatnonzero(row["position_ids"] == 0)):
            yield tokenizer.decode(ids, skip_special_tokens=True)

"""GPT-2's own tokenizer, where this disk has it: the measure English cost is held against."""

from __future__ import annotations

from pathlib import Path

from dnahlm.io import InputError
from dnahlm.tokenizer.load import read_tokenizer
from dnahlm.tokenizer.measures.encoder import Encoder

HUB_NAMES = ("openai-community/gpt2", "gpt2")
ENTRIES = 50257
MISSING = (
    "GPT-2's own tokenizer is not on this disk, and a published figure is no measurement of this text; give its folder "
    "by --gpt2, or fetch it once with `hf download openai-community/gpt2 tokenizer.json tokenizer_config.json`"
)


def find_gpt2(folder: str | None) -> tuple[Encoder | None, str]:
    """The tokenizer of GPT-2, and why there is none; nothing is downloaded.

    Args:
        folder: where it lies; None looks into the hub's cache.

    Raises:
        InputError: a folder without a tokenizer, or with another one.
    """
    from huggingface_hub import try_to_load_from_cache

    if folder is None:
        cached = [try_to_load_from_cache(name, "tokenizer.json") for name in HUB_NAMES]
        folder = next((str(Path(path).parent) for path in cached if isinstance(path, str)), None)
    if folder is None:
        return None, MISSING
    if not Path(folder).is_dir():
        raise InputError(f"gpt2: {folder}: no such folder. Give the folder of GPT-2's own tokenizer, or leave it out.")
    tokenizer = read_tokenizer(folder)
    if len(tokenizer) != ENTRIES:
        raise InputError(
            f"gpt2: {folder}: has {len(tokenizer):,} entries where GPT-2's own tokenizer has {ENTRIES:,}. Name other "
            "tokenizers under --tokenizers."
        )
    return Encoder(tokenizer, "GPT-2"), ""

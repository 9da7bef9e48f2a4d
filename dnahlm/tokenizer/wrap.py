"""From a bare `tokenizers` tokenizer to what every stage loads: special tokens, `<dna>` markers, the chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnahlm.io import open_text, shipped

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

END_TOKEN, PAD_TOKEN = "<|endoftext|>", "<|pad|>"
SPECIAL_TOKENS = [END_TOKEN, PAD_TOKEN]
DNA_MARKERS = ["<dna>", "</dna>"]


def wrap(backend: Tokenizer, markers: bool = False) -> PreTrainedTokenizerFast:
    """Give a trained tokenizer its special tokens and the chat template of the package.

    Args:
        backend: holds `SPECIAL_TOKENS` already.
        markers: also give `<dna>` and `</dna>` an id each. They are text, not special tokens: wherever a corpus or a
            prompt writes one it is one token, and decoding keeps it.

    Raises:
        InputError: the chat template of the package is missing.
    """
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    if markers:
        backend.add_tokens([AddedToken(marker, normalized=False, special=False) for marker in DNA_MARKERS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=END_TOKEN, eos_token=END_TOKEN, pad_token=PAD_TOKEN,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip
    fast.chat_template = chat_template()
    return fast


def chat_template() -> str:
    """The prompt of the package, which every tokenizer it writes carries.

    Raises:
        InputError: it is missing.
    """
    with open_text(shipped("data_templates") / "prompts" / "alpaca.jinja", "the package's chat template") as handle:
        return handle.read()

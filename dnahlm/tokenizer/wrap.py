"""From a bare `tokenizers` tokenizer to what every stage loads: special tokens, chat template, markers and headings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnahlm.io import open_text, shipped

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

END_TOKEN, PAD_TOKEN = "<|endoftext|>", "<|pad|>"
SPECIAL_TOKENS = [END_TOKEN, PAD_TOKEN]
DNA_MARKERS = ["<dna>", "</dna>"]
TEMPLATE_PARTS = 4  # texts of the chat template that are the same in every prompt


def wrap(backend: Tokenizer, markers: bool = False, template_tokens: bool = False) -> PreTrainedTokenizerFast:
    """Give a trained tokenizer its special tokens and the chat template of the package.

    Args:
        backend: holds `SPECIAL_TOKENS` already.
        markers: also give `<dna>` and `</dna>` an id each. They are text, not special tokens: wherever a corpus or a
            prompt writes one it is one token, and decoding keeps it.
        template_tokens: also give each fixed text of the chat template an id, in the same way.

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
    if template_tokens:
        fast.add_tokens([AddedToken(part, normalized=False, special=False) for part in template_parts(fast)])
    return fast


def template_parts(tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """The texts every prompt repeats: the first sentence, and the headings of question, input and answer."""
    question, dna = "question", "dna"
    chat = [{"role": "user", "content": f"{question}\n\n{dna}"}]
    prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    start, _, rest = prompt.partition(f"\n{question}\n")
    sentence, blank, heading = start.partition("\n\n")
    between, _, end = rest.partition(f"\n{dna}\n")
    return [sentence, f"{blank}{heading}\n", f"\n{between}\n", f"\n{end}"]


def chat_template() -> str:
    """The prompt of the package, which every tokenizer it writes carries.

    Raises:
        InputError: it is missing.
    """
    with open_text(shipped("data_templates") / "prompts" / "alpaca.jinja", "the package's chat template") as handle:
        return handle.read()

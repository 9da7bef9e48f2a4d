"""Characters: every character is one token, DNA and English alike; those the corpus does not hold are UTF-8 bytes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dnahlm.tokenizer.bpe import SMALLEST_VOCABULARY
from dnahlm.tokenizer.joined import assemble

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from dnahlm.tokenizer.sample import Sample


def train_char(sample: Sample, vocab_size: int) -> Tokenizer:
    """The bytes, which hold all of ASCII, and the most frequent other characters of the sample.

    Args:
        sample: the documents.
        vocab_size: V, special tokens included; usually fewer come out.
    """
    from tokenizers import Regex, pre_tokenizers

    counts: Counter[str] = Counter()
    for text in sample.read(["text"]):
        if not text.isascii():
            counts.update(character for character in text if not character.isascii())
    spelt = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    wanted = sorted(counts, key=lambda c: (-counts[c], c))[: vocab_size - SMALLEST_VOCABULARY]
    words = [spelt.pre_tokenize_str(character)[0][0] for character in wanted]
    splitter = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated"), spelt])
    return assemble([], splitter, words)

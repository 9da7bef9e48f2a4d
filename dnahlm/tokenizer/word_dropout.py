"""BPE-dropout for overlapping k-mers: words shortened at random, so that no word of k bases is learnt by heart.

A token of overlapping k-mers is a base joined to the k - 1 that follow it. Here each of those joins is left out with a
probability, as BPE-dropout leaves out merges, and a word ends where the first one is missing: AACGTT may become AACG,
or A. There are as many tokens as before, at the same places, and they decode to the same text.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dnahlm.io import InputError
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.tokenizer.overlapping import words_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def dropout_for(tokenizer: PreTrainedTokenizerFast, dropout: float) -> DnaDropout | WordDropout:
    """What cuts the DNA of a tokenizer anew.

    Raises:
        InputError: a tokenizer that neither merges nor overlaps, or a probability out of range.
    """
    return WordDropout(tokenizer, dropout) if words_of(tokenizer) else DnaDropout(tokenizer, dropout)


class WordDropout:
    """Shortens the words in token ids; the interface is that of `DnaDropout`.

    Args:
        tokenizer: of overlapping k-mers; it is not changed.
        dropout: probability that a base is not joined to the word before it, at least 0 and below 1.

    Raises:
        InputError: a probability out of range.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, dropout: float) -> None:
        if not 0 <= dropout < 1:
            raise InputError(f"bpe_dropout: {dropout}; must be at least 0 and below 1, for example 0.1.")
        self.dropout, words = dropout, words_of(tokenizer)
        k = max(map(len, words))
        self.shorter = np.arange(len(tokenizer))[:, None].repeat(k, axis=1)  # (V, k): id, bases - 1 -> id
        for word, id in words.items():
            self.shorter[id] = [words[word[: bases + 1]] for bases in range(k)]

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """No stretch of any text: words are told by their ids."""
        return [[] for _ in texts]

    def apply(self, ids: Sequence[int], units: Sequence[tuple[int, int]], rng: random.Random, room: int) -> list[int]:
        """The ids, each word with as many bases as are joined before the first join that is left out."""
        if not self.dropout:
            return list(ids)
        bases = np.random.default_rng(rng.getrandbits(64)).geometric(self.dropout, len(ids))
        return self.shorter[np.asarray(ids), np.minimum(bases, self.shorter.shape[1]) - 1].tolist()

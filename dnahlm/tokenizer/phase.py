"""Random phase for tokens of fixed length: a stretch of DNA begins with a few single letters, so that its cuts shift.

Tokens of k bases are counted from the first base, so a motif is always cut at the same places of its sequence, and a
sequence one base longer is cut otherwise all along. A model that sees every phase learns a motif in all its cuts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dnahlm.dna import BASES
from dnahlm.io import InputError
from dnahlm.tokenizer.dropout import DNA_RUN, DNA_TOKEN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class DnaPhase:
    """Cuts the DNA in token ids in another phase; the interface is that of `DnaDropout`.

    Args:
        tokenizer: its DNA tokens do not overlap, and single bases are entries; it is not changed.

    Raises:
        InputError: a tokenizer without DNA tokens of two bases or more, or whose tokens overlap.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._backend = tokenizer.backend_tokenizer
        vocabulary = self._backend.get_vocab(with_added_tokens=True)
        self.letters = {id: token for token, id in vocabulary.items() if DNA_TOKEN.fullmatch(token)}
        self._singles = {token: id for id, token in self.letters.items() if len(token) == 1}
        self.k = max(map(len, self.letters.values()), default=0)
        text = BASES * 3 * max(self.k, 1)
        ids = self._backend.encode(text, add_special_tokens=False).ids
        if self.k < 2 or set(BASES) - set(self._singles) or "".join(self.letters.get(i, "") for i in ids) != text:
            raise InputError(
                "random_phase: this tokenizer has no DNA tokens of several bases that stand side by side and single "
                "bases beside them, so there is no phase to shift. Leave it out, or train a tokenizer of kind kmer, or "
                "bpe with max_dna_piece."
            )

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text, (first token, number of tokens) of every run of DNA of 2 k bases or more."""
        found = []
        for encoding in self._backend.encode_batch(list(texts), add_special_tokens=False):
            units: list[tuple[int, int]] = []
            for i, id in enumerate(encoding.ids):
                if id in self.letters:
                    first, n = units.pop() if units and sum(units[-1]) == i else (i, 0)
                    units.append((first, n + 1))
            found.append([unit for unit in units if self._is_run(self._text(encoding.ids, unit))])
        return found

    def _text(self, ids: Sequence[int], unit: tuple[int, int]) -> str:
        return "".join(self.letters[id] for id in ids[unit[0] : sum(unit)])

    def _is_run(self, letters: str) -> bool:
        return bool(DNA_RUN.fullmatch(letters)) and len(letters) >= 2 * self.k

    def apply(self, ids: Sequence[int], units: Sequence[tuple[int, int]], rng: random.Random, room: int) -> list[int]:
        """The ids with each unit in a phase drawn; one that needs more than the `room` tokens left stays."""
        found: list[int] = []
        done = 0
        for first, n in units:
            letters, shift = self._text(ids, (first, n)), rng.randrange(self.k)
            rest = self._backend.encode(letters[shift:], add_special_tokens=False).ids
            new = [self._singles[letter] for letter in letters[:shift]] + rest
            if len(new) - n > room:
                new = list(ids[first : first + n])
            room -= len(new) - n
            found += [*ids[done:first], *new]
            done = first + n
        return [*found, *ids[done:]]

"""BPE-dropout for DNA: merges left out at random, so that training sees one sequence in many segmentations.

After Provilkov, Emelianenko and Voita (BPE-Dropout, ACL 2020), with one change. They, and the library `tokenizers`,
draw anew for every possible merge before each merge of a word. A word has few; a stretch of DNA has hundreds, and a
merge left out once would be made a step later, after one somewhere else. So here each possible merge is drawn once, and
the probability means the same in a stretch of any length. And only the tokens inside a DNA run are cut anew, so English
and every border stay as they are; the library's draws concern all text, and cannot be seeded.
"""

from __future__ import annotations

import heapq
import json
import random
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from dnahlm.dna import BASES
from dnahlm.io import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

DNA_RUN = re.compile(r"(?<![A-Za-z])[ACGTN]{8,}(?![A-Za-z])")  # not the end of a word, nor a part of a protein
DNA_TOKEN = re.compile(r"[ACGTN]+")


class DnaDropout:
    """Cuts the DNA in token ids anew.

    Args:
        tokenizer: a BPE tokenizer whose DNA tokens come from merges; it is not changed.
        dropout: probability that a possible merge is left out, at least 0 and below 1; 0 gives the ids back.

    Raises:
        InputError: another kind of tokenizer, DNA tokens that no merge builds, or a probability out of range.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, dropout: float) -> None:
        if not 0 <= dropout < 1:
            raise InputError(f"bpe_dropout: {dropout}; must be at least 0 and below 1, for example 0.1.")
        self.dropout = 0.0  # until the merges are known to be the tokenizer's own
        self._backend = tokenizer.backend_tokenizer
        model = json.loads(self._backend.to_str())["model"]
        if model["type"] != "BPE":
            raise InputError(
                f"bpe_dropout: the tokenizer is of kind {model['type']}, which has no merges to leave out. "
                "Set bpe_dropout: 0, or use a BPE tokenizer."
            )
        vocabulary = self._backend.get_vocab(with_added_tokens=True)
        self.letters = {id: token for token, id in vocabulary.items() if DNA_TOKEN.fullmatch(token)}
        self._ids = {token: id for id, token in self.letters.items()}
        pairs = (pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"])
        ranks = {(a, b): rank for rank, (a, b) in enumerate(pairs)}
        self._ranks = {pair: rank for pair, rank in ranks.items() if DNA_TOKEN.fullmatch("".join(pair))}
        self._require_merges()
        self.dropout = dropout

    def _require_merges(self) -> None:
        """Raise `InputError` unless the merges alone give what the tokenizer gives."""
        rng = random.Random(0)
        text = "".join(rng.choices(BASES, k=2000))
        (units,) = self.units([text])
        ids = self._backend.encode(text, add_special_tokens=False).ids
        if not units or self.apply(ids, units, rng, room=len(text)) != ids:
            raise InputError(
                "bpe_dropout: this tokenizer does not build its DNA tokens by merges of single bases, so none can be "
                "left out. Set bpe_dropout: 0, or train a tokenizer with `dnahlm tokenizer train`."
            )

    def units(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text, (first token, number of tokens) of every stretch of DNA that is cut on its own.

        A stretch is what the tokenizer isolates before it merges, as far as it lies in a DNA run of 8 bases or more.
        Tokens are those of the text without added ones.
        """
        found = []
        for text, encoding in zip(
            texts, self._backend.encode_batch(list(texts), add_special_tokens=False), strict=True
        ):
            inside = [False] * (len(text) + 1)
            for run in DNA_RUN.finditer(text):
                inside[run.start() : run.end()] = [True] * (run.end() - run.start())
            units: list[tuple[int, int]] = []
            last: tuple[int, int | None] | None = None  # token and word that the stretch so far ends with
            for i, (id, (start, _), word) in enumerate(
                zip(encoding.ids, encoding.offsets, encoding.word_ids, strict=True)
            ):
                if id not in self.letters or not inside[start]:
                    continue
                if last == (i - 1, word):
                    units[-1] = (units[-1][0], units[-1][1] + 1)
                else:
                    units.append((i, 1))
                last = (i, word)
            found.append(units)
        return found

    def apply(self, ids: Sequence[int], units: Sequence[tuple[int, int]], rng: random.Random, room: int) -> list[int]:
        """The ids with each unit cut anew; a unit that needs more than the `room` tokens left stays as it is."""
        found: list[int] = []
        done = 0
        for first, n in units:
            found += ids[done:first]
            old = list(ids[first : first + n])
            new = self.segment("".join(self.letters[id] for id in old), rng)
            if len(new) - n > room:
                new = old
            room -= len(new) - n
            found += new
            done = first + n
        return [*found, *ids[done:]]

    def segment(self, letters: str, rng: random.Random) -> list[int]:
        """Ids of one stretch of DNA: BPE by rank; two tokens whose merge is left out can only be merged with others."""
        symbols: list[str] = list(letters)
        before = list(range(-1, len(symbols) - 1))
        behind = [*range(1, len(symbols)), -1] if symbols else []
        queue = [
            (rank, i, a + b)
            for i, (a, b) in enumerate(pairwise(symbols))
            if (rank := self._ranks.get((a, b))) is not None
        ]
        heapq.heapify(queue)
        while queue:
            _, i, joined = heapq.heappop(queue)
            j = behind[i]
            if not symbols[i] or j < 0 or symbols[i] + symbols[j] != joined:
                continue  # one of the two has been merged meanwhile
            if self.dropout and rng.random() < self.dropout:
                continue
            symbols[i], symbols[j] = joined, ""
            behind[i] = behind[j]
            if behind[i] >= 0:
                before[behind[i]] = i
            for a, b in ((before[i], i), (i, behind[i])):
                if a >= 0 and b >= 0 and (rank := self._ranks.get((symbols[a], symbols[b]))) is not None:
                    heapq.heappush(queue, (rank, a, symbols[a] + symbols[b]))
        return [self._ids[symbol] for symbol in symbols if symbol]

"""Overlapping k-mers of DNA beside a byte-level BPE of English: a token for each base, which holds what follows it too.

A tokenizer cuts text and cannot give a letter to two tokens. So the normalizer first writes behind each base the k - 1
bases that follow it, in a second alphabet: ACGT with k = 3 becomes Ａｃｇ Ｃｇｔ Ｇｔ Ｔ. At the end of a run or before
an N, where fewer follow, the word is shorter. There are as many tokens as bases, and decoding reads the first letter of
each. Both alphabets lie outside what the byte-level spelling of text uses, so no text is mistaken for them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from dnahlm.dna import BASES
from dnahlm.io import InputError
from dnahlm.tokenizer.bpe import LETTERS, SMALLEST_VOCABULARY, Merge, assemble
from dnahlm.tokenizer.joined import first_results, learn_english
from dnahlm.tokenizer.kmer import check_kmers, kmers

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer
    from transformers import PreTrainedTokenizerFast

    from dnahlm.tokenizer.prompts import Prompts
    from dnahlm.tokenizer.sample import Sample

OWN = dict(zip(LETTERS, "ＡＣＧＴＮ", strict=True))  # the base a token stands for
AFTER = dict(zip(BASES, "ａｃｇｔ", strict=True))  # a base that follows it
LONGEST_RUN = 256  # bases; every base of a run is looked at for each place it may have in it
KNOWN = "".join(OWN[base] for base in BASES)
ANY_OWN, ANY_AFTER = f"[{''.join(OWN.values())}]", f"[{''.join(AFTER.values())}]"
# GPT-2's split, on text spelt in bytes: white space is ĉ to č and Ġ, and all bytes beyond ASCII count as letters.
BLANK, LETTER = "ĉ-čĠ", "A-Za-z¡-¬®-ÿĢ-Ń"
ENGLISH = (
    rf"'(?:[sdmt]|ll|ve|re)|Ġ?[{LETTER}]+|Ġ?[0-9]+|Ġ?[^{BLANK}{LETTER}0-9{''.join(OWN.values())}]+"
    rf"|[{BLANK}]+(?![^{BLANK}])|[{BLANK}]+"
)


def n_words(k: int) -> int:
    """Entries that overlapping k-mers need: the words of 1 to k letters, and N.

    >>> n_words(3)
    85
    """
    return sum(4**length for length in range(1, k + 1)) + 1


def train_overlapping(sample: Sample, prompts: Prompts, vocab_size: int, min_dna_run: int, k: int) -> Tokenizer:
    """The words of up to k letters and a BPE of the English in the sample; arguments as `train_kmer`.

    Raises:
        InputError: as `train_kmer`, and for a `min_dna_run` over `LONGEST_RUN`.
    """
    check_kmers(k, vocab_size, n_words(k))
    if min_dna_run > LONGEST_RUN:
        raise InputError(f"min_dna_run: {min_dna_run} bases; must be at most {LONGEST_RUN} for overlapping k-mers.")
    words = [OWN[word[0]] + "".join(AFTER[b] for b in word[1:]) for n in range(1, k + 1) for word in kmers(n)]
    words.append(OWN["N"])
    n_entries = vocab_size - SMALLEST_VOCABULARY - len(words)
    merges = first_results(learn_english(sample, prompts, n_entries, min_dna_run), n_entries)
    return assemble_overlapping(words, merges, min_dna_run, k)


def assemble_overlapping(words: list[str], merges: list[Merge], min_dna_run: int, k: int) -> Tokenizer:
    """The tokenizer of these words, and of these merges for all other text."""
    from tokenizers import Regex, decoders, pre_tokenizers

    pieces = Regex(f"{ANY_OWN}{ANY_AFTER}*|{ENGLISH}")
    tokenizer = assemble(merges, pre_tokenizers.Split(pieces, "isolated"), words)
    tokenizer.normalizer = write_what_follows(min_dna_run, k)
    letters = [decoders.Replace(own, base) for base, own in OWN.items()]
    tokenizer.decoder = decoders.Sequence([decoders.Replace(Regex(ANY_AFTER), ""), *letters, decoders.ByteLevel()])
    return tokenizer


def write_what_follows(min_dna_run: int, k: int) -> Normalizer:
    """Spell text in bytes, then each base of a long enough run with up to k - 1 letters of what follows it.

    >>> write_what_follows(4, 3).normalize_str("a ACGNT ACG")
    'aĠＡｃｇＣｇＧＮＴĠACG'
    """
    from tokenizers import Regex, normalizers

    base = f"[{LETTERS}{''.join(OWN.values())}]"
    steps = [normalizers.ByteLevel()]
    for letter, own in OWN.items():
        # In a long enough run: some number of bases before, and the others after it.
        places = (rf"(?<={base}{{{i}}}){letter}(?={base}{{{min_dna_run - 1 - i}}})" for i in range(min_dna_run))
        steps.append(normalizers.Replace(Regex("|".join(places)), own))
    for n in range(1, k):  # the n-th base that follows one is the base after it (n = 1), or what that one wrote last
        for letter, after in AFTER.items():
            seen = OWN[letter] if n == 1 else f"[{KNOWN}]{ANY_AFTER}{{{n - 2}}}{after}"
            steps.append(normalizers.Replace(Regex(f"(?<=[{KNOWN}]{ANY_AFTER}{{{n - 1}}})(?={seen})"), after))
    return normalizers.Sequence(steps)


class WordIds:
    """The ids of runs of DNA, looked up by array: the normalizer takes a millisecond for a run of 100 bases.

    Args:
        words: the words of overlapping k-mers, as the vocabulary spells them, and their ids.
    """

    def __init__(self, words: dict[str, int]) -> None:
        self.k = max(map(len, words))
        self.codes = np.zeros(128, np.int64)
        self.codes[[ord(letter) for letter in LETTERS]] = range(len(LETTERS))
        # A word ends before the first N that follows.
        starts = ((w[0] + "".join(w[1:]).partition("N")[0]) for w in product(LETTERS, repeat=self.k))
        spelt = (OWN[w[0]] + ("".join(AFTER[b] for b in w[1:]) if w[0] != "N" else "") for w in starts)
        self.ids = np.array([words[word] for word in spelt])

    def __call__(self, runs: Sequence[str]) -> list[list[int]]:
        """The ids of N runs of ACGTN, each at least as long as a run must be to count as DNA.

        >>> WordIds({"Ａ": 0, "Ｃ": 1, "Ｇ": 2, "Ｔ": 3, "Ｎ": 4})(["ACGT", "NA"])
        [[0, 1, 2, 3], [4, 0]]
        """
        codes = self.codes[np.frombuffer("".join(run + "N" for run in runs).encode("ascii"), np.uint8)]
        padded = np.concatenate([codes, np.full(self.k - 1, LETTERS.index("N"))])
        places = np.zeros(len(codes), np.int64)
        for n in range(self.k):
            places = places * len(LETTERS) + padded[n : n + len(codes)]
        ids, borders = self.ids[places].tolist(), np.cumsum([0, *(len(run) + 1 for run in runs)]).tolist()
        return [ids[start : end - 1] for start, end in pairwise(borders)]


def words_of(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """The words of overlapping k-mers, as the vocabulary spells them, and their ids; none of another kind."""
    word = re.compile(f"{ANY_OWN}{ANY_AFTER}*").fullmatch
    words = {token: id for token, id in tokenizer.get_vocab().items() if word(token)}
    return words if len(words) > 1 and len(words) == n_words(max(map(len, words))) else {}


def word_ids(tokenizer: PreTrainedTokenizerFast) -> WordIds | None:
    """What looks up the ids of DNA for a tokenizer of overlapping k-mers; None for one of another kind."""
    words = words_of(tokenizer)
    return WordIds(words) if words else None

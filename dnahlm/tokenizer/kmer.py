"""K-mers of DNA beside a byte-level BPE of English: runs are read k bases at a time, from their first base on.

What does not fill a k-mer (the last bases of a run, and bases before an N) becomes single letters, as does N, so every
text comes back from its ids. All 4^k k-mers have an entry, whether the corpus holds them or not.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from dnahlm.dna import BASES
from dnahlm.io import InputError
from dnahlm.tokenizer.bpe import LETTERS, SMALLEST_VOCABULARY, assemble, split_pieces
from dnahlm.tokenizer.joined import first_results, learn_english
from dnahlm.tokenizer.wrap import SPECIAL_TOKENS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from dnahlm.tokenizer.prompts import Prompts
    from dnahlm.tokenizer.sample import Sample

LONGEST = 8  # bases: 65,536 k-mers


def check_kmers(k: int, vocab_size: int, n_entries: int) -> None:
    """Raise `InputError` for a k out of range, or for k-mers that leave no room for the bytes.

    Args:
        k: bases.
        vocab_size: V, special tokens included.
        n_entries: entries that DNA needs.
    """
    if not 1 <= k <= LONGEST:
        raise InputError(f"k: {k} bases; must be from 1 to {LONGEST} (4^{LONGEST} = {4**LONGEST:,} k-mers).")
    if vocab_size < n_entries + SMALLEST_VOCABULARY:
        raise InputError(
            f"vocab_size: {vocab_size:,} is too small for k = {k}: {n_entries:,} entries of DNA, 256 bytes and "
            f"{len(SPECIAL_TOKENS)} special tokens need {n_entries + SMALLEST_VOCABULARY:,}, and English needs the "
            "rest. Choose a smaller k or a larger vocabulary."
        )


def kmers(k: int) -> list[str]:
    """All k-mers in alphabetical order.

    >>> len(kmers(3)), kmers(2)[:5]
    (64, ['AA', 'AC', 'AG', 'AT', 'CA'])
    """
    return ["".join(letters) for letters in product(BASES, repeat=k)]


def train_kmer(sample: Sample, prompts: Prompts, vocab_size: int, min_dna_run: int, k: int) -> Tokenizer:
    """The k-mers and a BPE of the English in the sample.

    Args:
        sample: its English is read.
        prompts: more English.
        vocab_size: V, special tokens included.
        min_dna_run: bases from which a run of ACGTN counts as DNA.
        k: bases of a k-mer.

    Raises:
        InputError: k out of range, or a vocabulary too small for it.
    """
    words = kmers(k) if k > 1 else []  # single letters are bytes already
    check_kmers(k, vocab_size, len(words))
    n_entries = vocab_size - SMALLEST_VOCABULARY - len(words)
    merges = first_results(learn_english(sample, prompts, n_entries, min_dna_run), n_entries)
    return assemble(merges, split_pieces(min_dna_run, f"(?:[{BASES}]{{{k}}}|[{LETTERS}])"), words)

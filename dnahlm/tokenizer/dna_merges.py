"""Learn the merges of DNA alone, in half the memory the library's trainer needs for it.

The trainer keeps about 70 bytes of memory for every base it is given, because no two lines of DNA are alike. So BPE
runs twice. The first merges are learnt from a few million bases, enough for pieces that frequent. Then each token so
far becomes one letter of a made-up alphabet, all of the DNA is written in it (four to five bases a letter), and the
trainer goes on from there. BPE applies merges in the order in which they were learnt, so going on from a text to which
the first merges have been applied is what one long training does; only the choice of these rests on fewer bases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from dnahlm.tokenizer.bpe import LETTERS, Merge, merges_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FIRST_MERGES = 1000
FIRST_BASES = 4_000_000  # for the first merges: hundreds of occurrences of each
ALPHABET_START = 0xE000  # of Unicode's private use area, 6,400 places
LINE = 1024  # bases
BATCH = 512  # documents
LONGER = 2  # times as many merges are learnt as asked for, since those for tokens over the cap are dropped


def learn_dna_merges(
    read: Callable[[], Iterator[str]], n_merges: int, max_dna_token: int, max_dna_piece: int
) -> list[Merge]:
    """Learn at most `n_merges` merges, in order, for tokens of at most `max_dna_token` bases.

    Args:
        read: starts a reading of the DNA documents, the same ones each time.
        n_merges: fewer come back when the DNA holds fewer different pieces.
        max_dna_token: bases; the longest DNA token allowed.
        max_dna_piece: bases; documents are cut into pieces of this length first, and for the trainer, whose time grows
            with the length of a piece, into no longer ones than `LINE`.
    """
    size = min(max_dna_piece, LINE)

    def pieces() -> Iterator[str]:
        return (text[i : i + size] for text in read() for i in range(0, len(text), size))

    if max_dna_piece <= max_dna_token:  # few different pieces: the trainer counts them and holds each once
        return merges_of(bpe(pieces(), list(LETTERS), n_merges))
    first = bpe(enough(pieces()), list(LETTERS), min(FIRST_MERGES, n_merges), max_dna_token)
    early = merges_of(first)
    if len(early) == n_merges:
        return early
    token_of = {chr(ALPHABET_START + i): token for token, i in first.get_vocab().items()}
    then = bpe(rewritten(pieces(), first), list(token_of), LONGER * n_merges)
    spelt = ("".join(token_of[letter] for letter in part) for pair in merges_of(then) for part in pair)
    return capped([*early, *zip(spelt, spelt, strict=True)], max_dna_token)[:n_merges]


def bpe(texts: Iterable[str], alphabet: list[str], n_merges: int, longest: int | None = None) -> Tokenizer:
    """BPE of the library over an alphabet, without any splitting."""
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + n_merges,
        initial_alphabet=alphabet,
        max_token_length=None if longest is None else longest + 1,  # the library's limit is one too short
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def enough(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts until they are `FIRST_BASES`."""
    bases = 0
    for text in texts:
        yield text
        bases += len(text)
        if bases >= FIRST_BASES:
            return


def rewritten(texts: Iterator[str], first: Tokenizer) -> Iterator[str]:
    """Yield texts with each token as one letter."""
    while batch := list(islice(texts, BATCH)):
        for encoding in first.encode_batch_fast(batch):
            yield "".join(chr(ALPHABET_START + i) for i in encoding.ids)


def capped(merges: Iterable[Merge], longest: int) -> list[Merge]:
    """The merges without those that make a longer token, and without those that build on these.

    >>> capped([("A", "C"), ("AC", "AC"), ("A", "AC")], 3)
    [('A', 'C'), ('A', 'AC')]
    """
    return [(left, right) for left, right in merges if len(left) + len(right) <= longest]

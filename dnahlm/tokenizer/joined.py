"""One byte-level BPE out of two vocabularies, learnt apart on DNA and on English and joined into one list of merges.

The splitter keeps DNA runs and English apart, so a merge of the one can never take part in a piece of the other, with
one exception: merges over the letters ACGTN alone, which English has too ("CAT"). Those of English are dropped,
and those of DNA come first in the list. DNA is therefore tokenised exactly as by the DNA vocabulary alone; English is
too, but for words in capitals with two of these letters side by side.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

from dnahlm.tokenizer.bpe import (
    LETTERS,
    SMALLEST_VOCABULARY,
    Merge,
    assemble,
    byte_level_bpe,
    merges_of,
    run_start,
    split_dna,
)
from dnahlm.tokenizer.dna_merges import BATCH, learn_dna_merges
from dnahlm.tokenizer.prompts import Prompts, repeated
from dnahlm.tokenizer.sample import KIND_NAMES, Sample

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

MEASURED = 4_000_000  # characters a kind, on which the counts of merges are measured
SPARE = 1.05  # more English merges than needed are learnt, since some are dropped


def train_joined(
    sample: Sample,
    prompts: Prompts,
    vocab_size: int,
    min_dna_run: int,
    max_dna_token: int,
    max_dna_piece: int,
    dna_share: float | None,
) -> tuple[Tokenizer, dict[str, int]]:
    """Train both vocabularies and join them.

    Args:
        sample: the documents.
        prompts: more English, each text with the number of times it counts.
        vocab_size: V, special tokens included.
        min_dna_run: bases from which a run of ACGTN counts as DNA.
        max_dna_token: bases; the longest DNA token allowed.
        max_dna_piece: bases; DNA runs are cut into pieces of this length first.
        dna_share: share of the entries learnt (those beyond bytes and special tokens) that are DNA, from 0 to 1. Where
            one kind holds fewer different pieces than its share, the other gets the rest. None: the entries learnt are
            those most frequent in the corpus, whichever kind they are, as one training over both would choose.

    Returns:
        the tokenizer, and how many entries of each kind were learnt.
    """
    n_entries = vocab_size - SMALLEST_VOCABULARY
    dna = learn_dna_merges(lambda: sample.read(["dna"]), n_entries, max_dna_token, max_dna_piece)
    english = learn_english(sample, prompts, n_entries, min_dna_run)
    most = n_entries if dna_share is None else round(dna_share * n_entries)
    if dna_share is None:
        whole = assemble([*dna, *english], split_dna(min_dna_run, max_dna_piece))
        most = natural_share(count_merges(whole, [*dna, *english], sample, prompts), n_entries)
    n_dna = min(max(most, n_entries - n_results(english)), n_results(dna))
    merges = [*first_results(dna, n_dna), *first_results(english, n_entries - n_dna)]
    tokenizer = assemble(merges, split_dna(min_dna_run, max_dna_piece))
    return tokenizer, {"dna_entries_learnt": n_dna, "english_entries_learnt": n_results(merges) - n_dna}


def learn_english(sample: Sample, prompts: Prompts, n_entries: int, min_dna_run: int) -> list[Merge]:
    """Merges of English without DNA runs, in order, without those over the letters of DNA and what builds on them."""
    from tokenizers import Regex, pre_tokenizers

    runs = Regex(f"{run_start(min_dna_run)}[{LETTERS}]+")
    splitter = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(runs, "removed"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    texts = chain(sample.read(["text"]), repeated(prompts))
    found = merges_of(byte_level_bpe(texts, SMALLEST_VOCABULARY + round(SPARE * n_entries), splitter))
    known = set(pre_tokenizers.ByteLevel.alphabet())
    kept = []
    for left, right in found:
        if {left, right} <= known and not set(left + right) <= set(LETTERS):
            known.add(left + right)
            kept.append((left, right))
    return kept


def n_results(merges: list[Merge]) -> int:
    """Different tokens that merges make."""
    return len({left + right for left, right in merges})


def first_results(merges: list[Merge], n: int) -> list[Merge]:
    """The first merges, until they have made `n` different tokens.

    >>> first_results([("A", "A"), ("AA", "A"), ("A", "AA"), ("C", "C")], 2)
    [('A', 'A'), ('AA', 'A'), ('A', 'AA')]
    """
    made: set[str] = set()
    kept = []
    for left, right in merges:
        if len(made) == n and left + right not in made:
            break
        made.add(left + right)
        kept.append((left, right))
    return kept


def count_merges(tokenizer: Tokenizer, merges: list[Merge], sample: Sample, prompts: Prompts) -> dict[str, float]:
    """How often each token is made while the whole corpus and the prompts are tokenised, estimated on a part of it.

    A token is made once for each time it is found in the end, and once for each time a larger one is made of it.
    """
    found: Counter[int] = Counter()
    for kind in KIND_NAMES:
        share = min(1.0, MEASURED / max(1, sample.characters(kind)))
        texts, counts = sample.read([kind], share=share), Counter()
        while batch := list(islice(texts, BATCH)):
            for encoding in tokenizer.encode_batch_fast(batch):
                counts.update(encoding.ids)
        for i, count in counts.items():
            found[i] += count / (share * sample.rates[kind])
    for text, times in prompts:
        for i in tokenizer.encode(text).ids:
            found[i] += times / sample.rates["text"]
    made = {token: float(found[i]) for token, i in tokenizer.get_vocab().items()}
    for left, right in reversed(merges):
        for part in (left, right):
            made[part] += made[left + right]
    return {left + right: made[left + right] for left, right in merges}


def natural_share(made: dict[str, float], n_entries: int) -> int:
    """How many of the `n_entries` tokens made most often are DNA; `made` holds each kind in the order of its merges.

    >>> natural_share({"AC": 9, "GT": 7, "th": 8, "he": 6}, 3)
    2
    """
    import numpy as np

    kinds: tuple[list[float], list[float]] = ([], [])
    for token, count in made.items():
        kinds[set(token) <= set(LETTERS)].append(count)
    english, dna = (smoothed(np.array(counts)) for counts in kinds)
    if len(english) + len(dna) <= n_entries:
        return len(dna)
    least = np.partition(np.concatenate([english, dna]), -n_entries)[-n_entries]
    return int((dna >= least).sum())


def smoothed(counts: np.ndarray) -> np.ndarray:
    """Means of each count and its neighbours, (N,): merges come in order of their counts, so what differs is noise."""
    import numpy as np

    width = len(counts) // 100
    if not width:
        return counts
    padded = np.pad(counts, width, mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    return (sums[2 * width + 1 :] - sums[: -2 * width - 1]) / (2 * width + 1)

"""Which test sequences a pretraining corpus holds, or holds something much alike."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dnahlm.readers.columnar import open_parquet
from dnahlm.readers.corpus import BATCH_ROWS, corpus_files, whole_parquet
from dnahlm.tasks.leaks.find import KINDS, LeakSearch

BATCH_BASES = 1 << 24  # of the corpus, searched at a time
COLUMNS = ["id", "kind", "text"]


class Hit(NamedTuple):
    """The most telling document for one test sequence."""

    kind: str  # one of dnahlm.tasks.leaks.find.KINDS
    similarity: float
    document: str  # its id in the corpus: file, record, bases


def find_in_corpus(
    sequences: Sequence[str], folder: str | Path, near: bool = True, counts: Counter[str] | None = None
) -> dict[int, Hit]:
    """Index of each sequence that the DNA in a corpus' train split gives away -> the document that does it most.

    The corpus streams by; documents much longer than the sequences are cut into overlapping pieces, so that a
    near-duplicate is told by one place of a document and not by words from all over it.

    Raises:
        InputError: no train split, or a damaged file.
    """
    hits: dict[int, Hit] = {}
    sequences = list(sequences)
    longest = max(map(len, sequences), default=0)
    search = LeakSearch(sequences, near)
    for pieces, documents in piece_batches(folder, longest):
        found: Counter[str] = Counter()
        for leak in search.leaks(pieces, "pretraining corpus", found):
            hit = Hit(leak.kind, leak.similarity, documents[leak.train_index])
            known = hits.get(leak.test_index)
            if known is None or rank(hit) < rank(known):
                hits[leak.test_index] = hit
        if counts is not None:
            counts |= found  # the larger of both: every batch meets the same sequences
    return dict(sorted(hits.items()))


def rank(hit: Hit) -> tuple[int, float]:
    """The more telling a hit, the smaller."""
    return KINDS.index(hit.kind), -hit.similarity


def piece_batches(folder: str | Path, longest: int) -> Iterator[tuple[list[str], list[str]]]:
    """Yield (pieces, the document each is from), about `BATCH_BASES` at a time; `longest` bases are to fit in one."""
    pieces: list[str] = []
    names: list[str] = []
    bases = 0
    for text, name in dna_documents(folder):
        parts = list(overlapping(text, longest))
        pieces += parts
        names += [name] * len(parts)
        bases += sum(map(len, parts))
        if bases >= BATCH_BASES:
            yield pieces, names
            pieces, names, bases = [], [], 0
    if pieces:
        yield pieces, names


def overlapping(text: str, longest: int) -> Iterator[str]:
    """Cut a text into pieces of up to four times `longest`, each `longest` into the next.

    >>> list(overlapping("ACGTACGTACG", 2)), list(overlapping("ACGT", 2))
    (['ACGTACGT', 'GTACG'], ['ACGT'])
    """
    step = max(3 * longest, 1)
    for start in range(0, max(len(text) - longest, 1), step):
        yield text[start : start + step + longest]


def dna_documents(folder: str | Path) -> Iterator[tuple[str, str]]:
    """Yield (sequence, id) of the DNA in the train split."""
    for path in corpus_files(folder, "train"):
        with whole_parquet(path), open_parquet(path) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=COLUMNS):
                for row in batch.to_pylist():
                    if row["kind"] == "dna":
                        yield row["text"], row["id"]

"""Cut sources into documents: DNA into pieces within a record (or its regions) and between N, English as it is read."""

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from dnahlm.corpus.sources import Source
from dnahlm.dna import reverse_complement
from dnahlm.readers.sequences import read_dna
from dnahlm.readers.text import read_documents

KNOWN_RUN = re.compile("[ACGT]+")


class Piece(NamedTuple):
    """One document of the corpus; fields as in its parquet file, and the split it belongs to."""

    id: str
    kind: str  # dna | text
    text: str
    source: str
    start: int  # 0-based, half-open; bases of the record's forward strand, or characters of the file
    end: int
    strand: str  # + | - | "" for text
    split: str  # train | validation


def dna_pieces(source: Source, shortest: int, longest: int, both_strands: bool, seed: int) -> Iterator[Piece]:
    """Yield the pieces of a surveyed sequence file and count in `source.counts` the bases no piece holds.

    Args:
        source: its `used` and `validation_from` decide what is read and to which split it goes.
        shortest: bases, and
        longest: bases; lengths are drawn uniformly between them.
        both_strands: read each piece from a random strand instead of the forward one.
        seed: with source and record id, it decides every cut.
    """
    source.counts |= {"n_bases_dropped": 0, "short_run_bases_dropped": 0}
    for record in read_dna(source.path):
        if source.used.get(record.id) is None:
            continue
        rng = random.Random(f"{seed}:{source.name}:{record.id}")
        border = source.validation_from.get(record.id, len(record.sequence))
        usable = [
            (split, first, last)
            for split, start, end in (("train", 0, border), ("validation", border, len(record.sequence)))
            for first, last in source.parts(record.id, start, end)
        ]
        for split, first, last in usable:
            n_known = n_kept = 0
            for run in KNOWN_RUN.finditer(record.sequence, first, last):
                n_known += run.end() - run.start()
                for start, end in cuts(run.start(), run.end(), shortest, longest, rng):
                    strand = rng.choice("+-") if both_strands else "+"
                    forward = record.sequence[start:end]
                    text = reverse_complement(forward) if strand == "-" else forward
                    n_kept += end - start
                    name = f"{source.name}:{record.id}:{start}-{end}"
                    yield Piece(name, "dna", text, source.name, start, end, strand, split)
            source.counts["n_bases_dropped"] += last - first - n_known
            source.counts["short_run_bases_dropped"] += n_known - n_kept


def cuts(start: int, end: int, shortest: int, longest: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Cut `start`..`end` into pieces of random length; nothing is lost if it is at least `shortest` long
    and `longest` is at least twice `shortest`.

    >>> list(cuts(0, 25, 10, 20, random.Random(0)))
    [(0, 15), (15, 25)]
    >>> list(cuts(0, 9, 10, 20, random.Random(0)))
    []
    """
    while end - start >= shortest:
        length = end - start
        if length > longest:
            length = rng.randint(shortest, longest)
            rest = end - start - length
            if rest < shortest <= end - start - shortest:  # leave enough for a last piece
                length = end - start - shortest
        yield start, start + length
        start += length


def text_pieces(source: Source) -> Iterator[Piece]:
    """Yield the documents of a surveyed text file."""
    for document in read_documents(source.path):
        split = "train" if document.start < source.validation_from[""] else "validation"
        name = f"{source.name}:{document.start}-{document.end}"
        yield Piece(name, "text", document.text, source.name, document.start, document.end, "", split)

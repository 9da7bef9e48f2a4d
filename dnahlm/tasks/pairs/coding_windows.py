"""Windows of coding sequences in a controlled frame and strand, and the protein segment each codes."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dnahlm.dna import reverse_complement
from dnahlm.tasks.pairs.genes import Gene

SPARE = 3  # bases a slot has more than a window: 2 to set the frame, 1 for the base a frame shift takes in


@dataclass(frozen=True)
class CodingWindow:
    """`bases` from `start` on in a gene's coding sequence, and a segment of the residues it codes.

    `frame` (0, 1, 2) is the number of bases before the first whole codon, read on the coding strand; with strand -, the
    window is given as its reverse complement.
    """

    gene: Gene
    start: int  # 0-based base in the coding sequence
    bases: int
    frame: int
    strand: str
    skipped: int  # residues the window codes before the segment
    residues: int  # of the segment

    @property
    def sequence(self) -> str:
        """The DNA as it stands in the table."""
        return on_strand(self.gene.cds[self.start : self.start + self.bases], self.strand)

    @property
    def coded(self) -> tuple[int, int]:
        """First residue of the protein that a whole codon of the window codes, and the one after the last; 0-based."""
        first = (self.start + self.frame) // 3
        return first, first + (self.bases - self.frame) // 3

    @property
    def first(self) -> int:
        """0-based residue of the protein at which the segment starts."""
        return self.coded[0] + self.skipped

    @property
    def segment(self) -> str:
        """The protein segment."""
        return self.gene.protein[self.first : self.first + self.residues]

    @property
    def source(self) -> str:
        """`gene:start-end` in bases of the coding sequence, 0-based half-open."""
        return f"{self.gene.name}:{self.start}-{self.start + self.bases}"


def on_strand(sequence: str, strand: str) -> str:
    """A sequence as it is, or its reverse complement for strand -."""
    return sequence if strand == "+" else reverse_complement(sequence)


def draw_windows(genes: Sequence[Gene], bases: int, residues: int, rng: random.Random) -> Iterator[CodingWindow]:
    """Yield windows that do not overlap, in random order, the six frames and strands in turn.

    Args:
        genes: verified genes.
        bases: length of a window.
        residues: length of a segment, which lies anywhere in what the window codes; all of it where that is less.
        rng: source of chance.
    """
    size = bases + SPARE
    slots = []
    for gene in genes:
        first = first_literal(gene)
        n_slots, rest = divmod(len(gene.cds) - first, size)
        phase = first + rng.randint(0, max(rest, 0))
        slots += [(gene, phase + n * size) for n in range(n_slots)]
    rng.shuffle(slots)
    for n, (gene, slot) in enumerate(slots):
        frame, strand = n % 3, "+-"[n // 3 % 2]
        start = slot + (-frame - slot) % 3
        coded = (bases - frame) // 3
        taken = min(residues, coded)
        yield CodingWindow(gene, start, bases, frame, strand, rng.randint(0, coded - taken), taken)


def first_literal(gene: Gene) -> int:
    """Base from which on codons and residues agree: an alternative start codon codes M only at the start.

    >>> first_literal(Gene("g", "GTGGCT", "MA")), first_literal(Gene("g", "ATGGCT", "MA"))
    (3, 0)
    """
    return 0 if gene.cds.startswith("ATG") else 3

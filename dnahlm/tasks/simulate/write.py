"""Files of the simulated organism, in the formats real data has: FASTA, GFF3, CSV, plain text."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dnahlm.dna import reverse_complement
from dnahlm.tasks.simulate.biology import GENETIC_CODE
from dnahlm.tasks.simulate.genes import Feature
from dnahlm.tasks.simulate.genome import Chromosome
from dnahlm.tasks.simulate.models import decode
from dnahlm.tasks.simulate.windows import Row

LINE_BASES = 80
MARK = "simulated=dnahlm"
# What the files of a split are called, as in published tables.
FILE_NAMES = {"train": "train", "validation": "dev", "test": "test"}
GENE_FEATURES = ("mRNA", "exon", "CDS")


@dataclass(frozen=True)
class Gene:
    """One gene in genomic coordinates: its id, chromosome, strand, and mRNA, exon and CDS features in genomic order."""

    id: str
    chromosome: Chromosome
    mrna: Feature
    exons: list[Feature]
    coding: list[Feature]

    @property
    def strand(self) -> str:
        """+ or -."""
        return self.mrna.strand

    def read_order(self) -> list[Feature]:
        """Coding features in the order in which the gene is read."""
        return self.coding if self.strand == "+" else self.coding[::-1]


def write_fasta(path: Path, records: Iterable[tuple[str, str]]) -> None:
    """Write (header, sequence) records in lines of 80 letters."""
    with path.open("w", encoding="ascii", newline="\n") as handle:
        for header, sequence in records:
            handle.write(f">{header}\n")
            for start in range(0, len(sequence), LINE_BASES):
                handle.write(sequence[start : start + LINE_BASES] + "\n")


def chromosome_records(chromosomes: list[Chromosome]) -> Iterator[tuple[str, str]]:
    """Chromosomes with repeats in lower case."""
    for chromosome in chromosomes:
        letters = np.frombuffer(decode(chromosome.codes).encode("ascii"), dtype=np.uint8)
        # In ASCII a lower-case letter is its upper-case letter + 32.
        letters = letters + 32 * chromosome.masked.astype(np.uint8)
        yield f"{chromosome.name} {MARK} split={chromosome.split}", letters.tobytes().decode("ascii")


def genes_of(chromosome: Chromosome) -> list[Gene]:
    """The genes of a chromosome in genomic order; ids such as `sim_chr1_g0001`."""
    parts = {kind: [f for f in chromosome.features if f.kind == kind] for kind in GENE_FEATURES}
    for features in parts.values():
        features.sort(key=lambda f: f.start)
    genes = []
    for number, mrna in enumerate(parts["mRNA"], 1):
        exons, coding = pop_until(parts["exon"], mrna.end), pop_until(parts["CDS"], mrna.end)
        genes.append(Gene(f"sim_{chromosome.name}_g{number:04d}", chromosome, mrna, exons, coding))
    return genes


def pop_until(features: list[Feature], end: int) -> list[Feature]:
    """Take the features that start before `end` from the front of a sorted list."""
    n_taken = next((n for n, feature in enumerate(features) if feature.start >= end), len(features))
    taken, features[:] = features[:n_taken], features[n_taken:]
    return taken


def coding_sequence(gene: Gene) -> str:
    """Exon parts from ATG to stop, joined and read on the gene's strand."""
    letters = "".join(decode(gene.chromosome.codes[part.start : part.end]) for part in gene.coding)
    return letters if gene.strand == "+" else reverse_complement(letters)


def translate(cds: str) -> str:
    """Protein of a coding sequence by the standard genetic code, the stop left out.

    >>> translate("ATGGCTTAA")
    'MA'
    """
    return "".join(GENETIC_CODE[cds[i : i + 3]] for i in range(0, len(cds) - 3, 3))


def write_gff3(path: Path, genes: list[Gene], chromosomes: list[Chromosome]) -> None:
    """Gene, mRNA, exon and CDS lines; 1-based closed coordinates; phase as GFF3 defines it."""
    with path.open("w", encoding="ascii", newline="\n") as handle:
        handle.write(f"##gff-version 3\n# {MARK}\n")
        for chromosome in chromosomes:
            handle.write(f"##sequence-region {chromosome.name} 1 {len(chromosome.codes)}\n")
        for gene in genes:
            handle.writelines(line + "\n" for line in gff3_lines(gene))


def gff3_lines(gene: Gene) -> Iterator[str]:
    """The lines of one gene."""

    def line(kind: str, part: Feature, phase: str, attributes: str) -> str:
        place = f"{part.start + 1}\t{part.end}\t.\t{gene.strand}\t{phase}"
        return f"{gene.chromosome.name}\tdnahlm_simulated\t{kind}\t{place}\t{attributes}"

    yield line("gene", gene.mrna, ".", f"ID={gene.id};biotype=protein_coding")
    yield line("mRNA", gene.mrna, ".", f"ID={gene.id}.1;Parent={gene.id}")
    for exon in gene.exons:
        yield line("exon", exon, ".", f"Parent={gene.id}.1")
    n_bases = 0
    for part in gene.read_order():
        yield line("CDS", part, str(-n_bases % 3), f"ID={gene.id}.cds;Parent={gene.id}.1")
        n_bases += part.end - part.start


def write_rows(path: Path, rows: list[Row]) -> None:
    """One labelled table with the header `sequence,label`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("sequence", "label"))
        writer.writerows((row.sequence, row.label) for row in rows)

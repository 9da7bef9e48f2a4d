"""Chromosomes: genes on both strands, and between them factor sites, repeats, CpG islands and assembly gaps."""

from dataclasses import dataclass

import numpy as np

from dnahlm.tasks.simulate.genes import Biology, Feature, Piece, build_gene, put
from dnahlm.tasks.simulate.models import flip

TELOMERE_GAP = 200  # N at both ends of a chromosome
SLOT_BASES = 110  # intergenic DNA is laid out in slots
N_SLOTS = (2, 5)  # slots between two genes: lowest, one above highest
SLOT_SHARES = {"ctcf": 0.20, "gata": 0.14, "ap1": 0.14, "island": 0.10, "intergenic": 0.42}
REPEAT_SHARE, GAP_SHARE, MICROSATELLITE_SHARE = 0.25, 0.01, 0.04  # of the stretches between genes
REPEAT_DIVERGENCE = 0.12  # substitutions per base, each copy its own
N_FAMILIES = 4


@dataclass
class Chromosome:
    """One chromosome.

    Attributes:
        name: `chr1`, ...
        split: what its rows are for: train, validation or test.
        codes: (L,) uint8, 4 is N.
        masked: (L,) bool, True where a repeat is written in lower case.
        features: intergenic, ctcf, gata, ap1, island, repeat, gap and those of `genes`, in genomic coordinates.
        n_genes: how many.
    """

    name: str
    split: str
    codes: np.ndarray
    masked: np.ndarray
    features: list[Feature]
    n_genes: int


def repeat_families(rng: np.random.Generator, biology: Biology) -> list[np.ndarray]:
    """Consensus sequences of interspersed repeats, 180 to 320 bases, the first with a poly-A tail as in SINEs."""
    families = [biology.chains["untranslated"].take(rng, int(rng.integers(180, 321))) for _ in range(N_FAMILIES)]
    families[0][-14:] = 0
    return families


def build_chromosome(
    name: str, split: str, n_genes: int, families: list[np.ndarray], rng: np.random.Generator, biology: Biology
) -> Chromosome:
    """`n_genes` genes on random strands with intergenic DNA before, between and after them."""
    gap = Piece(np.full(TELOMERE_GAP, 4, np.uint8), [Feature("gap", 0, TELOMERE_GAP)])
    placed: list[tuple[Piece, str]] = [(gap, "+")]
    for _ in range(n_genes):
        placed += [(piece, "+") for piece in between_genes(rng, biology, families)]
        placed.append((build_gene(rng, biology), "+" if rng.random() < 0.5 else "-"))
    placed += [(piece, "+") for piece in between_genes(rng, biology, families)]
    placed.append((gap, "+"))
    features, offset = [], 0
    for piece, strand in placed:
        features += [feature.moved(offset, len(piece.codes), strand) for feature in piece.features]
        offset += len(piece.codes)
    codes = np.concatenate([piece.codes if strand == "+" else flip(piece.codes) for piece, strand in placed])
    masked = np.concatenate([np.full(len(piece.codes), piece.masked) for piece, _ in placed])
    return Chromosome(name, split, codes, masked, features, n_genes)


def between_genes(rng: np.random.Generator, biology: Biology, families: list[np.ndarray]) -> list[Piece]:
    """The pieces from one gene to the next: slots, one of them with a CTCF-like site, and now and then more."""
    kinds = list(rng.choice(list(SLOT_SHARES), size=int(rng.integers(*N_SLOTS)), p=list(SLOT_SHARES.values())))
    kinds.insert(int(rng.integers(len(kinds) + 1)), "ctcf")
    slots = [build_slot(str(kind), rng, biology) for kind in kinds]
    if rng.random() < REPEAT_SHARE:
        slots.insert(int(rng.integers(len(slots) + 1)), build_repeat(rng, families))
    if rng.random() < MICROSATELLITE_SHARE:
        unit = biology.chains["intergenic"].take(rng, int(rng.integers(2, 5)))
        codes = np.resize(unit, int(rng.integers(24, 41)))
        slots.insert(int(rng.integers(len(slots) + 1)), Piece(codes, [Feature("repeat", 0, len(codes))], masked=True))
    if rng.random() < GAP_SHARE:
        length = int(rng.integers(60, 200))
        slots.append(Piece(np.full(length, 4, np.uint8), [Feature("gap", 0, length)]))
    return slots


def build_slot(kind: str, rng: np.random.Generator, biology: Biology) -> Piece:
    """One slot of intergenic DNA with, by its kind, a factor site on either strand, a CpG island, or nothing."""
    chain = "island" if kind == "island" else "intergenic"
    codes = biology.chains[chain].take(rng, SLOT_BASES)
    features = [Feature(chain, 0, SLOT_BASES)]
    if kind in biology.motifs:
        site = biology.motifs[kind].sample(rng)
        start = int(rng.integers(2, SLOT_BASES - len(site) - 1))
        strand = "+" if rng.random() < 0.5 else "-"
        put(codes, site if strand == "+" else flip(site), start)
        features.append(Feature(kind, start, start + len(site), strand))
    return Piece(codes, features)


def build_repeat(rng: np.random.Generator, families: list[np.ndarray]) -> Piece:
    """A diverged copy of one family on either strand, often cut short at its start as retrotransposons are."""
    family = families[int(rng.integers(len(families)))]
    copy = family[int(rng.integers(0, len(family) - 100)) if rng.random() < 0.6 else 0 :].copy()
    hit = rng.random(len(copy)) < REPEAT_DIVERGENCE
    copy[hit] = (copy[hit] + rng.integers(1, 4, size=int(hit.sum()))) % 4
    strand = "+" if rng.random() < 0.5 else "-"
    codes = copy if strand == "+" else flip(copy)
    return Piece(codes.astype(np.uint8), [Feature("repeat", 0, len(copy), strand)], masked=True)

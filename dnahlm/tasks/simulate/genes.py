"""One protein-coding gene: promoter, untranslated regions, exons and introns, in the order in which it is read."""

from dataclasses import dataclass, field

import numpy as np

from dnahlm.tasks.simulate.models import Chain, Codons, Motif, flip

# Distances in bases. TSS: the first transcribed base (+1).
UPSTREAM = 110  # promoter DNA written before the TSS
PROMOTER_WINDOW = (-65, 35)  # what is annotated, and asked about, as the promoter
TATA_STARTS = (-32, -31, -30)  # from the TSS
INITIATOR_START = -2
DOWNSTREAM_START = 27
PROXIMAL_SP1_STARTS = tuple(range(-62, -43))
DISTAL_SP1_STARTS = tuple(range(-105, -75))
TATA_SHARE = 0.85  # the others have a downstream promoter element instead
SP1_SHARE = 0.9
UTR5_BASES, UTR3_BASES = (36, 66), (50, 90)  # lowest, one above highest
N_CODONS = (95, 160)
EXON_STEP = (128, 172)  # coding bases from one intron to the next
INTRON_BASES = (100, 191)
TRACT_BASES = 16
BRANCH_GAPS = tuple(range(3, 9))  # between branch point and tract
DONOR_BASES, ACCEPTOR_BASES = 6, 35  # intron ends with signals; what lies between them is its body


@dataclass(frozen=True)
class Feature:
    """An annotated interval: 0-based half-open `start`, `end` in bases; `strand` + or -."""

    kind: str
    start: int
    end: int
    strand: str = "+"

    def moved(self, offset: int, length: int, strand: str) -> "Feature":
        """The same feature after its piece of `length` bases was put at `offset`, reversed if `strand` is -."""
        if strand == "+":
            return Feature(self.kind, offset + self.start, offset + self.end, self.strand)
        turned = "-" if self.strand == "+" else "+"
        return Feature(self.kind, offset + length - self.end, offset + length - self.start, turned)


@dataclass
class Piece:
    """A stretch of DNA with its annotation: codes (L,), features, and whether it is soft-masked as a repeat."""

    codes: np.ndarray
    features: list[Feature] = field(default_factory=list)
    masked: bool = False


@dataclass(frozen=True)
class Biology:
    """Everything the generator draws from and the oracle scores with."""

    motifs: dict[str, Motif]
    chains: dict[str, Chain]
    codons: Codons


def build_gene(rng: np.random.Generator, biology: Biology) -> Piece:
    """A gene read left to right, with features promoter, mRNA, exon, CDS and intron."""
    utr5 = int(rng.integers(*UTR5_BASES))
    promoter = build_promoter(rng, biology, utr5)
    cds = biology.codons.sample(rng, int(rng.integers(*N_CODONS)))
    utr3 = build_utr3(rng, biology)
    cuts = intron_places(rng, biology, cds)
    parts, features = [promoter], [Feature("promoter", UPSTREAM + PROMOTER_WINDOW[0], UPSTREAM + PROMOTER_WINDOW[1])]
    position, exon_start = len(promoter), UPSTREAM
    for start, end in zip([0, *cuts], [*cuts, len(cds)], strict=True):
        features.append(Feature("CDS", position, position + end - start))
        parts.append(cds[start:end])
        position += end - start
        if end == len(cds):
            break
        features.append(Feature("exon", exon_start, position))
        intron = build_intron(rng, biology)
        features.append(Feature("intron", position, position + len(intron)))
        features.append(Feature("intron_body", position + DONOR_BASES, position + len(intron) - ACCEPTOR_BASES))
        parts.append(intron)
        position = exon_start = position + len(intron)
    features.append(Feature("exon", exon_start, position + len(utr3)))
    features.append(Feature("mRNA", UPSTREAM, position + len(utr3)))
    return Piece(np.concatenate([*parts, utr3]), features)


def build_promoter(rng: np.random.Generator, biology: Biology, utr5: int) -> np.ndarray:
    """CpG-rich DNA around the TSS with its elements, up to the base before the start codon; (UPSTREAM + utr5,)."""
    motifs, chains = biology.motifs, biology.chains
    near = PROMOTER_WINDOW[1]
    codes = np.concatenate([chains["island"].take(rng, UPSTREAM + near), chains["untranslated"].take(rng, utr5 - near)])
    put(codes, motifs["initiator"].sample(rng), UPSTREAM + INITIATOR_START)
    if rng.random() < TATA_SHARE:
        put(codes, motifs["tata"].sample(rng), UPSTREAM + int(rng.choice(TATA_STARTS)))
    else:
        put(codes, motifs["downstream"].sample(rng), UPSTREAM + DOWNSTREAM_START)
    for starts, share in ((PROXIMAL_SP1_STARTS, SP1_SHARE), (DISTAL_SP1_STARTS, 0.5)):
        if rng.random() < share:
            site = motifs["sp1"].sample(rng)
            put(codes, site if rng.random() < 0.5 else flip(site), UPSTREAM + int(rng.choice(starts)))
    # The Kozak context ends where the start codon begins; never over the downstream element.
    width = min(motifs["kozak"].width, utr5 - near)
    if width:
        put(codes, motifs["kozak"].sample(rng)[-width:], len(codes) - width)
    return codes


def intron_places(rng: np.random.Generator, biology: Biology, cds: np.ndarray) -> list[int]:
    """Where introns interrupt the coding sequence, offsets into `cds`; any codon phase.

    Exon bases beside an intron have their own consensus (MAG before, G after), which codons must spell too. So each
    intron is put near its intended place at an offset drawn in proportion to how well the codons there fit.
    """
    before, after = biology.motifs["donor_exon"], biology.motifs["acceptor_exon"]
    places: list[int] = []
    target = int(rng.integers(*EXON_STEP))
    while len(cds) - target >= EXON_STEP[0]:
        options = np.arange(target - 12, target + 13)
        windows = np.stack([cds[p - 3 : p + 1] for p in options])
        fit = np.exp(before.log_probability(windows, 0) + after.log_probability(windows, 3))
        places.append(int(rng.choice(options, p=fit / fit.sum())))
        target = places[-1] + int(rng.integers(*EXON_STEP))
    return places


def build_intron(rng: np.random.Generator, biology: Biology) -> np.ndarray:
    """Donor, T-rich body, branch point, pyrimidine tract, acceptor; codes (100..190,)."""
    motifs = biology.motifs
    tract = np.concatenate([motifs["pyrimidine"].sample(rng) for _ in range(TRACT_BASES)])
    tail = [
        motifs["branch_point"].sample(rng),
        biology.chains["intron"].take(rng, int(rng.choice(BRANCH_GAPS))),
        tract,
        motifs["acceptor_intron"].sample(rng),
    ]
    donor = motifs["donor_intron"].sample(rng)
    body = int(rng.integers(*INTRON_BASES)) - len(donor) - sum(map(len, tail))
    return np.concatenate([donor, biology.chains["intron"].take(rng, body), *tail])


def build_utr3(rng: np.random.Generator, biology: Biology) -> np.ndarray:
    """The 3' untranslated region with a polyadenylation signal 20 bases before its end."""
    codes = biology.chains["untranslated"].take(rng, int(rng.integers(*UTR3_BASES)))
    signal = biology.motifs["polyadenylation"].sample(rng)
    put(codes, signal, len(codes) - 20 - len(signal))
    return codes


def put(codes: np.ndarray, site: np.ndarray, start: int) -> None:
    """Write `site` over `codes` from `start` on, in place."""
    codes[start : start + len(site)] = site

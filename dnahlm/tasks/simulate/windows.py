"""Labelled rows for each task, cut out of the chromosomes of one split; a label is what the annotation says there."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dnahlm.dna import canonical, reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.simulate.genes import Feature
from dnahlm.tasks.simulate.genome import Chromosome
from dnahlm.tasks.simulate.models import decode

PROMOTER_BASES, SPLICE_BASES, CODING_BASES, BINDING_BASES = 100, 80, 120, 60
# Where the negatives of a task come from. Islands are CpG-rich without a promoter; intergenic DNA has gata, ap1 sites.
PROMOTER_NEGATIVES = {"intergenic": 0.45, "intron": 0.15, "CDS": 0.20, "island": 0.10, "repeat": 0.10}
SPLICE_NEGATIVES = {"intergenic": 0.40, "CDS": 0.40, "intron_body": 0.20}
CODING_NEGATIVES = {"intergenic": 0.55, "intron": 0.25, "repeat": 0.20}
BINDING_NEGATIVES = {"intergenic": 0.80, "intron": 0.10, "repeat": 0.10}
STOP_BASES = 3  # left out at the end of every coding exon, so that no coding row holds the stop codon
DECOY_SHARE = 0.5  # of splice negatives have GT or AG exactly where a real site would
MAX_TRIES = 2000  # draws for one row before giving up


@dataclass(frozen=True)
class Row:
    """One line of a labelled table."""

    sequence: str
    label: int


class Places:
    """The annotated chromosomes of one split, and random windows in them.

    Every window is new: neither it nor its reverse complement was handed out before, in any split that shares `seen`.
    """

    def __init__(self, chromosomes: list[Chromosome], rng: np.random.Generator, seen: set[str]) -> None:
        self.rng = rng
        self.seen = seen
        self.letters = [decode(chromosome.codes) for chromosome in chromosomes]
        self.features: dict[str, list[tuple[int, Feature]]] = {}
        self._ordered = [by_kind(chromosome.features) for chromosome in chromosomes]
        for index, ordered in enumerate(self._ordered):
            for kind, features in ordered.items():
                self.features.setdefault(kind, []).extend((index, feature) for feature in features)
        self._starts = {
            kind: [np.array([f.start for f in ordered[kind]]) for ordered in self._ordered]
            for kind in ("ctcf", "intergenic")
        }
        self._ends = [np.array([f.end for f in ordered["ctcf"]]) for ordered in self._ordered]

    def cut(self, index: int, start: int, end: int, strand: str) -> str:
        """Bases `start` to `end` of chromosome `index`, read on `strand`."""
        sequence = self.letters[index][start:end]
        return sequence if strand == "+" else reverse_complement(sequence)

    def new(self, sequence: str) -> bool:
        """Whether `sequence` was not handed out before on either strand; it is from now on."""
        name = canonical(sequence)
        if name in self.seen:
            return False
        self.seen.add(name)
        return True

    def has_site(self, index: int, start: int, end: int) -> bool:
        """Whether a CTCF-like site touches bases `start` to `end`."""
        n_begun = np.searchsorted(self._starts["ctcf"][index], end)
        return bool(n_begun > np.searchsorted(self._ends[index], start, side="right"))

    def around(self, kind: str, index: int, feature: Feature) -> Feature:
        """The feature of a kind, in chromosome `index`, within which `feature` lies."""
        at = int(np.searchsorted(self._starts[kind][index], feature.start, side="right")) - 1
        return self._ordered[index][kind][at]

    def shuffled(self, kind: str) -> Iterator[tuple[int, Feature]]:
        """All features of a kind, each once, in random order."""
        features = self.features.get(kind, [])
        for number in self.rng.permutation(len(features)):
            yield features[number]

    def long_enough(self, kind: str, length: int) -> list[tuple[int, Feature]]:
        """Features of a kind with at least `length` bases, each with its chromosome index."""
        return [item for item in self.features.get(kind, []) if item[1].end - item[1].start >= length]

    def inside(self, kind: str, length: int) -> Iterator[tuple[int, int, str]]:
        """Endless random windows of `length` bases inside features of a kind, which must be `long_enough`.

        Yields:
            chromosome index, start, strand of the feature.
        """
        features = self.long_enough(kind, length)
        room = np.cumsum([f.end - f.start - length + 1 for _, f in features])
        while True:
            for point in self.rng.integers(room[-1], size=256):
                index, feature = features[int(np.searchsorted(room, point, side="right"))]
                start = feature.start + int(self.rng.integers(feature.end - feature.start - length + 1))
                yield index, start, feature.strand


def by_kind(features: list[Feature]) -> dict[str, list[Feature]]:
    """Features by kind in genomic order; intergenic slots that touch become one, so that windows may cross them."""
    kinds: dict[str, list[Feature]] = {}
    for feature in sorted(features, key=lambda f: (f.start, f.end)):
        known = kinds.setdefault(feature.kind, [])
        if feature.kind == "intergenic" and known and known[-1].end == feature.start:
            known[-1] = Feature("intergenic", known[-1].start, feature.end)
        else:
            known.append(feature)
    return kinds


def promoter_rows(places: Places, n_rows: int) -> list[Row]:
    """1: the promoter window on the gene's strand; 0: other DNA, either strand."""
    rows = []
    for index, feature in places.shuffled("promoter"):
        sequence = places.cut(index, feature.start, feature.end, feature.strand)
        if len(rows) < n_rows // 2 and places.new(sequence):
            rows.append(Row(sequence, 1))
    return rows + negatives(places, PROMOTER_NEGATIVES, PROMOTER_BASES, len(rows), both_strands=True)


def splice_rows(places: Places, n_rows: int) -> list[Row]:
    """1: first intron base at the middle (donor); 2: first exon base at the middle (acceptor); 0: neither."""
    half = SPLICE_BASES // 2
    counts, rows = {1: 0, 2: 0}, []
    for index, intron in places.shuffled("intron"):
        for label in (1, 2):
            middle = intron.start if (label == 1) == (intron.strand == "+") else intron.end
            sequence = places.cut(index, middle - half, middle + half, intron.strand)
            if counts[label] < n_rows // 4 and places.new(sequence):
                counts[label] += 1
                rows.append(Row(sequence, label))
    n_negatives = len(rows)
    n_decoys = round(DECOY_SHARE * n_negatives)
    rows += negatives(places, SPLICE_NEGATIVES, SPLICE_BASES, n_negatives - n_decoys)
    rows += negatives(places, SPLICE_NEGATIVES, SPLICE_BASES, n_decoys // 2, must={half: "GT"})
    return rows + negatives(places, SPLICE_NEGATIVES, SPLICE_BASES, n_decoys - n_decoys // 2, must={half - 2: "AG"})


def coding_rows(places: Places, n_rows: int) -> list[Row]:
    """1: inside a coding exon in the sense direction, any frame; 0: DNA that codes for no protein."""
    rows: list[Row] = []
    for index, feature in places.shuffled("CDS"):
        first = feature.start + (STOP_BASES if feature.strand == "-" else 0)
        room = feature.end - feature.start - STOP_BASES - CODING_BASES
        if len(rows) == n_rows // 2 or room < 0:
            continue
        start = first + int(places.rng.integers(room + 1))
        sequence = places.cut(index, start, start + CODING_BASES, feature.strand)
        if places.new(sequence):
            rows.append(Row(sequence, 1))
    return rows + negatives(places, CODING_NEGATIVES, CODING_BASES, len(rows))


def binding_rows(places: Places, n_rows: int) -> list[Row]:
    """1: a CTCF-like site somewhere in the window, either strand; 0: none (sites of other factors may be there)."""
    rows: list[Row] = []
    for index, site in places.shuffled("ctcf"):
        if len(rows) == n_rows // 2:
            break
        # The site may lie anywhere in the window but not at its edge; the window stays between genes, as negatives do.
        around = places.around("intergenic", index, site)
        first = max(around.start, site.end + 2 - BINDING_BASES)
        last = min(around.end - BINDING_BASES, site.start - 2)
        start = int(places.rng.integers(first, last + 1))
        sequence = places.cut(index, start, start + BINDING_BASES, "+-"[int(places.rng.integers(2))])
        if places.new(sequence):
            rows.append(Row(sequence, 1))
    return rows + negatives(places, BINDING_NEGATIVES, BINDING_BASES, len(rows), both_strands=True)


def negatives(
    places: Places,
    shares: dict[str, float],
    length: int,
    n_rows: int,
    both_strands: bool = False,
    must: dict[int, str] | None = None,
) -> list[Row]:
    """`n_rows` rows with label 0 from the kinds of regions in `shares`, free of N and of CTCF-like sites.

    Args:
        places: where to cut.
        shares: kind of region -> share of the rows.
        length: bases of a row.
        n_rows: how many; exactly this many come back.
        both_strands: read genes against their sense in half of the rows. DNA between genes has no sense: always both.
        must: offset -> letters that have to stand there (decoys).
    """
    # A split of a small genome may lack a rare kind (a repeat that is long enough); the others fill its share.
    known = {kind: share for kind, share in shares.items() if places.long_enough(kind, length)}
    total = sum(known.values())
    kinds = list(places.rng.choice(list(known), size=n_rows, p=[share / total for share in known.values()]))
    sources = {kind: places.inside(kind, length) for kind in dict.fromkeys(kinds)}
    return [Row(negative(places, sources[kind], str(kind), length, both_strands, must or {}), 0) for kind in kinds]


def negative(
    places: Places,
    source: Iterator[tuple[int, int, str]],
    kind: str,
    length: int,
    both_strands: bool,
    must: dict[int, str],
) -> str:
    """One negative: windows are drawn until one is new and as it must be.

    Raises:
        InputError: none was found, because the genome is too small for that many different rows.
    """
    free_strand = both_strands or kind not in ("intron", "intron_body", "CDS")
    for _ in range(MAX_TRIES):
        index, start, strand = next(source)
        if places.has_site(index, start, start + length):
            continue
        sequence = places.cut(
            index, start, start + length, "+-"[int(places.rng.integers(2))] if free_strand else strand
        )
        wanted = all(sequence.startswith(letters, offset) for offset, letters in must.items())
        if wanted and "N" not in sequence and places.new(sequence):
            return sequence
    raise InputError(
        f"scale: the simulated chromosomes are too small for {kind} rows that differ. Give a larger scale."
    )


ROWS = {
    "promoter": promoter_rows,
    "splice_site": splice_rows,
    "coding": coding_rows,
    "tf_binding": binding_rows,
}

"""Pairs of a coding window and a protein segment: true ones, and three kinds of false ones.

- `decidable`: the segment of a gene of another family, equal in length and near in composition. No frame of the window
  shares `SEED` residues in a row with it, so any six-frame translator can tell.
- `hard_segment`: a segment of the gene's own protein that runs out of the window: half to four fifths of it are coded.
- `hard_frameshift`: the right segment, but the window lacks one base in the middle half of it (and has one more at its
  3' end), so no frame codes it whole.

A six-frame translator that asks for the whole segment tells the hard kinds too, one that is content with `SEED`
residues calls them all coding. A synonymous window is no negative: it codes for the protein. Each false pair is built
from a true one and keeps its window or its segment; only the frame shift leaves a trace in the DNA alone, which the
`open_frame` baseline measures.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from dnahlm.dna import canonical
from dnahlm.io import InputError
from dnahlm.tasks.pairs.coding_windows import CodingWindow, on_strand
from dnahlm.tasks.pairs.splits import spread
from dnahlm.tasks.pairs.translator import SEED, codes_exactly, shares_seed

CODING, NOT_CODING = "1", "0"
POSITIVE = "none"  # what the negative_kind column holds in a positive row
KINDS = ("decidable", "hard_segment", "hard_frameshift")
SURPLUS = 1.2  # windows drawn for each positive: choice for partners and for kinds that a window cannot serve
NEAREST = 30  # partners tried for one window
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True)
class Rules:
    """What every pair keeps to."""

    hard_share: float  # of the negatives, half of each hard kind
    tolerance: float  # on the composition of `decidable` segments; see `Partners.near`
    code: int  # NCBI translation table


@dataclass(frozen=True)
class CodingRow:
    """One row of the table; fields are its columns."""

    sequence: str
    protein: str
    label: str
    negative_kind: str
    frame: int  # of the window in its own gene, on `strand`; with a frame shift, before it
    strand: str
    source: str  # window|segment, each `gene:start-end`, bases and residues, 0-based half-open


class Partners:
    """The segments of a pool of windows, found by length, family and composition."""

    def __init__(self, pool: list[CodingWindow], family_of: dict[str, int], rules: Rules) -> None:
        import numpy as np

        self.pool, self.rules = pool, rules
        counts = [[window.segment.count(residue) for residue in RESIDUES] for window in pool]
        self.counts = np.array(counts, dtype=np.int16)  # (windows, 20)
        self.lengths = np.array([window.residues for window in pool])
        self.families = np.array([family_of[window.gene.name] for window in pool])
        self.used = np.zeros(len(pool), dtype=bool)

    def near(self, index: int) -> list[int]:
        """Windows of other families whose segments are as long and near in composition; unused first, then nearest.

        Near: at most the share `tolerance` of the residues would have to be changed to give the same composition.
        """
        import numpy as np

        changed = np.abs(self.counts - self.counts[index]).sum(axis=1) / 2
        fits = (self.lengths == self.lengths[index]) & (self.families != self.families[index])
        found = np.flatnonzero(fits & (changed <= self.rules.tolerance * self.lengths[index]))
        return found[np.lexsort((changed[found], self.used[found]))][:NEAREST].tolist()


def build_split(
    windows: Iterable[CodingWindow],
    n_rows: int,
    rules: Rules,
    family_of: dict[str, int],
    seen: set[str],
    rng: random.Random,
) -> tuple[list[CodingRow], dict[str, int]]:
    """The rows of one split in random order, half of each label; and counts.

    Args:
        windows: of the split's genes.
        n_rows: rows wanted.
        rules: shares and bounds.
        family_of: gene name -> number of its family.
        seen: windows and segments of this and earlier splits, not to be used again; added to.
        rng: source of chance.

    Raises:
        InputError: the genes give fewer rows.
    """
    n_hard = round(n_rows // 2 * rules.hard_share)
    left = dict(zip(KINDS, (n_rows // 2 - n_hard, *spread(n_hard, 2)), strict=True))
    pool = draw_pool(windows, int(n_rows // 2 * SURPLUS) + 8, seen)
    partners = Partners(pool, family_of, rules)
    rows: list[CodingRow] = []
    counts = {"windows_drawn": len(pool), "windows_without_negative": 0}
    for index, window in enumerate(pool):
        if not any(left.values()):
            break
        for kind in sorted((k for k in left if left[k]), key=lambda k: -left[k] * rng.random()):
            false = make_negative(kind, index, partners, rng)
            if false is not None:
                rows += [positive(window), false]
                left[kind] -= 1
                break
        else:
            counts["windows_without_negative"] += 1
    if len(rows) < n_rows:
        raise InputError(
            f"{len(rows)} of the {n_rows} rows could be made: {len(pool)} windows that do not overlap or repeat are in "
            "the genes of this split. Give more coding sequences, fewer rows, a smaller --bases, or a larger "
            "--composition_tolerance."
        )
    return rng.sample(rows, len(rows)), counts | {kind: sum(r.negative_kind == kind for r in rows) for kind in KINDS}


def draw_pool(windows: Iterable[CodingWindow], n: int, seen: set[str]) -> list[CodingWindow]:
    """Up to `n` windows whose DNA (either strand) and segment were not used before."""
    pool = []
    for window in windows:
        names = {canonical(window.sequence), window.segment}
        if not names & seen:
            seen |= names
            pool.append(window)
        if len(pool) == n:
            break
    return pool


def positive(window: CodingWindow) -> CodingRow:
    """The row of a window and what it codes."""
    return row(window, window.sequence, window.segment, window.first, POSITIVE)


def make_negative(kind: str, index: int, partners: Partners, rng: random.Random) -> CodingRow | None:
    """A false pair of one kind, built from a window of the pool; None when it cannot be."""
    window = partners.pool[index]
    if kind == "decidable":
        return decidable(index, partners)
    made = hard_segment(window, rng) if kind == "hard_segment" else hard_frameshift(window, rng)
    return made if made is not None and not codes_exactly(made.sequence, made.protein, partners.rules.code) else None


def decidable(index: int, partners: Partners) -> CodingRow | None:
    """The window with the segment of another family's gene."""
    window = partners.pool[index]
    for other in partners.near(index):
        partner = partners.pool[other]
        if not shares_seed(window.sequence, partner.segment, partners.rules.code):
            partners.used[other] = True
            return row(window, window.sequence, partner.segment, partner.first, "decidable", partner)
    return None


def hard_segment(window: CodingWindow, rng: random.Random) -> CodingRow | None:
    """The window with a segment of its own protein that begins before or ends after what the window codes."""
    n = window.residues
    overlap = rng.randint(max(SEED, (n + 1) // 2), max(SEED, n * 4 // 5))
    begin, end = window.coded
    for first in rng.sample([begin + overlap - n, end - overlap], 2):
        if 0 <= first <= len(window.gene.protein) - n:
            segment = window.gene.protein[first : first + n]
            return row(window, window.sequence, segment, first, "hard_segment")
    return None


def hard_frameshift(window: CodingWindow, rng: random.Random) -> CodingRow:
    """The window without one base inside its segment; the base after its 3' end keeps the length."""
    margin = max(SEED, window.residues // 4)  # residues in frame before and after the shift
    codon = window.skipped + rng.randint(margin, window.residues - margin - 1)
    lost = window.frame + 3 * codon + rng.randrange(3)
    longer = window.gene.cds[window.start : window.start + window.bases + 1]
    broken = on_strand(longer[:lost] + longer[lost + 1 :], window.strand)
    where = f"{window.gene.name}:{window.start}-{window.start + len(longer)} without {window.start + lost}"
    return row(window, broken, window.segment, window.first, "hard_frameshift", where=where)


def row(
    window: CodingWindow,
    sequence: str,
    segment: str,
    first: int,
    kind: str,
    partner: CodingWindow | None = None,
    where: str = "",
) -> CodingRow:
    """A row; the segment starts at residue `first` of the partner's protein, or of the window's own."""
    gene = (partner or window).gene
    source = f"{where or window.source}|{gene.name}:{first}-{first + len(segment)}"
    label = CODING if kind == POSITIVE else NOT_CODING
    return CodingRow(sequence, segment, label, kind, window.frame, window.strand, source)

"""Pairs of DNA windows: mutated copies as positives, and the same copies re-paired as negatives.

Each window stands in one row of either label, and the copies of both labels come from one pool, so neither sequence of
a pair tells the label by itself.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.tasks.pairs.align import identity, local_score
from dnahlm.tasks.pairs.mutate import Band, copy_within, gc_bases
from dnahlm.tasks.pairs.regions import Window, Windows
from dnahlm.tasks.pairs.splits import spread

SIMILAR, UNRELATED = "1", "0"
NO_BAND = "unrelated"  # what the band column holds in a negative row
SURPLUS = 1.3  # copies made for each one needed: partners for negatives at the ends of the GC range


@dataclass(frozen=True)
class Rules:
    """What every pair keeps to."""

    lengths: list[int]  # bases
    bands: list[Band]
    gc_tolerance: float  # largest difference in GC share between the two sequences of any pair
    most_alike: float  # best local alignment score per base that a negative may reach, on either strand
    both_strands: bool


@dataclass(frozen=True)
class PairRow:
    """One row of the table; fields are its columns."""

    sequence1: str
    sequence2: str
    label: str
    identity: float
    band: str
    strand: str  # of sequence2: - when it is the reverse complement of what was copied
    source1: str
    source2: str


@dataclass(frozen=True)
class Copy:
    """A window, its mutated copy (already on `strand`), and their identity."""

    window: Window
    copy: str
    identity: float
    band: Band
    strand: str


def build_split(windows: Windows, n_rows: int, rules: Rules, rng: random.Random) -> tuple[list[PairRow], dict]:
    """The rows of one split in random order, half of each label, spread evenly over lengths and bands; and counts.

    Raises:
        InputError: the DNA gives fewer rows.
    """
    cells = [(length, band) for length in rules.lengths for band in rules.bands]
    quotas = dict(zip(cells, spread(n_rows // 2, len(cells)), strict=True))
    rows: list[PairRow] = []
    counts = {"copies_made": 0, "copies_without_partner": 0, "partners_used_again": 0}
    for length in rules.lengths:
        needed = {band: quotas[length, band] for band in rules.bands}
        pool = make_pool(windows, length, needed, rules, rng)
        counts["copies_made"] += len(pool)
        rows += pair_up(pool, needed, rules, counts)
    if len(rows) < n_rows:
        raise InputError(
            f"{len(rows)} of the {n_rows} rows could be made: the DNA of this split is used up (each base serves one "
            "window). Give more DNA, fewer rows, or a larger --gc_tolerance or --most_alike."
        )
    return rng.sample(rows, len(rows)), counts | windows.counts


def make_pool(windows: Windows, length: int, needed: dict[Band, int], rules: Rules, rng: random.Random) -> list[Copy]:
    """Copies of one length in random order, more than needed of each band, or as many as the DNA gives."""
    wanted = [band for band, n in needed.items() for _ in range(int(n * SURPLUS) + 8)]
    rng.shuffle(wanted)
    pool = []
    for window in windows.draw(length):
        if (made := copy_within(window.sequence, wanted[-1], rules.gc_tolerance, rng)) is not None:
            copy, achieved = made
            strand = rng.choice("+-") if rules.both_strands else "+"
            copy = copy if strand == "+" else reverse_complement(copy)
            pool.append(Copy(window, copy, achieved, wanted.pop(), strand))
        if not wanted:
            break
    return pool


def pair_up(pool: list[Copy], needed: dict[Band, int], rules: Rules, counts: dict[str, int]) -> list[PairRow]:
    """A positive and a negative row for each copy that is needed and finds a partner.

    Args:
        pool: copies of one length.
        needed: positives per band.
        rules: bounds on GC and likeness.
        counts: added to.
    """
    by_gc: dict[int, list[int]] = defaultdict(list)
    for index, made in enumerate(pool):
        by_gc[gc_bases(made.copy)].append(index)
    left, used, rows = dict(needed), set(), []
    for index, made in enumerate(pool):
        if not left[made.band]:
            continue
        partner = find_partner(index, pool, by_gc, used, rules)
        if partner is None:
            counts["copies_without_partner"] += 1
            continue
        counts["partners_used_again"] += partner in used
        used.add(partner)
        left[made.band] -= 1
        rows += [positive(made), negative(made.window, pool[partner])]
    return rows


def find_partner(index: int, pool: list[Copy], by_gc: dict[int, list[int]], used: set[int], rules: Rules) -> int | None:
    """Index of a copy of another window, nearest in GC to the copy it replaces and unlike the window; unused first."""
    mine = pool[index]
    allowed = rules.gc_tolerance * len(mine.copy) + 1e-9
    candidates = [
        other
        for gc in outward(gc_bases(mine.copy), int(allowed))
        if abs(gc - gc_bases(mine.window.sequence)) <= allowed
        for other in by_gc.get(gc, ())
        if other != index
    ]
    for other in sorted(candidates, key=used.__contains__):  # stable: the nearest in GC stay first
        if local_score(mine.window.sequence, pool[other].copy) <= rules.most_alike:
            return other
    return None


def outward(middle: int, distance: int) -> Iterator[int]:
    """Whole numbers from the middle outward.

    >>> list(outward(5, 2))
    [5, 4, 6, 3, 7]
    """
    yield middle
    for step in range(1, distance + 1):
        yield from (middle - step, middle + step)


def positive(made: Copy) -> PairRow:
    """The row of a window and its own copy."""
    source = made.window.source
    return PairRow(
        made.window.sequence, made.copy, SIMILAR, round(made.identity, 4), made.band.name, made.strand, source, source
    )


def negative(window: Window, other: Copy) -> PairRow:
    """The row of a window and another window's copy; its identity is the better of both strands."""
    aligned = max(identity(window.sequence, c) for c in (other.copy, reverse_complement(other.copy)))
    return PairRow(
        window.sequence, other.copy, UNRELATED, round(aligned, 4), NO_BAND, other.strand, window.source,
        other.window.source,
    )  # fmt: skip


def as_dicts(rows: list[PairRow]) -> list[dict[str, str | float]]:
    """Rows for the CSV writer."""
    return [asdict(row) for row in rows]

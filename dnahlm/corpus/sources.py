"""Which files a corpus is made of, and the first reading of each: sizes, duplicates, and what goes to validation."""

import hashlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.config import did_you_mean
from dnahlm.dna import canonical
from dnahlm.io import InputError
from dnahlm.readers.intervals import merged_regions
from dnahlm.readers.sequences import read_dna
from dnahlm.readers.text import read_documents


@dataclass
class Source:
    """One input file and what its first reading found."""

    path: Path
    name: str  # relative to the data root where it lies inside
    kind: str  # dna | text
    counts: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)  # dna: record id -> bases, without held-out and doubled records
    # dna: record id -> 0-based base from which it is validation; text: under "" the same in characters.
    validation_from: dict[str, int] = field(default_factory=dict)
    # dna: record id -> merged (start, end) that may be used, sorted; None = all of every record
    regions: dict[str, list[tuple[int, int]]] | None = None

    def parts(self, record_id: str, start: int, end: int) -> list[tuple[int, int]]:
        """What of bases `start` to `end` of a record may be used.

        >>> Source(Path("x"), "x", "dna", regions={"chr1": [(10, 20), (30, 40)]}).parts("chr1", 15, 35)
        [(15, 20), (30, 35)]
        """
        if self.regions is None:
            return [(start, end)]
        clipped = [(max(a, start), min(b, end)) for a, b in self.regions.get(record_id, [])]
        return [(a, b) for a, b in clipped if a < b]


def find_sources(patterns: list[str], data_root: str, kind: str) -> list[Source]:
    """The files that paths or glob patterns (relative to `data_root`) name, each once, in order.

    Raises:
        InputError: a pattern that matches nothing.
    """
    root = Path(data_root)
    found: dict[Path, Source] = {}
    for pattern in patterns:
        paths = [root / pattern] if (root / pattern).is_file() else expand(root, pattern)
        if not paths:
            is_folder = (root / pattern).is_dir()
            folder = root / pattern if is_folder else (root / pattern).parent
            holds = ", ".join(sorted(p.name for p in folder.iterdir())[:12]) if folder.is_dir() else ""
            seen = f"{folder} holds {holds or 'nothing'}" if folder.is_dir() else f"there is no folder {folder}"
            raise InputError(
                f"{root / pattern}: {'is a folder; ' if is_folder else ''}no file matches (under `{kind}`); {seen}. "
                "Fix the name or pattern, or point data_root to the folder that holds it."
            )
        for path in paths:
            name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
            found.setdefault(path.resolve(), Source(path, name, kind))
    return list(found.values())


def expand(root: Path, pattern: str) -> list[Path]:
    """Files that match a glob pattern under `root`, or an absolute one, in order."""
    if Path(pattern).is_absolute():
        root = Path(Path(pattern).anchor)
        pattern = str(Path(pattern).relative_to(root))
    try:
        return sorted(path for path in root.glob(pattern) if path.is_file())
    except (ValueError, IndexError):  # an empty pattern, "." or a misplaced "**"
        return []


def restrict(sources: list[Source], bed: str, data_root: str) -> None:
    """Let only the intervals of a BED file be used of the DNA sources; `check_regions` comes after they were read.

    Raises:
        InputError: the BED file cannot be read.
    """
    regions = merged_regions(Path(data_root) / bed)
    for source in sources:
        if source.kind == "dna":
            source.regions = regions


def check_regions(bed: str, regions: dict[str, list[tuple[int, int]]], lengths: dict[str, int]) -> None:
    """Raise `InputError` for an interval on a chromosome no file has, or beyond its end (`lengths` in bases)."""
    for chrom, parts in regions.items():
        if chrom not in lengths:
            hint = did_you_mean(chrom, list(lengths))[:300]
            raise InputError(f"{bed}: chromosome {chrom!r} is a record of no DNA file. {hint}")
        if parts[-1][1] > lengths[chrom]:
            raise InputError(
                f"{bed}: an interval of {chrom} ends at {parts[-1][1]:,}, beyond its {lengths[chrom]:,} bases. "
                "Is the BED file made for another assembly?"
            )


def survey_dna(source: Source, held_out: set[str], seen: set[bytes], lengths: dict[str, int]) -> set[str]:
    """Read a sequence file once: check every letter, note the records to use and count the others.

    Args:
        source: `used` and `counts` are filled.
        held_out: record ids that stay out of the corpus.
        seen: digests of the records of earlier files; a record that is there, on either strand, is dropped.
        lengths: gets the bases of every record.

    Returns:
        the ids in `held_out` that the file has.
    """
    found = set()
    counts = dict.fromkeys(("records", "bases", "lower_case_bases", "ambiguous_letters_to_n"), 0)
    counts |= dict.fromkeys(("held_out_records", "held_out_bases", "duplicate_records", "duplicate_bases"), 0)
    counts |= {} if source.regions is None else {"bases_outside_regions": 0}
    for record in read_dna(source.path):
        counts["records"] += 1
        counts["bases"] += len(record.sequence)
        lengths[record.id] = max(len(record.sequence), lengths.get(record.id, 0))
        counts["lower_case_bases"] += record.n_lower
        counts["ambiguous_letters_to_n"] += record.n_ambiguous
        digest = hashlib.blake2b(canonical(record.sequence).encode(), digest_size=16).digest()
        if record.id in held_out:
            counts["held_out_records"] += 1
            counts["held_out_bases"] += len(record.sequence)
            found.add(record.id)
        elif digest in seen:
            counts["duplicate_records"] += 1
            counts["duplicate_bases"] += len(record.sequence)
        else:
            seen.add(digest)
            inside = sum(b - a for a, b in source.parts(record.id, 0, len(record.sequence)))
            if source.regions is not None:
                counts["bases_outside_regions"] += len(record.sequence) - inside
            if inside:
                source.used[record.id] = inside
    source.counts = counts
    return found


def plan_dna_validation(source: Source, share: float, smallest: int, seed: int) -> None:
    """Set aside about `share` of a file's bases for validation, in whole records where they are small enough.

    Records are taken in the order of a hash of their ids. When that gives less than half of the share (one record, or
    records much larger than the share), the last part of the next record is taken too, so that it touches train once.

    Args:
        source: `validation_from` is filled.
        share: of the file's used bases.
        smallest: bases; the shortest part of a record worth setting aside.
        seed: mixed into the hash.
    """
    target = share * sum(source.used.values())
    order = sorted(source.used, key=lambda record_id: hashlib.sha256(f"{seed}:{record_id}".encode()).digest())
    taken = 0
    for record_id in order:
        if taken + source.used[record_id] <= target:
            source.validation_from[record_id] = 0
            taken += source.used[record_id]
    if taken >= target / 2:
        return
    part = max(round(target - taken), smallest)
    for record_id in order:
        if record_id not in source.validation_from and source.used[record_id] >= 2 * part:
            source.validation_from[record_id] = border(source, record_id, part)
            return


def border(source: Source, record_id: str, part: int) -> int:
    """The place in a record after which `part` of its usable bases lie."""
    if source.regions is None:
        return source.used[record_id] - part
    for start, end in reversed(source.regions[record_id]):
        if end - start >= part:
            return end - part
        part -= end - start
    return 0


def survey_text(source: Source, share: float) -> None:
    """Read a text file once; its last records, about `share` of the characters and at least one, are validation."""
    starts, lengths, n_documents = array("q"), array("q"), 0  # of records: a record is never parted
    for document in read_documents(source.path):
        n_documents += 1
        if document.opens_record:
            starts.append(document.start)
            lengths.append(0)
        lengths[-1] += len(document.text)
    n_characters = sum(lengths)
    source.counts = {"records": len(starts), "documents": n_documents, "characters": n_characters}
    boundary, taken = None, 0
    for start, length in zip(reversed(starts[1:]), reversed(lengths[1:]), strict=True):  # the first is always train
        if boundary is not None and taken + length > share * n_characters:
            break
        boundary, taken = start, taken + length
    source.validation_from[""] = starts[0] + 1 if boundary is None else boundary
    source.counts["validation_records"] = sum(start >= source.validation_from[""] for start in starts)

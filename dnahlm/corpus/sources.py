"""Which files a corpus is made of, and the first reading of each: sizes, duplicates, and what goes to validation."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.dna import canonical
from dnahlm.io import InputError
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


def survey_dna(source: Source, held_out: set[str], seen: set[bytes]) -> set[str]:
    """Read a sequence file once: check every letter, note the records to use and count the others.

    Args:
        source: `used` and `counts` are filled.
        held_out: record ids that stay out of the corpus.
        seen: digests of the records of earlier files; a record that is there, on either strand, is dropped.

    Returns:
        the ids in `held_out` that the file has.
    """
    found = set()
    counts = dict.fromkeys(("records", "bases", "ambiguous_letters_to_n"), 0)
    counts |= dict.fromkeys(("held_out_records", "held_out_bases", "duplicate_records", "duplicate_bases"), 0)
    for record in read_dna(source.path):
        counts["records"] += 1
        counts["bases"] += len(record.sequence)
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
            source.used[record.id] = len(record.sequence)
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
            source.validation_from[record_id] = source.used[record_id] - part
            return


def survey_text(source: Source, share: float) -> None:
    """Read a text file once; its last documents, about `share` of the characters and at least one, are validation."""
    places = [(document.start, len(document.text)) for document in read_documents(source.path)]
    n_characters = sum(length for _, length in places)
    source.counts = {"documents": len(places), "characters": n_characters}
    boundary, taken = None, 0
    for start, length in reversed(places[1:]):  # the first document is always train
        if boundary is not None and taken + length > share * n_characters:
            break
        boundary, taken = start, taken + length
    source.validation_from[""] = places[0][0] + 1 if boundary is None else boundary

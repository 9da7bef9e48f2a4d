"""BED intervals with the bases they name in a genome, as a stream of rows.

BED is text, one interval a line, fields parted by tabs (or by blanks in a file without tabs):
`chrom start end [name score strand thickStart thickEnd itemRgb blockCount blockSizes blockStarts]`.
Positions count bases from 0 and `end` is not part of the interval. Lines starting with `#`, `track` or `browser` are no
intervals; a `#` line right before the first interval, with as many fields, names the fields from the fourth on.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError, open_text
from dnahlm.readers.sequences import read_sequences
from dnahlm.readers.tables import Row, check_values, require_columns, shown

PLACE = ["chrom", "start", "end"]
NAMES = [*PLACE, "name", "score", "strand", "thickStart", "thickEnd", "itemRgb", "blockCount", "blockSizes",
         "blockStarts"]  # fmt: skip
WHOLE = re.compile(r"[0-9]{1,15}")
SEQUENCE = "sequence"  # the column that holds the bases


@dataclass(slots=True)
class Interval:
    """One line of a BED file: bases `start` to `end` (0-based, half-open) of a strand of a chromosome."""

    chrom: str
    start: int
    end: int
    reverse: bool
    text: str  # all fields, as in the file: a million split lines would take a gigabyte
    line: int
    sequence: str = ""  # 5' to 3' of its strand; set once the genome has been read


def read_intervals(path: str | Path, columns: Sequence[str], genome: str | Path) -> Iterator[Row]:
    """Yield one row per interval, in the order of the file, its bases in the column `sequence`.

    The genome is read once, chromosome by chromosome, and only the intervals' bases are kept. A `.gz` genome works as
    well, and no index is written beside it (pyfaidx would write one, and refuses plain gzip).
    Memory, measured on 2 cores of an AMD EPYC with AVX-512-BF16, 2026-11-25: 0.46 GB for the longest chromosome, of
    50 million bases in lines of 100, in the parser, and 0.35 GB for 1,000,000 intervals of 100 bases.

    Args:
        path: BED file, UTF-8, LF or CRLF, plain or `.gz`.
        columns: `sequence`, and any field of the file by its name.
        genome: FASTA or GenBank, plain or `.gz`; letters and case come as in the file, on the minus strand too.

    Raises:
        InputError: what `dnahlm.readers.sequences.read_sequences` refuses; no intervals; a missing column; a line with
            another number of fields, positions that are no whole numbers, start >= end, a strand other than + - . ;
            a chromosome the genome lacks, an end beyond it. All but the first name the line, before any row is given.
    """
    names, tabs, intervals = read_bed(Path(path))
    if SEQUENCE in names:
        raise InputError(f"{path}: its header names a field {SEQUENCE!r}, which is what the bases from the genome are "
                         "called. Rename the field.")  # fmt: skip
    require_columns(str(path), [*names, SEQUENCE], columns, "A # line before the first interval can name the fields.")
    cut_sequences(Path(path), intervals, genome)
    for interval in intervals:
        fields = dict(zip(names, split_fields(interval.text, tabs), strict=True), **{SEQUENCE: interval.sequence})
        values = {name: fields[name] for name in columns}
        check_values(f"{path}:{interval.line}", values)
        yield Row(values, f"{path}:{interval.line}")


def merged_regions(path: str | Path) -> dict[str, list[tuple[int, int]]]:
    """Chromosome -> its intervals, sorted and merged where they touch or overlap, whatever their strand.

    Raises:
        InputError: as `read_intervals`, as far as it can be told without the genome.
    """
    regions: dict[str, list[tuple[int, int]]] = {}
    for interval in sorted(read_bed(Path(path))[2], key=lambda i: (i.chrom, i.start)):
        found = regions.setdefault(interval.chrom, [])
        if found and interval.start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], interval.end)
        else:
            found.append((interval.start, interval.end))
    return regions


def read_bed(path: Path) -> tuple[list[str], bool, list[Interval]]:
    """Names of the fields, whether tabs part them, and the intervals of a BED file.

    Raises:
        InputError: as `read_intervals`, as far as it can be told without the genome.
    """
    names: list[str] = []
    intervals: list[Interval] = []
    comment, tabs = "", False
    with open_text(path, "BED file") as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith("#"):
                comment = line[1:]
            if not line.strip() or line.startswith("#") or line.split()[0] in ("track", "browser"):
                continue
            tabs = "\t" in line if not intervals else tabs
            fields = split_fields(line, tabs)
            names = names or field_names(f"{path}:{number}", split_fields(comment, tabs), len(fields))
            intervals.append(make_interval(f"{path}:{number}", names, fields, line, number))
    if not intervals:
        raise InputError(f"{path}: holds no interval. A BED line is chrom, start, end, parted by tabs.")
    return names, tabs, intervals


def split_fields(line: str, tabs: bool) -> list[str]:
    r"""The fields of one line, blanks around them dropped.

    >>> split_fields("chr1\t0\t 5\r\n", True), split_fields("chr1 0  5\n", False)
    (['chr1', '0', '5'], ['chr1', '0', '5'])
    """
    return [field.strip() for field in line.strip("\r\n").split("\t")] if tabs else line.split()


def field_names(where: str, header: list[str], n_fields: int) -> list[str]:
    """Names of the fields: those of the standard, from the fourth on those of the header where there is one.

    Raises:
        InputError: fewer than three fields.

    >>> field_names("x.bed:2", ["chrom", "chromStart", "chromEnd", "label"], 4)
    ['chrom', 'start', 'end', 'label']
    >>> field_names("x.bed:1", [], 5)
    ['chrom', 'start', 'end', 'name', 'score']
    """
    if n_fields < len(PLACE):
        raise InputError(f"{where}: found {n_fields} fields; a BED line is chrom, start, end [, ...], parted by tabs.")
    if len(header) == n_fields:
        return [*PLACE, *header[3:]]
    return [*NAMES[:n_fields], *(f"field{i + 1}" for i in range(len(NAMES), n_fields))]


def make_interval(where: str, names: list[str], fields: list[str], text: str, line: int) -> Interval:
    """One checked interval.

    Raises:
        InputError: another number of fields, positions that are no whole numbers, start >= end, an unknown strand.
    """
    if len(fields) != len(names):
        raise InputError(
            f"{where}: found {len(fields)} fields where the first interval has {len(names)}. Fix the line (tabs part "
            "the fields of a file with tabs)."
        )
    chrom, start, end = fields[:3]
    if not (WHOLE.fullmatch(start) and WHOLE.fullmatch(end)):
        header = " A line that names the fields begins with #." if start.isalpha() else ""
        raise InputError(
            f"{where}: start {start[:30]!r} and end {end[:30]!r} must be whole numbers of bases, 0 or more.{header}"
        )
    if int(start) >= int(end):
        raise InputError(
            f"{where}: start {start} is not before end {end}. BED counts from 0 and leaves the end base out: "
            "the first base alone is 0 1."
        )
    strand = fields[names.index("strand")] if "strand" in names else "."
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: strand {strand[:30]!r} is not one of + - . (the last: none, read as +).")
    return Interval(sys.intern(chrom), int(start), int(end), strand == "-", text, line)


def cut_sequences(path: Path, intervals: list[Interval], genome: str | Path) -> None:
    """Set `sequence` of each interval.

    Raises:
        InputError: a chromosome that the genome lacks, an end beyond its chromosome; the first such line is named.
    """
    wanted: dict[str, list[Interval]] = {}
    for interval in intervals:
        wanted.setdefault(interval.chrom, []).append(interval)
    bases: dict[str, int] = {}
    for record in read_sequences(genome):
        bases[record.id] = len(record.sequence)
        for interval in wanted.get(record.id, ()):
            piece = record.sequence[interval.start : interval.end]
            interval.sequence = reverse_complement(piece) if interval.reverse else piece
    for interval in intervals:
        if interval.end > bases.get(interval.chrom, -1):
            refuse_place(f"{path}:{interval.line}", interval, bases, genome)


def refuse_place(where: str, interval: Interval, bases: dict[str, int], genome: str | Path) -> None:
    """Raise `InputError` for an interval that does not lie in the genome."""
    chrom = interval.chrom
    if chrom in bases:
        raise InputError(
            f"{where}: end {interval.end:,} is beyond {chrom}, which has {bases[chrom]:,} bases in {genome}. "
            "Is the BED file made for another assembly?"
        )
    raise InputError(
        f"{where}: chromosome {chrom!r} is not in {genome}, which has {shown(list(bases)[:5])}"
        f"{f' and {len(bases) - 5:,} more' if len(bases) > 5 else ''}. {how_to_rename(chrom, bases)}"
    )


def how_to_rename(chrom: str, bases: Iterable[str]) -> str:
    """What to do about a chromosome that a genome calls otherwise, or lacks.

    >>> how_to_rename("chr1", ["1", "2"])
    "It calls it '1': write 1 for chr1 in the BED file."
    """
    bare = bare_name(chrom)
    if other := next((name for name in bases if bare_name(name) == bare), None):
        return f"It calls it {other!r}: write {other} for {chrom} in the BED file."
    return (
        "Names must be the same in both files: rename the chromosomes in the BED file (the assembly report of a NCBI "
        "genome says which accession is which chromosome), remove the line, or give the genome it was made for."
    )


def bare_name(chrom: str) -> str:
    """A chromosome's name without what sources write in different ways: `chr`, case, M and MT.

    >>> bare_name("Chr01"), bare_name("chrM"), bare_name("X")
    ('1', 'mt', 'x')
    """
    bare = chrom.lower().removeprefix("chr").lstrip("0")
    return "mt" if bare == "m" else bare

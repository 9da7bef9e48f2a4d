"""A sequence file from outside: its format, by the name, and the line on which something stands in it.

Lines are looked up by a reading of their own, and only when something is wrong.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from dnahlm.dna import normalize
from dnahlm.io import InputError, open_text

FORMATS = {
    **dict.fromkeys((".fa", ".fasta", ".fna", ".ffn", ".frn", ".faa"), "fasta"),
    **dict.fromkeys((".fq", ".fastq"), "fastq"),
    **dict.fromkeys((".gb", ".gbk", ".genbank"), "genbank"),
}
MARKERS = {"fasta": ">", "fastq": "@", "genbank": "LOCUS"}  # what the first line of a record starts with


def sequence_format(path: Path) -> str:
    """`fasta`, `fastq` or `genbank`, by the extension.

    Raises:
        InputError: an extension not in `FORMATS`.

    >>> sequence_format(Path("genome.FA.gz"))
    'fasta'
    """
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"{path}: extension {suffix!r} is not one of a DNA sequence file. "
            f"Allowed: {' '.join(FORMATS)}, each also with .gz. Rename or convert the file."
        )
    return FORMATS[suffix]


def first_line_of(path: Path, record_id: str) -> int:
    """Number of the header line of a record, 1 when it cannot be told."""
    return next(iter(lines_of(path, record_id)), 1)


def lines_of(path: Path, record_id: str) -> list[int]:
    """Numbers of the header lines that carry `record_id`."""
    kind = sequence_format(path)
    prefixes = ("VERSION", "ACCESSION", "LOCUS") if kind == "genbank" else (MARKERS[kind],)
    found: dict[str, list[int]] = {prefix: [] for prefix in prefixes}
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            for prefix in prefixes:
                if line.startswith(prefix) and (line[len(prefix) :].split() or [""])[0] == record_id:
                    found[prefix].append(number)
    return next((lines for lines in found.values() if lines), [])


def line_of_foreign_letter(path: Path, record_id: str) -> int:
    """Line of the first letter of a record that `dnahlm.dna.normalize` refuses."""
    for line, letters in sequence_lines(path, record_id):
        try:
            normalize(letters, "")
        except InputError:
            return line
    return first_line_of(path, record_id)


def sequence_lines(path: Path, record_id: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, letters) for each sequence line of one record."""
    kind = sequence_format(path)
    header = first_line_of(path, record_id)
    stop = {"fasta": ">", "fastq": "+", "genbank": "//"}[kind]
    inside = kind != "genbank"
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if number <= header or (kind == "fasta" and line.startswith(";")):
                continue
            if line.startswith(stop):
                return
            if inside:
                yield number, "".join(line.split() if kind != "genbank" else re.findall(r"[^\s\d]+", line))
            inside = inside or line.startswith("ORIGIN")

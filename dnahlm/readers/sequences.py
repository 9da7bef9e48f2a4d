"""FASTA, FASTQ and GenBank files, plain or gzip, as streams of records. `datasets` parses; this file checks."""

import glob
import gzip
import re
import string
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dnahlm.dna import normalize
from dnahlm.io import InputError, damaged_input, open_text, require_file
from dnahlm.readers.ids import SeenIds
from dnahlm.readers.sequence_lines import MARKERS, first_line_of, line_of_foreign_letter, lines_of, sequence_format

LOWER = string.ascii_lowercase
RESIDUES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # twenty amino acids, U, O, and B, J, X, Z for several
FOREIGN_RESIDUE = re.compile("[^A-Z*]")
SURE = 50  # letters; shorter proteins may happen to have no other letter than A, C, G, T, N
BATCH_BYTES = 1 << 22  # the parser holds a batch several times over; larger ones are no faster
COLUMNS = {  # our field -> the column of the parser, first non-empty one wins
    "fasta": {"id": ("id",), "description": ("description",), "sequence": ("sequence",)},
    "fastq": {"id": ("id",), "description": ("description",), "sequence": ("sequence",)},
    "genbank": {
        "id": ("version", "accession", "locus_name"), "description": ("definition",), "sequence": ("sequence",),
    },
}  # fmt: skip


@dataclass(frozen=True)
class SequenceRecord:
    """One record of a sequence file."""

    id: str
    description: str
    sequence: str
    where: str  # what an error message about this record starts with
    n_ambiguous: int = 0  # IUPAC letters that became N; set by `read_dna` only
    n_lower: int = 0  # lower-case letters, which mark repeats in many genomes; set by `read_dna` only


def read_sequences(path: str | Path) -> Iterator[SequenceRecord]:
    """Yield the records of a FASTA, FASTQ or GenBank file, letters and case as in the file (GenBank: upper case).

    Args:
        path: the format goes by the extension (`FORMATS`), with or without `.gz`; CRLF and LF files read the same.

    Raises:
        InputError: missing, empty, damaged or not UTF-8; unknown extension; text before the first record; a record
            without id or sequence; an id used twice; a FASTQ or GenBank record cut short. Nearly all name the line.
    """
    path = Path(path)
    kind = sequence_format(path)
    require_file(path, f"{kind.upper()} file")
    check_start(path, kind)
    seen = SeenIds()
    for row in parse(path, kind):
        fields = {ours: next(filter(None, (row[c] for c in theirs)), "") for ours, theirs in COLUMNS[kind].items()}
        record = SequenceRecord(**fields, where=f"{path} record {fields['id']!r}")
        check_record(path, kind, record, seen)
        seen.add(record.id)
        yield record
    if kind == "genbank":
        check_all_closed(path, len(seen))


def read_dna(path: str | Path) -> Iterator[SequenceRecord]:
    """Like `read_sequences`, with sequences normalized to upper-case A, C, G, T, N by `dnahlm.dna.normalize`.

    Raises:
        InputError: as `read_sequences`, and a letter that is no nucleotide code, with its line and base.
    """
    for record in read_sequences(path):
        try:
            normalized = normalize(record.sequence, record.where)
        except InputError:
            line = line_of_foreign_letter(Path(path), record.id)
            normalize(record.sequence, f"{path}:{line}: record {record.id!r}")  # raises again, now with the line
            raise
        n_lower = 0 if record.sequence.isupper() else sum(map(record.sequence.count, LOWER))
        yield replace(record, sequence=normalized.sequence, n_ambiguous=normalized.n_ambiguous, n_lower=n_lower)


def read_proteins(path: str | Path) -> Iterator[SequenceRecord]:
    """Like `read_sequences`, of proteins: upper-case amino-acid letters, a stop at the end left out.

    Raises:
        InputError: as `read_sequences`, a letter that is no amino acid, or a record all of bases, which is DNA.
    """
    for record in read_sequences(path):
        residues = record.sequence.upper().removesuffix("*")
        if foreign := FOREIGN_RESIDUE.search(residues):
            raise InputError(
                f"{path}:{first_line_of(Path(path), record.id)}: record {record.id!r}: {foreign.group()!r} at residue "
                f"{foreign.start() + 1:,} is no amino acid (allowed: {RESIDUES}, and * within). Remove the record or "
                "give proteins."
            )
        if len(residues) >= SURE and not residues.strip("ACGTUN"):
            raise InputError(
                f"{path}:{first_line_of(Path(path), record.id)}: record {record.id!r} has the letters of bases only: "
                "it is DNA. Name the file under `dna`."
            )
        yield replace(record, sequence=residues)  # empty where there is nothing but the stop


def parse(path: Path, kind: str) -> Iterator[dict[str, Any]]:
    """Rows of the parser in `datasets`; nothing is cached, and its complaints get file and line."""
    from datasets import load_dataset

    columns = [column for columns in COLUMNS[kind].values() for column in columns]
    # The library locks a cache folder even when it streams; a throw-away one keeps the user's home untouched.
    with damaged_input(path), tempfile.TemporaryDirectory() as cache:
        rows = load_dataset(
            kind, data_files=glob.escape(str(path.absolute())), columns=columns, streaming=True, split="train",
            cache_dir=cache, max_batch_bytes=BATCH_BYTES,
        )  # fmt: skip
        try:
            yield from rows
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            culprit = re.search(r"record '(.*?)'", str(error))
            line = first_line_of(path, culprit.group(1)) if culprit else 1
            raise InputError(f"{path}:{line}: {error} Was the file cut short?") from error


def check_start(path: Path, kind: str) -> None:
    """Raise `InputError` when the first line with text does not start a record: the parser would skip it silently."""
    with damaged_input(path), gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as handle:
        if handle.read(3) == b"\xef\xbb\xbf":
            raise InputError(f"{path}:1: starts with a byte order mark. Save it as plain UTF-8 without BOM.")
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith(MARKERS[kind]):
                return
            if line.strip() and not (kind == "fasta" and line.startswith(";")):  # ";" is an old FASTA comment
                raise InputError(
                    f"{path}:{number}: text before the first record: {line.strip()[:40]!r}. "
                    f"A {kind} record starts with {MARKERS[kind]!r}; is this another kind of file?"
                )
    raise InputError(f"{path}: holds no record. A {kind} record starts with {MARKERS[kind]!r}.")


def check_record(path: Path, kind: str, record: SequenceRecord, seen: SeenIds) -> None:
    """Raise `InputError` for a record without id or sequence, or with the id of an earlier one."""
    if not record.id:
        line = first_line_of(path, "")
        raise InputError(f"{path}:{line}: a record without an id. Write one after {MARKERS[kind]!r}.")
    if record.id in seen:
        lines = lines_of(path, record.id)
        first, second = (lines + lines)[:2] if lines else (1, 1)
        raise InputError(
            f"{path}:{second}: record id {record.id!r} was already used on line {first}. "
            "Ids (the first word of a header) must differ: rename or remove one."
        )
    if not record.sequence:
        line = first_line_of(path, record.id)
        raise InputError(f"{path}:{line}: record {record.id!r} has no sequence. Remove it or add its sequence.")


def check_all_closed(path: Path, n_records: int) -> None:
    """Raise `InputError` when a GenBank file has more LOCUS lines than records: the parser drops one without `//`."""
    with open_text(path) as handle:
        starts = [number for number, line in enumerate(handle, 1) if line.startswith(MARKERS["genbank"])]
    if len(starts) > n_records:
        raise InputError(
            f"{path}:{starts[-1]}: found {len(starts)} LOCUS lines but {n_records} complete records; a record ends "
            "with a line `//`. Was the file cut short?"
        )

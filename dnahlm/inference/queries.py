"""What `predict` is asked about: sequences or pairs, read from any file and normalized."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dnahlm.dna import normalize
from dnahlm.io import InputError, require_file
from dnahlm.readers.ids import SeenIds
from dnahlm.readers.sequence_lines import FORMATS
from dnahlm.readers.sequences import read_dna
from dnahlm.readers.tables import SEPARATORS, Row, read_table
from dnahlm.tasks.kinds import input_text, read_protein
from dnahlm.tasks.spec import PAIR_KINDS, TaskSpec


@dataclass(frozen=True)
class Query:
    """One normalized sequence, or pair, to ask about."""

    id: str
    sequence: str
    where: str  # what an error message about it starts with
    n_bases: int  # as read, before any window; of both sequences of a pair, without a protein
    notes: tuple[str, ...] = ()
    second: str = ""  # DNA; only of kind pair
    protein: str = ""  # only of kind dna_protein_pair

    @property
    def used_bases(self) -> int:
        """Bases that are left after any window."""
        return len(self.sequence) + len(self.second)


def read_queries(
    path: str | Path, spec: TaskSpec, sequence_column: str | None = None, id_column: str | None = None
) -> Iterator[Query]:
    """Stream a sequence file or a table as normalized questions of a task.

    Args:
        path: FASTA, FASTQ, GenBank, CSV or TSV, by its extension, also .gz; pairs come in tables only.
        spec: the task; a pair's columns are those of its file.
        sequence_column: of a table: where the DNA is; None = `sequence`.
        id_column: of a table: what names a row; None numbers the rows from 1.

    Raises:
        InputError: see the readers; also a letter that is no nucleotide, an id used twice, pairs in a FASTA file.
    """
    path = require_file(path, "sequences to ask about")
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    if suffix.removeprefix(".") in SEPARATORS:
        columns = columns_of(spec, sequence_column)
        for name, row in named_rows(path, list(columns.values()), id_column):
            yield table_query(spec, columns, name, row)
    elif suffix in FORMATS:
        if spec.kind in PAIR_KINDS:
            raise InputError(
                f"{path}: task {spec.id} is of kind {spec.kind} and asks about {' and '.join(spec.sequence_columns)}; "
                f"give a CSV or TSV file with the columns {', '.join(spec.sequence_columns.values())}."
            )
        for record in read_dna(path):
            notes = letters_note(record.n_ambiguous)
            yield Query(record.id, record.sequence, record.where, len(record.sequence), notes)
    else:
        allowed = " ".join([*FORMATS, *(f".{name}" for name in SEPARATORS)])
        raise InputError(
            f"{path}: extension {suffix!r} is not known. Allowed: {allowed}, each also with .gz. Rename it."
        )


def columns_of(spec: TaskSpec, sequence_column: str | None) -> dict[str, str]:
    """What is read of a table: our name -> column.

    Raises:
        InputError: a column given for a pair, which has two.
    """
    if spec.kind not in PAIR_KINDS:
        return {"sequence": sequence_column or "sequence"}
    if sequence_column:
        raise InputError(
            f"sequence_column: task {spec.id} reads the columns {', '.join(spec.sequence_columns.values())} of its "
            "task file; leave --sequence_column out."
        )
    return spec.sequence_columns


def named_rows(path: Path, columns: list[str], id_column: str | None) -> Iterator[tuple[str, Row]]:
    """Rows of a CSV or TSV file, each with its id: of a column, or the row's number from 1."""
    seen = SeenIds()
    for number, row in enumerate(read_table(path, [*columns, *([id_column] if id_column else [])]), 1):
        name = row.values[id_column] if id_column else str(number)
        if id_column and name in seen:
            first = next(r.where for r in read_table(path, [id_column]) if r.values[id_column] == name)
            raise InputError(
                f"{row.where}: id {name!r} was already used at {first}. Make the ids of column {id_column!r} differ, "
                "or leave --id_column out to number the rows."
            )
        if id_column:
            seen.add(name)
        yield name, row


def table_query(spec: TaskSpec, columns: dict[str, str], name: str, row: Row) -> Query:
    """One row of a table as a question."""
    dna, n_ambiguous, protein = [], 0, ""
    for ours, column in columns.items():
        where = f"{row.where}: column {column!r}"
        if spec.kind == "dna_protein_pair" and ours == "protein":
            protein = read_protein(row.values[column], where)
            continue
        found = normalize(row.values[column], where)
        dna.append(found.sequence)
        n_ambiguous += found.n_ambiguous
    sequence, second = (*dna, "")[:2]
    return Query(name, sequence, row.where, sum(map(len, dna)), letters_note(n_ambiguous), second, protein)


def letters_note(n_ambiguous: int) -> tuple[str, ...]:
    """A note that says how many letters were changed; none when none was."""
    letters = "letter" if n_ambiguous == 1 else "letters"
    return (f"{n_ambiguous} IUPAC {letters} became N",) if n_ambiguous else ()


def query_input(spec: TaskSpec, query: Query) -> str:
    """The input of the prompt."""
    return input_text(spec, query.sequence, query.second, query.protein)

"""The sequences `predict` is asked about: read from any file, normalized, and fitted to what the model can see."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dnahlm.dna import normalize
from dnahlm.inference.classify import require_fits, task_bases_that_fit
from dnahlm.inference.load import Loaded
from dnahlm.io import InputError, require_file
from dnahlm.readers.sequences import FORMATS, read_dna
from dnahlm.readers.tables import SEPARATORS, read_table
from dnahlm.tasks.spec import TaskSpec


@dataclass(frozen=True)
class Query:
    """One normalized sequence to ask about."""

    id: str
    sequence: str
    where: str  # what an error message about it starts with
    n_bases: int  # as read, before any window
    notes: tuple[str, ...] = ()


def read_queries(path: str | Path, sequence_column: str, id_column: str | None) -> Iterator[Query]:
    """Stream a sequence file or a table as normalized sequences.

    Args:
        path: FASTA, FASTQ, GenBank, CSV or TSV, by its extension, also .gz.
        sequence_column: of a table: where the DNA is.
        id_column: of a table: what names a row; None numbers the rows from 1.

    Raises:
        InputError: see the readers; also a letter that is no nucleotide, and an id used twice.
    """
    path = require_file(path, "sequences to ask about")
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()
    if suffix.removeprefix(".") in SEPARATORS:
        yield from read_table_queries(path, sequence_column, id_column)
    elif suffix in FORMATS:
        for record in read_dna(path):
            yield make_query(record.id, record.sequence, record.where, record.n_ambiguous)
    else:
        allowed = " ".join([*FORMATS, *(f".{name}" for name in SEPARATORS)])
        raise InputError(
            f"{path}: extension {suffix!r} is not known. Allowed: {allowed}, each also with .gz. Rename it."
        )


def read_table_queries(path: Path, sequence_column: str, id_column: str | None) -> Iterator[Query]:
    """Rows of a CSV or TSV file; the id is a column, or the row's number from 1."""
    columns = [sequence_column, *([id_column] if id_column else [])]
    first_seen: dict[str, str] = {}
    for number, row in enumerate(read_table(path, columns), 1):
        name = row.values[id_column] if id_column else str(number)
        if id_column and first_seen.setdefault(name, row.where) != row.where:
            raise InputError(
                f"{row.where}: id {name!r} was already used at {first_seen[name]}. Make the ids of column "
                f"{id_column!r} differ, or leave --id_column out to number the rows."
            )
        dna = normalize(row.values[sequence_column], f"{row.where}: column {sequence_column!r}")
        yield make_query(name, dna.sequence, row.where, dna.n_ambiguous)


def make_query(name: str, sequence: str, where: str, n_ambiguous: int) -> Query:
    """A query that says how many of its letters were changed."""
    letters = "letter" if n_ambiguous == 1 else "letters"
    notes = (f"{n_ambiguous} IUPAC {letters} became N",) if n_ambiguous else ()
    return Query(name, sequence, where, len(sequence), notes)


def fit_query(loaded: Loaded, spec: TaskSpec, query: Query, too_long: str) -> Query:
    """Apply the task's window policy and `too_long`; what is cut is noted in the row.

    Raises:
        InputError: too long for the task or the model, and `too_long` is `error`.
    """
    advice = "Shorten it, or pass --too_long center to ask about its middle bases only."
    window = spec.window
    if window.bases and query.n_bases > window.bases:
        if "center" not in (window.policy, too_long):
            raise InputError(
                f"{query.where}: {query.n_bases:,} bases; task {spec.id} takes at most {window.bases:,}. {advice}"
            )
        query = center(query, window.bases)
    if too_long == "error":
        require_fits(loaded, spec, query.sequence, query.where, advice)
        return query
    fit = task_bases_that_fit(loaded, spec, query.sequence)
    if fit is not None:
        trained = loaded.task_facts.get(spec.id, {}).get("max_bases", fit)
        query = center(query, min(trained, fit))
    while task_bases_that_fit(loaded, spec, query.sequence) is not None:  # the middle may need more tokens per base
        query = center(query, len(query.sequence) * 19 // 20)
    return query


def center(query: Query, bases: int) -> Query:
    """The middle `bases` bases of a query, with a note that says so.

    Raises:
        InputError: no base would be left.
    """
    if bases < 1:
        raise InputError(f"{query.where}: the question alone fills the model's context; no base fits beside it.")
    start = (len(query.sequence) - bases) // 2
    notes = tuple(note for note in query.notes if not note.startswith("middle "))
    note = f"middle {bases:,} of {query.n_bases:,} bases used"
    return replace(query, sequence=query.sequence[start : start + bases], notes=(*notes, note))


def length_note(loaded: Loaded, spec: TaskSpec, query: Query) -> list[str]:
    """A note when the sequence asked about is shorter or longer than those the model was tuned on."""
    facts = loaded.task_facts.get(spec.id)
    if not facts or facts["min_bases"] <= len(query.sequence) <= facts["max_bases"]:
        return []
    return [f"outside the {facts['min_bases']}-{facts['max_bases']} bases seen in tuning"]

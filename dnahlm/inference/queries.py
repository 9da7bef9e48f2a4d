"""What `predict` is asked about: read from any file, normalized, and fitted to what the model can see."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dnahlm.dna import normalize
from dnahlm.inference.classify import room_for_prompt, task_bases_that_fit, task_prompt
from dnahlm.inference.load import Loaded
from dnahlm.io import InputError, require_file
from dnahlm.model.create import context_of
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


@dataclass(frozen=True)
class Fitter:
    """Fits queries of one task to its window and to the model's context."""

    loaded: Loaded
    spec: TaskSpec
    too_long: str  # error | center
    room: int  # tokens the prompt may have
    frame: int  # tokens of a prompt with one base

    @classmethod
    def of(cls, loaded: Loaded, spec: TaskSpec, too_long: str) -> "Fitter":
        """The fitter of a task, whose question is measured once."""
        prompt = task_prompt(loaded, spec, "A")  # without any input the template leaves its heading out
        frame = len(loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        return cls(loaded, spec, too_long, room_for_prompt(loaded, spec), frame)

    def fit(self, query: Query) -> Query:
        """Apply the task's window policy and `too_long`; what is cut is noted in the row.

        Raises:
            InputError: too long for the task or the model, and `too_long` is `error`; a pair too long for the model.
        """
        query = self.windowed(query)
        if self.surely_fits(query):
            return query
        if self.spec.kind in PAIR_KINDS:
            self.require_pair_fits(query)
            return query
        fit = task_bases_that_fit(self.loaded, self.spec, query.sequence)
        if fit is None:
            return query
        if self.too_long == "error":
            raise InputError(
                f"{query.where}: {len(query.sequence):,} bases are too long for this model with task {self.spec.id}: "
                f"about {fit:,} bases fit into its {context_of(self.loaded.model):,} tokens. {ADVICE}"
            )
        trained = self.loaded.task_facts.get(self.spec.id, {}).get("max_bases", fit)
        query = center(query, min(trained, fit))
        while task_bases_that_fit(self.loaded, self.spec, query.sequence) is not None:
            query = center(query, len(query.sequence) * 19 // 20)  # the middle may need more tokens per base
        return query

    def surely_fits(self, query: Query) -> bool:
        """Whether it fits even if every letter were a token, and every name of a pair's line."""
        letters = len(query_input(self.spec, query))
        return self.frame + letters + SLACK <= self.room

    def windowed(self, query: Query) -> Query:
        """The query within the task's window."""
        window = self.spec.window
        longest = max(len(query.sequence), len(query.second))
        if not window.bases or longest <= window.bases:
            return query
        if "center" not in (window.policy, self.too_long):
            raise InputError(
                f"{query.where}: {longest:,} bases; task {self.spec.id} takes at most {window.bases:,}. {ADVICE}"
            )
        return center(query, window.bases)

    def require_pair_fits(self, query: Query) -> None:
        """Raise `InputError` when a pair exceeds the context; which of its sequences to cut is not ours to say."""
        prompt = task_prompt(self.loaded, self.spec, query_input(self.spec, query))
        tokens = len(self.loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        if tokens > self.room:
            raise InputError(
                f"{query.where}: {query.used_bases:,} bases and {len(query.protein):,} residues are too long for this "
                f"model with task {self.spec.id}: {tokens:,} tokens with the question, and {self.room:,} fit. Shorten "
                "them; a pair is only cut to the window of its task."
            )


ADVICE = "Shorten it, or pass --too_long center to ask about its middle bases only."
SLACK = 8  # tokens at the borders of a sequence that the empty prompt does not have


def center(query: Query, bases: int) -> Query:
    """The middle `bases` bases of a query, of a pair of each of its DNA sequences, with a note that says so.

    Raises:
        InputError: no base would be left.
    """
    if bases < 1:
        raise InputError(f"{query.where}: the question alone fills the model's context; no base fits beside it.")
    query = replace(query, sequence=middle(query.sequence, bases), second=middle(query.second, bases))
    notes = tuple(note for note in query.notes if not note.startswith("middle "))
    return replace(query, notes=(*notes, f"middle {query.used_bases:,} of {query.n_bases:,} bases used"))


def middle(sequence: str, bases: int) -> str:
    """The middle of a sequence, all of a shorter one.

    >>> middle("AACCGGTT", 4), middle("AC", 4)
    ('CCGG', 'AC')
    """
    start = max(0, (len(sequence) - bases) // 2)
    return sequence[start : start + bases]


def length_note(loaded: Loaded, spec: TaskSpec, query: Query) -> list[str]:
    """A note when what is asked about is shorter or longer than what the model was tuned on."""
    facts = loaded.task_facts.get(spec.id)
    if not facts or facts["min_bases"] <= query.used_bases <= facts["max_bases"]:
        return []
    return [f"outside the {facts['min_bases']}-{facts['max_bases']} bases seen in tuning"]

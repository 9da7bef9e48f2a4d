"""One row of a task's table: its DNA in the letters A, C, G, T, N, as the task's window shows it, and its label."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dnahlm.dna import normalize, reverse_complement
from dnahlm.io import InputError
from dnahlm.readers.tables import Row
from dnahlm.tasks.kinds import read_label, read_protein
from dnahlm.tasks.spec import TaskSpec
from dnahlm.values import is_number

_PLAIN = re.compile("[ACGT]+").fullmatch
_LOOKS_LIKE_DNA = re.compile("[ACGTUNacgtun]{4,}").fullmatch


@dataclass(slots=True)
class LabelledRow:
    """One sequence (or pair) and its label, as the task's window shows it."""

    id: str  # task-split-number of the row in its file; of a sliding window, -w and its number behind it
    sequence: str  # A, C, G, T, N
    label: str  # value in the table
    source: str  # file relative to the data root : line
    second: str = ""  # DNA; only of kind pair
    protein: str = ""  # only of kind dna_protein_pair
    clean: bool = True  # of a test row: nothing a model may have been trained on gives it away

    def reverse(self) -> LabelledRow:
        """The same row read from the other strand; of a pair, both sequences."""
        return LabelledRow(
            f"{self.id}-rc", reverse_complement(self.sequence), self.label, self.source,
            reverse_complement(self.second), self.protein, self.clean,
        )  # fmt: skip


@dataclass(slots=True, frozen=True)
class Reading:
    """What one row of a file says, before its split is known."""

    label: str
    sequence: str
    second: str = ""
    protein: str = ""


@contextlib.contextmanager
def task_named(spec: TaskSpec) -> Iterator[None]:
    """Add the task file to a refusal from inside that does not name it: a reader knows data files only."""
    try:
        yield
    except InputError as error:
        if str(spec.path) in str(error):
            raise
        raise InputError(f"{error} (task {spec.id}, {spec.path})") from error


def read_row(spec: TaskSpec, row: Row, counts: Counter[str]) -> Reading:
    """A row's letters and label, checked; what was changed is added to `counts`.

    Raises:
        InputError: a letter that is no nucleotide (or no amino acid), an undeclared label, a row longer than the window
            where the task says `error`.
    """
    label = row.values[spec.label_column]
    if spec.kind == "dna_protein_pair":
        dna = cut(spec, row, read_dna(spec, row, "sequence", counts), counts)
        column = spec.columns["protein"]
        protein = read_protein(row.values[column], f"{row.where}: task {spec.id}, column {column!r}")
        return Reading(read_label(spec, label, row.where), dna, protein=protein)
    own = Counter[str]() if spec.kind == "pair" else counts  # a pair that changes twice is one row
    found = [cut(spec, row, read_dna(spec, row, name, own), own) for name in spec.dna_columns]
    if own is not counts:
        counts.update({name: min(n, 1) if name.startswith("rows_") else n for name, n in own.items()})
    return Reading(read_label(spec, label, row.where), *found)


def read_dna(spec: TaskSpec, row: Row, name: str, counts: Counter[str]) -> str:
    """The DNA of one column in the letters A, C, G, T, N.

    Raises:
        InputError: a letter that is no nucleotide, a word for a missing value, k-mers in a format that does not join
            them; another column that holds the DNA is named.
    """
    raw = row.values[spec.columns[name]]
    if _PLAIN(raw):
        return raw
    where = f"{row.where}: task {spec.id}, column {spec.columns[name]!r}"
    try:
        found = normalize(raw, where)
    except InputError as error:
        refuse_swapped(spec, row, name)
        hint = f" See `columns:` in {spec.path}." if raw in spec.labels or is_number(raw) else ""
        raise InputError(f"{error}{hint}") from error
    if raw in ("NA", "NaN", "nan", "Nan", "na"):  # written by R and pandas; as DNA it would be read as N, A, N
        raise InputError(f"{where}: {raw!r} stands for a missing value. Fill it in or remove the row.")
    kmers = raw.split()
    if len(kmers) > 1 and all(one[1:] == other[:-1] for one, other in itertools.pairwise(kmers)):
        raise InputError(
            f"{where}: holds overlapping k-mers ({raw[:40]!r}), which would be read one after the other. Say "
            f"`format: kmer_tsv` in {spec.path}, which joins them back into bases."
        )
    upper = raw.upper()
    counts["rows_with_lower_case"] += raw != upper
    counts["rows_with_u"] += "U" in upper
    counts["rows_with_n"] += "N" in upper
    counts["rows_with_blanks"] += len(kmers) > 1
    counts["iupac_letters_made_n"] += found.n_ambiguous
    return found.sequence


def refuse_swapped(spec: TaskSpec, row: Row, name: str) -> None:
    """Raise `InputError` when the DNA that a cell lacks stands in another of the row's columns."""
    ours = spec.columns[name]
    for key, other in spec.columns.items():
        cell = row.values[other]
        if key not in spec.dna_columns and cell not in spec.labels and _LOOKS_LIKE_DNA(cell):
            raise InputError(
                f"{row.where}: task {spec.id}: the columns {ours!r} and {other!r} seem to be swapped: {ours!r} holds "
                f"{shown(row.values[ours])} and {other!r} holds {shown(cell)}. Give each its own column "
                f"under `columns:` in {spec.path}."
            )


def shown(cell: str) -> str:
    """A cell for a message.

    >>> shown("ACGT" * 10)
    "'ACGTACGTACGTACGTACGT...'"
    """
    return repr(cell if len(cell) <= 20 else cell[:20] + "...")


def cut(spec: TaskSpec, row: Row, sequence: str, counts: Counter[str]) -> str:
    """A sequence no longer than the window, by the task's policy; `slide` is cut later, by `windows`."""
    bases, size = spec.window.bases, len(sequence)
    if not bases or size <= bases or spec.window.policy == "slide":
        return sequence
    if spec.window.policy == "error":
        raise InputError(
            f"{row.where}: {size:,} bases; task {spec.id} takes at most {bases:,}. Cut the row, raise `window: bases` "
            f"in {spec.path}, or set `policy: center` there to keep the middle {bases:,} bases of longer rows."
        )
    counts["rows_cut_to_window"] += 1
    start = (size - bases) // 2
    return sequence[start : start + bases]


def windows(sequence: str, bases: int, overlap: int) -> Iterator[str]:
    """Consecutive windows of `bases` bases, each sharing `overlap` bases with the one before.

    The last one is moved back so that it is full, and then shares more. A shorter sequence is its own window.

    >>> list(windows("AACCGGTT", 4, 1)), list(windows("ACG", 4, 1))
    (['AACC', 'CGGT', 'GGTT'], ['ACG'])
    """
    last = len(sequence) - bases
    for start in range(0, last, bases - overlap):
        yield sequence[start : start + bases]
    yield sequence[max(last, 0) :]

"""A task's labelled table, read: checked DNA, known labels, rows per split, counts of what was changed or dropped."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.dna import canonical, normalize
from dnahlm.io import InputError
from dnahlm.readers.tables import Row, read_table
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.spec import TaskSpec, source_path


@dataclass(slots=True)
class LabelledRow:
    """One sequence and its label, as the task's window shows it."""

    id: str  # task-split-number of the row in its file
    sequence: str  # A, C, G, T, N
    label: str  # value in the table
    source: str  # file relative to the data root : line
    clean: bool = True  # of a test row: nothing seen in training gives it away, see dnahlm.tasks.fairness


@dataclass
class TaskTable:
    """Rows of one task per split; `counts` says what the letters were and what was dropped."""

    spec: TaskSpec
    rows: dict[str, list[LabelledRow]]
    files: dict[str, Path]
    counts: Counter[str] = field(default_factory=Counter)


def read_task_table(spec: TaskSpec, data_root: str | Path) -> TaskTable:
    """Read every split of a task; rows of train and validation that contradict or repeat each other are left out.

    A row's split is that of its file, or, by `hold_out`, a hash of the sequence that both strands share. Contradictions
    (one sequence, two labels) go from train and validation, repetitions from train; test rows stay, and are counted.

    Raises:
        InputError: a file that cannot be read, a letter that is no nucleotide, a label the task does not declare, a row
            longer than the window where the task says `error`, a split or a training class left without rows.
    """
    files = {split: source_path(spec, data_root, split) for split in SPLITS if split in spec.source.files}
    table = TaskTable(spec, {split: [] for split in SPLITS}, files)
    for file_split, path in files.items():
        name = spec.source.files[file_split].removesuffix(".gz") + (".gz" if path.suffix == ".gz" else "")
        for number, row in enumerate(
            read_table(path, [spec.columns.sequence, spec.columns.label], spec.source.format), 1
        ):
            sequence = shown_bases(spec, row, table.counts)
            label = row.values[spec.columns.label]
            if label not in spec.labels:
                raise InputError(
                    f"{row.where}: label {label!r} is not declared by task {spec.id} "
                    f"(declared: {sorted(spec.labels)}). Add it under `labels:` in {spec.path} or fix the row."
                )
            split = held_out_split(sequence, spec.source.hold_out) if file_split == "train" else file_split
            source = f"{name}{row.where.removeprefix(str(path))}"
            table.rows[split].append(LabelledRow(f"{spec.id}-{split}-{number}", sequence, label, source))
    clean(table)
    check_rows(table)
    return table


def shown_bases(spec: TaskSpec, row: Row, counts: Counter[str]) -> str:
    """The row's DNA in the letters A, C, G, T, N, cut to the task's window; what was changed is added to `counts`."""
    raw = row.values[spec.columns.sequence]
    found = normalize(raw, f"{row.where}: task {spec.id}, column {spec.columns.sequence!r}")
    upper = raw.upper()
    counts["rows_with_lower_case"] += raw != upper
    counts["rows_with_u"] += "U" in upper
    counts["rows_with_n"] += "N" in upper
    counts["iupac_letters_made_n"] += found.n_ambiguous
    bases, size = spec.window.bases, len(found.sequence)
    if not bases or size <= bases:
        return found.sequence
    if spec.window.policy == "error":
        raise InputError(
            f"{row.where}: {size:,} bases; task {spec.id} takes at most {bases:,}. Cut the row, raise `window: bases` "
            f"in {spec.path}, or set `policy: center` there to keep the middle {bases:,} bases of longer rows."
        )
    counts["rows_cut_to_window"] += 1
    start = (size - bases) // 2
    return found.sequence[start : start + bases]


def held_out_split(sequence: str, hold_out: dict[str, float]) -> str:
    """Split of a row of the train file: the same for both strands, on every machine and whatever other rows there are.

    >>> held_out_split("ACGG", {}), held_out_split("ACGG", {"test": 0.5}) == held_out_split("CCGT", {"test": 0.5})
    ('train', True)
    """
    digest = hashlib.sha256(canonical(sequence).encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64  # even over 0..1
    for split, share in sorted(hold_out.items()):
        if place < share:
            return split
        place -= share
    return "train"


def clean(table: TaskTable) -> None:
    """Drop contradicting rows of train and validation and repeated rows of train; count all of them, in test too."""
    # With a strand-symmetric label, a sequence and its reverse complement are one and the same question.
    name: Callable[[str], str] = canonical if table.spec.strand_symmetric else str
    for split, rows in table.rows.items():
        labels: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            labels[name(row.sequence)].add(row.label)
        contradicting = [row for row in rows if len(labels[name(row.sequence)]) > 1]
        table.counts[f"contradicting_rows_{split}"] += len(contradicting)
        table.counts[f"repeated_rows_{split}"] += len(rows) - len(labels)
        if split != "test" and contradicting:
            rows = [row for row in rows if len(labels[name(row.sequence)]) == 1]
        if split == "train":
            first: dict[str, LabelledRow] = {}
            for row in rows:
                first.setdefault(name(row.sequence), row)
            rows = list(first.values())
        table.rows[split] = rows


def check_rows(table: TaskTable, after: str = "") -> None:
    """Raise `InputError` when a split has no rows, or when a declared label is absent from train."""
    spec = table.spec
    for split in SPLITS:
        if not table.rows[split]:
            origin = table.files.get(split, table.files["train"])
            raise InputError(
                f"{origin}: task {spec.id} has no {split} rows{after}. Give more rows, another file, or another share "
                f"under `hold_out:` in {spec.path}."
            )
    absent = sorted(set(spec.labels) - {row.label for row in table.rows["train"]})
    if absent:
        raise InputError(
            f"{table.files['train']}: task {spec.id} has no train rows with label {absent}{after}, so that answer "
            f"cannot be learnt. Add rows, or remove the label from `labels:` in {spec.path}."
        )

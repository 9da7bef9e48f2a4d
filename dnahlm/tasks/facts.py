"""What there is to say of a task's rows, in the words that commands print: sizes, classes, what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.kinds import answer_text
from dnahlm.tasks.repeats import SHOWN, told
from dnahlm.tasks.sampling import by_label
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.spool import Rows
from dnahlm.tasks.table import TaskTable

SHOWN_ANSWERS = 12
# name of a count -> what it counts, and what was done; {} is the number with its noun
CHANGES = {
    "rows_with_lower_case": "{rows} with lower case, made upper",
    "rows_with_u": "{rows} with U, made T",
    "rows_with_n": "{rows} with N",
    "rows_with_blanks": "{rows} with blanks between bases, joined",
    "iupac_letters_made_n": "{letters} other than A, C, G, T, U, N made N",
    "rows_cut_to_window": "{rows} cut to the window",
    "windows_made": "{windows} made",
    "contradicting_rows_train": "{rows} of train with two labels for one sequence, left out",
    "contradicting_rows_validation": "{rows} of validation with two labels for one sequence, left out",
    "contradicting_rows_test": "{rows} of test with two labels for one sequence, kept",
    "repeated_rows_train": "{rows} of train repeating another, left out",
    "repeated_rows_validation": "{rows} of validation repeating another, kept",
    "repeated_rows_test": "{rows} of test repeating another, kept",
    "leaking_rows_train": "{rows} of train giving validation or test rows away, left out",
    "leaking_rows_validation": "{rows} of validation giving test rows away, left out",
    "test_rows_given_away": "{rows} of test given away, not clean",
    "rows_left_out_train": "{rows} of train left out by the settings",
    "rows_left_out_validation": "{rows} of validation left out by the settings",
    "rows_left_out_test": "{rows} of test left out by the settings",
}


def describe(table: TaskTable) -> list[str]:
    """Rows, lengths and classes of every split, and what reading changed or left out; a line each."""
    spec = table.spec
    lines = [f"{spec.id} (version {spec.version}, {spec.kind}, {'simulated' if spec.simulated else 'measured'})"]
    for split, rows in table.rows.items():
        sizes = np.sort(np.fromiter((len(row.sequence) + len(row.second) for row in rows), np.int64, len(rows)))
        median = f" (median {sizes[len(sizes) // 2]:,})" if sizes[0] < sizes[-1] else ""
        lengths = f"{span(sizes[0], sizes[-1])}{median}"
        lines.append(f"  {split:<10} {len(rows):>9,} rows  {lengths}  {answers_of(rows, spec)}")
    return [*lines, f"  reading: {changes(table)}", *(f"  {text}" for text in told(table, SHOWN))]


def summary(table: TaskTable, counts: dict[str, Any]) -> str:
    """One line of facts about a built task; `counts` are those of the manifest."""
    train = counts["train"]
    rows = ", ".join(f"{counts[split]['rows']:,} {split}" for split in SPLITS)
    if train["reverse_complements"]:
        rows += f" rows ({train['reverse_complements']:,} of train are reverse complements)"
    else:
        rows += " rows"
    answers = f"train {named_counts(train['answers'], table.spec)}; " if train["answers"] else ""
    lengths = span(min(counts[s]["min_bases"] for s in SPLITS), max(counts[s]["max_bases"] for s in SPLITS))
    sizes = "; ".join(
        f"{sum(counts[split][unit] for split in SPLITS):,} {unit} in all, {train[unit]:,} of train"
        for unit in ("bases", "tokens")
        if unit in train
    )
    return f"{table.spec.id}: {rows}; {answers}{lengths} a row; {sizes}; {changes(table)}"


def span(least: int, most: int) -> str:
    """Lengths in bases.

    >>> span(60, 60), span(40, 1200)
    ('60 bases', '40-1,200 bases')
    """
    return f"{least:,} bases" if least == most else f"{least:,}-{most:,} bases"


def answers_of(rows: Rows, spec: TaskSpec) -> str:
    """Rows of each answer; of numbers their range."""
    if spec.kind == "regression":
        numbers = np.fromiter((float(row.label) for row in rows), np.float64, len(rows))
        return f"from {numbers.min():g} to {numbers.max():g}, mean {numbers.mean():g}"
    labels, first = by_label(rows)
    sizes = np.bincount(labels)
    most = np.argsort(-sizes, kind="stable")
    return named_counts({answer_text(spec, rows[first[n]].label): int(sizes[n]) for n in most}, spec)


def named_counts(counts: Mapping[str, int], spec: TaskSpec) -> str:
    """Rows of each answer, most frequent first; the labels of one row are joined by a plus."""
    most = sorted(counts, key=counts.__getitem__, reverse=True)
    joined = {name: name.replace(", ", " + ") if spec.kind == "multilabel" else name for name in most}
    more = f", {len(most) - SHOWN_ANSWERS} more" if len(most) > SHOWN_ANSWERS else ""
    return ", ".join(f"{counts[name]:,} {joined[name]}" for name in most[:SHOWN_ANSWERS]) + more


def changes(table: TaskTable) -> str:
    """What reading, cleaning and the settings of a build changed or left out."""
    said = []
    for name, n in table.counts.items():
        if n:
            nouns = {noun + "s": f"{n:,} {noun}{'s' * (n != 1)}" for noun in ("row", "letter", "window")}
            said.append(CHANGES[name].format(**nouns))
    return "; ".join(said) or "nothing changed"

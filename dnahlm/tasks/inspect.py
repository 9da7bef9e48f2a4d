"""`dnahlm tasks inspect`: counts, lengths and leaks of tasks, and three prompts as a model would see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnahlm.tasks.fairness import remove_leaks
from dnahlm.tasks.kinds import answer_text
from dnahlm.tasks.prompt import render_text
from dnahlm.tasks.records import make_asker, record
from dnahlm.tasks.repeats import SHOWN, told
from dnahlm.tasks.sampling import by_label
from dnahlm.tasks.spec import TaskSpec, load_task
from dnahlm.tasks.spool import Rows, Spool
from dnahlm.tasks.table import TaskTable, read_task_table

SHOWN_LABELS = 12


@dataclass
class InspectConfig:
    """Look at tasks before building them."""

    tasks: list[str] = field(metadata={"help": "ids of shipped tasks, or paths of task files; leaks are across all"})
    data_root: str = field(metadata={"help": "folder that the files named in the tasks are relative to"})
    seed: int = field(default=0, metadata={"help": "draws the wording of the three prompts"})


def run(config: InspectConfig) -> None:
    """Print what there is to know about each task; nothing is written.

    Raises:
        InputError: whatever is wrong with a task file or its table.
    """
    with Spool() as spool:
        tables = [read_task_table(load_task(name), config.data_root, spool) for name in config.tasks]
        facts = [describe(table) for table in tables]
        prompts = [three_prompts(table, config.seed) for table in tables]
        report = remove_leaks(tables)
    for table, lines, shown in zip(tables, facts, prompts, strict=True):
        print("\n".join(lines))
        print("leaks (train loses them, and validation those into test):")
        print("\n".join(leak_lines(report["leaks"], table.spec.id)) or "  none")
        if proteins := leak_lines(report["proteins"], table.spec.id):
            print("proteins in common (only counted):", *proteins, sep="\n")
        print("\n" + f"\n{'-' * 78}\n".join(shown) + "\n")


def leak_lines(leaks: Sequence[dict[str, Any]], task: str) -> list[str]:
    """One line for each entry of a leak report that concerns a task."""
    return [
        f"  {leak['rows']:,} {leak['split']} rows of {leak['task']}: {leak['kind']} with "
        f"{leak['against_rows']:,} {leak['against_split']} rows of {leak['against_task']}; "
        f"{leak['examples'][0]['source']} and {leak['examples'][0]['against_source']}"
        for leak in leaks
        if task in (leak["task"], leak["against_task"])
    ]


def describe(table: TaskTable) -> list[str]:
    """Rows, classes and lengths of every split, and what reading changed or dropped."""
    spec = table.spec
    lines = [f"{spec.id} (version {spec.version}, {spec.kind}, {'simulated' if spec.simulated else 'measured'})"]
    for split, rows in table.rows.items():
        sizes = np.sort(np.fromiter((len(row.sequence) + len(row.second) for row in rows), np.int64, len(rows)))
        lengths = f"{sizes[0]:,}-{sizes[-1]:,} bases (median {sizes[len(sizes) // 2]:,})"
        lines.append(f"  {split:<10} {len(rows):>9,} rows  {lengths}  {shares_of(rows, spec)}")
    changes = [f"{n:,} {name.replace('_', ' ')}" for name, n in table.counts.items() if n]
    lines.append(f"  reading: {', '.join(changes) or 'nothing changed or dropped'}")
    return [*lines, *(f"  {text}" for text in told(table, SHOWN))]


def shares_of(rows: Rows, spec: TaskSpec) -> str:
    """Rows of each label in words, most frequent first; of numbers their range."""
    if spec.kind == "regression":
        numbers = np.fromiter((float(row.label) for row in rows), np.float64, len(rows))
        return f"from {numbers.min():g} to {numbers.max():g}, mean {numbers.mean():g}"
    labels, first = by_label(rows)
    counts = np.bincount(labels)
    most = np.argsort(-counts, kind="stable")[:SHOWN_LABELS]
    named = [f"{counts[n]:,} {answer_text(spec, rows[first[n]].label)}" for n in most]
    more = f", {len(counts) - SHOWN_LABELS} more" if len(counts) > SHOWN_LABELS else ""
    return ", ".join(named) + more


def three_prompts(table: TaskTable, seed: int) -> list[str]:
    """A train row, a row of another label where there is one, and a test row in a held-out wording, each answered."""
    asker, train, test = make_asker(table.spec, seed), table.rows["train"], table.rows["test"]
    one = train[0]
    other = next((row for row in train if row.label != one.label), train[-1])
    made = [record(asker, one, "train"), record(asker, other, "train"), record(asker, test[0], "test", True)]
    return [render_text(r["instruction"], r["input"]) + r["output"] for r in made]

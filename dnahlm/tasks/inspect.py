"""`dnahlm tasks inspect`: counts, lengths and leaks of tasks, and three prompts as a model would see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dnahlm.tasks.facts import describe
from dnahlm.tasks.fairness import remove_leaks
from dnahlm.tasks.prompt import render_text
from dnahlm.tasks.records import make_asker, record
from dnahlm.tasks.spec import load_task
from dnahlm.tasks.spool import Spool
from dnahlm.tasks.table import TaskTable, read_task_table

KINDS_IN_WORDS = {
    "exact": "equal", "reverse_complement": "reverse complements", "contained": "one inside the other",
    "near": "near-duplicates", "protein_exact": "equal", "protein_contained": "one inside the other",
    "protein_near": "near-duplicates",
}  # fmt: skip


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
        tests = report["test_rows"][table.spec.id]
        print(
            f"  clean: {tests['clean']:,} of {tests['rows']:,} test rows; no train row of these tasks gives them away"
        )
        print("leaks (a build takes these rows out of train, and out of validation those into test):")
        print("\n".join(leak_lines(report["leaks"], table.spec.id)) or "  none")
        if proteins := leak_lines(report["proteins"], table.spec.id):
            print("proteins in common (only counted):", *proteins, sep="\n")
        print("\n" + f"\n{'-' * 78}\n".join(shown) + "\n")


def leak_lines(leaks: Sequence[dict[str, Any]], task: str) -> list[str]:
    """One line for each entry of a leak report that concerns a task."""
    return [
        f"  {KINDS_IN_WORDS[leak['kind']]}: {counted(leak['rows'], leak['split'])} of {leak['task']} and "
        f"{counted(leak['against_rows'], leak['against_split'])} of {leak['against_task']}, "
        f"such as {leak['examples'][0]['source']} and {leak['examples'][0]['against_source']}"
        for leak in leaks
        if task in (leak["task"], leak["against_task"])
    ]


def counted(n: int, split: str) -> str:
    """A number of rows.

    >>> counted(1, "test"), counted(1200, "train")
    ('1 test row', '1,200 train rows')
    """
    return f"{n:,} {split} row{'s' * (n != 1)}"


def three_prompts(table: TaskTable, seed: int) -> list[str]:
    """A train row, a row of another label where there is one, and a test row in a held-out wording, each answered."""
    asker, train, test = make_asker(table.spec, seed), table.rows["train"], table.rows["test"]
    one = train[0]
    other = next((row for row in train if row.label != one.label), train[-1])
    made = [record(asker, one, "train"), record(asker, other, "train"), record(asker, test[0], "test", True)]
    return [render_text(r["instruction"], r["input"]) + r["output"] for r in made]

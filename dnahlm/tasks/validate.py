"""`dnahlm tasks validate`: everything that is wrong with task files and, given a data root, with their tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from dnahlm.config import load_yaml
from dnahlm.io import InputError
from dnahlm.tasks.checks import problems
from dnahlm.tasks.repeats import told
from dnahlm.tasks.rows import read_row, task_named
from dnahlm.tasks.sources import Origin, find_origins
from dnahlm.tasks.spec import TaskSpec, problems_of_mapping, read_task, task_path
from dnahlm.tasks.spool import Spool
from dnahlm.tasks.table import read_task_table

MOST = 20  # problems shown of one file; a wrong column is wrong in every row


@dataclass
class ValidateConfig:
    """Check task files before anything is built from them."""

    tasks: list[str] = field(metadata={"help": "ids of shipped tasks, or paths of task files"})
    data_root: str | None = field(default=None, metadata={"help": "also check every row of the tables under it"})


def run(config: ValidateConfig) -> None:
    """Print `ok` for each task; all problems of all tasks are reported together.

    Raises:
        InputError: at least one problem, after all tasks were checked; of one table at most the first `MOST`.
    """
    found = [problem for name in config.tasks for problem in problems_of(name, config.data_root)]
    if found:
        lines = "\n".join(f"  {problem}" for problem in found)
        raise InputError(f"{len(found)} problem{'s' * (len(found) > 1)} found:\n{lines}")


def problems_of(name: str, data_root: str | None) -> list[InputError]:
    """What is wrong with one task; prints `ok` when nothing is."""
    try:
        path = task_path(name)
        found = list(problems_of_mapping(load_yaml(path), path))
        if found:
            return found
        spec = read_task(path)
        if found := list(problems(spec)):
            return found
        if data_root is None:
            print(f"ok: {path} (tables not read; give --data_root)")
            return []
        if not (found := table_problems(spec, data_root)):
            print_table(spec, data_root)
    except InputError as error:
        return [error]
    return found


def table_problems(spec: TaskSpec, data_root: str) -> list[InputError]:
    """The first `MOST` problems of each of a task's files, row by row."""
    return [problem for origin in find_origins(spec, data_root) for problem in islice(row_problems(spec, origin), MOST)]


def row_problems(spec: TaskSpec, origin: Origin) -> Iterator[InputError]:
    """Yield what is wrong with each row; where the file itself cannot be read on, that is the last problem."""
    try:
        with task_named(spec):
            for row in origin.rows():
                try:
                    with task_named(spec):
                        read_row(spec, row, Counter())
                except InputError as error:
                    yield error
    except InputError as error:
        yield error


def print_table(spec: TaskSpec, data_root: str) -> None:
    """Read the table as a build would, and print its rows and what a build would leave out.

    Raises:
        InputError: a split without rows, or without one of the classes.
    """
    with Spool() as spool:
        table = read_task_table(spec, data_root, spool)
        sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in table.rows.items())
        print(f"ok: {spec.path}: {sizes} rows")
        for text in told(table):
            print(f"note: {text}")

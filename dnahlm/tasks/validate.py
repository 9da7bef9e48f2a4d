"""`dnahlm tasks validate`: everything that is wrong with task files and, given a data root, with their tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.io import InputError
from dnahlm.tasks.checks import problems
from dnahlm.tasks.spec import read_task, task_path
from dnahlm.tasks.table import read_task_table


@dataclass
class ValidateConfig:
    """Check task files before anything is built from them."""

    tasks: list[str] = field(metadata={"help": "ids of shipped tasks, or paths of task files"})
    data_root: str | None = field(default=None, metadata={"help": "also check every row of the tables under it"})


def run(config: ValidateConfig) -> None:
    """Print `ok` for each task; all problems of a file are reported together.

    Raises:
        InputError: at least one problem, after all tasks were checked; a table is read to its first problem.
    """
    found = [problem for name in config.tasks for problem in problems_of(name, config.data_root)]
    if found:
        lines = "\n".join(f"  {problem}" for problem in found)
        raise InputError(f"{len(found)} problem{'s' * (len(found) > 1)} found:\n{lines}")


def problems_of(name: str, data_root: str | None) -> list[InputError]:
    """What is wrong with one task; prints `ok` when nothing is."""
    try:
        path: Path = task_path(name)
        spec = read_task(path)
        found = list(problems(spec))
        if not found and data_root:
            table = read_task_table(spec, data_root)
            sizes = ", ".join(f"{len(rows):,} {split}" for split, rows in table.rows.items())
            print(f"ok: {path}: {sizes} rows")
        elif not found:
            print(f"ok: {path} (tables not read; give --data_root)")
    except InputError as error:
        return [error]
    return found

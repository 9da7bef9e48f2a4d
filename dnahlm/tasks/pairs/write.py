"""The output folder of a pair builder: three tables, the task file that asks about them, and a manifest."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dnahlm.io import shipped


def write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write one CSV table; the keys of the first row are the columns."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_task(folder: Path, task: str, final: Path, simulated: bool) -> None:
    """Write the shipped task file, its source files renamed to lie in `final`.

    Args:
        folder: the folder being written.
        task: id of the shipped task.
        final: the folder's final path; `--data_root` is its parent.
        simulated: whether the DNA itself was made by a program.
    """
    text = (shipped("data_templates") / "tasks" / f"{task}.yaml").read_text(encoding="utf-8")
    text = text.replace(f": {task}/", f": {final.absolute().name}/")
    if simulated:
        text = text.replace("simulated: false", "simulated: true")
    (folder / f"{task}.yaml").write_text(text, encoding="utf-8")


def say_next(output: str, task: str) -> None:
    """The last printed lines: what was written and what to do with it."""
    final = Path(output).absolute()
    print(f"wrote {output}")
    print(f"next: dnahlm instructions build --tasks {output}/{task}.yaml --data_root {final.parent} --output ...")

"""The output folder of a pair builder: three tables, the task file that asks about them, and a manifest."""

import csv
import json
import re
import shlex
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


def write_task(folder: Path, task: str, final: Path, made: str, simulated: bool) -> None:
    """Write the shipped task file, its source files renamed to lie in `final` and its description ending in `made`.

    Args:
        folder: the folder being written.
        task: id of the shipped task.
        final: the folder's final path; `--data_root` is its parent.
        made: one sentence on the settings these tables were made with, without quotes.
        simulated: whether the DNA itself was made by a program.
    """
    text = (shipped("data_templates") / "tasks" / f"{task}.yaml").read_text(encoding="utf-8")
    name = final.absolute().name
    text = re.sub(rf": {task}/(\S+)", lambda found: f": {json.dumps(f'{name}/{found[1]}', ensure_ascii=False)}", text)
    text = re.sub(r'(?m)^(description: ".*)"$', lambda found: f'{found[1]} {made}"', text)
    if simulated:
        text = text.replace("simulated: false", "simulated: true")
    (folder / f"{task}.yaml").write_text(text, encoding="utf-8")


def say_next(output: str, task: str) -> None:
    """The last printed lines: what was written and what to do with it."""
    final = Path(output).absolute()
    print(f"wrote {output}")
    tasks, data_root = shlex.quote(f"{output}/{task}.yaml"), shlex.quote(str(final.parent))
    print(f"next: dnahlm instructions build --tasks {tasks} --data_root {data_root} --output ...")

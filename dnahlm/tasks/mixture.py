"""What a mixture file says: tasks, weights, caps, a temperature and the number of rows; and the repeats of a build.

The share of a task is its weight times n^(1/T), where n is its number of train rows: T = 1 keeps the sizes, a higher
T brings small tasks nearer to large ones. A mixture repeats no row, so a share can only be reached by leaving rows out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from dnahlm.config import build, did_you_mean, line_of, load_yaml
from dnahlm.io import InputError
from dnahlm.values import read_object

LEAST_TEMPERATURE = 0.001  # far below 1, the largest task alone keeps its rows


@dataclass
class Part:
    """One task of a mixture."""

    weight: float = 1.0
    max_train_rows: int = 0  # 0 = no cap of its own


@dataclass
class Mixture:
    """What a mixture file may say."""

    tasks: dict[str, Part]  # id of a shipped task, or path of a task file
    temperature: float = 1.0
    train_rows: int = 0  # of all tasks together, before reverse complements; 0 = as many as the shares allow
    path: Path = field(init=False, default=Path())


def load_mixture(path: str | Path) -> Mixture:
    """Read and check a mixture file; relative paths in it start from the working folder.

    Raises:
        InputError: unknown key, no tasks, a weight that is not above 0 or not finite, a temperature too low, a negative
            number of rows, or fewer of them than tasks.
    """
    mapping = load_yaml(path)
    if isinstance(mapping.get("tasks"), dict):  # `core_promoter:` with nothing behind it means the defaults
        mapping["tasks"] = {name: {} if part is None else part for name, part in mapping["tasks"].items()}
    mixture = build(Mixture, mapping, path)
    mixture.path = Path(path)

    def refuse(key: str, message: str) -> NoReturn:
        raise InputError(f"{path}:{line_of(path, key)}: {key}: {message}")

    if not mixture.tasks:
        refuse("tasks", "none given. Write one task a line, as in `core_promoter: {weight: 2}`.")
    if not mixture.temperature >= LEAST_TEMPERATURE:
        refuse("temperature", f"found {mixture.temperature:g}; must be {LEAST_TEMPERATURE} or more (1 = by size).")
    if mixture.train_rows and mixture.train_rows < len(mixture.tasks):
        n = len(mixture.tasks)
        refuse("train_rows", f"found {mixture.train_rows}; must be {n} (a row of each task) or more, or 0 (all).")
    for name, part in mixture.tasks.items():
        if not 0 < part.weight < math.inf:
            refuse(name, f"weight {part.weight:g}; must be a number above 0. To leave the task out, remove its line.")
        if part.max_train_rows < 0:
            refuse(name, f"max_train_rows {part.max_train_rows}; must be 0 (all) or more.")
    return mixture


def repeats_of(ids: Sequence[str], repeats: dict[str, Any] | str | None) -> list[int]:
    """Times each train row is asked, task by task.

    Raises:
        InputError: a task that is not in the build, or anything but a whole number of 1 or more.
    """
    given = read_object(repeats, "repeats", '{"splice_site": 4}') if isinstance(repeats, str) else repeats or {}
    for name, times in given.items():
        if name not in ids:
            raise InputError(f"repeats: task {name!r} is not in this build. {did_you_mean(name, ids)}")
        if type(times) is not int or times < 1:
            raise InputError(f"repeats: {name}: found {times!r}; a whole number of 1 or more is needed.")
    return [given.get(name, 1) for name in ids]

"""How many train rows each task of a build gives: weights, caps and a temperature from one YAML file, and repeats.

The share of a task is its weight times n^(1/T), where n is its number of train rows: T = 1 keeps the sizes, a higher
T brings small tasks nearer to large ones. A mixture repeats no row, so a share can only be reached by leaving rows out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from dnahlm.config import build, did_you_mean, line_of, load_yaml
from dnahlm.io import InputError
from dnahlm.values import read_object


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
        InputError: unknown key, no tasks, a weight or a temperature that is not above 0, a negative number of rows.
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
    if not mixture.temperature > 0:
        refuse("temperature", f"found {mixture.temperature:g}; must be above 0 (1 = by size).")
    if mixture.train_rows < 0:
        refuse("train_rows", f"found {mixture.train_rows}; must be 0 (as many as the shares allow) or more.")
    for name, part in mixture.tasks.items():
        if not part.weight > 0:
            refuse(name, f"weight {part.weight:g}; must be above 0. Leave the task out instead.")
        if part.max_train_rows < 0:
            refuse(name, f"max_train_rows {part.max_train_rows}; must be 0 (all) or more.")
    return mixture


def rows_by_share(available: Mapping[str, int], parts: Mapping[str, Part], temperature: float, total: int) -> list[int]:
    """Train rows of each task, in the order of `available`.

    Args:
        available: task -> its train rows, after its own cap.
        parts: task -> its weight.
        temperature: T of the shares.
        total: rows to reach, 0 for as many as exact shares allow. What a task cannot give, the others give.

    >>> rows_by_share({"a": 900, "b": 100}, {"a": Part(), "b": Part()}, 1.0, 0)
    [900, 100]
    >>> rows_by_share({"a": 900, "b": 100}, {"a": Part(), "b": Part()}, 2.0, 0)
    [300, 100]
    >>> rows_by_share({"a": 900, "b": 100}, {"a": Part(), "b": Part(3)}, 1.0, 500)
    [400, 100]
    """
    force = {name: parts[name].weight * n ** (1 / temperature) for name, n in available.items()}
    if not total:
        scale = min(available[name] / force[name] for name in available)
        return [max(1, round(scale * force[name])) for name in available]
    given: dict[str, int] = {}
    open_tasks = list(available)
    left = total
    while open_tasks:
        whole = sum(force[name] for name in open_tasks)
        full = [name for name in open_tasks if left * force[name] / whole >= available[name]]
        if not full:
            given |= {name: max(1, round(left * force[name] / whole)) for name in open_tasks}
            break
        for name in full:
            given[name] = available[name]
        left = max(0, left - sum(available[name] for name in full))
        open_tasks = [name for name in open_tasks if name not in given]
    return [given[name] for name in available]


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

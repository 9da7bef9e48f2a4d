"""Where a task's rows come from: local files under the data root, else the hub; one origin per split that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.readers.tables import Row, read_table
from dnahlm.tasks.spec import TaskSpec, local_path


@dataclass
class Origin:
    """The rows of one split, read when asked for."""

    split: str
    files: dict[str, Path]  # name in the manifest -> file; empty for the hub
    rows: Callable[[], Iterator[Row]]
    names: dict[str, str] = field(default_factory=dict)  # path as in `Row.where` -> name relative to the data root

    def source(self, where: str) -> str:
        """`Row.where` with its path relative to the data root."""
        path, colon, line = where.rpartition(":")
        return f"{self.names.get(path, path)}{colon}{line}"


def find_origins(spec: TaskSpec, data_root: str | Path) -> list[Origin]:
    """The origin of every split that is not held out of train.

    Raises:
        InputError: a file that is not there; the hub is asked only when none of the files is.
    """
    return [file_origin(spec, data_root, split) for split in spec.source.files]


def has_local_files(spec: TaskSpec, data_root: str | Path) -> bool:
    """Whether any of the files that the task names lies under the data root."""
    names = [*spec.source.files.values(), *(f for files in spec.source.class_files.values() for f in files.values())]
    return any((Path(data_root) / name).is_file() or (Path(data_root) / f"{name}.gz").is_file() for name in names)


def file_origin(spec: TaskSpec, data_root: str | Path, split: str) -> Origin:
    """One split read from one table."""
    given = spec.source.files[split]
    path = local_path(spec, data_root, given, f"split {split}")
    columns = columns_needed(spec)
    return Origin(
        split,
        {split: path},
        lambda: read_table(path, columns, spec.source.format),
        {str(path): shown_name(given, path)},
    )


def columns_needed(spec: TaskSpec) -> list[str]:
    """The columns that are read: sequences, label and what rows are grouped or chosen by."""
    by = spec.source.hold_out_by
    extra = [by] if by not in ("sequence", "similarity") else []
    return list(dict.fromkeys([*spec.columns.values(), *extra]))


def shown_name(given: str, path: Path) -> str:
    """The name in the task file, with `.gz` where that file was found."""
    return given.removesuffix(".gz") + (".gz" if path.suffix == ".gz" else "")

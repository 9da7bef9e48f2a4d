"""Where a task's rows come from: local files under the data root, else the hub; one origin per split that has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dnahlm.config import line_of
from dnahlm.io import InputError
from dnahlm.readers.formats import read_rows
from dnahlm.readers.hub import read_hub
from dnahlm.readers.tables import Row
from dnahlm.tasks.spec import TaskSpec


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
    source = spec.source
    if source.hub and not has_local_files(spec, data_root):
        return [hub_origin(spec, split) for split in source.hub_splits]
    return [file_origin(spec, data_root, split) for split in source.files or source.class_files]


def has_local_files(spec: TaskSpec, data_root: str | Path) -> bool:
    """Whether any of the files that the task names lies under the data root."""
    names = [*spec.source.files.values(), *(f for files in spec.source.class_files.values() for f in files.values())]
    return any((Path(data_root) / name).is_file() or (Path(data_root) / f"{name}.gz").is_file() for name in names)


def file_origin(spec: TaskSpec, data_root: str | Path, split: str) -> Origin:
    """One split read from its file, or from its file per class; the genome of intervals is an input too."""
    source, columns = spec.source, columns_needed(spec)
    if source.format == "fasta":
        given = {f"{split}/{label}": name for label, name in source.class_files[split].items()}
        columns = [spec.columns["sequence"], spec.label_column]
    else:
        given = {split: source.files[split]}
    files = {role: local_path(spec, data_root, name, f"split {role}") for role, name in given.items()}
    names = {str(files[role]): shown_name(name, files[role]) for role, name in given.items()}
    place = (
        {label: files[f"{split}/{label}"] for label in source.class_files[split]}
        if source.class_files
        else files[split]
    )
    options: dict[str, Any] = {}
    if source.genome:
        files["genome"] = options["genome"] = local_path(spec, data_root, source.genome, "genome")
    if source.format == "kmer_tsv":
        options["dna_columns"] = list(spec.dna_columns.values())
    rows = partial(read_rows, source.format, place, columns, source.filter, **options)
    return Origin(split, files, rows, names)


def local_path(spec: TaskSpec, data_root: str | Path, name: str, role: str) -> Path:
    """A file the task names, or the same with `.gz`; `role` says what it is for.

    Raises:
        InputError: neither is there.
    """
    path = Path(data_root) / name
    zipped = path.with_name(path.name + ".gz")
    if path.is_file() or zipped.is_file():
        return path if path.is_file() else zipped
    where = f"(task {spec.id}, {role}; {spec.path}:{line_of(spec.path, 'source')})"
    if path.is_dir():
        raise InputError(f"{path}: is a folder where a file is needed {where}. Name the file in it.")
    folder = path.parent
    held = sorted(p.name for p in folder.iterdir() if p.suffix != ".part")[:8] if folder.is_dir() else []
    seen = f"{folder} holds {held}" if folder.is_dir() else f"there is no folder {folder}"
    raise InputError(
        f"{path}: no such file, and no {zipped.name} beside it {where}; {seen}. --data_root ({data_root}) "
        f"must name the folder that holds {name!r}."
    )


def hub_origin(spec: TaskSpec, split: str) -> Origin:
    """One split read from the hub, through the cache of `datasets`."""
    source = spec.source
    rows = partial(
        read_hub, str(source.hub), source.config, source.hub_splits[split], columns_needed(spec), source.filter
    )
    return Origin(split, {}, rows)


def columns_needed(spec: TaskSpec) -> list[str]:
    """The columns that are read: sequences, label and what rows are grouped or chosen by."""
    by = spec.source.hold_out_by
    extra = [by] if by not in ("sequence", "similarity") else []
    return list(dict.fromkeys([*spec.columns.values(), *extra]))


def shown_name(given: str, path: Path) -> str:
    """The name in the task file, with `.gz` where that file was found."""
    return given.removesuffix(".gz") + (".gz" if path.suffix == ".gz" else "")

"""One YAML file = one task: where its table lies, what its labels mean, how it is asked and how it is measured.

`data_templates/README.md` describes the file for those who write one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.config import build, did_you_mean, load_yaml
from dnahlm.io import InputError, shipped
from dnahlm.tasks.checks import check_quoted, check_task


@dataclass
class Source:
    """Where the rows lie. Splits without a file are set aside from the rows of the train file."""

    format: str  # csv | tsv
    files: dict[str, str]  # split -> file, relative to the data root; `name.gz` is found too
    hold_out: dict[str, float] = field(default_factory=dict)  # split -> share of the train file's sequences


@dataclass
class Columns:
    """Names of the two columns that are read."""

    sequence: str = "sequence"
    label: str = "label"


@dataclass
class Window:
    """How many bases a question may hold, and what happens to longer rows."""

    bases: int = 0  # 0 = no limit of its own
    policy: str = "error"  # error | center: cut to the middle `bases` bases


@dataclass
class TaskSpec:
    """One task, checked. Fields are the keys of the YAML file; `path` is that file."""

    id: str
    version: int  # raised when wording, labels or splits change
    description: str
    citation: str
    licence: str
    source: Source
    labels: dict[str, str]  # value in the table -> answer the model writes
    phrasings: list[str]  # for training; each has {options} once
    held_out_phrasings: list[str]  # only for testing
    metrics: list[str]  # the first is the headline
    kind: str = "classification"
    columns: Columns = field(default_factory=Columns)
    strand_symmetric: bool = False  # the label holds for the reverse complement too
    window: Window = field(default_factory=Window)
    simulated: bool = False  # made by a program, not measured
    path: Path = field(init=False, default=Path())


def shipped_tasks() -> dict[str, Path]:
    """Task id -> file, of every task the package carries, in order of name."""
    return {path.stem: path for path in sorted((shipped("data_templates") / "tasks").glob("*.yaml"))}


def load_task(name_or_path: str | Path) -> TaskSpec:
    """Read and check a task: the id of a shipped one, or the path of a YAML file.

    Raises:
        InputError: unknown name, or anything in the file that `check_task` refuses.
    """
    known = shipped_tasks()
    path = known.get(str(name_or_path), Path(name_or_path))
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(
            f"task {str(name_or_path)!r} is neither a shipped task nor a .yaml file. "
            f"{did_you_mean(path.name, list(known))}"
        )
    mapping = load_yaml(path)
    check_quoted(mapping.get("labels"), path)
    spec = build(TaskSpec, mapping, path)
    spec.path = path
    check_task(spec)
    return spec


def answers(spec: TaskSpec) -> list[str]:
    """What the model may write, in the order of the YAML file."""
    return list(spec.labels.values())


def source_path(spec: TaskSpec, data_root: str | Path, split: str) -> Path:
    """The file a split is read from: the one named in the task, or the same with `.gz`.

    Raises:
        InputError: neither is there.
    """
    path = Path(data_root) / spec.source.files[split]
    zipped = path.with_name(path.name + ".gz")
    if path.is_file() or zipped.is_file():
        return path if path.is_file() else zipped
    raise InputError(
        f"{path}: no such file, and no {zipped.name} beside it (task {spec.id}, split {split}, data root {data_root}). "
        f"--data_root must name the folder that holds {spec.source.files[split]!r} "
        "(the tests take it from DNAHLM_DATA)."
    )

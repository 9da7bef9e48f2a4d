"""One YAML file = one task: where its rows lie, what its labels mean, how it is asked and how it is measured.

`data_templates/README.md` describes the file for those who write one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.config import build, did_you_mean, load_yaml, problems_of_keys
from dnahlm.io import InputError, shipped
from dnahlm.tasks.checks import check_quoted, check_task

PAIR_KINDS = ("pair", "dna_protein_pair")


@dataclass
class Source:
    """Where the rows lie. Splits without a file are set aside from the rows of the train file."""

    format: str = "csv"  # csv | tsv | parquet | jsonl | kmer_tsv | fasta | bed
    files: dict[str, str] = field(default_factory=dict)  # split -> file, relative to the data root; `name.gz` also
    class_files: dict[str, dict[str, str]] = field(default_factory=dict)  # fasta: split -> label -> file
    genome: str | None = None  # bed: the FASTA file the intervals are cut from
    hub: str | None = None  # owner/name, read when none of the local files is there
    config: str | None = None  # configuration of the hub data set
    hub_splits: dict[str, str] = field(default_factory=dict)  # our split -> theirs
    filter: dict[str, str] = field(default_factory=dict)  # column -> the value a row must have to be read
    hold_out: dict[str, float] = field(default_factory=dict)  # split -> share of the train file's rows
    hold_out_by: str = "sequence"  # sequence | similarity | the name of a column whose values never cross splits

    @property
    def splits(self) -> list[str]:
        """The splits that have rows of their own, in files or on the hub."""
        return list(self.files or self.class_files or self.hub_splits)


@dataclass
class Window:
    """How many bases a question may hold, and what happens to longer rows."""

    bases: int = 0  # 0 = no limit of its own
    policy: str = "error"  # error | center: the middle `bases` bases | slide: consecutive windows of `bases` bases
    overlap: int = 0  # slide: bases that a window shares with the next


@dataclass
class Wording:
    """One fixed way to ask and answer, taken over literally, such as that of a paper."""

    phrasing: str
    labels: dict[str, str]  # value in the table -> answer


@dataclass
class TaskSpec:
    """One task, checked. Fields are the keys of the YAML file; `path` is that file."""

    id: str
    version: int  # raised when wording, labels or splits change
    description: str
    citation: str
    licence: str
    source: Source
    phrasings: list[str]  # for training; each has {options} once where the answers are fixed
    held_out_phrasings: list[str]  # only for testing
    metrics: list[str]  # the first is the headline
    kind: str = "classification"
    columns: dict[str, str] = field(default_factory=dict)  # what we call it -> column of the table
    labels: dict[str, str] = field(default_factory=dict)  # value in the table -> answer the model writes
    alternative_labels: dict[str, list[str]] = field(default_factory=dict)  # other words for the same labels
    wordings: dict[str, Wording] = field(default_factory=dict)
    separator: str = ";"  # multilabel: between the labels of one cell
    none_label: str | None = None  # multilabel: the answer where a cell holds no label
    decimals: int | None = None  # regression: digits after the point in the answer
    levels: int | None = None  # hierarchical: parts of a label, as in 1.2.3.4
    strand_symmetric: bool = False  # the label holds for the reverse complement too
    window: Window = field(default_factory=Window)
    simulated: bool = False  # made by a program, not measured
    path: Path = field(init=False, default=Path())

    @property
    def label_column(self) -> str:
        """The column that holds the label."""
        return self.columns["label"]

    @property
    def sequence_columns(self) -> dict[str, str]:
        """What is asked about: our name -> column, in the order of the file; a protein is one of them."""
        return {name: column for name, column in self.columns.items() if name != "label"}

    @property
    def dna_columns(self) -> dict[str, str]:
        """Those of them that hold DNA."""
        return {name: column for name, column in self.sequence_columns.items() if name != "protein"}


DEFAULT_COLUMNS = {"pair": ("sequence1", "sequence2"), "dna_protein_pair": ("sequence", "protein")}


def shipped_tasks() -> dict[str, Path]:
    """Task id -> file, of every task the package carries, in order of name."""
    return {path.stem: path for path in sorted((shipped("data_templates") / "tasks").glob("*.yaml"))}


def load_task(name_or_path: str | Path) -> TaskSpec:
    """Read and check a task: the id of a shipped one, or the path of a YAML file.

    Raises:
        InputError: unknown name, or anything in the file that `check_task` refuses.
    """
    spec = read_task(task_path(name_or_path))
    check_task(spec)
    return spec


def tasks_in(folder: Path) -> dict[str, TaskSpec]:
    """The task files that a checkpoint or an instructions folder carries, by id; empty when it has none."""
    return {spec.id: spec for spec in map(load_task, sorted((folder / "tasks").glob("*.yaml")))}


def task_path(name_or_path: str | Path) -> Path:
    """The file of a task.

    Raises:
        InputError: neither the id of a shipped task nor the name of a YAML file.
    """
    known = shipped_tasks()
    path = known.get(str(name_or_path), Path(name_or_path))
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(
            f"task {str(name_or_path)!r} is neither a shipped task nor a .yaml file. "
            f"{did_you_mean(path.name, list(known))}"
        )
    return path


def read_task(path: Path) -> TaskSpec:
    """A task file with the right keys and types, its values not yet checked.

    Raises:
        InputError: not YAML, an unknown or missing key, a wrong type.
    """
    mapping = load_yaml(path)
    for problem in problems_of_mapping(mapping, path):
        raise problem
    spec = build(TaskSpec, mapping, path)
    spec.path = path
    given = [name for name in spec.columns if name != "label"]
    for name in () if given and spec.kind in PAIR_KINDS else DEFAULT_COLUMNS.get(spec.kind, ("sequence",)):
        spec.columns.setdefault(name, name)
    spec.columns.setdefault("label", "label")
    return spec


def problems_of_mapping(mapping: dict[str, Any], path: Path) -> Iterator[InputError]:
    """Yield what is wrong with the keys and the types of a task file."""
    for key in ("labels", "alternative_labels"):
        try:
            check_quoted(mapping.get(key), path, key)
        except InputError as error:
            yield error
            mapping = {name: value for name, value in mapping.items() if name != key} | {key: {}}
    yield from problems_of_keys(TaskSpec, mapping, path)


def has_fixed_answers(spec: TaskSpec) -> bool:
    """Whether the model chooses one of a list of answers, so that each can be scored."""
    return spec.kind in ("classification", *PAIR_KINDS) or (spec.kind == "hierarchical" and bool(spec.labels))


def asks_one_sequence(spec: TaskSpec) -> bool:
    """Whether a sequence alone makes a question whose answers can be scored, as chat needs it."""
    return has_fixed_answers(spec) and spec.kind not in PAIR_KINDS


def answers(spec: TaskSpec) -> list[str]:
    """What the model may write, in the order of the YAML file.

    Raises:
        InputError: a kind whose answers are no fixed list.
    """
    if not has_fixed_answers(spec):
        raise InputError(
            f"{spec.path}: task {spec.id} is of kind {spec.kind}, whose answers are no fixed list, so they cannot be "
            "scored one by one. Train on its instructions; `dnahlm predict` and `dnahlm evaluate` let the model write "
            "its answers."
        )
    return list(spec.labels.values())

"""The rows behind a report: predictions/<model>/<task>.parquet, checked to be those report.json was computed from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from dnahlm.evaluation.report.tables import BASELINES, main_way
from dnahlm.io import InputError

NEEDED = ("id", "answer", "bases", "input")
INVALID = -1  # the number of a prediction that is none of the answers
AGAIN = "Run `dnahlm evaluate` again."


@dataclass
class Rows:
    """N rows of one task as one model answered them; answers are numbers of `answers`, -1 = no usable answer."""

    task: str
    model: str
    path: Path
    answers: list[str]  # K
    ids: list[str]
    right: np.ndarray  # (N,)
    bases: np.ndarray  # (N,)
    inputs: list[str]
    predicted: dict[str, np.ndarray] = field(default_factory=dict)  # way -> (N,)
    chances: dict[str, np.ndarray] = field(default_factory=dict)  # way -> (N, K)
    texts: list[str] | None = None  # what the model wrote by itself

    def hits(self, way: str) -> np.ndarray:
        """(N,) whether the answer is right."""
        return self.predicted[way] == self.right


def predictions_path(folder: Path, task: dict[str, Any]) -> Path:
    """Where the rows of one entry of report.json lie."""
    return folder / "predictions" / task["model"] / f"{task['task']}.parquet"


def has_classes(task: dict[str, Any]) -> bool:
    """Whether every answer is one of a list, so that rows can be right, wrong and probable."""
    return bool(task["answers"]) and "accuracy" in task["metrics"].get(main_way(task), {})


def read_predictions(folder: Path, task: dict[str, Any]) -> Rows | None:
    """The rows of one task and model; None for a kind without a list of answers.

    Args:
        folder: an evaluation, or its still unfinished folder.
        task: the entry of report.json.

    Raises:
        InputError: no such file, missing columns, another number of rows, answers that are not the task's, or
            predictions whose accuracy is not the reported one (those of another checkpoint).
    """
    if not has_classes(task):
        return None
    path = predictions_path(folder, task)
    columns = read_columns(path, task)
    n = len(columns["id"])
    if n != task["n"]:
        raise InputError(f"{path}: has {n:,} rows, but report.json was computed from {task['n']:,}. {AGAIN}")
    repeated = n - len(set(columns["id"]))
    if repeated:
        raise InputError(f"{path}: {repeated:,} rows have the id of another row; each must be there once. {AGAIN}")
    place = {answer: k for k, answer in enumerate(task["answers"])}
    foreign = sorted({str(answer) for answer in columns["answer"] if answer not in place})
    if foreign:
        raise InputError(f"{path}: the right answers {foreign[:5]} are none of the task's ({task['answers']}). {AGAIN}")
    rows = Rows(
        task["task"], task["model"], path, list(task["answers"]), columns["id"],
        np.array([place[answer] for answer in columns["answer"]]), np.array(columns["bases"]), columns["input"],
        texts=columns.get("generated"),
    )  # fmt: skip
    for name, values in columns.items():
        if name.startswith("predicted_") and all(value is None or value in place for value in values):
            # Other words for the labels are no answers of this list; what was said in them cannot be compared here.
            rows.predicted[name.removeprefix("predicted_")] = np.array([place.get(v, INVALID) for v in values])
        elif name.startswith("p_"):
            rows.chances[name.removeprefix("p_")] = values
    check_figures(rows, task, main_way(task))
    return rows


def read_columns(path: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Columns of a predictions file: lists, and arrays (N, K) for the probabilities.

    Raises:
        InputError: as of `read_predictions`.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file, but report.json has figures of it. Copy the whole folder. {AGAIN}")
    way = main_way(task)
    try:
        there = pyarrow.parquet.read_schema(path).names
        missing = [name for name in (*NEEDED, f"predicted_{way}") if name not in there]
        if missing:
            raise InputError(f"{path}: lacks the columns {missing}; it has {there}. {AGAIN}")
        drawn = {*NEEDED, "generated", f"p_{way}", *(f"p_{baseline}" for baseline in BASELINES)}
        names = [name for name in there if name in drawn or name.startswith("predicted_")]
        table = pyarrow.parquet.read_table(path, columns=names)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: no readable Parquet file ({error}). {AGAIN}") from error
    columns: dict[str, Any] = {}
    for name in names:
        column = table[name].combine_chunks()
        columns[name] = chances(column, task, f"{path}: column {name}") if name.startswith("p_") else column.to_pylist()
    return columns


def chances(column: pyarrow.Array, task: dict[str, Any], where: str) -> np.ndarray:
    """Probabilities (N, K) of a list column.

    Raises:
        InputError: not K numbers from 0 to 1 a row.
    """
    k = len(task["answers"])
    is_list = pyarrow.types.is_list(column.type) or pyarrow.types.is_fixed_size_list(column.type)
    if not is_list or column.null_count or not np.all(np.asarray(pyarrow.compute.list_value_length(column)) == k):
        raise InputError(f"{where}: must hold {k} probabilities a row, one per answer. {AGAIN}")
    values = np.asarray(column.flatten(), dtype=np.float64).reshape(len(column), k)
    if not ((values >= 0) & (values <= 1 + 1e-6)).all():
        raise InputError(f"{where}: holds numbers that are no probabilities. {AGAIN}")
    return values


def check_figures(rows: Rows, task: dict[str, Any], way: str) -> None:
    """Raise `InputError` when the rows do not give the accuracy that report.json says of a way."""
    if way not in rows.predicted:
        raise InputError(
            f"{rows.path}: has no column predicted_{way} in words of the task ({rows.answers}). Answers given in other "
            f"words cannot be read here. {AGAIN}"
        )
    said, found = task["metrics"][way].get("accuracy"), float(rows.hits(way).mean())
    if said is not None and abs(said - found) > 1e-6:
        raise InputError(
            f"{rows.path}: its predictions ({way}) are right in {found:.4f} of the rows, report.json says {said:.4f}. "
            f"They are of another checkpoint or of other rows. {AGAIN}"
        )

"""predictions/<model>/<task>.parquet: one line per row, one or two columns per way of asking."""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

from dnahlm.evaluation.bootstrap import Answered
from dnahlm.evaluation.rows import TaskRows
from dnahlm.inference.generator import Generated
from dnahlm.tasks.kinds import bases_in


def write_predictions(path: Path, rows: TaskRows, ways: dict[str, Answered], texts: list[Generated] | None) -> None:
    """Write the predictions of one model on one task.

    Columns: id, label (as in the data), answer (the right one), clean, bases, input; per way `predicted_<way>` (null =
    no usable answer) and, where answers were scored, `p_<way>`, K probabilities in the order of the task's answers
    (of kind multilabel: of each of its labels);
    where the model wrote, `generated` and `stopped` (by itself).
    """
    records = rows.asked
    columns: dict[str, pyarrow.Array] = {
        "id": pyarrow.array([r["id"] for r in records], pyarrow.string()),
        "label": pyarrow.array([r["label"] for r in records], pyarrow.string()),
        "answer": pyarrow.array([r["output"] for r in records], pyarrow.string()),
        "clean": pyarrow.array(rows.clean, pyarrow.bool_()),
        "bases": pyarrow.array([bases_in(r["input"]) for r in records], pyarrow.int64()),
        "input": pyarrow.array([r["input"] for r in records], pyarrow.string()),
    }
    for name, answered in ways.items():
        columns[f"predicted_{name}"] = pyarrow.array(list(answered.predicted), pyarrow.string())
        if answered.chances is not None:
            flat = pyarrow.array(answered.chances.astype(np.float32).ravel(), pyarrow.float32())
            columns[f"p_{name}"] = pyarrow.FixedSizeListArray.from_arrays(flat, answered.chances.shape[1])
    if texts is not None:
        columns["generated"] = pyarrow.array([t.text for t in texts], pyarrow.string())
        columns["stopped"] = pyarrow.array([t.stopped for t in texts], pyarrow.bool_())
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:  # given a path, pyarrow leaves the file open when the disk is full
        pyarrow.parquet.write_table(pyarrow.table(columns), handle)

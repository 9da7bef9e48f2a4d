"""The last step of tuning: fit each task's calibration on validation rows and write it beside the weights."""

import dataclasses
import json
import random
from pathlib import Path
from typing import Any

from dnahlm.inference.calibrate import FILE_NAME, fit_calibration
from dnahlm.inference.load import load
from dnahlm.inference.parallel import alone
from dnahlm.inference.scorer import score
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import render_prompts
from dnahlm.tasks.spec import TaskSpec, answers, has_fixed_answers

MAX_ROWS = 400  # per task; a temperature and a few biases need no more


def calibrate(folder: Path, instructions: str | Path, seed: int = 0) -> dict[str, Any]:
    """Fit and write `folder/calibration.json`: {task: {temperature, bias, rows, changed_by_bias}}.

    Args:
        folder: a tuned checkpoint with its task files.
        instructions: the folder it was tuned on; only `validation.jsonl` is read.
        seed: chooses the rows when a task has more than 400.

    Returns:
        `calibration`: the same, for the manifest.
    """
    loaded = load(folder)
    rows: dict[str, list[dict[str, Any]]] = {}
    for record in read_instructions(Path(instructions) / "validation.jsonl"):
        rows.setdefault(record["task"], []).append(record)
    fitted: dict[str, dict[str, Any]] = {}
    for task, records in sorted(rows.items()):
        if not has_fixed_answers(loaded.tasks[task]):  # nothing is scored, so nothing needs to be scaled
            continue
        chosen = random.Random(seed).sample(records, min(MAX_ROWS, len(records)))
        options = words_of(loaded.tasks[task], records)
        prompts = render_prompts(loaded.tokenizer, [r["instruction"] for r in chosen], [r["input"] for r in chosen])
        with alone():  # called by the main process of a training run
            scores = score(loaded.model, loaded.tokenizer, prompts, options, progress=f"calibrate {task}")
        fit = fit_calibration(scores, [options.index(r["output"]) for r in chosen])
        # A bias belongs to words: those of a wording are not the ones that chat and predict ask with.
        fit = fit.for_options(options, answers(loaded.tasks[task]))
        fitted[task] = dataclasses.asdict(fit)
    (folder / FILE_NAME).write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    return {"calibration": fitted}


def words_of(spec: TaskSpec, records: list[dict[str, Any]]) -> list[str]:
    """The answers the records were written with, in the order of the task: its own, or those of a wording."""
    written = {record["label"]: record["output"] for record in records}
    return [written.get(label, answer) for label, answer in spec.labels.items()]

"""Calibration: one temperature per task, fitted on validation rows after tuning."""

import json
import random
from pathlib import Path
from typing import Any

from dnahlm.inference.load import load
from dnahlm.inference.scorer import fit_temperature, score
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import render_prompts
from dnahlm.tasks.spec import answers, has_fixed_answers

FILE_NAME = "calibration.json"
MAX_ROWS = 400  # per task; a single temperature needs no more


def calibrate(folder: Path, instructions: str | Path, seed: int = 0) -> dict[str, Any]:
    """Fit and write `folder/calibration.json`: {task: temperature}.

    Args:
        folder: a tuned checkpoint with its task files.
        instructions: the folder it was tuned on; only `validation.jsonl` is read.
        seed: chooses the rows when a task has more than 400.

    Returns:
        `calibration`: task -> {temperature, rows}, for the manifest.
    """
    loaded = load(folder)
    rows: dict[str, list[dict[str, Any]]] = {}
    for record in read_instructions(Path(instructions) / "validation.jsonl"):
        rows.setdefault(record["task"], []).append(record)
    fitted: dict[str, dict[str, float]] = {}
    for task, records in sorted(rows.items()):
        if not has_fixed_answers(loaded.tasks[task]):  # nothing is scored, so nothing needs a temperature
            continue
        chosen = random.Random(seed).sample(records, min(MAX_ROWS, len(records)))
        options = answers(loaded.tasks[task])
        prompts = render_prompts(loaded.tokenizer, [r["instruction"] for r in chosen], [r["input"] for r in chosen])
        scores = score(loaded.model, loaded.tokenizer, prompts, options, progress=f"calibrate {task}")
        temperature = fit_temperature(scores, [options.index(r["output"]) for r in chosen])
        fitted[task] = {"temperature": round(temperature, 4), "rows": len(chosen)}
    temperatures = {task: fit["temperature"] for task, fit in fitted.items()}
    (folder / FILE_NAME).write_text(json.dumps(temperatures, indent=2) + "\n", encoding="utf-8")
    return {"calibration": fitted}

"""What the chain of manifests in a tuned checkpoint tells: its instructions, what it has seen, how its losses fell."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dnahlm.inference.load import Loaded
from dnahlm.io import InputError, sha256
from dnahlm.manifest import FILE_NAME

INSTRUCTIONS_STAGE = "instructions build"
TRAINING_STAGES = ("pretrain", "sft")


def ancestors(path: str, manifest: dict[str, Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (folder, manifest) of a stage's output and of everything it was made from, the output first."""
    if manifest is None:
        return
    yield path, manifest
    for source in manifest.get("inputs", {}).values():
        yield from ancestors(source["path"], source.get("manifest"))


def tuned_on(loaded: Loaded) -> dict[str, Any] | None:
    """The manifest entry of the instructions a checkpoint was tuned on: path, sha256, manifest; None if unknown."""
    return (loaded.manifest or {}).get("inputs", {}).get("instructions")


def instructions_folder(loaded: Loaded, given: str | None) -> Path:
    """The instructions whose rows are asked: the ones given, else the ones the model was tuned on.

    Raises:
        InputError: nothing given and the model's manifest names no folder, or names one that is gone.
    """
    if given:
        return Path(given)
    source = tuned_on(loaded)
    if source is None:
        raise InputError(
            f"{loaded.path}: its manifest names no instructions (was it tuned by `dnahlm`?). "
            "Pass --instructions with a folder written by `dnahlm instructions build`."
        )
    folder = Path(source["path"])
    if not folder.is_dir():
        raise InputError(
            f"{folder}: the instructions {loaded.path} was tuned on are not there any more "
            f"(looked from {Path.cwd()}). Pass --instructions with their place now."
        )
    return folder


def status_of(task: str, split: str, loaded: Loaded, instructions: Path) -> str:
    """Whether a model has seen a task and its rows: from its manifests, not from anyone's word."""
    source = tuned_on(loaded)
    if source is None:
        return "unknown: the model has no manifest"
    if loaded.task_facts.get(task, {}).get("n_train", 0) == 0:
        return "unseen task"
    if source.get("sha256") != sha256(instructions / FILE_NAME):
        return "seen task, rows of other instructions: not checked for overlap"
    return "seen task, unseen rows" if split == "test" else "seen task, rows the calibration has seen"


def loss_curves(loaded: Loaded) -> list[dict[str, Any]]:
    """Losses of the pretraining and the tuning behind a checkpoint, oldest first, where their folders still exist.

    Returns:
        one dict per stage: name, path, and series {logged key: [(step, loss), ...]} for `loss` and each `eval_*loss`.
    """
    curves = []
    for path, manifest in ancestors(loaded.path, loaded.manifest):
        log = Path(path) / "loss.jsonl"
        if manifest.get("stage") in TRAINING_STAGES and log.is_file():
            curves.append({"name": manifest["stage"], "path": path, "series": read_losses(log)})
    return curves[::-1]


def read_losses(path: Path) -> dict[str, list[tuple[int, float]]]:
    """The series of a `loss.jsonl`: one JSON object per logged step, `step` and any of `loss`, `eval_*loss`."""
    series: dict[str, list[tuple[int, float]]] = {}
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, 1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path}:{number}: not valid JSON ({error.msg}). Remove the line.") from error
            for key, value in row.items():
                if key == "loss" or (key.startswith("eval_") and key.endswith("loss")):
                    series.setdefault(key, []).append((row["step"], value))
    return series

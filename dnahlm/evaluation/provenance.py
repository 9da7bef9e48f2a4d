"""What the chain of manifests in a checkpoint tells: what it was tuned on, in which words, and how its losses fell."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.inference.load import Loaded
from dnahlm.io import InputError
from dnahlm.manifest import FILE_NAME, sha256
from dnahlm.tasks.spec import TaskSpec, answers, has_fixed_answers, tasks_in

INSTRUCTIONS_STAGE = "instructions build"
TRAINING_STAGES = ("pretrain", "sft", "class head")


@dataclass
class Seen:
    """What a model was tuned on; of a model without manifest nothing is `known`, and all is empty."""

    known: bool = False
    complete: bool = True  # the words of every tuning in the chain are known
    tasks: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)  # answers it was tuned to give, of any task
    phrasings: set[str] = field(default_factory=set)  # with {options}, of any task
    instructions: list[dict[str, Any]] = field(default_factory=list)  # manifest entries: path, sha256, manifest


def ancestors(path: str, manifest: dict[str, Any] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (folder, manifest) of a stage's output and of everything it was made from, the output first."""
    if manifest is None:
        return
    yield path, manifest
    for source in manifest.get("inputs", {}).values():
        yield from ancestors(source["path"], source.get("manifest"))


def seen_by(loaded: Loaded) -> Seen:
    """Everything the manifests of a checkpoint and of those it was made from say about its tunings."""
    chain = [found for _, found in ancestors(loaded.path, loaded.manifest) if "instructions" in found.get("inputs", {})]
    # A pretrained checkpoint that was never tuned has seen no task, and its manifest says so.
    known = bool(chain) or (loaded.manifest or {}).get("stage") in TRAINING_STAGES
    seen = Seen(known, instructions=[found["inputs"]["instructions"] for found in chain])
    seen.tasks = {task for task, facts in loaded.task_facts.items() if facts.get("n_train", 0) > 0}
    for number, source in enumerate(seen.instructions):
        built = source.get("manifest") or {}
        trained = {
            task for task, counts in built.get("counts", {}).items()
            if isinstance(counts, dict) and (counts.get("train") or {}).get("rows", 0) > 0
        }  # fmt: skip
        seen.tasks |= trained
        # The task files of the last tuning lie in the checkpoint, those of an earlier one in its instructions.
        specs = loaded.tasks if number == 0 else earlier_tasks(Path(source["path"]), source.get("sha256"))
        seen.complete &= bool(specs)
        wording = built.get("config", {}).get("wording", "")
        for spec in specs.values():
            if spec.id in seen.tasks:
                seen.phrasings |= {spec.wordings[wording].phrasing} if wording in spec.wordings else set(spec.phrasings)
                seen.words |= set(answers(spec)) if has_fixed_answers(spec) else set()
    return seen


def earlier_tasks(folder: Path, digest: str | None) -> dict[str, TaskSpec]:
    """The task files of an instructions folder, none when it is gone or is another one by now."""
    if not is_still(folder, digest):
        return {}
    return tasks_in(folder)


def is_still(folder: Path, digest: str | None) -> bool:
    """Whether the folder a manifest names lies where it did and has the same manifest."""
    path = folder / FILE_NAME
    return digest is not None and path.is_file() and sha256(path) == digest


def instructions_folder(loaded: Loaded, given: str | None) -> Path:
    """The instructions whose rows are asked: the ones given, else the ones the model was tuned on.

    Raises:
        InputError: nothing given and the model's manifest names no folder, or names one that is gone.
    """
    if given:
        return Path(given)
    source = (loaded.manifest or {}).get("inputs", {}).get("instructions")
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

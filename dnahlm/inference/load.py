"""Open a checkpoint folder for answering: model, tokenizer, the tasks it was tuned on, its calibration."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.inference.arithmetic import faster, in_bf16
from dnahlm.inference.calibrate import FILE_NAME as CALIBRATION_FILE
from dnahlm.inference.calibrate import Calibration, read_calibrations
from dnahlm.inference.parallel import device, join
from dnahlm.io import InputError
from dnahlm.manifest import FILE_NAME, read_json
from dnahlm.model.load import ADAPTER_FILE, check_rows, load_adapter, load_checkpoint, require_checkpoint_files
from dnahlm.tasks.spec import TaskSpec, tasks_in
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, template_fingerprint

PRECISIONS = ("fp32", "bf16")
FACTS = ("n_train", "min_bases", "max_bases")  # of each task, in tasks.json


@dataclass
class Loaded:
    """A model ready to answer and what is known about it; the last four are empty for a model that is not ours."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    path: str
    tasks: dict[str, TaskSpec] = field(default_factory=dict)  # tuned on, by task id
    task_facts: dict[str, dict[str, int]] = field(default_factory=dict)  # id -> n_train, min_bases, max_bases
    calibration: dict[str, Calibration] = field(default_factory=dict)  # by task id
    manifest: dict[str, Any] | None = None


def load(folder: str | Path, precision: str = "fp32", tokenizer: PreTrainedTokenizerFast | None = None) -> Loaded:
    """Load a full checkpoint or a LoRA adapter (folded into its base), on this process's GPU if there is one.

    Args:
        folder: what training wrote, or the name of a model on the hub (fetched or cached); its code is never run.
        precision: `fp32`, or `bf16`: faster by half or more where the processor computes in bfloat16, half the memory,
            and scores that differ in the second or third digit after the point.
        tokenizer: the folder's own, already loaded and completed; None = load it, and refuse one that lacks anything.

    Raises:
        InputError: no such folder or model; no config, weights or tokenizer in it; weights that do not fill the
            model; a tokenizer that belongs to another model; a chat template that is not the one the model was tuned
            with; an unknown precision.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision: found {precision!r}; allowed: {', '.join(PRECISIONS)}.")
    join()
    path = Path(folder)
    if path.is_dir():
        require_checkpoint_files(path)
    is_adapter = (path / ADAPTER_FILE).is_file()
    model = load_adapter(path) if is_adapter else load_checkpoint(str(folder))
    tokenizer = load_tokenizer(folder) if tokenizer is None else tokenizer
    manifest = read_json(path / FILE_NAME)
    check_rows(model, tokenizer, str(folder))
    check_fingerprint(tokenizer, manifest, str(folder))
    check_template(tokenizer, manifest, str(folder))
    tasks = tasks_in(path)
    model = in_bf16(model) if precision == "bf16" else model
    model = (faster(model) if device().type == "cpu" else model).to(device()).eval()
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        path=str(folder),
        tasks=tasks,
        task_facts=read_task_facts(path / "tasks.json"),
        calibration=read_calibrations(path / CALIBRATION_FILE, tasks),
        manifest=manifest,
    )


def read_task_facts(path: Path) -> dict[str, dict[str, int]]:
    """What the model saw of each task, empty when there is no such file.

    Raises:
        InputError: a task without its three whole numbers.
    """
    facts = read_json(path) or {}
    for task, entry in facts.items():
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), int) for key in FACTS):
            raise InputError(
                f"{path}: task {task!r}: found {entry!r}; whole numbers {', '.join(FACTS)} are needed. "
                "Copy the file again from the training output."
            )
    return facts


def check_fingerprint(tokenizer: PreTrainedTokenizerFast, manifest: dict[str, Any] | None, where: str) -> None:
    """Raise `InputError` when the tokenizer in the folder is not the one the manifest names."""
    trained_with = (manifest or {}).get("tokenizer_sha256")
    if trained_with and trained_with != fingerprint(tokenizer):
        raise InputError(
            f"{where}: the tokenizer is not the one the model was trained with ({FILE_NAME} names {trained_with[:12]}, "
            f"the folder holds {fingerprint(tokenizer)[:12]}). Copy the tokenizer files from the training output again."
        )


def check_template(tokenizer: PreTrainedTokenizerFast, manifest: dict[str, Any] | None, where: str) -> None:
    """Raise `InputError` when the chat template is not the one that the manifest says the model was tuned with."""
    tuned_with, found = (manifest or {}).get("chat_template_sha256"), template_fingerprint(tokenizer)
    if tuned_with and tuned_with != found:
        raise InputError(
            f"{where}: its chat template is not the one the model was tuned with ({FILE_NAME} names {tuned_with[:12]}, "
            f"the folder holds {found[:12]}), so it would be asked in a form it never saw. Copy chat_template.jinja "
            "from the training output again."
        )

"""Open a checkpoint folder for answering: model, tokenizer, the tasks it was tuned on, its calibration."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.io import InputError
from dnahlm.manifest import FILE_NAME
from dnahlm.model.adapters import merge
from dnahlm.tasks.spec import TaskSpec, load_task
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, looks_local

ADAPTER_FILE = "adapter_config.json"
FACTS = ("n_train", "min_bases", "max_bases")  # of each task, in tasks.json
# One of these holds the weights (or the list of their shards).
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
ADAPTER_WEIGHT_FILES = ("adapter_model.safetensors", "adapter_model.bin")


@dataclass
class Loaded:
    """A model ready to answer and what is known about it; the last four are empty for a model that is not ours."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    path: str
    tasks: dict[str, TaskSpec] = field(default_factory=dict)  # tuned on, by task id
    task_facts: dict[str, dict[str, int]] = field(default_factory=dict)  # id -> n_train, min_bases, max_bases
    calibration: dict[str, float] = field(default_factory=dict)  # id -> temperature
    manifest: dict[str, Any] | None = None


def load(folder: str | Path) -> Loaded:
    """Load a full checkpoint or a LoRA adapter (folded into its base), in float32, on the GPU if there is one.

    Args:
        folder: what training wrote, or the name of a model on the hub (fetched or cached); its code is never run.

    Raises:
        InputError: no such folder or model; no config, weights or tokenizer in it; weights that do not fill the
            model; a tokenizer that belongs to another model.
    """
    path = Path(folder)
    if path.is_dir():
        require_checkpoint_files(path)
    elif looks_local(path):
        found = "is a file, not a checkpoint folder" if path.is_file() else "no such folder"
        raise InputError(f"{folder}: {found}. Give the folder that training wrote, such as runs/tiny/sft.")
    tokenizer = load_tokenizer(folder)
    model = load_adapter(path) if (path / ADAPTER_FILE).is_file() else load_full(str(folder))
    manifest = read_json(path / FILE_NAME)
    check_tokenizer(model, tokenizer, manifest, str(folder))
    return Loaded(
        model=model.to("cuda" if torch.cuda.is_available() else "cpu").eval(),
        tokenizer=tokenizer,
        path=str(folder),
        tasks={spec.id: spec for spec in map(load_task, sorted((path / "tasks").glob("*.yaml")))},
        task_facts=read_task_facts(path / "tasks.json"),
        calibration=read_temperatures(path / "calibration.json"),
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


def read_temperatures(path: Path) -> dict[str, float]:
    """Temperature per task, empty when there is no such file.

    Raises:
        InputError: one that is no number above 0.
    """
    temperatures = read_json(path) or {}
    for task, value in temperatures.items():
        if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
            raise InputError(
                f"{path}: task {task!r}: found the temperature {value!r}; a number above 0 is needed. "
                "Copy the file again from the training output."
            )
    return temperatures


def require_checkpoint_files(path: Path) -> None:
    """Raise `InputError` when a folder is not a checkpoint or lacks its weights."""
    is_adapter = (path / ADAPTER_FILE).is_file()
    seen = f"it holds {sorted(p.name for p in path.iterdir())[:8]}"
    if not is_adapter and not (path / "config.json").is_file():
        inside = [child.name for child in sorted(path.iterdir()) if (child / "config.json").is_file()]
        hint = f"Did you mean {path / inside[-1]}?" if inside else "Give the folder that training wrote."
        raise InputError(f"{path}: has no config.json, so it is not a checkpoint ({seen}). {hint}")
    names = ADAPTER_WEIGHT_FILES if is_adapter else WEIGHT_FILES
    present = [path / name for name in names if (path / name).is_file()]
    for weights in present:
        weights.open("rb").close()  # safetensors calls a file it has no permission to read a missing one
    if not present:
        raise InputError(f"{path}: has no weights (none of {', '.join(names)}; {seen}). Was it copied whole?")


@contextlib.contextmanager
def clear_load_errors(where: str) -> Iterator[None]:
    """Say in one sentence what transformers, safetensors or peft could not open."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{where}: cannot be loaded as a causal language model ({reason}). Give the folder that training wrote, "
            "or a hub name on a machine that reaches the hub (or has the model in its cache)."
        ) from error


def load_full(name: str) -> PreTrainedModel:
    """A whole checkpoint in float32 on the CPU.

    Raises:
        InputError: it cannot be opened, or its files do not hold every tensor of the model.
    """
    with clear_load_errors(name):
        model, info = AutoModelForCausalLM.from_pretrained(
            name, dtype=torch.float32, trust_remote_code=False, output_loading_info=True
        )
    # transformers fills what the file lacks with random numbers and only logs it; an answer from those is noise.
    if info["missing_keys"]:
        raise InputError(
            f"{name}: its weights lack {len(info['missing_keys'])} tensors of the model that config.json describes "
            f"(first: {min(info['missing_keys'])}). Is it a causal language model, and was it copied whole?"
        )
    return model


def load_adapter(path: Path) -> PreTrainedModel:
    """A LoRA adapter folded into the base that its `adapter_config.json` names, in float32 on the CPU.

    Raises:
        InputError: the base is not where the adapter says, or the two do not fit.
    """
    from peft import PeftModel

    base = (read_json(path / ADAPTER_FILE) or {}).get("base_model_name_or_path")
    if not base:
        raise InputError(f"{path / ADAPTER_FILE}: names no base model (key base_model_name_or_path).")
    if not Path(base).is_dir() and looks_local(Path(base)):
        raise InputError(
            f"{path / ADAPTER_FILE}: its base model {base} is no folder here (relative names start at {Path.cwd()}). "
            "Correct base_model_name_or_path, or run from the folder the adapter was trained in."
        )
    model = load_full(base)
    with clear_load_errors(str(path)):
        return merge(PeftModel.from_pretrained(model, str(path)))


def check_tokenizer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, manifest: dict[str, Any] | None, where: str
) -> None:
    """Raise `InputError` when the tokenizer in the folder is not the one the model was trained with."""
    rows = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > rows:
        raise InputError(
            f"{where}: the tokenizer has {len(tokenizer)} tokens but the model {rows} embedding rows, so it belongs to "
            "another model. Copy the tokenizer files from the folder this model was trained with."
        )
    trained_with = (manifest or {}).get("tokenizer_sha256")
    if trained_with and trained_with != fingerprint(tokenizer):
        raise InputError(
            f"{where}: the tokenizer is not the one the model was trained with ({FILE_NAME} names {trained_with[:12]}, "
            f"the folder holds {fingerprint(tokenizer)[:12]}). Copy the tokenizer files from the training output again."
        )


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None when there is no such file.

    Raises:
        InputError: the file is not a JSON object.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON ({error}). Copy it again from the training output.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: must hold a JSON object, found {type(content).__name__}.")
    return content

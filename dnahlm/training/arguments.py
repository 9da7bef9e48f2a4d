"""What both training stages add to upstream's training arguments: precision by machine, and one whole output."""

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK, get_available_reporting_integrations

from dnahlm.config import did_you_mean
from dnahlm.errors import machine_message
from dnahlm.io import InputError, part_of, remove, replace, require_apart, require_free, require_replaceable
from dnahlm.manifest import sha256
from dnahlm.training.bounds import require_sound
from dnahlm.training.build_locks import tell_of_build_locks
from dnahlm.training.checkpoints import PREFIX, is_complete, last_checkpoint

# Settings that this package or upstream fills in.
BY_MACHINE = {
    "bf16", "use_cpu", "ddp_find_unused_parameters", "dataloader_pin_memory", "accelerator_config", "logging_dir",
    "resume_from_checkpoint", "eval_on_start", "local_rank", "dataset_kwargs",
}  # fmt: skip
# Trackers whose names are those of their libraries on the package index.
TRACKERS = ("tensorboard", "wandb", "trackio", "mlflow", "swanlab", "clearml", "neptune", "dvclive")
# Settings that a recipe must hold, whatever upstream's default is tomorrow.
ALWAYS = {
    "learning_rate", "per_device_train_batch_size", "gradient_accumulation_steps", "lr_scheduler_type", "optim",
}  # fmt: skip


def has_bf16(use_cpu: bool) -> bool:
    """Whether bf16 arithmetic is native here: a GPU that supports it, or a CPU with AVX-512-BF16 or AMX.

    Args:
        use_cpu: the run stays on the CPU, whatever GPU is there.
    """
    if torch.cuda.is_available() and not use_cpu:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    flags = torch.cpu.get_capabilities()
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))


def resolve_precision(precision: str, use_cpu: bool) -> bool:
    """True for bf16, False for fp32; says so where bf16 was asked for and the machine only emulates it.

    Raises:
        InputError: not `auto`, `bf16` or `fp32`.
    """
    if precision not in ("auto", "bf16", "fp32"):
        raise InputError(f"precision: found {precision!r}; allowed: auto, bf16, fp32.")
    if precision == "bf16" and not has_bf16(use_cpu) and is_main_process():
        print("note: precision bf16 is emulated on this machine, slower than fp32; precision auto takes fp32 here")
    return has_bf16(use_cpu) if precision == "auto" else precision == "bf16"


@dataclass
class MachineArguments:
    """What both stages add to upstream's arguments; stands before upstream's class among the bases of theirs."""

    precision: str = field(default="auto", metadata={"help": "auto (bf16 where the machine has it), bf16 or fp32"})
    muon: bool = field(
        default=False,
        metadata={"help": "Muon for weight matrices, AdamW for the rest (optim is then ignored); not under ZeRO"},
    )

    def __post_init__(self) -> None:
        self.bf16 = resolve_precision(self.precision, self.use_cpu)
        if self.ddp_find_unused_parameters is None:
            self.ddp_find_unused_parameters = False  # every weight takes part in every step; the search costs time
        require_devices(self.use_cpu)
        require_sound(self)
        require_reporters(self.report_to)
        if is_main_process():
            tell_of_build_locks()
        self.use_cpu = self.use_cpu or not torch.accelerator.is_available()  # upstream wants to be told
        super().__post_init__()


def require_devices(use_cpu: bool) -> None:
    """Raise `InputError` when a launch starts more processes on this machine than it has GPUs.

    Where there is none at all, the processes run on the CPU; accelerate does not tell a script which was meant.
    """
    started, found = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.accelerator.device_count()
    if not use_cpu and 0 < found < started:
        raise InputError(
            f"the launch starts {started} processes on this machine, which has {found} GPUs. Pass --num_processes "
            f"{found} to accelerate, or --use_cpu true."
        )


def require_reporters(report_to: str | list[str]) -> None:
    """Raise `InputError` for a tracker transformers does not know, or whose library is not installed."""
    for name in [report_to] if isinstance(report_to, str) else report_to:
        if name not in ("none", "all", *INTEGRATION_TO_CALLBACK):
            raise InputError(f"report_to: found {name!r}. {did_you_mean(name, ['none', *INTEGRATION_TO_CALLBACK])}")
        if name in TRACKERS and name not in get_available_reporting_integrations():
            raise InputError(f"report_to: the library of {name} is not installed. `pip install {name}`, or give none.")


def is_main_process() -> bool:
    """Rank 0 of a launch, known before any process group exists."""
    return int(os.environ.get("RANK", "0")) == 0


@contextlib.contextmanager
def staged_training(args: TrainingArguments, overwrite: bool, inputs: Iterable[str]) -> Iterator[Path]:
    """Train into `output_dir.part`; rename it to `output_dir` when the block ends well.

    Unlike a data stage, an unfinished training run is kept when it holds a checkpoint, so that
    `--resume_from_checkpoint true` can go on from there. Checkpoints are dropped once the final weights are saved.

    Raises:
        InputError: the output is taken or one of the `inputs`, or there is nothing to resume from.
    """
    final, part = Path(args.output_dir), part_of(Path(args.output_dir))
    resume = wants_resume(args.resume_from_checkpoint)
    if is_main_process():
        require_apart(final, inputs)
        prepare(final, part, resume, overwrite)
    checkpoint = last_checkpoint(part) if resume else None
    args.resume_from_checkpoint = str(checkpoint) if checkpoint else None
    args.output_dir = str(part)
    try:
        yield part
    except BaseException as error:
        if is_main_process():
            clear_up(part, error)
        raise
    if is_main_process():
        # The arguments are in the manifest; upstream's file of them is a pickle.
        for leftover in (*part.glob(f"{PREFIX}*"), part / "training_args.bin"):
            remove(leftover)
        readable = 0o666 & ~current_umask()
        for weights in part.glob("*.safetensors"):  # upstream writes them readable by the owner only
            weights.chmod(readable)
        replace(part, final)


def clear_up(part: Path, error: BaseException) -> None:
    """Drop what a failed run left half-written; the whole folder where no complete checkpoint is in it.

    Raises:
        InputError: the machine gave no room, but there is a checkpoint to go on from.
    """
    for checkpoint in part.glob(f"{PREFIX}*"):
        if not is_complete(checkpoint):
            remove(checkpoint)
    good = last_checkpoint(part)
    if good is None:
        remove(part)
    elif isinstance(error, Exception) and (said := machine_message(error)):
        raise InputError(f"{said} {good} is kept: --resume_from_checkpoint true goes on from there.") from error


def wants_resume(resume_from_checkpoint: str | bool | None) -> bool:
    """Whether to go on from the last checkpoint of the unfinished run.

    Raises:
        InputError: a path; a run goes on only from its own `.part` folder.
    """
    word = str(resume_from_checkpoint or "false").lower()
    if word not in ("true", "false"):
        raise InputError(
            f"resume_from_checkpoint: found {resume_from_checkpoint!r}; allowed: true or false. It goes on from the "
            "last checkpoint in output_dir.part; to start from other weights give model_name_or_path."
        )
    return word == "true"


def current_umask() -> int:
    """The permissions new files lose; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def prepare(final: Path, part: Path, resume: bool, overwrite: bool) -> None:
    """Make the `.part` folder ready, or say why not."""
    last = last_checkpoint(part)
    if resume:
        if last is None:
            raise InputError(
                f"{part}: holds no complete checkpoint to resume from. Start without --resume_from_checkpoint."
            )
        require_replaceable(final, overwrite)
        if final.is_dir() and any(final.iterdir()) and not overwrite:
            raise InputError(f"{final}: already there and not empty. Pass --overwrite too, to replace it at the end.")
        return
    if last and not overwrite:
        raise InputError(
            f"{part}: an earlier run was stopped here after {last.name}. "
            "Pass --resume_from_checkpoint true to go on, or --overwrite to start again."
        )
    require_free(final, overwrite)
    require_replaceable(final, overwrite)
    remove(part)
    part.mkdir(parents=True)


def changed_settings(args: TrainingArguments) -> dict[str, Any]:
    """The upstream settings of a run, for the manifest: `ALWAYS`, and those neither default nor the machine's."""
    values = args.to_dict()  # which hides tokens of the hub
    chosen: dict[str, Any] = {}
    for entry in dataclasses.fields(args):
        value, default = values.get(entry.name), entry.default
        is_set = value not in (None, False, [], "") or default not in (None, "", "none", dataclasses.MISSING)
        is_chosen = entry.init and is_set and value != default
        is_users = entry.name not in BY_MACHINE and "token" not in entry.name
        if entry.name in ALWAYS or (is_chosen and is_users):
            chosen[entry.name] = value
    return chosen | {"output_dir": args.output_dir.removesuffix(".part")}


def weight_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file of weights."""
    return {path.name: sha256(path) for path in sorted(folder.glob("*.safetensors"))}


def how(manifest: dict[str, Any]) -> str:
    """The launch in words, from a training manifest.

    >>> how({"processes": 2, "zero_stage": 2, "precision": "bf16", "seconds": 41.2})
    '2 processes, ZeRO-2, bf16, 41 s'
    """
    processes = "1 process" if manifest["processes"] == 1 else f"{manifest['processes']} processes"
    engine = "plain" if manifest["zero_stage"] is None else f"ZeRO-{manifest['zero_stage']}"
    return f"{processes}, {engine}, {manifest['precision']}, {manifest['seconds']:.0f} s"

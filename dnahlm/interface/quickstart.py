"""`dnahlm quickstart`: chain the stages of one recipe folder, each as the very command a user would type."""

import resource
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, part_of, require_free, shipped
from dnahlm.manifest import FILE_NAME, StageClock, is_current
from dnahlm.training.checkpoints import last_checkpoint

PRETRAIN, SFT = "recipes/pretrain.py", "recipes/sft.py"

# stage -> (what runs, recipe file, {its path key: folder of this run}); `DATA` is the folder the files come from.
STAGES: dict[str, tuple[str, str, dict[str, str]]] = {
    "simulate": ("simulate", "0_simulate.yaml", {"output": "organism"}),
    "corpus": ("corpus build", "1_corpus.yaml", {"data_root": "DATA", "output": "corpus"}),
    "tokenizer": ("tokenizer train", "2_tokenizer.yaml", {"corpus": "corpus", "output": "tokenizer"}),
    "blocks": ("corpus pack", "3_pack.yaml", {"corpus": "corpus", "tokenizer": "tokenizer", "output": "blocks"}),
    "pretrain": (PRETRAIN, "4_pretrain.yaml", {"blocks": "blocks", "output_dir": "pretrain"}),
    "instructions": (
        "instructions build", "5_instructions.yaml", {"data_root": "DATA", "corpus": "corpus", "output": "instructions"}
    ),
    "sft": (SFT, "6_sft.yaml", {"model_name_or_path": "pretrain", "instructions": "instructions", "output_dir": "sft"}),
    "evaluate": ("evaluate", "7_evaluate.yaml", {"model": "sft", "instructions": "instructions", "output": "eval"}),
}  # fmt: skip
OUTPUT_KEYS = ("output", "output_dir")


@dataclass
class QuickstartConfig:
    """Which data the route starts from and where its folders go."""

    output: str = field(default="runs/tiny", metadata={"help": "folder for the outputs of all stages"})
    data: str | None = field(default=None, metadata={"help": "folder of real data; empty = a simulated organism"})
    recipe: str | None = field(
        default=None, metadata={"help": "recipe folder; empty = tiny, or tiny_real when --data is given"}
    )
    deepspeed: bool = field(
        default=False, metadata={"help": "train with ZeRO-2 on two CPU processes (needs a compiler)"}
    )
    resume: bool = field(default=False, metadata={"help": "keep the finished stages of an earlier run and go on"})
    overwrite: bool = field(default=False, metadata={"help": "run every stage again over an earlier run"})


def run(config: QuickstartConfig) -> dict[str, Any]:
    """Raw files -> `output/sft` (a tuned checkpoint) and `output/eval/report.html`; prints three answered questions.

    Raises:
        InputError: output taken, no such data or recipe folder.
    """
    clock = StageClock()
    output = Path(config.output)
    recipe = Path(config.recipe) if config.recipe else shipped("recipes") / ("tiny_real" if config.data else "tiny")
    stages = [name for name in STAGES if name != "simulate" or config.data is None]
    check(config, recipe, stages)
    data = config.data or str(output / "organism")
    source = f"real data in {data}" if config.data else "a SIMULATED organism (no real DNA)"
    print(f"quickstart: recipe {recipe.name}, {source}, output {output}", flush=True)
    for number, name in enumerate(stages, 1):
        run_stage(name, f"[{number}/{len(stages)}]", config, recipe, data)
    ask_three_questions(output)
    unit = 2**30 if sys.platform == "darwin" else 2**20  # macOS counts bytes, Linux kilobytes
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit
    print(f"\nreport: {output / 'eval' / 'report.html'}")
    print(f"next:   dnahlm chat --model {output / 'sft'}")
    print(f"done in {clock.seconds / 60:.1f} minutes; the largest stage used {peak:.2f} GB of memory")
    return {"seconds": clock.seconds, "peak_gb": peak}


def check(config: QuickstartConfig, recipe: Path, stages: list[str]) -> None:
    """Find what would stop a later stage before the first one starts."""
    if config.data and not Path(config.data).is_dir():
        raise InputError(
            f"{config.data}: no such folder. --data takes the folder that holds genome/, english/ and the tables."
        )
    for name in stages:
        if not (recipe / STAGES[name][1]).is_file():
            raise InputError(
                f"{recipe}: has no {STAGES[name][1]}, which stage {name!r} needs. Copy one of {shipped('recipes')}."
            )
    try:
        if not config.resume:
            require_free(Path(config.output), config.overwrite)
    except InputError as error:
        raise InputError(f"{error} Or pass --resume to keep its finished stages (make quickstart RESUME=1).") from None


def run_stage(name: str, number: str, config: QuickstartConfig, recipe: Path, data: str) -> None:
    """Run one stage in a process of its own, so that its memory is given back; stop the chain if it fails."""
    what, file, paths = STAGES[name]
    places = {key: data if place == "DATA" else str(Path(config.output) / place) for key, place in paths.items()}
    target = Path(next(places[key] for key in OUTPUT_KEYS if key in places))
    if config.resume and (target / FILE_NAME).is_file() and is_current(target):
        print(f"\n{number} {what}: {target} is complete, kept", flush=True)
        return
    command = [*launcher(what, config.deepspeed), "--config", str(recipe / file)]
    for key, place in places.items():
        command += [f"--{key}", place]
    unfinished = what in (PRETRAIN, SFT) and last_checkpoint(part_of(target))
    if config.resume and unfinished:
        command += ["--resume_from_checkpoint", "true"]
    if config.resume and what == "evaluate" and not target.exists() and has_answers(target):
        command += ["--resume", "true"]
    else:  # a stage that --resume found out of date is made again
        command += ["--overwrite", str(config.overwrite or config.resume).lower()]
    typed = ["dnahlm", *command[3:]] if command[2] == "dnahlm" else ["python", *command[1:]]
    print(f"\n{number} {shlex.join(typed)}", flush=True)
    status = subprocess.run(command).returncode
    if status:
        raise InputError(
            f"stage {what!r} stopped with status {status}; its message is above. Finished stages are kept: "
            "--resume goes on."
        )


def has_answers(target: Path) -> bool:
    """Whether an evaluation was stopped behind its first answers."""
    from dnahlm.evaluation.kept import answers_of

    return answers_of(target).is_dir()


def launcher(what: str, deepspeed: bool) -> list[str]:
    """How a stage is started: a `dnahlm` command, a training script in one process, or one under accelerate."""
    if what not in (PRETRAIN, SFT):
        return [sys.executable, "-m", "dnahlm", *what.split()]
    script = str(shipped("recipes") / Path(what).name)
    if not deepspeed:
        return [sys.executable, script]
    launch = str(shipped("recipes") / "accelerate" / "cpu.yaml")
    return [sys.executable, "-m", "accelerate.commands.launch", "--config_file", launch, script]


def ask_three_questions(output: Path) -> None:
    """Answer one test row of each of the first three tasks, in held-out wording, beside the truth."""
    from dnahlm.inference.load import load
    from dnahlm.interface.chat import answer_once
    from dnahlm.tasks.instructions import read_instructions

    loaded = load(output / "sft")
    rows: dict[str, dict[str, Any]] = {}
    for record in read_instructions(output / "instructions" / "test_held_out.jsonl"):
        rows.setdefault(record["task"], record)
    print("\nThree questions, in wordings the model was not tuned on:")
    for record in list(rows.values())[:3]:
        answer = answer_once(loaded, record["instruction"], record["input"])
        shares = answer.probabilities or {}
        shown = ", ".join(f"{label} {p:.2f}" for label, p in shares.items()) or "no tuned task matched the question"
        print(f"  Q: {record['instruction']}  {record['input'][:24]}... ({len(record['input'])} bases)")
        print(f"  A: {answer.text}   [{shown}; truth: {record['output']}]")

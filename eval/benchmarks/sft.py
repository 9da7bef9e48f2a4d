"""Examples per second of fine-tuning, beside TRL's SFTTrainer with its defaults: same rows, model, batch, precision.

    python eval/benchmarks/sft.py --checkpoint runs/tiny/pretrain --instructions runs/tiny/instructions

| side | what it is |
|---|---|
| dnahlm | `python recipes/sft.py` with the settings of recipes/small_cpu that concern speed, not compiled |
| dnahlm, compiled | the same with `torch_compile: true` |
| trl | `trl.SFTTrainer` on prompt and completion columns, every setting its default |
| trl, no recomputation | the same with `gradient_checkpointing: false`, which is right for small models |

Every side is a process of its own; repeats are interleaved. A step counts from the end of the one before; the first
`--warm_up` steps (compilation among them) are left out and shown apart. `ready` is the time before the first step:
reading, encoding, opening the model. On a machine with other work compare the column of CPU seconds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

SIDES = ("dnahlm", "dnahlm, compiled", "trl", "trl, no recomputation")
COLUMNS = ("side", "examples/s", "examples per CPU second", "times trl", "times trl, CPU s", "ready s", "warm-up s")


class Clock(TrainerCallback):
    """Notes wall and CPU seconds at the end of every step."""

    def __init__(self) -> None:
        self.started, self.marks = time.perf_counter(), []

    def on_train_begin(self, *args: Any, **settings: Any) -> None:
        """Everything before this is getting ready."""
        self.marks.append((time.perf_counter(), time.process_time()))

    def on_step_end(self, *args: Any, **settings: Any) -> None:
        """One optimizer step is done."""
        self.marks.append((time.perf_counter(), time.process_time()))

    def figures(self, batch: int, warm_up: int) -> dict[str, float]:
        """Examples per second and per CPU second behind the warm-up, and what came before."""
        (begin, _), (wall, cpu), (end, cpu_end) = self.marks[0], self.marks[warm_up], self.marks[-1]
        examples = batch * (len(self.marks) - 1 - warm_up)
        return {
            "per_second": examples / (end - wall),
            "per_cpu": examples / (cpu_end - cpu),
            "ready": begin - self.started,
            "warm_up": wall - begin,
        }


def main() -> None:
    """Run the sides in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, help="a pretrained checkpoint with its tokenizer")
    parser.add_argument("--instructions", required=True, help="folder of `dnahlm instructions build`")
    parser.add_argument("--sides", nargs="+", default=SIDES, choices=SIDES)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=20, help="measured ones")
    parser.add_argument("--warm_up", type=int, default=6, help="steps before them")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        run_side(arguments)
        return
    found: dict[str, list[dict[str, float]]] = {side: [] for side in arguments.sides}
    for repeat in range(arguments.repeats):
        for side in arguments.sides:
            figures = start(side, arguments)
            if figures:
                found[side].append(figures)
                print(f"repeat {repeat + 1}, {side}: {figures}", file=sys.stderr, flush=True)
    show(found, arguments)


def start(side: str, arguments: argparse.Namespace) -> dict[str, float] | None:
    """One side in a process of its own; None, and why, when it failed."""
    names = ("checkpoint", "instructions", "batch", "steps", "warm_up")
    options = [f"--{name}={getattr(arguments, name)}" for name in names]
    answer = subprocess.run([sys.executable, __file__, "--side", side, *options], capture_output=True, text=True)
    if answer.returncode:
        print(f"{side} failed: {' '.join(answer.stderr.splitlines()[-3:])}", file=sys.stderr)
        return None
    return json.loads(answer.stdout.splitlines()[-1])


def run_side(arguments: argparse.Namespace) -> None:
    """Train the warm-up and the measured steps of one side; print its figures as JSON."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        side = ours if arguments.side.startswith("dnahlm") else trl_side
        side(arguments, clock, str(Path(folder) / "out"))
    print(json.dumps(clock.figures(arguments.batch, arguments.warm_up)))


def common(arguments: argparse.Namespace, output: str) -> dict[str, Any]:
    """What all sides share."""
    return {
        "output_dir": output, "max_steps": arguments.warm_up + arguments.steps, "save_strategy": "no",
        "per_device_train_batch_size": arguments.batch, "report_to": "none", "disable_tqdm": True,
    }  # fmt: skip


def ours(arguments: argparse.Namespace, clock: Clock, output: str) -> None:
    """The stage as users run it, stopped behind its last step: what comes then is not measured."""
    from dnahlm.model.adapters import AdapterArguments
    from dnahlm.training import sft

    class Timed(sft.AnswerTrainer):
        def __init__(self, *args: Any, **settings: Any) -> None:
            settings["callbacks"].append(clock)
            super().__init__(*args, **settings)

        def evaluate(self, *args: Any, **settings: Any) -> dict[str, float]:
            return {"eval_loss": 0.0}

    sft.AnswerTrainer = Timed
    args = sft.SftArguments(
        **common(arguments, output), muon=True, learning_rate=2e-3, train_sampling_strategy="group_by_length",
        activation_checkpointing=False, torch_compile=arguments.side.endswith("compiled"),
    )  # fmt: skip
    data = sft.SftDataArguments(arguments.checkpoint, arguments.instructions, redraw=["phrasings", "strands"])
    sft.run(data, AdapterArguments(), args)


def trl_side(arguments: argparse.Namespace, clock: Clock, output: str) -> None:
    """SFTTrainer on the same rows as prompt and completion."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from dnahlm.tasks.instructions import read_instructions
    from dnahlm.tasks.prompt import render_prompts
    from dnahlm.tokenizer.load import load_tokenizer
    from dnahlm.training.arguments import has_bf16

    tokenizer = load_tokenizer(arguments.checkpoint)
    records = read_instructions(Path(arguments.instructions) / "train.jsonl")
    prompts = render_prompts(tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    rows = Dataset.from_dict({"prompt": prompts, "completion": [r["output"] for r in records]})
    settings = {"gradient_checkpointing": False} if arguments.side != "trl" else {}
    gpu = torch.accelerator.is_available()
    args = SFTConfig(**common(arguments, output), use_cpu=not gpu, bf16=has_bf16(not gpu), **settings)
    SFTTrainer(
        arguments.checkpoint, args=args, train_dataset=rows, processing_class=tokenizer, callbacks=[clock]
    ).train()


def show(found: dict[str, list[dict[str, float]]], arguments: argparse.Namespace) -> None:
    """Print medians as a table."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(
        f"\n{device}, torch {torch.__version__}; {arguments.checkpoint}, {arguments.batch} examples a step, "
        f"{arguments.steps} steps after {arguments.warm_up}, {arguments.repeats} repeats: medians\n"
    )
    middle = {s: {k: statistics.median(f[k] for f in runs) for k in runs[0]} for s, runs in found.items() if runs}
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|")
    for side, it in middle.items():
        ratios = [it[k] / middle["trl"][k] if "trl" in middle else float("nan") for k in ("per_second", "per_cpu")]
        cells = [it["per_second"], it["per_cpu"], *ratios, it["ready"], it["warm_up"]]
        print(f"| {side} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")


if __name__ == "__main__":
    main()

"""Useful tokens per second of pretraining, beside peers, on the same model, data, batch and precision in one run.

    python eval/benchmarks/pretrain.py                        # GPT-2 of 5 M parameters, context 256
    python eval/benchmarks/pretrain.py --size 124M --context 512 --batch 4 --steps 6 --repeats 1

| side | what it is |
|---|---|
| dnahlm | what `python recipes/pretrain.py` runs: isolated documents, settings of recipes/tiny |
| dnahlm, compiled | the same with `torch_compile: true` |
| dnahlm, sdpa | the same with transformers' default attention |
| dnahlm, plain step | the same without `dnahlm.training.lean` |
| Trainer | `transformers.Trainer` as run_clm sets it up: rows joined and cut, its default attention; no isolation |
| Trainer, compiled | the same with `torch_compile: true` |
| litgpt | `litgpt.pretrain.setup`, compiled as it always is; no isolation; rotary instead of learned positions |
| seed, fp32 | each row of 300 - 1,000 bases padded to 1,024 tokens, the Trainer, float32, as the seed system did |
| seed, bf16 | the same in the precision of the other sides |

Every side is a process of its own; repeats are interleaved. A step counts from the end of the one before; the first
`--warm_up` steps (compilation among them) are left out and their time is shown apart. Padding is not counted as tokens.
On a machine with other work compare the column of CPU seconds: it does not count the time others took. Dropout is 0 on
all sides. The seed sides fill as many token places a step as the others (rows of 1,024). `pip install litgpt` takes an
older huggingface-hub than transformers bears; install the newer one again (`pip install --no-deps -U huggingface-hub`).
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from pretrain_sides import SHAPES, run_side

from dnahlm.training.arguments import resolve_precision

RECIPES = Path(__file__).parents[2] / "recipes"
SIDES = (
    "dnahlm", "dnahlm, compiled", "dnahlm, sdpa", "dnahlm, plain step", "Trainer", "Trainer, compiled", "litgpt",
    "seed, fp32", "seed, bf16",
)  # fmt: skip
COLUMNS = (
    "side", "useful tokens/s", "useful tokens per CPU second", "dnahlm / side, CPU s", "wall", "useful share",
    "warm-up s", "peak MB", "mean loss",
)  # fmt: skip
USUAL = ("dnahlm", "dnahlm, compiled", "Trainer", "litgpt", "seed, fp32")


def main() -> None:
    """Make the blocks, run the sides in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sides", nargs="+", default=USUAL, choices=SIDES)
    parser.add_argument("--size", default="5M", choices=SHAPES)
    parser.add_argument("--vocab_size", type=int, default=4096, help="of the tokenizer")
    parser.add_argument("--context", type=int, default=256, help="tokens of a block")
    parser.add_argument("--batch", type=int, default=16, help="blocks of a step")
    parser.add_argument("--steps", type=int, default=20, help="measured ones")
    parser.add_argument("--warm_up", type=int, default=4, help="steps before them")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"), help="auto as in a recipe")
    parser.add_argument("--blocks", help="a folder of `dnahlm corpus pack`; simulated when not given")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.precision = "bf16" if resolve_precision(arguments.precision, use_cpu=False) else "fp32"
    if arguments.side:
        print(json.dumps(run_side(arguments)))
        return
    with tempfile.TemporaryDirectory() as folder:
        arguments.work = folder
        arguments.blocks = arguments.blocks or str(make_blocks(Path(folder), arguments))
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Run every side `repeats` times, in turn, and print medians with the smallest and the largest figure."""
    sides = [side for side in arguments.sides if available(side)]
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for repeat in range(arguments.repeats):
        for side in sides:
            if (figures := start(side, arguments)) is not None:
                found[side].append(figures)
                print(f"repeat {repeat + 1}, {side}: {figures}", file=sys.stderr, flush=True)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(
        f"\n{device}, torch {torch.__version__}, {arguments.precision}; GPT-2 shape {arguments.size}, blocks of "
        f"{arguments.context} tokens, {arguments.batch} a step, {arguments.steps} steps after {arguments.warm_up}, "
        f"{arguments.repeats} repeats: median (smallest - largest)\n"
    )
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    middle = {s: {k: statistics.median(f[k] for f in runs) for k in runs[0]} for s, runs in found.items() if runs}
    for side, runs in found.items():
        if not runs:
            continue
        it = middle[side]
        ratios = [
            middle["dnahlm"][k] / it[k] if "dnahlm" in middle else float("nan") for k in ("per_cpu", "per_second")
        ]
        cells = [
            side, spread(runs, "per_second"), spread(runs, "per_cpu"), *(f"{r:.2f}" for r in ratios),
            f"{it['useful']:.0%}", f"{it['warm_up']:.0f}", f"{it['peak_mb']:,.0f}", f"{it['loss']:.3f}",
        ]  # fmt: skip
        print(f"| {' | '.join(cells)} |")


def available(side: str) -> bool:
    """Whether a side's package is there; says what to install where it is not."""
    if side != "litgpt" or importlib.util.find_spec("litgpt"):
        return True
    print("litgpt is left out: it is not installed (pip install litgpt).", file=sys.stderr)
    return False


def start(side: str, arguments: argparse.Namespace) -> dict[str, float] | None:
    """One side in a process of its own; None, and why, when it failed."""
    given = vars(arguments) | {"side": side}
    options = [f"--{name}={value}" for name, value in given.items() if name not in ("sides", "repeats")]
    answer = subprocess.run([sys.executable, __file__, *options], capture_output=True, text=True)
    if answer.returncode:
        print(f"{side} failed: {' '.join(answer.stderr.splitlines()[-3:])}", file=sys.stderr)
        return None
    return json.loads(answer.stdout.splitlines()[-1])


def spread(runs: list[dict[str, float]], name: str) -> str:
    """Median, smallest and largest of a figure."""
    values = [run[name] for run in runs]
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} - {max(values):,.0f})"


def make_blocks(root: Path, arguments: argparse.Namespace) -> Path:
    """A simulated corpus in pieces of 300 - 1,000 bases, packed."""

    def stage(*words: object) -> None:
        subprocess.run([sys.executable, "-m", "dnahlm", *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    stage("simulate", "--output", root / "organism")
    stage("corpus", "build", "--config", RECIPES / "tiny/1_corpus.yaml", "--data_root", root / "organism",
          "--output", root / "corpus", "--min_piece", 300, "--max_piece", 1000)  # fmt: skip
    stage("tokenizer", "train", "--corpus", root / "corpus", "--output", root / "tokenizer",
          "--vocab_size", arguments.vocab_size)  # fmt: skip
    stage("corpus", "pack", "--corpus", root / "corpus", "--tokenizer", root / "tokenizer",
          "--output", root / "blocks", "--block_size", arguments.context)  # fmt: skip
    return root / "blocks"


if __name__ == "__main__":
    main()

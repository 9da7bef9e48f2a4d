"""What the switches of a pretraining recipe are worth here: tokens per second and memory, each on and off.

    python eval/benchmarks/switches.py --rounds 3
    python eval/benchmarks/switches.py --rounds 1 --steps 6 --hidden_size 128 --num_hidden_layers 2      # a glance

Every run is `recipes/pretrain.py` on the same simulated blocks, in a process of its own; the variants take turns, so
that what else the machine does meets all of them. Speed is the median of the logged steps after the first ones, in
which `torch.compile` compiles (the seconds of that are printed apart); memory is the peak of the process, or of the GPU
where there is one. The loss after the last step stands beside: a switch must not change what is learnt.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from resume import make_blocks

RECIPES = Path(__file__).parents[2] / "recipes"
BASE = {"precision": "fp32", "optim": "adamw_torch", "attn_implementation": "sdpa"}
VARIANTS: dict[str, dict[str, object]] = {
    "none (fp32, plain AdamW)": {},
    "bf16": {"precision": "bf16"},
    "fused optimizer": {"optim": "adamw_torch_fused"},
    "activation checkpointing": {"activation_checkpointing": "true"},
    "torch.compile": {"torch_compile": "true"},
    "bf16 + fused": {"precision": "bf16", "optim": "adamw_torch_fused"},
    "bf16 + fused + torch.compile": {"precision": "bf16", "optim": "adamw_torch_fused", "torch_compile": "true"},
    "bf16 + fused + eager attention": {
        "precision": "bf16", "optim": "adamw_torch_fused", "attn_implementation": "eager",
    },
}  # fmt: skip


def train(blocks: Path, output: Path, shape: dict[str, object], switches: dict[str, object]) -> dict[str, float] | str:
    """One run; its figures, or the last line of what it said when it failed."""
    words = {
        "blocks": blocks, "output_dir": output, "overwrite": "true", "logging_steps": 1, "save_strategy": "no",
        "disable_tqdm": "true", "report_to": "none", "learning_rate": 1e-3, **BASE, **shape, **switches,
    }  # fmt: skip
    command = [sys.executable, RECIPES / "pretrain.py", *(word for k, v in words.items() for word in (f"--{k}", v))]
    started = time.perf_counter()
    answer = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if answer.returncode:
        return (answer.stderr.strip().splitlines() or ["no message"])[-1]
    rows = [json.loads(line) for line in (output / "loss.jsonl").read_text().splitlines()]
    steps = [row for row in rows if "loss" in row]
    settled = steps[len(steps) // 3 :]
    return {
        "rate": statistics.median(row["tokens_per_second"] for row in settled),
        "memory": max(row["peak_memory_mb"] for row in steps),
        "loss": steps[-1]["loss"],
        "seconds": time.perf_counter() - started,
    }


def main() -> None:
    """Print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--hidden_size", type=int, default=256)
    parser.add_argument("--num_hidden_layers", type=int, default=4)
    parser.add_argument("--per_device_train_batch_size", type=int, default=16)
    parser.add_argument("--blocks", help="packed blocks; empty = a small simulated corpus, blocks of 128 tokens")
    args = parser.parse_args()
    shape = {
        "hidden_size": args.hidden_size, "num_hidden_layers": args.num_hidden_layers, "num_attention_heads": 4,
        "per_device_train_batch_size": args.per_device_train_batch_size, "max_steps": args.steps,
    }  # fmt: skip
    found: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as name:
        blocks = Path(args.blocks) if args.blocks else make_blocks(Path(name))
        for _ in range(args.rounds):
            for variant, switches in VARIANTS.items():
                figures = train(blocks, Path(name) / "run", shape, switches)
                if isinstance(figures, str):
                    print(f"{variant}: failed: {figures}", flush=True)
                else:
                    found[variant].append(figures)
    print(f"{'switch':<32}{'tokens/s':>10}{'x':>7}{'memory MB':>11}{'last loss':>11}{'whole run s':>13}")
    plain = statistics.median(row["rate"] for row in found["none (fp32, plain AdamW)"])
    for variant, runs in found.items():
        if runs:
            middle = {key: statistics.median(row[key] for row in runs) for key in runs[0]}
            print(
                f"{variant:<32}{middle['rate']:>10,.0f}{middle['rate'] / plain:>7.2f}{middle['memory']:>11,.0f}"
                f"{middle['loss']:>11.4f}{middle['seconds']:>13.1f}"
            )


if __name__ == "__main__":
    main()

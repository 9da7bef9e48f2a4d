"""Kill a pretraining run again and again and see whether it ends where the uninterrupted one does.

    python eval/benchmarks/resume.py --kills 20

The kills take turns: into the writing of a checkpoint (up to 20 ms after its folder is there), up to a second after a
checkpoint, and up to 12 seconds after the start, imports included. One process, float32, a GPT-2 of two layers on the
simulated organism. Each next run goes on from the last complete checkpoint. At the end the held-out figures, the losses
of all steps and the weights must be equal, byte for byte; else the status is 1.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dnahlm.training.checkpoints import is_complete, last_checkpoint

RECIPES = Path(__file__).parents[2] / "recipes"
SAVE_STEPS = 5
KINDS = ("saving", "any", "starting")


def stage(*words: object) -> None:
    """Run one data stage quietly."""
    subprocess.run([sys.executable, "-m", "dnahlm", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def make_blocks(root: Path) -> Path:
    """A small simulated corpus, packed."""
    stage("simulate", "--output", root / "organism")
    stage("corpus", "build", "--config", RECIPES / "tiny/1_corpus.yaml", "--data_root", root / "organism",
          "--output", root / "corpus", "--max_characters", 1_000_000)  # fmt: skip
    stage("tokenizer", "train", "--config", RECIPES / "tiny/2_tokenizer.yaml", "--corpus", root / "corpus",
          "--output", root / "tokenizer", "--vocab_size", 1024)  # fmt: skip
    stage("corpus", "pack", "--corpus", root / "corpus", "--tokenizer", root / "tokenizer",
          "--output", root / "blocks", "--block_size", 128)  # fmt: skip
    return root / "blocks"


def start(blocks: Path, output: Path, steps: int, resume: bool) -> subprocess.Popen:
    """Begin or resume training."""
    words = {
        "blocks": blocks, "output_dir": output, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_steps": steps, "per_device_train_batch_size": 8, "learning_rate": 1e-3, "precision": "fp32",
        "logging_steps": 1, "save_strategy": "steps", "save_steps": SAVE_STEPS, "save_total_limit": 2,
        "report_to": "none", "disable_tqdm": "true", "resume_from_checkpoint": str(resume).lower(),
        "overwrite": str(not resume).lower(),  # what a kill before the first checkpoint left is of no use
    }  # fmt: skip
    command = [sys.executable, RECIPES / "pretrain.py", *(word for k, v in words.items() for word in (f"--{k}", v))]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_moment(process: subprocess.Popen, part: Path, kind: str, rng: random.Random) -> str:
    """Wait until the moment to kill, and describe it; empty when the run ended before.

    Args:
        process: of the run.
        part: its unfinished folder.
        kind: of `KINDS`.
        rng: draws the moment.
    """
    if kind == "starting":
        deadline = time.monotonic() + rng.uniform(0.0, 12.0)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        return "" if process.poll() is not None else "while starting or training"
    known = set(part.glob("checkpoint-*"))
    wanted = rng.randint(1, 3)  # of the new checkpoints; those before it are progress
    fresh: list[Path] = []
    while process.poll() is None and len(fresh) < wanted:
        fresh += sorted(set(part.glob("checkpoint-*")) - known - set(fresh))
        time.sleep(0.0002)
    time.sleep(rng.uniform(0.0, 0.02) if kind == "saving" else rng.uniform(0.0, 1.0))
    if process.poll() is not None:
        return ""
    return f"{fresh[-1].name} {'being written' if kind == 'saving' else 'or later'}"


def last_losses(folder: Path) -> dict[int, float]:
    """The training loss of each step; a step done again after a kill counts as it was done last."""
    rows = [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def main() -> None:
    """Print one line per kill, then the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        blocks = make_blocks(root)
        if start(blocks, root / "whole", args.steps, resume=False).wait():
            raise SystemExit("the uninterrupted run failed")
        part, kills, half_written, resume = root / "killed.part", 0, 0, False
        print(f"{'kill':>4}  {'moment':<34}{'goes on from':<18}{'half-written, left aside'}", flush=True)
        while True:
            process = start(blocks, root / "killed", args.steps, resume)
            moment = wait_for_moment(process, part, KINDS[kills % len(KINDS)], rng) if kills < args.kills else ""
            if moment:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            _, said = process.communicate()
            if process.returncode == 0:
                break
            if process.returncode != -signal.SIGKILL:
                raise SystemExit(f"a resumed run failed:\n{said[-2000:]}")
            good = last_checkpoint(part)
            half = sorted(path.name for path in part.glob("checkpoint-*") if not is_complete(path))
            half_written += bool(half)
            start_of_next = good.name if good else "the start"
            print(f"{kills:>4}  {moment:<34}{start_of_next:<18}{', '.join(half) or '-'}", flush=True)
            resume = good is not None
        print(f"\n{kills} kills, {half_written} of them left a half-written checkpoint; none was taken for a whole one")
        compare(root / "whole", root / "killed")


def compare(whole: Path, killed: Path) -> None:
    """Print whether both runs ended alike; leave with status 1 if not."""
    runs = (whole, killed)
    figures = [json.loads((run / "manifest.json").read_text())["validation"] for run in runs]
    losses = [last_losses(run) for run in runs]
    weights = [(run / "model.safetensors").read_bytes() for run in runs]
    print(f"{'':<24}{'uninterrupted':>16}{'killed':>16}  equal")
    for name, value in figures[0].items():
        print(f"{name:<24}{value:>16.9f}{figures[1][name]:>16.9f}  {value == figures[1][name]}")
    last, same = max(losses[0]), losses[0] == losses[1]
    print(f"{'last training loss':<24}{losses[0][last]:>16.9f}{losses[1][last]:>16.9f}  {same} (all steps)")
    print(
        f"{'bytes of weights':<24}{len(weights[0]):>16,}{len(weights[1]):>16,}  {weights[0] == weights[1]} (every byte)"
    )
    if figures[0] != figures[1] or losses[0] != losses[1] or weights[0] != weights[1]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

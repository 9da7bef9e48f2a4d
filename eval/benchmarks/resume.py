"""Kill a pretraining run again and again and see whether it ends where the uninterrupted one does.

    python eval/benchmarks/resume.py --kills 20

Every second kill falls into the writing of a checkpoint (as soon as its folder is there, before it is complete), the
others at a random moment. One process, float32, a GPT-2 of two layers on the simulated organism. After each kill the
folder is checked: the last checkpoint that counts as complete must load. At the end the held-out figures, the losses of
all steps and the weights must be equal, byte for byte.
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
SAVE_STEPS = 10


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


def wait_for_moment(process: subprocess.Popen, part: Path, in_a_save: bool, rng: random.Random) -> bool:
    """Wait until the moment to kill; False when the run ended before it."""
    known = set(part.glob("checkpoint-*"))
    while process.poll() is None and not (fresh := set(part.glob("checkpoint-*")) - known):
        time.sleep(0.0005)
    if process.poll() is not None:
        return False
    if not in_a_save:
        deadline = time.monotonic() + rng.uniform(0.0, 2.0)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
    print(f"  {min(fresh).name} {'being written' if in_a_save else 'seen'}", end="")
    return process.poll() is None


def last_losses(folder: Path) -> dict[int, float]:
    """The training loss of each step; a step done again after a kill counts as it was done last."""
    rows = [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def main() -> None:
    """Print one line per kill, then the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        blocks = make_blocks(root)
        if start(blocks, root / "whole", args.steps, resume=False).wait():
            raise SystemExit("the uninterrupted run failed")
        part, kills, half_written, resume = root / "killed.part", 0, 0, False
        while True:
            process = start(blocks, root / "killed", args.steps, resume)
            if kills < args.kills and wait_for_moment(process, part, kills % 2 == 0, rng):
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            _, said = process.communicate()
            if process.returncode == 0:
                break
            if process.returncode != -signal.SIGKILL:
                raise SystemExit(f"a resumed run failed:\n{said[-2000:]}")
            good = last_checkpoint(part)
            half = [path.name for path in part.glob("checkpoint-*") if not is_complete(path)]
            half_written += bool(half)
            print(f"; kill {kills}: goes on from {good.name if good else 'the start'}, left aside {half or 'nothing'}")
            resume = good is not None
        whole, killed = ((root / run) for run in ("whole", "killed"))
        figures = [json.loads((run / "manifest.json").read_text())["validation"] for run in (whole, killed)]
        weights = [(run / "model.safetensors").read_bytes() for run in (whole, killed)]
        losses = [last_losses(run) for run in (whole, killed)]
        print(f"\n{kills} kills, {half_written} of them left a half-written checkpoint, none was taken for a whole one")
        print(f"held out, uninterrupted {figures[0]}, killed {figures[1]}, equal: {figures[0] == figures[1]}")
        print(f"losses of {len(losses[0])} steps equal: {losses[0] == losses[1]}; weights: {weights[0] == weights[1]}")


if __name__ == "__main__":
    main()

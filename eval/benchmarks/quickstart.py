"""Time, memory and scores of the quickstart, of `dnahlm --help` and of the tests, measured from outside.

    python eval/benchmarks/quickstart.py                              # simulated organism
    python eval/benchmarks/quickstart.py --data ../shared/data        # real data
    python eval/benchmarks/quickstart.py --tests                      # also `pytest`, default and all

Prints one Markdown table a part; nothing is written but the run itself, in a temporary folder (or --output).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

TASK_COLUMNS = (
    "task", "n", "majority acc.", "k-mer LR MCC", "scored MCC", "scored acc.", "generated MCC",
    "exact match where the scored label is right", "invalid",
)  # fmt: skip


def measure(command: list[str], quiet: bool = False) -> tuple[float, float]:
    """Seconds and peak memory in GB (resident, summed over the process tree, sampled 5 times a second)."""
    started, peak = time.perf_counter(), 0
    sink = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen(command, stdout=sink, stderr=sink)
    tree = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, resident(tree))
        time.sleep(0.2)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: status {process.returncode}")
    return time.perf_counter() - started, peak / 2**30


def resident(tree: psutil.Process) -> int:
    """Bytes of memory the whole tree of processes holds now."""
    total = 0
    for process in (tree, *children(tree)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def children(tree: psutil.Process) -> list[psutil.Process]:
    """The processes below, none if they have just ended."""
    try:
        return tree.children(recursive=True)
    except psutil.Error:
        return []


def stage_rows(run: Path) -> list[str]:
    """One table row a stage: its own seconds, from its manifest."""
    folders = ("organism", "corpus", "tokenizer", "blocks", "pretrain", "instructions", "sft", "eval")
    manifests = [json.loads((run / f / "manifest.json").read_text()) for f in folders if (run / f).is_dir()]
    return [f"| {m['stage']} | {m['seconds']:.0f} |" for m in manifests]


def task_rows(report: dict[str, Any]) -> list[str]:
    """One table row a task, as the report has it."""
    lines = []
    for task in report["tasks"]:
        metrics = task["metrics"]
        columns = [("majority", "accuracy"), ("kmer_lr", "mcc"), ("scored", "mcc"), ("scored", "accuracy")]
        figures = [f"{metrics[who][what]:.3f}" for who, what in [*columns, ("generated", "mcc")]]
        figures += [f"{task['exact_match_given_scored_right']:.4f}", f"{task['invalid_share']:.4f}"]
        lines.append(f"| {' | '.join([task['task'], str(task['n']), *figures])} |")
    return lines


def main() -> None:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of real data; empty = simulated organism")
    parser.add_argument("--output", help="folder for the run; empty = a temporary one")
    parser.add_argument("--tests", action="store_true", help="also time pytest")
    args = parser.parse_args()
    output = Path(args.output or tempfile.mkdtemp()) / "run"
    today = time.strftime("%Y-%m-%d")
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {today}\n")

    helps = min(measure([sys.executable, "-m", "dnahlm", "--help"], quiet=True)[0] for _ in range(5))
    command = [sys.executable, "-m", "dnahlm", "quickstart", "--output", str(output)]
    seconds, peak = measure(command + (["--data", args.data] if args.data else []))
    print(f"\n| what | value |\n|---|---|\n| `dnahlm --help`, best of 5 | {helps:.2f} s |")
    print(f"| quickstart, whole command | {seconds / 60:.1f} min |\n| peak memory, all its processes | {peak:.2f} GB |")
    print("\n| stage | seconds |\n|---|---|", *stage_rows(output), sep="\n")
    report = json.loads((output / "eval" / "report.json").read_text())
    print(f"\n| {' | '.join(TASK_COLUMNS)} |\n|{'---|' * len(TASK_COLUMNS)}", *task_rows(report), sep="\n")
    if args.tests:
        for name, marks in (("default", "not slow"), ("all", "slow or not slow")):
            seconds, _ = measure([sys.executable, "-m", "pytest", "-q", "-m", marks], quiet=True)
            print(f"pytest, {name}: {seconds:.0f} s")


if __name__ == "__main__":
    main()

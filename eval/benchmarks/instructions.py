"""Seconds and memory of `dnahlm instructions build`, from CSV to JSONL, at one or more sizes.

    python eval/benchmarks/instructions.py --rows 100000 1000000 --bases 100

The rows are random DNA with two labels: 90 % train, 5 % validation, 5 % test. Every size is built in a process of its
own, by the command a user types; "leak check" is part of "build". One Markdown row per size is printed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASK = {
    "id": "bench", "version": 1, "description": "Random DNA.", "citation": "none", "licence": "CC0-1.0",
    "simulated": True,
    "source": {"format": "csv", "files": {s: f"{s}.csv" for s in ("train", "validation", "test")}},
    "labels": {"0": "background", "1": "binding site"},
    "phrasings": [f"Question {i} about this DNA? Answer {{options}}." for i in range(8)],
    "held_out_phrasings": [f"New question {i} about this DNA? {{options}}." for i in range(3)],
    "metrics": ["mcc"],
}  # fmt: skip


def write_tables(folder: Path, rows: int, bases: int) -> None:
    """Random rows, `rows` in all splits together."""
    rng = random.Random(0)
    sizes = {"validation": rows // 20, "test": rows // 20}
    sizes["train"] = rows - sum(sizes.values())
    for split, n in sizes.items():
        with (folder / f"{split}.csv").open("w") as handle:
            handle.write("sequence,label\n")
            handle.writelines(f"{''.join(rng.choices('ACGT', k=bases))},{i % 2}\n" for i in range(n))
    (folder / "bench.yaml").write_text(json.dumps(TASK))


def measure(folder: Path) -> dict[str, float]:
    """Build once; seconds by step, seconds of the processor, MB at the peak."""
    output = folder / "instructions"
    words = ["--tasks", str(folder / "bench.yaml"), "--data_root", str(folder), "--output", str(output)]
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "dnahlm", "instructions", "build", *words])
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit("the build failed")
    manifest = json.loads((output / "manifest.json").read_text())
    unit = 1024 if sys.platform != "darwin" else 1 << 20
    return {
        **manifest["seconds_of"], "total": time.perf_counter() - start, "cpu": usage.ru_utime + usage.ru_stime,
        "mb": usage.ru_maxrss / unit,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--bases", type=int, default=100)
    args = parser.parse_args()
    lines = ["| rows | bases | read s | leak check s | write s | total s | CPU s | peak MB |", "|" + "---|" * 8]
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as name:
            write_tables(Path(name), rows, args.bases)
            m = measure(Path(name))
        lines.append(
            f"| {rows:,} | {args.bases} | {m['read']:.1f} | {m['leak_check']:.1f} | {m['write']:.1f} | "
            f"{m['total']:.1f} | {m['cpu']:.1f} | {m['mb']:,.0f} |"
        )
    print("\n".join(lines))


if __name__ == "__main__":
    main()

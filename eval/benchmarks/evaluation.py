"""What the parts of an evaluation cost that need no model: resampling, and the baselines.

    python eval/benchmarks/evaluation.py                                      # 12 tasks of 6,000 rows, 2,000 resamples
    python eval/benchmarks/evaluation.py --instructions runs/x/instructions   # baselines on the test rows of a build
    python eval/benchmarks/evaluation.py --instructions runs/x/instructions --tasks mouse_tf_0 --seeds 3

Prints one Markdown table; writes nothing. Seconds are those of one CPU core (process time, one thread).
"""

import argparse
import os
import platform
import statistics
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from dnahlm.evaluation.baselines.fit import fit_baselines
from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.evaluation.bootstrap import Answered, intervals
from dnahlm.evaluation.metrics import measure
from dnahlm.evaluation.rows import read_rows
from dnahlm.evaluation.suite import Suite

ASKED = 13  # ways with probabilities beside the generated one: every way of a suite with all of them, two of few shots


def time_intervals(n_tasks: int, n_rows: int, n_resamples: int) -> None:
    """Intervals of every way, on all rows and on the nine tenths of them that are clean."""
    rng, answers, seconds = np.random.default_rng(0), ["no", "yes"], []
    for seed in range(n_tasks):
        references = [answers[k] for k in rng.integers(0, 2, n_rows)]
        ways = {}
        for way in range(ASKED):
            chances = rng.dirichlet([1, 1], n_rows).astype(np.float32).astype(np.float64)
            ways[str(way)] = Answered([answers[k] for k in chances.argmax(axis=1)], chances)
        ways["generated"] = Answered([None if rng.random() < 0.1 else p for p in ways["0"].predicted])
        clean = np.flatnonzero(rng.random(n_rows) < 0.9)
        parts = {
            name: Answered([w.predicted[i] for i in clean], None if w.chances is None else w.chances[clean])
            for name, w in ways.items()
        }
        started = time.process_time()
        intervals(ways, references, answers, n_resamples, seed)
        intervals(parts, [references[i] for i in clean], answers, n_resamples, seed)
        seconds.append(time.process_time() - started)
    print("| tasks | rows each | ways | resamples | seconds, all | seconds a task |\n|---|---|---|---|---|---|")
    cells = [
        n_tasks,
        f"{n_rows:,}",
        ASKED + 1,
        f"{n_resamples:,}",
        f"{sum(seconds):.1f}",
        f"{sum(seconds) / n_tasks:.2f}",
    ]
    print("| " + " | ".join(map(str, cells)) + " |")


def time_baselines(folder: Path, tasks: list[str], names: list[str], split: str, n_seeds: int) -> None:
    """MCC and seconds of each baseline on the rows of a build."""
    suite = Suite("benchmark", "", tasks=tasks, split=split, held_out_phrasing=False, baselines=names)
    suite.path = __file__
    header = ("task", "train rows", f"{split} rows", "baseline", "MCC", "sd over seeds", "seconds")
    print(f"| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for task, rows in read_rows(suite, folder, 0).items():
        references = [record["output"] for record in rows.asked]
        for name in names:
            suite.baselines, values = [name], []
            started = time.process_time()
            for seed in range(n_seeds if name == "cnn" else 1):
                found, n_train = fit_baselines(suite, rows, seed)
                answered = found[name]
                values.append(measure(answered.predicted, references, rows.options, answered.chances)["mcc"])
            seconds = (time.process_time() - started) / len(values)
            sd = f"{statistics.stdev(values):.3f}" if len(values) > 1 else "-"
            mcc = f"{statistics.mean(values):.3f}"
            cells = (task, f"{n_train:,}", f"{len(references):,}", name, mcc, sd, f"{seconds:.1f}")
            print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Time what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--instructions", type=Path, help="folder of `dnahlm instructions build`; empty = resampling only"
    )
    parser.add_argument("--tasks", nargs="+", default=[], help="ids; empty = all of the instructions")
    parser.add_argument("--baselines", nargs="+", default=list(BASELINES), choices=list(BASELINES))
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--seeds", type=int, default=1, help="of the CNN")
    parser.add_argument("--n_tasks", type=int, default=12)
    parser.add_argument("--n_rows", type=int, default=6000)
    parser.add_argument("--n_resamples", type=int, default=2000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.platform()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}\n")
    if args.instructions:
        time_baselines(args.instructions, args.tasks, args.baselines, args.split, args.seeds)
    else:
        time_intervals(args.n_tasks, args.n_rows, args.n_resamples)


if __name__ == "__main__":
    main()

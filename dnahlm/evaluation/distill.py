"""Baselines as teachers: what those of each task think of every answer, for left-out rows and for new ones.

A small model that answers many tasks overfits long before its rows are used up; a teacher's probabilities hold more
than a label does (Hinton, Vinyals and Dean, arXiv 1503.02531), and it can be asked about as much DNA as is wanted.
Teachers of several kinds are heard together, each with the share that makes the labels of left-out rows likeliest: a
network that knows places and a regression that counts words err on different rows. Test and validation rows have no
part in it.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from dnahlm.evaluation.baselines.data import Data, letters
from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.evaluation.rows import group
from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.spec import TaskSpec, answers
from dnahlm.training.redraw import mutated
from dnahlm.training.soft_answers import PROBABILITIES
from dnahlm.training.task_files import tasks_of

Answer = dict[str, float]  # answer -> probability
DIGITS = 4  # of a probability
FEWEST = 10  # sequences of a task for each fold
ROUNDS = 200  # of expectation maximisation


@dataclass
class DistillConfig:
    """Settings of `dnahlm distill`."""

    instructions: str = field(metadata={"help": "folder written by `dnahlm instructions build`"})
    output: str = field(metadata={"help": "folder to write the taught train rows to"})
    teachers: list[str] = field(
        default_factory=lambda: ["cnn", "kmer_lr"], metadata={"help": f"baselines that teach: {', '.join(BASELINES)}"}
    )
    folds: int = field(
        default=3, metadata={"help": "parts of the train rows; a teacher of each kind leaves one out and answers it"}
    )
    rows: int = field(default=20_000, metadata={"help": "new rows of each task, answered by all its teachers"})
    exchange: float = field(
        default=0.4,
        metadata={"help": "share of the new rows with DNA of the train rows of another task, of the same length; the "
                  "others are train rows of the task itself with some bases replaced"},
    )  # fmt: skip
    mutation_rate: float = field(default=0.05, metadata={"help": "share of the bases that are replaced in those"})
    label_weight: float = field(
        default=0.5, metadata={"help": "of a train row's own label; the rest is what the teacher says"}
    )
    workers: int = field(default=1, metadata={"help": "processes; -1 = one for each core"})
    seed: int = field(default=0, metadata={"help": "draws folds, new rows and their answers, and the teachers"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: DistillConfig) -> dict[str, Any]:
    """instructions/ -> output/: train.jsonl (train rows, then new ones, with `probabilities`), manifest.json.

    Raises:
        InputError: a setting out of range, or no task that can be taught.
    """
    clock = StageClock()
    check_settings(config)
    folder = Path(config.instructions)
    read_manifest(folder, "instructions build")
    specs = tasks_of(folder)
    records = read_instructions(folder / "train.jsonl")
    by_task = {task: rows for task, rows in group(records).items() if teachable(specs[task], rows, config.folds)}
    if not by_task:
        raise InputError(
            f"{folder}: no task can be taught. A teacher needs a fixed list of answers, one stretch of DNA in a row, "
            f"and {FEWEST} sequences and two answers in each of --folds {config.folds} parts."
        )
    with staged_folder(config.output, config.overwrite, [folder]) as part:
        new = {task: new_rows(task, by_task, config) for task in by_task}
        taught, shares = teach(by_task, new, specs, config)
        with (part / "train.jsonl").open("w", encoding="utf-8") as handle:
            for record in records:
                if record["task"] in taught:
                    weigh(record, taught[record["task"]][letters(record)], config.label_weight)
                handle.write(json.dumps(record, ensure_ascii=False) + "\n")
            for task, rows in new.items():
                rng = np.random.default_rng([config.seed, *task.encode(), 2])
                for record in rows:
                    answer_as_taught(record, taught[task][record["input"]], specs[task], rng)
                    handle.write(json.dumps(record, ensure_ascii=False) + "\n")
        counts = {task: {"train": len(by_task[task]), "new": len(new[task])} for task in by_task}
        for task, found in counts.items():
            found |= {"agreement": agreement(by_task[task], taught[task]), "shares": shares[task]}
            heard = ", ".join(f"{name} {share:.2f}" for name, share in shares[task].items())
            print(
                f"{task}: {found['train']:,} train rows, {found['agreement']:.1%} of whose labels the teachers that "
                f"left them out give ({heard}); {found['new']:,} new rows"
            )
        manifest = write_manifest(part, "distill", config, clock, {"instructions": folder}, counts)
    print(f"taught {len(by_task)} tasks in {clock.seconds:.0f} s -> {config.output}")
    return manifest


def weigh(record: dict, found: Answer, label_weight: float) -> None:
    """Give a train row the probabilities of its label and of its teacher, weighed."""
    record[PROBABILITIES] = {
        answer: round((1 - label_weight) * chance + label_weight * (answer == record["output"]), DIGITS)
        for answer, chance in found.items()
    }


def agreement(records: list[dict], taught: dict[str, Answer]) -> float:
    """Share of train rows whose label is the teacher's likeliest answer."""
    found = [taught[letters(record)] for record in records]
    return float(
        np.mean([max(chances, key=chances.get) == r["output"] for chances, r in zip(found, records, strict=True)])
    )


def check_settings(config: DistillConfig) -> None:
    """Raise `InputError` for settings that cannot be meant."""
    if not set(config.teachers) or sorted(set(config.teachers) & set(BASELINES)) != sorted(config.teachers):
        allowed = ", ".join(BASELINES)
        raise InputError(f"teachers: found {config.teachers}; allowed: one or more of {allowed}, each once.")
    if config.folds < 2:
        raise InputError(f"folds: {config.folds}; a teacher leaves out a part of the rows, so give 2 or more.")
    if config.rows < 0:
        raise InputError(f"rows: {config.rows}; must be 0 or more.")
    for name, most in (("exchange", 1.0), ("label_weight", 1.0), ("mutation_rate", 0.5)):
        if not 0 <= getattr(config, name) <= most:
            raise InputError(f"{name}: {getattr(config, name):g}; must be from 0 to {most:g}.")


def teachable(spec: TaskSpec, records: list[dict], folds: int) -> bool:
    """Whether teachers can be fitted: a list of answers, one stretch of DNA, enough sequences, more than one answer."""
    if spec.kind != "classification" or any("\n" in record["input"] for record in records):
        return False
    found = {letters(record): record["output"] for record in records}
    return len(found) >= FEWEST * folds and len(set(found.values())) > 1


def new_rows(task: str, by_task: dict[str, list[dict]], config: DistillConfig) -> list[dict]:
    """Rows to be answered by the teachers of a task: its own, mutated, and those of other tasks; strand + only."""
    rng = np.random.default_rng([config.seed, *task.encode()])
    own = [record for record in by_task[task] if record["strand"] == "+"]
    others: dict[int, list[list[dict]]] = defaultdict(list)  # length -> rows of each other task
    for other, records in sorted(by_task.items()):
        if other != task:
            lengths: dict[int, list[dict]] = defaultdict(list)
            for record in records:
                lengths[len(record["input"])].append(record)
            for length, some in lengths.items():
                others[length].append(some)
    rows = []
    for number, place in enumerate(rng.integers(len(own), size=config.rows)):
        record, donors = own[place], others[len(own[place]["input"])]
        if donors and rng.random() < config.exchange:
            donor = donors[rng.integers(len(donors))]
            input, source = (chosen := donor[rng.integers(len(donor))])["input"], f"{chosen['task']} {chosen['source']}"
        else:
            input, source = mutated(record["input"], config.mutation_rate, rng), f"{record['source']} mutated"
        new = {"id": f"{task}-taught-{number}", "input": input, "source": source, "clean": False}
        rows.append(record | new)
    return rows


def teach(
    by_task: dict[str, list[dict]], new: dict[str, list[dict]], specs: dict[str, TaskSpec], config: DistillConfig
) -> tuple[dict[str, dict[str, Answer]], dict[str, dict[str, float]]]:
    """What teachers say of each sequence of each task, and the share of each kind of teacher.

    A train row is answered by those that left it out, a new one by all.
    """
    parts = {task: split(task, records, new[task], specs[task], config) for task, records in by_task.items()}
    jobs = [(name, data) for some in parts.values() for data in some for name in config.teachers]
    found = iter(Parallel(n_jobs=config.workers)(delayed(answers_of)(name, data) for name, data in jobs))
    taught, shares = {}, {}
    for task, some in parts.items():
        said = [np.stack([next(found) for _ in config.teachers]) for _ in some]  # (T, N + M, K) of each part
        left = np.concatenate([chances[:, : len(data.validation)] for chances, data in zip(said, some, strict=True)], 1)
        words = answers(specs[task])
        right = [words.index(label) for data in some for label in data.validation_labels]
        weights = pool(left[:, np.arange(len(right)), right])
        together = sum(chances[:, len(data.validation) :] for chances, data in zip(said, some, strict=True)) / len(some)
        # Train rows come last: a new row that is one after all does not change its answer.
        texts = [record["input"] for record in new[task]] + [text for data in some for text in data.validation]
        mixed = np.round(np.einsum("t,tnk->nk", weights, np.concatenate([together, left], 1)), DIGITS)
        taught[task] = {
            text: dict(zip(words, chances, strict=True)) for text, chances in zip(texts, mixed.tolist(), strict=True)
        }
        shares[task] = dict(zip(config.teachers, np.round(weights, DIGITS).tolist(), strict=True))
    return taught, shares


def split(task: str, records: list[dict], new: list[dict], spec: TaskSpec, config: DistillConfig) -> list[Data]:
    """One `Data` for each fold: fitted on the others, asked about its own sequences and then about the new rows."""
    found = list({letters(record): record["output"] for record in records}.items())
    places = np.random.default_rng([config.seed, *task.encode(), 1]).permutation(len(found)) % config.folds
    parts = []
    for fold in range(config.folds):
        kept = [row for row, place in zip(found, places, strict=True) if place != fold]
        left = [row for row, place in zip(found, places, strict=True) if place == fold]
        asked = [text for text, _ in left] + [record["input"] for record in new]
        parts.append(
            Data(
                *map(list, zip(*kept, strict=True)), *map(list, zip(*left, strict=True)), asked,
                answers(spec), spec.strand_symmetric, config.seed + fold,
            )
        )  # fmt: skip
    return parts


def pool(likelihoods: np.ndarray) -> np.ndarray:
    """Shares (T) of T teachers that make N labels likeliest, of the likelihoods (T, N) that they give them.

    The weights of a mixture whose parts are fixed, by expectation maximisation (Dempster, Laird and Rubin 1977).
    """
    weights = np.full(len(likelihoods), 1 / len(likelihoods))
    likelihoods = np.maximum(likelihoods, 1e-12)
    for _ in range(ROUNDS):
        heard = weights[:, None] * likelihoods
        weights = (heard / heard.sum(axis=0)).mean(axis=1)
    return weights


def answers_of(teacher: str, data: Data) -> np.ndarray:
    """Probabilities (N, K) of one teacher, on one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return BASELINES[teacher](data)
    finally:
        torch.set_num_threads(threads)


def answer_as_taught(record: dict, found: Answer, spec: TaskSpec, rng: np.random.Generator) -> None:
    """Give a new row its probabilities, and an answer drawn by them."""
    chances = np.array(list(found.values()))
    answer = list(found)[rng.choice(len(chances), p=chances / chances.sum())]
    label = next(label for label, word in spec.labels.items() if word == answer)
    record |= {"output": answer, "label": label, PROBABILITIES: found}

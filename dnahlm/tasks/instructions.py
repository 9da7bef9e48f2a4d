"""tasks/*.yaml + tables -> instructions/: questions and answers in Alpaca columns, fair tests."""

from __future__ import annotations

import json
import random
import shutil
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, shipped, staged_folder
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.facts import summary
from dnahlm.tasks.fairness import remove_leaks
from dnahlm.tasks.leak_report import leak_counts
from dnahlm.tasks.mixture import load_mixture, repeats_of
from dnahlm.tasks.records import ALTERNATIVE, Asker, Record, example_pool, make_asker, record
from dnahlm.tasks.repeats import SHOWN, told
from dnahlm.tasks.sampling import choose_rows
from dnahlm.tasks.spec import TaskSpec, load_task, shipped_tasks
from dnahlm.tasks.spool import Rows, Spool
from dnahlm.tasks.table import TaskTable, check_rows, read_task_table, require_unchanged
from dnahlm.tasks.task_file import write_task_file
from dnahlm.tasks.writing import COLUMNS, Writer, read_instructions

__all__ = ["COLUMNS", "InstructionsConfig", "read_instructions", "run"]
HELD_OUT = "test_held_out"  # the test rows again, in wordings that training never shows


@dataclass
class InstructionsConfig:
    """Settings of `dnahlm instructions build`."""

    data_root: str = field(metadata={"help": "folder that the files named in the tasks are relative to"})
    output: str = field(metadata={"help": "folder to write the instructions to"})
    tasks: list[str] = field(
        default_factory=list, metadata={"help": "ids of shipped tasks, or paths of task files; or give --mixture"}
    )
    mixture: str | None = field(
        default=None, metadata={"help": "YAML file with tasks, their weights and caps, and a temperature"}
    )
    seed: int = field(
        default=0, metadata={"help": "draws wordings, order of options, kept rows and the order of train rows"}
    )
    max_train_rows: int = field(
        default=0, metadata={"help": "rows per task before reverse complements are added; 0 = all"}
    )
    max_validation_rows: int = field(default=0, metadata={"help": "rows per task; 0 = all"})
    max_test_rows: int = field(default=0, metadata={"help": "rows per task; 0 = all"})
    balance: bool = field(
        default=False, metadata={"help": "as many train rows of each class as of the rarest; the others are left out"}
    )
    shots: int = field(default=0, metadata={"help": "few-shot: train rows per class, drawn by the seed; 0 = all"})
    repeats: dict | str | None = field(
        default=None,
        metadata={"help": "task: times each of its train rows is asked, in other words each time, so that a small or a "
                  "hard task is not drowned; a mapping in YAML, JSON on the command line"},
    )  # fmt: skip
    examples: int = field(default=0, metadata={"help": "answered train rows shown inside each instruction"})
    wording: str = field(default="", metadata={"help": "a wording of the task files, such as dnahlm_v1, word for word"})
    label_words: str = field(
        default="standard",
        metadata={
            "help": "standard; alternative = the first set of each task's `alternative_labels`, alternative-2 = "
            "the second, and so on"
        },
    )
    reverse_complement: bool = field(
        default=True, metadata={"help": "add the other strand of each train row where the task is strand-symmetric"}
    )
    near: bool = field(default=True, metadata={"help": "near-duplicates of test rows leave train too"})
    corpus: str | None = field(
        default=None,
        metadata={"help": "corpus folder of the pretraining; test rows found in it are counted, not clean"},
    )
    tokenizer: str | None = field(default=None, metadata={"help": "also count tokens, with this tokenizer folder"})
    max_length: int = field(
        default=0, metadata={"help": "with --tokenizer: refuse rows of more tokens, answer included; 0 = no limit"}
    )
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: InstructionsConfig) -> dict[str, Any]:
    """Tables -> {train,validation,test,test_held_out}.jsonl, tasks/, leaks.json, dataset_info.json, manifest.json.

    Raises:
        InputError: whatever is wrong with a task file or a table, with file and line, before anything is written.
    """
    clock = StageClock()
    check_settings(config)
    mixture = load_mixture(config.mixture) if config.mixture else None
    specs = load_tasks(list(mixture.tasks) if mixture else config.tasks)
    askers = [make_asker(spec, config.seed, config.wording, config.label_words) for spec in specs]
    for asker, times in zip(askers, repeats_of([spec.id for spec in specs], config.repeats), strict=True):
        asker.repeats = times
    writer = Writer({spec.id: spec for spec in specs}, config.tokenizer, config.max_length)
    inputs = [config.data_root, *(spec.path for spec in specs)]
    with staged_folder(config.output, config.overwrite, inputs) as part, Spool(part) as spool:
        tables = [read_task_table(spec, config.data_root, spool) for spec in specs]
        seconds = {"read": clock.seconds}
        leaks = remove_leaks(tables, config.near, config.corpus)
        seconds["leak_check"] = round(clock.seconds - sum(seconds.values()), 2)
        for table in tables:
            check_rows(table, " once rows that give test rows away are removed (see --tasks: fewer tasks leak less)")
        choose_rows(tables, mixture, config)
        for table in tables:
            check_rows(table, " once the settings leave rows out (see --max_train_rows and the like, and the mixture)")
        for asker, table in zip(askers, tables, strict=True):
            asker.examples = config.examples
            asker.shown = example_pool(table.spec, table.rows["train"]) if config.examples else []
        totals = write_splits(part, writer, askers, tables, config)
        seconds["write"] = round(clock.seconds - sum(seconds.values()), 2)
        counts: dict[str, Any] = {}
        for asker, table in zip(askers, tables, strict=True):
            facts = {split: writer.facts(table.spec.id, split) for split in SPLITS}
            counts[table.spec.id] = {**facts, "table": dict(table.counts)}
            counts[table.spec.id] |= {"splitting": table.splitting} if table.splitting else {}
            write_task_file(asker.spec, part / "tasks" / f"{table.spec.id}.yaml")
            print("\n".join([summary(table, counts[table.spec.id]), *(f"  {text}" for text in told(table, SHOWN))]))
        (part / "leaks.json").write_text(json.dumps(leaks, indent=2) + "\n", encoding="utf-8")
        # LLaMA-Factory reads the folder as it is: `dataset_dir: instructions`, `dataset: dnahlm_train`.
        shutil.copyfile(shipped("data_templates") / "dataset_info.json", part / "dataset_info.json")
        for table in tables:
            require_unchanged(table)
        inputs = {spec.id: spec.path for spec in specs}
        inputs |= {f"{table.spec.id}/{name}": path for table in tables for name, path in table.files.items()}
        inputs |= {"mixture": config.mixture} if config.mixture else {}
        counts["leaks"] = leak_counts(leaks)
        manifest = write_manifest(
            part, "instructions build", config, clock, inputs, counts,
            tasks={spec.id: spec.version for spec in specs},
            simulated=sorted(spec.id for spec in specs if spec.simulated), seconds_of=seconds,
        )  # fmt: skip
    total = ", ".join(f"{totals[split]:,} {split}" for split in SPLITS)
    print(f"wrote {total} instructions, tasks: {len(specs)} -> {config.output}")
    return manifest


def check_settings(config: InstructionsConfig) -> None:
    """Raise `InputError` for settings that cannot be meant."""
    for name in (*(f"max_{split}_rows" for split in SPLITS), "shots", "examples", "max_length"):
        if getattr(config, name) < 0:
            unit = "tokens" if name == "max_length" else "rows"
            raise InputError(f"{name}: {getattr(config, name)} {unit}; must be 0 or more.")
    if config.label_words != "standard" and not ALTERNATIVE(config.label_words):
        raise InputError(
            f"label_words: found {config.label_words!r}; allowed: standard, alternative, alternative-2 (the second set "
            "of `alternative_labels`) and so on."
        )
    if config.wording and config.label_words != "standard":
        raise InputError("wording: brings its own label words; leave --label_words out, or --wording.")
    if config.max_length and not config.tokenizer:
        raise InputError("max_length: counts tokens, so it needs --tokenizer.")
    if config.mixture and config.tasks:
        raise InputError("mixture: names its tasks itself; leave --tasks out, or --mixture.")


def load_tasks(names: Sequence[str]) -> list[TaskSpec]:
    """Load the tasks of a build.

    Raises:
        InputError: none given, or two with one id.
    """
    if not names:
        raise InputError(f"tasks: none given. Shipped: {', '.join(shipped_tasks())}; or give the path of a task file.")
    specs = [load_task(name) for name in names]
    for task_id, n in Counter(spec.id for spec in specs).items():
        if n > 1:
            where = ", ".join(str(spec.path) for spec in specs if spec.id == task_id)
            raise InputError(f"tasks: id {task_id!r} is there {n} times ({where}). Keep one, or give it another id.")
    return specs


def write_splits(
    part: Path, writer: Writer, askers: Sequence[Asker], tables: Sequence[TaskTable], config: InstructionsConfig
) -> dict[str, int]:
    """Write the JSONL files; returns records per split."""
    (part / "tasks").mkdir()
    totals = {"train": writer.write(part / "train.jsonl", "train", train_records(askers, tables, config))}
    for name, split in (("validation", "validation"), ("test", "test"), (HELD_OUT, "test")):
        records = (
            record(asker, row, split, held_out=name == HELD_OUT)
            for asker, table in zip(askers, tables, strict=True)
            for row in table.rows[split]
        )
        totals[name] = writer.write(part / f"{name}.jsonl", name, records)
    return totals


def train_records(askers: Sequence[Asker], tables: Sequence[TaskTable], config: InstructionsConfig) -> Iterator[Record]:
    """Train rows of all tasks, shuffled together, each also from its other strand where that is right and wanted."""
    blocks: list[tuple[Asker, Rows, bool, int]] = []
    for asker, table in zip(askers, tables, strict=True):
        strands = (False, True) if config.reverse_complement and table.spec.strand_symmetric else (False,)
        times = range(1, asker.repeats + 1)
        blocks += [(asker, table.rows["train"], reverse, time) for reverse in strands for time in times]
    starts = [0, *accumulate(len(rows) for _, rows, *_ in blocks)]
    order = array("Q", range(starts[-1]))  # a list would hold four times as much
    random.Random(config.seed).shuffle(order)
    for place in order:
        n = bisect_right(starts, place) - 1
        asker, rows, reverse, time = blocks[n]
        yield record(asker, rows[place - starts[n]], "train", reverse=reverse, time=time)

"""tasks/*.yaml + tables -> instructions/: questions and answers in Alpaca columns, fair tests."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnahlm.io import InputError, open_text, shipped, staged_folder
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.checks import SPLITS
from dnahlm.tasks.fairness import leak_counts, remove_leaks
from dnahlm.tasks.sampling import Record, cap_rows, describe, record, reverse_record
from dnahlm.tasks.spec import TaskSpec, load_task, shipped_tasks
from dnahlm.tasks.table import TaskTable, check_rows, read_task_table

COLUMNS = ("id", "task", "split", "instruction", "input", "output", "label", "phrasing", "strand", "source")
HELD_OUT = "test_held_out"  # the test rows again, in wordings that training never shows


@dataclass
class InstructionsConfig:
    """Settings of `dnahlm instructions build`."""

    tasks: list[str] = field(metadata={"help": "ids of shipped tasks, or paths of task files"})
    data_root: str = field(metadata={"help": "folder that the files named in the tasks are relative to"})
    output: str = field(metadata={"help": "folder to write the instructions to"})
    seed: int = field(
        default=0, metadata={"help": "draws wordings, order of options, capped rows and the order of train rows"}
    )
    max_train_rows: int = field(
        default=0, metadata={"help": "rows per task before reverse complements are added; 0 = all"}
    )
    max_validation_rows: int = field(default=0, metadata={"help": "rows per task; 0 = all"})
    max_test_rows: int = field(default=0, metadata={"help": "rows per task; 0 = all"})
    reverse_complement: bool = field(
        default=True, metadata={"help": "add the other strand of each train row where the task is strand-symmetric"}
    )
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: InstructionsConfig) -> dict[str, Any]:
    """Tables -> {train,validation,test,test_held_out}.jsonl, tasks/, leaks.json, dataset_info.json, manifest.json.

    Raises:
        InputError: whatever is wrong with a task file or a table, with file and line, before anything is written.
    """
    clock = StageClock()
    specs = load_tasks(config.tasks)
    caps = {split: getattr(config, f"max_{split}_rows") for split in SPLITS}
    for split, most in caps.items():
        if most < 0:
            raise InputError(f"max_{split}_rows: {most} rows; must be 0 (all) or more.")
    with staged_folder(config.output, config.overwrite, [config.data_root, *(s.path for s in specs)]) as part:
        tables = [read_task_table(spec, config.data_root) for spec in specs]
        leaks = remove_leaks(tables)
        splits: dict[str, list[Record]] = {name: [] for name in (*SPLITS, HELD_OUT)}
        counts: dict[str, Any] = {}
        for table in tables:
            check_rows(table, " once rows that give test rows away are removed (see --tasks: fewer tasks leak less)")
            built = build_task(table, caps, config)
            for name, records in built.items():
                splits[name] += records
            counts[table.spec.id] = {**{s: describe(built[s]) for s in SPLITS}, "table": dict(table.counts)}
            print(summary(table, counts[table.spec.id]))
        random.Random(config.seed).shuffle(splits["train"])
        write_folder(part, splits, specs, leaks)
        inputs = {spec.id: spec.path for spec in specs}
        inputs |= {f"{table.spec.id}/{split}": path for table in tables for split, path in table.files.items()}
        counts["leaks"] = leak_counts(leaks)
        manifest = write_manifest(
            part, "instructions build", config, clock, inputs, counts,
            tasks={spec.id: spec.version for spec in specs},
            simulated=sorted(spec.id for spec in specs if spec.simulated),
        )  # fmt: skip
    total = ", ".join(f"{len(splits[split]):,} {split}" for split in SPLITS)
    print(f"wrote {total} instructions, tasks: {len(specs)} -> {config.output}")
    return manifest


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


def build_task(table: TaskTable, caps: dict[str, int], config: InstructionsConfig) -> dict[str, list[Record]]:
    """The instruction records of one task: split or `test_held_out` -> records."""
    spec, seed = table.spec, config.seed
    kept = {split: cap_rows(table.rows[split], caps[split], seed) for split in SPLITS}
    built = {split: [record(spec, row, split, seed) for row in kept[split]] for split in SPLITS}
    built[HELD_OUT] = [record(spec, row, "test", seed, held_out=True) for row in kept["test"]]
    if config.reverse_complement and spec.strand_symmetric:
        built["train"] += [reverse_record(spec, row, "train", seed) for row in kept["train"]]
    return built


def summary(table: TaskTable, counts: dict[str, Any]) -> str:
    """One line of facts about a built task."""
    rows = ", ".join(f"{counts[split]['rows']:,} {split}" for split in SPLITS)
    train = counts["train"]
    classes = ", ".join(f"{n / train['rows']:.0%} {answer}" for answer, n in train["answers"].items())
    least = min(counts[split]["min_bases"] for split in SPLITS)
    most = max(counts[split]["max_bases"] for split in SPLITS)
    kept = ("contradicting_rows_test", "repeated_rows_test", "repeated_rows_validation")
    done = [f"{n:,} {name.replace('_', ' ')}{' (kept)' * (name in kept)}" for name, n in table.counts.items() if n]
    more = (
        f" ({train['reverse_complements']:,} of train are reverse complements)" if train["reverse_complements"] else ""
    )
    changes = ", ".join(done) or "nothing changed"
    return f"{table.spec.id}: {rows} rows{more}; train {classes}; {least:,}-{most:,} bases; {changes}"


def write_folder(part: Path, splits: dict[str, list[Record]], specs: Sequence[TaskSpec], leaks: dict[str, Any]) -> None:
    """Write all of the output but its manifest."""
    for name, records in splits.items():
        with (part / f"{name}.jsonl").open("w", encoding="utf-8") as handle:
            handle.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (part / "tasks").mkdir()
    for spec in specs:
        shutil.copyfile(spec.path, part / "tasks" / f"{spec.id}.yaml")
    (part / "leaks.json").write_text(json.dumps(leaks, indent=2) + "\n", encoding="utf-8")
    # LLaMA-Factory reads the folder as it is: `dataset_dir: instructions`, `dataset: dnahlm_train`.
    shutil.copyfile(shipped("data_templates") / "dataset_info.json", part / "dataset_info.json")


def read_instructions(path: str | Path) -> list[Record]:
    """The records of one JSONL file of an instructions folder.

    Raises:
        InputError: missing or empty file, a line that is not JSON, or lacks one of `COLUMNS`.
    """
    records = []
    with open_text(path, "instructions, written by `dnahlm instructions build`") as handle:
        for line, text in enumerate(handle, 1):
            try:
                found = json.loads(text)
            except json.JSONDecodeError as error:
                raise InputError(
                    f"{path}:{line}: not valid JSON ({error.msg}). Run `dnahlm instructions build` again."
                ) from error
            missing = [key for key in COLUMNS if not isinstance(found, dict) or not isinstance(found.get(key), str)]
            if missing:
                raise InputError(
                    f"{path}:{line}: text for {missing} is missing; an instruction has {', '.join(COLUMNS)}."
                )
            records.append(found)
    return records

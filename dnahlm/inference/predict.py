"""`dnahlm predict`: sequences of a file in, one CSV row of answers and probabilities per sequence out, in order."""

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from dnahlm.inference.classify import classify, find_task
from dnahlm.inference.load import Loaded, load
from dnahlm.inference.queries import Query, fit_query, length_note, read_queries
from dnahlm.io import InputError, staged_file
from dnahlm.manifest import StageClock
from dnahlm.tasks.spec import TaskSpec, answers, asks_one_sequence

CHUNK = 512  # records in memory at once
POLICIES = ("error", "center")


@dataclass
class PredictConfig:
    """Answer one task's question for every sequence of a file."""

    model: str = field(metadata={"help": "tuned checkpoint folder"})
    task: str = field(
        metadata={"help": "a task the model was tuned on, another shipped task, or a task YAML (zero-shot)"}
    )
    input: str = field(metadata={"help": "FASTA, FASTQ, GenBank, CSV or TSV file, also .gz"})
    output: str = field(
        metadata={"help": "CSV file to write: id, label, probability, one column per answer, bases, note"}
    )
    sequence_column: str = field(default="sequence", metadata={"help": "CSV/TSV: column that holds the DNA"})
    id_column: str | None = field(
        default=None, metadata={"help": "CSV/TSV: column that names the row; without it rows are numbered from 1"}
    )
    too_long: str = field(
        default="error",
        metadata={
            "help": "sequence longer than the model can see: error, or center = use the middle bases and note it"
        },
    )
    overwrite: bool = field(default=False, metadata={"help": "replace an existing output"})


def run(config: PredictConfig) -> dict[str, Any]:
    """Write `config.output` and return what was counted.

    Raises:
        InputError: unusable model, task or input; nothing is written then.
    """
    clock = StageClock()
    if config.too_long not in POLICIES:
        raise InputError(f"too_long: found {config.too_long!r}; allowed: {', '.join(POLICIES)}.")
    with staged_file(config.output, config.overwrite, [config.input, config.model]) as part:
        loaded = load(config.model)
        spec = find_task(loaded, config.task)
        require_one_sequence(spec)
        announce(loaded, spec, config)
        counts: Counter[str] = Counter()
        cut = 0
        with part.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(["id", "label", "probability", *(f"p({a})" for a in answers(spec)), "bases", "note"])
            bar = tqdm(desc=f"predict {spec.id}", unit="seq", disable=None)
            for rows in predict_chunks(loaded, spec, config):
                writer.writerows(row for _, row in rows)
                counts.update(row[1] for _, row in rows)
                cut += sum(len(query.sequence) < query.n_bases for query, _ in rows)
                bar.update(len(rows))
            bar.close()
    total, seconds = counts.total(), clock.seconds
    labels = ", ".join(f"{counts[answer]:,} {answer}" for answer in answers(spec))
    print(
        f"answered {total:,} sequences ({labels}; {cut:,} cut to a window) in {seconds:,.1f} s "
        f"({total / max(seconds, 0.01):,.0f} sequences/s) into {config.output}. Not a clinical or diagnostic tool."
    )
    return {"rows": total, "labels": dict(counts), "cut_to_window": cut, "seconds": seconds, "task": spec.id}


def require_one_sequence(spec: TaskSpec) -> None:
    """Raise `InputError` for a task whose question needs more than one sequence, or has no fixed answers."""
    answers(spec)
    if not asks_one_sequence(spec):
        raise InputError(
            f"task {spec.id} is of kind {spec.kind} and asks about {' and '.join(spec.sequence_columns)}, but predict "
            "reads one sequence a row. Build instructions from the pairs and run `dnahlm evaluate` on them."
        )


def announce(loaded: Loaded, spec: TaskSpec, config: PredictConfig) -> None:
    """Print what decides the meaning of the numbers: tuned or not, calibrated or not, one strand or two."""
    if spec.id not in loaded.tasks:
        print(f"model was not tuned on task {spec.id}: these answers are zero-shot")
    fitted = loaded.calibration.get(spec.id)
    scale = f"calibrated (temperature {fitted.temperature:.2f})" if fitted else "not calibrated"
    strands = "mean of both strands" if spec.strand_symmetric else "strand as given"
    print(
        f"task {spec.id}: answers {', '.join(answers(spec))}; probabilities: {scale}, {strands}; model {config.model}"
    )


def predict_chunks(loaded: Loaded, spec: TaskSpec, config: PredictConfig) -> Iterator[list[tuple[Query, list[str]]]]:
    """Yield up to `CHUNK` queries at a time, in file order, each with its row of the output file."""
    read = read_queries(config.input, config.sequence_column, config.id_column)
    queries = (fit_query(loaded, spec, query, config.too_long) for query in read)
    while chunk := list(itertools.islice(queries, CHUNK)):
        shares = classify(loaded, spec, [query.sequence for query in chunk])
        rows = []
        for query, p in zip(chunk, shares, strict=True):
            best = int(p.argmax())
            notes = "; ".join([*query.notes, *length_note(loaded, spec, query)])
            row = [query.id, answers(spec)[best], f"{p[best]:.6f}", *(f"{x:.6f}" for x in p), query.n_bases, notes]
            rows.append((query, row))
        yield rows

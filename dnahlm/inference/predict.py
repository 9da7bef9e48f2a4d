"""`dnahlm predict`: sequences of a file in, one CSV row of answers and probabilities per sequence out, in order.

Rows are read, answered and written in chunks, so that memory does not grow with the file; a stopped run goes on with
`--resume`, and `accelerate launch -m dnahlm predict ...` shares each chunk among processes.
"""

import csv
import dataclasses
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dnahlm.inference.answerers import ABSTAIN, Answerer, Scored, ScoredSets, Written
from dnahlm.inference.classify import find_task
from dnahlm.inference.ensemble import check_ensemble, default_ensemble
from dnahlm.inference.fingerprint import origin_of
from dnahlm.inference.fitting import Fitter, length_note
from dnahlm.inference.label_sets import scorable
from dnahlm.inference.load import Loaded, load
from dnahlm.inference.parallel import is_main, progress_bar
from dnahlm.inference.partial import check_output, partial_table
from dnahlm.inference.predict_words import announce, summary
from dnahlm.inference.queries import Query, read_queries
from dnahlm.io import InputError
from dnahlm.manifest import StageClock
from dnahlm.tasks.spec import TaskSpec, has_fixed_answers

CHUNK = 1024  # records in memory at once
POLICIES = ("error", "center")
# What may differ between a run and the one that resumes it.
NOT_IN_ROWS = ("model", "task", "input", "output", "overwrite", "resume", "batch_tokens")


@dataclass
class PredictConfig:
    """Answer one task's question for every sequence of a file."""

    model: str = field(metadata={"help": "tuned checkpoint folder"})
    task: str = field(
        metadata={"help": "a task the model was tuned on, another shipped task, or a task YAML (zero-shot)"}
    )
    input: str = field(metadata={"help": "FASTA, FASTQ, GenBank, CSV or TSV file, also .gz; pairs: CSV or TSV"})
    output: str = field(
        metadata={"help": "CSV file to write: id, label, probability, one column per answer, bases, note"}
    )
    sequence_column: str | None = field(
        default=None, metadata={"help": "CSV/TSV: column that holds the DNA (`sequence`); pairs: those of the task"}
    )
    id_column: str | None = field(
        default=None, metadata={"help": "CSV/TSV: column that names the row; without it rows are numbered from 1"}
    )
    too_long: str = field(
        default="error",
        metadata={
            "help": "sequence longer than the model can see: error, or center = use the middle bases and note it"
        },
    )
    ensemble: list[str] | None = field(
        default=None,
        metadata={"help": "ways of asking to average: strands, phrasings, segmentations (BPE-dropout), or none; "
                  "default: strands where the task has no direction"},
    )  # fmt: skip
    min_confidence: float = field(
        default=0.0, metadata={"help": f"a best answer less probable than this becomes the label `{ABSTAIN}`"}
    )
    precision: str = field(default="fp32", metadata={"help": "fp32, or bf16: faster, answers nearly always the same"})
    batch_tokens: int | None = field(
        default=None, metadata={"help": "tokens computed at once; default: 1,024 on a CPU, 16,384 on a GPU"}
    )
    resume: bool = field(default=False, metadata={"help": "go on behind the rows of a run that was stopped"})
    overwrite: bool = field(default=False, metadata={"help": "replace an existing output"})


def run(config: PredictConfig) -> dict[str, Any]:
    """Write `config.output` and return what was counted.

    Raises:
        InputError: unusable model, task or input; nothing is written then.
    """
    clock = StageClock()
    check_config(config)
    output = check_output(config.output, config.overwrite, config.resume, [config.input, config.model])
    loaded = load(config.model, config.precision)
    spec = find_task(loaded, config.task)
    ensemble = ensemble_of(spec, config.ensemble)
    fitter = Fitter.of(loaded, spec, config.too_long)
    total = sum(1 for _ in queries_of(fitter, config))  # what cannot be answered is told before anything is written
    answerer = answerer_of(loaded, spec, ensemble, config)
    if is_main():
        announce(loaded, spec, ensemble, config)
    made_from = origin_of(loaded, spec, config.input, options_of(config, ensemble))
    with partial_table(output, made_from, config.resume) as table:
        counts = Counter(table.state)
        begun = table.rows
        if not table.rows:
            table.append(csv_text([["id", *answerer.columns, "bases", "note"]]), 0, {})
        queries = itertools.islice(queries_of(fitter, config), begun, None)
        with progress_bar(total, f"predict {spec.id}") as bar:
            bar.update(begun)
            while chunk := list(itertools.islice(queries, CHUNK)):
                rows = answer_chunk(loaded, spec, answerer, chunk)
                counts.update(row[1 + answerer.counted] for row in rows)
                counts["cut to a window"] += sum(query.used_bases < query.n_bases for query in chunk)
                table.append(csv_text(rows), len(rows), dict(counts))
                bar.update(len(rows))
    cut = counts.pop("cut to a window", 0)
    if is_main():
        print(summary(spec, counts, cut, begun, clock.seconds, config))
    return {"rows": total, "labels": dict(counts), "cut_to_window": cut, "seconds": clock.seconds, "task": spec.id}


def check_config(config: PredictConfig) -> None:
    """Raise `InputError` for a value out of range."""
    if config.too_long not in POLICIES:
        raise InputError(f"too_long: found {config.too_long!r}; allowed: {', '.join(POLICIES)}.")
    if not 0 <= config.min_confidence <= 1:
        raise InputError(f"min_confidence: found {config.min_confidence:g}; it is a probability, 0 to 1.")
    if config.batch_tokens is not None and config.batch_tokens < 1:
        raise InputError(f"batch_tokens: found {config.batch_tokens}; at least 1 token is needed.")


def ensemble_of(spec: TaskSpec, asked: list[str] | None) -> tuple[str, ...]:
    """The ways of asking, settled.

    Raises:
        InputError: one the task does not have; any for a task whose answers are written and not scored.
    """
    if not has_fixed_answers(spec):
        if asked not in (None, ["none"]):
            raise InputError(
                f"ensemble: task {spec.id} is of kind {spec.kind}; only answers of a list can be averaged."
            )
        return ()
    if asked is None:
        return default_ensemble(spec)
    ensemble = () if asked == ["none"] else tuple(dict.fromkeys(asked))
    check_ensemble(spec, ensemble)
    return ensemble


def queries_of(fitter: Fitter, config: PredictConfig) -> Iterator[Query]:
    """Every question of the input, fitted to the model, in the order of the file."""
    for query in read_queries(config.input, fitter.spec, config.sequence_column, config.id_column):
        yield fitter.fit(query)


def answerer_of(loaded: Loaded, spec: TaskSpec, ensemble: Sequence[str], config: PredictConfig) -> Answerer:
    """By score where the answers are a list or sets of a few labels, else by writing.

    Raises:
        InputError: a confidence is asked of answers that have none, or a task has an answer named `abstain`.
    """
    if config.min_confidence and ABSTAIN in scorable(spec):
        raise InputError(f"min_confidence: {ABSTAIN!r} is an answer of task {spec.id} and could not be told apart.")
    if has_fixed_answers(spec):
        return Scored(loaded, spec, ensemble, config.min_confidence, config.batch_tokens)
    if scorable(spec):
        return ScoredSets(loaded, spec, config.min_confidence, config.batch_tokens)
    if config.min_confidence:
        raise InputError(
            f"min_confidence: task {spec.id} is of kind {spec.kind}, whose answers are written and have no probability."
        )
    return Written(loaded, spec)


def answer_chunk(loaded: Loaded, spec: TaskSpec, answerer: Answerer, chunk: list[Query]) -> list[list[str]]:
    """The rows of the table, one per question; behind the id are the answerer's cells."""
    rows = []
    for query, (cells, said) in zip(chunk, answerer.answer(chunk), strict=True):
        notes = "; ".join([*query.notes, *length_note(loaded, spec, query), *said])
        rows.append([query.id, *cells, str(query.n_bases), notes])
    return rows


def csv_text(rows: list[list[str]]) -> str:
    """Rows as lines of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def options_of(config: PredictConfig, ensemble: Sequence[str]) -> dict[str, Any]:
    """The options that change a row."""
    chosen = {name: value for name, value in dataclasses.asdict(config).items() if name not in NOT_IN_ROWS}
    return {**chosen, "ensemble": list(ensemble), "chunk": CHUNK}

"""A task whose answers are no fixed list, and one model: every way of asking is answered by writing.

Sets of a few labels are scored as well, see `dnahlm.inference.label_sets`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnahlm.evaluation.asking import scores_of, substring_accuracy, tokens_over, write_freely
from dnahlm.evaluation.bootstrap import Answered
from dnahlm.evaluation.candidate import Candidate
from dnahlm.evaluation.metrics import agreement, invalid_share
from dnahlm.evaluation.open_answers import measure_open, open_intervals
from dnahlm.evaluation.provenance import Seen
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.suite import Suite
from dnahlm.evaluation.ways import Way, other_ways
from dnahlm.inference.generator import Generated
from dnahlm.inference.label_sets import set_shares, set_texts
from dnahlm.io import InputError
from dnahlm.tasks.spec import TaskSpec
from dnahlm.tasks.written import read_answer

LONGEST = 200  # different answers looked at to find the longest


def evaluate_open_task(
    candidate: Candidate, suite: Suite, rows: TaskRows, baselines: dict[str, Answered], seen: Seen, seed: int
) -> tuple[dict[str, Any], dict[str, Answered], list[Generated] | None]:
    """As `task.evaluate_task`, by generation: the plain way is `generated`.

    Raises:
        InputError: a classification head, which cannot write.
    """
    spec, references = rows.spec, [record["output"] for record in rows.asked]
    if candidate.head:
        raise InputError(
            f"{candidate.loaded.path}: a classification head cannot answer task {spec.id} of kind {spec.kind}."
        )
    known = sorted(set(references), key=len)[-LONGEST:]
    ways, texts, notes, facts = {}, None, [], {}
    for way in (Way("generated", rows.asked, []), *other_ways(rows, suite, sorted(seen.words), seed, False)):
        if way.name == "other_strand":
            continue
        if way.records and way.name.startswith("few_shot") and (over := tokens_over(candidate, way, known)):
            way.records, way.problem = [], f"the longest prompt is {over} tokens over the model's context"
        if not way.records:
            notes.append(f"{way.name} not asked: {way.problem}")
            continue
        written = write_freely(candidate, spec, way, known)
        ways[way.name] = Answered([read_text(spec, t) for t in written])
        if way.name == "generated":
            texts = written
            facts |= {
                "invalid_share": invalid_share(ways["generated"].predicted),
                "substring_accuracy": substring_accuracy(written, references),
            }
        elif way.name == "held_out":
            facts["phrasing_agreement"] = agreement(ways["generated"].predicted, ways["held_out"].predicted)
    if (texts_of_sets := set_texts(spec)) and ways:
        scores = scores_of(candidate, rows.asked, texts_of_sets, f"{spec.id}, scored")
        shares, of_labels = set_shares(spec, scores)
        said = [texts_of_sets[k] for k in shares.argmax(axis=1)]
        ways["scored_sets"] = Answered(said, of_labels.astype(np.float32))
    ways |= baselines
    entry = {"calibration": {}, **measure_open_ways(ways, rows, suite.n_bootstrap, seed), "confusion": {}}
    return {**entry, **facts, "notes": notes}, ways, texts


def read_text(spec: TaskSpec, text: Generated) -> str | None:
    """A written text that is an answer of the kind and stops; else None."""
    return text.text if text.stopped and read_answer(spec, text.text) is not None else None


def measure_open_ways(ways: dict[str, Answered], rows: TaskRows, n_bootstrap: int, seed: int) -> dict[str, Any]:
    """Figures and intervals of every way, on all rows and on those that are free of leaks (see `task.measure_ways`)."""

    def part(kept: Sequence[int]) -> dict[str, Any]:
        right = [read_answer(rows.spec, rows.asked[i]["output"]) for i in kept]
        said = {
            name: [None if w.predicted[i] is None else read_answer(rows.spec, w.predicted[i]) for i in kept]
            for name, w in ways.items()
        }
        chances = {name: None if ways[name].chances is None else ways[name].chances[list(kept)] for name in ways}
        return {
            "metrics": {name: measure_open(rows.spec, p, right, chances[name]) for name, p in said.items()},
            "intervals": {
                name: open_intervals(rows.spec, p, right, n_bootstrap, seed, chances[name]) for name, p in said.items()
            },
        }

    flags = rows.clean
    whole = part(range(len(flags)))
    if None in flags:
        return {**whole, "clean": None}
    kept = np.flatnonzero(flags).tolist()
    if not kept:
        return {**whole, "clean": {"n": 0, "metrics": {}, "intervals": {}}}
    return {**whole, "clean": {"n": len(kept), **(whole if all(flags) else part(kept))}}

"""One task and one model: every way of asking, the baselines beside it, and the entry of report.json."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnahlm.evaluation.asking import (
    ask,
    calibration_facts,
    decide,
    read_strictly,
    substring_accuracy,
    tokens_over,
    write_freely,
)
from dnahlm.evaluation.bootstrap import Answered, intervals
from dnahlm.evaluation.candidate import Candidate
from dnahlm.evaluation.metrics import agreement, confusion, invalid_share, measure
from dnahlm.evaluation.open_task import evaluate_open_task
from dnahlm.evaluation.provenance import Seen
from dnahlm.evaluation.rows import TaskRows
from dnahlm.evaluation.suite import Suite
from dnahlm.evaluation.ways import Way, other_ways
from dnahlm.inference.generator import Generated

AGREEMENTS = {"held_out": "phrasing_agreement", "option_order": "option_order_agreement"}


@dataclass
class Asked:
    """What a model answered on one task, way by way."""

    ways: dict[str, Answered] = field(default_factory=dict)
    texts: list[Generated] | None = None  # written by the model
    notes: list[str] = field(default_factory=list)  # ways that could not be asked, and why
    facts: dict[str, Any] = field(default_factory=dict)  # shares that are no metric of one way


def evaluate_task(
    candidate: Candidate, suite: Suite, rows: TaskRows, baselines: dict[str, Answered], seen: Seen, seed: int
) -> tuple[dict[str, Any], dict[str, Answered], list[Generated] | None]:
    """Ask one task's N rows in every way the suite wants.

    Returns:
        what report.json says of it, except for the task's description; the predictions, way by way; the texts written.
    """
    if not rows.options:
        return evaluate_open_task(candidate, suite, rows, baselines, seen, seed)
    references = [record["output"] for record in rows.asked]
    found = ask_all(candidate, suite, rows, seen, seed)
    ways = found.ways | baselines
    entry: dict[str, Any] = {
        "calibration": calibration_facts(candidate.loaded, rows.spec),
        **measure_ways(ways, rows, suite.n_bootstrap, seed),
        "confusion": {
            name: confusion(ways[name].predicted, references, rows.options)
            for name in ("scored", "generated") if name in ways
        },
        **found.facts,
        "notes": found.notes,
    }  # fmt: skip
    return entry, ways, found.texts


def ask_all(candidate: Candidate, suite: Suite, rows: TaskRows, seen: Seen, seed: int) -> Asked:
    """Put the plain question, then all others."""
    found, options = Asked(), rows.options
    plain = Way("scored", rows.asked, options)
    scored = found.ways["scored"] = ask(candidate, rows.spec, plain, options)
    if suite.generate and not candidate.head:
        write(candidate, plain, rows, found)
    for way in other_ways(rows, suite, sorted(seen.words), seed, bool(candidate.head)):
        if way.records and way.name.startswith("few_shot") and (over := tokens_over(candidate, way, options)):
            way.records, way.problem = [], f"the longest prompt is {over} tokens over the model's context"
        if not way.records:
            found.notes.append(f"{way.name} not asked: {way.problem}")
            continue
        answered = ask(candidate, rows.spec, way, options)
        if way.name == "other_strand":
            found.facts["strand_agreement"] = agreement(scored.predicted, answered.predicted)
            found.ways["strands"] = decide((scored.chances + answered.chances) / 2, options)
            continue
        found.ways[way.name] = answered
        if way.name in AGREEMENTS:
            found.facts[AGREEMENTS[way.name]] = agreement(scored.predicted, answered.predicted)
    return found


def write(candidate: Candidate, plain: Way, rows: TaskRows, found: Asked) -> None:
    """Let the model write; strict answers become the way `generated`, and shares about them facts."""
    references = [record["output"] for record in rows.asked]
    found.texts = write_freely(candidate, rows.spec, plain, rows.options)
    strict = read_strictly(found.texts, rows.options)
    right = [i for i, r in enumerate(references) if found.ways["scored"].predicted[i] == r]
    exact = sum(strict[i] == references[i] for i in right)
    found.ways["generated"] = Answered(strict)
    found.facts |= {
        "invalid_share": invalid_share(strict),
        "n_scored_right": len(right),
        "exact_match_given_scored_right": exact / len(right) if right else None,
        "substring_accuracy": substring_accuracy(found.texts, references),
    }


def measure_ways(ways: dict[str, Answered], rows: TaskRows, n_bootstrap: int, seed: int) -> dict[str, Any]:
    """Figures and intervals of every way, on all rows and on those that are free of leaks.

    Returns:
        `metrics`, `intervals`, and `clean` (n, metrics, intervals), which is None where the instructions have no flag;
        without any clean row its figures are empty.
    """
    references, flags = [record["output"] for record in rows.asked], rows.clean
    whole = {
        "metrics": {name: measure(w.predicted, references, rows.options, w.chances) for name, w in ways.items()},
        "intervals": intervals(ways, references, rows.options, n_bootstrap, seed),
    }
    if None in flags:
        return {**whole, "clean": None}
    if all(flags):
        return {**whole, "clean": {"n": len(flags), **whole}}
    kept = np.flatnonzero(flags)
    if not len(kept):
        return {**whole, "clean": {"n": 0, "metrics": {}, "intervals": {}}}
    right = [references[i] for i in kept]
    parts = {
        name: Answered([w.predicted[i] for i in kept], None if w.chances is None else w.chances[kept])
        for name, w in ways.items()
    }
    return {
        **whole,
        "clean": {
            "n": len(kept),
            "metrics": {name: measure(w.predicted, right, rows.options, w.chances) for name, w in parts.items()},
            "intervals": intervals(parts, right, rows.options, n_bootstrap, seed),
        },
    }

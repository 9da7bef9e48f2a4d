"""What is said of one task and model: its rows in words, its figures, its confusion, and what should be noticed."""

import math
from typing import Any

from dnahlm.evaluation.report.predictions import Rows
from dnahlm.evaluation.report.stats import Difference, mcc_difference
from dnahlm.evaluation.report.tables import (
    BASELINES,
    METRIC_NAMES,
    NONE,
    best_baseline,
    cell,
    headline,
    in_order,
    interval,
    main_way,
    metric,
    number,
    percent,
    way_name,
)

MANY_ANSWERS = 12  # a confusion table of more would be wider than a page
FEW_ROWS = 100


def figures_table(task: dict[str, Any]) -> list[list[str]]:
    """Header and one row per measured way: its name, then every metric, the headline first."""
    measured = dict.fromkeys(name for values in task["metrics"].values() for name in values)
    names = dict.fromkeys([headline(task), *(n for n in task["headline_metrics"] if n in measured), *measured])
    rows = [["", *(METRIC_NAMES.get(name, name) for name in names)]]
    return [*rows, *([way_name(w), *(cell(task, w, n) for n in names)] for w in in_order(list(task["metrics"])))]


def task_facts(task: dict[str, Any]) -> dict[str, str]:
    """A task's rows in words; name -> text."""
    rows = f"{task['n']:,} of {task['n_available']:,}"
    low, high = f"{task['min_bases']:,}", f"{task['max_bases']:,}"
    found = {
        "status": task["status"],
        "kind": task.get("kind", "classification"),
        "rows": f"{rows}, {low if low == high else f'{low} to {high}'} bases",
    }
    if task.get("counts"):
        found["right answers"] = ", ".join(f"{answer} {count:,}" for answer, count in task["counts"].items())
    if len(task["answers"]) > MANY_ANSWERS:
        found["confusion"] = f"not shown: {len(task['answers'])} answers; it is in report.json"
    if task.get("clean"):
        found["leak-free rows"] = f"{task['clean']['n']:,}"
    found["baseline train rows"] = f"{task.get('n_baseline_train') or 0:,}"
    for name, value in (task.get("calibration") or {}).items():
        if name == "bias" and len(value) == len(task["answers"]):
            value = dict(zip(task["answers"], value, strict=True))
        found[f"calibration: {name.replace('_', ' ')}"] = in_words(value)
    if task.get("n_scored_right") is not None:
        exact = f"{percent(task.get('exact_match_given_scored_right'))} (n = {task['n_scored_right']:,})"
        found["generated exactly, where scored right"] = exact
    return found


def in_words(value: Any) -> str:
    """A calibration setting as text.

    >>> in_words(1.23456), in_words([0.1, 0.2]), in_words(None), in_words({"a": 1.0})
    ('1.235', '0.100, 0.200', '-', 'a 1.000')
    """
    if isinstance(value, dict):
        return ", ".join(f"{key} {in_words(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value))
    return NONE if value is None else number(value) if isinstance(value, float) else str(value)


def confusion_table(task: dict[str, Any], way: str) -> list[list[str]]:
    """Header and one row per right answer; only generated answers can be invalid."""
    counts = task["confusion"][way]
    shown = [*task["answers"], *(["invalid"] if any(len(r) > len(task["answers"]) and r[-1] for r in counts) else [])]
    rows = zip(task["answers"], counts, strict=True)
    return [
        [f"right answer \\ {way_name(way)}", *shown],
        *([answer, *(f"{count:,}" for count in row[: len(shown)])] for answer, row in rows),
    ]


def confusions(task: dict[str, Any]) -> list[str]:
    """The ways whose confusion is shown: the scored and the generated answers, if they are few enough for a table."""
    shown = [way for way in ("scored", "generated") if way in (task.get("confusion") or {})]
    return shown if len(task["answers"]) <= MANY_ANSWERS else []


def against_baseline(task: dict[str, Any], rows: Rows | None) -> Difference | None:
    """MCC of the model minus that of its best baseline on the same rows; None where a side is not there."""
    way, rival = main_way(task), best_baseline(task)
    if rows is None or rival not in rows.predicted or headline(task) != "mcc":
        return None
    return mcc_difference(rows.right, rows.predicted[rival], rows.predicted[way], n_bootstrap=1000)


def remarks(task: dict[str, Any], gap: Difference | None = None) -> list[str]:
    """What should be seen at a glance: every sentence is a reason to believe a figure, or not to."""
    return [*on_answers(task), *on_baseline(task, gap), *on_controls(task), *on_rows(task)]


def on_answers(task: dict[str, Any]) -> list[str]:
    """One answer for everything, chance, text that does not stop."""
    way, name, found = main_way(task), headline(task), []
    counts = (task.get("confusion") or {}).get("scored")
    given = [sum(column) for column in zip(*counts, strict=True)][: len(task["answers"])] if counts else []
    if given and max(given) == task["n"]:
        found.append(f"Gives the same answer, {task['answers'][given.index(task['n'])]!r}, for every row.")
    elif name == "mcc" and lower(task, way) <= 0:
        found.append("Not better than a constant answer: the interval of its MCC holds 0.")
    if (task.get("invalid_share") or 0) > 0.05:
        found.append(f"{percent(task['invalid_share'])} of the generated texts are not exactly an answer.")
    strict, loose = metric(task, "generated", "accuracy"), task.get("substring_accuracy")
    if strict is not None and loose is not None and loose - strict > 0.02:
        found.append(f"A substring search would report {percent(loose)} right; strictly read it is {percent(strict)}.")
    return found


def on_baseline(task: dict[str, Any], gap: Difference | None) -> list[str]:
    """How it stands to the best cheap method."""
    rival = best_baseline(task)
    if rival is None:
        absent = [way_name(b) for b in BASELINES if b in task["metrics"]]
        return [] if absent else ["No baseline was measured: the figure has nothing to stand beside."]
    if gap is None:
        return []
    relation = "above" if gap.low > 0 else "below" if gap.high < 0 else "level with"
    return [
        f"MCC {number(metric(task, main_way(task), 'mcc'))}: {relation} its best baseline, {way_name(rival)} "
        f"({number(metric(task, rival, 'mcc'))}). Difference on the same rows {gap.value:+.3f} "
        f"[{gap.low:+.3f}, {gap.high:+.3f}]."
    ]


def on_controls(task: dict[str, Any]) -> list[str]:
    """Controls that do not come out as they should."""
    way, found = main_way(task), []
    ours = metric(task, way, "mcc")
    if ours is None:
        return []
    shuffled = metric(task, "shuffled", "mcc")
    if shuffled is not None and lower(task, way) > 0 and shuffled > ours / 2:
        found.append(
            f"Shuffled DNA still gives MCC {number(shuffled)} of {number(ours)}: much of it is composition, not order."
        )
    if metric(task, "no_dna", "mcc") is not None and lower(task, "no_dna") > 0:
        found.append(f"Without DNA the MCC is {number(metric(task, 'no_dna', 'mcc'))}: the wording gives answers away.")
    other = metric(task, "option_order", "mcc")
    if other is not None and other < ours - 2 / math.sqrt(task["n"]):
        found.append(f"With the answers listed in another order the MCC falls to {number(other)}.")
    ece = metric(task, way, "ece")
    if ece is not None and ece > 0.1:
        found.append(f"Its probabilities are off by {percent(ece)} on average (ECE): do not read them as chances.")
    return found


def on_rows(task: dict[str, Any]) -> list[str]:
    """Rows that say little, or were given away."""
    found, way, name = [], main_way(task), headline(task)
    if task["n"] < FEW_ROWS:
        found.append(f"Only {task['n']:,} rows: the intervals are wide.")
    absent = [answer for answer, count in (task.get("counts") or {}).items() if not count]
    if absent:
        found.append(f"No row's answer is {', '.join(absent)}: there is no AUROC, and the other figures mean little.")
    if task.get("clean"):
        value, whole = task["clean"]["metrics"].get(way, {}).get(name), metric(task, way, name)
        if value is not None and whole is not None and name == "mcc" and whole - value > 0.02:
            found.append(f"On the {task['clean']['n']:,} leak-free rows the MCC is {number(value)}: quote that one.")
    return found


def lower(task: dict[str, Any], way: str) -> float:
    """The lower end of an MCC's interval; without one, two standard errors of a random answer below it."""
    ends = interval(task, way, "mcc")
    return ends[0] if ends else (metric(task, way, "mcc") or 0.0) - 2 / math.sqrt(task["n"])

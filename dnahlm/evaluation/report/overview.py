"""The tables over all tasks: summary, the four degrees of zero-shot, leak-free rows, controls, several models."""

from collections.abc import Iterable
from typing import Any

from dnahlm.evaluation.report.tables import (
    FEW_SHOT,
    METRIC_NAMES,
    NONE,
    SHORT,
    Table,
    best_baseline,
    cell,
    headline,
    in_order,
    main_way,
    metric,
    number,
    percent,
    several_models,
    way_name,
)

DEGREES = {
    "unseen_rows": "unseen rows",
    "unseen_phrasing": "unseen phrasing",
    "unseen_label_words": "unseen label words",
    "unseen_task": "unseen task",
}
MODEL_WAYS = ("scored", "strands", "generated", "held_out", "label_words")
CONTROLS = {"option_order": "other option order", "shuffled": "shuffled DNA", "no_dna": "no DNA"}


def overview(report: dict[str, Any]) -> list[Table]:
    """Every table over all tasks that has something to say."""
    tables = (summary(report), seeds(report), degrees(report), clean(report), controls(report), habits(report))
    return [table for table in tables if table]


def summary(report: dict[str, Any]) -> Table:
    """One row per task and model: the headline figure beside the best baseline, and what goes with it."""
    leaky = any(task["clean"]["n"] < task["n"] for task in report["tasks"] if task.get("clean"))
    header = ["n", "metric", "value", *(["leak-free rows"] if leaky else []), "best baseline", "which", "accuracy",
              "majority acc.", "AUROC", "ECE", "invalid"]  # fmt: skip
    rows = []
    for task in report["tasks"]:
        way, name, rival = main_way(task), headline(task), best_baseline(task)
        part = task.get("clean")
        rows.append(
            [
                f"{task['n']:,}",
                METRIC_NAMES.get(name, name),
                cell(task, way, name),
                *([f"{number(metric(part, way, name))} ({part['n']:,})" if part else NONE] if leaky else []),
                cell(task, rival, name),
                SHORT.get(rival, rival) if rival else NONE,
                number(metric(task, way, "accuracy")),
                number(metric(task, "majority", "accuracy")),
                number(metric(task, way, "auroc")),
                number(metric(task, way, "ece")),
                percent(task.get("invalid_share")),
            ]
        )
    boot = report.get("n_bootstrap")
    note = f"In brackets: 95 % intervals of {boot:,} bootstraps over the test rows. " if boot else ""
    note += "Leak-free rows: the same figure on the rows (their number) that were not given away. " if leaky else ""
    note += (
        "The best baseline is the best of those measured on the same test rows, which favours the baselines a little."
    )
    return Table("Summary", note, [[*named(report), *header], *labelled(report, rows)])


def degrees(report: dict[str, Any]) -> Table | None:
    """The four degrees of zero-shot, each its own column."""
    if not any(any((task.get("zero_shot") or {}).values()) for task in report["tasks"]):
        return None
    rows = []
    for task in report["tasks"]:
        zero_shot = task.get("zero_shot") or {}
        # A row with a near-duplicate among the train rows is not unseen, whatever its id says.
        part, ways = task.get("clean") or task, [zero_shot.get(degree) for degree in DEGREES]
        rows.append([f"{part['n']:,}", *(cell(part, way, headline(task)) for way in ways), task["status"]])
    note = (
        "From weak to strong; a figure stands only where the manifests show that the model had not seen it in tuning: "
        "the row, the words of the question, the words of the answers, the task. n: rows that were not given away, "
        "where leaks were looked for; all figures here are of these. - means seen, or not measured."
    )
    header = [*named(report), "n", *DEGREES.values(), "status"]
    return Table("Four degrees of zero-shot", note, [header, *labelled(report, rows)])


def clean(report: dict[str, Any]) -> Table | None:
    """All test rows beside those that were not given away."""
    flagged = [task for task in report["tasks"] if task.get("clean")]
    if not flagged:
        return None
    header = ["metric", "n, all", "all", "n, clean", "clean", "best baseline, clean", "given away"]
    rows = []
    for task in flagged:
        way, name, part = main_way(task), headline(task), task["clean"]
        rows.append(
            [
                METRIC_NAMES.get(name, name),
                f"{task['n']:,}",
                cell(task, way, name),
                f"{part['n']:,}",
                cell(part, way, name),
                cell(part, best_baseline(task), name),
                percent(1 - part["n"] / task["n"]),
            ]
        )
    note = (
        "Clean rows have no exact, contained or near-duplicate sequence among the train rows, on either strand, nor in "
        "the pretraining corpus where the instructions were built with it."
    )
    left = [task["task"] for task in report["tasks"] if not task.get("clean")]
    note += f" Not checked when their rows were built: {', '.join(dict.fromkeys(left))}." if left else ""
    return Table("All rows and leak-free rows", note, [[*named(report), *header], *labelled(report, rows, flagged)])


def controls(report: dict[str, Any]) -> Table | None:
    """What is left of the figure when the question loses its DNA, its order or its meaning; and with examples."""
    ways = {way for task in report["tasks"] for way in task["metrics"]}
    shown = in_order([way for way in ways if way in CONTROLS or way.startswith(FEW_SHOT) or way == "strands"])
    if not shown:
        return None
    words = {way: CONTROLS.get(way, way_name(way).removeprefix("model, ")) for way in shown}
    rows = [
        [cell(task, main_way(task), headline(task)), *(cell(task, way, headline(task)) for way in shown)]
        for task in report["tasks"]
    ]
    note = (
        "Shuffled DNA keeps every count of two neighbouring bases and loses the rest; a figure that stays was earned "
        "by composition. Without DNA nothing but chance should be left. The other order must change nothing."
    )
    return Table("Controls", note, [[*named(report), "as asked", *words.values()], *labelled(report, rows)])


def habits(report: dict[str, Any]) -> Table | None:
    """How the model answers: strictly read, read by a substring search, on the other strand, in other words."""
    keys = ("invalid_share", "exact_match_given_scored_right", "substring_accuracy", "strand_agreement",
            "phrasing_agreement", "option_order_agreement")  # fmt: skip
    if not any(task.get(key) is not None for task in report["tasks"] for key in keys):
        return None
    rows = [
        [
            number(metric(task, "generated", "accuracy")),
            number(task.get("substring_accuracy")),
            *(percent(task.get(key)) for key in keys if key != "substring_accuracy"),
        ]
        for task in report["tasks"]
    ]
    header = ["generated acc., strict", "generated acc., substring", "invalid", "exact where scored right",
              "same on other strand", "same in other phrasing", "same in other option order"]  # fmt: skip
    note = (
        "Strict: the text is exactly an answer and stops. Substring: the right answer occurs somewhere in the text, "
        "which counts 'non-promoter' as 'promoter' and rewards rambling; it is shown for what it hides, never used."
    )
    return Table("How it answers", note, [[*named(report), *header], *labelled(report, rows)])


def seeds(report: dict[str, Any]) -> Table | None:
    """Mean and standard deviation of each task's headline figure over models of one kind, such as several seeds."""
    headlines = {task["task"]: headline(task) for task in report["tasks"]}
    lines = [line for line in report.get("summary") or [] if line["metric"] == headlines[line["task"]]]
    if not lines:
        return None
    ways = [way for way in MODEL_WAYS if any(line["way"] == way for line in lines)]
    rows = [["task", "metric", "models", *(way_name(way).removeprefix("model, ") for way in ways)]]
    for task in headlines:
        own = [line for line in lines if line["task"] == task]
        # A way that only some of the models were asked in has fewer names, which belong to those of the longest list.
        for names in sorted({tuple(line["models"]) for line in own if line["way"] == own[0]["way"]}):
            found = {line["way"]: line for line in own if set(line["models"]) <= set(names)}
            cells = [f"{number(found[w]['mean'])} ± {number(found[w]['sd'])}" if w in found else NONE for w in ways]
            rows.append([task, METRIC_NAMES.get(headlines[task], headlines[task]), " ".join(names), *cells])
    note = (
        "Mean ± standard deviation (n - 1) over models of one architecture and size: what another seed would change, "
        "where they differ in nothing else. The intervals elsewhere say what other test rows would change."
    )
    return Table("Mean over models", note, rows)


def models(report: dict[str, Any]) -> Table:
    """Which checkpoint each name stands for."""
    rows = [["name", "type", "parameters", "tuned", "seed", "prompt template", "sha256", "path"]]
    for model in report["models"]:
        rows.append(
            [
                model["name"],
                model["type"],
                f"{model['parameters'] / 1e6:.2f} M" if model.get("parameters") else NONE,
                model.get("tuned") or "unknown",
                str(NONE if model.get("tuned_seed") is None else model["tuned_seed"]),
                model.get("template") or NONE,
                (model.get("sha256") or NONE)[:16],
                model["path"],
            ]
        )
    return Table("Models", "", rows)


def named(report: dict[str, Any]) -> list[str]:
    """The first header cells."""
    return ["task", "model"] if several_models(report) else ["task"]


def labelled(
    report: dict[str, Any], rows: Iterable[list[str]], tasks: list[dict[str, Any]] | None = None
) -> list[list[str]]:
    """Rows with their first cells: the task and, where there are several, the model."""
    both = several_models(report)
    kept = report["tasks"] if tasks is None else tasks
    return [[t["task"], *([t["model"]] if both else []), *row] for t, row in zip(kept, rows, strict=True)]

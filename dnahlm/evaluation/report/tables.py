"""Names, numbers and text tables that report.md, report.html, the terminal and the comparison share."""

from dataclasses import dataclass
from typing import Any

WAYS = {  # key in a task's metrics -> its name, in the order shown; few_shot_<k> stands before the controls
    "scored": "model, scored",
    "strands": "model, mean of both strands",
    "generated": "model, generated",
    "scored_sets": "model, sets of labels scored",
    "held_out": "model, unseen phrasing",
    "label_words": "model, unseen label words",
    "option_order": "control: answers listed in another order",
    "shuffled": "control: shuffled DNA",
    "no_dna": "control: no DNA",
    "majority": "majority class",
    "kmer_lr": "k-mer logistic regression",
    "markov": "Markov model per class",
    "cnn": "small CNN",
}
SHORT = {"scored": "model", "majority": "majority", "kmer_lr": "k-mer", "markov": "Markov", "cnn": "CNN"}
BASELINES = ("majority", "kmer_lr", "markov", "cnn")
FEW_SHOT = "few_shot_"
METRIC_NAMES = {
    "mcc": "MCC",
    "accuracy": "accuracy",
    "f1_macro": "macro F1",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "brier": "Brier",
    "ece": "ECE",
    "f1_micro": "micro F1",
    "exact_match": "exact match",
    "level_accuracy": "level accuracy",
    "pearson": "Pearson r",
    "spearman": "Spearman rho",
    "mae": "MAE",
    "rmse": "RMSE",
}
LOWER_IS_BETTER = ("brier", "ece", "mae", "rmse")
NONE = "-"


@dataclass
class Table:
    """A table in words: its title, what must be known to read it, and its rows, the header first."""

    title: str
    note: str
    rows: list[list[str]]


def number(value: float | None, digits: int = 3) -> str:
    """A figure as text; `-` where there is none.

    >>> number(0.5), number(None)
    ('0.500', '-')
    """
    return NONE if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share as text.

    >>> percent(0.034), percent(None)
    ('3.4%', '-')
    """
    return NONE if value is None else f"{value:.1%}"


def p_value(p: float) -> str:
    """A p-value as text.

    >>> p_value(0.04), p_value(1e-9)
    ('0.040', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def with_interval(value: float | None, interval: list[float] | None) -> str:
    """A figure and its interval.

    >>> with_interval(0.5, [0.41, 0.588]), with_interval(0.5, None), with_interval(None, None)
    ('0.500 [0.410, 0.588]', '0.500', '-')
    """
    if value is None or not interval or None in interval:
        return number(value)
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


def metric(task: dict[str, Any], way: str | None, name: str) -> float | None:
    """One figure of a task, None where it was not measured."""
    return task["metrics"].get(way, {}).get(name)


def interval(task: dict[str, Any], way: str | None, name: str) -> list[float] | None:
    """The interval of one figure, None where there is none."""
    return task.get("intervals", {}).get(way, {}).get(name)


def cell(task: dict[str, Any], way: str | None, name: str) -> str:
    """One figure of a task as text, with its interval."""
    return with_interval(metric(task, way, name), interval(task, way, name))


def way_name(way: str) -> str:
    """A way of asking, in words.

    >>> way_name("few_shot_4"), way_name("kmer_lr"), way_name("lookup")
    ('model, 4 examples in the prompt', 'k-mer logistic regression', 'lookup')
    """
    if way.startswith(FEW_SHOT):
        k = way.removeprefix(FEW_SHOT)
        return f"model, {k} example{'' if k == '1' else 's'} in the prompt"
    return WAYS.get(way, way)


def in_order(ways: list[str]) -> list[str]:
    """Ways in the order they are shown: the model's, the controls, the baselines, then those without a name here.

    >>> in_order(["cnn", "lookup", "few_shot_4", "no_dna", "scored"])
    ['scored', 'few_shot_4', 'no_dna', 'cnn', 'lookup']
    """
    known = list(WAYS)

    def place(way: str) -> tuple[float, str]:
        if way.startswith(FEW_SHOT):
            return known.index("label_words") + 0.5, way.removeprefix(FEW_SHOT).zfill(4)
        return (known.index(way), "") if way in WAYS else (len(known), way)

    return sorted(ways, key=place)


def headline(task: dict[str, Any]) -> str:
    """The metric a task is judged by: the first that its task file names and that was measured."""
    measured = task["metrics"].get(main_way(task), {})
    return next((m for m in task["headline_metrics"] if m in measured), "accuracy")


def main_way(task: dict[str, Any]) -> str:
    """The way a task is judged by: scored, or generated for kinds whose answers cannot be scored."""
    return "scored" if "scored" in task["metrics"] else "generated"


def best_baseline(task: dict[str, Any]) -> str | None:
    """The baseline with the best headline figure, None without baselines."""
    name = headline(task)
    found = {way: metric(task, way, name) for way in BASELINES if metric(task, way, name) is not None}
    sign = -1 if name in LOWER_IS_BETTER else 1
    return max(found, key=lambda way: sign * found[way], default=None)


def several_models(report: dict[str, Any]) -> bool:
    """Whether rows of a table must say which model they are of."""
    return len(report["models"]) > 1


def by_task(report: dict[str, Any]) -> dict[str, Any]:
    """The report with the models of a task next to each other, tasks in the order of their first appearance."""
    order = list(dict.fromkeys(task["task"] for task in report["tasks"]))
    return {**report, "tasks": sorted(report["tasks"], key=lambda task: order.index(task["task"]))}


def simulated_tasks(report: dict[str, Any]) -> list[str]:
    """Ids of the tasks whose rows a program made up, each once."""
    return list(dict.fromkeys(task["task"] for task in report["tasks"] if task["simulated"]))

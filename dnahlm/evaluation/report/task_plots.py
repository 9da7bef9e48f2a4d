"""Three figures of one task and model: reliability, ROC, accuracy by length in bases."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dnahlm.evaluation.report.loss_plot import DASHES, MARGINS
from dnahlm.evaluation.report.predictions import Rows
from dnahlm.evaluation.report.stats import Bin, confidence_bins, length_bins
from dnahlm.evaluation.report.tables import SHORT
from dnahlm.evaluation.report.worst_rows import confidence
from dnahlm.pages import COLOURS, SOFT, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE = ("cnn", "kmer_lr")  # the baseline drawn beside the model: the first one measured
CURVES = 6  # classes with a ROC curve of their own; more could not be told apart
MANY = 200  # points of a curve drawn at most


def task_figures(rows: Rows, way: str) -> list[tuple[str, str, str]]:
    """(title, note, svg) of the figures that exist for these rows."""
    figures = []
    if way in rows.chances:
        figures.append(("Reliability", *reliability(rows, way)))
        if curves := roc_curves(rows, way):
            figures.append(("ROC", *roc(rows, curves)))
    if way in rows.predicted:
        bins = length_bins(rows.bases, rows.hits(way))
        if len(bins) > 1:
            figures.append(("Accuracy by length", *lengths(rows, bins)))
    return figures


def figure(plot: Callable[["Axes"], None], title: str) -> str:
    """One of the figures, all of one size and with a grid."""

    def draw(axes: "Axes") -> None:
        plot(axes)
        axes.grid()

    return svg(draw, 3.6, 2.7, title=title, margins=MARGINS)


def points(axes: "Axes", bins: list[Bin], x: list[float]) -> None:
    """Shares of right rows with their intervals."""
    low, high = zip(*(b.interval for b in bins), strict=True)
    axes.vlines(x, low, high, color=COLOURS[0], linewidth=1.6)
    axes.plot(x, [b.share for b in bins], "o", color=COLOURS[0], markersize=5)


def reliability(rows: Rows, way: str) -> tuple[str, str]:
    """Share of right rows over the probability of the answer given; on the diagonal the probabilities are true."""
    sure, hits = confidence(rows, way), rows.hits(way)
    bins = confidence_bins(sure, hits)

    def plot(axes: "Axes") -> None:
        axes.bar([b.low for b in bins], [0.25 * b.n / len(sure) for b in bins], width=[b.high - b.low for b in bins],
                 align="edge", color=SOFT, alpha=0.25, linewidth=0)  # fmt: skip
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=DASHES[2])
        points(axes, bins, [b.x for b in bins])
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="probability of the answer given", ylabel="share right")

    note = (
        "Dots: rows by probability, with 95 % intervals. Dotted: where probabilities are true. "
        "Bars: share of the rows, a quarter as high."
    )
    return note, figure(plot, f"reliability diagram of {rows.task}, {rows.model}")


def roc_curves(rows: Rows, way: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, false positive rate, true positive rate) of each class, and of the baseline beside two classes."""
    from sklearn.metrics import roc_curve

    positive = [1] if len(rows.answers) == 2 else range(min(len(rows.answers), CURVES))
    wanted = [(rows.answers[k], way, k) for k in positive]
    beside = next((name for name in BESIDE if name in rows.chances), None)
    if len(rows.answers) == 2 and beside:
        wanted = [("model", way, 1), (SHORT[beside], beside, 1)]
    curves = []
    for name, source, k in wanted:
        truth = rows.right == k
        if truth.any() and not truth.all():
            fall_out, recall, _ = roc_curve(truth, rows.chances[source][:, k])
            curves.append((name, thinned(fall_out), thinned(recall)))
    return curves


def thinned(values: np.ndarray) -> np.ndarray:
    """At most `MANY` values, the first and the last among them."""
    return values[np.unique(np.linspace(0, len(values) - 1, MANY).round().astype(int))]


def roc(rows: Rows, curves: list[tuple[str, np.ndarray, np.ndarray]]) -> tuple[str, str]:
    """True positives found over false ones taken along."""

    def plot(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=DASHES[2])
        for (name, fall_out, recall), colour, dash in zip(curves, COLOURS, DASHES, strict=False):
            axes.plot(fall_out, recall, color=colour, linestyle=dash, linewidth=1.7, label=name)
        axes.legend(loc="lower right")
        axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), xlabel="false positive rate", ylabel="true positive rate")

    if len(rows.answers) == 2:
        note = f"For the answer {rows.answers[1]!r}. Dotted: chance."
    else:
        left = len(rows.answers) - CURVES
        note = "Each answer against the rest. Dotted: chance." + (
            f" {left} more answers not drawn." if left > 0 else ""
        )
    return note, figure(plot, f"ROC curve of {rows.task}, {rows.model}")


def lengths(rows: Rows, bins: list[Bin]) -> tuple[str, str]:
    """Share of right rows by length."""
    majority = np.bincount(rows.right).max() / len(rows.right)

    def plot(axes: "Axes") -> None:
        x = list(range(len(bins)))
        points(axes, bins, x)
        axes.axhline(majority, color=SOFT, linewidth=1, linestyle=DASHES[2])
        axes.set_xticks(x, [f"{span(b)}\nn={b.n:,}" for b in bins], fontsize=7.5)
        axes.set(xlim=(-0.5, len(bins) - 0.5), ylim=(0, 1.02), ylabel="share right")

    note = (
        "Rows by length in bases, about as many in each group, with 95 % intervals. "
        "Dotted: share of the commonest right answer."
    )
    return note, figure(plot, f"accuracy of {rows.task} by length in bases, {rows.model}")


def span(group: Bin) -> str:
    r"""The lengths of a group, on two lines.

    >>> span(Bin(40, 40, 40.0, 3, 1)), span(Bin(40, 1200, 300.0, 3, 1))
    ('40\n', '40-\n1,200')
    """
    low, high = f"{group.low:,.0f}", f"{group.high:,.0f}"
    return f"{low}\n" if low == high else f"{low}-\n{high}"

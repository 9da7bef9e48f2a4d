"""What the report says of a figure: remarks, rows to look at, figures."""

import copy
import re

import numpy as np
import pytest
from report_folder import THREE, TWO, write_evaluation

from dnahlm.evaluation.report.forest import forest
from dnahlm.evaluation.report.loss_plot import loss_figure
from dnahlm.evaluation.report.predictions import read_predictions
from dnahlm.evaluation.report.task_plots import roc_curves, task_figures
from dnahlm.evaluation.report.task_tables import against_baseline, remarks
from dnahlm.evaluation.report.worst_rows import worst_calibrated


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Entry and rows of three tasks: good, without signal, of many lengths."""
    folder = tmp_path_factory.mktemp("eval")
    report = write_evaluation(
        folder, good={"n": 300, "signal": 3.0}, blind={"n": 300, "signal": 0.0},
        splice={"n": 300, "answers": THREE, "bases": (40, 900)},
    )  # fmt: skip
    return {task["task"]: (task, read_predictions(folder, task)) for task in report["tasks"]}, report


def said(task, rows=None):
    return " ".join(remarks(task, against_baseline(task, rows)))


def test_one_answer_for_every_row_is_said(tasks):
    task = copy.deepcopy(tasks[0]["good"][0])
    task["confusion"]["scored"] = [[0, 150, 0], [0, 150, 0]]
    assert "same answer, 'promoter', for every row" in said(task)


def test_chance_is_said_from_the_interval(tasks):
    assert "Not better than a constant answer" in said(*tasks[0]["blind"])
    assert "Not better than a constant answer" not in said(*tasks[0]["good"])


def test_the_best_baseline_is_compared_on_the_same_rows(tasks):
    assert re.search(r"above its best baseline, small CNN .* same rows \+0\.\d+ \[\+0", said(*tasks[0]["good"]))
    assert re.search(r"below its best baseline, small CNN .* same rows -0\.\d+ \[-0", said(*tasks[0]["blind"]))


def test_rambling_and_what_a_substring_search_hides_are_said(tasks):
    task = {**copy.deepcopy(tasks[0]["good"][0]), "invalid_share": 0.12, "substring_accuracy": 0.99}
    task["metrics"]["generated"]["accuracy"] = 0.8
    assert "12.0% of the generated texts are not exactly an answer." in said(task)
    assert "substring search would report 99.0% right; strictly read it is 80.0%" in said(task)


@pytest.mark.parametrize(
    ("way", "value", "ends", "words"),
    [
        ("shuffled", 0.8, [0.7, 0.9], "much of it is composition"),
        ("no_dna", 0.3, [0.2, 0.4], "the wording gives answers away"),
        ("option_order", 0.4, [0.3, 0.5], "With the answers listed in another order the MCC falls to 0.400"),
    ],
)
def test_a_control_that_fails_is_said(tasks, way, value, ends, words):
    task = copy.deepcopy(tasks[0]["good"][0])
    assert words not in said(task)
    task["metrics"][way]["mcc"], task["intervals"][way]["mcc"] = value, ends
    assert words in said(task)


def test_a_lower_figure_on_leak_free_rows_is_said(tasks):
    task = copy.deepcopy(tasks[0]["good"][0])
    task["clean"]["metrics"]["scored"]["mcc"] = task["metrics"]["scored"]["mcc"] - 0.2
    assert "quote that one" in said(task)


def test_few_rows_and_an_absent_class_are_said(tasks):
    task = {**tasks[0]["good"][0], "n": 40, "counts": {"non-promoter": 40, "promoter": 0}}
    assert "Only 40 rows" in said(task)
    assert "No row's answer is promoter" in said(task)


def test_figures_follow_the_pages_colours_and_say_what_they_are(tasks):
    figures = task_figures(tasks[0]["splice"][1], "scored")
    assert [title for title, _, _ in figures] == ["Reliability", "ROC", "Accuracy by length"]
    for _, _, svg in figures:
        assert svg.startswith("<svg ") and 'role="img"' in svg and "viewBox" in svg
        assert "var(--series-1, #" in svg
        assert "<metadata" not in svg and "<!--" not in svg


def test_rows_of_one_length_have_no_length_figure(tasks):
    assert [title for title, _, _ in task_figures(tasks[0]["good"][1], "scored")] == ["Reliability", "ROC"]


def test_roc_curve_has_the_reported_area(tasks):
    for name in ("good", "splice"):
        task, rows = tasks[0][name]
        curves = roc_curves(rows, "scored")
        if len(task["answers"]) == 2:
            assert [curve[0] for curve in curves] == ["model", "CNN"]
            curves = curves[:1]
        areas = [np.trapezoid(recall, fall_out) for _, fall_out, recall in curves]
        assert np.mean(areas) == pytest.approx(task["metrics"]["scored"]["auroc"], abs=0.01)


def test_the_worst_calibrated_rows_are_those_of_the_worst_bin(tasks):
    rows = copy.deepcopy(tasks[0]["good"][1])
    rows.chances["scored"] = np.where(np.eye(2)[rows.predicted["scored"]] > 0, 0.97, 0.03)  # far too sure of all
    rows.predicted["scored"][:60] = 1 - rows.right[:60]
    rows.chances["scored"][:60] = np.where(np.eye(2)[rows.predicted["scored"][:60]] > 0, 0.75, 0.25)
    worst = worst_calibrated(rows, "scored")
    assert (worst.bin.low, worst.bin.n, worst.bin.right) == (11 / 15, 60, 0)
    assert worst.gap == pytest.approx(-0.75)
    assert set(worst.rows) <= set(range(60))


def test_forest_places_estimates_and_intervals_on_one_axis(tasks):
    plot = forest(tasks[1])
    name, kind, lanes = plot.groups[0]
    assert (name, kind, [lane.name for lane in lanes]) == ("good", "", ["model", "majority", "k-mer", "Markov", "CNN"])
    value, ends = tasks[0]["good"][0]["metrics"]["scored"]["mcc"], dict(plot.ticks)
    low, high = min(ends), max(ends)
    assert lanes[0].left == pytest.approx(100 * (value - low) / (high - low), abs=0.01)
    assert lanes[0].low < lanes[0].left < lanes[0].high


def test_loss_figure_is_an_svg_element_with_its_series(tasks):
    svg = loss_figure(tasks[1]["loss"][0])
    assert svg.startswith("<svg ")
    assert "held out, dna" in svg


def test_answers_are_told_apart_by_number(tasks):
    task, rows = tasks[0]["good"]
    assert rows.answers == TWO
    assert rows.hits("scored").mean() == pytest.approx(task["metrics"]["scored"]["accuracy"])
    assert (rows.predicted["generated"] == -1).mean() == pytest.approx(task["invalid_share"])

"""report.md and report.html of folders whose figures are computed from real arrays."""

import copy
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pyarrow.parquet
import pytest
from report_folder import THREE, TWO, write_evaluation

from dnahlm.evaluation.report.facts import DISCLAIMER, SIMULATED
from dnahlm.evaluation.report.tables import headline, metric
from dnahlm.evaluation.report.write import terminal_table, write_report
from dnahlm.io import InputError

TASKS = {
    "core_promoter": {"n": 200},
    "splice_site": {"n": 150, "answers": THREE, "bases": (40, 900), "flagged": False, "signal": 0.0},
}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """(folder, report) of one model on two tasks, written."""
    folder = tmp_path_factory.mktemp("one")
    report = write_evaluation(folder, **TASKS)
    write_report(folder, report)
    return folder, report


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """(folder, report) of three models."""
    folder = tmp_path_factory.mktemp("three")
    report = write_evaluation(folder, models=3, **TASKS)
    write_report(folder, report)
    return folder, report


@pytest.fixture
def broken(one, tmp_path):
    """A copy to damage."""
    shutil.copytree(one[0], tmp_path / "eval")
    return tmp_path / "eval", copy.deepcopy(one[1])


class Resources(HTMLParser):
    """Collects what a browser would load and every id, and checks that tags are closed."""

    def __init__(self):
        super().__init__()
        self.loads, self.open, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [
            v
            for k, v in attrs
            if k in ("src", "srcset", "data") or (k.endswith("href") and not (v or "").startswith("#"))
        ]
        self.ids += [v for k, v in attrs if k == "id"]
        if tag in ("script", "link", "iframe", "object", "img"):
            self.loads.append(tag)
        if tag not in ("meta", "br", "link", "img", "input", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def pages(folder):
    return (folder / "report.html").read_text(), (folder / "report.md").read_text()


@pytest.mark.parametrize("which", ["one", "three"])
def test_html_loads_nothing_and_gives_no_id_twice(which, request):
    page = pages(request.getfixturevalue(which)[0])[0]
    parser = Resources()
    parser.feed(page)
    assert parser.loads == []
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page)) <= set(parser.ids)
    assert not re.search(r"@import|url\((?!#)", page)
    # The only addresses are the names of XML vocabularies, which no browser fetches.
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_both_forms_hold_every_cell_of_the_terminal_table_with_its_interval(one):
    folder, report = one
    cells = re.split(r"  +", "  ".join(terminal_table(report).splitlines()[1:3]))
    assert any("[" in cell for cell in cells)
    for page in pages(folder):
        text = re.sub(r"<[^>]+>", "", page)
        assert all(cell in text for cell in cells)


def test_each_degree_of_zero_shot_is_its_own_column(one):
    folder, report = one
    task = report["tasks"][0]
    line = next(
        line for line in pages(folder)[1].split("## Four degrees")[1].splitlines() if line.startswith("| core_promoter")
    )
    n, *cells = [cell.strip() for cell in line.split("|")[2:-1]]
    assert int(n) == task["clean"]["n"] < task["n"]  # a near-duplicate of a train row is not unseen
    for place, way in enumerate(("scored", "held_out", "label_words")):
        assert cells[place].startswith(f"{metric(task['clean'], way, 'mcc'):.3f} [")
    assert cells[3] == "-"


def test_a_degree_that_was_seen_shows_no_figure(broken):
    folder, report = broken
    report["tasks"][0]["zero_shot"]["unseen_label_words"] = None
    write_report(folder, report)
    line = next(
        line for line in pages(folder)[1].split("## Four degrees")[1].splitlines() if line.startswith("| core_promoter")
    )
    assert line.split("|")[5].strip() == "-"


def test_clean_rows_stand_beside_all_and_unchecked_tasks_are_named(one):
    folder, report = one
    part = pages(folder)[1].split("## All rows and leak-free rows")[1].split("##")[0]
    clean = report["tasks"][0]["clean"]
    assert f"{clean['metrics']['scored']['mcc']:.3f}" in part
    assert f" {clean['n']} " in part
    assert "Not checked when their rows were built: splice_site." in part


def test_no_clean_table_without_any_flag(tmp_path):
    report = write_evaluation(tmp_path, core_promoter={"n": 60, "flagged": False})
    write_report(tmp_path, report)
    assert "leak-free" not in pages(tmp_path)[1].split("## core_promoter")[0]


def test_the_controls_and_the_substring_scorer_are_shown(one):
    folder, report = one
    text = pages(folder)[1]
    task = report["tasks"][0]
    for way in ("shuffled", "no_dna", "option_order", "few_shot_2", "strands"):
        assert f"{metric(task, way, 'mcc'):.3f}" in text.split("## Controls")[1].split("##")[0]
    assert f"{task['substring_accuracy']:.3f}" in text.split("## How it answers")[1].split("##")[0]


def test_confidently_wrong_rows_are_the_wrong_ones_with_the_highest_probability(one):
    folder, _ = one
    table = pyarrow.parquet.read_table(folder / "predictions/m1/core_promoter.parquet").to_pylist()
    wrong = [row for row in table if row["predicted_scored"] != row["answer"]]
    wrong.sort(key=lambda row: -max(row["p_scored"]))
    part = pages(folder)[1].split("Most confidently wrong")[1].split("Worst calibrated")[0]
    found = re.findall(r"core_promoter-test-\d+", part)
    assert found == [row["id"] for row in wrong[:5]]
    assert wrong[0]["input"][:20] in part
    assert "30 left out" in part  # of 70 bases


def test_text_of_a_task_file_is_escaped(one):
    page = pages(one[0])[0]
    assert "<b>promoter</b>" not in page
    assert "&lt;b&gt;promoter" in page
    assert "Someone et al. &amp; others" in page


def test_hashes_seed_command_n_and_versions_are_in_both_forms(three):
    folder, report = three
    for text in pages(folder):
        for needed in (DISCLAIMER, report["command"], "torch 2.13.0", "0123456789ab", "cpu, 2 CPUs", "n = 200"):
            assert needed in text or needed == "n = 200"
        for model in report["models"]:
            assert model["sha256"][:16] in text
            assert model["path"] in text


def test_several_models_stand_side_by_side_with_mean_and_deviation(three):
    folder, report = three
    line = next(
        line
        for line in report["summary"]
        if (line["way"], line["metric"], line["task"]) == ("scored", "mcc", "core_promoter")
    )
    for text in (*pages(folder), terminal_table(report)):
        assert f"{line['mean']:.3f} ± {line['sd']:.3f}" in text
        assert all(f"{metric(task, 'scored', 'mcc'):.3f}" in text for task in report["tasks"])
    # Models of one task follow each other, however report.json orders them.
    assert [row.split()[:2] for row in terminal_table(report).splitlines()[1:4]] == [
        ["core_promoter", m] for m in ("m1", "m2", "m3")
    ]


def test_simulated_data_is_named_in_every_form(broken):
    folder, report = broken
    assert SIMULATED not in "".join((*pages(folder), terminal_table(report)))
    report["tasks"][1]["simulated"] = True
    write_report(folder, report)
    for text in (*pages(folder), terminal_table(report)):
        assert SIMULATED in text


def test_a_task_with_scores_alone_shows_dashes(tmp_path):
    report = write_evaluation(tmp_path, core_promoter={"n": 60})
    task = report["tasks"][0]
    task |= {"metrics": {"scored": task["metrics"]["scored"]}, "confusion": {}, "intervals": {}, "clean": None}
    task |= {"calibration": {}, "zero_shot": {}, "counts": {}}
    for key in ("invalid_share", "n_scored_right", "exact_match_given_scored_right", "substring_accuracy",
                "strand_agreement", "phrasing_agreement"):  # fmt: skip
        task.pop(key)
    report |= {"loss": [], "n_bootstrap": None}
    write_report(tmp_path, report)
    page = pages(tmp_path)[0]
    assert "Training" not in page and "Controls" not in page and "Four degrees" not in page
    assert "No baseline was measured" in page


def test_a_kind_without_a_list_of_answers_has_figures_but_no_rows(broken):
    folder, report = broken
    values = {"mae": 0.31, "pearson": 0.62}
    report["tasks"][1] |= {
        "kind": "regression", "answers": [], "counts": {}, "confusion": {}, "headline_metrics": ["mae", "pearson"],
        "metrics": {"generated": values, "majority": {"mae": 0.5, "pearson": None}}, "clean": None,
        "intervals": {"generated": {"mae": [0.2, 0.4], "pearson": None}}, "zero_shot": {"unseen_rows": "generated"},
    }  # fmt: skip
    (folder / "predictions/m1/splice_site.parquet").unlink()
    write_report(folder, report)
    page = pages(folder)[0]
    assert "0.310" in page and "MAE" in page
    assert "Not drawn, because their metric has no common scale: splice_site (MAE)" in page


@pytest.mark.parametrize(
    ("named", "judged_by", "shown"),
    [
        (["f1_macro", "mcc"], "f1_macro", " macro F1 "),
        (["level_accuracy", "mcc"], "mcc", " MCC "),
        (["mcc", "f1_macro"], "mcc", " MCC "),
    ],
)
def test_a_task_is_judged_by_the_first_metric_of_its_file_that_was_measured(one, named, judged_by, shown):
    _, report = one
    task = report["tasks"][0] | {"headline_metrics": named}
    assert headline(task) == judged_by
    assert shown in terminal_table({**report, "tasks": [task]})


def test_report_json_comes_back_as_it_was(one):
    folder, report = one
    assert json.loads((folder / "report.json").read_text()) == report


def rewrite(folder, change, task="core_promoter"):
    path = folder / f"predictions/m1/{task}.parquet"
    pyarrow.parquet.write_table(change(pyarrow.parquet.read_table(path)), path)


def swapped(table):
    said = [TWO[1 - TWO.index(a)] for a in table["predicted_scored"].to_pylist()]
    return table.set_column(table.column_names.index("predicted_scored"), "predicted_scored", [said])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns(["bases", "predicted_scored"]), r"lacks the columns \['bases', 'predicted_scored'\]"),
        (lambda t: t.slice(0, 150), "has 150 rows, but report.json was computed from 200"),
        (swapped, r"right in 0\.\d+ of the rows, report.json says 0\.\d+.*another checkpoint"),
        (lambda t: t.set_column(0, "id", [["x"] * 200]), "199 rows have the id of another row"),
        (
            lambda t: t.set_column(t.column_names.index("answer"), "answer", [["enhancer"] * 200]),
            r"right answers \['enhancer'\] are none of the task's",
        ),
        (
            lambda t: t.set_column(t.column_names.index("p_scored"), "p_scored", [[[0.2, 0.3, 0.5]] * 200]),
            "column p_scored: must hold 2 probabilities a row",
        ),
    ],
    ids=["columns", "rows", "checkpoint", "ids", "answers", "probabilities"],
)
def test_predictions_that_are_not_those_of_the_report_are_refused(broken, change, message):
    folder, report = broken
    before = pages(folder)
    rewrite(folder, change)
    with pytest.raises(InputError, match=message):
        write_report(folder, report)
    assert pages(folder) == before  # the old report is still whole


def test_a_missing_or_damaged_predictions_file_is_named(broken):
    folder, report = broken
    path = folder / "predictions/m1/core_promoter.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"core_promoter\.parquet: no readable Parquet file"):
        write_report(folder, report)
    path.unlink()
    with pytest.raises(InputError, match=r"core_promoter\.parquet: no such file"):
        write_report(folder, report)


def in_other_words(table):
    said = [{"promoter": "yes", "non-promoter": "no"}[a] for a in table["predicted_label_words"].to_pylist()]
    return table.set_column(table.column_names.index("predicted_label_words"), "predicted_label_words", [said])


def test_answers_in_other_label_words_are_no_mistake_of_the_file(broken):
    folder, report = broken
    rewrite(folder, in_other_words)
    write_report(folder, report)


@pytest.mark.slow
def test_report_opens_in_a_browser_without_network(three, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no chromium on this machine; apt-get install chromium runs this test")
    answer = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         f"--user-data-dir={tmp_path}/profile", "--proxy-server=127.0.0.1:9", "--virtual-time-budget=2000", "--dump-dom",
         (three[0] / "report.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "Forest plot" in answer.stdout
    # Two losses; for every model reliability and ROC of both tasks, and lengths of the one whose rows differ in length.
    assert answer.stdout.count("<figure>") == 2 + 3 * 5

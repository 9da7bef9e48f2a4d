import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from dnahlm.evaluation.metrics import confusion, invalid_share, measure
from dnahlm.evaluation.plots import loss_figure
from dnahlm.evaluation.report import DISCLAIMER, SIMULATED, html, markdown, terminal_table, write_report
from dnahlm.evaluation.tables import remarks

ANSWERS = ["non-promoter", "promoter"]


def entry(name="core_promoter", predicted=None, generated=None, simulated=False, **more):
    references = ANSWERS * 50
    predicted = predicted or references[:90] + ANSWERS[::-1] * 5
    generated = generated or [*predicted[:-2], None, None]
    chances = np.array([[0.8, 0.2] if p == ANSWERS[0] else [0.3, 0.7] for p in predicted])
    half = np.full((100, 2), 0.5)
    return {
        "task": name,
        "description": "Is it <b>a promoter</b>?",
        "citation": "Someone et al. & others",
        "simulated": simulated,
        "headline_metrics": ["mcc", "accuracy"],
        "answers": ANSWERS,
        "n": 100,
        "n_available": 250,
        "counts": dict.fromkeys(ANSWERS, 50),
        "min_bases": 70,
        "max_bases": 70,
        "calibration": {"temperature": 1.2},
        "metrics": {
            "scored": measure(predicted, references, ANSWERS, chances),
            "generated": measure(generated, references, ANSWERS),
            "held_out": measure(predicted, references, ANSWERS, chances),
            "majority": measure([ANSWERS[0]] * 100, references, ANSWERS, half),
            "kmer_lr": measure(references[:80] + ANSWERS[::-1] * 10, references, ANSWERS, half),
        },
        "confusion": {
            "scored": confusion(predicted, references, ANSWERS),
            "generated": confusion(generated, references, ANSWERS),
        },
        "invalid_share": invalid_share(generated),
        "n_scored_right": 90,
        "exact_match_given_scored_right": 0.98,
        "phrasing_agreement": 1.0,
        "n_baseline_train": 1000,
        "status": "seen task, unseen rows",
        **more,
    }


def full_report(*tasks):
    return {
        "created": "2026-01-01T10:00:00+00:00",
        "command": "dnahlm evaluate --model runs/tiny/sft --suite smoke --output runs/tiny/eval --seed 0",
        "seed": 0,
        "suite": {"name": "smoke", "description": "every task", "split": "test"},
        "instructions": "runs/tiny/instructions",
        "models": [
            {"path": "runs/tiny/sft", "type": "gpt2", "parameters": 5_130_000, "tuned": None, "tuned_seed": None}
        ],
        "hardware": {"cpus": 2, "threads": 1, "device": "cpu"},
        "versions": {"python": "3.12.0", "torch": "2.13.0"},
        "git_commit": "0123456789ab",
        "seconds": 12.0,
        "tasks": list(tasks),
        "loss": [
            {
                "name": "pretrain",
                "path": "runs/tiny/pretrain",
                "series": {"loss": [[10, 4.0], [20, 3.0]], "eval_dna_loss": [[20, 3.2]]},
            },
            {"name": "sft", "path": "runs/tiny/sft", "series": {"loss": [[10, 0.7]]}},
        ],
    }


class Resources(HTMLParser):
    """Collects what a browser would load, and checks that tags are closed."""

    def __init__(self):
        super().__init__()
        self.loads, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [
            v
            for k, v in attrs
            if k in ("src", "srcset", "data") or (k.endswith("href") and not (v or "").startswith("#"))
        ]
        if tag in ("script", "link", "iframe", "object", "img"):
            self.loads.append(tag)
        if tag not in ("meta", "br", "link", "img", "input", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_loads_nothing_from_elsewhere():
    page = html(full_report(entry(), entry("simulated_promoter", simulated=True)))
    parser = Resources()
    parser.feed(page)
    assert parser.loads == []
    assert parser.open == []
    assert not re.search(r"@import|url\((?!#)", page)
    # The only addresses are the names of XML vocabularies, which no browser fetches.
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_html_holds_every_figure_of_the_terminal_table():
    report = full_report(entry())
    page = html(report)
    for cell in terminal_table(report).splitlines()[1].split():
        assert cell in page


def test_text_of_a_task_file_is_escaped():
    page = html(full_report(entry()))
    assert "<b>a promoter</b>" not in page
    assert "&lt;b&gt;a promoter" in page
    assert "Someone et al. &amp; others" in page


def test_simulated_data_is_named_in_every_form():
    report = full_report(entry("simulated_promoter", simulated=True))
    for text in (html(report), markdown(report), terminal_table(report)):
        assert SIMULATED in text
    real = full_report(entry())
    for text in (html(real), markdown(real), terminal_table(real)):
        assert "SIMULATED" not in text


def test_disclaimer_command_seed_and_versions_are_in_both_reports():
    report = full_report(entry())
    for text in (html(report), markdown(report)):
        for needed in (DISCLAIMER, report["command"], "torch 2.13.0", "0123456789ab", "cpu, 2 CPUs"):
            assert needed in text


def test_a_task_without_baselines_and_generation_shows_dashes():
    task = entry()
    task["metrics"] = {"scored": task["metrics"]["scored"]}
    task["confusion"].pop("generated")
    for key in ("invalid_share", "n_scored_right", "exact_match_given_scored_right", "phrasing_agreement"):
        task.pop(key)
    report = full_report(task)
    report["loss"] = []
    cells = terminal_table(report).splitlines()[1].split()
    assert cells[:5] == ["core_promoter", "100", "-", "-", "0.800"]
    assert "Confusion, generated" not in html(report)
    assert "Training" not in html(report)


def test_one_answer_for_every_row_is_said():
    assert "same answer, 'promoter', for every row" in remarks(entry(predicted=["promoter"] * 100))[0]


def test_a_difference_within_chance_is_called_level():
    (remark,) = remarks(entry())  # 0.80 against 0.60, n = 100: noise 0.2
    assert remark.startswith("MCC 0.800: above the k-mer baseline (0.600)")
    close = entry(predicted=(ANSWERS * 50)[:84] + ANSWERS[::-1] * 8)
    assert "level with the k-mer baseline" in remarks(close)[0]


def test_rambling_is_said():
    task = entry(generated=[None] * 10 + (ANSWERS * 50)[10:])
    assert "10.0% of the generated texts are not exactly an answer." in remarks(task)


def test_an_absent_class_is_said():
    assert "No row's answer is promoter" in remarks(entry(counts={"non-promoter": 100, "promoter": 0}))[-1]


def test_report_json_comes_back_as_it_was(tmp_path):
    report = full_report(entry())
    write_report(tmp_path, report)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert {p.name for p in tmp_path.iterdir()} == {"report.json", "report.md", "report.html"}


def test_loss_figure_is_an_svg_element_with_its_series():
    svg = loss_figure(full_report()["loss"][0])
    assert svg.startswith("<svg ")
    assert "viewBox" in svg
    assert "held out, dna" in svg
    assert "<metadata" not in svg


@pytest.mark.slow
def test_report_opens_in_a_browser_without_network(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no chromium on this machine; apt-get install chromium runs this test")
    write_report(tmp_path, full_report(entry(), entry("simulated_promoter", simulated=True)))
    answer = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         f"--user-data-dir={tmp_path}/profile", "--proxy-server=127.0.0.1:9", "--virtual-time-budget=2000", "--dump-dom",
         (tmp_path / "report.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "Matthews correlation by task" in answer.stdout
    assert answer.stdout.count("<figure>") == 2

"""What an evaluation measures: every way of asking, from predictions that anyone can compute again."""

import json
import shutil

import numpy as np
import pyarrow.parquet
import pytest
from toy_tasks import ASKED, TASKS, write_suite

from dnahlm.dna import reverse_complement
from dnahlm.evaluation.metrics import accuracy, mcc, measure
from dnahlm.evaluation.protocol import EvaluateConfig, run
from dnahlm.inference.scorer import probabilities, score
from dnahlm.io import InputError
from dnahlm.tasks.prompt import render_prompt


def test_every_promised_file_is_written(evaluated):
    folder, manifest, tasks, _ = evaluated
    written = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert written == {
        "manifest.json",
        "report.json",
        "report.md",
        "report.html",
        *(f"predictions/m1/{t}.parquet" for t in TASKS),
    }
    assert manifest["stage"] == "evaluate"
    assert manifest["counts"]["toy_splice"] == {"rows": ASKED, "rows_not_asked": 0}
    assert set(tasks) == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_predictions_hold_what_the_scorer_says(evaluated, folders, tiny_tokenizer, task):
    folder, _, tasks, _ = evaluated
    _, model, files = folders
    rows = [r for r in files["test"] if r["task"] == task]
    prompts = [render_prompt(tiny_tokenizer, r["instruction"], r["input"]) for r in rows]
    expected = probabilities(
        score(model, tiny_tokenizer, prompts, TASKS[task]), tasks[task]["calibration"]["temperature"]
    )
    table = pyarrow.parquet.read_table(folder / "predictions" / "m1" / f"{task}.parquet").to_pydict()
    assert table["id"] == [r["id"] for r in rows]
    assert table["answer"] == [r["output"] for r in rows]
    assert np.array(table["p_scored"]) == pytest.approx(expected, abs=1e-5)
    assert table["bases"] == [32] * ASKED
    assert table["input"] == [r["input"] for r in rows]
    assert table["clean"] == [r["clean"] for r in rows]
    assert table["predicted_scored"] == [TASKS[task][k] for k in expected.argmax(axis=1)]


@pytest.mark.parametrize("task", TASKS)
def test_figures_of_the_report_follow_from_the_predictions_file(evaluated, task):
    folder, _, tasks, _ = evaluated
    entry, table = (
        tasks[task],
        pyarrow.parquet.read_table(folder / "predictions" / "m1" / f"{task}.parquet").to_pydict(),
    )
    right = table["answer"]
    for way in ("scored", "generated", "held_out", "kmer_lr"):
        assert entry["metrics"][way]["mcc"] == pytest.approx(mcc(table[f"predicted_{way}"], right))
    for way in ("scored", "held_out", "majority", "kmer_lr"):
        again = measure(table[f"predicted_{way}"], right, entry["answers"], np.array(table[f"p_{way}"]))
        assert again == pytest.approx(entry["metrics"][way], abs=1e-9)
    strict = [t if s and t in TASKS[task] else None for t, s in zip(table["generated"], table["stopped"], strict=True)]
    assert entry["metrics"]["generated"]["accuracy"] == pytest.approx(accuracy(strict, right))
    assert entry["invalid_share"] == pytest.approx(strict.count(None) / ASKED)
    assert table["predicted_generated"] == strict
    kept = [i for i in range(ASKED) if table["predicted_scored"][i] == right[i]]
    assert entry["n_scored_right"] == len(kept)
    assert entry["exact_match_given_scored_right"] == pytest.approx(
        sum(strict[i] == right[i] for i in kept) / len(kept)
    )
    found = [r in text for r, text in zip(right, table["generated"], strict=True)]
    assert entry["substring_accuracy"] == pytest.approx(sum(found) / ASKED)
    assert entry["substring_accuracy"] >= entry["metrics"]["generated"]["accuracy"]


@pytest.mark.parametrize("task", TASKS)
def test_figures_of_clean_rows_are_those_of_the_rows_without_leaks(evaluated, task):
    folder, _, tasks, _ = evaluated
    clean, table = tasks[task]["clean"], pyarrow.parquet.read_table(folder / "predictions" / "m1" / f"{task}.parquet")
    kept = table.filter(table["clean"]).to_pydict()
    assert clean["n"] == len(kept["id"]) == 20
    chances = np.array(kept["p_scored"])
    expected = measure(kept["predicted_scored"], kept["answer"], TASKS[task], chances)
    assert clean["metrics"]["scored"] == pytest.approx(expected, abs=1e-9)
    for figures in (tasks[task], clean):
        for way, metrics in figures["metrics"].items():
            for name, value in metrics.items():
                limits = figures["intervals"][way][name]
                # The calibration error of a resample is never below 0, so its interval may lie above the figure.
                assert (value is None) == (limits is None)
                assert value is None or name == "ece" or limits[0] - 1e-6 <= value <= limits[1] + 1e-6


def test_every_way_is_asked_and_one_that_exceeds_the_context_says_so(folders, tiny_tokenizer, tmp_path):
    root, model, files = folders
    suite = write_suite(
        tmp_path, tasks=["toy_promoter"], max_rows=8, label_words=True, few_shot=[1, 40], baselines=["markov", "cnn"],
        controls=["shuffled", "no_dna", "option_order"], n_bootstrap=50,
    )  # fmt: skip
    for task in (root / "instructions" / "tasks", root / "sft" / "tasks"):
        path = task / "toy_promoter.yaml"
        path.write_text(path.read_text().replace("strand_symmetric: false", "strand_symmetric: true"))
    try:
        run(EvaluateConfig(str(root / "sft"), str(tmp_path / "eval"), suite))
    finally:
        for task in (root / "instructions" / "tasks", root / "sft" / "tasks"):
            path = task / "toy_promoter.yaml"
            path.write_text(path.read_text().replace("strand_symmetric: true", "strand_symmetric: false"))
    (entry,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert set(entry["metrics"]) == {
        "scored", "generated", "strands", "held_out", "label_words", "few_shot_1", "shuffled", "no_dna", "option_order",
        "markov", "cnn",
    }  # fmt: skip
    (note,) = entry["notes"]
    assert note.startswith("few_shot_40 not asked: the longest prompt is")
    table = pyarrow.parquet.read_table(tmp_path / "eval" / "predictions" / "m1" / "toy_promoter.parquet").to_pydict()
    rows = {r["id"]: r for r in files["test"]}
    both = []
    for strand in (str, reverse_complement):
        asked = [(rows[i]["instruction"], strand(rows[i]["input"])) for i in table["id"]]
        prompts = [render_prompt(tiny_tokenizer, *pair) for pair in asked]
        both.append(probabilities(score(model, tiny_tokenizer, prompts, TASKS["toy_promoter"]), 2.0))
    assert np.array(table["p_strands"]) == pytest.approx((both[0] + both[1]) / 2, abs=1e-5)
    alike = (both[0].argmax(axis=1) == both[1].argmax(axis=1)).mean()
    assert entry["strand_agreement"] == pytest.approx(alike)
    assert len(set(map(tuple, table["p_no_dna"]))) <= 2  # only the order of the options differs
    assert None not in table["predicted_label_words"]
    assert set(table["predicted_label_words"]) <= set(TASKS["toy_promoter"])


def test_several_models_are_options_of_one_command_and_a_recipe_may_name_one(tmp_path):
    from dnahlm.config import parse

    (config,) = parse((EvaluateConfig,), ["--model", "a", "b", "--output", "o"], "dnahlm evaluate")
    assert config.model == ["a", "b"]
    for text in ("model: a", "model: [a]"):
        (tmp_path / "e.yaml").write_text(f"{text}\noutput: o\n")
        (config,) = parse((EvaluateConfig,), ["--config", str(tmp_path / "e.yaml")], "dnahlm evaluate")
        assert config.model == ["a"]


def test_texts_that_are_an_answer_and_stop_are_valid_and_baselines_stand_beside_them(evaluated):
    _, _, tasks, _ = evaluated
    for task in tasks.values():
        assert task["invalid_share"] < 0.5  # the toy model has learned what an answer is, if not which one is right
        assert task["exact_match_given_scored_right"] > 0.5
        assert task["metrics"]["majority"]["mcc"] == 0.0
        assert task["metrics"]["kmer_lr"]["mcc"] > 0.9
        assert task["n_baseline_train"] == 90
    assert tasks["toy_promoter"]["calibration"] == {"temperature": 2.0, "bias": [], "rows": 0, "changed_by_bias": 0}


def test_a_model_that_never_stops_is_never_valid(folders, tiny_model, tmp_path):
    root = folders[0]
    shutil.copytree(root / "sft", tmp_path / "sft")
    tiny_model.save_pretrained(tmp_path / "sft")  # random weights: it rambles
    suite = write_suite(tmp_path, tasks=["toy_promoter"], max_rows=5, held_out_phrasing=False, baselines=[])
    run(EvaluateConfig(str(tmp_path / "sft"), str(tmp_path / "eval"), suite))
    (task,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert task["invalid_share"] == 1.0
    assert task["metrics"]["generated"] == measure([None] * 5, TASKS["toy_promoter"][:1] * 5, TASKS["toy_promoter"])
    table = pyarrow.parquet.read_table(tmp_path / "eval" / "predictions" / "m1" / "toy_promoter.parquet").to_pydict()
    assert table["stopped"] == [False] * 5
    assert all(table["generated"])


def test_status_losses_and_simulation_come_from_the_files(evaluated, folders):
    folder, _, tasks, report = evaluated
    assert {t["status"] for t in tasks.values()} == {"seen task, unseen rows"}
    assert report["loss"] == [
        {"model": "m1", "name": "sft", "path": str(folders[0] / "sft"), "series": {"loss": [[1, 2.0], [2, 1.0]]}}
    ]
    assert [t["simulated"] for t in tasks.values()] == [False, True]
    assert "SIMULATED data" in (folder / "report.html").read_text()
    assert report["models"][0]["tuned_seed"] == 5


def test_rows_are_drawn_by_the_seed_and_the_same_in_every_column(folders, tmp_path):
    root = folders[0]
    suite = write_suite(tmp_path, tasks=["toy_splice"], max_rows=7, generate=False, baselines=["majority"])
    ids = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run(EvaluateConfig(model=str(root / "sft"), output=str(tmp_path / name), suite=suite, seed=seed))
        table = pyarrow.parquet.read_table(tmp_path / name / "predictions" / "m1" / "toy_splice.parquet")
        assert "generated" not in table.column_names and "predicted_kmer_lr" not in table.column_names
        ids[name] = table["id"].to_pylist()
    assert ids["a"] == ids["b"] != ids["c"]
    assert len(ids["a"]) == 7
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    assert report["tasks"][0]["n_available"] == ASKED
    assert "generated" not in report["tasks"][0]["metrics"]


def test_a_model_without_manifest_needs_instructions_and_is_not_called_seen(folders, tmp_path):
    shutil.copytree(
        folders[0] / "sft",
        tmp_path / "sft",
        ignore=shutil.ignore_patterns("manifest.json", "tasks.json", "calibration.json"),
    )
    suite = write_suite(
        tmp_path, tasks=["toy_promoter"], max_rows=3, generate=False, held_out_phrasing=False, baselines=[]
    )
    with pytest.raises(InputError, match="Pass --instructions"):
        run(EvaluateConfig(str(tmp_path / "sft"), str(tmp_path / "eval"), suite))
    run(EvaluateConfig(str(tmp_path / "sft"), str(tmp_path / "eval"), suite, str(folders[0] / "instructions")))
    (task,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert task["status"] == "unknown: the model has no manifest"
    assert task["calibration"] == {}
    assert set(task["zero_shot"].values()) == {None}

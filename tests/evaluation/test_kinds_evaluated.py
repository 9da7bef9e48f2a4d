"""Instructions of other kinds than classification, from their build to a report."""

import json
import random
import shutil

import numpy as np
import pyarrow.parquet
import pytest
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

from dnahlm.evaluation import open_task
from dnahlm.evaluation.protocol import EvaluateConfig
from dnahlm.evaluation.protocol import run as evaluate
from dnahlm.inference.generator import Generated
from dnahlm.inference.scorer import probabilities, score
from dnahlm.tasks.instructions import InstructionsConfig, read_instructions, run
from dnahlm.tasks.prompt import render_prompts

TEXT = {
    "version": 1, "description": "d", "citation": "c", "licence": "l",
    "phrasings": [f"Question {i}? {{options}}." for i in range(8)],
    "held_out_phrasings": [f"New {i}? {{options}}." for i in range(3)],
    "source": {"files": {split: f"{split}.csv" for split in ("train", "validation", "test")}},
}  # fmt: skip
PAIR = TEXT | {"id": "pairs", "kind": "pair", "labels": {"0": "other", "1": "same"}, "metrics": ["mcc"]}
NUMBER = TEXT | {"id": "level", "kind": "regression", "decimals": 1, "metrics": ["spearman"]}
NO_OPTIONS = {
    key: [text.replace(" {options}.", "") for text in TEXT[key]] for key in ("phrasings", "held_out_phrasings")
}
NUMBER |= NO_OPTIONS
CODE = TEXT | {"id": "enzyme", "kind": "hierarchical", "levels": 4, "metrics": ["level_accuracy"]} | NO_OPTIONS
SETS = TEXT | {
    "id": "tissues", "kind": "multilabel", "labels": {"b": "brain", "l": "liver"}, "none_label": "none of these",
    "metrics": ["f1_micro"],
}  # fmt: skip
LABELS = {
    "pairs": ("0", "1"),
    "level": ("0.5", "1.5"),
    "enzyme": ("1.2.3.4", "1.2.3.-"),
    "tissues": ("b;l", "none of these"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tuned_folder):
    """Instructions of a pair task and of numbers, and a tuned folder that knows both."""
    root = tmp_path_factory.mktemp("kinds")
    rng = random.Random(0)
    for split, n in (("train", 40), ("validation", 10), ("test", 10)):
        rows = [("".join(rng.choices("ACGT", k=20)), "".join(rng.choices("ACGT", k=20)), i % 2) for i in range(n)]
        for task, labels in LABELS.items():
            text = "".join(f"{one},{two},{one},{labels[label]}\n" for one, two, label in rows)
            (root / task).mkdir(exist_ok=True)
            (root / task / f"{split}.csv").write_text("sequence1,sequence2,sequence,label\n" + text)
    for spec in (PAIR, NUMBER, CODE, SETS):
        spec["source"] = {"files": {split: f"{spec['id']}/{split}.csv" for split in TEXT["source"]["files"]}}
        (root / f"{spec['id']}.yaml").write_text(yaml.safe_dump(spec))
        config = InstructionsConfig(
            tasks=[str(root / f"{spec['id']}.yaml")], data_root=str(root), output=str(root / f"{spec['id']}_built")
        )
        run(config)
    shutil.copytree(tuned_folder, root / "sft")
    for spec in (PAIR, NUMBER, CODE, SETS):
        shutil.copy(root / f"{spec['id']}.yaml", root / "sft" / "tasks")
    suite = {"name": "s", "description": "d", "baselines": ["majority", "kmer_lr"], "n_bootstrap": 50,
             "controls": ["no_dna"], "few_shot": [2]}  # fmt: skip
    (root / "suite.yaml").write_text(yaml.safe_dump(suite))
    return root


def asked(folder, task, output):
    return EvaluateConfig(
        model=str(folder / "sft"), suite=str(folder / "suite.yaml"), instructions=str(folder / f"{task}_built"),
        output=str(output),
    )  # fmt: skip


def test_pairs_are_scored_beside_baselines_that_see_both_sequences(folder, tmp_path):
    evaluate(asked(folder, "pairs", tmp_path / "eval"))
    report = json.loads((tmp_path / "eval" / "report.json").read_text())
    (task,) = report["tasks"]
    assert {"scored", "held_out", "no_dna", "few_shot_2", "majority", "kmer_lr"} <= task["metrics"].keys()
    assert (task["n"], task["min_bases"], task["max_bases"]) == (10, 40, 40)


@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        ("level", {"spearman", "pearson", "mae", "rmse"}),
        ("tissues", {"exact_match", "f1_micro", "f1_macro"}),
        ("enzyme", {"exact_match", "level_1", "level_2", "level_3", "level_4", "level_accuracy"}),
    ],
)
def test_answers_that_are_no_fixed_list_are_written_and_read_strictly(folder, tmp_path, task, metrics):
    evaluate(asked(folder, task, tmp_path / "eval"))
    (entry,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    if task == "tissues":
        assert set(entry["metrics"].pop("scored_sets")) == metrics | {"auroc", "auprc", "brier"}
    assert set(entry["metrics"]) == {"generated", "held_out", "no_dna", "few_shot_2", "majority", "kmer_lr"}
    assert all(set(found) == metrics for found in entry["metrics"].values())
    assert entry["answers"] == []
    assert entry["invalid_share"] == 1.0  # random weights write no answer
    assert entry["zero_shot"]["unseen_task"] is None
    table = pyarrow.parquet.read_table(tmp_path / "eval" / "predictions" / "m1" / f"{task}.parquet").to_pydict()
    assert table["predicted_generated"] == [None] * 10
    assert all(table["predicted_kmer_lr"])
    assert entry["clean"]["n"] == sum(table["clean"])


def test_each_label_of_a_set_has_the_probability_of_all_sets_that_hold_it(folder, tmp_path, loaded):
    evaluate(asked(folder, "tissues", tmp_path / "eval"))
    (entry,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    table = pyarrow.parquet.read_table(tmp_path / "eval" / "predictions" / "m1" / "tissues.parquet").to_pydict()
    rows = {r["id"]: r for r in read_instructions(folder / "tissues_built" / "test.jsonl")}
    asked_rows = [rows[name] for name in table["id"]]
    prompts = render_prompts(loaded.tokenizer, [r["instruction"] for r in asked_rows], [r["input"] for r in asked_rows])
    sets = ["none of these", "brain", "liver", "brain, liver"]
    share = probabilities(score(loaded.model, loaded.tokenizer, prompts, sets))
    chances = np.array(table["p_scored_sets"])
    assert chances == pytest.approx(np.stack([share[:, 1] + share[:, 3], share[:, 2] + share[:, 3]], axis=1), abs=1e-5)
    assert table["predicted_scored_sets"] == [sets[k] for k in share.argmax(axis=1)]
    truth = np.array([["brain" in answer, "liver" in answer] for answer in table["answer"]])
    figures = entry["metrics"]["scored_sets"]
    assert figures["auroc"] == pytest.approx(roc_auc_score(truth, chances, average="macro"))
    assert figures["auprc"] == pytest.approx(average_precision_score(truth, chances, average="macro"))
    assert figures["brier"] == pytest.approx(((chances - truth) ** 2).mean())
    low, high = entry["intervals"]["scored_sets"]["auroc"]
    assert low <= figures["auroc"] <= high
    assert "sets of labels scored" in (tmp_path / "eval" / "report.md").read_text()


def test_a_model_that_writes_the_right_number_is_right(folder, tmp_path, monkeypatch):
    def right(candidate, spec, way, known):
        return [Generated(f"{r['output']}{' or so' * (i == 0)}", i != 1) for i, r in enumerate(way.records)]

    monkeypatch.setattr(open_task, "write_freely", right)
    evaluate(asked(folder, "level", tmp_path / "eval"))
    (entry,) = json.loads((tmp_path / "eval" / "report.json").read_text())["tasks"]
    assert entry["invalid_share"] == 0.2  # one goes on, one does not stop
    assert entry["substring_accuracy"] == 1.0
    assert entry["metrics"]["generated"] == pytest.approx({"spearman": 1.0, "pearson": 1.0, "mae": 0.0, "rmse": 0.0})

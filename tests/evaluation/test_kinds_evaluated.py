"""Instructions of other kinds than classification, from their build to a report."""

import json
import random
import shutil

import pytest
import yaml

from dnahlm.evaluation.protocol import EvaluateConfig
from dnahlm.evaluation.protocol import run as evaluate
from dnahlm.io import InputError
from dnahlm.tasks.instructions import InstructionsConfig, run

TEXT = {
    "version": 1, "description": "d", "citation": "c", "licence": "l",
    "phrasings": [f"Question {i}? {{options}}." for i in range(8)],
    "held_out_phrasings": [f"New {i}? {{options}}." for i in range(3)],
    "source": {"files": {split: f"{split}.csv" for split in ("train", "validation", "test")}},
}  # fmt: skip
PAIR = TEXT | {"id": "pairs", "kind": "pair", "labels": {"0": "other", "1": "same"}, "metrics": ["mcc"]}
NUMBER = TEXT | {"id": "level", "kind": "regression", "decimals": 1, "metrics": ["spearman"]}
NUMBER |= {key: [text.replace(" {options}.", "") for text in TEXT[key]] for key in ("phrasings", "held_out_phrasings")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tuned_folder):
    """Instructions of a pair task and of numbers, and a tuned folder that knows both."""
    root = tmp_path_factory.mktemp("kinds")
    rng = random.Random(0)
    for split, n in (("train", 40), ("validation", 10), ("test", 10)):
        rows = [("".join(rng.choices("ACGT", k=20)), "".join(rng.choices("ACGT", k=20)), i % 2) for i in range(n)]
        text = "".join(f"{one},{two},{one},{label}\n" for one, two, label in rows)
        (root / f"{split}.csv").write_text("sequence1,sequence2,sequence,label\n" + text)
    for spec in (PAIR, NUMBER):
        (root / f"{spec['id']}.yaml").write_text(yaml.safe_dump(spec))
        config = InstructionsConfig(
            tasks=[str(root / f"{spec['id']}.yaml")], data_root=str(root), output=str(root / f"{spec['id']}_built")
        )
        run(config)
    shutil.copytree(tuned_folder, root / "sft")
    for spec in (PAIR, NUMBER):
        shutil.copy(root / f"{spec['id']}.yaml", root / "sft" / "tasks")
    suite = {"name": "s", "description": "d", "baselines": ["majority", "kmer_lr"]}
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
    assert {"scored", "held_out", "majority", "kmer_lr"} <= task["metrics"].keys()
    assert (task["n"], task["min_bases"], task["max_bases"]) == (10, 40, 40)


def test_a_kind_without_fixed_answers_is_refused_before_anything_is_written(folder, tmp_path):
    with pytest.raises(InputError, match="task level is of kind regression, whose answers are no fixed list"):
        evaluate(asked(folder, "level", tmp_path / "eval"))
    assert not list(tmp_path.iterdir())

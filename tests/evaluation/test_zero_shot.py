"""The degrees of zero-shot, told from real manifest chains: instructions built, a model that names them."""

import json
import random
import shutil

import pytest
import yaml

from dnahlm.evaluation.protocol import EvaluateConfig
from dnahlm.evaluation.protocol import run as evaluate
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.instructions import InstructionsConfig
from dnahlm.tasks.instructions import run as build

NONE = dict.fromkeys(("unseen_rows", "unseen_phrasing", "unseen_label_words", "unseen_task"))


def task_file(name, **more):
    return {
        "id": name, "version": 1, "description": "d", "citation": "c", "licence": "l", "strand_symmetric": True,
        "labels": {"0": f"{name} off", "1": f"{name} on"},
        "alternative_labels": {"0": [f"{name} low"], "1": [f"{name} high"]},
        "source": {"files": {s: f"{name}/{s}.csv" for s in ("train", "validation", "test")}},
        "phrasings": [f"{name} {i}? {{options}}." for i in range(8)],
        "held_out_phrasings": [f"{name} new {i}? {{options}}." for i in range(3)], "metrics": ["mcc"],
        "wordings": {"paper": {"phrasing": f"{name} as in the paper.", "labels": {"0": "Neg", "1": "Pos"}}},
    } | more  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Tables and task files of two tasks."""
    root, rng = tmp_path_factory.mktemp("degrees"), random.Random(0)
    for name in ("one", "two"):
        (root / name).mkdir()
        for split, n in (("train", 40), ("validation", 8), ("test", 8)):
            rows = [f"{''.join(rng.choices('ACGT', k=40))},{i % 2}\n" for i in range(n)]
            (root / name / f"{split}.csv").write_text("sequence,label\n" + "".join(rows))
        (root / f"{name}.yaml").write_text(yaml.safe_dump(task_file(name)))
    return root


@pytest.fixture
def instructions(root, tmp_path):
    def make(name, *tasks, **more):
        paths = [str(task) if str(task).endswith(".yaml") else str(root / f"{task}.yaml") for task in tasks]
        build(InstructionsConfig(tasks=paths, data_root=str(root), output=str(tmp_path / name), **more))
        return tmp_path / name

    return make


@pytest.fixture
def tuned(tuned_folder, tmp_path):
    """Make a checkpoint whose manifest says that it was tuned on these instructions."""

    def make(folder, name="sft", **inputs):
        sft = tmp_path / name
        shutil.copytree(tuned_folder, sft)
        shutil.rmtree(sft / "tasks")
        shutil.copytree(folder / "tasks", sft / "tasks")
        counts = json.loads((folder / "manifest.json").read_text())["counts"]
        facts = {
            p.stem: {"n_train": counts[p.stem]["train"]["rows"], "min_bases": 40, "max_bases": 40}
            for p in (sft / "tasks").glob("*.yaml")
        }
        (sft / "tasks.json").write_text(json.dumps(facts))
        (sft / "calibration.json").unlink()
        write_manifest(sft, "sft", {"seed": 0}, StageClock(), {"instructions": folder, **inputs}, {})
        return sft

    return make


@pytest.fixture
def degrees(tmp_path):
    """Evaluate; task -> its entry."""

    def make(model, folder=None, **suite):
        keys = {"label_words": True, "baselines": [], "generate": False, "n_bootstrap": 0} | suite
        (tmp_path / "suite.yaml").write_text(yaml.safe_dump({"name": "s", "description": "d", **keys}))
        evaluate(
            EvaluateConfig(
                str(model), str(tmp_path / "eval"), str(tmp_path / "suite.yaml"), str(folder) if folder else None,
                overwrite=True,
            )
        )  # fmt: skip
        report = json.loads((tmp_path / "eval" / "report.json").read_text())
        return {entry["task"]: entry for entry in report["tasks"]}

    return make


def test_three_degrees_of_a_tuned_task_have_their_columns(instructions, tuned, degrees):
    (entry,) = degrees(tuned(instructions("a", "one"))).values()
    assert entry["zero_shot"] == {
        "unseen_rows": "scored", "unseen_phrasing": "held_out", "unseen_label_words": "label_words", "unseen_task": None,
    }  # fmt: skip
    assert entry["status"] == "seen task, unseen rows"
    assert {"scored", "held_out", "label_words", "strands"} == set(entry["metrics"])
    assert 0 <= entry["strand_agreement"] <= 1


def test_a_degree_that_is_not_asked_has_no_column(instructions, tuned, degrees):
    (entry,) = degrees(tuned(instructions("a", "one")), held_out_phrasing=False, label_words=False).values()
    assert entry["zero_shot"] == NONE | {"unseen_rows": "scored"}


def test_a_task_of_other_instructions_is_unseen_and_the_tuned_one_beside_it_is_not(instructions, tuned, degrees):
    found = degrees(tuned(instructions("a", "one")), instructions("b", "one", "two"))
    assert found["two"]["zero_shot"] == NONE | {"unseen_task": "scored"}
    assert found["two"]["status"] == "unseen task"
    assert found["one"]["zero_shot"]["unseen_rows"] == "scored"  # its rows were compared with the tuned ones


def test_a_tuned_task_under_another_name_is_no_unseen_task(root, instructions, tuned, degrees, tmp_path):
    alias = tmp_path / "alias.yaml"
    files = {"train": "one/test.csv", "validation": "one/validation.csv", "test": "one/train.csv"}
    alias.write_text(yaml.safe_dump(task_file("alias", source={"files": files})))
    (entry,) = degrees(tuned(instructions("a", "one")), instructions("b", alias)).values()
    assert entry["zero_shot"] == NONE
    assert entry["status"] == "unseen task, 40 of 40 rows given away by rows it was tuned on"
    assert entry["clean"] == {"n": 0, "metrics": {}, "intervals": {}}


@pytest.mark.parametrize("edited", [False, True])
def test_a_tuned_task_renamed_with_its_own_split_is_no_unseen_task(
    root, instructions, tuned, degrees, tmp_path, edited
):
    splits = {split: (root / "one" / f"{split}.csv").read_text() for split in ("train", "validation", "test")}
    (root / "renamed").mkdir(exist_ok=True)
    for split, text in splits.items():  # another file with the same rows, or the very files
        (root / "renamed" / f"{split}.csv").write_text(text + "\n" if edited else text)
    files = {split: f"renamed/{split}.csv" for split in splits}
    path = tmp_path / "renamed.yaml"
    path.write_text(yaml.safe_dump(task_file("renamed", source={"files": files})))
    other = instructions("b", path, "two")
    found = degrees(tuned(instructions("a", "one")), other, baselines=["majority"])
    assert found["renamed"]["zero_shot"] == NONE
    said = "sequences of its train rows were tuned on under another name" if edited else "from the data files of one"
    assert said in found["renamed"]["status"]
    assert found["two"]["zero_shot"]["unseen_task"] == "scored"


def test_a_phrasing_that_differs_in_signs_only_is_not_unseen_nor_one_that_the_rows_do_not_ask(
    instructions, tuned, degrees
):
    folder = instructions("a", "one")
    model = tuned(folder)
    path = folder / "tasks" / "one.yaml"
    task = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(task | {"held_out_phrasings": [f"Say {i}: {{options}}." for i in range(3)]}))
    assert degrees(model)["one"]["zero_shot"]["unseen_phrasing"] is None  # the rows ask in other words than these
    path.write_text(yaml.safe_dump(task))
    sft = yaml.safe_load((model / "tasks" / "one.yaml").read_text())
    sft["phrasings"] = [
        *sft["phrasings"],
        *(text.upper().replace("{OPTIONS}", "{options}") for text in task["held_out_phrasings"]),
    ]
    (model / "tasks" / "one.yaml").write_text(yaml.safe_dump(sft))
    assert degrees(model)["one"]["zero_shot"]["unseen_phrasing"] is None


def test_rows_that_tuned_rows_give_away_are_not_clean(root, instructions, tuned, degrees, tmp_path):
    known = (root / "one" / "train.csv").read_text().splitlines()[1:4]
    own = (root / "two" / "test.csv").read_text().splitlines()
    (root / "mixed").mkdir(exist_ok=True)
    (root / "mixed" / "test.csv").write_text("\n".join([*own, *known]) + "\n")
    files = {"train": "two/train.csv", "validation": "two/validation.csv", "test": "mixed/test.csv"}
    path = tmp_path / "mixed.yaml"
    path.write_text(yaml.safe_dump(task_file("mixed", source={"files": files})))
    (entry,) = degrees(tuned(instructions("a", "one")), instructions("b", path)).values()
    assert entry["zero_shot"]["unseen_task"] == "scored"
    assert entry["status"] == "unseen task, 3 of 11 rows given away by rows it was tuned on"
    assert entry["clean"]["n"] == 8


def test_data_files_of_a_tuned_task_are_known_by_their_hash_when_its_rows_are_gone(
    instructions, tuned, degrees, tmp_path
):
    alias = tmp_path / "alias.yaml"
    files = {"train": "one/test.csv", "validation": "one/validation.csv", "test": "one/train.csv"}
    alias.write_text(yaml.safe_dump(task_file("alias", source={"files": files})))
    folder = instructions("a", "one")
    model, other = tuned(folder), instructions("b", alias, "two")
    shutil.rmtree(folder)
    found = degrees(model, other)
    assert found["alias"]["zero_shot"] == NONE
    assert "from the data files of one" in found["alias"]["status"]
    assert found["two"]["zero_shot"]["unseen_task"] == "scored"
    assert "not checked for overlap" in found["two"]["status"]


def test_instructions_in_other_label_words_make_the_plain_column_the_one_of_unseen_words(instructions, tuned, degrees):
    found = degrees(tuned(instructions("a", "one")), instructions("b", "one", label_words="alternative"))
    assert found["one"]["zero_shot"] == NONE | {"unseen_phrasing": "held_out", "unseen_label_words": "scored"}
    assert found["one"]["answers"] == ["one low", "one high"]


def test_a_model_tuned_in_one_wording_meets_the_phrasings_as_unseen(instructions, tuned, degrees):
    model = tuned(instructions("a", "one", wording="paper"))
    found = degrees(model, instructions("b", "one"))["one"]["zero_shot"]
    assert found == NONE | {"unseen_phrasing": "scored", "unseen_label_words": "scored"}


def test_words_of_another_tuned_task_are_not_unseen(root, instructions, tuned, degrees, tmp_path):
    path = tmp_path / "three.yaml"
    path.write_text(yaml.safe_dump(task_file("three", alternative_labels={"0": ["two off"], "1": ["two on"]},
                                             source={"files": {s: f"one/{s}.csv" for s in ("train", "validation", "test")}})))  # fmt: skip
    entry = degrees(tuned(instructions("a", path, "two")))["three"]
    assert entry["zero_shot"]["unseen_label_words"] is None
    assert "label_words" not in entry["metrics"]
    assert any(note.startswith("label_words not asked") for note in entry["notes"])


def test_an_earlier_tuning_in_the_chain_counts(instructions, tuned, degrees):
    first = tuned(instructions("a", "one"), "first")
    second = tuned(instructions("b", "two"), "second", checkpoint=first)
    found = degrees(second, instructions("c", "one", "two"))
    assert found["one"]["zero_shot"]["unseen_task"] is None
    assert found["one"]["zero_shot"]["unseen_rows"] == "scored"


def test_a_pretrained_model_that_was_never_tuned_has_seen_no_task(tuned_folder, instructions, degrees, tmp_path):
    model = tmp_path / "pretrain"
    shutil.copytree(tuned_folder, model, ignore=shutil.ignore_patterns("tasks*", "calibration.json"))
    write_manifest(model, "pretrain", {"seed": 0}, StageClock(), {}, {})
    (entry,) = degrees(model, instructions("a", "one")).values()
    assert entry["zero_shot"] == NONE | {"unseen_task": "scored"}


def test_validation_rows_are_not_called_unseen(instructions, tuned, degrees):
    (entry,) = degrees(tuned(instructions("a", "one")), split="validation", held_out_phrasing=False).values()
    assert entry["zero_shot"] == NONE
    assert entry["status"] == "seen task, rows the calibration has seen"

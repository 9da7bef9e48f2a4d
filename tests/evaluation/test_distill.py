"""Baselines as teachers: each row is answered by one that has not seen it, and tuning takes the answers over."""

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_tasks import TASKS, write_instructions

from dnahlm.evaluation.baselines.kmers import kmer_lr
from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.evaluation.distill import DistillConfig, pool, run
from dnahlm.io import InputError
from dnahlm.model.adapters import AdapterArguments
from dnahlm.tasks.instructions import read_instructions
from dnahlm.training.sft import SftArguments, SftDataArguments
from dnahlm.training.sft import run as tune


@pytest.fixture(scope="module")
def instructions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "instructions"
    write_instructions(folder)
    return folder


def distill(instructions, output, **more):
    settings = {"teachers": ["kmer_lr"], "rows": 50, "folds": 3} | more
    run(DistillConfig(instructions=str(instructions), output=str(output), **settings))
    records = read_instructions(output / "train.jsonl")
    n_own = len(read_instructions(instructions / "train.jsonl"))
    return records[:n_own], records[n_own:]


@pytest.fixture(scope="module")
def taught(instructions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("taught") / "distilled"
    return folder, *distill(instructions, folder)


def test_train_rows_stay_and_their_label_is_weighed_with_the_teachers_answer(instructions, taught, tmp_path):
    _, own, _ = taught
    plain = [{k: v for k, v in record.items() if k != "probabilities"} for record in own]
    assert plain == read_instructions(instructions / "train.jsonl")
    alone, _ = distill(instructions, tmp_path / "teacher", label_weight=0.0)
    for record, teacher in zip(own, alone, strict=True):
        assert list(record["probabilities"]) == TASKS[record["task"]]
        for answer, share in record["probabilities"].items():
            said = teacher["probabilities"][answer]
            assert share == pytest.approx(0.5 * said + 0.5 * (answer == record["output"]), abs=1e-4)


def test_a_teacher_is_never_asked_about_a_train_row_it_has_seen_nor_shown_a_held_out_one(
    instructions, tmp_path, monkeypatch
):
    shown = []

    def watched(data):
        shown.append(data)
        return kmer_lr(data)

    monkeypatch.setitem(BASELINES, "kmer_lr", watched)
    distill(instructions, tmp_path / "distilled", rows=0)
    held_out = {
        r["input"] for name in ("validation", "test") for r in read_instructions(instructions / f"{name}.jsonl")
    }
    train = [r["input"] for r in read_instructions(instructions / "train.jsonl")]
    assert len(shown) == 3 * len(TASKS)
    for data in shown:
        assert not set(data.train) & set(data.test)
        assert not held_out & {*data.train, *data.validation, *data.test}
    assert sorted(text for data in shown for text in data.test) == sorted(train)


def test_new_rows_are_mutated_rows_of_the_task_or_rows_of_another_one(instructions, taught):
    _, _, new = taught
    train = read_instructions(instructions / "train.jsonl")
    by_source = {record["source"]: record for record in train}
    assert len(new) == 50 * len(TASKS) and len({record["id"] for record in new}) == len(new)
    exchanged = 0
    for record in new:
        assert record["output"] in TASKS[record["task"]] and sum(record["probabilities"].values()) == pytest.approx(
            1, abs=1e-3
        )
        if record["source"].endswith(" mutated"):
            origin = by_source[record["source"].removesuffix(" mutated")]
            assert origin["task"] == record["task"] and len(origin["input"]) == len(record["input"])
            assert sum(a != b for a, b in zip(origin["input"], record["input"], strict=True)) <= 12
        else:
            exchanged += 1
            task, source = record["source"].split(" ")
            assert task != record["task"] and by_source[source]["input"] == record["input"]
    assert 0.2 < exchanged / len(new) < 0.6


def test_the_same_seed_teaches_the_same(instructions, taught, tmp_path):
    folder, *_ = taught
    distill(instructions, tmp_path / "again")
    assert (folder / "train.jsonl").read_bytes() == (tmp_path / "again" / "train.jsonl").read_bytes()


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_no_teacher_alone_nor_their_mean_makes_the_labels_likelier_than_their_shares_do(teachers, seed):
    likelihoods = np.random.default_rng(seed).uniform(0.01, 1, (teachers, 60))
    shares = pool(likelihoods)
    assert shares.sum() == pytest.approx(1) and (shares >= 0).all()
    others = [*np.eye(teachers), np.full(teachers, 1 / teachers)]
    best = max(np.log(weights @ likelihoods).sum() for weights in others)
    assert np.log(shares @ likelihoods).sum() > best - 0.01


def test_a_teacher_that_guesses_gets_hardly_a_share(instructions, tmp_path):
    distill(instructions, tmp_path / "distilled", teachers=["majority", "kmer_lr"], rows=0)
    counts = json.loads((tmp_path / "distilled" / "manifest.json").read_text())["counts"]
    assert set(counts) == set(TASKS)
    for found in counts.values():
        assert found["shares"]["kmer_lr"] > 0.9 and sum(found["shares"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"teachers": ["oracle"]},
            r"teachers: found \['oracle'\]; allowed: one or more of majority, kmer_lr, markov, cnn",
        ),
        ({"teachers": ["cnn", "cnn"]}, "each once"),
        ({"teachers": []}, "one or more"),
        ({"folds": 1}, "folds: 1; a teacher leaves out a part"),
        ({"rows": -1}, "rows: -1; must be 0 or more"),
        ({"label_weight": 1.5}, "label_weight: 1.5; must be from 0 to 1"),
        ({"folds": 50}, "no task can be taught"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_and_nothing_is_written(instructions, tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        distill(instructions, tmp_path / "distilled", **settings)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def checkpoint(tiny_model, tiny_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("start") / "pretrain"
    tiny_model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


def tuned(checkpoint, instructions, distilled, output, **more):
    data = SftDataArguments(str(checkpoint), str(instructions), distilled=str(distilled))
    settings = {
        "max_steps": 2, "per_device_train_batch_size": 8, "learning_rate": 1e-3, "disable_tqdm": True,
        "precision": "fp32", "save_strategy": "no", "use_cpu": True, "activation_checkpointing": False,
    } | more  # fmt: skip
    return tune(data, AdapterArguments(), SftArguments(output_dir=str(output), **settings))


def test_a_model_is_tuned_on_the_taught_rows(checkpoint, instructions, taught, tmp_path):
    folder, own, new = taught
    manifest = tuned(checkpoint, instructions, folder, tmp_path / "sft")
    assert manifest["counts"]["examples"] == len(own) + len(new)
    assert manifest["inputs"]["distilled"]["manifest"]["stage"] == "distill"
    assert torch.isfinite(torch.tensor(manifest["validation_loss"]))
    card = (tmp_path / "sft" / "README.md").read_text()
    assert (
        "train instructions, 50 new rows" in card and "`dnahlm distill`: kmer_lr, 3 of each kind for each task" in card
    )


def test_rows_taught_from_other_instructions_are_refused(checkpoint, instructions, taught, tmp_path):
    other = tmp_path / "instructions"
    shutil.copytree(instructions, other)
    manifest = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps(manifest | {"seed": 7}))
    with pytest.raises(InputError, match=r"distilled: .*distilled was made from .*Run `dnahlm distill` again"):
        tuned(checkpoint, other, taught[0], tmp_path / "sft")


def test_rows_joined_beforehand_cannot_be_taught(checkpoint, instructions, taught, tmp_path):
    with pytest.raises(InputError, match="packing: joins rows once"):
        tuned(checkpoint, instructions, taught[0], tmp_path / "sft", packing=True)

"""Damaged folders of earlier stages: checkpoints, corpora, instructions."""

import json
import re
import shutil

import pytest
from small_world import predict, put, stages


def cut(name, n=50):
    return lambda folder: put(folder / name, (folder / name).read_bytes()[:n])


def gone(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def text(name, content):
    return lambda folder: put(folder / name, content)


def calibration(**entry):
    return text("calibration.json", json.dumps({"core_promoter": entry}))


CHECKPOINTS = {
    "weights cut short": (cut("model.safetensors", 20000), "cannot be loaded as a causal language model"),
    "weights empty": (text("model.safetensors", ""), "cannot be loaded as a causal language model"),
    "weights gone": (gone("model.safetensors"), "has no weights"),
    "no tokenizer": (gone("tokenizer.json", "tokenizer_config.json"), "a checkpoint folder without a tokenizer"),
    "tokenizer cut short": (cut("tokenizer.json"), "cannot be loaded as a tokenizer"),
    "tokenizer a list": (text("tokenizer.json", "[]"), "cannot be loaded as a tokenizer"),
    "tokenizer settings a list": (text("tokenizer_config.json", "[]"), "cannot be loaded as a tokenizer"),
    "no template": (gone("chat_template.jinja"), "no chat template"),
    "template damaged": (text("chat_template.jinja", "{% if %}"), "its chat template renders no question"),
    "config gone": (gone("config.json"), "has no config.json, so it is not a checkpoint"),
    "config a list": (text("config.json", "[]"), "cannot be loaded"),
    "config empty": (text("config.json", ""), "cannot be loaded"),
    "another architecture": (text("config.json", '{"model_type": "bert", "num_hidden_layers": 1}'), "its weights lack"),
    "facts cut short": (cut("tasks.json", 5), "tasks.json: not valid JSON"),
    "facts without numbers": (text("tasks.json", '{"core_promoter": {}}'), "tasks.json: task 'core_promoter'"),
    "temperature zero": (calibration(temperature=0), "temperature 0; a number above 0"),
    "temperature in words": (calibration(temperature="hot"), "temperature 'hot'"),
    "no mapping": (text("calibration.json", '{"core_promoter": 2}'), "found 2; a mapping"),
    "bias of another task": (calibration(temperature=1, bias=[0.0, 1.0, 2.0]), "3 biases; the task has 2 answers"),
    "bias in words": (calibration(temperature=1, bias=["a", "b"]), "a list of finite numbers"),
    "manifest a list": (text("manifest.json", "[]"), "manifest.json: must hold a JSON object"),
    "task file damaged": (text("tasks/core_promoter.yaml", "id: x\n"), "core_promoter.yaml: key 'version' is missing"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_a_damaged_checkpoint_is_refused_by_all_who_answer(case, world, tmp_path, refused):
    damage, message = CHECKPOINTS[case]
    damage(shutil.copytree(world / "sft", tmp_path / "sft"))
    model = ("--model", tmp_path / "sft")
    assert message in refused("chat", *model)
    assert message in refused(*predict(tmp_path, world / "ok.fa", tmp_path / "o.csv"))
    assert message in refused(
        "evaluate", *model, "--instructions", world / "instructions", "--output", tmp_path / "out"
    )


def test_what_is_not_a_model_is_refused_by_all_who_answer(world, tmp_path, refused):
    for place, message in (("none", "no such folder"), ("ok.fa", "is a file"), ("corpus", "not a checkpoint")):
        for command in (("chat",), ("evaluate", "--output", tmp_path / "out")):
            assert message in refused(*command, "--model", world / place)


def test_an_unknown_task_is_refused_with_the_nearest_and_the_tuned_ones(world, tmp_path, refused):
    ask = ("predict", "--model", world / "sft", "--input", world / "ok.fa", "--output", tmp_path / "o.csv")
    said = refused(*ask, "--task", "core_promotr")
    assert "Did you mean 'core_promoter'?" in said and "was tuned on: core_promoter, splice_site" in said


CORPORA = {
    "manifest cut short": (cut("manifest.json"), r"manifest\.json:4: not valid JSON"),
    "manifest a list": (text("manifest.json", "[]"), r"manifest\.json: holds no manifest but \[\]"),
    "manifest binary": (text("manifest.json", b"\xff\xfe"), r"manifest\.json:1: not valid JSON"),
    "manifest gone": (gone("manifest.json"), "not a finished output of `dnahlm corpus build`"),
    "train cut short": (cut("train/part-00000.parquet", 500), "train/part-00000.parquet: not a whole parquet file"),
    "train empty": (text("train/part-00000.parquet", ""), "train/part-00000.parquet: not a whole parquet file"),
    "validation gone": (gone("validation/part-00000.parquet"), "validation: holds no parquet file"),
}


@pytest.mark.parametrize("case", CORPORA)
def test_a_damaged_corpus_is_refused_by_tokenizer_and_packer(case, world, tmp_path, refused):
    damage, message = CORPORA[case]
    damage(shutil.copytree(world / "corpus", tmp_path / "corpus"))
    shutil.copytree(world / "tokenizer", tmp_path / "tokenizer")
    for stage in ("tokenizer", "pack"):
        assert re.search(message, refused(*stages(tmp_path)[stage], "--output", tmp_path / "out"))


def change(**values):
    def damage(folder):
        lines = (folder / "test.jsonl").read_text().splitlines()
        record = json.loads(lines[2]) | values
        lines[2] = json.dumps({key: value for key, value in record.items() if value is not None})
        put(folder / "test.jsonl", "\n".join(lines) + "\n")

    return damage


INSTRUCTIONS = {
    "cut short": (cut("test.jsonl", 500), r"test\.jsonl:2: not valid JSON"),
    "empty": (text("test.jsonl", ""), r"test\.jsonl: the file is empty"),
    "gone": (gone("test.jsonl"), r"test\.jsonl: no such file"),
    "key gone": (change(output=None), r"test\.jsonl:3: text for \['output'\] is missing"),
    "number for text": (change(output=1), r"test\.jsonl:3: text for \['output'\] is missing"),
    "answer of no label": (change(output="maybe"), "the answer 'maybe' is not one of task 'core_promoter'"),
    "other sequence": (change(input="ACGT"), r"test_held_out\.jsonl: lacks row"),
    "task without file": (change(task="other"), r"other\.yaml: no such file"),
    "manifest gone": (gone("manifest.json"), "not a finished output of `dnahlm instructions build`"),
}


@pytest.mark.parametrize("case", INSTRUCTIONS)
def test_damaged_instructions_are_refused_by_evaluate(case, world, tmp_path, refused):
    damage, message = INSTRUCTIONS[case]
    damage(shutil.copytree(world / "instructions", tmp_path / "instructions"))
    ask = ("evaluate", "--model", world / "sft", "--instructions", tmp_path / "instructions")
    assert re.search(message, refused(*ask, "--output", tmp_path / "out"))

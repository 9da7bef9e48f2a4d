"""The harness's tasks: files that are kept up to date, rows and prompts that are ours, the same accuracy to the last row."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from dnahlm.evaluation.lm_eval import LmEvalConfig, run, scorable, write_tasks
from dnahlm.evaluation.lm_eval_rows import load
from dnahlm.inference.calibrate import calibrated
from dnahlm.inference.load import load as load_model
from dnahlm.inference.scorer import score
from dnahlm.io import InputError
from dnahlm.tasks.instructions import read_instructions
from dnahlm.tasks.prompt import encode, render_prompts, render_text
from dnahlm.tasks.spec import answers, load_task

ROOT = Path(__file__).parents[2]
TASK = "core_promoter"
SHIPPED = ROOT / "eval" / "lm_eval"


@pytest.fixture(scope="module")
def harness(world, tmp_path_factory):
    """The tasks of the small world, for the harness."""
    out = tmp_path_factory.mktemp("lm_eval") / "tasks"
    run(LmEvalConfig(output=str(out), tasks=[str(world / "instructions" / "tasks" / f"{TASK}.yaml")]))
    return out


@pytest.fixture
def words(world):
    return {
        "dnahlm_task": TASK,
        "answers": answers(load_task(str(world / "task.yaml"))),
        "instructions": str(world / "instructions"),
        "pretrained": str(world / "sft"),
    }


def test_the_shipped_files_are_what_the_command_writes(tmp_path):
    write_tasks(tmp_path, scorable())
    fresh = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {
        path.name: path.read_text() for path in SHIPPED.iterdir() if path.is_file() and path.name != "manifest.json"
    }
    assert kept == fresh, "rm -r eval/lm_eval && dnahlm tasks lm_eval --output eval/lm_eval"


def test_a_task_file_holds_the_answers_of_its_task(harness):
    text = (harness / f"{TASK}.yaml").read_text().replace("!function ", "")
    mapping = yaml.safe_load(text)
    assert mapping["task"] == f"dnahlm_{TASK}"
    assert mapping["dataset_kwargs"]["answers"] == ["non-promoter", "promoter"]
    assert mapping["tag"] == ["dnahlm", "dnahlm_simulated"]


def test_rows_in_the_chat_template_are_the_prompts_of_the_scorer(words, loaded):
    docs = load(**words)["test"]
    records = [r for r in read_instructions(Path(words["instructions"]) / "test.jsonl") if r["task"] == TASK]
    assert docs["id"] == [r["id"] for r in records]
    ours = render_prompts(loaded.tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    chats = [[{"role": "user", "content": question}] for question in docs["question"]]
    assert loaded.tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True) == ours
    assert [words["answers"][target] for target in docs["target"]] == [r["output"] for r in records]
    # The end of text, written out, becomes the very id the scorer appends.
    for prompt, choices in zip(ours, docs["choices"], strict=True):
        whole = [loaded.tokenizer(prompt + choice, add_special_tokens=False)["input_ids"] for choice in choices]
        prompts, completions = encode(loaded.tokenizer, [prompt] * len(choices), words["answers"])
        assert whole == [p + c for p, c in zip(prompts, completions, strict=True)]


def test_alpaca_rows_are_the_rendered_text_and_held_out_rows_other_phrasings(words):
    plain, held = load(**words, prompt="alpaca")["test"], load(**words, prompt="alpaca", rows="test_held_out")["test"]
    record = read_instructions(Path(words["instructions"]) / "test.jsonl")[0]
    assert plain["question"][0] == render_text(record["instruction"], record["input"])
    assert plain["id"] == held["id"]
    assert plain["question"] != held["question"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instructions": None}, "needs the rows and the model"),
        ({"dnahlm_task": "enhancer"}, "has no rows of task 'enhancer'"),
        ({"answers": ["no", "yes"]}, r"answers \['non-promoter', 'promoter'\] are none of task"),
        ({"rows": "tset"}, "Did you mean 'test'"),
        ({"prompt": "raw"}, "found 'raw'"),
    ],
)
def test_rows_that_cannot_be_asked_are_refused(words, change, message):
    with pytest.raises(InputError, match=message):
        load(**{**words, **change})


def test_a_prompt_that_does_not_fit_is_refused_not_cut(words, world, tmp_path):
    source = world / "instructions"
    record = read_instructions(source / "test.jsonl")[0]
    record["input"] *= 60  # 3,000 bases
    (tmp_path / "test.jsonl").write_text(json.dumps(record) + "\n")
    with pytest.raises(InputError, match="exceed the 512 tokens"):
        load(**{**words, "instructions": str(tmp_path)})


def test_a_task_that_cannot_be_scored_is_refused(world, tmp_path):
    text = re.sub(r"labels: .*\n", "decimals: 2\n", (world / "task.yaml").read_text())
    text = text.replace("kind: classification", "kind: regression").replace("[mcc, accuracy]", "[pearson]")
    regression = tmp_path / "number.yaml"
    regression.write_text(re.sub(r",? ?:? ?(Choose |Answer with |Say |Pick )?{options}", "", text))
    with pytest.raises(InputError, match="no fixed list"):
        run(LmEvalConfig(output=str(tmp_path / "out"), tasks=[str(regression)]))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["chat", "alpaca"])
def test_the_harness_reports_our_accuracy_to_the_last_row(harness, words, world, loaded, tmp_path, prompt):
    if not importlib.util.find_spec("lm_eval"):
        pytest.skip("lm_eval is not installed: pip install -e .[eval]")
    records = [r for r in read_instructions(world / "instructions" / "test.jsonl") if r["task"] == TASK]
    prompts = render_prompts(loaded.tokenizer, [r["instruction"] for r in records], [r["input"] for r in records])
    scores = score(loaded.model, loaded.tokenizer, prompts, words["answers"])
    sft = shutil.copytree(world / "sft", tmp_path / "sft")
    lean = float(np.median(scores[:, 0] - scores[:, 1]))  # a bias that decides the rows on one side of the middle
    (sft / "calibration.json").write_text(json.dumps({TASK: {"temperature": 2.0, "bias": [-lean / 4, lean / 4]}}))
    said = calibrated(load_model(sft), loaded.tasks[TASK], scores).argmax(axis=1)
    assert (said != scores.argmax(axis=1)).any()
    right = [words["answers"][k] == r["output"] for k, r in zip(said, records, strict=True)]
    assert 0 < sum(right) < len(right)
    command = [
        sys.executable, "-m", "lm_eval", "run", "--include_path", str(harness), "--tasks", f"dnahlm_{TASK}",
        "--model", "hf", "--model_args", f"pretrained={sft},dtype=float32", "--device", "cpu",
        "--batch_size", "7", "--output_path", str(tmp_path), "--log_samples",
        "--metadata", json.dumps({"instructions": str(world / "instructions"), "prompt": prompt}),
        *(["--apply_chat_template"] if prompt == "chat" else []),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    (results,) = tmp_path.rglob("results_*.json")
    figures = json.loads(results.read_text())["results"][f"dnahlm_{TASK}"]
    assert figures["acc,none"] == sum(right) / len(right)
    (samples,) = tmp_path.rglob("samples_*.jsonl")
    lines = sorted((json.loads(line) for line in samples.read_text().splitlines()), key=lambda line: line["doc_id"])
    assert [line["acc"] == 1.0 for line in lines] == right
    # Not only the winner: the distances between the answers are the scorer's. The line break before the answer is a
    # part of what the harness scores, and the same for all answers of a row.
    for line, row in zip(lines, scores, strict=True):
        theirs = [float(answer[0]) for answer in line["filtered_resps"]]
        assert theirs[1] - theirs[0] == pytest.approx(row[1] - row[0], abs=1e-3)

"""Two toy tasks, their rows, and a tiny model tuned on them for seconds: what the evaluation is tried on."""

import copy
import json
import random

import torch
import yaml

from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.prompt import encode, fill_phrasing, render_prompt

TASKS = {"toy_promoter": ["non-promoter", "promoter"], "toy_splice": ["donor", "acceptor", "neither"]}
RICH = {"non-promoter": "GC", "promoter": "AT", "donor": "GT", "acceptor": "AG", "neither": "CT"}
ASKED = 30  # test rows per task


def task_file(task):
    return {
        "id": task,
        "version": 1,
        "description": f"A toy task named {task}.",
        "citation": "none",
        "licence": "none",
        "simulated": task == "toy_splice",
        "source": {
            "format": "csv",
            "files": {s: f"{task}/{s}.csv" for s in ("train", "validation", "test")},
            "hold_out": {},
        },
        "columns": {"sequence": "sequence", "label": "label"},
        "kind": "classification",
        "labels": {str(k): answer for k, answer in enumerate(TASKS[task])},
        "alternative_labels": {str(k): [f"kind {k}"] for k in range(len(TASKS[task]))},
        "strand_symmetric": False,
        "window": {"bases": 0, "policy": "error"},
        "phrasings": [f"Question {i}: is it {{options}}?" for i in range(8)],
        "held_out_phrasings": [f"Tell me {i}: {{options}}." for i in range(3)],
        "metrics": ["mcc", "accuracy", "auroc"],
    }


def records(split, n, phrasing, seed):
    rng = random.Random(seed)
    rows = []
    for task, answers in TASKS.items():
        for i in range(n):
            label = rng.randrange(len(answers))
            rows.append(
                {
                    "id": f"{task}-{split}-{i}",
                    "task": task,
                    "split": split,
                    "instruction": fill_phrasing(phrasing, rng.sample(answers, len(answers))),
                    "input": "".join(rng.choices(RICH[answers[label]], k=32)),
                    "output": answers[label],
                    "label": str(label),
                    "phrasing": "held_out-0" if phrasing.startswith("Tell") else "train-0",
                    "strand": "+",
                    "source": f"{task}/{split}.csv:{i + 2}",
                    "clean": split != "test" or i % 3 > 0,
                }
            )
    return rows


def write_instructions(folder):
    (folder / "tasks").mkdir(parents=True)
    for task in TASKS:
        (folder / "tasks" / f"{task}.yaml").write_text(yaml.safe_dump(task_file(task), sort_keys=False))
    files = {
        "train": records("train", 90, "Question 0: is it {options}?", seed=1),
        "validation": records("validation", 10, "Question 0: is it {options}?", seed=2),
        "test": records("test", ASKED, "Question 0: is it {options}?", seed=3),
        "test_held_out": records("test", ASKED, "Tell me 0: {options}.", seed=3),
    }
    for name, rows in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tasks = dict.fromkeys(TASKS, 1)
    counts = {task: {"train": {"rows": 90}} for task in TASKS}
    write_manifest(folder, "instructions build", {"seed": 0}, StageClock(), {}, counts, tasks=tasks)
    return files


def tune(model, tokenizer, rows):
    """A few seconds of fitting on the answers, so that labels are worth scoring and texts end."""
    model = copy.deepcopy(model).train()
    prompts, answers = encode(
        tokenizer, [render_prompt(tokenizer, r["instruction"], r["input"]) for r in rows], [r["output"] for r in rows]
    )
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    rng = random.Random(0)
    for _ in range(80):
        chosen = rng.sample(range(len(rows)), 12)
        width = max(len(prompts[i]) + len(answers[i]) for i in chosen)
        ids = torch.full((len(chosen), width), tokenizer.pad_token_id)
        labels = torch.full_like(ids, -100)
        for b, i in enumerate(chosen):
            start, end = len(prompts[i]), len(prompts[i]) + len(answers[i])
            ids[b, :end] = torch.tensor(prompts[i] + answers[i])
            labels[b, start:end] = torch.tensor(answers[i])
        model(input_ids=ids, attention_mask=(ids != tokenizer.pad_token_id).long(), labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


def write_suite(folder, **keys):
    path = folder / "suite.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", "description": "mine", **keys}, sort_keys=False))
    return str(path)

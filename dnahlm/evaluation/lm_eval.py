"""The same tasks for lm-evaluation-harness: `dnahlm tasks lm_eval` writes one YAML per task and what they share.

The harness scores each answer, end of text included, after the very prompt the model was tuned on, as
`dnahlm.inference.scorer` does, and `process_results` adds the calibration, so both give the same accuracy.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.tasks.spec import TaskSpec, answers, has_fixed_answers, load_task, shipped_tasks

PREFIX = "dnahlm_"
ROWS = '''"""The rows of the tasks beside this file and what is right; the harness calls both."""

from dnahlm.evaluation.lm_eval_rows import load, process_results

__all__ = ["load", "process_results"]
'''
README = """\
# Tasks for lm-evaluation-harness

Written by `dnahlm tasks lm_eval`; to change a task, change its own YAML file and write this folder again.

The rows come from a folder of `dnahlm instructions build`, every answer is followed by the model's end of text, the
prompt is that of the model's chat template, and the calibration beside the weights counts, so `acc` is exactly what
`dnahlm evaluate` calls accuracy (scored):

```
lm-eval run --include_path eval/lm_eval --tasks dnahlm_core_promoter \\
  --model hf --model_args pretrained=runs/tiny/sft,dtype=float32 --apply_chat_template \\
  --metadata '{"instructions": "runs/tiny/instructions"}'
```

The instructions must hold rows of every task that is named; `--tasks dnahlm` names all of this folder. More keys of
`--metadata`:

| key | meaning |
|---|---|
| `instructions` | folder written by `dnahlm instructions build` (needed) |
| `rows` | `test` (default) or `test_held_out`: the same rows in phrasings that training never showed |
| `prompt` | `chat` (default, with `--apply_chat_template`) or `alpaca`: the Alpaca text itself, without that flag |

With neither `--apply_chat_template` nor `"prompt": "alpaca"` the model sees the bare question, which it was not tuned
on. A prompt longer than the model's context stops the run; the harness alone would cut it from the left. MCC is left
out because the harness would bootstrap it 100,000 times.
"""


@dataclass
class LmEvalConfig:
    """Options of `dnahlm tasks lm_eval`."""

    output: str = field(metadata={"help": "folder for the task files, such as eval/lm_eval"})
    tasks: list[str] = field(
        default_factory=list,
        metadata={"help": "ids of shipped tasks, or paths of task files; none = all that are shipped"},
    )
    overwrite: bool = field(default=False, metadata={"help": "replace the output once the new one is complete"})


def run(config: LmEvalConfig) -> dict[str, Any]:
    """Task files -> output/: <task>.yaml each, rows.py, README.md, manifest.json.

    Raises:
        InputError: unknown task, one whose answers are no fixed list, two of one id; output taken.
    """
    clock = StageClock()
    specs = [load_task(name) for name in config.tasks] or list(scorable())
    for spec in specs:
        answers(spec)  # refuses a task that cannot be scored
        if sum(other.id == spec.id for other in specs) > 1:
            raise InputError(f"tasks: id {spec.id!r} is there twice. Keep one, or give it another id.")
    with staged_folder(config.output, config.overwrite, [spec.path for spec in specs]) as part:
        write_tasks(part, specs)
        counts = {"tasks": len(specs)}
        manifest = write_manifest(part, "tasks lm_eval", config, clock, {spec.id: spec.path for spec in specs}, counts)
    print(
        f"wrote {len(specs)} tasks for lm-evaluation-harness -> {config.output}; README.md there says how to run them"
    )
    return manifest


def scorable() -> list[TaskSpec]:
    """The shipped tasks whose answers are a fixed list."""
    return [spec for spec in map(load_task, shipped_tasks()) if has_fixed_answers(spec)]


def write_tasks(folder: Path, specs: list[TaskSpec]) -> None:
    """Write the harness's files for some tasks."""
    for spec in specs:
        (folder / f"{spec.id}.yaml").write_text(task_yaml(spec), encoding="utf-8")
    (folder / "rows.py").write_text(ROWS, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")


def task_yaml(spec: TaskSpec) -> str:
    """One task as the harness reads it."""
    head = {"task": f"{PREFIX}{spec.id}", "tag": ["dnahlm", *(["dnahlm_simulated"] if spec.simulated else [])]}
    body = {
        "dataset_kwargs": {"dnahlm_task": spec.id, "answers": answers(spec)},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "question",
        "doc_to_choice": "choices",
        "doc_to_target": "target",
        "target_delimiter": "",
        "num_fewshot": 0,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": spec.version},
    }
    lines = [
        f"# {spec.description}",
        f"# Written by `dnahlm tasks lm_eval` from {spec.path.name}; see README.md.",
        yaml.safe_dump(head, sort_keys=False).rstrip(),
        "custom_dataset: !function rows.load",
        "process_results: !function rows.process_results",
        yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000).rstrip(),
    ]
    return "\n".join(lines) + "\n"

"""The task file beside built instructions: as it was, or with the words that this build writes as answers."""

import shutil
from pathlib import Path

import yaml

from dnahlm.config import load_yaml
from dnahlm.tasks.spec import TaskSpec


def write_task_file(spec: TaskSpec, path: Path) -> None:
    """Write the task of a build; scoring and prediction read the answers from there.

    Args:
        spec: its `labels` may be those of a wording, or the alternative ones; `path` is the file it came from.
        path: the copy.
    """
    mapping = load_yaml(spec.path)
    if mapping.get("labels", {}) == spec.labels:
        shutil.copyfile(spec.path, path)
        return
    # The standard words would be refused as new words, or stand beside a wording of the same words.
    mapping["labels"] = spec.labels
    mapping.pop("alternative_labels", None)
    text = yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(f"# Answers in the words of one build; the task itself is {spec.path.name}.\n{text}", "utf-8")

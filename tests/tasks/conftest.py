"""A task and its tables in a folder, written from a few rows."""

import json
import random

import pytest

from dnahlm.tasks.instructions import InstructionsConfig, run


class Desk:
    """Writes task files and tables, and builds them."""

    def __init__(self, root):
        self.root = root

    def dna(self, n, size=40, seed=0):
        rng = random.Random(seed)
        return ["".join(rng.choices("ACGT", k=size)) for _ in range(n)]

    def table(self, name, rows, header="sequence,label"):
        (self.root / name).write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")

    def task(self, name="mine", **changes):
        spec = {
            "id": name, "version": 1, "description": "made for a test", "citation": "none", "licence": "CC0-1.0",
            "source": {
                "format": "csv",
                "files": {"train": f"{name}_train.csv", "validation": f"{name}_dev.csv", "test": f"{name}_test.csv"},
            },
            "labels": {"0": "background", "1": "binding site"},
            "phrasings": [f"Question {i} about {name}? {{options}}." for i in range(8)],
            "held_out_phrasings": [f"New {i} about {name}? {{options}}." for i in range(3)],
            "metrics": ["mcc"],
        } | changes  # fmt: skip
        path = self.root / f"{name}.yaml"
        path.write_text(json.dumps(spec, indent=1))
        return path

    def filled(self, name="mine", n=40, seed=0, size=40, **changes):
        """A task with n train, 10 validation and 10 test rows, labels in turn."""
        rows = [(sequence, i % 2) for i, sequence in enumerate(self.dna(n + 20, size, seed))]
        for split, part in (("train", rows[:n]), ("dev", rows[n : n + 10]), ("test", rows[n + 10 :])):
            self.table(f"{name}_{split}.csv", part)
        return self.task(name, **changes)

    def build(self, *tasks, output="instructions", **settings):
        config = InstructionsConfig(
            tasks=[str(task) for task in tasks], data_root=str(self.root), output=str(self.root / output), **settings
        )
        manifest = run(config)
        splits = {}
        for path in (self.root / output).glob("*.jsonl"):
            splits[path.stem] = [json.loads(line) for line in path.read_text().splitlines()]
        return manifest, splits


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)

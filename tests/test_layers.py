"""The layer rule: imports point left, absolute, and torch stays right of the data rooms."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dnahlm"
LAYERS = ["readers", "tokenizer", "corpus", "tasks", "model", "training", "inference", "evaluation", "interface", "cli"]
GROUND = {"__init__", "errors", "io", "dna", "config", "values", "manifest", "pages", "yaml_file"}
FILES = sorted(PACKAGE.rglob("*.py"))


def layer(module: str) -> int:
    """0 for the ground floor, then the place in the list."""
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else "__init__"
    return 0 if name in GROUND else LAYERS.index("cli" if name == "__main__" else name) + 1


def imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write dnahlm.<folder>.<module>, not a relative import"
            names.append(node.module)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_left(path):
    own = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for name in imports(path):
        if name.split(".")[0] == "dnahlm":
            assert layer(name) <= own, f"{path} imports {name}: move the code left or pass the object in"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_torch_and_its_trainers_stay_right_of_the_data_rooms(path):
    own = layer(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own < layer("dnahlm.model"):
        heavy = {name.split(".")[0] for name in imports(path)} & {"torch", "peft", "accelerate", "deepspeed"}
        assert not heavy, f"{path} imports {heavy}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_one_room(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


def test_help_loads_no_heavy_library():
    code = "import sys, dnahlm.cli as c; c.main(['--help']); print(sorted({'torch','transformers','datasets'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_no_code_from_the_hub_is_ever_trusted():
    for path in [*FILES, *(ROOT / "recipes").rglob("*.py")]:
        assert "trust_remote_code=True" not in path.read_text(encoding="utf-8"), path

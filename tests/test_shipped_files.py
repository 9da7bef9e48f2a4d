"""Every YAML the package ships is loaded by the code that will read it."""

import re
from pathlib import Path

import pytest

from dnahlm.cli import COMMANDS
from dnahlm.config import check_flat_yaml, load_yaml
from dnahlm.evaluation.suite import load_suite
from dnahlm.interface.quickstart import PRETRAIN, SFT, STAGES
from dnahlm.tasks.spec import load_task

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").glob("*/[0-9]_*.yaml"))
ALL = sorted(path for folder in ("recipes", "data_templates", "eval") for path in (ROOT / folder).rglob("*.yaml"))
STAGE_OF = {file.split("_")[1]: what for what, file, _ in STAGES.values()}
STAGE_OF |= {"extend.yaml": "tokenizer extend", "fit.yaml": "model fit", "merge.yaml": "model merge"}
HEAD = "recipes/class_head.py"
STAGE_OF |= {"distill.yaml": "distill", "head.yaml": HEAD}


def schema(what):
    import importlib

    if what == PRETRAIN:
        from dnahlm.model.adapters import AdapterArguments
        from dnahlm.model.create import ModelArguments
        from dnahlm.training.pretrain import PretrainArguments, PretrainDataArguments

        return PretrainDataArguments, ModelArguments, PretrainArguments, AdapterArguments
    if what == SFT:
        from dnahlm.model.adapters import AdapterArguments
        from dnahlm.training.sft import SftArguments, SftDataArguments

        return SftDataArguments, AdapterArguments, SftArguments
    if what == HEAD:
        from dnahlm.training.class_head import HeadArguments, HeadDataArguments

        return HeadDataArguments, HeadArguments
    module, name, _ = COMMANDS[what]
    return (getattr(importlib.import_module(module), name),)


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_recipe_holds_only_keys_its_stage_knows(path):
    check_flat_yaml(path, schema(STAGE_OF[path.name.split("_")[1]]))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_recipe_opens_with_purpose_before_launch_and_override(path):
    head = path.read_text().splitlines()[:4]
    assert [line.split(":")[0] for line in head] == ["# Purpose", "# Before", "# Launch", "# Override"]


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("tiny*")), ids=lambda p: p.name)
def test_a_recipe_folder_has_every_stage_the_quickstart_chains(path):
    needed = {file for name, (_, file, _) in STAGES.items() if name != "simulate" or path.name == "tiny"}
    assert needed == {p.name for p in path.glob("*.yaml")}


@pytest.mark.parametrize("path", sorted((ROOT / "data_templates").rglob("*.yaml")), ids=lambda p: p.stem)
def test_a_shipped_task_loads(path):
    assert load_task(str(path)).id == path.stem


@pytest.mark.parametrize("path", sorted((ROOT / "eval" / "suites").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_shipped_suite_loads(path):
    assert load_suite(str(path)).name == path.stem


@pytest.mark.parametrize("path", sorted((ROOT / "recipes" / "accelerate").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_launch_file_is_one_accelerate_understands(path):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    if path.stem == "fsdp2":
        assert (config.fsdp_config["fsdp_version"], config.deepspeed_config) == (2, {})
    elif path.stem == "two_cpus":
        assert config.deepspeed_config == {}
    else:
        assert config.deepspeed_config["zero_stage"] in (1, 2, 3)


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_shipped_file_names_no_absolute_path(path):
    assert not re.search(r"['\" ]/(home|root|mnt|data|work|tmp)\b", path.read_text())
    if path.parent.name != "lm_eval":  # those have a tag of the harness, whose own test reads them
        assert load_yaml(path)


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_recipe_is_launched_by_the_line_in_its_header_and_by_its_run_script(path):
    name = str(path.relative_to(ROOT))
    what = STAGE_OF[path.name.split("_")[1]]
    launch = path.read_text().splitlines()[2]
    assert name in launch and (what if what.startswith("recipes/") else f"dnahlm {what}") in launch
    assert name in (path.parent / "run.sh").read_text()

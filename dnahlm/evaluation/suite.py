"""A suite: one YAML that says which tasks are measured, on how many rows, and beside which baselines."""

from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.config import build, did_you_mean, line_of, load_yaml
from dnahlm.evaluation.baselines import BASELINES
from dnahlm.io import InputError, shipped

SPLITS = ("validation", "test")


@dataclass
class Suite:
    """What `eval/suites/*.yaml` may say."""

    name: str
    description: str
    tasks: list[str] = field(default_factory=list)  # task ids; empty = every task with rows in the instructions
    split: str = "test"  # test | validation
    max_rows: int = 0  # rows per task, drawn by the seed, the same for every column; 0 = all
    generate: bool = True  # let the model also answer freely, and read the text strictly
    held_out_phrasing: bool = True  # ask the same rows again in words that no training row had
    baselines: list[str] = field(default_factory=lambda: list(BASELINES))
    baseline_train_rows: int = 0  # train rows per task the baselines see, drawn by the seed; 0 = all
    path: str = field(default="", init=False)  # the file it was read from


def suites() -> dict[str, Path]:
    """The suites that come with the package, by name."""
    return {path.stem: path for path in sorted(shipped("eval/suites").glob("*.yaml"))}


def load_suite(name_or_path: str) -> Suite:
    """Read and check a suite.

    Args:
        name_or_path: a shipped suite's name, or a YAML file (told by its ending or a slash).

    Raises:
        InputError: no such suite; an unknown key, split or baseline; a negative number.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml") and len(path.parts) == 1:
        if name_or_path not in suites():
            hint = did_you_mean(name_or_path, list(suites()))
            raise InputError(f"--suite {name_or_path}: no such suite. {hint} Or give the path of a YAML file.")
        path = suites()[name_or_path]
    suite = build(Suite, load_yaml(path), path)
    suite.path = str(path)
    check_suite(suite)
    return suite


def check_suite(suite: Suite) -> None:
    """Check the values that no type can check.

    Raises:
        InputError: naming the line.
    """

    def refuse(key: str, message: str) -> None:
        raise InputError(f"{suite.path}:{line_of(suite.path, key)}: {key}: {message}")

    if suite.split not in SPLITS:
        refuse("split", f"found {suite.split!r}. {did_you_mean(suite.split, SPLITS)} Train rows measure memory.")
    if suite.held_out_phrasing and suite.split != "test":
        refuse("held_out_phrasing", "only the test split is written with unseen phrasings. Set it to false.")
    for name in suite.baselines:
        if name not in BASELINES:
            refuse("baselines", f"unknown baseline {name!r}. {did_you_mean(name, list(BASELINES))}")
    for key in ("max_rows", "baseline_train_rows"):
        if getattr(suite, key) < 0:
            refuse(key, f"found {getattr(suite, key)}; it must be 0 (all rows) or more.")
    for task in suite.tasks:
        if suite.tasks.count(task) > 1:
            refuse("tasks", f"task {task!r} is listed twice. Keep one.")

"""A suite: one YAML that says which tasks are measured, in which ways, on how many rows, and beside what."""

from dataclasses import dataclass, field
from pathlib import Path

from dnahlm.config import build, did_you_mean, line_of, load_yaml
from dnahlm.evaluation.baselines.table import BASELINES
from dnahlm.io import InputError, shipped

SPLITS = ("validation", "test")
CONTROLS = ("shuffled", "no_dna", "option_order")


@dataclass
class Suite:
    """What `eval/suites/*.yaml` may say."""

    name: str
    description: str
    tasks: list[str] = field(default_factory=list)  # task ids; empty = every task with rows in the instructions
    split: str = "test"  # test | validation
    max_rows: int = 0  # rows per task, drawn by the seed, the same for every column; 0 = all
    generate: bool = True  # let the model also answer freely, and read the text strictly
    strands: bool = True  # ask strand-symmetric tasks on both strands
    held_out_phrasing: bool = True  # ask the same rows again in words that no training row had
    label_words: bool = False  # ask them again with other words for the labels (`alternative_labels` of the tasks)
    few_shot: list[int] = field(default_factory=list)  # ask them again with so many answered train rows in the prompt
    controls: list[str] = field(default_factory=list)  # shuffled | no_dna | option_order
    baselines: list[str] = field(default_factory=lambda: ["majority", "kmer_lr"])  # also markov | cnn
    baseline_train_rows: int = 0  # train rows per task the baselines see, drawn by the seed; 0 = all
    n_bootstrap: int = 2000  # resamples behind the 95 % intervals; 0 = no intervals
    path: str = field(default="", init=False)  # the file it was read from


def suites() -> dict[str, Path]:
    """The suites that come with the package, by name."""
    return {path.stem: path for path in sorted(shipped("eval/suites").glob("*.yaml"))}


def load_suite(name_or_path: str) -> Suite:
    """Read and check a suite.

    Args:
        name_or_path: a shipped suite's name, or a YAML file (told by its ending or a slash).

    Raises:
        InputError: no such suite; an unknown key, split, control or baseline; a negative number.
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
    for key, known in (("baselines", list(BASELINES)), ("controls", list(CONTROLS))):
        for name in getattr(suite, key):
            if name not in known:
                refuse(key, f"unknown {key.removesuffix('s')} {name!r}. {did_you_mean(name, known)}")
    for key in ("max_rows", "baseline_train_rows", "n_bootstrap"):
        if getattr(suite, key) < 0:
            refuse(key, f"found {getattr(suite, key)}; it must be 0 or more.")
    if any(k < 1 for k in suite.few_shot):
        refuse("few_shot", f"found {suite.few_shot}; each number of examples must be 1 or more.")
    for key in ("tasks", "baselines", "controls", "few_shot"):
        for name in getattr(suite, key):
            if getattr(suite, key).count(name) > 1:
                refuse(key, f"{key.removesuffix('s')} {name!r} is listed twice. Keep one.")

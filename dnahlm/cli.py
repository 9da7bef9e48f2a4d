"""`dnahlm <command>`: one table of commands in pipeline order; a command's code is imported only when it is called."""

import importlib
import sys
from collections.abc import Sequence

from dnahlm import __version__
from dnahlm.io import InputError, clear_errors, shipped

# command -> (module with `run`, its config class, what it does)
COMMANDS = {
    "quickstart": (
        "dnahlm.interface.quickstart",
        "QuickstartConfig",
        "the whole route, small, in minutes on a CPU",
    ),
    "simulate": (
        "dnahlm.tasks.simulate.run",
        "SimulateConfig",
        "write a simulated organism: genome, labelled tables",
    ),
    "corpus build": ("dnahlm.corpus.build", "CorpusConfig", "FASTA + English text -> mixed corpus, or a shard of it"),
    "corpus merge": ("dnahlm.corpus.merge", "CorpusMergeConfig", "shards of a corpus -> the corpus"),
    "tokenizer train": (
        "dnahlm.tokenizer.train",
        "TokenizerConfig",
        "corpus -> one tokenizer for both: BPE, characters, k-mers",
    ),
    "tokenizer report": (
        "dnahlm.tasks.tokenizer_report.run",
        "TokenizerReportConfig",
        "tokenizers side by side: cost of DNA and English, borders, stability, round trip",
    ),
    "tokenizer extend": (
        "dnahlm.tokenizer.extend",
        "ExtendConfig",
        "a published model's tokenizer + corpus -> the same with DNA tokens",
    ),
    "corpus pack": ("dnahlm.corpus.pack", "PackConfig", "corpus + tokenizer -> blocks of token ids"),
    "model fit": (
        "dnahlm.model.fit",
        "FitConfig",
        "published checkpoint + tokenizer -> a checkpoint with rows for it",
    ),
    "model merge": ("dnahlm.model.merge", "MergeConfig", "LoRA adapter -> an ordinary checkpoint"),
    "pairs dna": ("dnahlm.tasks.pairs.dna", "DnaPairsConfig", "FASTA -> pairs of similar and unrelated DNA windows"),
    "pairs coding": (
        "dnahlm.tasks.pairs.coding",
        "CodingPairsConfig",
        "coding sequences -> pairs of a DNA window and the protein it codes, or not",
    ),
    "tasks list": ("dnahlm.tasks.catalogue", "ListConfig", "the tasks that come with the package"),
    "tasks inspect": (
        "dnahlm.tasks.inspect",
        "InspectConfig",
        "task files + tables -> counts, lengths, leaks, three prompts",
    ),
    "tasks validate": ("dnahlm.tasks.validate", "ValidateConfig", "every problem of task files and their tables"),
    "tasks lm_eval": (
        "dnahlm.evaluation.lm_eval",
        "LmEvalConfig",
        "task files -> the same tasks for lm-evaluation-harness",
    ),
    "instructions build": (
        "dnahlm.tasks.instructions",
        "InstructionsConfig",
        "task files + tables -> Alpaca instructions",
    ),
    "distill": (
        "dnahlm.evaluation.distill",
        "DistillConfig",
        "instructions -> the same train rows and new ones, answered by a small CNN for each task",
    ),
    "evaluate": (
        "dnahlm.evaluation.protocol",
        "EvaluateConfig",
        "tuned model + suite -> scores, report.html",
    ),
    "report compare": (
        "dnahlm.evaluation.compare.run",
        "CompareConfig",
        "two evaluations, or two models of one -> paired tests per task",
    ),
    "predict": ("dnahlm.inference.predict", "PredictConfig", "tuned model + FASTA or CSV -> labels with probabilities"),
    "chat": ("dnahlm.interface.chat", "ChatConfig", "ask a tuned model about a sequence in the terminal"),
}
# command -> the option whose values may stand right behind the command: `dnahlm tasks inspect my_task.yaml`
FIRST = {"tasks inspect": "--tasks", "tasks validate": "--tasks", "report compare": "--evaluations"}


def help_text() -> str:
    """What `dnahlm --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {entry[2]}" for name, entry in COMMANDS.items()]
    return "\n".join(
        [
            f"dnahlm {__version__}: language models over mixed DNA and English. Not a clinical or diagnostic tool.",
            "",
            "usage: dnahlm <command> [--config file.yaml] [--key value ...]      dnahlm <command> --help",
            "",
            *lines,
            "",
            "Training stages are scripts, so that they launch on one process or many:",
            "  python recipes/pretrain.py --config <recipe>           python recipes/sft.py --config <recipe>",
            "  accelerate launch --config_file recipes/accelerate/cpu.yaml recipes/pretrain.py --config <recipe>",
            "",
            f"recipes:     {shipped('recipes')}",
            f"task files:  {shipped('data_templates') / 'tasks'}",
            f"suites:      {shipped('eval/suites')}",
        ]
    )


def find_command(args: Sequence[str]) -> tuple[str, list[str]]:
    """Split the command line into the command's name (one or two words) and the rest.

    Raises:
        InputError: no such command.

    >>> find_command(["corpus", "build", "--seed", "1"])
    ('corpus build', ['--seed', '1'])
    """
    for words in (2, 1):
        name = " ".join(args[:words])
        if len(args) >= words and name in COMMANDS:
            return name, list(args[words:])
    from dnahlm.config import did_you_mean

    said = " ".join(word for word in args[:2] if not word.startswith("-"))
    group = [name for name in COMMANDS if name.startswith(f"{said} ")]  # `dnahlm corpus`, whose second word is missing
    hint = f"Did you mean {' or '.join(map(repr, group))}?" if group else did_you_mean(said, list(COMMANDS))
    raise InputError(f"no command {said!r}. {hint} `dnahlm --help` lists them all.")


def main(args: Sequence[str] | None = None) -> None:
    """Run one command; user errors end in one message and exit status 2."""
    args = list(sys.argv[1:] if args is None else args)
    with clear_errors():
        if not args or args[0] in ("-h", "--help", "help"):
            print(help_text())
            return
        if args[0] == "--version":
            print(f"dnahlm {__version__}")
            return
        name, rest = find_command(args)
        if name in FIRST and rest and not rest[0].startswith("-"):
            rest = [FIRST[name], *rest]
        from dnahlm.config import parse

        module = importlib.import_module(COMMANDS[name][0])
        (config,) = parse((getattr(module, COMMANDS[name][1]),), rest, f"dnahlm {name}")
        module.run(config)

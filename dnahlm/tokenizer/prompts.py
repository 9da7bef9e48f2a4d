"""The words every question repeats: the prompt template and the task files, as text to train a tokenizer on."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from dnahlm.io import InputError, shipped
from dnahlm.tokenizer.wrap import chat_template

Prompts: TypeAlias = list[tuple[str, int]]  # text, and the number of times it counts


def prompt_files(tasks: list[str]) -> list[str]:
    """The texts of task files: of these (shipped ids or paths), or of all shipped ones.

    Raises:
        InputError: no such task.
    """
    shipped_files = {path.stem: path for path in sorted((shipped("data_templates") / "tasks").glob("*.yaml"))}
    paths = [shipped_files.get(name, Path(name)) for name in tasks] or list(shipped_files.values())
    for path in paths:
        if not path.is_file():
            raise InputError(f"tasks: {path} is neither a shipped task nor a file. `dnahlm tasks list` names them.")
    return [path.read_text(encoding="utf-8") for path in paths]


def prompt_texts(share: float, tasks: list[str], characters: float) -> Prompts:
    """The shipped prompt template and task files, each with the number of times that make them `share` of all text.

    Without it, a question in a small vocabulary costs more tokens than the sequence it asks about.

    Args:
        share: of the characters, from 0 to below 1.
        tasks: texts of the task files.
        characters: of the corpus.
    """
    wanted = share / (1 - share) * characters
    # Half of it is the template: its words are in every question.
    return [(text, round(wanted / 2 / sum(map(len, texts)))) for texts in ([chat_template()], tasks) for text in texts]


def repeated(texts: Prompts) -> Iterator[str]:
    """Each text as often as it counts."""
    return (text for text, times in texts for _ in range(times))

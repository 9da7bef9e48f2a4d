"""What a model answered, kept way by way beside the output, so that an evaluation that was stopped goes on behind it.

Each file of `eval.answers/` is named by a hash of everything its answers depend on: weights, tokenizer and the very
prompts. So nothing has to be compared: what a changed model, suite or template asks anew has another name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnahlm.inference.fingerprint import weights_hash
from dnahlm.inference.load import Loaded
from dnahlm.inference.parallel import is_main, wait
from dnahlm.io import InputError, part_of, real, remove, require_free
from dnahlm.tokenizer.load import fingerprint


@dataclass
class KeptAnswers:
    """The answers of one model."""

    folder: Path
    model: list[str]  # hashes of its weights and its tokenizer

    @classmethod
    def of(cls, folder: Path, loaded: Loaded) -> KeptAnswers:
        """Those of a model that has been opened."""
        return cls(folder, [weights_hash(loaded), fingerprint(loaded.tokenizer)])

    def get(self, question: Any, compute: Callable[[], Any]) -> Any:
        """What was answered to a question before, else what is computed now; question and answer as JSON."""
        text = json.dumps([self.model, question])
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
        answer = compute()
        if is_main():
            fresh = path.with_suffix(".new")
            try:
                fresh.write_text(json.dumps(answer), encoding="utf-8")
            except OSError:
                remove(fresh)
                raise
            fresh.replace(path)
        return answer


def answers_of(output: str | Path) -> Path:
    """Where the answers of an evaluation are kept until it is complete.

    >>> answers_of("runs/eval").name
    'eval.answers'
    """
    path = real(Path(output))
    return path.with_name(path.name + ".answers")


def check_output(output: str | Path, overwrite: bool, resume: bool) -> None:
    """Refuse an output that is taken, and answers of an earlier run that nobody said what to do with.

    Raises:
        InputError: saying what is there and which option goes on.
    """
    if resume and overwrite:
        raise InputError("resume: goes on with what is there, and --overwrite discards it; give one of the two.")
    folder = answers_of(output)
    if folder.is_dir() and not overwrite:
        if not resume:
            raise InputError(
                f"{folder}: answers of a run that was stopped, or of one still running. Pass --resume to go on behind "
                "them, or --overwrite to start again."
            )
        remove(part_of(Path(output)))  # nothing in it that is not made again
    require_free(Path(output), overwrite)


@contextlib.contextmanager
def kept_answers(output: str | Path, resume: bool) -> Iterator[Path]:
    """The folder for `KeptAnswers`; it goes when the block ends well, and stays when it does not."""
    folder = answers_of(output)
    if is_main():
        if not resume:
            remove(folder)
        folder.mkdir(parents=True, exist_ok=True)
    wait()  # no process takes what another is about to discard
    try:
        yield folder
    except BaseException:
        n_kept = len(list(folder.glob("*.json"))) if is_main() else 0
        if n_kept:
            print(f"{folder}: {n_kept} answered ways are kept; the same command with --resume goes on behind them",
                  file=sys.stderr)  # fmt: skip
        elif is_main():
            remove(folder)
        raise
    if is_main():
        remove(folder)

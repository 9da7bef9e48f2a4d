"""What training costs in English: bits per byte of the same held-out text before and after."""

from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dnahlm.io import InputError
from dnahlm.manifest import FILE_NAME, read_json, read_manifest
from dnahlm.model.create import context_of
from dnahlm.model.english import LONGEST_WINDOW, bits_per_byte, sample
from dnahlm.model.fit import english_of

ROWS = {
    "starting_checkpoint": "the starting checkpoint",
    "before_training": "before training",
    "after_training": "after training",
}


class Forgetting:
    """Measures English at the start and the end of a run.

    Args:
        texts: held-out English, none to measure nothing.
        tokenizer: the model's.
        window: tokens seen at once.
    """

    def __init__(self, texts: list[str], tokenizer: PreTrainedTokenizerFast, window: int) -> None:
        self.texts, self.tokenizer, self.window = texts, tokenizer, window
        self.figures: dict[str, Any] = {}

    def measure(self, model: PreTrainedModel, moment: str, gather: bool = True) -> None:
        """Note the bits per byte of the model as it is; every process of a launch must call this.

        Args:
            model: with all its weights in float32.
            moment: a key of `ROWS`.
            gather: see `bits_per_byte`.
        """
        if self.texts:
            every = len(self.tokenizer)
            bits = bits_per_byte(model, self.tokenizer, self.texts, every, self.window, gather)
            self.figures |= {"english_bytes": sum(len(t.encode()) for t in self.texts), moment: bits["all_tokens"]}


def held_out_english(checkpoint: str, corpus: str | None) -> list[str]:
    """English of a corpus that no training saw: of the one named, or of the one a checkpoint was pretrained on.

    Args:
        checkpoint: folder whose manifest leads to its corpus; without one, or where that has gone, nothing is found.
        corpus: folder written by `dnahlm corpus build`; None = look in the manifest.

    Raises:
        InputError: a corpus was named and holds no held-out English.
    """
    if corpus:
        read_manifest(corpus, "corpus build")
        if not (texts := sample(english_of(corpus))):
            raise InputError(f"{corpus}: holds no held-out English to measure. Name a corpus that does, or none.")
        return texts
    for place in places_of(read_json(Path(checkpoint) / FILE_NAME) or {}, "corpus build"):
        if (Path(place) / "validation").is_dir() and (texts := sample(english_of(place))):
            return texts
    return []


def places_of(manifest: dict[str, Any], stage: str) -> list[str]:
    """Folders that a stage of the chain of a manifest wrote, the nearest first."""
    found: list[str] = []
    for entry in manifest.get("inputs", {}).values():
        inner = entry.get("manifest") or {}
        found += [entry["path"]] if inner.get("stage") == stage else []
        found += places_of(inner, stage)
    return found


def window_of(model: PreTrainedModel) -> int:
    """Tokens the measure lets a model see at once."""
    return min(context_of(model), LONGEST_WINDOW)


def forgetting_table(figures: dict[str, Any]) -> str:
    """The figures as lines for the terminal, the difference made by training last; empty where there are none.

    >>> print(forgetting_table({"english_bytes": 900, "before_training": 1.25, "after_training": 1.5}))
    English, bits per byte on 900 held-out bytes:
      before training            1.2500
      after training             1.5000  (+0.2500)
    """
    if not figures:
        return ""
    lines = [f"English, bits per byte on {figures['english_bytes']:,} held-out bytes:"]
    lines += [f"  {words:<25}{figures[key]:8.4f}" for key, words in ROWS.items() if key in figures]
    return "\n".join(lines) + f"  ({figures['after_training'] - figures['before_training']:+.4f})"


def why_none(start: str) -> str:
    """Why there is no figure of forgetting for a run that began at `start`."""
    if start == "scratch":
        return "trained from scratch: no earlier English to forget"
    return "no held-out English was at hand to measure what was forgotten"

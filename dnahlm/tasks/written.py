"""What a written text says, for tasks whose answers are no fixed list: sets of labels, numbers, codes of levels."""

import math
import re
from typing import Any

from dnahlm.tasks.kinds import options
from dnahlm.tasks.spec import TaskSpec

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def read_answer(spec: TaskSpec, text: str) -> Any:
    """What an answer says: a set of words, a number, or a tuple of levels; None when it is no answer of the task.

    A set may name its words in any order, none twice; the word for "none of them" stands alone.
    """
    if spec.kind == "regression":
        return float(text) if _NUMBER.fullmatch(text) and math.isfinite(float(text)) else None
    if spec.kind == "hierarchical":
        levels = tuple(text.split("."))
        return levels if len(levels) == spec.levels and all(levels) and not re.search(r"\s", text) else None
    if text == spec.none_label:
        return frozenset()
    words = text.split(", ")
    known = set(options(spec)) - {spec.none_label}
    return frozenset(words) if set(words) <= known and len(set(words)) == len(words) else None

"""The question of an instruction record taken apart, so that the same row can be asked with other words or order."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from dnahlm.tasks.prompt import OPTIONS_FIELD, fill_phrasing
from dnahlm.tasks.spec import TaskSpec

EXAMPLES = "\nExamples:\n"  # as `dnahlm instructions build --examples` writes them


class Question(NamedTuple):
    """An instruction: a phrasing with `{options}`, the order in which the answers are listed, what comes behind it."""

    phrasing: str
    order: list[int]
    behind: str

    def write(self, words: Sequence[str], order: Sequence[int] | None = None) -> str:
        """The instruction with these words for the answers, in this order (None = its own)."""
        listed = [words[k] for k in (self.order if order is None else order)]
        return fill_phrasing(self.phrasing, listed) + self.behind


def bare(text: str) -> str:
    """A text without signs and capitals, by which the same words are known again.

    >>> bare("Is it, {options}?") == bare("is it {options}"), bare("+")
    (True, '+')
    """
    return " ".join(re.findall(r"\w+", text.casefold())) or text


def phrasing_of(spec: TaskSpec, record: dict) -> str | None:
    """The text of the task file that a record's question was made from, None when the file has no such phrasing."""
    group, _, number = record["phrasing"].rpartition("-")
    if group == "wording" and number in spec.wordings:
        return spec.wordings[number].phrasing
    known = {"train": spec.phrasings, "held_out": spec.held_out_phrasings}.get(group, [])
    return known[int(number)] if number.isdecimal() and int(number) < len(known) else None


def take_apart(spec: TaskSpec, record: dict, options: Sequence[str]) -> Question | None:
    """Find the listed answers in a record's instruction; None when it is not the phrasing it names.

    A wording taken over literally lists no answers of ours and gives None too.
    """
    phrasing = phrasing_of(spec, record)
    if phrasing is None or OPTIONS_FIELD not in phrasing:
        return None
    before, after = phrasing.split(OPTIONS_FIELD)
    start = len(before)
    end = start + len(fill_phrasing(OPTIONS_FIELD, options))  # any order is equally long
    instruction = record["instruction"]
    order = listed_order(instruction[start:end], options)
    if order is None or instruction[:start] != before or not instruction[end:].startswith(after):
        return None
    return Question(phrasing, order, instruction[end + len(after) :])


def listed_order(listed: str, options: Sequence[str]) -> list[int] | None:
    """The order in which a list such as `a, b or c` names the options; None when it names others.

    >>> listed_order("neither, donor or acceptor", ["donor", "acceptor", "neither"])
    [2, 0, 1]
    """

    def walk(at: int, left: tuple[int, ...]) -> list[int] | None:
        if not left:
            return [] if at == len(listed) else None
        for k in left:
            rest = tuple(other for other in left if other != k)
            word = options[k] + {0: "", 1: " or "}.get(len(rest), ", ")
            if listed.startswith(word, at) and (found := walk(at + len(word), rest)) is not None:
                return [k, *found]
        return None

    return walk(0, tuple(range(len(options))))

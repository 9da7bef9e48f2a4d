"""One row of `predict`'s table per question: by the likeliest of fixed answers, or by what the model writes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from dnahlm.inference.classify import WRITTEN_TOKENS, classify, task_prompt
from dnahlm.inference.generator import generate
from dnahlm.inference.load import Loaded
from dnahlm.inference.queries import Query, query_input
from dnahlm.io import InputError
from dnahlm.tasks.kinds import require_levels
from dnahlm.tasks.spec import TaskSpec, answers

ABSTAIN = "abstain"  # the label of a row whose best answer is less probable than asked for
VALID = {True: "valid", False: "invalid"}


class Answerer(ABC):
    """Makes the label and the columns that follow it, for a chunk of questions."""

    columns: list[str]
    counted = 0  # the cell whose values are counted

    @abstractmethod
    def answer(self, queries: Sequence[Query]) -> list[tuple[list[str], list[str]]]:
        """For each of N questions: the cells of `columns`, the label first, and notes."""


class Scored(Answerer):
    """The most probable of a task's answers, or none when it is not probable enough."""

    def __init__(
        self, loaded: Loaded, spec: TaskSpec, ensemble: Sequence[str], min_confidence: float, batch_tokens: int | None
    ) -> None:
        self.loaded, self.spec, self.ensemble = loaded, spec, ensemble
        self.min_confidence, self.batch_tokens = min_confidence, batch_tokens
        self.columns = ["label", "probability", *(f"p({answer})" for answer in answers(spec))]

    def answer(self, queries: Sequence[Query]) -> list[tuple[list[str], list[str]]]:
        """Label, its probability, the probability of each answer."""
        inputs = [query_input(self.spec, query) for query in queries]
        shares = classify(self.loaded, self.spec, inputs, self.batch_tokens, self.ensemble)
        rows = []
        for p in shares:
            best = int(p.argmax())
            label = answers(self.spec)[best] if p[best] >= self.min_confidence else ABSTAIN
            rows.append(([label, f"{p[best]:.6f}", *(f"{x:.6f}" for x in p)], []))
        return rows


class Written(Answerer):
    """What the model writes, when it is an answer of the task and ends; for kinds whose answers are no list."""

    counted = 1  # numbers are as many as rows

    def __init__(self, loaded: Loaded, spec: TaskSpec) -> None:
        self.loaded, self.spec = loaded, spec
        self.columns = ["label", "valid"]

    def answer(self, queries: Sequence[Query]) -> list[tuple[list[str], list[str]]]:
        """Label and whether it is one; a note tells what else was written."""
        prompts = [task_prompt(self.loaded, self.spec, query_input(self.spec, query)) for query in queries]
        rows = []
        for found in generate(self.loaded.model, self.loaded.tokenizer, prompts, WRITTEN_TOKENS):
            valid = found.stopped and is_answer(self.spec, found.text)
            text = " ".join(found.text.split())[:80]
            notes = [] if valid else [f"wrote {text!r}{'' if found.stopped else ' and did not stop'}"]
            rows.append(([found.text if valid else "", VALID[valid]], notes))
        return rows


def is_answer(spec: TaskSpec, text: str) -> bool:
    """Whether a text is an answer of a task whose answers are no fixed list: a number, labels, a code of levels."""
    if spec.kind == "regression":
        try:
            return math.isfinite(float(text))
        except ValueError:
            return False
    if spec.kind == "multilabel":
        parts = text.split(", ")
        return text == spec.none_label or (len(set(parts)) == len(parts) and set(parts) <= set(spec.labels.values()))
    try:
        require_levels(spec, text, "")
    except InputError:
        return False
    return True

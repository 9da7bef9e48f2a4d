"""One row of `predict`'s table per question: by the likeliest of fixed answers, or by what the model writes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from dnahlm.inference.classify import WRITTEN_TOKENS, classify, task_prompt
from dnahlm.inference.generator import generate
from dnahlm.inference.label_sets import set_shares, set_texts
from dnahlm.inference.load import Loaded
from dnahlm.inference.queries import Query, query_input
from dnahlm.inference.scorer import score
from dnahlm.tasks.spec import TaskSpec, answers
from dnahlm.tasks.written import read_answer

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
        return [(cells(answers(self.spec), p, p, self.min_confidence), []) for p in shares]


class ScoredSets(Answerer):
    """The most probable set of labels, or none when it is not probable enough."""

    def __init__(self, loaded: Loaded, spec: TaskSpec, min_confidence: float, batch_tokens: int | None) -> None:
        self.loaded, self.spec, self.texts = loaded, spec, set_texts(spec)
        self.min_confidence, self.batch_tokens = min_confidence, batch_tokens
        self.columns = ["label", "probability", *(f"p({label})" for label in spec.labels.values())]

    def answer(self, queries: Sequence[Query]) -> list[tuple[list[str], list[str]]]:
        """The set, its probability, and of each label the probability of all sets that hold it."""
        model, tokenizer = self.loaded.model, self.loaded.tokenizer
        prompts = [task_prompt(self.loaded, self.spec, query_input(self.spec, query)) for query in queries]
        scores = score(model, tokenizer, prompts, self.texts, self.batch_tokens)
        rows = zip(*set_shares(self.spec, scores), strict=True)
        return [(cells(self.texts, of_sets, of_labels, self.min_confidence), []) for of_sets, of_labels in rows]


def cells(labels: Sequence[str], p: np.ndarray, shown: np.ndarray, min_confidence: float) -> list[str]:
    """The likeliest of the labels, its probability, and the probabilities shown; `abstain` when it is not likely."""
    best = int(p.argmax())
    return [labels[best] if p[best] >= min_confidence else ABSTAIN, *(f"{x:.6f}" for x in (p[best], *shown))]


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
            valid = found.stopped and read_answer(self.spec, found.text) is not None
            text = " ".join(found.text.split())[:80]
            notes = [] if valid else [f"wrote {text!r}{'' if found.stopped else ' and did not stop'}"]
            rows.append(([found.text if valid else "", VALID[valid]], notes))
        return rows

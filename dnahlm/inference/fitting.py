"""A question fitted to what its task takes and the model can see: whole, refused, or cut to its middle and noted."""

from dataclasses import dataclass, replace

from dnahlm.inference.classify import room_for_prompt, task_bases_that_fit, task_prompt
from dnahlm.inference.load import Loaded
from dnahlm.inference.queries import Query, query_input
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.spec import PAIR_KINDS, TaskSpec

ADVICE = "Shorten it, or pass --too_long center to ask about its middle bases only."
SLACK = 8  # tokens at the borders of a sequence that the empty prompt does not have


@dataclass(frozen=True)
class Fitter:
    """Fits queries of one task to its window and to the model's context."""

    loaded: Loaded
    spec: TaskSpec
    too_long: str  # error | center
    room: int  # tokens the prompt may have
    frame: int  # tokens of a prompt with one base

    @classmethod
    def of(cls, loaded: Loaded, spec: TaskSpec, too_long: str) -> "Fitter":
        """The fitter of a task, whose question is measured once."""
        prompt = task_prompt(loaded, spec, "A")  # without any input the template leaves its heading out
        frame = len(loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        return cls(loaded, spec, too_long, room_for_prompt(loaded, spec), frame)

    def fit(self, query: Query) -> Query:
        """Apply the task's window policy and `too_long`; what is cut is noted in the row.

        Raises:
            InputError: too long for the task or the model, and `too_long` is `error`; a pair too long for the model.
        """
        query = self.windowed(query)
        if self.surely_fits(query):
            return query
        if self.spec.kind in PAIR_KINDS:
            self.require_pair_fits(query)
            return query
        fit = task_bases_that_fit(self.loaded, self.spec, query.sequence)
        if fit is None:
            return query
        if self.too_long == "error":
            raise InputError(
                f"{query.where}: {len(query.sequence):,} bases are too long for this model with task {self.spec.id}: "
                f"about {fit:,} bases fit into its {context_of(self.loaded.model):,} tokens. {ADVICE}"
            )
        trained = self.loaded.task_facts.get(self.spec.id, {}).get("max_bases", fit)
        query = center(query, min(trained, fit))
        while task_bases_that_fit(self.loaded, self.spec, query.sequence) is not None:
            query = center(query, len(query.sequence) * 19 // 20)  # the middle may need more tokens per base
        return query

    def surely_fits(self, query: Query) -> bool:
        """Whether it fits even if every letter were a token, and every name of a pair's line."""
        letters = len(query_input(self.spec, query))
        return self.frame + letters + SLACK <= self.room

    def windowed(self, query: Query) -> Query:
        """The query within the task's window."""
        window = self.spec.window
        longest = max(len(query.sequence), len(query.second))
        if not window.bases or longest <= window.bases:
            return query
        if "center" not in (window.policy, self.too_long):
            raise InputError(
                f"{query.where}: {longest:,} bases; task {self.spec.id} takes at most {window.bases:,}. {ADVICE}"
            )
        return center(query, window.bases)

    def require_pair_fits(self, query: Query) -> None:
        """Raise `InputError` when a pair exceeds the context; which of its sequences to cut is not ours to say."""
        prompt = task_prompt(self.loaded, self.spec, query_input(self.spec, query))
        tokens = len(self.loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        if tokens > self.room:
            raise InputError(
                f"{query.where}: {query.used_bases:,} bases and {len(query.protein):,} residues are too long for this "
                f"model with task {self.spec.id}: {tokens:,} tokens with the question, and {self.room:,} fit. Shorten "
                "them; a pair is only cut to the window of its task."
            )


def center(query: Query, bases: int) -> Query:
    """The middle `bases` bases of a query, of a pair of each of its DNA sequences, with a note that says so.

    Raises:
        InputError: no base would be left.
    """
    if bases < 1:
        raise InputError(f"{query.where}: the question alone fills the model's context; no base fits beside it.")
    query = replace(query, sequence=middle(query.sequence, bases), second=middle(query.second, bases))
    notes = tuple(note for note in query.notes if not note.startswith("middle "))
    return replace(query, notes=(*notes, f"middle {query.used_bases:,} of {query.n_bases:,} bases used"))


def middle(sequence: str, bases: int) -> str:
    """The middle of a sequence, all of a shorter one.

    >>> middle("AACCGGTT", 4), middle("AC", 4)
    ('CCGG', 'AC')
    """
    start = max(0, (len(sequence) - bases) // 2)
    return sequence[start : start + bases]


def length_note(loaded: Loaded, spec: TaskSpec, query: Query) -> list[str]:
    """A note when what is asked about is shorter or longer than what the model was tuned on."""
    facts = loaded.task_facts.get(spec.id)
    if not facts or facts["min_bases"] <= query.used_bases <= facts["max_bases"]:
        return []
    return [f"outside the {facts['min_bases']}-{facts['max_bases']} bases seen in tuning"]

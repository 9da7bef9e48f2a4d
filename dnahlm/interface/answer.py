"""One answered question: which task it is, the probability of each label, and what the model writes."""

from collections.abc import Callable
from dataclasses import dataclass

from dnahlm.inference.classify import bases_that_fit, classify, require_fits
from dnahlm.inference.generator import Generated, stream
from dnahlm.inference.load import Loaded
from dnahlm.interface.matching import Match, match_task
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.prompt import refuse_reserved, user_content
from dnahlm.tasks.spec import answers, asks_one_sequence

LEAST_NEW_TOKENS = 8  # an answer shorter than this may not hold a label
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Answer:
    """What the model wrote, whether it ended by itself, and the label probabilities if a tuned task was asked."""

    text: str
    stopped: bool
    task: str | None = None
    probabilities: dict[str, float] | None = None  # answer -> calibrated probability, in the order of the task

    @property
    def label(self) -> str | None:
        """The most probable answer of the task, None without a task."""
        return max(self.probabilities, key=self.probabilities.__getitem__) if self.probabilities else None


def answer_once(loaded: Loaded, question: str, sequence: str, max_new_tokens: int = 48) -> Answer:
    """Answer one question about one normalized sequence, without any conversation before it.

    Raises:
        InputError: the sequence is too long for the model.
    """
    match = match_question(loaded, question, sequence)
    probabilities = task_probabilities(loaded, match, question, sequence)
    prompt, n_new, _ = fit_conversation(loaded, [], question, sequence, max_new_tokens)
    written = write(loaded, prompt, n_new, lambda piece: None)
    return Answer(written.text, written.stopped, match.task.id if match else None, probabilities)


def match_question(loaded: Loaded, question: str, sequence: str | None) -> Match | None:
    """The tuned task a question means, if any."""
    tasks = {name: spec for name, spec in loaded.tasks.items() if asks_one_sequence(spec)}
    return match_task(question, tasks, loaded.task_facts, len(sequence) if sequence else None)


def task_probabilities(
    loaded: Loaded, match: Match | None, question: str, sequence: str | None
) -> dict[str, float] | None:
    """Probability of each answer of the matched task; None without task or sequence.

    A question in the task's own words is put as it stands and on the given strand, so that the probabilities are those
    of what the model is about to write; any other is put in the task's first phrasing, which the model was tuned on.

    Raises:
        InputError: the sequence is too long for the model.
    """
    if match is None or sequence is None:
        return None
    asked, ensemble = (question, ()) if match.in_its_words else (None, None)
    require_fits(loaded, match.task, sequence, "your sequence", "Give a shorter one.", asked)
    shares = classify(loaded, match.task, [sequence], ensemble=ensemble, instruction=asked)[0]
    return dict(zip(answers(match.task), shares.tolist(), strict=True))


def fit_conversation(
    loaded: Loaded, history: Messages, question: str, sequence: str | None, max_new_tokens: int
) -> tuple[str, int, int]:
    """Render a conversation that ends in a new question, leaving out the oldest turns when it is too long.

    Args:
        loaded: its chat template renders, so the bytes are those the model was tuned on.
        history: earlier messages, user and assistant in turn.
        question: the user's words.
        sequence: normalized DNA, or None.
        max_new_tokens: tokens wanted for the answer.

    Returns:
        the prompt, the tokens left for the answer, and how many earlier turns were left out.

    Raises:
        InputError: the question alone does not fit; says about how many bases would.
    """
    limit, least = context_of(loaded.model), min(LEAST_NEW_TOKENS, max_new_tokens)
    kept = list(history)
    while True:
        prompt = render(loaded, kept, question, sequence)
        room = limit - len(loaded.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        if room >= (max_new_tokens if kept else least):
            return prompt, min(room, max_new_tokens), (len(history) - len(kept)) // 2
        if not kept:
            break
        kept = kept[2:]
    fit = bases_that_fit(loaded, lambda dna: render(loaded, [], question, dna or None), sequence or "", limit - least)
    bases = f"{len(sequence or ''):,} bases and the question"
    raise InputError(
        f"{bases} are too long: with this question about {fit or 0:,} bases fit into the {limit:,} tokens this model "
        "sees. Nothing was cut; give a shorter sequence."
    )


def render(loaded: Loaded, history: Messages, question: str, sequence: str | None) -> str:
    """The prompt text: earlier messages and the new one, through the tokenizer's chat template."""
    content = user_content(question, sequence or "")
    refuse_reserved(loaded.tokenizer, content)
    messages = [*history, {"role": "user", "content": content}]
    return loaded.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def write(loaded: Loaded, prompt: str, max_new_tokens: int, show: Callable[[str], None]) -> Generated:
    """Generate greedily, handing each piece of text to `show` as soon as it is there."""
    for piece in stream(loaded.model, loaded.tokenizer, prompt, max_new_tokens):
        if isinstance(piece, Generated):
            return piece
        show(piece)
    raise RuntimeError("stream() ended without its result")

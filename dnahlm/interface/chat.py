"""`dnahlm chat`: questions and DNA in the terminal, answered in this process, label probabilities beside the text."""

from dataclasses import dataclass, field
from typing import IO, Any

from rich.console import Console

from dnahlm.inference.load import Loaded, load
from dnahlm.interface.answer import (
    Answer,
    Messages,
    answer_once,
    fit_conversation,
    match_question,
    task_probabilities,
    write,
)
from dnahlm.interface.matching import Match
from dnahlm.interface.turn import Lines, Turn, is_command, parse_message, read_messages
from dnahlm.io import InputError
from dnahlm.model.create import context_of
from dnahlm.tasks.prompt import user_content
from dnahlm.tasks.spec import answers, asks_one_sequence

__all__ = ["Answer", "ChatConfig", "answer_once", "run"]

HELP = """\
Ask a question and give a DNA sequence, in one message or one after the other:
  Is this a promoter? ACGTACGT...     typed; an empty line sends it, so a sequence may go on over lines
  Is ACGTACGTACGT a promoter?         a line that does not end in DNA is sent at once
  Is this a promoter? @my.fa          the first record of a file; @my.fa:name takes a named one
  a sequence alone                    asks the last question again; a question alone asks about the last sequence
The text is what the model writes after your own words and the turns before. The probabilities are those of the task's
labels, without the turns before: after your very words where these are a wording of the task, else after the task's
first wording (then, where the task has no direction, the mean of both strands).
Commands: /help  /tasks  /reset (forget the conversation)  /quit
Not a clinical or diagnostic tool."""


@dataclass
class ChatConfig:
    """Talk to a tuned model in the terminal."""

    model: str = field(metadata={"help": "tuned checkpoint folder"})
    max_new_tokens: int = field(default=48, metadata={"help": "tokens an answer may have"})


class Chat:
    """One conversation: the model, what was said, and where it is shown."""

    def __init__(self, loaded: Loaded, console: Console, max_new_tokens: int) -> None:
        self.loaded = loaded
        self.console = console
        self.max_new_tokens = max_new_tokens
        self.reset()

    def reset(self) -> None:
        """Forget all turns."""
        self.history: Messages = []
        self.question: str | None = None
        self.sequence: str | None = None

    def say(self, text: str, style: str | None = None, end: str = "\n") -> None:
        """Print text as it is; escape codes a model or a file may hold are made harmless."""
        safe = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
        self.console.print(safe, style=style, end=end, markup=False, highlight=False, soft_wrap=True)

    def command(self, message: str) -> bool:
        """Obey a `/command`; False when the chat is to end."""
        name = message.split()[0]
        if name in ("/quit", "/exit"):
            return False
        if name == "/reset":
            self.reset()
            self.say("The conversation is forgotten.")
        elif name == "/tasks":
            self.say(describe_tasks(self.loaded))
        else:
            self.say(HELP if name == "/help" else f"Unknown command {name}. Known: /help /tasks /reset /quit")
        return True

    def message(self, message: str) -> None:
        """Answer one message, or say what is missing.

        Raises:
            InputError: a sequence or a file that cannot be used; the conversation goes on as if it was not said.
        """
        turn = parse_message(message)
        for note in turn.notes:
            self.say(f"({note})", "dim")
        question = turn.question or self.question
        if not question:
            self.sequence = turn.sequence
            self.say(f"I have the sequence ({len(turn.sequence or ''):,} bases). What is the question?")
            return
        match = match_question(self.loaded, question, turn.sequence or self.sequence)
        sequence = self.sequence_for(turn, match)
        self.question = question
        if match and sequence is None:
            self.say(f"Which sequence? Type or paste the DNA, or give @file.fa ({describe_bases(self.loaded, match)}).")
            return
        self.answer(question, sequence, match)

    def sequence_for(self, turn: Turn, match: Match | None) -> str | None:
        """The sequence a message is about: its own, or the last one when a task is asked without any."""
        if turn.sequence is None and match and self.sequence:
            self.say(f"(about the last sequence, {len(self.sequence):,} bases)", "dim")
            return self.sequence
        return turn.sequence

    def answer(self, question: str, sequence: str | None, match: Match | None) -> None:
        """Stream the model's text, then show the label probabilities; remember the turn."""
        probabilities = task_probabilities(self.loaded, match, question, sequence)
        prompt, n_new, dropped = fit_conversation(self.loaded, self.history, question, sequence, self.max_new_tokens)
        if dropped:
            self.say(f"(the {dropped} oldest turns no longer fit the model's context and are left out)", "dim")
            self.history = self.history[2 * dropped :]
        if match is None:
            self.say(
                "I was not tuned for this question; the text below is free generation. /tasks lists mine.", "yellow"
            )
        self.say("model> ", "bold", end="")
        written = write(self.loaded, prompt, n_new, lambda piece: self.say(piece, end=""))
        self.say("" if written.stopped else f" ... (cut off after {n_new} tokens)")
        if match and probabilities:
            result = Answer(written.text, written.stopped, match.task.id, probabilities)
            self.show_probabilities(result, match, sequence or "")
        self.sequence = sequence or self.sequence
        self.history += [
            {"role": "user", "content": user_content(question, sequence or "")},
            {"role": "assistant", "content": written.text},
        ]

    def show_probabilities(self, answer: Answer, match: Match, sequence: str) -> None:
        """One line per label with a bar, and what a reader must know about the numbers."""
        task, loaded = match.task, self.loaded
        calibrated = "calibrated" if task.id in loaded.calibration else "not calibrated"
        strands = ", mean of both strands" if task.strand_symmetric else ""
        asked = "asked as you did" if match.in_its_words else f"asked in the task's words{strands}"
        self.say(f"task {task.id} ({calibrated}, {asked}):")
        width = max(map(len, answer.probabilities or {}))
        for label, p in (answer.probabilities or {}).items():
            self.say(f"  {label:<{width}}  {p:6.1%} {'#' * round(20 * p)}", "bold" if label == answer.label else None)
        if match.also:
            self.say(f"  (your words also fit: {', '.join(match.also)})", "dim")
        if answer.text.strip() != answer.label:
            self.say(
                "  (the text above is not the most probable label; trust the label rather than the text)", "yellow"
            )
        facts = loaded.task_facts.get(task.id)
        if facts and not facts["min_bases"] <= len(sequence) <= facts["max_bases"]:
            seen = f"{facts['min_bases']:,}-{facts['max_bases']:,}"
            self.say(
                f"  ({len(sequence):,} bases are outside the {seen} seen in tuning: do not rely on this)", "yellow"
            )


def run(config: ChatConfig, stdin: IO[str] | None = None, stdout: IO[str] | None = None) -> dict[str, Any]:
    """Chat until `/quit` or the end of the input; bad input is explained and the chat goes on.

    Args:
        config: model and length of answers.
        stdin: read instead of the terminal.
        stdout: written instead of the terminal.

    Raises:
        InputError: the model cannot be loaded.
    """
    if config.max_new_tokens < 1:
        raise InputError(f"max_new_tokens: found {config.max_new_tokens}; must be 1 or more.")
    chat = Chat(load(config.model), Console(file=stdout), config.max_new_tokens)
    chat.say(greeting(chat.loaded))
    n_turns = 0
    try:
        for message in read_messages(Lines(stdin)):
            if is_command(message):
                if not chat.command(message):
                    break
                continue
            try:
                chat.message(message)
                n_turns += 1
            except InputError as error:
                chat.say(f"error: {error}", "red")
            except KeyboardInterrupt:  # stops this answer only; at the prompt it ends the chat
                chat.say("\n(stopped)")
    except KeyboardInterrupt:
        chat.say("")
    chat.say("Bye.")
    return {"turns": n_turns}


def greeting(loaded: Loaded) -> str:
    """First lines of a chat."""
    tuned = f"tuned on {len(loaded.tasks)} tasks (/tasks)" if loaded.tasks else "not tuned on any task I know of"
    size = loaded.model.num_parameters() / 1e6
    return (
        f"{loaded.path}: {size:,.1f} M parameters, {context_of(loaded.model):,} tokens of context, {tuned}.\n"
        "Ask a question about a DNA sequence; /help says how. Not a clinical or diagnostic tool."
    )


def describe_tasks(loaded: Loaded) -> str:
    """The tuned tasks, one line each."""
    if not loaded.tasks:
        return "This model carries no tasks, so I show no label probabilities; every answer is free generation."
    lines = []
    for name, spec in loaded.tasks.items():
        facts = loaded.task_facts.get(name, {})
        seen = f"; {facts['min_bases']}-{facts['max_bases']} bases, {facts['n_train']:,} examples" if facts else ""
        simulated = "simulated data: " if spec.simulated else ""
        listed = f"Answers: {', '.join(answers(spec))}" if asks_one_sequence(spec) else f"Not for chat ({spec.kind})"
        lines.append(f"  {name}: {simulated}{spec.description.strip()} {listed}{seen}.")
    return "\n".join(["I was tuned on:", *lines, "Anything else is zero-shot: expect little."])


def describe_bases(loaded: Loaded, match: Match) -> str:
    """`task core_promoter, tuned on 70-70 bases`."""
    facts = loaded.task_facts.get(match.task.id)
    seen = f", tuned on {facts['min_bases']:,}-{facts['max_bases']:,} bases" if facts else ""
    return f"task {match.task.id}{seen}"

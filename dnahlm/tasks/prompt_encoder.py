"""Many prompts to token ids, fast: each question once, each input once, joined where the whole text gives the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dnahlm.tasks.prompt import BLANK_LINE, completion_ids, render_prompt, token_ids_of
from dnahlm.tokenizer.overlapping import word_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from dnahlm.tokenizer.overlapping import WordIds

PLAIN_DNA = re.compile("[ACGTN]{16,}").fullmatch
# What a question is tried on: every first and every last letter, short and long stretches.
PROBES = [one + "GATTACANCGTTGC" * n + end for one, end, n in zip("ACGTN", "CGTNA", (1, 5, 1, 5, 1), strict=True)]


@dataclass(frozen=True)
class Frame:
    """What stands around the DNA of a prompt: text, and ids."""

    before: str
    after: str
    ids_before: list[int]
    ids_after: list[int]


@dataclass
class PromptEncoder:
    """Ids of prompts and answers, equal to those `tasks.prompt.encode` gives for the whole rendered texts.

    A tokenizer that cuts at the borders of a stretch of DNA gives the question's ids and the DNA's side by side.
    Whether it does is tried for each question; where it does not, and for inputs that are no plain DNA, whole texts are
    encoded.
    """

    tokenizer: PreTrainedTokenizerFast
    _words: WordIds | None = field(init=False)  # a faster way to the ids of DNA
    _frames: dict[str, Frame | None] = field(default_factory=dict)
    _answers: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._words = word_ids(self.tokenizer)

    def frame(self, instruction: str) -> Frame | None:
        """What stands around the DNA that a question is about; None where DNA must be encoded with its question.

        Raises:
            InputError: as `render_prompt`.
        """
        if instruction not in self._frames:
            self._frames[instruction] = self._try(instruction)
        return self._frames[instruction]

    def _try(self, instruction: str) -> Frame | None:
        texts = [render_prompt(self.tokenizer, instruction, probe) for probe in PROBES]
        before, _, after = texts[0].partition(PROBES[0])
        if any(text != before + probe + after for text, probe in zip(texts, PROBES, strict=True)):
            return None
        start, end, *inside = token_ids_of(self.tokenizer, [before, after, *PROBES])
        whole = self.tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
        for encoding, ids in zip(whole, inside, strict=True):
            if encoding.ids != start + ids + end:
                return None
            words, borders = encoding.word_ids, (len(start), len(start) + len(ids))
            # Within one word of the splitter, other letters could be merged over the border.
            if any(0 < at < len(words) and words[at - 1] is not None and words[at - 1] == words[at] for at in borders):
                return None
        if self._words and self._words(PROBES) != inside:
            return None
        return Frame(before, after, start, end)

    def prompts(self, instructions: Sequence[str], inputs: Sequence[str]) -> list[list[int]]:
        """Ids of N prompts.

        Raises:
            InputError: as `render_prompt`.
        """
        frames = [
            self.frame(instruction) if PLAIN_DNA(input) else None
            for instruction, input in zip(instructions, inputs, strict=True)
        ]
        texts = [
            input if frame else render_prompt(self.tokenizer, instruction, input)
            for frame, instruction, input in zip(frames, instructions, inputs, strict=True)
        ]
        unique = list(dict.fromkeys(texts))
        runs = list(filter(PLAIN_DNA, unique)) if self._words else []
        ids = dict(zip(runs, self._words(runs), strict=True)) if self._words else {}
        others = [text for text in unique if text not in ids]
        ids |= zip(others, token_ids_of(self.tokenizer, others), strict=True)
        return [
            [*frame.ids_before, *ids[text], *frame.ids_after] if frame else list(ids[text])
            for frame, text in zip(frames, texts, strict=True)
        ]

    def text(self, instruction: str, input: str) -> str:
        """The rendered prompt."""
        frame = self.frame(instruction) if PLAIN_DNA(input) else None
        return frame.before + input + frame.after if frame else render_prompt(self.tokenizer, instruction, input)

    def encode(
        self, instructions: Sequence[str], inputs: Sequence[str], outputs: Sequence[str]
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Ids of N prompts and of the answers behind them, each answer with the end-of-text id.

        Raises:
            InputError: as `tasks.prompt.encode`.
        """
        prompts = self.prompts(instructions, inputs)
        answers = [
            self.answer(self.text(instruction, input), ids, output)
            for instruction, input, output, ids in zip(instructions, inputs, outputs, prompts, strict=True)
        ]
        return prompts, answers

    def answer(self, text: str, ids: Sequence[int], output: str) -> list[int]:
        """Ids of one answer behind a prompt, given as text and as ids; how both meet is tried once.

        Raises:
            InputError: as `tasks.prompt.encode`.
        """
        meeting = (text[max(text.rfind(BLANK_LINE), 0) :], output)
        if meeting not in self._answers:
            self._answers[meeting] = completion_ids(self.tokenizer, text, list(ids), output)
        return self._answers[meeting]

"""One tokenizer of any kind as a function from text to cuts: ids and the places where tokens end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dnahlm.io import InputError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer
    from transformers import PreTrainedTokenizerFast

BATCH = 4096  # texts per library call


class Cut(NamedTuple):
    """One text as tokens."""

    ids: list[int]
    starts: list[int]  # characters of the text, 0-based, half-open; bases, where the text is DNA
    ends: list[int]


class Encoder:
    """A tokenizer without padding, truncation, added tokens and dropout; text that it cannot encode gives None.

    Args:
        tokenizer: any fast tokenizer; it is not changed.
        name: what the report calls it.

    Raises:
        InputError: not a fast tokenizer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, name: str) -> None:
        if not tokenizer.is_fast:
            raise InputError(f"{name}: is not a `tokenizers` (fast) tokenizer; tokenizer.json is needed.")
        self.tokenizer, self.name = tokenizer, name
        self.refusal = ""  # the library's words for the last text that it could not encode
        self.dropout = getattr(tokenizer.backend_tokenizer.model, "dropout", None)
        # Text that spells out a special token is text, except in a rendered prompt.
        self._plain, self._prompts = copy_of(tokenizer, True), copy_of(tokenizer, False)

    @property
    def backend(self) -> Tokenizer:
        """The copy that `cuts` asks."""
        return self._plain

    def cuts(self, texts: Sequence[str], prompts: bool = False) -> list[Cut | None]:
        """Tokens of N texts, in order; None for a text that cannot be encoded.

        Args:
            texts: any text.
            prompts: special tokens in the text count as such, as in a rendered chat template.
        """
        backend = self._prompts if prompts else self._plain
        return [
            None if e is None else Cut(e.ids, [start for start, _ in e.offsets], [end for _, end in e.offsets])
            for e in self._encode(backend.encode_batch, texts)
        ]

    def ids(self, texts: Sequence[str]) -> list[list[int] | None]:
        """As `cuts`, the ids alone, which is faster."""
        return [None if e is None else e.ids for e in self._encode(self._plain.encode_batch_fast, texts)]

    def _encode(self, encode_batch: Callable[..., list[Encoding]], texts: Sequence[str]) -> list[Encoding | None]:
        found: list[Encoding | None] = []
        for start in range(0, len(texts), BATCH):
            found += self._batch(encode_batch, list(texts[start : start + BATCH]))
        return found

    def _batch(self, encode_batch: Callable[..., list[Encoding]], texts: list[str]) -> list[Encoding | None]:
        try:
            return list(encode_batch(texts, add_special_tokens=False))
        except Exception as error:  # the Rust library raises the bare class, for the whole batch
            if type(error) is not Exception:
                raise
            if len(texts) == 1:
                self.refusal = str(error)
                return [None]
        middle = len(texts) // 2
        return self._batch(encode_batch, texts[:middle]) + self._batch(encode_batch, texts[middle:])

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, as a user's `tokenizer.decode` gives it."""
        return self.tokenizer.decode(list(ids))


def copy_of(tokenizer: PreTrainedTokenizerFast, special_as_text: bool) -> Tokenizer:
    """The Rust tokenizer on its own, deterministic, with untrimmed offsets."""
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_padding()
    backend.no_truncation()
    backend.post_processor = None  # it would trim the blanks of " ACGT" out of the offsets
    backend.encode_special_tokens = special_as_text
    if getattr(backend.model, "dropout", None):
        backend.model.dropout = None
    return backend

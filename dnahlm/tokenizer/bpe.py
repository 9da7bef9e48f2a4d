"""Byte-level BPE whose splitter isolates DNA runs: the splitter, one training over both kinds, and what both need.

DNA runs are cut out of the text before BPE and into pieces of a fixed number of bases, so no token holds both prose
and DNA. All other text is split as GPT-2 splits it. The definition that trains is saved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from dnahlm.io import InputError
from dnahlm.tokenizer.wrap import SPECIAL_TOKENS, wrap

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer
    from transformers import PreTrainedTokenizerFast

SMALLEST_VOCABULARY = 256 + len(SPECIAL_TOKENS)  # every byte, end and pad
LARGEST_VOCABULARY = 1_000_000  # four times the largest published ones
LETTERS = "ACGTN"
Merge: TypeAlias = tuple[str, str]


def check_sizes(vocab_size: int, min_dna_run: int, max_dna_token: int) -> None:
    """Raise `InputError` for sizes that cannot give a byte-level BPE."""
    check_vocab_size(vocab_size)
    for name, value in (("min_dna_run", min_dna_run), ("max_dna_token", max_dna_token)):
        if value < 1:
            raise InputError(f"{name}: {value} bases; must be 1 or more.")


def check_vocab_size(vocab_size: int, smallest: int = SMALLEST_VOCABULARY) -> None:
    """Raise `InputError` for a vocabulary without room for every byte and the special tokens, or far too large."""
    if vocab_size < smallest:
        raise InputError(
            f"vocab_size: {vocab_size} is too small; 256 bytes and {smallest - 256} special tokens need {smallest}. "
            "Choose 512 or more."
        )
    if vocab_size > LARGEST_VOCABULARY:
        raise InputError(
            f"vocab_size: {vocab_size:,}; must be at most {LARGEST_VOCABULARY:,}, as each token is a row of the model."
        )


def run_start(min_dna_run: int) -> str:
    """Regular expression of the place where a run of at least `min_dna_run` letters starts."""
    return rf"(?<![{LETTERS}])(?=[{LETTERS}]{{{min_dna_run}}})"


def split_dna(min_dna_run: int, max_dna_piece: int) -> PreTokenizer:
    """The splitter: isolate DNA runs of at least `min_dna_run` letters in pieces of `max_dna_piece`, the rest as GPT-2.

    >>> [piece for piece, _ in split_dna(8, 4).pre_tokenize_str("say ACGTACGTA or CAT")]
    ['say', 'Ġ', 'ACGT', 'ACGT', 'A', 'Ġor', 'ĠCAT']
    """
    return split_pieces(min_dna_run, f"[{LETTERS}]{{1,{max_dna_piece}}}")


def split_pieces(min_dna_run: int, piece: str) -> PreTokenizer:
    """The splitter for pieces of DNA that match the regular expression `piece`."""
    from tokenizers import Regex, pre_tokenizers

    # A piece starts where a long enough run starts, or (\G) where the piece before it ended inside the run.
    pieces = Regex(rf"(?:{run_start(min_dna_run)}|\G(?<=[{LETTERS}])){piece}")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(pieces, "isolated"), byte_level])


def train_bpe(texts: Iterable[str], vocab_size: int, min_dna_run: int, max_dna_token: int) -> PreTrainedTokenizerFast:
    """Train one byte-level BPE on `texts`; the same texts in the same order give the same tokenizer.

    Args:
        texts: documents, DNA already in upper case; long ones (over about 10,000 letters) make training slow.
        vocab_size: V, special tokens included; fewer come out when the texts hold fewer different pieces.
        min_dna_run: bases from which a run of ACGTN counts as DNA.
        max_dna_token: bases; DNA is cut into pieces of this length, so no DNA token is longer.

    Raises:
        InputError: a size that cannot work, or the chat template of the package is missing.
    """
    check_sizes(vocab_size, min_dna_run, max_dna_token)
    return wrap(byte_level_bpe(texts, vocab_size, split_dna(min_dna_run, max_dna_token)))


def byte_level_bpe(texts: Iterable[str], vocab_size: int, splitter: PreTokenizer) -> Tokenizer:
    """Train a byte-level BPE of at most `vocab_size` entries with the library's trainer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),  # every byte: nothing is ever unknown
        special_tokens=SPECIAL_TOKENS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges_of(tokenizer: Tokenizer) -> list[Merge]:
    """The merges of a BPE, in order."""
    return [(left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]


def assemble(merges: Sequence[Merge], splitter: PreTokenizer, words: Sequence[str] = ()) -> Tokenizer:
    """The byte-level BPE that has these merges and, besides them, `words`: pieces that are one token each."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*SPECIAL_TOKENS, *alphabet, *words])}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    # A piece that is an entry is looked up before merges are tried; where there are no words, merges do it all.
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=list(merges), ignore_merges=bool(words)))
    tokenizer.pre_tokenizer = splitter
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    return tokenizer

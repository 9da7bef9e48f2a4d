"""SentencePiece (BPE or unigram), trained by its own library: `tokenizer.model`, and the same ids by tokenizer.json.

SentencePiece has no splitter, so DNA runs are not isolated. DNA and English are separate sentences in training, so no
piece holds both, but a run that follows a blank may share a token with it ("▁AC"); after a newline, as in the prompt,
it does not. Text is taken as it is (no normalisation, no blank added in front), characters without a piece become
bytes, and every text comes back from its ids, unless it holds SentencePiece's own sign for a blank, ▁ (U+2581), which
comes back as a blank.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from dnahlm.io import InputError
from dnahlm.tokenizer.bpe import LETTERS
from dnahlm.tokenizer.wrap import DNA_MARKERS, END_TOKEN, PAD_TOKEN, SPECIAL_TOKENS

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor
    from tokenizers import Tokenizer

    from dnahlm.tokenizer.prompts import Prompts
    from dnahlm.tokenizer.sample import Sample

UNKNOWN = "<|unk|>"  # SentencePiece needs the name; no text gets it, since every byte has a piece
BLANK = "▁"
LONGEST_PIECE = 16  # characters; the library's own default
LONGEST_ALLOWED = 512  # characters of a piece, by the library
SEEDS = 20  # candidates of the unigram model per piece in the end; the library's million takes minutes for any DNA
STEPS = 256  # of a score; a text may then cost up to 65,536 nats
LINE_BASES = 512  # of DNA in one training sentence
DNA_RUN = re.compile(f"[{LETTERS}]{{8,}}")  # left out of English in training


def train_sentencepiece(
    model_type: str, sample: Sample, prompts: Prompts, vocab_size: int, max_dna_token: int, markers: bool
) -> bytes:
    """Train a model and return its file.

    Args:
        model_type: `bpe` or `unigram`.
        sample: the documents.
        prompts: more English.
        vocab_size: V, special tokens, 256 bytes and markers included; fewer come out of a small corpus.
        max_dna_token: bases; the longest DNA token allowed. Longer than 16 also allows English pieces that long.
        markers: give `<dna>` and `</dna>` an id each.

    Raises:
        InputError: a vocabulary too small for the characters of the corpus, or pieces longer than the library allows.
    """
    from sentencepiece import SentencePieceTrainer

    if max_dna_token > LONGEST_ALLOWED:
        raise InputError(
            f"max_dna_token: {max_dna_token:,} bases; must be at most {LONGEST_ALLOWED} for kind "
            f"sentencepiece_{model_type}, whose library allows no longer pieces."
        )
    model = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=sentences(sample, prompts, max_dna_token), model_writer=model, model_type=model_type,
            vocab_size=vocab_size, hard_vocab_limit=False, byte_fallback=True, character_coverage=0.9999,
            seed_sentencepiece_size=min(1_000_000, SEEDS * vocab_size),
            max_sentencepiece_length=max(LONGEST_PIECE, max_dna_token), max_sentence_length=1 << 20,
            normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False,
            eos_id=0, eos_piece=END_TOKEN, pad_id=1, pad_piece=PAD_TOKEN, unk_id=2, unk_piece=UNKNOWN, bos_id=-1,
            user_defined_symbols=DNA_MARKERS if markers else [], num_threads=1, minloglevel=2,
        )  # fmt: skip
    except RuntimeError as error:
        reason = str(error).strip().rpartition("] ")[2]  # without the place in its source
        raise InputError(
            f"vocab_size: {vocab_size:,}: SentencePiece cannot train on this corpus ({reason}). "
            "Choose another vocabulary size or a larger corpus."
        ) from error
    return rounded(model.getvalue())


def rounded(model: bytes) -> bytes:
    """The model with scores in steps of 1/256.

    Their sums are then exact, so that ways to cut a text that are equally good are equally good in single precision
    (SentencePiece) and double (`tokenizers`) alike, and both libraries take the same one.
    """
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    for piece in proto.pieces:
        piece.score = round(piece.score * STEPS) / STEPS
    return proto.SerializeToString()


def sentences(sample: Sample, prompts: Prompts, max_dna_token: int) -> Iterator[str]:
    """DNA in lines short enough that no piece is longer than asked, then lines of English without DNA runs."""
    bases = LINE_BASES if max_dna_token >= LONGEST_PIECE else max_dna_token
    for text in sample.read(["dna"]):
        yield from (text[i : i + bases] for i in range(0, len(text), bases))
    for text, times in chain(((text, 1) for text in sample.read(["text"])), prompts):
        lines = [line for line in DNA_RUN.sub("\n", text).split("\n") if line]
        for _ in range(times):
            yield from lines


def convert(model: bytes, model_type: str) -> Tokenizer:
    """The `tokenizers` tokenizer that gives every text the ids SentencePiece gives it."""
    from sentencepiece import SentencePieceProcessor
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers.convert_slow_tokenizer import generate_merges

    pieces = SentencePieceProcessor(model_proto=model)
    scored = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]
    if model_type == "bpe":
        vocab = {piece: i for i, (piece, _) in enumerate(scored)}
        unmerged = {piece for piece, i in vocab.items() if not_text(pieces, i)} | set(DNA_MARKERS)
        merges = generate_merges(vocab, scored, unmerged)
        algorithm = models.BPE(vocab=vocab, merges=merges, unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True)
    else:
        algorithm = models.Unigram(scored, unk_id=pieces.unk_id(), byte_fallback=True)
    tokenizer = Tokenizer(algorithm)
    if model_type == "unigram":  # would find these names in text too, which SentencePiece does not
        names = Regex(r"(?<=<)(?:0(?=x[0-9A-F]{2}>)|\|(?=(?:endoftext|pad|unk)\|>))")
        # Characters without a piece are bytes; it would give all bytes of several in a row the place of all of them.
        known = re.escape("".join(sorted(set("".join(piece for piece, _ in scored)))))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(names, "merged_with_next"), pre_tokenizers.Split(Regex(f"[^{known}]"), "isolated")]
        )
    tokenizer.normalizer = normalizers.Replace(" ", BLANK)
    tokenizer.decoder = decoders.Sequence([decoders.Replace(BLANK, " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    return tokenizer


def not_text(pieces: SentencePieceProcessor, i: int) -> bool:
    """Whether a piece stands for something else than its letters: an end token, a byte."""
    return pieces.is_control(i) or pieces.is_byte(i) or pieces.is_unknown(i)

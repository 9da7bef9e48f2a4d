"""corpus/ + tokenizer/ -> blocks/: documents joined end to end and cut into full blocks of tokens.

`train/` mixes the kinds; `validation/dna/`, `validation/text/` and `validation/protein/` keep them apart, so that bits
per base, per byte of English and per residue can be told from the losses.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnahlm.corpus.settings import NAMES
from dnahlm.io import InputError, staged_folder
from dnahlm.manifest import StageClock, read_manifest, write_manifest
from dnahlm.readers.corpus import count_rows, read_corpus
from dnahlm.tokenizer.dropout import DnaDropout
from dnahlm.tokenizer.load import fingerprint, load_tokenizer, token_ids
from dnahlm.tokenizer.word_dropout import WordDropout, dropout_for

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from transformers import PreTrainedTokenizerFast

# kind -> what is counted of its text, and of its tokens
COUNTED = {
    "dna": ("bases", "dna_tokens"),
    "text": ("english_bytes", "english_tokens"),
    "protein": ("residues", "protein_tokens"),
}


@dataclass
class PackConfig:
    """Settings of `dnahlm corpus pack`."""

    corpus: str = field(metadata={"help": "folder written by `dnahlm corpus build`"})
    tokenizer: str = field(metadata={"help": "folder written by `dnahlm tokenizer train`, or another complete one"})
    output: str = field(metadata={"help": "folder to write the blocks to"})
    block_size: int = field(default=512, metadata={"help": "tokens per block; at most the context of the model"})
    bpe_dropout: float = field(
        default=0.0,
        metadata={"help": "probability to leave out a merge in the DNA of the train split (BPE-dropout)"},
    )
    copies: int = field(
        default=1,
        metadata={"help": "times the train split is packed, with bpe_dropout each time in other cuts: one epoch over "
                  "the blocks then reads every document so often"},
    )  # fmt: skip
    seed: int = field(default=0, metadata={"help": "draws the merges that bpe_dropout leaves out"})
    overwrite: bool = field(default=False, metadata={"help": "replace a non-empty output folder"})


def run(config: PackConfig) -> dict[str, Any]:
    """Pack both splits of a corpus.

    Raises:
        InputError: no finished corpus, an incomplete tokenizer, or a split too small for one block.
    """
    clock = StageClock()
    if config.block_size < 2:
        raise InputError(f"block_size: {config.block_size} tokens; must be 2 or more.")
    if config.copies < 1 or (config.copies > 1 and not config.bpe_dropout):
        raise InputError(
            f"copies: {config.copies}; must be 1 or more, and 1 without bpe_dropout, for the copies would be alike. "
            "Set bpe_dropout, such as 0.1, or train more epochs."
        )
    corpus = read_manifest(config.corpus, "corpus build")
    tokenizer = load_tokenizer(config.tokenizer)
    dropout = dropout_for(tokenizer, config.bpe_dropout) if config.bpe_dropout else None
    validation = kinds_of(config.corpus, "validation")
    with staged_folder(config.output, config.overwrite, [config.corpus, config.tokenizer]) as part:
        train = pack_split(config, "train", None, tokenizer, part / "train", dropout)
        held_out = {k: pack_split(config, "validation", k, tokenizer, part / "validation" / k) for k in validation}
        inputs = {"corpus": config.corpus, "tokenizer": config.tokenizer}
        manifest = write_manifest(
            part, "corpus pack", config, clock, inputs, {"train": train, "validation": held_out},
            tokenizer_sha256=fingerprint(tokenizer), vocab_size=len(tokenizer), block_size=config.block_size,
            shares=shares(train, corpus["counts"]["train"]),
        )  # fmt: skip
    rates = (
        f"{train['bases'] / (train['dna_tokens'] or 1):.2f} bases per DNA token, "
        f"{train['english_bytes'] / (train['english_tokens'] or 1):.2f} bytes per English token"
    )
    if train["residues"]:
        rates += f", {train['residues'] / train['protein_tokens']:.2f} residues per protein token"
    for name, count in (("train", train), *((f"validation {kind}", count) for kind, count in held_out.items())):
        print(
            f"{name}: packed {count['documents']:,} documents ({count['tokens'] / 1e6:.2f} M tokens) into "
            f"{count['blocks']:,} blocks of {config.block_size:,} tokens; dropped {count['dropped_tokens']:,} tokens"
            + (f"; {rates}" if name == "train" else "")
        )
    for unit, found in manifest["shares"].items():
        print(f"train: shares of {unit}: {', '.join(f'{NAMES[k]} {share:.1%}' for k, share in found.items() if share)}")
    return manifest


def shares(tokens: dict[str, int], characters: dict[str, dict[str, int]]) -> dict[str, dict[str, float]]:
    """The share of each kind in the characters of train and in its tokens, end tokens left out.

    Args:
        tokens: the counts of `pack_split`.
        characters: the counts of the corpus, per kind.
    """
    found = {
        "characters": {kind: characters.get(kind, {}).get("characters", 0) for kind in COUNTED},
        "tokens": {kind: tokens[name] for kind, (_, name) in COUNTED.items()},
    }
    return {u: {k: round(n / (sum(of.values()) or 1), 6) for k, n in of.items()} for u, of in found.items()}


def kinds_of(corpus: str, split: str) -> list[str]:
    """The kinds of document a split holds, in the order of the alphabet."""
    return sorted({kind for kinds, _ in read_corpus(corpus, split) for kind in kinds})


def pack_split(
    config: PackConfig,
    split: str,
    only: str | None,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    dropout: DnaDropout | WordDropout | None = None,
) -> dict[str, int]:
    """Write one split, or the documents of one kind in it, to `folder/part-00000.parquet` and count it.

    Counts: of all copies; `tokens` include one end token per document, those of a kind (`COUNTED`) do not; bases,
    bytes, residues and tokens include the `dropped_tokens` after the last full block.

    Raises:
        InputError: not one full block.
    """
    import pyarrow.parquet as pq

    counts = dict.fromkeys(("documents", "tokens", "blocks", "dropped_tokens"), 0)
    counts |= dict.fromkeys(chain.from_iterable(COUNTED.values()), 0)
    folder.mkdir(parents=True)
    copies = config.copies if dropout else 1  # the draw goes on with the documents counted
    documents = chain.from_iterable(
        tokenised(config.corpus, split, only, tokenizer, counts, dropout, config.seed) for _ in range(copies)
    )
    with pq.ParquetWriter(folder / "part-00000.parquet", schema(config.block_size), compression="zstd") as writer:
        for blocks, positions in pack_documents(documents, config.block_size, tokenizer.eos_token_id):
            writer.write_batch(as_batch(blocks, positions))
            counts["blocks"] += len(blocks)
    counts["dropped_tokens"] = counts["tokens"] - counts["blocks"] * config.block_size
    if not counts["blocks"]:
        raise InputError(
            f"{Path(config.corpus) / split}: its {counts['tokens']:,} tokens{f' of kind {only}' if only else ''} "
            f"do not fill one block of {config.block_size:,}. Choose a smaller block_size, or build a larger corpus"
            + (" or one with a larger validation_share." if split == "validation" else ".")
        )
    return counts


def tokenised(
    corpus: str,
    split: str,
    only: str | None,
    tokenizer: PreTrainedTokenizerFast,
    counts: dict[str, int],
    dropout: DnaDropout | WordDropout | None = None,
    seed: int = 0,
) -> Iterator[list[list[int]]]:
    """Yield the documents of a split (of the kind `only`, if given) as ids, in batches, adding to `counts`."""
    from tqdm import tqdm

    with tqdm(total=count_rows(corpus, split), desc=f"pack {split}", unit="document", disable=None) as bar:
        for kinds, texts in read_corpus(corpus, split):
            bar.update(len(texts))
            chosen = [pair for pair in zip(kinds, texts, strict=True) if only in (None, pair[0])]
            if not chosen:
                continue
            kinds, texts = zip(*chosen, strict=True)
            batch = token_ids(tokenizer, list(texts))
            if dropout:
                batch = cut_anew(dropout, texts, kinds, batch, f"{seed}:{counts['documents']}")
            for kind, text, ids in zip(kinds, texts, batch, strict=True):
                counts["documents"] += 1
                counts["tokens"] += len(ids) + 1
                size, tokens = COUNTED[kind]
                counts[size] += len(text.encode("utf-8"))
                counts[tokens] += len(ids)
            yield batch


def cut_anew(
    dropout: DnaDropout | WordDropout, texts: Sequence[str], kinds: Sequence[str], batch: list[list[int]], seed: str
) -> list[list[int]]:
    """The ids of a batch with its DNA documents in a segmentation drawn by `seed`."""
    rng = random.Random(seed)
    places = [i for i, kind in enumerate(kinds) if kind == "dna"]
    units = dict(zip(places, dropout.units([texts[i] for i in places]), strict=True))
    return [dropout.apply(ids, units[i], rng, room=len(texts[i])) if i in units else ids for i, ids in enumerate(batch)]


def pack_documents(
    batches: Iterable[list[list[int]]], block_size: int, eos_id: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Join documents, each ended by `eos_id`, and cut the stream into full blocks.

    Args:
        batches: batches of documents as token ids, eos not included.
        block_size: T, tokens per block.
        eos_id: closes every document and belongs to it.

    Yields:
        (ids, positions), both (n, T) int32. Positions count from 0 at each document's start and at each block's start,
        so attention can be kept within a document. A last part shorter than T is dropped, never padded.

    >>> [(ids.tolist(), positions.tolist()) for ids, positions in pack_documents([[[5, 6], [7]]], 2, eos_id=0)]
    [([[5, 6], [0, 7]], [[0, 1], [0, 0]])]
    """
    import numpy as np

    ids = places = np.empty(0, dtype=np.int32)
    for batch in batches:
        new = [np.array([*document, eos_id], dtype=np.int32) for document in batch]
        ids = np.concatenate([ids, *new])
        places = np.concatenate([places, *(np.arange(len(document), dtype=np.int32) for document in new)])
        full = len(ids) // block_size * block_size
        if full:
            positions = places[:full].reshape(-1, block_size).copy()
            carried_over = np.cumsum(positions == 0, axis=1) == 0  # (n, T): the document began in an earlier block
            positions -= np.where(carried_over, positions[:, :1], 0)
            yield ids[:full].reshape(-1, block_size), positions
        ids, places = ids[full:], places[full:]


def schema(block_size: int) -> pa.Schema:
    """Columns of a file of blocks."""
    import pyarrow as pa

    block = pa.list_(pa.int32(), block_size)
    return pa.schema([("input_ids", block), ("position_ids", block)])


def as_batch(blocks: np.ndarray, positions: np.ndarray) -> pa.RecordBatch:
    """Two (n, T) int32 arrays as one batch of a file of blocks."""
    import pyarrow as pa

    block_size = blocks.shape[1]
    columns = [pa.FixedSizeListArray.from_arrays(pa.array(m.reshape(-1)), block_size) for m in (blocks, positions)]
    return pa.RecordBatch.from_arrays(columns, schema=schema(block_size))

"""What a tokenizer costs: bases per DNA token, bytes per English token, and what the vocabulary is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnahlm.readers.corpus import read_corpus
from dnahlm.tokenizer.load import token_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

DNA_TOKEN = re.compile(r"[ACGTN]+")
LONGEST_SHOWN = 10


def write_report(tokenizer: PreTrainedTokenizerFast, corpus: str, path: Path, min_dna_run: int) -> dict[str, Any]:
    """Measure `tokenizer` on the validation split of `corpus`, write `path` (JSON) and return what it holds."""
    tokens = {"dna": 0, "text": 0}
    size = {"dna": 0, "text": 0}  # bases for DNA, UTF-8 bytes for English
    for kinds, texts in read_corpus(corpus, "validation"):
        for kind, text, ids in zip(kinds, texts, token_ids(tokenizer, texts), strict=True):
            tokens[kind] += len(ids)
            size[kind] += len(text.encode("utf-8"))
    report = {
        "measured_on": "validation",
        "bases": size["dna"],
        "dna_tokens": tokens["dna"],
        "bases_per_dna_token": ratio(size["dna"], tokens["dna"]),
        "english_bytes": size["text"],
        "english_tokens": tokens["text"],
        "bytes_per_english_token": ratio(size["text"], tokens["text"]),
        **describe_vocabulary(tokenizer, min_dna_run),
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def ratio(amount: int, n_tokens: int) -> float | None:
    """Amount per token, None when there are no tokens.

    >>> ratio(10, 4), ratio(0, 0)
    (2.5, None)
    """
    return round(amount / n_tokens, 4) if n_tokens else None


def describe_vocabulary(tokenizer: PreTrainedTokenizerFast, min_dna_run: int) -> dict[str, Any]:
    """Entries in all, entries that are DNA letters only, and the longest tokens of either kind."""
    entries = [tokenizer.convert_tokens_to_string([token]) for token in tokenizer.get_vocab()]
    dna = sorted((e for e in entries if DNA_TOKEN.fullmatch(e)), key=lambda e: (-len(e), e))
    other = sorted((e for e in entries if not DNA_TOKEN.fullmatch(e)), key=lambda e: (-len(e), e))
    return {
        "vocab_size": len(entries),
        "min_dna_run": min_dna_run,
        "dna_entries": len(dna),
        "longest_dna_tokens": dna[:LONGEST_SHOWN],
        "longest_other_tokens": other[:LONGEST_SHOWN],
    }

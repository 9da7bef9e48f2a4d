"""What a tokenizer costs on its own corpus, in short, for `dnahlm tokenizer train`; `tokenizer report` tells more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnahlm.readers.corpus import read_corpus
from dnahlm.tokenizer.measures.cost import ratio
from dnahlm.tokenizer.measures.encoder import Encoder
from dnahlm.tokenizer.measures.vocabulary import describe, entries

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

KEPT = ("vocab_size", "dna_entries", "longest_dna_tokens", "longest_other_tokens")


def write_report(tokenizer: PreTrainedTokenizerFast, corpus: str, path: Path, min_dna_run: int) -> dict[str, Any]:
    """Measure `tokenizer` on the validation split of `corpus`, write `path` (JSON) and return what it holds.

    Documents that the tokenizer cannot encode, such as English for one of k-mers, are counted as refused.
    """
    encoder = Encoder(tokenizer, "tokenizer")
    # size: bases of DNA, UTF-8 bytes of English, residues
    tokens, size, refused = ({"dna": 0, "text": 0, "protein": 0} for _ in range(3))
    for kinds, texts in read_corpus(corpus, "validation"):
        for kind, text, ids in zip(kinds, texts, encoder.ids(texts), strict=True):
            if ids is None:
                refused[kind] += 1
                continue
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
        "residues": size["protein"],
        "protein_tokens": tokens["protein"],
        "residues_per_protein_token": ratio(size["protein"], tokens["protein"]),
        "refused_documents": refused,
        **describe_vocabulary(tokenizer, min_dna_run),
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def cost_of(unit: str, per_token: float | None, kind: str) -> str:
    """One figure of the report in words.

    >>> cost_of("bases", 4.5, "DNA"), cost_of("bytes", None, "English")
    ('4.50 bases per DNA token', 'no held-out English to measure')
    """
    return f"no held-out {kind} to measure" if per_token is None else f"{per_token:.2f} {unit} per {kind} token"


def describe_vocabulary(tokenizer: PreTrainedTokenizerFast, min_dna_run: int) -> dict[str, Any]:
    """Entries in all, entries that are DNA letters only, and the longest tokens of either kind."""
    found = describe(entries(Encoder(tokenizer, "tokenizer")))
    return {"min_dna_run": min_dna_run, **{key: found[key] for key in KEPT}}

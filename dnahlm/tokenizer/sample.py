"""The documents a tokenizer is trained on: the training split of a corpus, thinned evenly where that is too large.

Statistics of frequent pieces settle long before a corpus ends, while trainers need time and memory for every character.
Proteins are text to a tokenizer: they are drawn and learnt with the English.
"""

import random
from collections.abc import Collection, Iterator
from typing import Any

from dnahlm.readers.corpus import count_rows, read_corpus

KIND_NAMES = {"dna": "DNA", "text": "English"}
LOW_SHARE = 0.01  # of characters: below it a kind hardly shapes the vocabulary


class Sample:
    """Training documents by kind; every reading yields the same ones.

    Args:
        corpus: folder written by `dnahlm corpus build`.
        manifest: of that corpus; says how many characters of each kind there are.
        most: kind -> characters to keep about; 0 keeps all.
        seed: decides which documents are kept. Each has the same chance.
    """

    def __init__(self, corpus: str, manifest: dict[str, Any], most: dict[str, int], seed: int) -> None:
        self.corpus, self.seed = corpus, seed
        counts = manifest["counts"]["train"]
        self.available = {kind: counts[kind]["characters"] for kind in KIND_NAMES}
        self.residues = counts.get("protein", {}).get("characters", 0)
        self.available["text"] += self.residues
        self.rates = {kind: thinned(self.available[kind], most[kind]) for kind in KIND_NAMES}
        self.counts = {"documents": 0, "dna_characters": 0, "text_characters": 0}
        self.most_read = dict.fromkeys(KIND_NAMES, (0, 0))  # documents and characters of the reading that went farthest

    def even_rates(self) -> None:
        """Thin both kinds like the one that needs it more, so that the mix stays that of the corpus."""
        self.rates = dict.fromkeys(KIND_NAMES, min(self.rates.values()))

    def characters(self, kind: str) -> int:
        """Characters that are read of a kind, about: documents are kept or left out whole."""
        return round(self.available[kind] * self.rates[kind])

    def read(self, kinds: Collection[str], share: float = 1.0) -> Iterator[str]:
        """Yield the kept documents of these kinds in the order of the corpus, behind a progress bar.

        Args:
            kinds: `dna`, `text` or both.
            share: of the kept documents; a smaller part of them is yielded.
        """
        from tqdm import tqdm

        rng = random.Random(self.seed)
        read = {kind: [0, 0] for kind in kinds}
        bar = tqdm(total=count_rows(self.corpus, "train"), desc="tokenizer", unit="document", disable=None)
        try:
            with bar:
                for found, texts in read_corpus(self.corpus, "train"):
                    for kind, text in zip(map(sampled_as, found), texts, strict=True):
                        if rng.random() < self.rates[kind] * share and kind in kinds:
                            read[kind][0] += 1
                            read[kind][1] += len(text)
                            yield text
                    bar.update(len(texts))
        finally:  # whoever has read enough stops early
            self.count(read)

    def count(self, read: dict[str, list[int]]) -> None:
        """Count what a reading has read, kind -> documents and characters; the corpus is read more than once."""
        self.most_read |= {kind: max(self.most_read[kind], tuple(counts)) for kind, counts in read.items()}
        self.counts["documents"] = sum(documents for documents, _ in self.most_read.values())
        self.counts |= {f"{kind}_characters": characters for kind, (_, characters) in self.most_read.items()}

    def facts(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            kind: {"characters": self.available[kind], "kept_share": round(self.rates[kind], 6)} for kind in KIND_NAMES
        }

    def warn_of_missing_kind(self) -> None:
        """Print a warning when DNA or English is (almost) absent from the corpus."""
        total = sum(self.available.values())
        for kind, name in KIND_NAMES.items():
            share = self.available[kind] / total if total else 0.0
            if share < LOW_SHARE:
                print(f"warning: only {share:.1%} of the training characters are {name}; {name} will cost many tokens")


def sampled_as(kind: str) -> str:
    """The kind that a kind of document counts as.

    >>> [sampled_as(kind) for kind in ("dna", "protein", "text")]
    ['dna', 'text', 'text']
    """
    return "text" if kind == "protein" else kind


def thinned(available: int, most: int) -> float:
    """The share of the documents to keep.

    >>> thinned(200, 50), thinned(200, 0), thinned(0, 50)
    (0.25, 1.0, 1.0)
    """
    return min(1.0, most / available) if most and available else 1.0

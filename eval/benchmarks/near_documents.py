"""Near-duplicate documents of a corpus: how many planted ones are found, and how many alarms others give.

    python eval/benchmarks/near_documents.py --data ../shared/data

Documents are those that `dnahlm corpus build` cuts: of human DNA 300 to 1,000 bases, of English up to 2,000 characters.
Of each a copy is changed with a chance for each base or word (of the indels, half are insertions of one base) and, of
DNA, read from the other strand; a copy is found when it has a band in common with its original. Alarms: documents with
a band in common with their own shuffled letters or words, and with any document of yeast, or of another text.
"""

import argparse
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dnahlm.corpus.build import CorpusConfig
from dnahlm.corpus.near import bands_of
from dnahlm.corpus.pieces import pieces_of
from dnahlm.corpus.sources import Source
from dnahlm.dna import reverse_complement

DOCUMENTS = 3000


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with genome/*.fa.gz and english/*.txt.gz")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    print(f"{time.strftime('%Y-%m-%d')}\n\n| documents | changed | found |\n|---|---|---|")
    human = texts(Path(args.data) / "genome" / "human_genomic.fa.gz", "dna")
    for share, indels in ((0.0025, 0), (0.005, 0), (0.01, 0), (0.02, 0), (0.05, 0), (0.005, 1)):
        copies = [reverse_complement("".join(edited(text, share, indels, "ACGT", rng))) for text in human]
        how = f"{share:.2%} of bases {'inserted or deleted' if indels else 'substituted'}"
        print(f"| {len(human):,} of DNA | {how} | {alike('dna', human, copies):.1%} |")
    shakespeare = texts(Path(args.data) / "english" / "tiny_shakespeare.txt.gz", "text")
    words = sorted({word for text in shakespeare for word in text.split()})
    for share in (0.01, 0.02, 0.05, 0.1):
        copies = [" ".join(edited(text.split(), share, 0, words, rng)) for text in shakespeare]
        print(f"| {len(shakespeare):,} of English | {share:.0%} of words | {alike('text', shakespeare, copies):.1%} |")
    for kind, one, path in (("dna", human, "genome/yeast.fa.gz"), ("text", shakespeare, "english/state_union.txt.gz")):
        units = [text if kind == "dna" else text.split() for text in one]
        shuffled = [("" if kind == "dna" else " ").join(rng.sample(u, len(u))) for u in units]
        other = texts(Path(args.data) / path, kind)
        print(f"| {len(one):,} of {kind} | shuffled: alarms | {alike(kind, one, shuffled):.2%} |")
        print(f"| {len(one):,} of {kind} | beside {len(other):,} of {path}: alarms | {met(kind, one, other):.2%} |")


def texts(path: Path, kind: str) -> list[str]:
    """The first documents of a file."""
    pieces = pieces_of(Source(path, path.name, kind), CorpusConfig(output="", both_strands=False))
    return [piece.text for piece in itertools.islice(pieces, DOCUMENTS)]


def edited(
    units: Sequence[str], share: float, indels: bool, choices: Sequence[str], rng: random.Random
) -> Iterator[str]:
    """Bases or words, each changed with a chance of `share`."""
    drawn = (rng.choice(choices) for _ in itertools.count())
    for unit in units:
        if rng.random() >= share:
            yield unit
        elif not indels:
            yield next(choice for choice in drawn if choice != unit)
        elif rng.random() < 0.5:
            yield unit + next(drawn)


def alike(kind: str, ones: list[str], others: list[str]) -> float:
    """Share of the pairs that have a band in common."""
    one, other = bands_of([kind] * len(ones), ones), bands_of([kind] * len(others), others)
    return float(((one == other) & (one != 0)).any(axis=1).mean())


def met(kind: str, ones: list[str], others: list[str]) -> float:
    """Share of the documents of one list that have a band in common with any of the other."""
    one, other = bands_of([kind] * len(ones), ones), bands_of([kind] * len(others), others)
    found = [np.isin(one[:, band], other[:, band]) & (one[:, band] != 0) for band in range(one.shape[1])]
    return float(np.any(found, axis=0).mean())


if __name__ == "__main__":
    main()

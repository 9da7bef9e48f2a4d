"""Bits per base of a pretrained model beside Markov models of order 0 to 12, trained and measured on the same DNA.

    python eval/benchmarks/markov.py --corpus runs/x/corpus --model runs/x/pretrain

`dnahlm corpus build` keeps whole records for validation, so no record is on both sides.

Every model predicts each base of the corpus' validation DNA from the bases before it in its document. A Markov model
of order k counts, in the train DNA, which base follows each word of k (Laplace: one added to each count); the first k
bases of a document are predicted with the shorter words there are. "Interpolated" mixes all orders: the share of a base
is (count + a_k x its share by the next lower order) / (sum of counts + a_k), MacKay and Peto 1995, with a_k chosen
order by order on a twentieth of the train documents, which the counts then leave out. The model's figure is the one
its training wrote into manifest.json: it also pays for the end of each document, sees nothing of a document before the
start of a block, and what it does not predict (the first token of a document or a block) counts at its mean.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from dnahlm.readers.corpus import read_corpus

CODES = np.full(256, 4, np.int64)
CODES[np.frombuffer(b"ACGT", np.uint8)] = np.arange(4)
STRENGTHS = np.geomspace(0.05, 500, 25)  # tried for a_k


def documents(corpus: str, split: str) -> list[np.ndarray]:
    """The DNA documents of a split, as numbers 0 to 3 (the corpus holds no N)."""
    return [
        CODES[np.frombuffer(text.encode(), np.uint8)]
        for kinds, texts in read_corpus(corpus, split)
        for kind, text in zip(kinds, texts, strict=True)
        if kind == "dna"
    ]


def words(joined: np.ndarray, place: np.ndarray, order: int) -> np.ndarray:
    """(N,) number of the word of `order` bases before each base; -1 where its document has fewer before it."""
    word = np.zeros(len(joined), np.int64)
    for back in range(1, order + 1):
        word[back:] += joined[:-back] << (2 * (back - 1))
    return np.where(place >= order, word, -1)


class Joined:
    """Documents end to end, with each base's place in its own."""

    def __init__(self, parts: list[np.ndarray]) -> None:
        self.bases = np.concatenate(parts)
        self.places = np.concatenate([np.arange(len(part)) for part in parts])


def counts(train: Joined, order: int) -> np.ndarray:
    """(4^order, 4) how often each base follows each word."""
    word = words(train.bases, train.places, order)
    known = word >= 0
    return np.bincount(word[known] * 4 + train.bases[known], minlength=4 ** (order + 1)).reshape(-1, 4)


def laplace(table: np.ndarray, test: Joined, order: int, lower: np.ndarray | None) -> np.ndarray:
    """(N,) share of each base of `test`; `lower` (the next lower order's) where there is no word of `order`."""
    word = words(test.bases, test.places, order)
    seen = table[np.maximum(word, 0)]
    share = (seen[np.arange(len(seen)), test.bases] + 1) / (seen.sum(1) + 4)
    return share if lower is None else np.where(word >= 0, share, lower)


def interpolated(table: np.ndarray, test: Joined, order: int, lower: np.ndarray, strength: float) -> np.ndarray:
    """(N,) share of each base of `test`, leaning on the next lower order where the word is rare."""
    word = words(test.bases, test.places, order)
    seen = table[np.maximum(word, 0)]
    share = (seen[np.arange(len(seen)), test.bases] + strength * lower) / (seen.sum(1) + strength)
    return np.where(word >= 0, share, lower)


def bits(share: np.ndarray) -> float:
    """Mean cost of a base."""
    return float(-np.log2(share).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--model", nargs="*", default=[], help="folders that recipes/pretrain.py wrote on this corpus")
    parser.add_argument("--orders", type=int, default=12)
    args = parser.parse_args()
    train, test = documents(args.corpus, "train"), Joined(documents(args.corpus, "validation"))
    choosing, counted = Joined(train[::20]), Joined([d for i, d in enumerate(train) if i % 20])
    train = Joined(train)
    print(
        f"{len(train.bases):,} train bases, {len(test.bases):,} held-out bases in {(test.places == 0).sum():,} pieces\n"
    )
    print("| model | bits per base |\n|---|---|")
    pure = mixed = mixed_choosing = None
    pure_bits = []
    for order in range(args.orders + 1):
        table = counts(train, order)
        pure = laplace(table, test, order, pure)
        pure_bits.append(bits(pure))
        print(f"| Markov, order {order} | {pure_bits[-1]:.4f} |", flush=True)
        if mixed is None:
            mixed, mixed_choosing = pure, laplace(counts(counted, order), choosing, order, None)
            continue
        partly = counts(counted, order)
        tried = {a: interpolated(partly, choosing, order, mixed_choosing, a) for a in STRENGTHS}
        strength = min(tried, key=lambda a: bits(tried[a]))
        mixed_choosing = tried[strength]
        mixed = interpolated(table, test, order, mixed, strength)
    print(f"| Markov, interpolated over 0 to {args.orders} | {bits(mixed):.4f} |")
    gaps = []
    for folder in args.model:
        manifest = json.loads((Path(folder) / "manifest.json").read_text())
        size, seconds = manifest["counts"]["parameters"], manifest["seconds"]
        name = f"{folder}: {manifest['start']['model_type']}, {size / 1e6:.2f} M parameters, {seconds / 60:.1f} min"
        found = manifest["validation"]["bits_per_base"]
        beaten = [order for order, cost in enumerate(pure_bits) if found < cost]
        print(f"| {name} | {found:.4f} |")
        gaps.append(f"{folder}: {found - bits(mixed):+.4f} to interpolated; better than the orders {beaten or 'none'}")
    print("\n" + "\n".join(gaps))


if __name__ == "__main__":
    main()

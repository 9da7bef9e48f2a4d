"""Mixed text of any size for the tokenizer benchmark, made from real DNA and English so that its statistics are theirs.

DNA: a Markov chain of order 10 fitted on the human sequences of the data folder, into which diverged copies of 400 real
stretches (300 to 3,000 bases, Zipf-distributed, 2 to 20 % of the bases substituted, either strand) are set until they
are 30 % of all bases. English: real paragraphs in random order, in which 4 % of the words are replaced by new ones from
a letter chain fitted on the same text and drawn Zipf-distributed out of a million, so that new words keep coming as
they do in real text. Both are simulated: figures of the benchmark hold for these statistics.
"""

import gzip
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dnahlm.corpus.write import schema
from dnahlm.manifest import StageClock, write_manifest
from dnahlm.readers.sequences import read_dna
from dnahlm.tasks.simulate.english import python_documentation

ORDER, CHAINS = 10, 1 << 14
REPEATS, REPEAT_SHARE = 400, 0.3
NEW_WORDS, NEW_WORD_SHARE = 1_000_000, 0.04
LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)
WORD = re.compile(r"[A-Za-z]{4,}")
VALIDATION_MEGABYTES = 4


def write_corpus(folder: Path, data: Path, megabytes: float, seed: int = 0) -> None:
    """Write a folder as `dnahlm corpus build` does: half DNA, half English, documents of both kinds in random order."""
    clock = StageClock()
    sizes = {"train": round(megabytes * 1e6), "validation": VALIDATION_MEGABYTES * 1_000_000}
    rng = np.random.default_rng(seed)
    words, dna = English(data, seed), Dna(data, rng)
    counts = {split: {} for split in sizes}
    for split, size in sizes.items():
        (folder / split).mkdir(parents=True)
        totals = {"dna": [0, 0], "text": [0, 0]}
        sources = {"dna": dna.documents(), "text": words.documents()}
        with pq.ParquetWriter(folder / split / "part-00000.parquet", schema(), compression="zstd") as writer:
            while min(total for _, total in totals.values()) < size / 2:
                rows = []
                for _ in range(4096):
                    kind = min(totals, key=lambda k: totals[k][1])  # whichever is behind: stays half and half
                    text = next(sources[kind])
                    totals[kind][0] += 1
                    totals[kind][1] += len(text)
                    rows.append((f"{kind}:{totals[kind][0]}", kind, text, "simulated", 0, len(text), ""))
                columns = [pa.array(column) for column in zip(*rows, strict=True)]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema()))
        counts[split] = {k: {"documents": n, "characters": c} for k, (n, c) in totals.items()}
    write_manifest(folder, "corpus build", {"megabytes": megabytes, "seed": seed}, clock, {}, counts)


class Dna:
    """Documents of 300 to 1,000 bases from a chain fitted on real DNA, with repeats."""

    def __init__(self, data: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        real = [np.frombuffer(r.sequence.encode(), np.uint8) for r in read_dna(data / "genome/human_genomic.fa.gz")]
        codes = np.searchsorted(LETTERS, np.concatenate(real))
        codes = codes[np.concatenate(real) != ord("N")].astype(np.int64)
        context = sum(codes[i : len(codes) - ORDER + i] << 2 * (ORDER - 1 - i) for i in range(ORDER))
        counted = np.bincount(context << 2 | codes[ORDER:], minlength=4 ** (ORDER + 1)).reshape(-1, 4)
        order_4 = np.add.reduce(counted.reshape(-1, 4**4, 4), axis=0)  # a context seen rarely leans on its last 4 bases
        chances = counted + 4 * np.tile(order_4 / order_4.sum(1, keepdims=True), (4 ** (ORDER - 4), 1))
        self.cumulative = np.cumsum(chances / chances.sum(1, keepdims=True), axis=1)[:, :3].astype(np.float32)
        self.state = rng.choice(context, CHAINS)
        starts = rng.integers(0, len(codes) - 3000, REPEATS)
        self.repeats = [
            codes[s : s + n].astype(np.uint8) for s, n in zip(starts, rng.integers(300, 3000, REPEATS), strict=True)
        ]
        self.weights = 1 / np.arange(1, REPEATS + 1)
        self.weights /= self.weights.sum()

    def chain(self, steps: int) -> np.ndarray:
        """The next bases of all chains, one chain after the other: (CHAINS * steps,) codes."""
        out = np.empty((CHAINS, steps), np.uint8)
        for i in range(steps):
            base = (self.rng.random((CHAINS, 1), np.float32) > self.cumulative[self.state]).sum(1)
            self.state = (self.state << 2 | base) & (4**ORDER - 1)
            out[:, i] = base
        return out.reshape(-1)

    def genome(self) -> Iterator[np.ndarray]:
        """Stretches of chain and of repeats in turn, without end."""
        while True:
            codes, at = self.chain(1000), 0
            while at < len(codes):
                repeat = self.repeats[self.rng.choice(REPEATS, p=self.weights)].copy()
                hit = np.flatnonzero(self.rng.random(len(repeat)) < self.rng.uniform(0.02, 0.2))
                repeat[hit] = self.rng.integers(0, 4, len(hit))
                yield repeat if self.rng.random() < 0.5 else 3 - repeat[::-1]
                between = int(len(repeat) * (1 - REPEAT_SHARE) / REPEAT_SHARE)
                yield codes[at : at + between]
                at += between

    def documents(self) -> Iterator[str]:
        """The genome cut into documents."""
        held: list[np.ndarray] = []
        for stretch in self.genome():
            held.append(stretch)
            if sum(map(len, held)) < 1 << 18:
                continue
            letters = LETTERS[np.concatenate(held)].tobytes().decode()
            held, at = [], 0
            while at + 1000 <= len(letters):
                length = int(self.rng.integers(300, 1001))
                yield letters[at : at + length]
                at += length


class English:
    """Real paragraphs, again and again, in which new words take the place of some."""

    def __init__(self, data: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        files = sorted((data / "english").glob("*.gz"))
        texts = [gzip.decompress(path.read_bytes()).decode() for path in files]
        lines = [line.strip() for text in texts for line in text.split("\n")] + python_documentation()
        self.paragraphs = [line for line in dict.fromkeys(lines) if len(line) >= 60]
        known = sorted({word.lower() for line in self.paragraphs for word in WORD.findall(line)})
        follow: dict[str, Counter[str]] = defaultdict(Counter)
        for word in known:
            for i in range(len(word) + 1):
                follow[word[max(0, i - 3) : i]][word[i : i + 1]] += 1
        self.chain = {context: (list(c), list(c.values())) for context, c in follow.items()}
        self.words: list[str] = []

    def new_word(self) -> str:
        """Draw a rank from a Zipf distribution (1 / rank) and give the word that has it."""
        rank = int(NEW_WORDS ** self.rng.random())
        own = random.Random(rank)  # the word of a rank is always the same
        word = ""
        while len(word) < 20:
            letter = own.choices(*self.chain[word[-3:]])[0]
            if not letter:
                break
            word += letter
        return word.capitalize() if rank % 3 == 0 else word

    def replaced(self, match: re.Match[str]) -> str:
        """The word, or a new one."""
        return self.new_word() if self.rng.random() < NEW_WORD_SHARE else match.group()

    def documents(self) -> Iterator[str]:
        """Paragraphs in random order, without end."""
        while True:
            yield WORD.sub(self.replaced, self.rng.choice(self.paragraphs))

"""The three ways a stretch of DNA is drawn and scored: motif matrices, Markov chains and codons.

Everything that draws can also score, so that the oracle knows exactly what the generator knows.
Bases are codes 0, 1, 2, 3 for A, C, G, T (uint8); 4 is N. Shapes: N sequences, L bases, W motif positions.
"""

from dataclasses import dataclass, field

import numpy as np

from dnahlm.tasks.simulate.biology import (
    CODON_BIAS,
    CODONS_PER_THOUSAND,
    COMPOSITIONS,
    GENETIC_CODE,
    LETTERS,
    MOTIFS,
)

FLOOR = 1e-4  # no letter is impossible to score, else one odd base would decide alone
_LETTER_CODES = np.full(256, 4, dtype=np.uint8)
_LETTER_CODES[[ord(letter) for letter in LETTERS]] = range(4)
_CODE_LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)


def encode(sequence: str) -> np.ndarray:
    """Codes (L,) of an upper-case sequence.

    >>> encode("ACGTN").tolist()
    [0, 1, 2, 3, 4]
    """
    return _LETTER_CODES[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]


def decode(codes: np.ndarray) -> str:
    """Upper-case sequence of codes (L,).

    >>> decode(np.array([0, 3, 4]))
    'ATN'
    """
    return _CODE_LETTERS[codes].tobytes().decode("ascii")


def flip(codes: np.ndarray) -> np.ndarray:
    """The other strand of codes (..., L), read 5' to 3'; N stays N.

    >>> flip(np.array([0, 0, 1, 4], dtype=np.uint8)).tolist()
    [4, 2, 3, 3]
    """
    return np.array([3, 2, 1, 0, 4], dtype=np.uint8)[codes[..., ::-1]]


def draw(rng: np.random.Generator, cumulative: np.ndarray) -> np.ndarray:
    """One code per row of cumulative probabilities (..., 4)."""
    return (rng.random(cumulative.shape[:-1])[..., None] >= cumulative[..., :-1]).sum(axis=-1).astype(np.uint8)


@dataclass(frozen=True)
class Motif:
    """A position weight matrix: `probabilities` of shape (W, 4)."""

    probabilities: np.ndarray

    @property
    def width(self) -> int:
        """W, bases."""
        return len(self.probabilities)

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """One site, codes (W,)."""
        return draw(rng, np.cumsum(self.probabilities, axis=1))

    def log_probability(self, windows: np.ndarray, start: int) -> np.ndarray:
        """Natural log of the probability of bases start .. start+W of each of the windows (N, L); shape (N,)."""
        logs = np.log(np.maximum(self.probabilities, FLOOR))
        return logs[np.arange(self.width), windows[:, start : start + self.width]].sum(axis=1)


@dataclass
class Chain:
    """A first-order Markov chain: `transitions` (4, 4), rows sum to 1; `stationary` (4,)."""

    transitions: np.ndarray
    stationary: np.ndarray
    _stock: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))

    def take(self, rng: np.random.Generator, n_bases: int) -> np.ndarray:
        """The next `n_bases` codes of an endless stream, made in batches because one step at a time is slow."""
        while len(self._stock) < n_bases:
            self._stock = np.concatenate([self._stock, self._batch(rng)])
        taken, self._stock = self._stock[:n_bases], self._stock[n_bases:]
        return taken.copy()

    def _batch(self, rng: np.random.Generator, n_chains: int = 256, n_steps: int = 1024) -> np.ndarray:
        cumulative = np.cumsum(self.transitions, axis=1)
        codes = np.empty((n_chains, n_steps), np.uint8)
        codes[:, 0] = draw(rng, np.tile(np.cumsum(self.stationary), (n_chains, 1)))
        for step in range(1, n_steps):
            codes[:, step] = draw(rng, cumulative[codes[:, step - 1]])
        return codes.ravel()

    def log_steps(self, windows: np.ndarray) -> np.ndarray:
        """Log-probability of each base given the one before (the first: stationary); (N, L) -> (N, L)."""
        first = np.log(self.stationary)[windows[:, :1]]
        return np.concatenate([first, np.log(self.transitions)[windows[:, :-1], windows[:, 1:]]], axis=1)


@dataclass(frozen=True)
class Codons:
    """Codon usage: `probabilities` (64,) over codes 16a + 4b + c, stops excluded; `stops` (64,) over the stops."""

    probabilities: np.ndarray
    stops: np.ndarray

    def sample(self, rng: np.random.Generator, n_codons: int) -> np.ndarray:
        """A coding sequence of `n_codons` codons: ATG, codons by usage, a stop; codes (3 * n_codons,)."""
        middle = rng.choice(64, size=n_codons - 2, p=self.probabilities)
        last = rng.choice(64, p=self.stops)
        numbers = np.concatenate([[_codon_number("ATG")], middle, [last]])
        return np.stack([numbers // 16, numbers // 4 % 4, numbers % 4], axis=1).ravel().astype(np.uint8)

    def log_steps(self, windows: np.ndarray, frame: int) -> np.ndarray:
        """Log-probability of windows (N, L) read in `frame` 0, 1 or 2, spread over bases: (N, L).

        A codon's value stands at its last base; bases of codons cut by an edge are scored by base frequency.
        """
        n_codons = (windows.shape[1] - frame) // 3
        end = frame + 3 * n_codons
        triplets = windows[:, frame:end].astype(np.int64).reshape(len(windows), n_codons, 3)
        steps = np.log(self.base_frequencies())[windows]
        steps[:, frame:end] = 0.0
        logs = np.log(np.maximum(self.probabilities, FLOOR))
        steps[:, frame + 2 : end : 3] = logs[triplets @ np.array([16, 4, 1])]
        return steps

    def base_frequencies(self) -> np.ndarray:
        """Share of A, C, G, T in coding sequence, shape (4,)."""
        cube = self.probabilities.reshape(4, 4, 4)
        return (cube.sum((1, 2)) + cube.sum((0, 2)) + cube.sum((0, 1))) / 3


def _codon_number(codon: str) -> int:
    return int(encode(codon).astype(int) @ np.array([16, 4, 1]))


def make_motifs() -> dict[str, Motif]:
    """The motif matrices of the organism, rows scaled to sum to 1."""
    tables = {name: np.array(rows, dtype=float) for name, rows in MOTIFS.items()}
    return {name: Motif(table / table.sum(axis=1, keepdims=True)) for name, table in tables.items()}


def make_chains() -> dict[str, Chain]:
    """One Markov chain per kind of region, from base shares and dinucleotide ratios."""
    chains = {}
    for name, (shares, ratios) in COMPOSITIONS.items():
        stationary = np.array(shares)
        pairs = np.outer(stationary, stationary)
        for pair, ratio in ratios.items():
            pairs[LETTERS.index(pair[0]), LETTERS.index(pair[1])] *= ratio
        for _ in range(50):  # scale rows and columns in turn until both sum to the wanted base shares
            pairs *= (stationary / pairs.sum(axis=1))[:, None]
            pairs *= stationary / pairs.sum(axis=0)
        chains[name] = Chain(pairs / pairs.sum(axis=1, keepdims=True), stationary)
    return chains


def make_codons() -> Codons:
    """Codon usage with the synonymous choice sharpened by `CODON_BIAS`; amino acid shares stay as in the table."""
    sense, stops = np.zeros(64), np.zeros(64)
    for amino_acid in sorted(set(GENETIC_CODE.values())):
        synonyms = [codon for codon, meaning in GENETIC_CODE.items() if meaning == amino_acid]
        usage = np.array([CODONS_PER_THOUSAND[codon] for codon in synonyms])
        sharp = usage**CODON_BIAS
        target = stops if amino_acid == "*" else sense
        for codon, value in zip(synonyms, sharp / sharp.sum() * usage.sum(), strict=True):
            target[_codon_number(codon)] = value
    return Codons(sense / sense.sum(), stops / stops.sum())

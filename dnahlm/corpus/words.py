"""Words of sixteen bases as numbers that are the same on both strands; cuts and near-duplicates are told by them."""

import numpy as np

WORD = 16  # bases; as many as 32 bits hold


def dna_words(sequence: str, seed: int = 0) -> np.ndarray:
    """(L - 15,) uint32: a hash of the word at each place, the same for a word and its reverse complement.

    Args:
        sequence: L letters; other letters than A, C, G, T are read as one of them.
        seed: another one gives other hashes.

    >>> words = dna_words("ACGTTGCATTAGGCACCA")
    >>> words.tolist() == dna_words("TGGTGCCTAATGCAACGT")[::-1].tolist()
    True
    """
    bases = np.frombuffer(sequence.encode("ascii"), np.uint8) >> 1 & 3  # A, C, T, G are 0 to 3
    words = np.minimum(plain_words(bases), plain_words((bases ^ 2)[::-1])[::-1])
    return mixed(words ^ mixed(np.array([seed & 0xFFFFFFFF], np.uint32)))


def plain_words(bases: np.ndarray) -> np.ndarray:
    """(L - 15,) uint32: the two bits of each base of a word side by side."""
    words, size = bases.astype(np.uint32), 1
    while size < WORD:
        words = words[: max(len(words) - size, 0)] << np.uint32(2 * size) | words[size:]
        size *= 2
    return words


def mixed(values: np.ndarray) -> np.ndarray:
    """The values (uint32) spread evenly: the last step of MurmurHash3, which maps no two to one."""
    values = values ^ (values >> np.uint32(16))
    for factor, shift in ((0x85EBCA6B, 13), (0xC2B2AE35, 16)):
        values *= np.uint32(factor)
        values ^= values >> np.uint32(shift)
    return values

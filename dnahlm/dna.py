"""The DNA alphabet: the one place where case, U, N, IUPAC letters and strands are settled.

Policy, for every stage:

- lower case (soft-masked repeats) becomes upper case;
- U becomes T;
- N stays; the other IUPAC letters (R Y S W K M B D H V) become N and are counted;
- white space inside a sequence is dropped; anything else is an error that names the letter and its place.
"""

import re
from dataclasses import dataclass

from dnahlm.io import InputError

BASES = "ACGT"
IUPAC = "RYSWKMBDHV"
_PAIRS = str.maketrans("ACGTUNRYSWKMBDHVacgtunryswkmbdhv", "TGCAANYRSWMKVHDBtgcaanyrswmkvhdb")
_TO_PLAIN = str.maketrans({"U": "T", **dict.fromkeys(IUPAC, "N")})
_FOREIGN = re.compile(r"[^ACGTUNRYSWKMBDHV]")
_AMBIGUOUS = re.compile(f"[{IUPAC}]")


@dataclass(frozen=True)
class Normalized:
    """A sequence over A, C, G, T, N and how many IUPAC letters became N."""

    sequence: str
    n_ambiguous: int


def normalize(sequence: str, where: str) -> Normalized:
    """Bring a DNA or RNA sequence to upper-case A, C, G, T, N by the policy of this module.

    Args:
        sequence: letters as found in a file or typed by a user.
        where: what an error message starts with, such as `"genome.fa:12 record 'chr1'"`.

    Raises:
        InputError: a letter that is neither a base nor an IUPAC nucleotide code.

    >>> normalize("acgu nry", "typed")
    Normalized(sequence='ACGTNNN', n_ambiguous=2)
    """
    letters = "".join(sequence.split()).upper()
    foreign = _FOREIGN.search(letters)
    if foreign:
        kinds = sorted(set(_FOREIGN.findall(letters)))
        protein = " It looks like a protein." if set(kinds) & set("EFILPQ") else ""
        raise InputError(
            f"{where}: {foreign.group()!r} at base {foreign.start() + 1} is not a nucleotide "
            f"(letters not allowed: {''.join(kinds)[:20]!r}; allowed: ACGTU, N and IUPAC {IUPAC}, either case)."
            f"{protein} Remove the record or give DNA."
        )
    return Normalized(letters.translate(_TO_PLAIN), len(_AMBIGUOUS.findall(letters)))


def reverse_complement(sequence: str) -> str:
    """The other strand, read 5' to 3'. Case and IUPAC letters are kept; U pairs with A.

    >>> reverse_complement("ACgtNR")
    'YNacGT'
    """
    return sequence.translate(_PAIRS)[::-1]


def canonical(sequence: str) -> str:
    """The alphabetically smaller of a sequence and its reverse complement: one name for both strands.

    >>> canonical("TTTG") == canonical("CAAA") == "CAAA"
    True
    """
    return min(sequence, reverse_complement(sequence))


def gc_content(sequence: str) -> float:
    """Share of G and C among A, C, G, T; 0.0 when there is none of them.

    >>> gc_content("GGCN"), gc_content("NN")
    (1.0, 0.0)
    """
    strong = sequence.count("G") + sequence.count("C")
    known = strong + sequence.count("A") + sequence.count("T")
    return strong / known if known else 0.0

"""Coding sequences with their proteins, each verified to translate; and the families that must stay in one split."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnahlm.dna import normalize
from dnahlm.io import InputError
from dnahlm.readers.sequence_lines import FORMATS, first_line_of
from dnahlm.readers.sequences import read_dna
from dnahlm.readers.tables import read_table

SIMULATED = "simulated=dnahlm"  # in every header that `dnahlm simulate` writes
FAMILY_RESIDUES = 12  # genes that have this many residues in a row in common are one family
LEAST_KINDS = 5  # different residues in such a stretch: repeats of one or few residues join nothing
_LETTERS = re.compile(r"[A-Z]+\*?")
_DNA = re.compile(r"[ACGTUN]{20,}")  # no protein of 20 residues is made of these letters only


@dataclass(frozen=True)
class Gene:
    """A verified coding sequence without its stop codon, and the protein it codes, residue for codon."""

    name: str
    cds: str  # bases
    protein: str  # residues
    simulated: bool = False


class NotCoding(ValueError):
    """Why a coding sequence does not translate to its protein."""


def check_code(number: int) -> None:
    """Refuse a genetic code NCBI does not number.

    Raises:
        InputError: listing the numbers.
    """
    from Bio.Data.CodonTable import unambiguous_dna_by_id

    if number not in unambiguous_dna_by_id:
        raise InputError(
            f"genetic_code: found {number}; must be an NCBI translation table: "
            f"{', '.join(map(str, unambiguous_dna_by_id))} (1 standard, 2 vertebrate mitochondrial, 11 bacterial)."
        )


def translate(sequence: str, code: int = 1) -> str:
    """Residues of the whole codons of a DNA sequence, `*` for a stop; 1 or 2 bases left over are ignored.

    >>> translate("ATGGCTTAAG")
    'MA*'
    """
    from Bio.Seq import translate as biopython_translate

    return biopython_translate(sequence[: len(sequence) // 3 * 3], table=code)


def verify(cds: str, protein: str | None, code: int) -> tuple[str, str]:
    """The coding sequence without its stop codon, and its protein.

    Args:
        cds: upper-case bases, read from the first codon on; a final stop codon may be missing when `protein` is given.
        protein: what it must translate to, with or without a final `*`. None: the sequence must be complete, from a
            start codon of the code to a stop codon, and the protein is its translation.
        code: NCBI translation table.

    An alternative start codon may stand for M. A stop codon that the code also reads as a residue ends a sequence only.

    Raises:
        NotCoding: the reason, in words.

    >>> verify("ATGGCTTAA", "MA", 1)
    ('ATGGCT', 'MA')
    """
    from Bio.Data.CodonTable import unambiguous_dna_by_id

    table = unambiguous_dna_by_id[code]
    if set(cds) - set("ACGT"):
        raise NotCoding("the DNA has letters other than A, C, G, T, so its protein is not certain")
    if len(cds) % 3:
        raise NotCoding(f"its length, {len(cds)} bases, is no multiple of 3")
    starts, stops = cds[:3] in table.start_codons, cds[-3:] in table.stop_codons
    if protein is None and not (starts and stops):
        raise NotCoding(f"it runs from {cds[:3]} to {cds[-3:]}, not from a start codon to a stop codon of this code")
    expected = None if protein is None else protein.removesuffix("*")
    body = cds[:-3] if stops and (expected is None or 3 * len(expected) < len(cds)) else cds
    coded = translate(body, code)
    if "*" in coded:
        raise NotCoding(f"it has a stop codon inside, at base {3 * coded.index('*') + 1}")
    if starts and (expected is None or expected.startswith("M")):
        coded = "M" + coded[1:]
    if expected not in (None, coded):
        raise NotCoding(difference(coded, expected))
    return body, coded


def difference(coded: str, protein: str) -> str:
    """Where the translation and the protein first differ, in words.

    >>> difference("MAK", "MAR")
    'residue 3 translates to K, the protein has R'
    """
    for place, (ours, theirs) in enumerate(zip(coded, protein, strict=False), 1):
        if ours != theirs:
            return f"residue {place} translates to {ours}, the protein has {theirs}"
    return f"it translates to {len(coded)} residues, the protein has {len(protein)}"


@dataclass(frozen=True)
class Entry:
    """One coding sequence as found, not yet verified. `where` is `path:line`."""

    name: str
    cds: str
    protein: str | None
    where: str
    simulated: bool = False


def read_entries(path: str, cds_column: str, protein_column: str) -> Iterator[Entry]:
    """Entries of a FASTA file of coding sequences, or of a table with a DNA and a protein column.

    Raises:
        InputError: as the readers; a protein with letters that are no residues, or that looks like DNA.
    """
    suffix = Path(path.removesuffix(".gz")).suffix.lower()
    if suffix in FORMATS:
        for record in read_dna(path):
            yield Entry(record.id, record.sequence, None, record.where, SIMULATED in record.description)
        return
    for row in read_table(path, (cds_column, protein_column)):
        cds, protein = row.values[cds_column], row.values[protein_column].upper()
        if not _LETTERS.fullmatch(protein) or _DNA.fullmatch(protein):
            raise InputError(
                f"{row.where}: column {protein_column!r} holds {protein[:30]!r}, which is no protein (one-letter codes "
                "of residues). Are the columns swapped? --protein_column and --cds_column name them."
            )
        name = f"{Path(path).name}:{row.where.rpartition(':')[2]}"
        yield Entry(name, normalize(cds, f"{row.where}: column {cds_column!r}").sequence, protein, row.where)


def read_genes(
    paths: Sequence[str], cds_column: str, protein_column: str, code: int, skip_invalid: bool
) -> tuple[list[Gene], dict[str, int]]:
    """Verified genes of all files, and what was read and left out.

    Raises:
        InputError: one that does not translate, with file and line, unless `skip_invalid`; a name used twice; none.
    """
    genes: dict[str, Gene] = {}
    counts: Counter[str] = Counter(read=0, do_not_translate=0)
    first = ""
    for path in paths:
        for entry in read_entries(path, cds_column, protein_column):
            counts["read"] += 1
            if entry.name in genes:
                raise InputError(f"{located(path, entry)}: {entry.name!r} is also in another file. Rename one.")
            try:
                genes[entry.name] = Gene(entry.name, *verify(entry.cds, entry.protein, code), entry.simulated)
            except NotCoding as error:
                counts["do_not_translate"] += 1
                first = first or f"{located(path, entry)}: {entry.name!r} does not translate: {error}"
                if not skip_invalid:
                    raise InputError(
                        f"{first}. Correct or remove it, choose another --genetic_code (now {code}), or pass "
                        "--skip_invalid true to count such entries and leave them out."
                    ) from error
    if not genes:
        raise InputError(f"{first}. None of {counts['read']} entries translates; is --genetic_code {code} right?")
    return list(genes.values()), dict(counts)


def located(path: str, entry: Entry) -> str:
    """`path:line` of an entry; the FASTA reader does not carry lines, so they are looked up."""
    if entry.protein is not None:
        return entry.where
    return f"{path}:{first_line_of(Path(path), entry.name)}"


def families(genes: Sequence[Gene]) -> list[list[Gene]]:
    """Genes joined, also through others, by a stretch of `FAMILY_RESIDUES` residues in common (single linkage).

    Held in memory: one number per residue. Paralogs, isoforms and copies of one gene come together.
    """
    parent = list(range(len(genes)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[int, int] = {}  # hash of a stretch -> gene
    for index, gene in enumerate(genes):
        for stretch in {gene.protein[i : i + FAMILY_RESIDUES] for i in range(len(gene.protein) - FAMILY_RESIDUES + 1)}:
            if len(set(stretch)) >= LEAST_KINDS:
                parent[root(index)] = root(first.setdefault(hash(stretch), index))
    joined: dict[int, list[Gene]] = {}
    for index, gene in enumerate(genes):
        joined.setdefault(root(index), []).append(gene)
    return list(joined.values())

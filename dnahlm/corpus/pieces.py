"""Cut sources into documents: DNA within a record (or its regions) and between N, English as it is read, proteins."""

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from dnahlm.corpus.cuts import cuts
from dnahlm.corpus.settings import CorpusConfig
from dnahlm.corpus.sources import Source
from dnahlm.dna import canonical, reverse_complement
from dnahlm.readers.sequences import SequenceRecord, read_dna, read_proteins
from dnahlm.readers.text import TextDocument, read_documents, record_documents

KNOWN_RUN = re.compile("[ACGT]+")
DNA_COUNTS = ("records", "bases", "lower_case_bases", "ambiguous_letters_to_n", "held_out_records", "held_out_bases",
              "n_bases_dropped", "short_run_bases_dropped", "records_without_a_document")  # fmt: skip


class Piece(NamedTuple):
    """One document of the corpus: what its parquet file holds of it, its record, and its place in the order."""

    id: str
    kind: str  # dna | text | protein
    text: str
    source: str
    start: int  # 0-based, half-open; bases of the record's forward strand, residues, or characters of the file
    end: int
    strand: str  # + | - | "" for text and protein
    record: str  # no piece crosses it, and validation is told by it
    key: int  # 64 bits; copies have the same, and the documents of a corpus stand in the order of their keys


def key_of(kind: str, text: str, seed: int) -> int:
    """The key of a document; `text` is that of the strand which both strands are named by."""
    digest = hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=8, key=seed.to_bytes(8, "little"))
    return int.from_bytes(digest.digest(), "little")


def pieces_of(source: Source, config: CorpusConfig) -> Iterator[Piece]:
    """Yield the documents of a source and fill its `counts`.

    Raises:
        InputError: a file that cannot be used.
    """
    cut = {"dna": dna_pieces, "text": text_pieces, "protein": protein_pieces}
    return cut[source.kind](source, config)


def dna_pieces(source: Source, config: CorpusConfig) -> Iterator[Piece]:
    """Yield the pieces of a sequence file; the bases that no piece holds are counted, by why."""
    counts = source.counts = dict.fromkeys(DNA_COUNTS, 0)
    if source.regions is not None:
        counts["bases_outside_regions"] = 0
    held_out = set(config.held_out_records)
    for record in read_dna(source.path):
        length = len(record.sequence)
        counts["records"] += 1
        counts["bases"] += length
        counts["lower_case_bases"] += record.n_lower
        counts["ambiguous_letters_to_n"] += record.n_ambiguous
        source.note(record.id, length)
        if record.id in held_out:
            counts["held_out_records"] += 1
            counts["held_out_bases"] += length
            source.held_out.add(record.id)
            continue
        parts = source.parts(record.id, length)
        if source.regions is not None:
            counts["bases_outside_regions"] += length - sum(last - first for first, last in parts)
        n_pieces = 0
        for piece in record_pieces(record, parts, source, config):
            n_pieces += 1
            yield piece
        counts["records_without_a_document"] += bool(parts) and not n_pieces


def record_pieces(
    record: SequenceRecord, parts: list[tuple[int, int]], source: Source, config: CorpusConfig
) -> Iterator[Piece]:
    """The pieces of one record, within `parts` of it."""
    for first, last in parts:
        n_known = n_kept = 0
        for run in KNOWN_RUN.finditer(record.sequence, first, last):
            n_known += run.end() - run.start()
            limits = (config.min_piece, config.max_piece, config.seed)
            for start, end in cuts(record.sequence, run.start(), run.end(), *limits):
                n_kept += end - start
                forward = record.sequence[start:end]
                named = canonical(forward)
                key = key_of("dna", named, config.seed)
                # The key draws the strand, so that copies are read from the same one.
                text = (named if key & 1 else reverse_complement(named)) if config.both_strands else forward
                strand = "+" if text == forward else "-"
                name = f"{source.name}:{record.id}:{start}-{end}"
                yield Piece(name, "dna", text, source.name, start, end, strand, record.id, key)
        source.counts["n_bases_dropped"] += last - first - n_known
        source.counts["short_run_bases_dropped"] += n_known - n_kept


def text_pieces(source: Source, config: CorpusConfig) -> Iterator[Piece]:
    """Yield the documents of a text file or a data set of the hub."""
    counts = source.counts = dict.fromkeys(("records", "documents", "characters"), 0)
    for document in documents_of(source):
        counts["records"] += document.opens_record
        counts["documents"] += 1
        counts["characters"] += len(document.text)
        name = f"{source.name}:{document.start}-{document.end}"
        place = (document.start, document.end, "", str(counts["records"]))
        yield Piece(name, "text", document.text, source.name, *place, key_of("text", document.text, config.seed))


def documents_of(source: Source) -> Iterator[TextDocument]:
    """The documents of a file, or of a data set of the hub, whose rows are records."""
    if source.hub is None:
        return read_documents(source.path)
    from dnahlm.readers.hub import stream_texts

    return record_documents(stream_texts(*source.hub))


def protein_pieces(source: Source, config: CorpusConfig) -> Iterator[Piece]:
    """Yield the proteins of a FASTA file; a longer one than `max_piece` residues in parts of one length."""
    counts = source.counts = dict.fromkeys(("records", "residues", "records_without_a_document"), 0)
    for record in read_proteins(source.path):
        length = len(record.sequence)
        counts["records"] += 1
        counts["residues"] += length
        counts["records_without_a_document"] += not length
        n_parts = -(-length // config.max_piece)
        for number in range(n_parts):
            start, end = (at * length // n_parts for at in (number, number + 1))
            text = record.sequence[start:end]
            name = f"{source.name}:{record.id}:{start}-{end}"
            key = key_of("protein", text, config.seed)
            yield Piece(name, "protein", text, source.name, start, end, "", record.id, key)

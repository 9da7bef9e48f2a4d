import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.dna import reverse_complement
from dnahlm.io import InputError
from dnahlm.readers.formats import read_rows

GENOME = {"chr1": "ACGTTTGCAN", "chr2": "ggccRT"}


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name} assembly x\n{s[:4]}\n{s[4:]}\n" for name, s in GENOME.items()))
    return path


def read(genome, text, columns=("sequence",), name="x.bed"):
    path = genome.parent / name
    path.write_text(text)
    return [tuple(row.values.values()) for row in read_rows("bed", path, columns, genome=genome)]


def message(genome, text, columns=("sequence",)):
    with pytest.raises(InputError) as error:
        read(genome, text, columns)
    return str(error.value)


PLACES = st.sampled_from(sorted(GENOME)).flatmap(
    lambda chrom: st.tuples(
        st.just(chrom),
        st.lists(st.integers(0, len(GENOME[chrom])), min_size=2, max_size=2, unique=True).map(sorted),
        st.sampled_from("+-."),
    )
)


@settings(max_examples=25, deadline=None)
@given(places=st.lists(PLACES, min_size=1, max_size=6), zipped=st.booleans(), blanks=st.booleans())
def test_each_interval_has_its_bases_on_its_strand(tmp_path_factory, places, zipped, blanks):
    folder = tmp_path_factory.mktemp("b")
    fasta = "".join(f">{name}\n{s[:3]}\n{s[3:]}\n" for name, s in GENOME.items()).encode()
    genome = folder / ("g.fa.gz" if zipped else "g.fa")
    genome.write_bytes(gzip.compress(fasta) if zipped else fasta)
    sign = " " if blanks else "\t"
    text = "".join(sign.join((c, str(a), str(b), "site", "7", strand)) + "\n" for c, (a, b), strand in places)
    expected = [GENOME[c][a:b] for c, (a, b), _ in places]
    expected = [reverse_complement(s) if p[2] == "-" else s for s, p in zip(expected, places, strict=True)]
    columns = ["sequence", "name", "score", "strand", "start", "end", "chrom"]
    assert read(genome, text, columns) == [
        (s, "site", "7", strand, str(a), str(b), c) for s, (c, (a, b), strand) in zip(expected, places, strict=True)
    ]


def test_a_header_line_names_the_fields_from_the_fourth_on(genome):
    text = "# made by hand\ntrack name=x\n#chrom\tchromStart\tchromEnd\tclass\tstrand\nchr1\t0\t2\tbound\t-\n"
    assert read(genome, text, ["sequence", "class", "start"]) == [("GT", "bound", "0")]


def test_any_field_can_be_the_label_and_comments_between_intervals_are_skipped(genome):
    text = "chr1\t0\t2\tx\t1\n# a\tb\tc\td\te\n\nchr2\t0\t1\ty\t0\n"
    assert read(genome, text, ["score"]) == [("1",), ("0",)]


def test_crlf_does_not_become_part_of_the_last_field(genome):
    assert read(genome, "chr1\t0\t2\tx\r\n", ["name"]) == [("x",)]


def test_fields_past_the_twelve_of_the_standard_are_numbered(genome):
    text = "chr1\t0\t2" + "\t0" * 2 + "\t+" + "\t0" * 6 + "\tlast\n"
    assert read(genome, text, ["field13"]) == [("last",)]


def test_reading_writes_nothing_beside_the_genome(genome):
    read(genome, "chr1\t0\t2\n")
    assert sorted(path.name for path in genome.parent.iterdir()) == ["g.fa", "x.bed"]


BAD = {
    "chr1\t0\t2\nchr2\t0\t7\n": "x.bed:2: end 7 is beyond chr2, which has 6 bases",
    "chr1\t0\t2\n2\t0\t3\n": "x.bed:2: chromosome '2' is not in",
    "1\t0\t2\n": "It calls it 'chr1': write chr1 for 1 in the BED file",
    "chr3\t0\t2\n": "which has 'chr1', 'chr2'. Names must be the same in both files",
    "chrom\t0\t2\n": "which has 'chr1', 'chr2'. Names",
    "chr1\t0\t2\nchr1\t5\t5\n": "x.bed:2: start 5 is not before end 5",
    "chr1\t6\t5\n": "x.bed:1: start 6 is not before end 5",
    "chr1\t0\t2\nchr1\t1.0\t5\n": "x.bed:2: start '1.0' and end '5' must be whole numbers",
    "chr1\t-1\t5\n": "x.bed:1: start '-1'",
    f"chr1\t0\t{'9' * 5000}\n": "x.bed:1: start '0'",
    "chrom\tstart\tend\nchr1\t0\t2\n": "must be whole numbers of bases, 0 or more. A line that names the fields begins with #",
    "chr1\t0\t2\tx\t0\t+\nchr1\t0\t2\tx\t0\tplus\n": "x.bed:2: strand 'plus' is not one of",
    "chr1\t0\t2\nchr1\t0\n": "x.bed:2: found 2 fields where the first interval has 3",
    "chr1\t0\t2\nchr1\t0\t2\tx\n": "x.bed:2: found 4 fields where the first interval has 3",
    "chr1,0,2\n": "x.bed:1: found 1 fields",
    "# nothing\n\n": "holds no interval",
    "": "the file is empty",
    "#chrom\tstart\tend\tsequence\nchr1\t0\t2\tAC\n": "names a field 'sequence'",
}


@pytest.mark.parametrize(("named", "asked"), [("1", "chr01"), ("MT", "chrM"), ("Chr1", "chr1"), ("chrX", "x")])
def test_a_chromosome_that_the_genome_calls_otherwise_is_named_as_the_genome_does(genome, named, asked):
    genome.write_text(f">NC_000002.12\nACGT\n>{named}\nACGT\n")
    assert f"It calls it {named!r}: write {named} for {asked} in the BED file" in message(genome, f"{asked}\t0\t2\n")


def test_a_chromosome_that_the_genome_lacks_is_told_with_five_names_and_their_number(genome):
    genome.write_text("".join(f">scaffold_{n}\nACGT\n" for n in range(300)))
    said = message(genome, "chr1\t0\t2\n")
    assert "'scaffold_3', 'scaffold_4' and 295 more. Names must be the same" in said
    assert "calls it" not in said


@pytest.mark.parametrize(("text", "said"), BAD.items(), ids=list(BAD.values()))
def test_a_bad_interval_is_an_error_with_its_line(genome, text, said):
    assert said in message(genome, text)


def test_the_first_bad_line_is_named_and_no_row_comes_before_it(genome):
    path = genome.parent / "x.bed"
    path.write_text("chr1\t0\t2\nchr2\t0\t99\nchr1\t0\t99\n")
    with pytest.raises(InputError, match=r"x\.bed:2: end 99"):
        next(read_rows("bed", path, ["sequence"], genome=genome))


def test_an_empty_label_field_and_a_missing_column_are_errors(genome):
    assert "x.bed:1: column 'name' is empty" in message(genome, "chr1\t0\t2\t\t0\n", ["sequence", "name"])
    said = message(genome, "chr1\t0\t2\n", ["sequence", "label"])
    assert "no column 'label'; found: 'chrom', 'start', 'end', 'sequence'" in said


def test_a_real_genome_gives_the_bases_of_its_records(data_root, tmp_path):
    from dnahlm.readers.sequences import read_sequences

    genome = data_root / "genome/small_genomes.fa.gz"
    records = list(read_sequences(genome))
    (tmp_path / "x.bed").write_text("".join(f"{r.id}\t10\t{len(r.sequence)}\t.\t.\t-\n" for r in records))
    rows = read_rows("bed", tmp_path / "x.bed", ["sequence"], genome=genome)
    assert [r.values["sequence"] for r in rows] == [reverse_complement(r.sequence[10:]) for r in records]

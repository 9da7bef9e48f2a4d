import gzip
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers.sequences import read_dna, read_sequences

GENBANK = """\
LOCUS       TINY         20 bp    DNA     linear   SYN 01-JAN-2024
DEFINITION  A made-up sequence.
ACCESSION   TINY
VERSION     TINY.1
FEATURES             Location/Qualifiers
     source          1..20
ORIGIN
        1 acgtacgtac
       11 ggggcccctt
//
"""
FASTQ = "@r1 first\nACGT\n+\nIIII\n@r2\nACN\n+\nIII\n"


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read(path):
    return [(r.id, r.description, r.sequence) for r in read_sequences(path)]


def message(path, reader=read_dna):
    with pytest.raises(InputError) as error:
        list(reader(path))
    return str(error.value)


@settings(max_examples=25, deadline=None)
@given(
    sequences=st.lists(st.text("ACGTNacgtn", min_size=1, max_size=60), min_size=1, max_size=5),
    width=st.integers(1, 70),
    end=st.sampled_from(["\n", "\r\n"]),
    zipped=st.booleans(),
    last_end=st.booleans(),
)
def test_fasta_reads_the_same_however_it_is_wrapped(tmp_path_factory, sequences, width, end, zipped, last_end):
    lines = []
    for i, s in enumerate(sequences):
        lines += [f">r{i} some words", *(s[j : j + width] for j in range(0, len(s), width))]
    path = tmp_path_factory.mktemp("fa") / ("x.fa.gz" if zipped else "x.fa")
    write(path, end.join(lines) + (end if last_end else ""))
    assert read(path) == [(f"r{i}", "some words", s) for i, s in enumerate(sequences)]


def test_fastq_and_genbank_give_the_same_kind_of_record(tmp_path):
    assert read(write(tmp_path / "x.fq.gz", FASTQ)) == [("r1", "first", "ACGT"), ("r2", "", "ACN")]
    assert read(write(tmp_path / "x.gb", GENBANK)) == [("TINY.1", "A made-up sequence.", "ACGTACGTACGGGGCCCCTT")]


def test_read_dna_normalizes_and_counts_iupac_letters(tmp_path):
    (record,) = read_dna(write(tmp_path / "x.fa", ">a\nacguRYn\n"))
    assert (record.sequence, record.n_ambiguous) == ("ACGTNNN", 2)


def test_file_names_with_glob_letters_are_read(tmp_path):
    folder = tmp_path / "run[1] *"
    folder.mkdir()
    assert read(write(folder / "x.fa", ">a\nAC\n")) == [("a", "", "AC")]


def test_a_long_line_and_a_long_record_are_read_whole(tmp_path):
    path = write(tmp_path / "x.fna", ">a\n" + "ACGT" * 500_000 + "\n>b\n" + "ACGTA\n" * 100_000)
    assert [len(r.sequence) for r in read_sequences(path)] == [2_000_000, 500_000]


BAD = {
    "x.fa": {
        ">a\nACGT\nACXT\n": "x.fa:3: record 'a': 'X' at base 7",
        ">a\nAC\n>p\nMKV\nLLF\n": "x.fa:5: record 'p': 'L'",
        ">a\nAC\n>b\n>c\nAC\n": "x.fa:3: record 'b' has no sequence",
        ">a\nAC\n>b\n\n": "x.fa:3: record 'b' has no sequence",
        ">a\nAC\n>b\nAC\n>a x\nGG\n": "x.fa:5: record id 'a' was already used on line 1",
        "ACGT\n>a\nAC\n": "x.fa:1: text before the first record: 'ACGT'",
        "\n\nhello\n": "x.fa:3: text before the first record",
        "\n \n": "holds no record",
        "; only a comment\n": "holds no record",
        ">\nACGT\n": "x.fa:1: a record without an id",
        "\ufeff>a\nAC\n": "byte order mark",
        "": "the file is empty",
    },
    "x.fq": {
        "@r1\nACGT\n+\nIII\n@r2\nAC\n+\nII\n": "x.fq:1: FASTQ record 'r1'",
        "@r1\nAC\n+\nII\n@r2\nACGT\n": "x.fq:5: FASTQ record 'r2'",
        "@r1\nAC\n+\nII\n@r2\nACE\n+\nIII\n": "x.fq:6: record 'r2': 'E' at base 3",
        ">a\nAC\n": "x.fq:1: text before the first record",
    },
    "x.gb": {
        GENBANK.replace("//\n", ""): "x.gb:1: found 1 LOCUS lines but 0 complete records",
        GENBANK.replace("ggggcccctt", "ggggcccctz"): "x.gb:9: record 'TINY.1': 'Z' at base 20",
        GENBANK + GENBANK: "x.gb:14: record id 'TINY.1' was already used on line 4",
    },
}


@pytest.mark.parametrize(("name", "text", "said"), [(n, t, s) for n, cases in BAD.items() for t, s in cases.items()])
def test_bad_file_is_an_error_with_its_line(tmp_path, name, text, said):
    assert said in message(write(tmp_path / name, text))


def test_missing_file_says_what_the_folder_holds(tmp_path):
    write(tmp_path / "genome.fa", ">a\nAC\n")
    assert "genome.fa" in message(tmp_path / "genom.fa")


def test_unknown_extension_lists_the_allowed_ones(tmp_path):
    said = message(write(tmp_path / "x.txt", ">a\nAC\n"))
    assert "'.txt'" in said
    assert ".fasta" in said
    assert ".gz" in said


def test_gzip_cut_short_is_an_error(tmp_path):
    path = tmp_path / "x.fa.gz"
    path.write_bytes(gzip.compress(b">a\n" + os.urandom(2000).hex().replace("0", "A").encode())[:-200])
    assert "cut short or damaged" in message(path)


def test_gzip_under_a_plain_name_is_an_error(tmp_path):
    path = tmp_path / "x.fa"
    path.write_bytes(gzip.compress(b">a\nAC\n"))
    assert "x.fa.gz" in message(path)


def test_text_that_is_not_utf8_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "x.fa"
    path.write_bytes(b">a\nAC\n>caf\xe9\nAC\n")
    assert "x.fa:3: byte 0xe9 is not UTF-8" in message(path)


def test_reading_leaves_nothing_in_the_home_folder_and_prints_nothing(tmp_path):
    write(tmp_path / "x.fa", ">a\nAC\n")
    home = tmp_path / "home"
    home.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "XDG_"))} | {"HOME": str(home)}
    code = "import sys; from dnahlm.readers.sequences import read_dna; list(read_dna(sys.argv[1]))"
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.fa")], env=env, capture_output=True, text=True, cwd=os.getcwd()
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert not [p for p in home.rglob("*") if p.is_file()]


def test_a_real_masked_genome_with_n_runs_is_read(data_root):
    records = list(read_dna(data_root / "genome/small_genomes.fa.gz"))
    assert len(records) == 26
    assert sum(len(r.sequence) for r in records) == 1_220_955
    assert {letter for r in records for letter in set(r.sequence)} <= set("ACGTN")

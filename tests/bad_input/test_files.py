"""Sequence files and tables that cannot be used."""

import gzip
import re
import shutil

import pytest
from small_world import DNA, predict, put

from dnahlm.cli import main

DAMAGED_GZIP = gzip.compress(f">a\n{DNA * 5000}\n".encode())[:60]


SEQUENCE_FILES = {
    "empty": ("x.fa", "", "x.fa: the file is empty"),
    "protein": ("x.fa", ">p\nACGTAC\nACKEFILP\n", "x.fa:3: record 'p': 'E' at base 10 .*looks like a protein"),
    "blank record": ("x.fa", ">a\nACGT\n>b\n>c\nACGT\n", "x.fa:3: record 'b' has no sequence"),
    "no id": ("x.fa", ">\nACGT\n", "x.fa:1: a record without an id"),
    "two ids": ("x.fa", f">a\n{DNA}\n>a\n{DNA}\n", "x.fa:3: record id 'a' was already used on line 1"),
    "crlf": ("x.fa", b">a\r\nACGT\r\nAC-T\r\n", "x.fa:3: record 'a': '-' at base 7"),
    "text first": ("x.fa", "hello\n>a\nACGT\n", "x.fa:1: text before the first record: 'hello'"),
    "html": ("x.fa", "<!DOCTYPE html>\n<html>404</html>\n", "x.fa:1: .*<!DOCTYPE html>.*another kind of file"),
    "byte order mark": ("x.fa", b"\xef\xbb\xbf>a\nACGT\n", "x.fa:1: starts with a byte order mark"),
    "utf-16": ("x.fa", ">a\nACGT\n".encode("utf-16"), "x.fa:1: byte 0xff is not UTF-8"),
    "latin-1": ("x.fa", b">a\nACGT\n>caf\xe9\nACGT\n", "x.fa:3: byte 0xe9 is not UTF-8"),
    "gzip cut short": ("x.fa.gz", DAMAGED_GZIP, "x.fa.gz: the gzip file is cut short"),
    "gzip of nothing": ("x.fa.gz", gzip.compress(b""), "holds no record"),
    "no gzip at all": ("x.fa.gz", ">a\nACGT\n", "x.fa.gz: the gzip file is cut short or damaged"),
    "gzip without .gz": ("x.fa", gzip.compress(b">a\nACGT\n"), r"Rename it to x\.fa\.gz"),
    "zip": ("x.fa", b"PK\x03\x04\x14\x00\xff", "x.fa: is a ZIP file or a spreadsheet. Unzip it"),
    "white space": ("x.fa", "\n  \n", "holds no record"),
    "nul": ("x.fa", b">a\nAC\x00GT\n", r"x.fa:2: record 'a': '\\x00' at base 3"),
    "fastq cut short": ("x.fq", "@a\nACGT\n+\nII\n", "x.fq:1: .*2 quality characters for 4 bases"),
    "genbank cut short": ("x.gb", "LOCUS       X 4 bp DNA\nORIGIN\n        1 acgt\n", "x.gb:1: .*ends with a line"),
    "extension": ("x.seq", ">a\nACGT\n", "extension '.seq' .*Allowed: .fa"),
}


@pytest.mark.parametrize("case", SEQUENCE_FILES)
@pytest.mark.parametrize("command", ["predict", "corpus"])
def test_a_sequence_file_that_cannot_be_used_is_refused(command, case, world, tmp_path, refused):
    name, content, message = SEQUENCE_FILES[case]
    source = put(tmp_path / name, content)
    build = ("corpus", "build", "--dna", source, "--text", world / "english.txt", "--output", tmp_path / "out")
    assert re.search(message, refused(*(build if command == "corpus" else predict(world, source, tmp_path / "o.csv"))))


def test_a_missing_file_or_a_folder_in_its_place_says_what_is_there(world, tmp_path, refused):
    put(tmp_path / "genome.fa", ">a\nACGT\n")
    assert "genome.fa" in refused(*predict(world, tmp_path / "genom.fa", tmp_path / "o.csv"))
    assert "is a folder" in refused(*predict(world, tmp_path, tmp_path / "o.csv"))
    for place in (tmp_path / "genom.fa", tmp_path):
        assert "holds genome.fa" in refused("corpus", "build", "--dna", place, "--output", tmp_path / "out")


TABLES = {
    "missing column": ("seq,label\nACGT,0\n", "csv:1: no column 'sequence'; found: 'seq', 'label'"),
    "swapped columns": (
        f"sequence,label\n1,{DNA}\n",
        "csv:2: .*('1' at base 1 is not a nucleotide|seem to be swapped)",
    ),
    "empty sequence": (f"sequence,label\n{DNA},0\n,1\n", "csv:3: column 'sequence' is empty"),
    "quoted newline": ('sequence,label\n"ACGT\nACGT",0\n', "csv:2: column 'sequence' holds a quoted newline"),
    "byte order mark": (b"\xef\xbb\xbfsequence,label\nAC-T,0\n", "csv:2: .*'-' at base 3"),
    "semicolons": ("sequence;label\nACGT;0\n", "csv:1: .*separator seems to be ';'"),
    "tabs": ("sequence\tlabel\nACGT\t0\n", r"csv:1: .*separator seems to be '\\t'"),
    "only a header": ("sequence,label\n", "has a header line and no rows"),
    "no header": (f"{DNA},0\n{DNA},1\n", "csv:1: .*The first line must name the columns"),
    "short row": (f"sequence,label\n{DNA},0\n{DNA}\n", "csv:3: found 1 fields where the header has 2"),
    "long row": (f"sequence,label\n{DNA},0,7\n", "csv:2: found 3 fields where the header has 2"),
    "column twice": ("sequence,label,sequence\nA,0,A\n", "csv:1: column 'sequence' is there 2 times"),
    "open quote": (f'sequence,label\n"{DNA},0\n', "csv:2: broken quoting"),
    "utf-16": ("sequence,label\nACGT,0\n".encode("utf-16"), "csv:1: byte 0xff is not UTF-8"),
    "spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00\xff", "csv: is a ZIP file or a spreadsheet.*export it as CSV"),
    "gzip without .gz": (gzip.compress(b"sequence,label\n"), r"Rename it to train\.csv\.gz"),
    "html": ("<!DOCTYPE html><html>\n<body>\n", "csv:1: no column 'sequence'"),
    "empty": ("", "csv: the file is empty"),
    "blank lines": ("\n\n", "no header line"),
    "protein": ("sequence,label\nMKVLE,0\n", "csv:2: .*looks like a protein"),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_table_that_cannot_be_used_is_refused(case, world, tmp_path, refused):
    content, message = TABLES[case]
    shutil.copytree(world / "a", tmp_path / "a")
    table = put(tmp_path / "a/train.csv", content)
    assert re.search(message, refused(*predict(world, table, tmp_path / "o.csv")))
    build = ("instructions", "build", "--tasks", world / "task.yaml", "--data_root", tmp_path)
    assert re.search(message, refused(*build, "--output", tmp_path / "out"))


def test_a_label_the_task_does_not_declare_names_the_row_and_the_task_file(world, tmp_path, refused):
    shutil.copytree(world / "a", tmp_path / "a")
    put(tmp_path / "a/dev.csv", f"sequence,label\n{DNA},0\n{DNA[1:]},2\n")
    build = ("instructions", "build", "--tasks", world / "task.yaml", "--data_root", tmp_path)
    said = refused(*build, "--output", tmp_path / "out")
    assert re.search(r"dev\.csv:3: label '2' is not declared .*\['0', '1'\].*task\.yaml", said)


def test_a_sequence_longer_than_the_context_says_how_many_bases_fit(world, tmp_path, refused):
    long = put(tmp_path / "long.fa", f">a\n{DNA}\n>b\n{DNA * 200}\n")
    said = refused(*predict(world, long, tmp_path / "o.csv"))
    assert re.search(r"long\.fa.*'b'.*10,000 bases .*about [\d,]+ bases fit .*--too_long center", said)


def test_lower_case_u_n_and_iupac_letters_are_answered_by_the_stated_policy(world, tmp_path):
    texts = {"plain": DNA + "TNN", "written": DNA.lower() + "UNR"}
    for name, text in texts.items():
        main(list(map(str, predict(world, put(tmp_path / f"{name}.fa", f">a\n{text}\n"), tmp_path / f"{name}.csv"))))
    plain, written = ((tmp_path / f"{name}.csv").read_text().splitlines()[1] for name in texts)
    assert plain.split(",")[:6] == written.split(",")[:6]
    assert "1 IUPAC letter became N" in written

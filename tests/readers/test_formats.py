"""What every format of labelled rows does alike."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers.formats import READERS, read_rows

NEEDED = ["sequence", "label"]
TEXT_FORMATS = ["csv", "tsv", "jsonl", "kmer_tsv", "bed"]
K = 3


def kmers(sequence):
    return " ".join(sequence[i : i + K] for i in range(len(sequence) - K + 1))


def lines_of(kind, rows):
    """The lines of a file of a format with these (sequence, label) rows; for `bed` also the genome's."""
    if kind == "jsonl":
        return [json.dumps({"label": int(label), "sequence": sequence, "other": None}) for sequence, label in rows]
    if kind == "bed":
        starts = [sum(len(s) for s, _ in rows[:i]) for i in range(len(rows))]
        named = [f"chr1\t{start}\t{start + len(s)}\t{label}" for start, (s, label) in zip(starts, rows, strict=True)]
        return ["#chrom\tstart\tend\tlabel", *named]
    sign = "," if kind == "csv" else "\t"
    return [sign.join(NEEDED), *(sign.join((kmers(s) if kind == "kmer_tsv" else s, label)) for s, label in rows)]


def write(folder, kind, rows, end="\n", bom=False, zipped=False):
    """A file of a text format, and what its reader needs beside it."""
    text = ("\ufeff" if bom else "") + "".join(line + end for line in lines_of(kind, rows))
    path = folder / f"x.{kind}{'.gz' if zipped else ''}"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    if kind != "bed":
        return path, {}
    genome = folder / ("g.fa.gz" if zipped else "g.fa")
    fasta = (">chr1" + end + "".join(s for s, _ in rows) + end).encode()
    genome.write_bytes(gzip.compress(fasta) if zipped else fasta)
    return path, {"genome": genome}


ROWS = st.lists(st.tuples(st.text("ACGTacgtN", min_size=K, max_size=9), st.sampled_from("01")), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", TEXT_FORMATS)
@settings(max_examples=15, deadline=None)
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), bom=st.booleans(), zipped=st.booleans())
def test_every_text_format_gives_the_rows_it_was_written_from(tmp_path_factory, kind, rows, end, bom, zipped):
    path, options = write(tmp_path_factory.mktemp("f"), kind, rows, end, bom, zipped)
    found = list(read_rows(kind, path, NEEDED, **options))
    assert [(row.values["sequence"], row.values["label"]) for row in found] == rows
    first = 1 if kind == "jsonl" else 2
    assert [row.where for row in found] == [f"{path}:{i}" for i in range(first, len(rows) + first)]


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_filter_keeps_the_rows_with_its_value_and_their_lines(tmp_path, kind):
    path, options = write(tmp_path, kind, [("ACGT", "0"), ("GGGT", "1"), ("TTTA", "0")])
    found = list(read_rows(kind, path, ["sequence"], {"label": "1"}, **options))
    assert [row.values for row in found] == [{"sequence": "GGGT"}]
    assert found[0].where.endswith(":2" if kind == "jsonl" else ":3")


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_filter_that_no_row_matches_is_an_error_that_shows_what_rows_have(tmp_path, kind):
    path, options = write(tmp_path, kind, [("ACGT", "0"), ("GGGT", "1")])
    with pytest.raises(InputError, match=r"no row has label = 'one'.*label = '0', label = '1'"):
        list(read_rows(kind, path, ["sequence"], {"label": "one"}, **options))


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_a_missing_column_is_an_error_that_names_those_found(tmp_path, kind):
    path, options = write(tmp_path, kind, [("ACGT", "0")])
    with pytest.raises(InputError, match=r"no column 'lable'; found: .*Did you mean 'label'"):
        list(read_rows(kind, path, ["sequence", "lable"], **options))


@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_a_gzip_cut_short_is_an_error(tmp_path, kind):
    path, options = write(tmp_path, kind, [("ACGT", "0")] * 3, zipped=True)
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(InputError, match="cut short or damaged"):
        list(read_rows(kind, path, NEEDED, **options))


def test_unknown_format_names_the_nearest(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'parquet'"):
        next(read_rows("parquett", tmp_path / "x", NEEDED))


def test_the_table_holds_every_format_of_a_task_file():
    assert set(READERS) == {*TEXT_FORMATS, "parquet", "fasta"}

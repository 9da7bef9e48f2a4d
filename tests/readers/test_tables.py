import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers.tables import read_table

NEEDED = ["sequence", "label"]


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def message(path, columns=NEEDED, **kwargs):
    with pytest.raises(InputError) as error:
        list(read_table(path, columns, **kwargs))
    return str(error.value)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(st.text("ACGT", min_size=1, max_size=9), st.sampled_from("01")), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n"]),
    kind=st.sampled_from(["csv", "tsv", "csv.gz"]),
    bom=st.booleans(),
    quoted=st.booleans(),
)
def test_a_table_reads_the_same_however_it_was_saved(tmp_path_factory, rows, end, kind, bom, quoted):
    sign = "\t" if kind == "tsv" else ","
    mark = '"' if quoted else ""
    lines = [sign.join(f"{mark}{v}{mark}" for v in row) for row in [("sequence", "label"), *rows]]
    path = write(tmp_path_factory.mktemp("t") / f"x.{kind}", ("\ufeff" if bom else "") + end.join(lines) + end)
    found = list(read_table(path, NEEDED))
    assert [(r.values["sequence"], r.values["label"]) for r in found] == rows
    assert [r.where for r in found] == [f"{path}:{i}" for i in range(2, len(rows) + 2)]


def test_blanks_around_values_and_empty_lines_are_dropped(tmp_path):
    path = write(tmp_path / "x.csv", "sequence , label\n\n ACGT , 1 \n\n")
    (row,) = read_table(path, NEEDED)
    assert row.values == {"sequence": "ACGT", "label": "1"}
    assert row.where.endswith(":3")


def test_a_line_break_in_a_column_nobody_needs_is_kept_apart(tmp_path):
    path = write(tmp_path / "x.csv", 'sequence,note,label\nAC,"two\nlines",1\nGG,,0\n')
    assert [r.where.rsplit(":", 1)[1] for r in read_table(path, NEEDED)] == ["2", "4"]


def test_lone_quotes_in_plain_tsv_are_letters(tmp_path):
    path = write(tmp_path / "x.tsv", 'sequence\tlabel\n"AC\t1\nGG\t0\n')
    assert [r.values["sequence"] for r in read_table(path, NEEDED)] == ['"AC', "GG"]


def test_a_value_longer_than_the_csv_modules_limit_is_read_whole(tmp_path):
    path = write(tmp_path / "x.csv", f"sequence,label\n{'ACGT' * 100_000},1\n")
    assert [len(r.values["sequence"]) for r in read_table(path, NEEDED)] == [400_000]


def test_format_can_be_said_when_the_extension_does_not(tmp_path):
    path = write(tmp_path / "x.txt", "sequence\tlabel\nAC\t1\n")
    assert [r.values["label"] for r in read_table(path, NEEDED, format="tsv")] == ["1"]
    assert "csv, tsv" in message(path)


BAD = {
    "seq,label\nAC,1\n": "x.csv:1: no column 'sequence'; found: 'seq', 'label'",
    "sequences,label\nAC,1\n": "Did you mean 'sequences'?",
    "sequence;label\nAC;1\n": "The separator seems to be ';'",
    "sequence,label,label\nAC,1,1\n": "x.csv:1: column 'label' is there 2 times",
    "sequence,label\n": "has a header line and no rows",
    "\n\n": "no header line",
    "sequence,label\nAC,1\nGG\n": "x.csv:3: found 1 fields where the header has 2",
    "sequence,label\nAC,1,2\n": "x.csv:2: found 3 fields where the header has 2",
    "sequence,label\nAC,1\n ,0\n": "x.csv:3: column 'sequence' is empty",
    'sequence,label\nAC,1\n"AC\nGT",0\nGG,1\n': "x.csv:3: column 'sequence' holds a quoted newline",
    'sequence,label\nAC,1\n"AC,0\nGG,1\n': "x.csv:3: broken quoting in the row that starts here",
    "": "the file is empty",
}


@pytest.mark.parametrize(("text", "said"), BAD.items())
def test_bad_table_is_an_error_with_its_line(tmp_path, text, said):
    assert said in message(write(tmp_path / "x.csv", text))


def test_text_that_is_not_utf8_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("sequence,label\nAC,1\nGG,é\n".encode("latin-1"))
    assert "x.csv:3: byte 0xe9 is not UTF-8" in message(path)


def test_real_tables_are_read_with_every_row(data_root):
    assert sum(1 for _ in read_table(data_root / "gue/prom/prom_core_all/test.csv.gz", NEEDED)) == 5920

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers.classes import read_class_files
from dnahlm.readers.formats import read_rows


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def message(class_files):
    with pytest.raises(InputError) as error:
        list(read_class_files(class_files))
    return str(error.value)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.tuples(st.text("ACGTNacgt", min_size=1, max_size=30), st.sampled_from("01")), min_size=1),
    width=st.integers(1, 40),
    end=st.sampled_from(["\n", "\r\n"]),
    zipped=st.booleans(),
)
def test_each_record_has_the_label_of_its_file_and_the_line_of_its_header(tmp_path_factory, rows, width, end, zipped):
    folder = tmp_path_factory.mktemp("c")
    files, expected = {}, []
    for label in sorted({label for _, label in rows}):
        lines = ["; a comment"]
        path = folder / f"{label}.fa{'.gz' if zipped else ''}"
        for i, sequence in enumerate(s for s, known in rows if known == label):
            lines.append(f">r{i} words > more")
            expected.append((sequence, label, f"{path}:{len(lines)}"))
            lines += [sequence[j : j + width] for j in range(0, len(sequence), width)]
        files[label] = write(path, "".join(line + end for line in lines))
    found = list(read_class_files(files))
    assert [(row.values["sequence"], row.values["label"], row.where) for row in found] == expected


def test_the_columns_are_called_as_asked_for_and_can_be_filtered(tmp_path):
    files = {"1": write(tmp_path / "p.fa", ">a\nAC\n"), "0": write(tmp_path / "n.fa", ">a\nGT\n")}
    assert [row.values for row in read_rows("fasta", files, ["dna", "bound"])] == [
        {"dna": "AC", "bound": "1"},
        {"dna": "GT", "bound": "0"},
    ]
    assert len(list(read_rows("fasta", files, ["dna", "bound"], {"bound": "0"}))) == 1


def test_a_third_column_is_an_error(tmp_path):
    with pytest.raises(InputError, match="FASTA files per class have two"):
        list(read_rows("fasta", {"1": tmp_path / "p.fa"}, ["sequence", "label"], {"gene": "x"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">a\nAC\n>b\n>c\nAC\n", "n.fa:3: record 'b' has no sequence"),
        (">a\nAC\n>a\nAC\n", "n.fa:3: record id 'a' was already used on line 1"),
        ("AC\n>a\nAC\n", "n.fa:1: text before the first record"),
        (">\nAC\n", "n.fa:1: a record without an id"),
        ("", "n.fa: the file is empty"),
    ],
)
def test_a_bad_file_is_an_error_with_its_line(tmp_path, text, said):
    assert said in message({"1": write(tmp_path / "p.fa", ">a\nAC\n"), "0": write(tmp_path / "n.fa", text)})


def test_a_file_under_two_labels_and_one_that_is_no_fasta_are_errors(tmp_path):
    path = write(tmp_path / "p.fa", ">a\nAC\n")
    assert "is the file of label '1' and of label '0'" in message({"1": path, "0": path})
    assert "the file of label '0' must be FASTA" in message({"1": path, "0": write(tmp_path / "n.fq", "@a\nA\n+\nI\n")})
    assert "names no file" in message({})
    assert "no such file" in message({"1": tmp_path / "q.fa"})


def test_a_real_genome_file_gives_every_record(data_root):
    files = {"small": data_root / "genome/small_genomes.fa.gz"}
    assert sum(len(row.values["sequence"]) for row in read_class_files(files)) == 1_220_955

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnahlm.io import InputError
from dnahlm.readers.formats import read_rows
from dnahlm.readers.kmers import join_kmers

NEEDED = ["sequence", "label"]


@given(sequence=st.text("ACGTN", min_size=6, max_size=40), k=st.integers(1, 6))
def test_joining_undoes_the_cutting(sequence, k):
    cut = [sequence[i : i + k] for i in range(len(sequence) - k + 1)]
    assert join_kmers(cut, k, "") == sequence


@given(sequence=st.text("ACGT", min_size=8, max_size=20), place=st.integers(0, 100), letter=st.integers(0, 2))
def test_one_changed_letter_never_passes(sequence, place, letter):
    cut = [sequence[i : i + 3] for i in range(len(sequence) - 2)]
    at = place % len(cut)
    middle = cut[at][letter]
    cut[at] = cut[at][:letter] + ("A" if middle != "A" else "C") + cut[at][letter + 1 :]
    # Only the outermost letters of the outermost k-mers have no neighbour that contradicts them.
    if (at, letter) not in ((0, 0), (len(cut) - 1, 2)):
        with pytest.raises(InputError, match=r"does not overlap"):
            join_kmers(cut, 3, "x")


def read(path, rows, **options):
    path.write_text("sequence\tlabel\n" + "".join(f"{cell}\t1\n" for cell in rows))
    return [row.values["sequence"] for row in read_rows("kmer_tsv", path, NEEDED, **options)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["ACG CGT", "ACG GTA"], "x.tsv:3: column 'sequence': k-mer 2, 'GTA', does not overlap the one before, 'ACG'"),
        (["ACG CGT", "ACGT CGTA"], "x.tsv:3: column 'sequence': k-mer 1 is 'ACGT', 4 letters"),
        (["ACG CGT", "ACG CG"], "x.tsv:3: column 'sequence': k-mer 2 is 'CG', 2 letters, where the file's first has 3"),
        (["ACG CGT GTAA"], "x.tsv:2: column 'sequence': k-mer 3 is 'GTAA'"),
        (["ACGT", "ACGTA"], "x.tsv:3: column 'sequence': k-mer 1 is 'ACGTA'"),
        (["ACG CGT", " "], "x.tsv:3: column 'sequence' is empty"),
    ],
)
def test_kmers_that_do_not_fit_are_an_error_with_their_line(tmp_path, rows, said):
    with pytest.raises(InputError) as error:
        read(tmp_path / "x.tsv", rows)
    assert said in str(error.value)


def test_both_sequences_of_a_pair_are_joined(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tb\tlabel\nAC CG\tGT TT\t1\n")
    (row,) = read_rows("kmer_tsv", path, ["a", "b", "label"], dna_columns=["a", "b"])
    assert row.values == {"a": "ACG", "b": "GTT", "label": "1"}


def test_a_dna_column_that_is_not_read_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no column 'sequence'"):
        list(read_rows("kmer_tsv", tmp_path / "x.tsv", ["dna", "label"]))

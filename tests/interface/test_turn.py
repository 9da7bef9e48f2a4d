import io

import pytest

from dnahlm.interface.turn import Lines, Turn, parse_message, read_messages
from dnahlm.io import InputError


def messages(text):
    return list(read_messages(Lines(io.StringIO(text))))


def test_a_line_that_does_not_end_in_dna_is_one_message():
    assert messages("Is ACGTACGTAC a promoter?\nhello\n\n/help\n") == ["Is ACGTACGTAC a promoter?", "hello", "/help"]


def test_a_sequence_pasted_over_lines_is_one_message_up_to_an_empty_line():
    (first, second) = messages("Is it a promoter? ACGTACGTAC\nGGGGCCCC\nAC\n\nhello\n")
    assert parse_message(first) == Turn("Is it a promoter?", "ACGTACGTACGGGGCCCCAC")
    assert second == "hello"


def test_a_pasted_sequence_ends_at_a_line_that_is_not_dna():
    (first, second) = messages("acgtacgtac\nggggcccc\nIs it a promoter?\n")
    assert parse_message(first) == Turn("", "ACGTACGTACGGGGCCCC")
    assert second == "Is it a promoter?"


def test_the_end_of_the_input_sends_what_was_typed():
    assert messages("ACGTACGTAC\nAC") == ["ACGTACGTAC\nAC"]
    assert messages("") == []


def test_an_english_word_of_iupac_letters_does_not_join_the_sequence():
    assert messages("ACGTACGTAC\nthanks\n") == ["ACGTACGTAC", "thanks"]


def test_dna_that_follows_a_question_in_the_same_pipe_belongs_to_it():
    found = messages("/help\nIs it a promoter?\n>x\nACGTACGTAC\nAC\nIs ACGTACGTAC one?\nGGGGCCCC\n")
    assert found == ["/help", "Is it a promoter?\n>x\nACGTACGTAC\nAC", "Is ACGTACGTAC one?", "GGGGCCCC"]


def test_a_pasted_fasta_record_keeps_its_bases_only():
    (message,) = messages(">chr1 x y\nACGTACGTAC\nAC\n\n")
    assert parse_message(message) == Turn("", "ACGTACGTACAC")


@pytest.mark.parametrize(
    ("message", "question", "sequence"),
    [
        ("Is ACGTACGTAC a promoter?", "Is this sequence a promoter?", "ACGTACGTAC"),
        ("Is this a promoter: ACGTACGTAC.", "Is this a promoter", "ACGTACGTAC"),
        ("Is this a promoter? acgtacgtac ACGT ACGTACGT", "Is this a promoter?", "ACGTACGTACACGTACGTACGT"),
        ("What is ACGTACGTAC?", "What is this sequence?", "ACGTACGTAC"),
        ("ACGTACGTAC ACG what is it?", "what is it?", "ACGTACGTACACG"),
        ("is it? acgtacgtac acgtacgtac a", "is it?", "ACGTACGTACACGTACGTACA"),
        ("ACGTACGTAC what is it?", "what is it?", "ACGTACGTAC"),
        ("Is TATAAA a motif?", "Is this sequence a motif?", "TATAAA"),
        ("What is a standard TATA box?", "What is a standard TATA box?", None),
        ("augcaugcaugc", "", "ATGCATGCATGC"),
    ],
)
def test_question_and_sequence_are_told_apart(message, question, sequence):
    turn = parse_message(message)
    assert (turn.question, turn.sequence) == (question, sequence)


def test_iupac_letters_become_n_and_are_noted():
    assert parse_message("Is it? ACGTACGTACGTRYK") == Turn("Is it?", "ACGTACGTACGTNNN", ("3 IUPAC letters became N",))


@pytest.mark.parametrize("word", ["ACGTACGTXACGT", "MKVLAAGICWQESNRPTYVF"])
def test_foreign_letters_are_an_error_not_a_skip(word):
    with pytest.raises(InputError, match="is not a nucleotide"):
        parse_message(f"Is this a promoter? {word}")


def test_two_sequences_in_one_message_are_refused():
    with pytest.raises(InputError, match="one sequence at a time"):
        parse_message("Is ACGTACGTAC or GGGGCCCC a promoter?")


def test_a_file_gives_its_first_or_a_named_record(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">a\nACGT\nACGT\n>b:2\nggggr\n")
    first = parse_message(f"Is it a promoter? @{path}")
    assert (first.question, first.sequence) == ("Is it a promoter?", "ACGTACGT")
    assert first.notes == (f"record 'a' of {path}, 8 bases",)


def test_a_named_record_is_taken_and_an_unknown_one_lists_those_there(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">a\nACGT\n>b\nggggr\n")
    named = parse_message(f"@{path}:b")
    assert (named.question, named.sequence) == ("", "GGGGN")
    assert named.notes[-1] == "1 IUPAC letter became N"
    with pytest.raises(InputError, match="no record 'c'; it holds a, b"):
        parse_message(f"what is @{path}:c")


@pytest.mark.parametrize(("name", "message"), [("none.fa", "no such file"), ("x.docx", "extension")])
def test_an_unusable_file_is_named(tmp_path, name, message):
    with pytest.raises(InputError, match=f"{name}.*{message}"):
        parse_message(f"Is it a promoter? @{tmp_path / name}")

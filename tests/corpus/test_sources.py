import json

import pytest

from dnahlm.corpus.sources import Source, find_sources, plan_dna_validation, survey_text
from dnahlm.io import InputError


def plan(lengths, share=0.1, smallest=10, seed=0):
    source = Source(None, "x.fa", "dna", used=lengths)
    plan_dna_validation(source, share, smallest, seed)
    return source.validation_from


def test_small_records_go_to_validation_whole():
    found = plan({f"r{i}": 100 for i in range(50)})
    assert len(found) == 5
    assert set(found.values()) == {0}


def test_which_records_depends_on_the_seed_alone():
    lengths = {f"r{i}": 100 for i in range(50)}
    assert plan(lengths) == plan(dict(reversed(lengths.items())))
    assert plan(lengths, seed=1) != plan(lengths)


def test_a_single_record_gives_its_last_part():
    assert plan({"chr": 1000}) == {"chr": 900}


def test_records_much_larger_than_the_share_give_the_last_part_of_one():
    (place,) = plan({f"r{i}": 1000 for i in range(4)}).values()
    assert place == 600


def test_the_part_set_aside_is_never_shorter_than_a_piece():
    assert plan({"chr": 1000}, share=0.001, smallest=50) == {"chr": 950}
    assert plan({"chr": 60}, share=0.5, smallest=50) == {}


def test_the_end_of_a_text_file_is_validation(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("\n\n".join("word " * 300 for _ in range(10)))
    source = Source(path, "x.txt", "text")
    survey_text(source, 0.25)
    assert source.counts["documents"] == 10
    assert source.validation_from[""] == 8 * 1502


def test_patterns_name_each_file_once_in_order(raw):
    found = find_sources(["genome.fa", "*.fa", str(raw / "sing*.fa")], str(raw), "dna")
    assert [source.name for source in found] == ["genome.fa", "single.fa"]


@pytest.mark.parametrize("pattern", ["*.fasta", "genome.fas", "", "."])
def test_a_pattern_without_a_file_says_what_the_folder_holds(raw, pattern):
    with pytest.raises(InputError, match="no file matches"):
        find_sources([pattern], str(raw), "dna")
    with pytest.raises(InputError, match=r"holds english\.txt, genome\.fa, single\.fa"):
        find_sources(["*.fasta"], str(raw), "dna")


def test_a_missing_folder_is_named(raw):
    with pytest.raises(InputError, match="there is no folder"):
        find_sources(["dna/*.fa"], str(raw), "dna")


def test_a_record_of_a_jsonl_file_is_never_parted_between_train_and_validation(tmp_path):
    rows = [f"record{i} " + "word " * 1500 for i in range(8)]
    path = tmp_path / "english.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))
    (source,) = find_sources(["english.jsonl"], str(tmp_path), "text")
    survey_text(source, share=0.3)
    border = source.validation_from[""]
    starts = [sum(map(len, rows[:i])) for i in range(8)]
    assert border in starts
    assert border == starts[6]

import pytest

from dnahlm.corpus.sources import Source, find_sources, hub_source, share_out
from dnahlm.io import InputError


def test_patterns_name_each_file_once_in_order(raw):
    found = find_sources(["genome.fa", "*.fa", str(raw / "sing*.fa")], str(raw), "dna")
    assert [source.name for source in found] == ["genome.fa", "single.fa"]


@pytest.mark.parametrize("pattern", ["*.fasta", "genome.fas", "", "."])
def test_a_pattern_without_a_file_says_what_the_folder_holds(raw, pattern):
    with pytest.raises(InputError, match="no file matches"):
        find_sources([pattern], str(raw), "dna")
    with pytest.raises(InputError, match=r"holds english\.txt, genome\.fa, proteins\.faa, single\.fa"):
        find_sources(["*.fasta"], str(raw), "dna")


def test_a_missing_folder_is_named(raw):
    with pytest.raises(InputError, match="there is no folder"):
        find_sources(["dna/*.fa"], str(raw), "dna")


def test_shards_part_the_sources_among_them_evenly_and_wholly(tmp_path):
    sources = []
    for number, size in enumerate((50, 10, 40, 30, 20)):
        (tmp_path / f"{number}.fa").write_bytes(b"A" * size)
        sources.append(Source(tmp_path / f"{number}.fa", str(number), "dna", number=number))
    shared = [share_out(sources, number, 3) for number in (1, 2, 3)]
    assert [[source.path.stat().st_size for source in mine] for mine in shared] == [[50], [10, 40], [30, 20]]


def test_more_shards_than_sources_leave_some_empty(tmp_path):
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    source = Source(tmp_path / "a.fa", "a", "dna")
    assert [share_out([source], number, 2) for number in (1, 2)] == [[source], []]


@pytest.mark.parametrize(
    ("entry", "said"),
    [("", "names no data set"), ("split=train", "names no data set"), ("a/b splt=x", "Did you mean 'split'")],
)
def test_a_bad_hub_entry_says_how_it_is_written(entry, said):
    with pytest.raises(InputError, match=said):
        hub_source(entry, "")

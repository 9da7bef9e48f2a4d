import csv

import pytest

from dnahlm.dna import canonical, reverse_complement

LENGTHS = {"promoter": 100, "splice_site": 80, "coding": 120, "tf_binding": 60}
CHROMOSOMES = {"train": ("chr1", "chr2", "chr3"), "dev": ("chr4",), "test": ("chr5",)}


@pytest.fixture(scope="module")
def tables(organism):
    """(task, file name) -> list of (sequence, label)."""
    result = {}
    for task in LENGTHS:
        for name in CHROMOSOMES:
            with (organism / f"simulated/{task}/{name}.csv").open(newline="") as handle:
                result[task, name] = [(row["sequence"], row["label"]) for row in csv.DictReader(handle)]
    return result


@pytest.mark.parametrize("task", LENGTHS)
@pytest.mark.parametrize("name", CHROMOSOMES)
def test_rows_are_cut_from_the_chromosomes_of_their_split_and_no_other(tables, genome, task, name):
    own = "|".join(genome[chromosome].upper() for chromosome in CHROMOSOMES[name])
    others = "|".join(genome[c].upper() for c in genome if c not in CHROMOSOMES[name])
    for sequence, _ in tables[task, name]:
        turned = reverse_complement(sequence)
        assert sequence in own or turned in own
        assert sequence not in others and turned not in others


@pytest.mark.parametrize("task", LENGTHS)
def test_rows_have_one_length_and_only_known_bases(tables, task):
    for name in CHROMOSOMES:
        assert {len(sequence) for sequence, _ in tables[task, name]} == {LENGTHS[task]}
        assert set("".join(sequence for sequence, _ in tables[task, name])) == set("ACGT")


@pytest.mark.parametrize("task", LENGTHS)
def test_no_row_occurs_twice_on_either_strand_in_any_split(tables, task):
    names = [canonical(sequence) for name in CHROMOSOMES for sequence, _ in tables[task, name]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("task", LENGTHS)
def test_half_of_the_rows_are_negatives(tables, task):
    for name in CHROMOSOMES:
        labels = [label for _, label in tables[task, name]]
        assert labels.count("0") == len(labels) / 2
        assert task != "splice_site" or labels.count("1") == labels.count("2")


def test_splice_sites_stand_at_the_middle(tables):
    for sequence, label in tables["splice_site", "train"]:
        if label == "1":
            assert sequence[40:42] == "GT"
        if label == "2":
            assert sequence[38:40] == "AG"


def test_many_rows_without_a_splice_site_are_decoys(tables):
    negatives = [sequence for sequence, label in tables["splice_site", "train"] if label == "0"]
    decoys = [sequence for sequence in negatives if sequence[40:42] == "GT" or sequence[38:40] == "AG"]
    assert 0.45 < len(decoys) / len(negatives) < 0.75


def test_coding_rows_come_in_every_frame(tables):
    open_frames = set()
    for sequence, label in tables["coding", "train"]:
        if label == "1":
            closed = {i % 3 for i in range(118) if sequence[i : i + 3] in ("TAA", "TAG", "TGA")}
            assert len(closed) < 3
            if len(closed) == 2:
                open_frames |= {0, 1, 2} - closed
    assert open_frames == {0, 1, 2}


def test_promoter_rows_have_the_initiator_at_the_first_transcribed_base(tables):
    positives = [sequence for sequence, label in tables["promoter", "train"] if label == "1"]
    assert sum(sequence[64:66] == "CA" for sequence in positives) > 0.75 * len(positives)


def test_binding_sites_lie_on_both_strands_and_all_over_the_window(tables):
    places = {"+": [], "-": []}
    for sequence, label in tables["tf_binding", "train"]:
        for strand, read in (("+", sequence), ("-", reverse_complement(sequence))):
            if label == "1" and "CAGGGGGC" in read:
                places[strand].append(read.index("CAGGGGGC"))
    assert all(len(found) > 20 and min(found) < 20 and max(found) > 38 for found in places.values())

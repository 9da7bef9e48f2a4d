"""Kinds of DNA for the tokenizer report: each base in the region it belongs to, each bad file refused."""

import random

import pytest

from dnahlm.io import InputError
from dnahlm.tasks.tokenizer_report.regions import GENOME, REPEAT, UNMASKED, draw_regions, of_files, of_genomes, of_tasks
from dnahlm.tasks.tokenizer_report.sampling import Sample

UPPER, LOWER = "ACGTT" * 10, "ggcat" * 6


def drawn(sequences, limit=10_000):
    return {region.name: region for region in draw_regions(sequences, limit, 0)}


def write(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def test_lower_case_of_a_genome_is_the_repeat_region(tmp_path):
    path = write(tmp_path, "g.fa", f">c\n{UPPER}{LOWER}NNNNN{UPPER}\n")
    found = drawn(of_genomes([path]))
    assert {name: region.windows for name, region in found.items()} == {REPEAT: [LOWER.upper()], UNMASKED: [UPPER] * 2}


@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
def test_a_genome_in_one_case_says_nothing_of_repeats(tmp_path, case):
    path = write(tmp_path, "g.fa", f">c\n{case(UPPER)}\n")
    assert drawn(of_genomes([path]))[GENOME].windows == [UPPER]


def test_fasta_bed_and_the_rows_of_a_table_become_regions_by_name(tmp_path):
    genome = write(tmp_path, "g.fa", f">c\n{UPPER}{UPPER.lower()}\n")
    bed = write(tmp_path, "p.bed", "c\t0\t25\tTATA\nc\t25\t60\tother\n")
    table = write(tmp_path, "t.csv", f"dna,label\n{'A' * 30},1\n{'C' * 30},0\n")
    given = [f"cds={genome}", f"tata={bed}:name=TATA", f"one={table}:label=1", f"both={table}"]
    found = drawn(list(of_files(given[:2], genome, "sequence")) + list(of_files(given[2:], None, "dna")))
    assert found["cds"].windows == [UPPER * 2]
    assert found["tata"].windows == [UPPER[:25]]
    assert found["one"].windows == ["A" * 30] and sorted(found["both"].windows) == ["A" * 30, "C" * 30]


def test_the_train_rows_of_a_task_are_regions_by_answer(desk):
    path = desk.filled()
    found = drawn(of_tasks([str(path)], str(desk.root)))
    assert sorted(found) == ["background (mine)", "binding site (mine)"]
    assert {len(region.windows) for region in found.values()} == {20}, "40 train rows, and none of the test"


def test_a_sample_is_bounded_uniform_and_the_same_for_a_seed():
    counts = dict.fromkeys(range(20), 0)
    for seed in range(400):
        sample = Sample(50, str(seed))
        sample.add(f"{i:010d}" for i in range(20))
        assert len(sample.texts()) == 5 and sample.size_seen == 200
        for text in sample.texts():
            counts[int(text)] += 1
    assert all(70 < n < 130 for n in counts.values()), counts  # 100 expected, standard deviation 8.7
    same = [Sample(50, "x") for _ in range(2)]
    for sample in same:
        sample.add(f"{i:010d}" for i in range(20))
    assert same[0].texts() == same[1].texts()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cds.fa", "needed is name=file"),
        ("cds={root}/none.fa", "no such file"),
        ("cds={root}/empty.fa", "empty"),
        ("cds={root}/n.fa", "no run of 20 known bases"),
        ("cds={root}/protein.fa", "not a nucleotide"),
        ("cds={root}/g.fa:label=1", "a sequence file has no column 'label'"),
        ("cds={root}/notes.doc", "its format is not known"),
        ("p={root}/p.bed", "Give the FASTA file of its bases by --genome"),
        ("p={root}/t.csv:label=7", "7"),
        ("p={root}/t.csv:kind=1", "kind"),
    ],
)
def test_a_region_that_cannot_be_read_is_refused_by_name(tmp_path, given, said):
    write(tmp_path, "g.fa", f">c\n{UPPER}\n")
    write(tmp_path, "empty.fa", "")
    write(tmp_path, "n.fa", ">c\nNNNNNNNNNNACGTNN\n")
    write(tmp_path, "protein.fa", ">c\nMKLVFFPQ\n")
    write(tmp_path, "notes.doc", "x")
    write(tmp_path, "p.bed", "c\t0\t25\n")
    write(tmp_path, "t.csv", f"sequence,label\n{'A' * 30},1\n")
    with pytest.raises(InputError, match=said):
        drawn(of_files([given.format(root=tmp_path)], None, "sequence"))


def test_a_regression_task_falls_into_no_regions(desk):
    desk.table("mine_train.csv", [(s, random.Random(s).random()) for s in desk.dna(20)])
    path = desk.task(
        kind="regression", labels={}, decimals=2, metrics=["pearson"], phrasings=[f"How much {i}?" for i in range(8)],
        held_out_phrasings=[f"What {i}?" for i in range(3)],
    )  # fmt: skip
    with pytest.raises(InputError, match="kind regression"):
        drawn(of_tasks([str(path)], str(desk.root)))

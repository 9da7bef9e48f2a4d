"""What is wrong with a task or its table is told with task file, data file and line, before anything is written."""

import pytest

from dnahlm.io import InputError

QUESTIONS = [f"Question {i}? {{options}}." for i in range(7)]


def append(desk, name, line):
    with (desk.root / name).open("a") as handle:
        handle.write(line + "\n")


def label_not_declared(desk):
    task = desk.filled()
    append(desk, "mine_train.csv", "ACGT,7")
    return task, ["mine_train.csv:42: label '7' is not declared", "'0', '1'"]


def class_absent_from_test(desk):
    task = desk.filled()
    desk.table("mine_test.csv", [(s, 0) for s in desk.dna(6, seed=8)])
    return task, ["mine_test.csv: task mine has no test rows with label ['1']", "mine.yaml:1"]


def class_absent_from_train(desk):
    return desk.filled(labels={"0": "none", "1": "one", "2": "two"}), [
        "mine_train.csv",
        "no train rows with label ['2']",
    ]


def columns_swapped(desk):
    task = desk.filled(columns={"sequence": "label", "label": "sequence"})
    return task, ["mine_train.csv:2", "the columns 'label' and 'sequence' seem to be swapped"]


def numbers_in_one_row(desk):
    task = desk.filled()
    append(desk, "mine_dev.csv", "0.5,ACGT")
    return task, ["mine_dev.csv:12", "'sequence' holds '0.5' and 'label' holds 'ACGT'"]


def beyond_the_chromosome(desk):
    (desk.root / "g.fa").write_text(">chr1\n" + desk.dna(1, 500)[0] + "\n")
    for split in ("train", "dev", "test"):
        lines = [f"chr1\t{n}\t{n + 40}\tx\t{n % 2}\t+" for n in range(0, 30)]
        (desk.root / f"mine_{split}.bed").write_text("\n".join(lines) + "\n")
    append(desk, "mine_dev.bed", "chr1\t480\t501\tx\t1\t+")
    files = {"train": "mine_train.bed", "validation": "mine_dev.bed", "test": "mine_test.bed"}
    source = {"format": "bed", "genome": "g.fa", "files": files}
    task = desk.task(source=source, columns={"sequence": "sequence", "label": "score"})
    return task, ["mine_dev.bed:31: end 501 is beyond chr1, which has 500 bases"]


def no_protein(desk):
    rows = [(s[:30], "MKVLAT", i % 2) for i, s in enumerate(desk.dna(60))]
    for split, part in (("train", rows[:40]), ("dev", rows[40:50]), ("test", rows[50:])):
        desk.table(f"mine_{split}.csv", part, "sequence,protein,label")
    append(desk, "mine_test.csv", "ACGT,MKJ,1")
    return desk.task(kind="dna_protein_pair"), ["mine_test.csv:12", "'J' at residue 3 is no amino acid"]


def unknown_field(desk):
    return desk.filled(phrasings=[*QUESTIONS, "Does {gene} bind? {options}."]), ["mine.yaml:", "unknown field '{gene}'"]


def code_in_a_field(desk):
    return desk.filled(phrasings=[*QUESTIONS, "{options.__class__} {options}?"]), [
        "unknown field '{options.__class__}'"
    ]


def line_break_in_a_label(desk):
    return desk.filled(labels={"0": "none", "1\n": "one"}), ["mine.yaml:", "label '1\\n' must be one line"]


@pytest.mark.parametrize(
    "make",
    [
        label_not_declared, class_absent_from_test, class_absent_from_train, columns_swapped, numbers_in_one_row,
        beyond_the_chromosome, no_protein, unknown_field, code_in_a_field, line_break_in_a_label,
    ],
)  # fmt: skip
def test_it_is_refused_by_name_and_place_and_nothing_is_written(desk, make):
    task, said = make(desk)
    before = sorted(path.name for path in desk.root.iterdir())
    with pytest.raises(InputError) as error:
        desk.build(task)
    assert all(part in str(error.value) for part in [str(task), *said]), str(error.value)
    assert sorted(path.name for path in desk.root.iterdir()) == before
